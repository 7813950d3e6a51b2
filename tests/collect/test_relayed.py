"""A collector's syslog file, in which many formats stand: each line is read as it is read alone, and none is lost."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import plan, read, read_units, relayed, sources, units
from tocsin.collect.block import Block
from tocsin.collect.formats import READERS
from tocsin.collect.lines import Lines
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME

HERE = Path(__file__).parent / "relayed"
SAMPLE = HERE / "central.log"
LINES = SAMPLE.read_bytes().splitlines()
READ_AS_JSON = re.compile(rb"(?:suricata|nxlog).*\{")  # without the header before it
CHANGED_US = 1_796_428_800_000_000  # 2026-12-05


@pytest.fixture(autouse=True)
def _changed_at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "changed_us", lambda file: CHANGED_US)


def _rows(path: Path) -> list[dict[str, Any]]:
    found = [
        {
            "rec": int(events.rec[row]),
            "kind": events.kind,
            "format": events.sources[events.src[row]].format,
            "ts": None if events.ts[row] == NO_TIME else int(events.ts[row]),
            "fields": {name: list(x) if isinstance(x, tuple) else x for name, x in sorted(row_of(events, row).items())},
        }
        for events in read(path)
        for row in range(len(events))
    ]
    return sorted(found, key=lambda row: int(row["rec"]))


def test_the_sample_is_read_as_the_golden_result_says() -> None:
    golden, found = HERE / "golden.jsonl", _rows(SAMPLE)
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        golden.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    assert found == [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]


def test_every_record_leads_back_to_its_line() -> None:
    content = SAMPLE.read_bytes()
    seen = {}
    for events in read(SAMPLE):
        firsts = {first: (data, starts.tolist()) for first, data, starts in events.raw.blocks()}
        assert sum(len(starts) for _, starts in firsts.values()) == len(events)
        for row in range(len(events)):
            raw = events.raw[row]
            assert content[int(events.rec[row]) :].startswith(raw)
            assert events.all_fields(row) == row_of(events, row)
            seen[int(events.rec[row])] = raw
        for data, starts in firsts.values():  # what is searched as bytes holds no other format's lines
            assert data.count(b"\n") == len(starts) - 1
    whole = [line.removeprefix(line[: line.find(b"{")]) if READ_AS_JSON.search(line) else line for line in LINES]
    assert [seen[at] for at in sorted(seen)] == whole


@given(
    picks=st.lists(st.integers(0, len(LINES) - 1), min_size=1, max_size=60),
    end=st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    bom=st.booleans(),
)
def test_a_line_among_others_is_read_as_it_is_alone(
    tmp_path_factory: pytest.TempPathFactory, picks: list[int], end: bytes, bom: bool
) -> None:
    lines = [LINES[at] for at in picks]
    path = tmp_path_factory.mktemp("mixed") / "central.log"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + LINES[0] + end + b"".join(line + end for line in lines))
    accounts: list[Custody] = []
    tables = list(read_units(plan([path]), None, accounts.append))
    (account,) = accounts
    home = account.format.partition(",")[0]
    if not home:
        return  # more noise than log
    assert relayed.is_relayed(home)
    assert account.read + sum(account.damaged.values()) == len(lines) + 1
    assert account.read == sum(len(events) for events in tables)
    if account.format.startswith(("linux", "linux,")):
        golden = [json.loads(line) for line in (HERE / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
        found = [(row["kind"], row["format"], row["fields"]) for row in _rows(path)]
        assert found == [(golden[at]["kind"], golden[at]["format"], golden[at]["fields"]) for at in [0, *picks]]


@given(
    picks=st.lists(st.integers(0, len(LINES) - 2), min_size=1, max_size=20), home=st.sampled_from(list(relayed.FORMATS))
)
def test_parts_are_all_lines_of_a_block_and_each_once(picks: list[int], home: str) -> None:
    block = Block(data=b"\n".join(LINES[at] for at in picks), offset=77)
    found: dict[int, bytes] = {}
    for _, part in relayed.parts(block, home):
        lines = Lines(part)
        places = part.in_source(lines.starts).tolist()
        for place, start, stop in zip(places, lines.starts.tolist(), lines.stops.tolist(), strict=True):
            assert place not in found
            found[place] = part.data[start:stop]
    assert [found[place] for place in sorted(found)] == [LINES[at] for at in picks]


def test_frames_with_a_count_are_told_apart_too(tmp_path: Path) -> None:
    lines = [line for line in LINES if line.startswith(b"<")]
    path = tmp_path / "frames.log"
    path.write_bytes(b"".join(b"%d %s" % (len(line), line) for line in lines))
    accounts: list[Custody] = []
    kinds = {events.kind for events in read_units(plan([path]), None, accounts.append)}
    assert (accounts[0].read, dict(accounts[0].damaged)) == (len(lines), {})
    assert {"firewall", "mail", "dns", "linux", "cisco", "webserver"} <= kinds


def test_lines_among_records_of_json_are_not_lost(tmp_path: Path) -> None:
    """A file that is nearly all Suricata's is read by its reader; what others wrote there goes to theirs."""
    eve = next(line for line in LINES if b" suricata[" in line)
    lines = [eve] * 40 + [LINES[0], b"no header", LINES[1]] + [eve] * 3
    path = tmp_path / "eve.log"
    path.write_bytes(b"\n".join(lines))
    accounts: list[Custody] = []
    content, seen = path.read_bytes(), []
    for events in read_units(plan([path]), None, accounts.append):
        for row in range(len(events)):
            assert content[int(events.rec[row]) :].startswith(events.raw[row])
            seen.append((int(events.rec[row]), events.kind))
    assert [kind for _, kind in sorted(seen)] == ["suricata"] * 40 + ["linux", "firewall"] + ["suricata"] * 3
    assert [(a.read, a.format, sum(a.damaged.values())) for a in accounts] == [(45, "suricata, asa, linux", 1)]


