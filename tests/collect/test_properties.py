"""Random records, random projections, random cuts: columns, plain reading and an independent one agree."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import parsed, row_of, texts
from tocsin.collect import documents, read, read_bytes, records
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import windows_json
from tocsin.collect.records import Tally
from tocsin.model.event import Events, Source

# Few keys, so that they meet: plain, dotted like a path, with a space, named like our own columns.
KEYS = st.sampled_from(
    [
        "a",
        "b",
        "a.b",
        "b.a",
        "a.b.",
        "c d",
        "cd",
        "",
        "\x00",
        "é",
        "_ts",
        "_raw",
        "_extra",
        "__class__",
        "#text",
        "#attributes",
        "Event",
        "System",
        "EventData",
        "UserData",
        "winlog",
        "event_data",
        "user_data",
        "Data",
        "EventID",
        "Channel",
        "Version",
        "process",
        "pid",
        "Hostname",
        "Computer",
        "@timestamp",
        "Provider",
    ]
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, 1, -1, 1.0, -0.0, 2**53 + 1, 0.1, 1e22, 1e-7, 2**70])
WORDS = st.sampled_from(["", "1", "true", "null", "a.b", "\u2028é\U0001f600", "{", "\\", '"', "x\ny", "1714550400"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), min_size=1, max_size=12)
FIRST = {"EventID": 1, "Channel": "x"}  # so that the format is known, whatever comes behind


def as_lines(found: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in [FIRST, *found])


@given(RECORDS)
def test_columns_equal_the_plain_reading_and_keep_every_leaf(found: list[dict[str, Any]]) -> None:
    events = read_bytes(as_lines(found))
    assert len(events) == len(found) + 1
    for row in range(len(events)):
        fields = row_of(events, row)
        assert fields == dict(events.all_fields(row))
        assert Counter(fields.values()) == texts(parsed(events.raw[row]))


@given(RECORDS, st.data())
def test_a_projection_gives_the_same_values_and_nothing_else(found: list[dict[str, Any]], data: st.DataObject) -> None:
    full = read_bytes(as_lines(found))
    projection = frozenset(data.draw(st.sets(st.sampled_from(sorted(full.columns)))))
    projected = read_bytes(as_lines(found), projection=projection)
    for row in range(len(full)):
        wanted = {name: text for name, text in row_of(full, row).items() if name in projection}
        assert row_of(projected, row) == wanted
    assert projected.ts.tolist() == full.ts.tolist()


@given(st.lists(RECORDS, min_size=2, max_size=4))
def test_what_was_learned_of_one_table_serves_the_next(batches: list[list[dict[str, Any]]]) -> None:
    decoder = windows_json.decoder(None)
    for found in batches:
        content = as_lines(found)
        table = TableBuilder("windows")
        table.begin(Source(path="x"), windows_json.fields, Clock())
        for block in windows_json.cut(cast(BinaryIO, io.BytesIO(content)), 0, None, 1 << 20):
            decoder.read(block, table, Tally())
        decoder.flush(table)
        events = table.finish()
        for row in range(len(events)):
            assert row_of(events, row) == dict(events.all_fields(row))


@given(st.dictionaries(KEYS, VALUES, min_size=2, max_size=7), st.data())
def test_the_order_of_keys_decides_only_who_has_a_name(record: dict[str, Any], data: st.DataObject) -> None:
    """Orders of the same keys share what was learned of one, but each is read as it would be alone."""
    orders = [data.draw(st.permutations(sorted(record))) for _ in range(4)]
    events = read_bytes(as_lines([{key: record[key] for key in order} for order in orders]))
    for row in range(len(events)):
        assert row_of(events, row) == dict(events.all_fields(row))


ENDS = st.sampled_from(["\n", "\r\n", "\n\n", " \n"])


@given(RECORDS, ENDS, st.booleans(), st.integers(1, 300), st.integers(1, 900), st.integers(1, 5))
def test_ranges_and_small_blocks_give_the_same_records(
    found: list[dict[str, Any]], end: str, last_ended: bool, block_bytes: int, unit_bytes: int, batch: int
) -> None:
    text = end.join(json.dumps(record) for record in [FIRST, *found]) + (end if last_ended else "")
    content = text.encode()
    whole = [(place, raw) for place, raw in _cut(content, 0, None, 1 << 20)]
    assert [json.loads(raw) for _, raw in whole] == [json.loads(json.dumps(record)) for record in [FIRST, *found]]
    for place, raw in whole:
        assert content[place : place + len(raw)] == raw
    ranges = windows_json.ranges(content, len(content), unit_bytes)
    assert [start for start, _ in ranges[1:]] == [stop for _, stop in ranges[:-1]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_BATCH_BYTES", 7 * batch)
        patch.setattr(documents, "_STEP", batch)
        parts = [record for start, stop in ranges for record in _cut(content, start, stop, block_bytes)]
        assert parts == whole
        assert list(_cut(content, 0, None, block_bytes)) == whole


def _cut(content: bytes, start: int, stop: int | None, block_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Offsets and raw bytes of a range of JSON lines."""
    file = cast(BinaryIO, io.BytesIO(content))
    if start == 0 and stop is None:
        blocks = documents.cut_lines(file, 0, None, block_bytes)
    else:
        blocks = windows_json.cut(file, start, stop, block_bytes)
    yield from _read(blocks)


