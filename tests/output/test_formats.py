from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime

import pytest

from tocsin.model.run import Run
from tocsin.output.formats import WRITERS, coverage, custody, jsonl, navigator, timesketch
from tocsin.output.formats import csv as csv_format
from tocsin.output.plain import KEYS, as_json, cell, utc
from tocsin.output.screen import UNSEEN
from tocsin.output.writer import Writer

NAMES = [writer.NAME for writer in WRITERS]


@pytest.fixture
def written(run: Run) -> Callable[[Writer], str]:
    def write(writer: Writer) -> str:
        file = io.StringIO(newline="")
        writer.write(run, file)
        return file.getvalue()

    return write


@pytest.mark.parametrize("writer", WRITERS, ids=NAMES)
def test_same_run_same_bytes(writer: Writer, written: Callable[[Writer], str]) -> None:
    text = written(writer)
    assert text
    assert text.encode() == written(writer).encode()


@pytest.mark.parametrize("writer", WRITERS, ids=NAMES)
def test_nothing_acts_on_a_terminal_that_shows_the_file(writer: Writer, written: Callable[[Writer], str]) -> None:
    assert not UNSEEN.search(written(writer).replace("\r\n", "").replace("\n", ""))


@pytest.mark.parametrize("writer", [w for w in WRITERS if w.NAME != "csv"], ids=lambda w: w.NAME)
def test_no_json_opens_a_tag(writer: Writer, written: Callable[[Writer], str]) -> None:
    assert "<" not in written(writer)


@pytest.mark.parametrize("writer", WRITERS, ids=NAMES)
def test_a_run_without_findings_can_be_written(writer: Writer, empty_run: Run) -> None:
    writer.write(empty_run, io.StringIO())


def test_a_line_for_each_finding(run: Run, written: Callable[[Writer], str]) -> None:
    lines = [json.loads(line) for line in written(jsonl).splitlines()]
    assert len(lines) == len(list(run.findings))
    assert all(tuple(line) == KEYS for line in lines)
    assert lines[0] == {
        "rule_id": "00000000-0000-4000-8000-000000000000",
        "title": "+Formula <b>\x1b[2J",  # reads back as it was
        "level": "critical",
        "techniques": ["T1059.001", "T1003"],
        "attack_release": "19",
        "author": '@a, "b"',
        "ts": "2026-03-11T12:00:00.000000Z",
        "host": "ws-01",
        "kind": "windows",
        "src": "ab" * 32,
        "rec": 7,
        "chunk": 4096,
        "path": "logs/a.evtx",
        "variant": "sysmon",
        "fields": {"Image": "C:\\a.exe", "Empty": None},
        "correlation": None,
        "indicator": None,
    }
    assert lines[1]["chunk"] is None
    assert lines[2]["ts"] is None
    assert lines[2]["fields"]["CommandLine"].startswith("=cmd|")


def test_no_cell_is_a_formula(written: Callable[[Writer], str]) -> None:
    text = written(csv_format)
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == KEYS
    cells = [value for row in rows[1:] for value in row]
    assert not [value for value in cells if value.lstrip()[:1] in tuple("=+-@\t\r＝＋－＠")]
    assert json.loads(rows[3][KEYS.index("fields")])["CommandLine"].startswith("=cmd|")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "＝1", "＋1", "－1", "＠a", "\n=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert str(cell(text)).startswith("'")


def test_our_own_numbers_stay_numbers() -> None:
    assert cell(-1) == -1
    assert cell(None) == ""
    assert cell("C:\\a=b") == "C:\\a=b"


def test_timesketch_has_what_it_asks_for(run: Run, written: Callable[[Writer], str]) -> None:
    lines = [json.loads(line) for line in written(timesketch).splitlines()]
    assert len(lines) == len(list(run.findings))
    for line in lines:
        assert line["message"]
        assert line["timestamp_desc"]
        moment = datetime.fromisoformat(line["datetime"])
        assert moment.timestamp() * 1e6 == line["timestamp"]
        assert all("." not in name for name in line)
    assert lines[2]["field_datetime"] == "x"  # a field of a log takes nobody's place
    assert lines[2]["timestamp_desc"] == "Not set"


def test_navigator_layer(written: Callable[[Writer], str]) -> None:
    layer = json.loads(written(navigator))
    assert layer["versions"] == {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
    assert layer["domain"] == "enterprise-attack"
    assert [(one["techniqueID"], one["score"]) for one in layer["techniques"]] == [("T1003", 4), ("T1059.001", 2)]
    assert "Rule 1 (2)" in layer["techniques"][0]["comment"]
    assert "tagged for ATT&CK 18 stand beside those of release 19" in layer["description"]


def test_custody_manifest(written: Callable[[Writer], str]) -> None:
    manifest = json.loads(written(custody))
    assert manifest["tool_version"] == "9.9"
    first, *_ = manifest["sources"]
    assert first["sha256"] == "ab" * 32
    assert first["damaged"] == {"checksum \x1b[0m": 2}
    assert (first["first_ts"], first["read"]) == ("2026-03-11T12:00:00.000000Z", 1200)


def test_coverage_report(written: Callable[[Writer], str]) -> None:
    report = json.loads(written(coverage))
    assert report["summary"] == {
        "rules": 5,
        "fired": 2,
        "silent": 1,
        "no_log_source": 1,
        "field_absent": 1,
        "unusable": {"not yaml": 1},
    }
    assert report["missing_log_sources"] == [{"logsource": "windows//dns-client", "rules": 1}]
    assert report["gave_up"][0]["values"] == 12
    assert report["problems"][0]["line"] == 3


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (None, None),
        (1 << 62, None),
        (-62_135_596_800_000_000, None),  # year 1: an empty time of Windows, not a time
    ],
)
def test_times(us: int | None, text: str | None) -> None:
    assert utc(us) == text


def test_half_a_character_is_still_json() -> None:
    assert json.loads(as_json({"a": "\ud800<\U000e0041"})) == {"a": "\ud800<\U000e0041"}
