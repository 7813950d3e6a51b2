"""The two ways to read a line of a W3C log agree, whatever its header; headers that change are followed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import read_bytes
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import READERS, iis, w3c_proxy, w3c_web
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

COLUMNS = st.lists(
    st.sampled_from(
        "date time gmttime time-taken c-ip cs-method cs-uri cs-uri-scheme cs-host cs-uri-port cs-uri-path "
        "cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) sc-status s-ip c-agent timestamp date-local "
        "time-local".split()
    ),
    min_size=2,
    max_size=12,
)
WORD = st.text('ab0+%/?=&"-.:\\ā', max_size=6)
CELL = st.one_of(
    st.sampled_from(
        [
            "-",
            "GET",
            "POST",
            "2026-08-01",
            "23:59:59",
            "00:00:00.120",
            "http",
            "443",
            "[01/Aug/2026:00:00:01 GMT]",
            "/a/b.exe",
            "?q=1",
            "",
        ]
    ),
    st.sampled_from(
        ["http://h.example/a.b?c", "1786000000.123", "1786000000", "2026-02-30", "24:00:00", '"a b"', '"-"']
    ),
    WORD,
    WORD.map('"{}"'.format),
)
TIMES = {"date": "2026-08-01", "time": "23:59:59", "timestamp": "1786000000.123", "date-local": "2026-08-01"}
TIMES["time-local"] = "12:00:00.120"
SEPARATORS = st.sampled_from([" ", " ", "\t"])
DIALECTS = [iis, w3c_proxy, w3c_web]


def rows(reader: Any, text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(reader.KIND), Tally()
    table.begin(Source(path="x"), reader.fields, Clock())
    for block in reader.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    events = table.finish()
    found = [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))]
    for row, (_, _, told) in enumerate(found):
        assert dict(events.all_fields(row)) == told
    return found, tally


@given(st.sampled_from(DIALECTS), COLUMNS, st.data())
def test_lines_are_read_alike_by_columns_and_one_by_one(reader: Any, columns: list[str], data: Any) -> None:
    separator = data.draw(SEPARATORS)
    sizes = st.sampled_from([len(columns)] * 6 + [len(columns) - 1, len(columns) + 1])
    lines = [
        separator.join(data.draw(CELL) for _ in range(data.draw(sizes)))
        + data.draw(st.sampled_from(["", "", separator]))
        for _ in range(3)
    ]
    usual = [separator.join(TIMES.get(c) or data.draw(CELL) for c in columns) for _ in range(3)]
    body = "\n".join(lines + usual * 8 + lines)
    software = data.draw(st.sampled_from(["", "#Software: IIS Advanced Logging Module\n"]))
    text = f"{software}#Date: 2026-08-01 00:00:00\n#Fields: {' '.join(columns)}\n{body}".encode()
    fast, tally = rows(reader, text, reader.decoder(None))
    slow, told = rows(reader, text, LineDecoder(reader._LOG.parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)


TWO_HEADERS = (
    b"#Software: Microsoft Internet Information Services 10.0\r\n#Date: 2026-08-01 00:00:00\r\n"
    b"#Fields: date time cs-uri-stem cs-uri-query sc-status\r\n"
    + b"2026-08-01 00:00:01 /a x=1 200\r\n"
    * 40
    + b"#Software: Microsoft Internet Information Services 10.0\r\n#Date: 2026-08-02 00:00:00\r\n"
    b"#Fields: time cs-method cs-uri-stem sc-status\r\n" + b"23:59:59 GET /b#c 404\r\n" * 40
)


def test_ranges_find_the_header_above_them() -> None:
    whole, tally = rows(iis, TWO_HEADERS, iis.decoder(None))
    assert len(whole) == 80
    assert not tally.damaged
    assert whole[0][2]["cs-uri"] == "/a?x=1"
    assert whole[-1][0] == 1_785_715_199_000_000
    for at in range(1, len(TWO_HEADERS), 7):
        parts = [iis.cut(io.BytesIO(TWO_HEADERS), *ends, 1 << 20) for ends in ((0, at), (at, len(TWO_HEADERS)))]
        blocks = [block for part in parts for block in part]
        table = TableBuilder(iis.KIND)
        table.begin(Source(path="x"), iis.fields, Clock())
        for block in blocks:
            iis.decoder(None).read(block, table, Tally())
        events = table.finish()
        assert [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))] == whole


@pytest.mark.parametrize(
    ("fields", "reader"),
    [
        ("date time cs-method cs-uri-stem sc-status sc-win32-status", iis),
        ("date time c-ip cs-method cs-uri sc-status", w3c_web),
        ("date time c-ip cs-method cs-uri-scheme cs-host cs-uri-path sc-filter-result", w3c_proxy),
        ("date time action protocol src-ip dst-ip src-port dst-port", None),
        ("DateTime,RequestId,UrlStem", None),
    ],
)
def test_columns_tell_who_wrote_a_log(fields: str, reader: Any) -> None:
    head = f"#Version: 1.0\n#Fields: {fields}\n".encode()
    assert next((one for one in READERS if one.sniff(head)), None) is reader


def test_lines_that_lost_their_header_are_counted() -> None:
    body = b"2026-08-01 00:00:01 /z x=1 200\n#Fields: date time cs-uri-stem sc-status sc-win32-status\n"
    found, tally = rows(iis, body + b"2026-08-01 00:00:01 /a 200 0\n2026-08-01 00:00:02 /a\n\0\0\0", iis.decoder(None))
    assert iis.sniff(body)
    assert len(found) == 1
    assert dict(tally.damaged) == {"no #Fields stands above the line": 1, "fewer fields than #Fields names": 1}


def test_a_blank_too_many_hides_nothing() -> None:
    text = b"#Software: SGOS 7\n#Fields: date time cs-method cs-host cs-uri-path sc-status\n"
    events = read_bytes(text + b"2026-08-01 00:00:01 GET h.example /a b 200\n")
    assert dict(events.all_fields(0))["extra"] == "200"
    assert events.raw[0].endswith(b"/a b 200")


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    good = b"#Software: SGOS 7\n#Fields: date time cs-method cs-host cs-uri-path\n2026-08-01 00:00:01 GET h /a\n"
    found, _ = rows(w3c_proxy, good + noise + b"\n" + good, w3c_proxy.decoder(None))
    assert found[0][2]["c-uri"] == found[-1][2]["c-uri"] == "h/a"
