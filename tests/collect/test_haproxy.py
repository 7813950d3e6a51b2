"""HAProxy's log: a line is read by columns as it is alone, whatever stands in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collect.both_ways import assert_alike
from tocsin.collect.formats import haproxy

WORD = st.sampled_from(
    ["-", "1/1/1/1/0", "0/0", "10/0/30/69/109", "0/0/+3", "200", "-1", "+12", "7", "----", "--", "a/b"]
)
USUAL = "192.0.2.1:33317 [06/Feb/2024:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0"
REQUEST = st.sampled_from(
    (
        *('"GET /x?a=1 HTTP/1.1"', '"GET / HTTP/1.1"', '"<BADREQ>"', '"GET https://h.example/x HTTP/2.0"', '"GET /'),
        *('{a|b} {} "GET / HTTP/1.1"', '{"} "GET / HTTP/1.1"', '"GET / HTTP/1.1" 0/0 tail', '"GET / HTTP/1.1" -', ""),
        *('{a} x "GET / HTTP/1.1"', '"GET /?? HTTP/1.0"', '{}  "GET / HTTP/1.1"', '"GET  / HTTP/1.1"'),
    )
)
CLIENT = st.sampled_from(["192.0.2.1:1", "2001:db8::1:443", "unix:1", "::ffff:192.0.2.1:9", "x", ":1", "192.0.2.1:1a"])
SYSLOG = ("Feb  6 12:14:14 lb1 haproxy[1]: ", "<134>1 2024-02-06T12:14:14Z lb1 haproxy 1 - - ")
HEADER = st.sampled_from((*SYSLOG, "", "Feb  6 12:14:14 haproxy[1]: "))


@st.composite
def lines(draw: st.DrawFn) -> str:
    words = USUAL.split()
    words[0] = draw(CLIENT)
    for at in draw(st.lists(st.integers(1, 11), max_size=2)):
        words[at] = draw(WORD)
    return draw(HEADER) + " ".join(words) + draw(st.sampled_from([" ", "  ", ""])) + draw(REQUEST)


@given(st.lists(lines(), min_size=1, max_size=6), st.integers(0, 250))
def test_lines_are_read_alike_by_columns_and_one_by_one(some: list[str], cut_off: int) -> None:
    content = ("\n".join(some) + "\n").encode()
    assert_alike(haproxy, content)
    assert_alike(haproxy, content[: max(len(content) - cut_off, 0)])


def test_usual_lines_are_read_by_columns() -> None:
    line = SYSLOG[0] + USUAL + ' {a} "GET /x?a=1 HTTP/1.1"\n'
    [(_, _, first), *_] = assert_alike(haproxy, line.encode() * 30)
    assert (first["cs-uri-stem"], first["cs-uri-query"], first["captured"]) == ("/x", "a=1", "{a}")
