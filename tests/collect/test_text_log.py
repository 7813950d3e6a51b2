"""Entries of text logs: the same however they are cut, none lost, each with its time; and other text is left alone."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import entries, read_bytes
from tocsin.collect.clock import YEAR_AND_ZONE_ASSUMED, ZONE_ASSUMED, Clock
from tocsin.collect.formats import text_log
from tocsin.model.event import NO_TIME

LINES = st.sampled_from(
    [
        "2026-03-01 10:00:00,123 ERROR [main] a.B - x",
        "2026-03-01T10:00:00Z INFO up",
        "\tat a.B.run(B.java:1)",
        "Caused by: x",
        "",
        "free text",
        "E0301 10:00:00.123456    4711 a.go:1] x",
    ]
)


def _cut(content: bytes, start: int, stop: int | None, block_bytes: int) -> list[tuple[int, bytes]]:
    file = cast(BinaryIO, io.BytesIO(content))
    blocks = text_log.cut(file, start, stop, block_bytes)
    return [(block.offset + a, block.data[a:b]) for block in blocks for a, b in block.spans or ()]


@given(st.lists(LINES, max_size=30), st.sampled_from(["\n", "\r\n"]), st.integers(1, 200), st.integers(1, 300))
def test_ranges_and_small_blocks_give_the_same_entries(
    lines: list[str], end: str, block_bytes: int, unit_bytes: int
) -> None:
    content = end.join(lines).encode()
    whole = _cut(content, 0, None, 1 << 20)
    assert b"".join(content.split()) == b"".join(b"".join(raw for _, raw in whole).split())
    assert all(content[at : at + len(raw)] == raw for at, raw in whole)
    begun = [raw for at, raw in whole if at and not raw.startswith((b"2026", b"E0301"))]
    assert not begun, "only the first entry may begin without a time"
    assert _cut(content, 0, None, block_bytes) == whole
    ranges = text_log.ranges(content, len(content), unit_bytes)
    assert [one for start, stop in ranges for one in _cut(content, start, stop, block_bytes)] == whole


def test_an_entry_has_an_end_and_nothing_behind_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 100)
    content = b"2026-03-01 10:00:00 ERROR x\n" + b"\tat a.b.C(D.java:1)\n" * 50 + b"2026-03-01 10:00:01 ERROR y\n"
    for block_bytes in (7, 64, 1 << 20):
        whole = _cut(content, 0, None, block_bytes)
        assert max(len(raw) for _, raw in whole) <= 100
        assert b"".join(content.split()) == b"".join(b"".join(raw for _, raw in whole).split())
        assert whole == _cut(content, 0, None, 1 << 20)


@pytest.mark.parametrize(
    ("text", "ts", "level", "assumed"),
    [
        ("2026-03-01 10:00:00,5 ERROR x", "2026-03-01T09:00:00.5", "ERROR", ZONE_ASSUMED),
        ("2026-03-01 10:00:00.123456789 +0130 [ERR] x", "2026-03-01T08:30:00.123456", "ERR", ""),
        ("Mar 1, 2026 12:05:00\u202fAM a.B c\nWARNING: x", "2026-02-28T23:05:00", "WARNING", None),
        ("01-Mar-2026 10:00:00.001 SEVERE [main] a.B.c x", "2026-03-01T09:00:00.001", "SEVERE", None),
        ("Sun Mar  1 10:00:00 UTC 2026 ERROR: x", "2026-03-01T10:00:00", "ERROR", ""),
        ("E0301 10:00:00.123456    4711 a.go:1] x", "2026-03-01T09:00:00.123456", "ERROR", YEAR_AND_ZONE_ASSUMED),
        ("10:00:00.123 [main] DEBUG a.B - x", None, "DEBUG", "no date"),
        ("2026-02-31 10:00:00 ERROR x", None, "ERROR", "a time that is none"),
    ],
)
def test_times(text: str, ts: str | None, level: str, assumed: str | None) -> None:
    latest = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1_000_000)
    parsed = text_log._parse(text, b"", Clock(zone=ZoneInfo("Europe/Zurich"), latest_us=latest))
    assert parsed is not None
    wanted = NO_TIME if ts is None else round(datetime.fromisoformat(f"{ts}+00:00").timestamp() * 1_000_000)
    assert (parsed.ts, parsed.fields["level"]) == (wanted, level)
    assert assumed is None or parsed.mended == assumed


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01 10:00:00,192.0.2.1,GET,/\n" * 9,  # a CSV file
        "#Fields: date time c-ip\n2026-03-01 10:00:00 192.0.2.1 GET / - 80\n",
        "2026-03-01 10:00:00 install vim:amd64 <none> 2:9.1\n" * 9,
        "Notes of a meeting\n\n2026-03-01 10:00:00 ERROR in the plan\nand much more\nthat is text\nand no log\n" * 5,
        '{"time": "2026-03-01 10:00:00", "level": "ERROR"}\n',
        "Error: x\n",
        "",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert not text_log.sniff(text.encode())


@pytest.mark.parametrize(
    "piece",
    ["[" * 50, "[a] ", "- a.b ", "a.", "ERROR ", "ERROR [", "x:", "  ", "|a", "\n", "[a][b]", "(a) ", "a/b@c.d-"],
)
def test_hostile_lines_take_no_time(piece: str) -> None:
    line = "2026-03-01 10:00:00 " + piece * (60_000 // len(piece))
    began = time.process_time()
    text_log.sniff(line.encode())
    text_log._parse(line, b"", Clock())
    assert time.process_time() - began < 0.5


def test_sources_without_a_known_time_zone_say_so() -> None:
    events = read_bytes(b"2026-03-01 10:00:00 ERROR a\n  b\n2026-03-01 10:00:01 ERROR c\n")
    assert (events.kind, len(events)) == ("application", 2)
    assert events.columns["message"].text(0) == "a\n  b"
