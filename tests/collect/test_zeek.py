"""Zeek's two forms: what is written is read, by columns as line by line, in ranges as in one go."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import canonical, row_of
from tocsin.collect import plan, read, read_bytes, read_units, zeek_headless
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import zeek_json, zeek_tsv
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.custody import Custody
from tocsin.model.event import Source

SAMPLES = Path(__file__).parent / "formats" / "zeek_tsv"
HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{}\n#fields\t{}\n#types\t{}\n"
)
NAMES, TYPES = "ts\tuid\tnote\tflag\tanswers", "time\tstring\tstring\tbool\tvector[string]"
TEXT = st.text("ab-,\t\n\\é\x00#()x09", max_size=6)
RECORD = st.tuples(
    st.integers(0, 9_999_999_999_999_999), TEXT, st.none() | TEXT, st.none() | st.booleans(), st.none() | st.lists(TEXT)
)
CELL = st.sampled_from(
    ["-", "(empty)", "", "a", "T", "a,b", "-,b", "\\x2c,\\\\", "\\xc3\\xa9\\xff", "1.5", "1772384400.000001"]
)
LINE = st.one_of(st.lists(CELL, min_size=4, max_size=6).map("\t".join), st.sampled_from(["#close\tx", "#", "#x", ""]))


def _escaped(text: str) -> str:
    """A value as Zeek's ASCII writer escapes it."""
    if text in ("-", "(empty)"):
        return f"\\x{ord(text[0]):02x}{text[1:]}"
    plain = "".join(f"\\x{ord(x):02x}" if x in "\t\n\0," else "\\\\" if x == "\\" else x for x in text)
    return "\\x23" + plain[1:] if plain.startswith("#") else plain or "(empty)"


def _line(record: tuple[Any, ...]) -> str:
    ts, uid, note, flag, answers = record
    cells = [f"{ts // 1_000_000}.{ts % 1_000_000:06d}", _escaped(uid), "-" if note is None else _escaped(note)]
    cells.append("-" if flag is None else "FT"[flag])
    cells.append("-" if answers is None else ",".join(map(_escaped, answers)) or "(empty)")
    return "\t".join(cells)


def _shown(text: str) -> str:
    return text.replace("\0", "\\x00")


def rows(text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder("zeek"), Tally()
    table.begin(Source(path="x"), zeek_tsv.fields, Clock())
    for block in zeek_tsv.cut(io.BytesIO(text), 0, None, 64):
        decoder.read(block, table, tally)
    events = table.finish()
    return [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))], tally


@given(st.lists(RECORD, max_size=5))
def test_what_zeek_writes_is_read(records: list[tuple[Any, ...]]) -> None:
    text = HEADER.format("odd", NAMES, TYPES) + "".join(_line(record) + "\n" for record in records) + "#close\tx\n"
    found, tally = rows(text.encode(), zeek_tsv.decoder(None))
    assert not tally.damaged
    assert [ts for ts, _, _ in found] == [record[0] for record in records]
    for (_, _, fields), (_, uid, note, flag, answers) in zip(found, records, strict=True):
        assert fields["_path"] == "odd"
        assert fields["uid"] == _shown(uid)
        assert fields.get("note") == (None if note is None else _shown(note))
        assert fields.get("flag") == (None if flag is None else str(flag).lower())
        if answers != [""]:  # written like a set of nothing
            assert fields.get("answer") == (None if answers is None else tuple(map(_shown, answers)))


@given(st.lists(LINE, max_size=5), st.lists(LINE, max_size=5))
def test_lines_are_read_alike_by_columns_and_one_by_one(first: list[str], then: list[str]) -> None:
    changed = HEADER.format("other", NAMES + "\tid.orig_h", TYPES + "\taddr")
    text = (HEADER.format("odd", NAMES, TYPES) + "\n".join(first) + "\n" + changed + "\n".join(then)).encode()
    fast, tally = rows(text, zeek_tsv.decoder(None))
    slow, told = rows(text, LineDecoder(zeek_tsv._parse, None))
    assert fast == slow
    assert tally.damaged == told.damaged


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    header, good = HEADER.format("odd", NAMES, TYPES).encode(), b"1772384400.123456\tC1\tx\tT\ta\n"
    found, _ = rows(header + good + noise + b"\n" + header + good, zeek_tsv.decoder(None))
    assert found[0][2]["uid"] == found[-1][2]["uid"] == "C1"