def test_ranges_read_what_one_go_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "central.log"
    path.write_bytes(SAMPLE.read_bytes() * 40)
    whole = _rows(path)
    monkeypatch.setattr(units, "_UNIT_BYTES", 20_000)
    monkeypatch.setattr(units, "_LEAST_UNIT_BYTES", 1)
    assert len([unit for unit in plan([path]) if unit.stop is not None]) > 3
    assert _rows(path) == whole


def test_a_small_kind_does_not_keep_the_blocks_of_a_large_one(tmp_path: Path) -> None:
    path = tmp_path / "central.log"
    path.write_bytes((LINES[0] + b"\n") * 30_000 + LINES[11] + b"\n")
    sizes = {events.kind: sum(len(data) for _, data, _ in events.raw.blocks()) for events in read(path)}
    assert sizes["dns"] == len(LINES[11])


@pytest.mark.parametrize(
    "message",
    [
        b"Invalid user %ASA-6-302013: Built",
        b"Invalid user - CEF:0|a|b|c|d|e|f|src=192.0.2.1",
        b"Invalid user x postfix/smtpd[1]: connect from unknown[192.0.2.1]",
        b"Invalid user date=2026-11-28 time=10:00:00 devname=x",
        b"Invalid user ] LEEF:1.0|a|b|c|d|src=192.0.2.1",
        b"Invalid user 1,2026/11/28 10:00:07,0128,TRAFFIC,drop,",
        b'Invalid user device="SFW" date=2026-11-28 time=10:00:00 log_component="x"',
        b'Invalid user id=firewall sn=18B1690729A8 time="2026-11-28 10:00:00"',
        b"Invalid user firewall,info input: in:ether1 out:(unknown 0)",
        b"Invalid user x exim[1]: 1tGxys-000127-IJ <= a@b",
    ],
)
@pytest.mark.parametrize("before", [b"Nov 28 10:00:18 web1 ", b"<86>1 2026-11-28T10:00:18Z web1 "])
def test_what_an_intruder_writes_into_a_message_decides_nothing(before: bytes, message: bytes) -> None:
    line = before + (b"sshd 2207 - - " if b">1 " in before else b"sshd[2207]: ") + message
    for home in (relayed.LINUX, *relayed.FORMATS):
        parts = relayed.parts(Block(data=line, offset=0), home)
        assert [name for name, _ in parts] == [relayed.LINUX]


def test_every_format_is_a_reader_of_its_own() -> None:
    assert set(relayed.FORMATS) < {reader.NAME for reader in READERS}


def test_formats_in_syslog_are_told_by_their_own_samples() -> None:
    told = {name for name, form in relayed.FORMATS.items() for line in LINES if form.line.match(line)}
    assert set(relayed.FORMATS) - told <= {"sysmon_linux"}


def test_no_line_takes_more_than_its_length() -> None:
    for text in (b"<13>Nov 28 10:00:00 h " + b"a " * 200_000, b"<13>1 - h a b c [" * 20_000, b": " * 200_000):
        block = Block(data=text + b' CEF: %ASA- date= named] " OUT= ,AUDIT,', offset=0)
        assert len(relayed.parts(block, relayed.LINUX)) == len(relayed.parts(block, "asa")) == 1
