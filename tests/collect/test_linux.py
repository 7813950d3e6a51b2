"""Syslog of Unix machines: both ways to read a line agree, frames are found again, no bytes stop the reader."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import netfilter, read_bytes
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import linux
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

CLOCK = Clock(latest_us=1_772_323_200_000_000)
REST = [
    "SPT=1 DPT=22 WINDOW=1 RES=0x00 ACK SYN URGP=0 ",
    "SPT=1 DPT=53 LEN=40 ",
    "SPT=1 DPT=53 LEN=40 MARK=0x1",
    "TYPE=3 CODE=3 [SRC=192.0.2.7 DST=198.51.100.1 PROTO=UDP SPT=9 DPT=1 ] ",
    "SPT=1 DPT=2 SYN ACK ",
    "SPT= DPT=",
    "",
]
PACKET = st.builds(
    "{}IN={} OUT={} {}SRC={} DST=198.51.100.1 LEN=60 {}PROTO={}{}".format,
    st.sampled_from(
        ["", "[1.5] ", "[ 1.5] [UFW BLOCK] ", "[12.75] DROP: ", "[lan-A]", "x=1 ", "  a  ", "[1.5]", "[1.x] "]
    ),
    st.sampled_from(["eth0", "", "a b"]),
    st.sampled_from(["", "eth1"]),
    st.sampled_from(["", "MAC=02:00 ", "PHYSIN=p1 MAC= "]),
    st.sampled_from(["192.0.2.7", "2001:db8::7", ""]),
    st.sampled_from(["", "TOS=0x00 PREC=0x00 TTL=51 ID=7 DF ", "TC=0 HOPLIMIT=55 ", "ID=7 CE DF MF ", "OPT (0204) "]),
    st.sampled_from(["TCP ", "UDP ", "ICMP ", "47 ", "TCP"]),
    st.sampled_from(REST),
)
MESSAGE = st.one_of(
    PACKET,
    st.text("ab =:[]\tā", max_size=12),
    st.sampled_from(
        [
            "mere : TTY=pts/0 ; USER=root ; COMMAND=/bin/id",
            'type=EOE msg=audit(1.2:3): a="b"',
            "<Event><System></System>",
        ]
    ),
)
LINE = st.builds(
    "{} {} {}{}".format,
    st.sampled_from(["Feb 28 10:00:00", "<4>Feb 28 10:00:00", "2026-02-28T10:00:00Z", "Feb 30 10:00:00", "28"]),
    st.sampled_from(["gate1", "kernel:", "-"]),
    st.sampled_from(["kernel: ", "sudo: ", "pkexec[7]: ", "audispd: ", "", "kernel:"]),
    MESSAGE,
)


def rows(text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(linux.KIND), Tally()
    table.begin(Source(path="x"), linux.fields, CLOCK)
    for block in linux.cut(io.BytesIO(text), 0, None, 1 << 20):  # type: ignore[arg-type]  # a BytesIO is read alike
        decoder.read(block, table, tally)
    events = table.finish()
    return [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))], tally


@given(st.lists(LINE, max_size=6))
def test_lines_are_read_alike_by_columns_and_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    fast, tally = rows(text, linux.decoder(None))
    slow, told = rows(text, LineDecoder(linux._parse, None))
    assert fast == slow
    assert tally.damaged == told.damaged
    assert tally.mended == told.mended


@given(PACKET)
def test_packets_among_few_are_read_like_those_among_many(message: str) -> None:
    line = f"Feb 28 10:00:00 gate1 kernel: {message}\n".encode()
    other = b"Feb 28 10:00:00 gate1 cron[7]: nothing\n"
    (one, *_), _ = rows(line, linux.decoder(None))
    (few, *_), _ = rows(line + other * 40, linux.decoder(None))
    assert one == few
    assert netfilter.packet(message).items() <= one[2].items()


FRAME = st.builds(
    "<{}>1 2026-02-28T10:00:00Z host app - - - {}".format, st.integers(0, 191), st.text("ab\n 1<>ā", max_size=20)
)


@given(st.lists(FRAME, min_size=1, max_size=8), st.integers(1, 60), st.sampled_from(["", "\n"]))
def test_frames_are_found_again(frames: list[str], step: int, between: str) -> None:
    text = between.join(f"{len(frame.encode())} {frame}" for frame in frames).encode()
    found = [
        block.data[start:stop]
        for block in linux._cut_frames(io.BytesIO(text), step)  # type: ignore[arg-type]
        for start, stop in block.spans or ()
    ]
    assert found == [frame.removesuffix("\n").encode() for frame in frames]


def test_a_frame_without_its_count_costs_no_other() -> None:
    frame = b"<34>1 2026-02-28T10:00:00Z host app - - - hello"
    text = b"47 " + frame + b"lost its count\n47 " + frame + b"900 " + frame
    found, _ = rows(text, linux.decoder(None))
    assert [row[2]["message"] for row in found] == ["hello"] * 3
    assert sum(block.damaged.total() for block in linux.cut(io.BytesIO(text), 0, None, 1 << 20)) == 1  # type: ignore[arg-type]


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    good = b"Feb 28 10:00:00 host sshd[7]: hello\n"
    found, _ = rows(good + noise + b"\n" + good, linux.decoder(None))
    assert found[0][2]["pid"] == found[-1][2]["pid"] == "7"


def test_a_projection_reads_less() -> None:
    events = read_bytes(b"Feb 28 10:00:00 host sshd[7]: hello\n", projection=frozenset({"pid"}))
    assert list(events.columns) == ["pid"]


def test_a_line_is_read_behind_the_zeros_that_a_crash_left() -> None:
    line = b"Feb 28 10:00:00 host sshd[7]: hello\n"
    events = read_bytes(line + bytes(4_096) + line + b"\tand more of it\n" + bytes(64))
    assert [row_of(events, row).get("pid") for row in range(len(events))] == ["7", "7", None]
    assert row_of(events, 2) == {"message": "\tand more of it"}


LONG = [
    "IN=:" * 300_000 + " OUT=",
    " OUT= IN= OUT=" + "[" * 400_000,
    " : USER=" * 100_000,
    "[USER=" * 200_000,
    "<Event><System>" + '<a b="' * 200_000,
    "<Event><System></System><EventData>" + '<Data Name="x">' * 100_000,
    "type=AUOMS_X audit(1.2:3): " + 'a="x ' * 200_000,
    "type=AUOMS_X audit(1.2:3): cmdline=" + "b=[x " * 200_000,
    ":" * 900_000,
    "a" * 900_000,
    "[a" * 400_000,
    '[a b="' * 200_000,
]


@pytest.mark.parametrize("message", LONG, ids=[message[:30] for message in LONG])
@pytest.mark.parametrize(
    "before", ["Feb 28 10:00:00 h pkexec: ", "Feb 28 10:00:00 ", "<34>1 - h sudo - - ", "<34>1 - "]
)
def test_long_lines_cost_no_more_than_their_length(before: str, message: str) -> None:
    began = time.process_time()
    rows((before + message).encode(), linux.decoder(None))
    assert time.process_time() - began < 5  # seconds, of a few tenths that it takes


OTHERS = [
    b"hello world\n",
    b'{"a": 1}\n',
    b"2026-02-28T10:00:00.123Z INFO main: started\n",
    b"2026-02-28 10:00:00 ERROR db: lost\n",
    b'192.0.2.1 - - [01/Mar/2026:18:00:00 +1300] "GET / HTTP/1.1" 200 5\n',
    b"2026-02-28T10:00:00Z\thost\tsshd: x\n",
    b"Feb 28 2026\n",
]


@pytest.mark.parametrize("head", [b"", *OTHERS])
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not linux.sniff(head)


def test_a_packet_that_repeats_a_pair_without_end_is_read_in_one_pass() -> None:
    fields = netfilter.packet("IN=eth0 OUT= " + "IN=a " * 100_000)
    assert fields["IN"] == "eth0"
    assert len(fields["IN_"] or ()) == 100_000
    assert netfilter.packet("IN=eth0 OUT= SRC=192.0.2.1 LEN=5 PROTO=UDP LEN=9")["LEN_"] == "9"