@pytest.mark.parametrize("unit", [7, 100, 1000])
def test_ranges_know_the_header_that_stands_before_them(tmp_path: Path, unit: int) -> None:
    first, then = HEADER.format("a", NAMES, TYPES), HEADER.format("b", "ts\tuid", "time\tstring")
    text = first + "".join(f"1772384400.{n:06d}\tC{n}\tn{n}\tT\tx\n" for n in range(40)) + "#close\tx\n"
    text += then + "".join(f"1772384400.{n:06d}\tD{n}\n" for n in range(40)) + "#close\tx\n"
    (tmp_path / "x.log").write_text(text)
    whole, _ = rows(text.encode(), zeek_tsv.decoder(None))
    table, tally = TableBuilder("zeek"), Tally()
    table.begin(Source(path="x"), zeek_tsv.fields, Clock())
    with (tmp_path / "x.log").open("rb") as file:
        for start, stop in zeek_tsv.ranges(b"", len(text), unit):
            file.seek(start)
            for block in zeek_tsv.cut(file, start, stop, 64):
                zeek_tsv.decoder(None).read(block, table, tally)
    events = table.finish()
    assert [(int(events.ts[n]), int(events.rec[n]), row_of(events, n)) for n in range(len(events))] == whole
    assert len(whole) == 80
    assert not tally.damaged


@pytest.mark.parametrize(
    ("record", "log"),
    [
        ({"ts": 1.5, "uid": "C1", "conn_state": "SF"}, "conn"),
        ({"ts": 1.5, "uid": "C1", "trans_depth": 1, "request_body_len": 0, "method": "GET"}, "http"),
        ({"ts": 1.5, "uid": "C1", "id.orig_h": "192.0.2.1", "query": "x", "qtype_name": "A"}, "dns"),
        ({"ts": 1.5, "uid": "C1", "id_orig_h": "192.0.2.1"}, None),
        ({"ts": 1.5, "uid": "C1", "conn_state": "SF", "@stream": "conn_red"}, "conn_red"),
        ({"ts": 1.5, "uid": "C1", "conn_state": "SF", "_path": "x"}, "x"),
    ],
)
def test_the_log_is_told_by_the_record(record: dict[str, Any], log: str | None) -> None:
    assert zeek_json.fields(json.dumps(record).encode(), b"").get("_path") == log


def test_a_piece_without_its_header_is_read_as_with_it(tmp_path: Path) -> None:
    whole = (SAMPLES / "dns.log").read_bytes()
    (tmp_path / "a.log").write_bytes(_bare(whole))
    (tmp_path / "b.log").write_bytes(whole)
    [bare], [told] = read(tmp_path / "a.log"), read(tmp_path / "b.log")
    assert [row_of(bare, row) for row in range(len(bare))] == [row_of(told, row) for row in range(len(told))]
    assert len(bare)


USUAL = {
    "time": "1.5", "uid": "Cabcdefg1", "uids": "Cabcdefg1,Cabcdefg2", "addr": "192.0.2.1", "addrs": "192.0.2.1",
    "port": "80", "count": "7", "interval": "0.1", "bool": "T", "proto": "tcp", "state": "S0", "history": "ShA",
    "class": "C_INTERNET", "path": r"\\\\srv\\share", "kerberos": "AS", "smb": "SMB::FILE_OPEN",
    "uids_": "Fabcdefg1", "prints": "ab" * 32, "hash": "ab" * 16,
    "tunnel": "Tunnel::TEREDO", "tls": "TLSv13", "method": "GET", "community": "1:" + "a" * 27 + "=",
}  # fmt: skip


