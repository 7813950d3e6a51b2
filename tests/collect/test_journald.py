"""Entries of the journal: what was written is read again, whatever bytes it holds."""

from __future__ import annotations

import io
import json
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import read_bytes
from tocsin.collect.formats import journald, sysmon_linux

FIRST = b"__CURSOR=x\n__REALTIME_TIMESTAMP=1772272800000000\n"
FIELD = st.tuples(st.text("ABC_9", min_size=1, max_size=6), st.binary(max_size=12))


def entry(fields: list[tuple[str, bytes]]) -> bytes:
    text = FIRST
    for name, value in fields:
        plain = b"\n" not in value and value.isascii()
        size = struct.pack("<Q", len(value))
        text += name.encode() + (b"=" + value if plain else b"\n" + size + value) + b"\n"
    return text + b"\n"


@given(st.lists(st.lists(FIELD, max_size=5), min_size=1, max_size=5), st.integers(1, 200))
def test_entries_are_read_as_they_were_written(entries: list[list[tuple[str, bytes]]], step: int) -> None:
    text = b"".join(map(entry, entries))
    found = [
        journald._entry(block.data[start:stop])[0]
        for block in journald._cut_entries(io.BytesIO(text), step)  # type: ignore[arg-type]
        for start, stop in block.spans or ()
    ]
    wanted = []
    for fields in entries:
        texts: dict[str, list[str]] = {"__CURSOR": ["x"], "__REALTIME_TIMESTAMP": ["1772272800000000"]}
        for name, value in fields:
            texts.setdefault(name, []).append(value.decode("utf-8", "replace"))
        wanted.append({name: some if len(some) > 1 else some[0] for name, some in texts.items()})
    assert found == wanted


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    whole = entry([("MESSAGE", b"hello")])
    events = read_bytes(whole + noise + b"\n\n" + whole)
    assert row_of(events, 0)["message"] == "hello"


@settings(max_examples=40)
@given(st.dictionaries(st.text("ABM_9", max_size=5), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_no_json_stops_the_reader(record: dict[str, object]) -> None:
    whole = {"__CURSOR": "x", "__REALTIME_TIMESTAMP": "1", "_BOOT_ID": "0"}
    for line in (whole | record, whole | {"MESSAGE": list(record.values()), "PRIORITY": "x", "SYSLOG_FACILITY": "99"}):
        events = read_bytes(json.dumps(line).encode() + b"\n")
        assert row_of(events, 0) == dict(events.all_fields(0))


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reader_of_sysmon(noise: bytes) -> None:
    start = (
        b'<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID></System><EventData><Data Name="Image">a'
    )
    good = start + b"</Data></EventData></Event>\n"
    assert sysmon_linux.sniff(good)
    events = read_bytes(good * 5 + start + noise + b"\n" + good)
    assert row_of(events, 0)["Image"] == "a"
