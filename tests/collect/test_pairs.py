"""Formats of `key=value`: read by columns as line by line, hostile lines among them; no bytes stop them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.both_ways import assert_alike, rows
from tocsin.collect.formats import cef, fortinet, leef, netfilter, sonicwall, sophos
from tocsin.collect.lines import by_name

KEYS = st.sampled_from(
    ["srcip", "dstip", "proto", "action", "msg", "host", "user", "a", "k" * 9, "k" * 33, "k" * 65, "é"]
)
VALUES = st.one_of(
    st.sampled_from(
        ["192.0.2.1", "6", "deny", '"a b"', '""', '"', '"a" b"', '"a=b c=d"', '"a\\" b"', '"C:\\"', "a  ", "x y"]
    ),
    st.text('ab" =,\\\tā', max_size=6),
)
PAIRS = st.lists(st.builds("{}={}".format, KEYS, VALUES), max_size=6)
TIMES = st.sampled_from(
    [
        "date=2024-03-05 time=10:00:00",
        'date="2024-03-05" time="10:00:00"',
        "date=2024-03-05,time=10:00:00,x=1",
        'date=2024-02-30 time=10:00:00 tz="+1300"',
        "date=2024-03-05 time=10:00:00 eventtime=1709632800123456789",
        "date=2024-03-05 time=10:00:00 eventtime=1709632800123",
        "date=2024-03-05 time=10:00:00 eventtime=17096328001234567x9",
        "itime=1 date=2024-03-05 time=10:00:00 devname=x",
        "time=10:00:00",
    ]
)
BEFORE = st.sampled_from(["", "<189>", "<18", "Mar  5 10:00:00 gate ", "<189>Mar  5 10:00:00 gate: ", "x=1", " "])
FORTINET = st.builds(
    lambda before, time, pairs, end: before + " ".join([time, *pairs]) + end,
    BEFORE,
    TIMES,
    PAIRS,
    st.sampled_from(["", " ", "\r"]),
)


@given(st.lists(FORTINET, max_size=6))
def test_fortinet(lines: list[str]) -> None:
    assert_alike(fortinet, "\n".join(lines).encode())


@given(
    st.lists(FORTINET, min_size=1, max_size=4),
    st.lists(st.integers(0, 3), min_size=20, max_size=80),
    st.lists(st.tuples(st.integers(0, 79), st.integers(0, 60), st.sampled_from(' ="x')), max_size=6),
)
def test_fortinet_in_few_layouts(kinds: list[str], order: list[int], spoilt: list[tuple[int, int, str]]) -> None:
    """So many lines with the same keys that those of one are laid over the others; some bytes are wrong."""
    lines = [kinds[kind % len(kinds)] for kind in order]
    for line, at, letter in spoilt:
        text = lines[line % len(lines)]
        lines[line % len(lines)] = text[:at] + letter + text[at + 1 :]
    assert_alike(fortinet, "\n".join(lines).encode())


SOPHOS_TIMES = st.sampled_from(
    [
        'device="SFW" date=2024-03-05 time=10:00:00 timezone="CET"',
        'device="SFW" date=2024-03-05 time=10:00:00 timezone="UTC" device_name="x"',
        'device="SFW" date=2024-02-30 time=10:00:00 timezone="GMT"',
        "date=2024-03-05 time=10:00:00",
        'device_name="SFW" timestamp="2024-03-05T10:00:00+0100"',
        'device_name="SFW" timestamp="2024-03-05T10:00:00Z"',
        'device_name="SFW" timestamp="2024-03-05T10:00:00+9900" date=2024-03-05 time=10:00:00',
        "time=10:00:00",
    ]
)
SONICWALL_TIMES = st.sampled_from(
    [
        'id=firewall sn=18B1690729A8 time="2024-03-05 10:00:00 UTC"',
        'id=firewall sn=18B1690729A8 time="2024-03-05 10:00:00"',
        'id=firewall sn=18B1690729A8 time="2024-02-30 10:00:00"',
        'id=firewall time="2024-03-05 10:00:00"',
        "id=firewall sn=18B1690729A8",
    ]
)
MORE = st.sampled_from(
    [
        *('log_subtype="Denied"', 'log="x"', 'host="x"', 'virus="EICAR"', 'user_name="k"', 'src_ip6="2001:db8::1"'),
        *("src=192.0.2.1:1:X0", "src=[2001:db8::1]:22:X1", "src=2001:db8::1:22", "dst=x", "proto=tcp/22", "proto=/"),
        *('fw_action="drop"', 'fw_action="NA"', "src_ip=192.0.2.9", 'usr="k"', 'user="l"'),
    ]
)


@pytest.mark.parametrize(
    ("reader", "times"), [(sophos, SOPHOS_TIMES), (sonicwall, SONICWALL_TIMES)], ids=["sophos", "sonicwall"]
)
def test_sophos_and_sonicwall(reader: ModuleType, times: st.SearchStrategy[str]) -> None:
    pairs = st.lists(st.one_of(MORE, st.builds("{}={}".format, KEYS, VALUES)), max_size=6)
    line = st.builds(
        lambda before, time, more, end: before + " ".join([time, *more]) + end,
        *(BEFORE, times, pairs, st.sampled_from(["", " ", "\r"])),
    )

    @given(st.lists(line, max_size=6))
    def alike(lines: list[str]) -> None:
        assert_alike(reader, "\n".join(lines).encode())

    alike()


@pytest.mark.parametrize("count", [3, 70_000])
def test_values_come_name_by_name_however_many_names_there_are(count: int) -> None:
    for name in (np.arange(2 * count) % count, np.arange(2 * count)[::-1] % count, np.array([0, count - 1, 1, 0])):
        order, bounds = by_name(name, count)
        assert sorted(order.tolist()) == list(range(len(name)))
        assert (np.repeat(np.arange(count), np.diff(bounds)) == name[order]).all()
        assert (np.diff(order)[np.diff(name[order]) == 0] > 0).all()


@pytest.mark.parametrize("reader", [cef, fortinet, leef, netfilter, sonicwall, sophos], ids=lambda reader: reader.NAME)
@given(noise=st.binary(max_size=300))
def test_no_bytes_stop_the_reader(reader: ModuleType, noise: bytes) -> None:
    rows(reader, noise, reader.decoder(None))


CEF_VALUES = st.one_of(
    VALUES, st.sampled_from(["a\\=b", "\\\\", "\\n x", "1709632800123", "Mar 05 2024 10:00:00", "17096328001", "\\"])
)
CEF_KEYS = st.sampled_from(["rt", "src", "c6a2", "act", "proto", "dvchost", "end", "name", "cs1", "k" * 33, "a b"])
CEF_PAIRS = st.lists(st.builds("{}={}".format, CEF_KEYS, CEF_VALUES), max_size=5).map(" ".join)
CEF_HEADS = st.lists(st.text("ab =\\|ā\t", max_size=4), min_size=6, max_size=7).map("|".join)
CEF = st.builds(
    lambda before, version, head, pairs: f"{before}{version}|{head}|{pairs}",
    st.sampled_from(
        ["", "<1>", "Mar  5 10:00:00 gate ", "<1>1 2024-03-05T10:00:00Z h - - - - ", "Mar  5 10:00:00 ", "a|b ", "x=1 "]
    ),
    st.sampled_from(["CEF:0", "CEF:1", "CEF: 0", "CEF:2"]),
    CEF_HEADS,
    CEF_PAIRS,
)


@given(st.lists(CEF, min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=20, max_size=60))
def test_cef_in_few_layouts(kinds: list[str], order: list[int]) -> None:
    assert_alike(cef, "\n".join(kinds[kind % len(kinds)] for kind in order).encode())


@given(st.lists(CEF, max_size=6))
def test_cef(lines: list[str]) -> None:
    assert_alike(cef, "\n".join(lines).encode())


LEEF_PAIRS = st.lists(
    st.builds("{}={}".format, st.sampled_from(["src", "devTime", "proto", "action", "k" * 33]), VALUES), max_size=4
)
LEEF = st.builds(
    lambda before, version, head, between, pairs: f"{before}{version}|{head}{between[0]}{between[1].join(pairs)}",
    st.sampled_from(["", "<1>", "Mar  5 10:00:00 gate ", "Mar  5 10:00:00 gate x: ", "a|b ", "x=1\t"]),
    st.sampled_from(["LEEF:1.0", "LEEF:2.0", "LEEF: 2.0", "LEEF:2", "LEEF:3.0"]),
    st.lists(st.text("ab =|\tā", max_size=4), min_size=4, max_size=5).map("|".join),
    st.sampled_from(
        [("|", "\t"), ("|^|", "^"), ("|x5E|", "^"), ("||", "\t"), ("|0x61|", "a"), ("|", "#011"), ("|\t|", "\t")]
    ),
    LEEF_PAIRS,
)


@given(st.lists(LEEF, min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=20, max_size=60))
def test_leef_in_few_layouts(kinds: list[str], order: list[int]) -> None:
    assert_alike(leef, "\n".join(kinds[kind % len(kinds)] for kind in order).encode())


@given(st.lists(LEEF, max_size=6))
def test_leef(lines: list[str]) -> None:
    assert_alike(leef, "\n".join(lines).encode())


WORDS = st.sampled_from(
    ["SRC=192.0.2.1", "SRC=", "DST=192.0.2.2", "SPT=1", "LEN=60", "ID=7", "DF", "SYN", "ACK FIN", "PROTO=TCP",
    "[SRC=x ]",
    "PROTO=UDP", "x=y", "MAC=00:01", " ", "a.b=c", "ā", "=", "IN=a", "A=B=C", "[x]", "[", "K" * 40 + "=1", "\t"]
)  # fmt: skip
NETFILTER = st.builds(
    lambda before, uptime, prefix, begin, words: before + uptime + prefix + begin + " ".join(words),
    st.sampled_from(
        ["", "<4>", "Mar  5 10:00:00 gate kernel: ", "<4>Mar  5 10:00:00 gate kernel:", "2024-03-05T10:00:00Z a b[1]: "]
    ),
    st.sampled_from(["", "[12.345678] ", "[    1.000000]", "[12.3] ", "[12.345678]  ", "[ 1] "]),
    st.sampled_from(["", "DROP ", "[UFW BLOCK] ", "a=b ", "FW-D:", "x", "   ACCEPT   ", "[1-D]", "      x      "]),
    st.sampled_from(["IN=eth0 OUT= ", "IN= OUT=eth1 ", "IN=OUT= ", "IN=a b OUT= ", "IN=a DF OUT= ", "OUT= "]),
    st.lists(WORDS, max_size=6),
)


@given(st.lists(NETFILTER, max_size=6))
def test_netfilter(lines: list[str]) -> None:
    assert_alike(netfilter, "\n".join(lines).encode())