@pytest.mark.parametrize("at", range(len(zeek_headless._READ)))
def test_every_log_is_told_by_a_line_of_it(at: int) -> None:
    log, columns = zeek_headless._READ[at]
    cells = [USUAL.get(kind, "text") for _, kind in columns]
    header = zeek_headless.header_of(("1591367999.305988\t" + "\t".join(cells[1:])).encode())
    assert f"#path\t{log}\n".encode() in header
    assert header.count(b"\t") == 2 * len(columns) + 1


def _bare(content: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(b"#"))


def test_a_piece_that_could_be_more_than_one_log_is_not_read(tmp_path: Path) -> None:
    """Nor one of a log with a column that only this site has."""
    flow = "1591367999.305988\tCMdzit1AMNsmfAIiQc\t192.0.2.76\t36844\t192.0.2.1\t53\t"
    for cells in ("-\t-\t-\t-", "udp\tdns\t0.06\t6\t1\tSF\tT\tT\t0\tDd\t2\t118\t2\t197\t-\tsite"):
        (tmp_path / "x.log").write_text(flow + cells + "\n")
        accounts: list[Custody] = []
        assert not list(read_units(plan([tmp_path / "x.log"]), None, accounts.append))
        assert accounts[0].problems == (f"no reader: {zeek_headless.UNSURE}",)


def test_a_piece_without_its_header_says_so_and_is_read_in_ranges(tmp_path: Path) -> None:
    line = b"1591367999.305988\tCMdzit1AMNsmfAIiQc\t192.0.2.76\t36844\t192.0.2.1\t88\tAS\ta\tb\tT" + b"\t-" * 10 + b"\n"
    path = tmp_path / "x.log"
    path.write_bytes(line * 400_000)
    accounts: list[Custody] = []
    units = plan([path], unit_bytes=16 << 20)
    assert len(units) > 2
    tables = list(read_units(units, frozenset({"_path", "cipher", "request_type"}), accounts.append))
    assert sum(len(table) for table in tables) == 400_000
    assert sum(account.mended.get(zeek_headless.MENDED, 0) for account in accounts) == 400_000
    assert {table.columns["request_type"].text(0) for table in tables} == {"AS"}


def test_rules_find_one_name_however_it_was_exported() -> None:
    for name in ("id_orig_h", "id.orig_h"):
        record = {"ts": 1.5, "uid": "C1", name: "192.0.2.1", "conn_state": "SF"}
        events = read_bytes(json.dumps(record).encode() + b"\n", projection=frozenset({"id.orig_h", "src_ip"}))
        assert row_of(events, 0) == {"id.orig_h": "192.0.2.1", "src_ip": "192.0.2.1"} | (
            {"_path": "conn"} if "_path" in events.columns else {}
        )


def test_no_record_and_no_value_of_the_corpus_is_lost(shared: Path) -> None:
    folder = shared / "corpus/security-datasets/compound/apt29/day1/zeek/individual_zeek_logs"
    seen = Counter[str]()
    for path in sorted(folder.glob("*.log")):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = [(events, row) for events in read(path) for row in range(len(events))]
        assert len(found) == len(records) > 0
        for record, (events, row) in zip(records, found, strict=True):
            assert events.kind == "zeek"
            assert json.loads(events.raw[row]) == record
            told = row_of(events, row)
            assert {name: told[name] for name in record} == {name: canonical(value) for name, value in record.items()}
            assert told["_path"] == record["@stream"]
            assert told["_system_name"] == record["@system"]
            assert abs(int(events.ts[row]) - record["ts"] * 1e6) < 1
            for name, value in record.items():
                if name.startswith("id_"):
                    assert told[name.replace("_", ".", 1)] == str(value)
            seen[record["@stream"]] += 1
    assert seen["conn"] == 613
