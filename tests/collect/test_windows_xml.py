from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import evtx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import event_xml, read
from tocsin.collect.formats import evtx as evtx_reader
from tocsin.collect.formats import windows_xml

HERE = Path(__file__).parent / "formats"
EVENT = b"<Event><System><Provider Name='p'/><EventID>%d</EventID></System><EventData>%b</EventData></Event>"


def _same(file: Path) -> int:
    """How many events of a file were held against each other: as XML, and as the EVTX reader has them."""
    xml, plain = (getattr(evtx.PyEvtxParser(str(file)), name)() for name in ("records", "records_json"))
    count = 0
    for rendered, record in zip(xml, plain, strict=True):
        raw = rendered["data"].encode()
        found = windows_xml.fields(raw[raw.index(b"<Event") :].rstrip(), b"")
        assert found == evtx_reader.fields(record["data"].encode(), b""), file
        count += 1
    return count


def test_an_event_has_the_fields_that_it_has_in_an_evtx_file() -> None:
    assert _same(HERE / "evtx" / "two_chunks.evtx") == 4


def test_so_have_those_of_the_shared_corpora(shared: Path) -> None:
    files = sorted((shared / "corpus" / "evtx-attack-samples").rglob("*.evtx"))
    counts = [_same(file) for file in files[::3] if file.stat().st_size < 200_000]
    assert sum(counts) > 300


def _found(data: bytes, ranges: list[tuple[int, int | None]], block_bytes: int) -> list[tuple[int, bytes]]:
    return [
        (block.offset + first, block.data[first:stop])
        for start, end in ranges
        for block in windows_xml.cut(io.BytesIO(data), start, end, block_bytes)
        for first, stop in block.spans or ()
    ]


@given(
    st.lists(st.sampled_from([b"<Data Name='a'>1</Data>", b"<Data>&lt;Event&gt;</Data>", b"", b"<Data>"]), max_size=6),
    st.sampled_from([b"", b"\r\n", b"\n  "]),
    st.booleans(),
    st.integers(7, 90),
    st.integers(1, 400),
)
def test_every_event_is_cut_out_once(inner: list[bytes], between: bytes, rooted: bool, step: int, unit: int) -> None:
    events = [EVENT % (number, text) for number, text in enumerate(inner)]
    data = (b"<Events>" if rooted else b"") + between.join(events) + (b"</Events>" if rooted else b"\n")
    whole = _found(data, [(0, None)], step)
    assert [text for _, text in whole] == events
    assert [data[at : at + len(text)] for at, text in whole] == events
    ranges = windows_xml.ranges(data[:65_536], len(data), unit)
    assert _found(data, list(ranges), step) == whole


def test_an_event_that_is_cut_off_is_read_up_to_the_cut(tmp_path: Path) -> None:
    file = tmp_path / "cut.xml"
    whole = EVENT % (1, b"<Data Name='CommandLine'>whoami /all</Data>")
    file.write_bytes(whole[: whole.index(b" /all")] + b"\n" + EVENT % (2, b""))
    rows = [row_of(events, row) for events in read(file) for row in range(len(events))]
    assert [(row["EventID"], row.get("CommandLine")) for row in rows] == [("1", "whoami"), ("2", None)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<Event><EventID>1</EventID></Event>", None),
        ("<Event><System><EventID>1</EventID><Level>&#x41;&amp;&#0;&bad;</Level></System></Event>", "A&\0&bad;"),
        ("<Event><System><EventID>1</EventID><Level><![CDATA[<a>&amp;]]></Level></System></Event>", "<a>&amp;"),
        ("<Event><System><!-- <Level>9</Level> --><EventID>1</EventID><Level>4</Level></System></Event>", "4"),
        ("<Event><System><EventID>1</EventID><Level><a>4</a><a/></Level></System></Event>", {"a": ["4", None]}),
    ],
)
def test_what_xml_may_hold(text: str, wanted: Any) -> None:
    found = event_xml.record(text)
    assert (found[0]["Event"]["System"].get("Level") if found else None) == wanted


def test_elements_in_elements_without_end_are_bounded() -> None:
    found = event_xml.record("<Event><System><EventID>1</EventID></System><UserData>" + "<a>" * 200_000)
    assert found is not None
    assert found[1] == event_xml.CUT_OFF


@given(st.text("<>/=' \"&;#xEventSymDa!-[]?\n1", max_size=60))
def test_nothing_that_an_event_may_hold_is_raised_for(inner: str) -> None:
    event_xml.record(inner)
    event_xml.record(f"<Event><System><EventID>1</EventID></System><EventData>{inner}</EventData></Event>")