def _read(blocks: Any) -> Iterator[tuple[int, bytes]]:
    table = TableBuilder("windows")
    table.begin(Source(path="x"), windows_json.fields, Clock())
    decoder, tally = windows_json.decoder(None), Tally()
    for block in blocks:
        assert not block.damaged
        decoder.read(block, table, tally)
    decoder.flush(table)
    assert not tally.damaged
    events = table.finish()
    yield from zip(events.rec.tolist(), list(events.raw), strict=True)


LAYOUTS = st.sampled_from(["array", "one line", "documents", "side by side", "arrays"])


@given(RECORDS, LAYOUTS, st.sampled_from([None, 1, 2, 4, "\t"]), st.integers(1, 200))
def test_documents_of_any_layout_are_cut_whole(
    found: list[dict[str, Any]], layout: str, indent: int | str | None, block_bytes: int
) -> None:
    single = [json.dumps(record, indent=indent) for record in found]
    text = {
        "array": json.dumps(found, indent=indent),
        "one line": json.dumps(found),
        "documents": "\n".join(single) + "\n",
        "side by side": "".join(single),
        "arrays": json.dumps(found[:2], indent=indent) + "\n" + json.dumps(found[2:], indent=indent),
    }[layout]
    content = text.encode()
    cut = list(_read(documents.cut_documents(cast(BinaryIO, io.BytesIO(content)), block_bytes)))
    assert [json.loads(raw) for _, raw in cut] == [json.loads(json.dumps(record)) for record in found]
    assert all(content[place : place + len(raw)] == raw for place, raw in cut)


@given(st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), min_size=3, max_size=9), st.data())
def test_a_damaged_document_takes_no_other_along(found: list[dict[str, Any]], data: st.DataObject) -> None:
    array = data.draw(st.booleans())
    indented = [
        json.dumps(record, indent=2)
        if not array
        else "\n".join("  " + x for x in json.dumps(record, indent=2).split("\n"))
        for record in found
    ]
    bad = data.draw(st.integers(0, len(found) - 1))
    at = data.draw(st.integers(0, len(indented[bad]) - 1))
    indented[bad] = (
        indented[bad][:at] + data.draw(st.sampled_from(["", "\x01", "}", "{", '"'])) + indented[bad][at + 1 :]
    )
    text = "[\n" + ",\n".join(indented) + "\n]\n" if array else "\n".join(indented) + "\n"
    events = _lenient(text.encode(), data.draw(st.sampled_from([50, 1 << 20])))
    raws = Counter(raw.strip() for raw in events.raw)
    kept = Counter(text.strip().encode() for place, text in enumerate(indented) if place != bad)
    assert not kept - raws


def _lenient(content: bytes, block_bytes: int) -> Events:
    table = TableBuilder("windows")
    table.begin(Source(path="x"), windows_json.fields, Clock())
    decoder, tally = windows_json.decoder(None), Tally()
    for block in documents.cut_documents(cast(BinaryIO, io.BytesIO(content)), block_bytes):
        decoder.read(block, table, tally)
    decoder.flush(table)
    return table.finish()


def test_sources_in_one_table_keep_their_own_rows(tmp_path: Any) -> None:
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(as_lines([{"a": number}] * (number + 1)))
    assert [len(events) for events in read(tmp_path)] == [2, 3, 4]
