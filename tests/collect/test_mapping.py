"""Mapping files: the manual's examples come out as it says, mistakes are told with their line, cells as `csv` reads."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import cells, mapping_files, plan, read_units, reader
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.records import Tally
from tocsin.collect.units import sniffed
from tocsin.errors import SettingsError
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME, Events, Source
from tocsin.model.mapping import LogMapping, Served, TimeOf

MANUAL = Path(__file__).parents[2] / "docs" / "mapping.md"
EXAMPLE = re.compile(r"```yaml\n(.*?)```\s+```(?:json|csv)\n(.*?)```[^`]*```text\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(MANUAL.read_text(encoding="utf-8"))


def _read(log: Path, *mappings: LogMapping, zone: str = "UTC") -> tuple[list[Events], list[Custody]]:
    mapped = [reader(mapping) for mapping in mappings]
    accounts: list[Custody] = []
    tables = read_units(plan([log], mapped=mapped), None, accounts.append, zone=ZoneInfo(zone), mapped=mapped)
    return list(tables), accounts


def _told(events: Events, row: int) -> str:
    ts = datetime.fromtimestamp(events.ts[row] / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = row_of(events, row)
    assert fields == dict(events.all_fields(row))
    return " ".join([ts, *(f"{n}={'|'.join(t) if isinstance(t, tuple) else t}" for n, t in sorted(fields.items()))])


@pytest.mark.parametrize(("mapping", "log", "wanted"), EXAMPLES)
def test_the_examples_of_the_manual(tmp_path: Path, mapping: str, log: str, wanted: str) -> None:
    (tmp_path / "m.yml").write_text(mapping, encoding="utf-8")
    (one,) = mapping_files.load([tmp_path / "m.yml"])
    forms = {"plain": log.encode(), "crlf": log.replace("\n", "\r\n").encode(), "bom": b"\xef\xbb\xbf" + log.encode()}
    forms |= {"utf16": log.encode("utf-16"), "no end": log.rstrip("\n").encode()}
    for name, content in forms.items():
        (tmp_path / "log").write_bytes(content)
        (events,), (account,) = _read(tmp_path / "log", one)
        assert [_told(events, row) for row in range(len(events))] == wanted.splitlines(), name
        assert (account.format, account.read) == (one.name, len(events))
        assert sum(account.damaged.values()) == len(log.splitlines()) - len(events) - (one.format == "csv") * bool(
            one.keys
        )


def test_the_manual_has_examples_and_names_every_key() -> None:
    assert len(EXAMPLES) == 3
    page = MANUAL.read_text(encoding="utf-8")
    assert not [key for key in mapping_files._Mapping.__struct_fields__ if f"`{key}`" not in page]


GOOD = "name: a\nformat: json\nrecognise:\n  keys: [x]\nlogsource:\n  product: p\n"


@pytest.mark.parametrize(
    ("text", "line", "words", "hint"),
    [
        (GOOD.replace("name", "nmae"), 1, "there is no `nmae`", "Did you mean `name`?"),
        (GOOD.replace("keys", "kyes"), 4, "there is no `kyes` in `recognise`", "`keys`"),
        (GOOD.replace("name: a\n", ""), 1, "`name` is missing", ""),
        (GOOD.replace("json", "xml"), 2, "`format` is neither json nor csv", "json, csv"),
        (GOOD.replace("[x]", "x"), 4, "`recognise`: a list is wanted here, and text is there", ""),
        (GOOD + "fields:\n  a:\n    b: c\n", 7, "`fields`: text or a list is wanted here", ""),
        (GOOD + "kind: webserver\n", 7, "either `kind` or `logsource`", ""),
        (
            GOOD.replace("logsource:\n  product: p\n", "kind: webservr\n"),
            5,
            "no kind 'webservr'",
            "Did you mean webserver",
        ),
        (GOOD.replace("name: a", "name: windows"), 1, "the name of a kind that readers have", ""),
        (GOOD.replace("name: a", "name: A b"), 1, "the name 'A b' is not one", ""),
        (GOOD.replace("product: p", "product: ''"), 5, "names a category, product or service", ""),
        (GOOD.replace("keys: [x]", "regex: '('"), 4, "the regex does not compile", ""),
        (GOOD.replace("keys: [x]", "regex: ''"), 3, "nothing tells the log from others", ""),
        (GOOD.replace("keys", "header"), 3, "JSON has `keys`, CSV has a `header`", ""),
        (GOOD + "time:\n  field: t\n  format: later\n", 9, "'later' is no form of a time", "iso, epoch"),
        (GOOD + "time:\n  field: t\n  zone: Mars/North\n", 9, "zone Mars/North: there is no such time zone", ""),
        (GOOD + "time:\n  format: iso\n", 7, "`time` needs either `field` or `join`", ""),
        (GOOD + "delimiter: ','\n", 7, "`delimiter` is for csv", ""),
        (GOOD + "name: b\n", 7, "`name` stands there twice", ""),
        (GOOD + "fields: {a: []}\n", 7, "`a` has no name", ""),
        (GOOD + "host: &x y\ninside: [*x]\n", 1, "refers to another part of itself", ""),
        (GOOD + "\tx: [\n", 7, "not YAML", ""),
        ("- a\n", 1, "not a mapping", ""),
        ("", 1, "not a mapping", ""),
        (
            GOOD.replace("logsource:\n  product: p\n", "kind: okta\nhost: h\n"),
            6,
            "records of the kind okta name no host",
            "",
        ),
    ],
)
def test_a_mistake_is_told_in_plain_words_with_its_line(
    tmp_path: Path, text: str, line: int, words: str, hint: str
) -> None:
    path = tmp_path / "m.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        mapping_files.load([path])
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize(
    ("form", "said"),
    [("%d/%b/%Y:%H:%M:%S %z", "14/Mar/2026:09:26:53 +0100"), ("%Y-%m-%dT%H:%M:%S%z", "2026-03-14T08:26:53Z")],
)
def test_a_form_of_a_time_may_hold_its_zone(tmp_path: Path, form: str, said: str) -> None:
    (tmp_path / "m.yml").write_text(GOOD + f'time:\n  field: t\n  format: "{form}"\n', encoding="utf-8")
    (tmp_path / "log").write_text(f'{{"x":1,"t":"{said}"}}\n', encoding="utf-8")
    (events,), _ = _read(tmp_path / "log", *mapping_files.load([tmp_path / "m.yml"]), zone="Asia/Tokyo")
    assert datetime.fromtimestamp(events.ts[0] / 1_000_000, UTC) == datetime(2026, 3, 14, 8, 26, 53, tzinfo=UTC)


def test_files_that_are_missing_huge_or_called_alike(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "big.yml").write_bytes(b"#" * (mapping_files.MOST_BYTES + 1))
    for paths, words in ((["none.yml"], "No such file"), (["big.yml"], "larger than"), (["a.yml"] * 2, "is called a")):
        with pytest.raises(SettingsError, match=words):
            mapping_files.load([tmp_path / name for name in paths])


def test_a_rule_asks_for_no_more_than_a_mapping_serves() -> None:
    served = Served(kind="a", category="", product="p", service="s")
    assert [served.holds(*parts) for parts in (("", "p", "s"), ("", "p", ""), ("c", "p", "s"), ("", "q", "s"))] == [
        True,
        True,
        False,
        False,
    ]


TEXTS = st.text(st.sampled_from('ab,;"\n\r é\x00'), max_size=6)
ROWS = st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=8)
TABLE = LogMapping(name="t", path="", format="csv", kind="t", keys=("a", "b", "c"), time=TimeOf(fields=("c",)))


def test_who_reads_a_head_is_remembered_for_these_mappings_alone() -> None:
    head = b"a,b,c\n1,2,2026-01-01T00:00:00Z\n"
    own = reader(TABLE)
    before = sniffed(head)
    assert sniffed(head, [own]) is own
    assert sniffed(head) is before
    assert sniffed(head, [own]) is own


def _events(content: bytes, block_bytes: int) -> tuple[Events, Tally]:
    csv_reader = reader(TABLE)
    table, tally = TableBuilder("t"), Tally()
    table.begin(Source(path="x"), csv_reader.fields, Clock())
    decoder = csv_reader.decoder(None)
    for block in csv_reader.cut(cast(BinaryIO, io.BytesIO(content)), 0, None, block_bytes):
        tally.damaged.update(block.damaged)
        decoder.read(block, table, tally)
    decoder.flush(table)
    return table.finish(), tally


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 60))
def test_what_csv_writes_is_read_again(
    rows: list[list[str]], delimiter: str, end: str, every: bool, block_bytes: int
) -> None:
    rows = [[cell.strip("\r\n") for cell in row] for row in rows]
    rows = [row for row in rows if any(row) and row != ["a", "b", "c"]]
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
    )
    writer.writerow("abc")
    writer.writerows(rows)
    for size in (block_bytes, 1 << 20):
        events, tally = _events(text.getvalue().encode(), size)
        found = [row_of(events, row) for row in range(len(events))]
        wanted = [{n: t for n, t in zip("abc", row, strict=True) if t} | {"log": "t"} for row in rows]
        assert found == wanted
        assert not tally.damaged
        assert found == [dict(events.all_fields(row)) for row in range(len(events))]


@given(st.lists(st.text(st.sampled_from('ab,"'), max_size=9), max_size=12), st.integers(1, 40))
def test_odd_lines_are_read_alike_by_columns_and_one_by_one(lines: list[str], block_bytes: int) -> None:
    content = "\n".join(["a,b,c", *lines, "x,y,z"]).encode()
    events, _ = _events(content, block_bytes)
    whole, _ = _events(content, 1 << 20)
    assert list(events.raw) == list(whole.raw)
    for row in range(len(events)):
        fields = row_of(events, row)
        assert fields == dict(events.all_fields(row)) == row_of(whole, row)
        split = cells.cells_of(events.raw[row].decode(), ",")
        assert {name: cell for name, cell in zip("abc", split, strict=False) if cell} | {"log": "t"} == fields
    assert list(whole.raw)[-1:] == [b"x,y,z"] or '"' in "".join(lines)


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    rows = [b"1,2,2026-03-01T10:00:00Z"] * 50
    (tmp_path / "x.csv").write_bytes(b"\n".join([b"a,b,c", *rows, b'1,"2,3', *rows, b""]))
    (events,), (account,) = _read(tmp_path / "x.csv", TABLE)
    assert (len(events), sum(account.damaged.values())) in ((100, 1), (101, 0))
    assert int((events.ts != NO_TIME).sum()) == 100


def test_the_zone_of_the_run_and_files_that_were_joined(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b'sep=;\r\na;b;c\r\n1;;2026-03-01 10:00\r\na;b;c\r\n2;"x";2026-03-01 10:00Z\r\n')
    (events,), (account,) = _read(tmp_path / "x.csv", TABLE, zone="Europe/Zurich")
    assert [_told(events, row) for row in range(2)] == [
        "2026-03-01T09:00:00Z a=1 c=2026-03-01 10:00 log=t",
        "2026-03-01T10:00:00Z a=2 b=x c=2026-03-01 10:00Z log=t",
    ]
    assert dict(account.mended) == {"time without a zone: it was assumed": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"x": 1}\n{"x": 2}\n', "no reader knows this JSON; a mapping would read it (--mapping)"),
        (b'[\n  {"x": 1}\n]\n', "no reader knows this JSON; a mapping would read it (--mapping)"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "no reader knows this CSV; a mapping would read it (--mapping)"),
        (b"Start Time;User\n1;mere\n", "no reader knows this CSV; a mapping would read it (--mapping)"),
        (
            b'\xef\xbb\xbf"time","user","said"\r\n1,mere,"one, two"\r\n',
            "no reader knows this CSV; a mapping would read it (--mapping)",
        ),
        (b"time,user,message\n", "no reader knows this CSV; a mapping would read it (--mapping)"),
        (b"Dear all, good morning\nthe gate, it seems, is shut\n", "no reader knows this format"),
        (b"Dear all, good morning\n", "no reader knows this format"),
        (b"some text, and\nmore text, here, and\nno table\n", "no reader knows this format"),
        (b"[section]\nkey=value\n", "no reader knows this format"),
    ],
)
def test_what_a_mapping_would_read_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x").write_bytes(content)
    tables, (account,) = _read(tmp_path / "x")
    assert (tables, account.problems) == ([], (words,))
