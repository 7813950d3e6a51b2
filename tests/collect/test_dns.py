"""DNS logs: lines are read alike by columns and one by one, no bytes stop a reader, each leaves other logs alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import read_bytes
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import bind, dnsmasq, unbound, windows_dns
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

FORMATS = {"bind": bind, "dnsmasq": dnsmasq, "unbound": unbound, "windows_dns": windows_dns}
CLOCK = Clock(latest_us=1_790_000_000_000_000)
ADDRESS = st.sampled_from(["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "x", "a@b"])
PORT = st.sampled_from(["53", "65535", "123456", "5x", "53/key k"])
NAME = st.sampled_from(["www.example.org", ".", "a", "a/b", "IN", "ü.example", "is", "x y"])
DOTTED = NAME.map(lambda name: name.rstrip(".") + ".")
TYPE = st.sampled_from(["A", "HTTPS", "TYPE65", "65"])
HEADS = st.sampled_from(
    ["Mar  5 10:00:00 ns1 {0}: ", "<30>1 2026-03-05T10:00:00.5Z ns1 {1} 1 - - ", "Mar  5 10:00:00 {0}: "]
)


BIND = st.builds(
    "{}{}{}client {}{}#{}{}: {}query: {} {} {} {}{}{}".format,
    st.one_of(
        st.sampled_from(["05-Mar-2026 10:00:00.123 ", "31-Feb-2026 10:00:00.123 ", "2026-03-05T10:00:00.123Z ", ""]),
        HEADS.map(lambda head: head.format("named[12]", "named")),
    ),
    st.sampled_from(["queries: ", "rpz: ", ""]),
    st.sampled_from(["info: ", "debug 1: ", ""]),
    st.sampled_from(["@0x7f ", "@0x ", ""]),
    ADDRESS,
    PORT,
    st.sampled_from([" (www.example.org)", " ()", "", " (a b)"]),
    st.sampled_from(["view internal: ", "view : ", ""]),
    NAME,
    st.sampled_from(["IN", "CH"]),
    TYPE,
    st.sampled_from(["+E(0)K", "-", "x", "NOERROR +"]),
    st.sampled_from([" (192.0.2.53)", " ()", "", " (a"]),
    st.sampled_from(["", " [ECS 192.0.2.0/24/0]", " "]),
)
UNBOUND = st.builds(
    "{} {}: {} {} {} {}{}".format,
    st.one_of(
        st.sampled_from(
            ["[1772704800] unbound[12:0]", "Mar 05 10:00:00 unbound[12:0]", "[17] unbound[12:0]", "[1772704800] [1:0]"]
        ),
        HEADS.map(lambda head: head.format("unbound[12]", "unbound") + "[12:a]"),
        HEADS.map(lambda head: head.format("unbound", "unbound") + "[12:0]"),
    ),
    st.sampled_from(["info", "query", "reply", "INFO", ""]),
    ADDRESS,
    st.one_of(DOTTED, NAME),
    TYPE,
    st.sampled_from(["IN", "CH", "INX"]),
    st.sampled_from(["", " NOERROR 0.1 0 45", " noerror 0.1 0 45", " SERVFAIL 0.1 0", " NOERROR 0.1 0 45 on udp", " "]),
)
DNSMASQ = st.builds(
    "{}{}{} {} {}{}".format,
    HEADS.map(lambda head: head.format("dnsmasq[12]", "dnsmasq")),
    st.sampled_from(["", "45 192.0.2.1/53124 ", "45 ", "45 x/y/z "]),
    st.sampled_from(
        ["query[A]", "query[]", "query[A", "forwarded", "reply", "cached", "config", "/etc/hosts", "gravity blocked"]
    ),
    NAME,
    st.sampled_from(["from ", "to ", "is ", "is", ""]),
    st.one_of(ADDRESS, st.sampled_from(["<CNAME>", "v=spf1 -all", ""])),
)
WINDOWS = st.builds(
    "{} {} PACKET  {}{} {} {}   {} {} Q [{}] {}  {}{}".format,
    st.sampled_from(
        [
            "3/15/2026 10:00:00 AM",
            "15.03.2026 22:00:00",
            "2026/3/5 下午 10:00:01",
            "3/5/2026 9:00:00 PM",
            "99/99/2026 1:00:00",
        ]
    ),
    st.sampled_from(["0A3C", "xx", "0"]),
    st.sampled_from(["000001F1A2B3C4D0 ", "0001 ", ""]),
    st.sampled_from(["UDP", "TCP", "SCTP"]),
    st.sampled_from(["Rcv", "Snd", "Rcvd"]),
    ADDRESS,
    st.sampled_from(["a1b2", "a1b"]),
    st.sampled_from(["", "R", " "]),
    st.sampled_from(
        ["0001   D   NOERROR", "8385 A DR NXDOMAIN", "0028       NOERROR", "0001", "0001 d NOERROR", "0001 D NOERROR "]
    ),
    st.sampled_from(["A", "HTTPS", "", "A A"]),
    st.sampled_from(["(3)www(7)example(3)org(0)", "(0)", "(9)x(0)", "www.example.org.", "(1)a", "(3)a b(0)"]),
    st.sampled_from(["", "\n", "\nUDP question info at 1\n  Remote addr 192.0.2.1, port 5\n", "  "]),
)
LINES = {"bind": BIND, "dnsmasq": DNSMASQ, "unbound": UNBOUND, "windows_dns": WINDOWS}


def rows(text: bytes, form: Any, decoder: Any, block_bytes: int = 1 << 20) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(form.KIND), Tally()
    table.begin(Source(path="x"), form.fields, CLOCK)
    for block in form.cut(io.BytesIO(text), 0, None, block_bytes):
        decoder.read(block, table, tally)
    events = table.finish()
    return [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))], tally


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_lines_are_read_alike_by_columns_and_one_by_one(name: str, data: st.DataObject) -> None:
    lines = data.draw(st.lists(LINES[name], max_size=6))
    form, text = FORMATS[name], "\n".join(lines).encode()
    fast, tally = rows(text, form, form.decoder(None))
    slow, told = rows(text, form, LineDecoder(form._parse, None))
    assert fast == slow
    assert tally.damaged == told.damaged
    assert tally.mended == told.mended


@pytest.mark.parametrize("name", FORMATS)
def test_usual_lines_are_read_by_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {
        "bind": "05-Mar-2026 10:00:00.123 queries: info: client @0x7f 192.0.2.1#53 (a): view v: "
        "query: a IN A + (192.0.2.53)",
        "dnsmasq": "Mar  5 10:00:00 router dnsmasq[123]: query[A] www.example.org from 192.0.2.1",
        "unbound": "[1772704800] unbound[12:0] info: 192.0.2.1 www.example.org. A IN NOERROR 0.1 0 45",
        "windows_dns": "3/15/2026 10:00:00 AM 0A3C PACKET  000001F1A2B3C4D0 UDP Snd 192.0.2.1 a1b2 R Q "
        "[8385 A DR NXDOMAIN] A (1)a(0)",
    }

    def never(text: str, header: bytes, clock: Clock) -> None:
        raise AssertionError(text)

    form = FORMATS[name]
    monkeypatch.setattr(form, "_parse", never)
    assert len(rows(f"{usual[name]}\n".encode() * 3, form, form.decoder(None))[0]) == 3


@pytest.mark.parametrize("name", FORMATS)
@given(noise=st.binary(max_size=300))
def test_no_bytes_stop_the_reader(name: str, noise: bytes) -> None:
    form = FORMATS[name]
    samples = Path(__file__).parent / "formats" / name
    good = next(path for path in sorted(samples.glob("*.log")) if b"\xef" not in path.read_bytes()).read_bytes()
    found, _ = rows(good + noise + b"\n" + good, form, form.decoder(None))
    alone, _ = rows(good, form, form.decoder(None))
    assert len(found) >= 2 * len(alone) - 1


@pytest.mark.parametrize("unit", [13, 100, 600, 5000])
def test_records_of_many_lines_are_whole_in_ranges(tmp_path: Path, unit: int) -> None:
    path = Path(__file__).parent / "formats/windows_dns/details.log"
    text = path.read_bytes() * 4
    (tmp_path / "x.log").write_bytes(text)
    whole, _ = rows(text, windows_dns, windows_dns.decoder(None))
    assert whole == rows(text, windows_dns, windows_dns.decoder(None), 50)[0]
    table, tally = TableBuilder("dns"), Tally()
    table.begin(Source(path="x"), windows_dns.fields, CLOCK)
    with (tmp_path / "x.log").open("rb") as file:
        for start, stop in windows_dns.ranges(b"", len(text), unit):
            file.seek(start)
            for block in windows_dns.cut(file, start, stop, 64):
                windows_dns.decoder(None).read(block, table, tally)
    events = table.finish()
    assert [(int(events.ts[n]), int(events.rec[n]), row_of(events, n)) for n in range(len(events))] == whole
    assert len(whole) == 12
    assert not tally.damaged


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (["3/5/2026 1:00:00 PM"], "2026-03-05"),
        (["03/05/2026 13:00:00"], "2026-05-03"),
        (["5/03/2026 1:00:00 p.m."], "2026-03-05"),
        (["03/05/2026 13:00:00", "03/25/2026 13:00:00"], "2026-03-05"),
        (["3/5/2026 1:00:00 PM", "25/5/2026 1:00:00 PM"], "2026-05-03"),
        (["5-3-2026 13:00:00"], "2026-03-05"),
        (["5.3.2026 13.00.00"], "2026-03-05"),
        (["2026-03-05 13:00:00"], "2026-03-05"),
        (["2026/3/5 下午 1:00:00"], "2026-03-05"),
    ],
)
def test_the_dates_of_a_file_tell_which_number_is_the_day(dates: list[str], day: str) -> None:
    text = "".join(f"{date} 0A3C PACKET  UDP Rcv 192.0.2.1 a1b2   Q [0001   D   NOERROR] A (1)a(0)\n" for date in dates)
    events = read_bytes(text.encode())
    assert str(events.ts[:1].astype("M8[us]")[0]) == f"{day}T13:00:00.000000"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"hello world\n",
        b'{"a": 1}\n',
        b"Mar  1 18:00:00 host sshd[1]: hello\n" * 3 + b"Mar  1 18:00:00 host named[1]: running\n",
        b"2026-03-05 10:00:00 0A3C hello\n",
        b"[1772704800] unbound: hello\n",
    ],
)
def test_other_logs_are_left_to_others(name: str, head: bytes) -> None:
    assert not FORMATS[name].sniff(head)
