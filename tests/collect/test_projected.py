"""Records that are decoded as far as they are asked for tell what records that are read as a whole tell."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.collect import projected
from tocsin.collect.asked_keys import asked
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import READERS
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.naming import Dotted
from tocsin.collect.records import JsonDecoder, Tally
from tocsin.model.event import ABSENT, Events, Source


def _shape(record: Record) -> None:
    record.setdefault("made", record.get("a"))


def _settle(record: Record) -> None:
    if "c" not in record:
        _shape(record)


NAMING = Dotted(
    times=("t", "a.t", "time"),
    names={"b": "c", "a.b": "x", "l.b": "y", "x": "z"},
    also={"whole": ("a", "b"), "first": ("l.c", "a.c", "c"), "z": ("a.a.a",)},
)
LOGS = {
    "plain": JsonLog(naming=NAMING, keys=()),
    "folded": JsonLog(naming=NAMING, keys=(), folded=("a", "l"), carriers=("carrier",)),
    "shaped": JsonLog(naming=NAMING, keys=(), folded=("a",), shape=_shape, shaped=("a", "made")),
    "settled": JsonLog(naming=NAMING, keys=(), shape=_settle, settled="c"),
}
PLAIN = ("a", "b", "c", "l", "t", "x", "unasked", "made")
PERILOUS = (*PLAIN, "a.b", "b.c", "a.b.c", "carrier", "_source", "")
NAMES = (
    "a",
    "b",
    "c",
    "x",
    "y",
    "z",
    "a.a",
    "a.b",
    "a.b.c",
    "a.c",
    "l",
    "l.b",
    "l.c",
    "l.a.c",
    "whole",
    "first",
    "made",
)
TEXTS = st.sampled_from(
    ("", "text", "2026-03-01T10:00:00Z", "\u00e9\u2028", '{"b": {"c": 1}}', '[{"b": "in a list"}]', '{"b.c": 1}', "c")
)
NUMBERS = st.sampled_from(
    (0, -1, 2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30, 1.0, -0.0, 1e22, 1.5e-7)
)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())


def _records(keys: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, Any]]]:
    key = st.sampled_from(keys)
    values = st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(key, inner, max_size=4)),
        max_leaves=8,
    )
    return st.lists(st.tuples(key, values), max_size=7)


# Where perilous keys are, hardly anything is read by what is tested here.
BLOCKS = st.sampled_from((PLAIN, PLAIN, PLAIN, PERILOUS)).flatmap(
    lambda keys: st.lists(st.lists(_records(keys), min_size=1, max_size=5), min_size=1, max_size=3)
)


@pytest.fixture(autouse=True)
def _small_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projected, "_LEAST_BYTES", 0)


def _line(pairs: list[tuple[str, Any]], *, escaped: bool) -> bytes:
    """Keys may stand in a record twice, and be written with escapes."""
    texts = []
    for key, value in pairs:
        name = "".join(f"\\u{ord(letter):04x}" for letter in key) if escaped else key
        texts.append(f'"{name}":{json.dumps(value, ensure_ascii=escaped)}')
    return ("{" + ", ".join(texts) + "}").encode()


def _read(decoder: JsonDecoder, blocks: list[bytes]) -> tuple[Events, Tally]:
    table, tally = TableBuilder("kind"), Tally()
    table.begin(Source(path="log"), lambda record, header: {}, Clock())
    offset = 0
    for block in blocks:
        decoder.read(Block(data=block, offset=offset), table, tally)
        offset += len(block)
    decoder.flush(table)
    return table.finish(), tally


def _rows(events: Events) -> list[tuple[Any, ...]]:
    """All that is told of each record; lists are told from texts."""
    return [
        (
            int(events.ts[row]),
            int(events.rec[row]),
            events.raw[row],
            {
                name: (int(column.codes[row]) == 1, column.text(row), column.lists.get(int(column.codes[row])))
                for name, column in events.columns.items()
                if column.codes[row] != ABSENT
            },
        )
        for row in range(len(events))
    ]


def _both(log: JsonLog, projection: frozenset[str], blocks: list[bytes]) -> tuple[Events, Events]:
    fast, plain = log.decoder(projection), log.decoder(projection)
    assert fast._projected is not None
    plain._projected = None
    (ours, our_tally), (theirs, their_tally) = _read(fast, blocks), _read(plain, blocks)
    assert _rows(ours) == _rows(theirs)
    assert {name for name, column in ours.columns.items() if column.codes.any()} == {
        name for name, column in theirs.columns.items() if column.codes.any()
    }
    assert (our_tally.damaged, our_tally.mended) == (their_tally.damaged, their_tally.mended)
    return ours, theirs


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(LOGS)),
    st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=6),
    BLOCKS,
    st.sampled_from((False, False, False, False, True)),
    st.sampled_from((b"\n", b"\r\n", b"\n\n")),
)
def test_equals_reading_as_a_whole(
    name: str, projection: frozenset[str], blocks: list[list[list[tuple[str, Any]]]], escaped: bool, end: bytes
) -> None:
    _both(LOGS[name], projection, [b"".join(_line(one, escaped=escaped) + end for one in block) for block in blocks])


@settings(max_examples=80, deadline=None)
@given(st.lists(_records(PLAIN), min_size=1, max_size=4), st.data())
def test_equals_it_on_damaged_lines(records: list[list[tuple[str, Any]]], data: st.DataObject) -> None:
    block = bytearray(b"".join(_line(one, escaped=False) + b"\n" for one in records))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(block) - 1))
        piece = data.draw(
            st.sampled_from((b"", b"\n", b'"', b"}", b"{", b"\\", b"\xff", b"\x01", b":", b",", b"]", b"1", b" "))
        )
        block[at : at + data.draw(st.integers(0, 2))] = piece
    _both(LOGS["plain"], frozenset({"a", "a.c", "c", "whole", "first"}), [bytes(block)])


@pytest.mark.parametrize(
    "reader",
    [reader for reader in READERS if hasattr(reader, "_LOG") and isinstance(reader._LOG, JsonLog)],
    ids=lambda reader: reader.NAME,
)
def test_samples_of_each_format(reader: Any, request: pytest.FixtureRequest) -> None:
    """Every record of the golden samples, a line each, with each name that it has asked for."""
    folder = request.path.parent / "formats" / reader.NAME
    lines = []
    for path in sorted(folder.glob("*.json*")) if folder.exists() else ():
        if path.name.startswith("golden"):
            continue
        for line in path.read_bytes().splitlines():
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict):
                lines.append(orjson.dumps(record))
    names = sorted({name for line in lines for name in reader.fields(line, b"")})
    for some in (names, names[::2], names[1::2], names[::7]):
        projection = frozenset(name for name in some if not name.endswith("_"))
        if reader._LOG.decoder(projection)._projected is not None and lines:
            _both(reader._LOG, projection, [b"\n".join(lines)])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("plain", '{"c": 1000000000000000000000000000000}'),
        ("plain", '{"y": 18446744073709551616, "a": -9223372036854775809}'),
        ("plain", '{"l": [{"b": 18446744073709551616}], "a": [[1e30], {"x": 18446744073709551616}]}'),
        ("plain", '{"a": {"c": {"unasked": 18446744073709551616}}}'),
        ("plain", '{"l": [{"b": "spread"}], "y": "own"}'),
        ("plain", '{"l": [{"b": "spread", "c": 1}, {"b": ["more"]}], "l": {"c": 2}}'),
        ("plain", '{"a": {}, "l": {}, "c": {}, "x": null}'),
        ("plain", '{"b": 1, "c": 2, "x": 3, "a": {"b": 4}}'),
        ("plain", '{"a": {"t": "2026-03-01T10:00:00Z"}, "t": {"x": 1}, "time": 1772384400}'),
        ("folded", '{"a": "{\\"b.c\\": 1, \\"c\\": 2}"}'),
        ("folded", '{"a": "{\\"b\\": {\\"c\\": 1}}", "l": "[{\\"b\\": 1}]"}'),
        ("shaped", '{"a": "{\\"c\\": 1}", "made": null}'),
        ("settled", '{"a": 1}'),
    ],
)
def test_equals_it_where_values_are_odd(name: str, line: str) -> None:
    for projection in (frozenset(NAMES), frozenset({"a", "c", "y", "whole"}), frozenset({"z", "first", "a.b.c"})):
        _both(LOGS[name], projection, [b'{"c": "text"}\n' * 3, line.encode() + b'\n{"c": "text"}\n'])


def test_reads_plain_lines_itself() -> None:
    """The records are not built, and none is left to whoever would."""
    decoder = LOGS["plain"].decoder(frozenset({"a.c", "first"}))
    assert decoder._projected is not None
    decoder._layouts.add = None  # type: ignore[method-assign, assignment]
    events, _ = _read(decoder, [b'{"a": {"c": "x", "unasked": [1]}}\n{"t": "2026-03-01T10:00:00Z", "c": "y"}\n'])
    assert [events.columns["first"].text(row) for row in (0, 1)] == ["x", "y"]


def test_names_that_cannot_be_placed_are_left_to_others() -> None:
    assert asked(NAMING, frozenset({"a_"})) is None
    assert asked(NAMING, frozenset({'a"b'})) is None
    assert asked(NAMING, frozenset({".".join("abcdefghijklm")})) is None


def test_a_number_past_all_bounds_that_nobody_asks_for_is_passed_over() -> None:
    """The one thing that is told otherwise: read as a whole, the first would be mended and the second lost."""
    block = b'{"c": "x", "unasked": 1e999}\n{"c": "y", "unasked": 1%b}\n' % (b"0" * 400)
    events, tally = _read(LOGS["plain"].decoder(frozenset({"c"})), [block])
    assert [events.columns["c"].text(row) for row in (0, 1)] == ["x", "y"]
    assert not tally.damaged
    assert not tally.mended
