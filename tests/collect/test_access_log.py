"""The two ways to read a line of an access log agree; no bytes stop the reader."""

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
from tocsin.collect.formats import access_log
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

WORD = st.text("abz09-._~%/?=&'[]\\ \tā", max_size=8)
STAMPS = ["01/Mar/2026:18:00:00 +1300", "29/Feb/2025:00:00:00 +0000", "1/Mar/2026", "31/Dec/2026:23:59:60 -0500"]
METHODS, VERSIONS = st.sampled_from(["GET", "P", ""]), st.sampled_from(["HTTP/1.1", "HTTP/2.0", "x"])
REQUEST = st.builds("{} /{} {}".format, METHODS, WORD, VERSIONS)
REST = st.builds(' "{}" "{}"{}'.format, WORD, WORD, st.sampled_from(["", " 0.1", ' "10.0.0.1"', "x"]))
LINE = st.builds(
    '{}{} {} {} [{}] "{}" {} {}{}'.format,
    st.sampled_from(["", "www.parliament.example ", "a:443 "]),
    st.sampled_from(["192.0.2.1", "2001:db8::1", "host.example", "-"]),
    st.sampled_from(["-", "id"]),
    st.sampled_from(["-", "mere", "a b"]),
    st.sampled_from(STAMPS),
    st.one_of(st.just("-"), REQUEST),
    st.sampled_from(["200", "404", "-", "20"]),
    st.sampled_from(["-", "0", "512", "5x"]),
    st.one_of(st.just(""), REST),
)


def rows(text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(access_log.KIND), Tally()
    table.begin(Source(path="x"), access_log.fields, Clock())
    for block in access_log.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    events = table.finish()
    return [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))], tally


@given(st.lists(LINE, max_size=6))
def test_lines_are_read_alike_by_columns_and_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    fast, tally = rows(text, access_log.decoder(None))
    slow, told = rows(text, LineDecoder(access_log._parse, None))
    assert fast == slow
    assert tally.damaged == told.damaged


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    good = b'192.0.2.1 - - [01/Mar/2026:18:00:00 +1300] "GET / HTTP/1.1" 200 5\n'
    found, _ = rows(good + noise + b"\n" + good, access_log.decoder(None))
    assert found[0][2]["c-ip"] == found[-1][2]["c-ip"] == "192.0.2.1"


def test_a_projection_reads_less() -> None:
    line = b'192.0.2.1 - - [01/Mar/2026:18:00:00 +1300] "GET /a?b HTTP/1.1" 200 5\n'
    events = read_bytes(line, projection=frozenset({"cs-uri-query"}))
    assert list(events.columns) == ["cs-uri-query"]


@pytest.mark.parametrize("head", [b"", b"hello world\n", b'{"a": 1}\n', b"Mar  1 18:00:00 host sshd[1]: hello\n"])
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not access_log.sniff(head)
