"""The two ways to read a line of Squid's log agree, and so do the two ways to take an URL apart."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import documents, read_bytes
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import READERS, access_log, squid
from tocsin.collect.lines import LineDecoder, Lines, Spans
from tocsin.collect.records import Tally
from tocsin.collect.urls import Parts, extension_of, host_of, parts, path_of, port_of, query_of
from tocsin.model.event import Source

WORD = st.text("ab0.-_~%/?=&:@#[]\\ā\x1d\x85", max_size=6)
SCHEME = st.sampled_from(["http://", "https://", "ftp://", "", "", "HTTP://", "http:/", "cache_object://", "error:"])
HOST = st.sampled_from(
    ["h.example", "h.example:8080", "u:p@h", "[2001:db8::1]:443", "h:443", "h:", "", "*", "h:999999"]
)
URL = st.one_of(
    st.builds("{}{}{}".format, SCHEME, HOST, st.sampled_from(["", "/"])),
    st.builds("{}{}/{}".format, SCHEME, HOST, WORD),
    WORD,
)
LINE = st.builds(
    "{} {} {} {} {} {} {}{}".format,
    st.sampled_from(["1786000000.123", "1786000000.1", "178600000.123", "Aug  1 00:00:00 fw squid[9]: 1786000000.001"]),
    st.sampled_from(["   180 10.0.0.1", "     0 2001:db8::1", "-1 10.0.0.1", "12345678 host.example", "1  10.0.0.1"]),
    st.sampled_from(
        ["TCP_MISS/200 411", "TCP_DENIED/403 0", "NONE/000 -", "TAG_NONE/- 1", "X/1/2 4", "a/9999 1", "/200 1"]
    ),
    st.sampled_from(["GET", "CONNECT", "NONE", "-"]),
    URL,
    st.sampled_from(["mere", "-", "a%20b", "a b", '"D\\\\m@AD"']),
    st.sampled_from(
        [
            "HIER_DIRECT/203.0.113.4 text/html",
            "NONE/- -",
            "FIRSTUP_PARENT/proxy -",
            "DIRECT/h.example x",
            "-/- -",
            "X/ y",
        ]
    ),
    st.sampled_from(["", "", "", " ", ' "http://r.example/" "Mozilla/5.0 (x)"', ' "curl/8"', " more", "\t"]),
)


def rows(text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(squid.KIND), Tally()
    table.begin(Source(path="x"), squid.fields, Clock())
    for block in squid.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    events = table.finish()
    found = [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))]
    for row, (_, _, told) in enumerate(found):
        assert dict(events.all_fields(row)) == told
    return found, tally


@given(st.lists(LINE, max_size=6))
def test_lines_are_read_alike_by_columns_and_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    fast, tally = rows(text, squid.decoder(None))
    slow, told = rows(text, LineDecoder(squid._parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)


def _text(block: Lines, spans: Spans, at: int) -> str | None:
    return None if spans.starts[at] < 0 else block.data[spans.starts[at] : spans.stops[at]].decode()


@given(st.lists(URL.filter(bool), min_size=1, max_size=8))
def test_urls_are_taken_apart_alike(urls: list[str]) -> None:
    block = Lines(Block(data="\n".join(urls).encode(), offset=0))
    found: Parts = parts(block, Spans(block.starts, block.stops))
    for at in np.flatnonzero(found.good).tolist():
        url = urls[at]
        path = path_of(url)
        assert _text(block, found.host, at) == host_of(url)
        assert _text(block, found.port, at) == port_of(url)
        assert (_text(block, found.path, at) or "") == path
        assert _text(block, found.query, at) == (query_of(url) if path else None)
        assert extension_of(_text(block, found.segment, at) or "") == extension_of(path)


def test_usual_urls_are_taken_apart_by_columns() -> None:
    urls = b"http://h.example/a/b.exe?x=/y\nh.example:443\nhttps://h:8443/\n/local?q"
    block = Lines(Block(data=urls, offset=0))
    assert parts(block, Spans(block.starts, block.stops)).good.all()
    assert documents.line_ranges(1, 1)


@pytest.mark.parametrize(
    "line",
    [
        '192.0.2.1 - mere [01/Aug/2026:00:00:00 +0000] "GET http://h.example/ HTTP/1.1" 200 5 TCP_MISS:HIER_DIRECT',
        '192.0.2.1 - - [01/Aug/2026:00:00:00 +0000] "CONNECT h.example:443 HTTP/1.1" 200 5 "-" "x" TCP_TUNNEL',
    ],
)
def test_squid_as_web_servers_log_is_read_as_theirs(line: str) -> None:
    assert next(reader for reader in READERS if reader.sniff(line.encode())) is access_log
    events = read_bytes(line.encode())
    assert dict(events.all_fields(0))["c-ip"] == "192.0.2.1"


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    good = (
        b"1786000000.123    180 10.0.0.1 TCP_MISS/200 411 GET http://h.example/ - HIER_DIRECT/203.0.113.4 text/html\n"
    )
    found, _ = rows(good + noise + b"\n" + good, squid.decoder(None))
    assert found[0][2]["c-ip"] == found[-1][2]["c-ip"] == "10.0.0.1"
