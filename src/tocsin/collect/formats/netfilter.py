"""Logs of the kernel's packet filter in, Events out: a file of iptables', nftables' or ufw's lines, behind syslog headers.

What such a message holds is told in `collect/netfilter.py`, which also serves logs in which these are some lines among
many. Here most lines are of the filter (`kern.log` of a router, `ufw.log`); others keep their `message`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from tocsin.collect import documents, netfilter, pairs, syslog
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Chosen, LineDecoder, Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_number, unless
from tocsin.model.event import NO_TIME, Longs

NAME = "netfilter"
KIND = "firewall"
cut = documents.cut_line_range

_NO_RECORD: Final = "no line of syslog or of a packet filter"
_STYLE: Final = pairs.Style(words=True)
_KEY: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,31}", re.ASCII)
_UPTIME: Final = re.compile(r"(?:<\d{1,3}>)?\[ *\d+\.\d+\]", re.ASCII)
_MORE: Final = {"SRC": "src_ip", "DST": "dst_ip", "SPT": "src_port", "DPT": "dst_port"}
_MOST_FLAGS: Final = 4  # groups of them in a line
_MOST_SPACES: Final = 4
_SNIFFED: Final = re.compile(
    rb"^[^\n]{0,1000}?(?:^|[\s\]:.>-])IN=\S* OUT=\S* [^\n]*?\bSRC=[^\n]*\bPROTO=", re.MULTILINE
)


def sniff(head: bytes) -> bool:
    return b" OUT=" in head and documents.mostly(head, _SNIFFED)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return documents.line_ranges(size, unit_bytes)


def decoder(projection: frozenset[str] | None) -> LineDecoder:
    return LineDecoder(_parse, projection, _split)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    parsed = _parse(record.decode("utf-8", "replace"), header, Clock())
    return parsed.fields if isinstance(parsed, Parsed) else {}


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    head = syslog.header(text, clock)
    message = text[head.message :] if head else text
    packet = netfilter.packet(message)
    if not packet and head is None and not _UPTIME.match(text):
        return _NO_RECORD
    packet |= {"log": "netfilter"} if packet else {"log": "kernel", "message": message}
    values = (head.fields() if head else {}) | packet
    return Parsed(head.ts, values, head.mended) if head else Parsed(NO_TIME, values)


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines of packets whose keys differ, but for the second `LEN` of UDP, and that carry no other packet."""
    heads = syslog.headers(block, clock)
    message, uptime_end, plain = _behind_uptime(block, heads.message)
    usual = heads.usual & plain
    start = Marks(block, "=").at(0) - len("IN")
    before = byte(block, start - 1)
    usual &= holds(block, start, "IN=") & (start >= uptime_end)
    usual &= (start == message) | np.isin(before, np.frombuffer(b" ]:.>-", np.uint8))
    opens = Marks(block, "[")
    usual &= opens.before(start) == opens.count
    found = pairs.find(block, np.where(usual, start, block.stops), _STYLE, _names)
    usual &= found.usual & holds(block, found.of("IN").stops, " OUT=")
    for key in _MORE:
        starts, stops = found.of(key)
        usual &= (starts < 0) | (stops > starts)
    flags, alike = _flags(block, found)
    usual &= alike
    prefix, trimmed = _prefix(block, uptime_end, start)
    usual &= trimmed
    prefix = chosen(usual, prefix)
    return Split(
        usual=usual,
        ts=heads.ts[usual],
        fields={
            **heads.fields(usual),
            "prefix": prefix,
            "action": Told(prefix, lambda text: _said(text, "action")),
            "blocked": Told(prefix, lambda text: _said(text, "blocked")),
            "protocol": Told(chosen(usual, found.of("PROTO")), str.lower),
            "flags": Chosen(flags.values, flags.index[usual]),
            "log": "netfilter",
        },
        mended=heads.mended(usual),
        keyed=found.keyed(usual, projection),
    )


def _said(prefix: str, name: str) -> str | None:
    said = netfilter.action(prefix).get(name)
    return said if isinstance(said, str) else None


def _names(keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...] | None:
    if keys[:2] != ("IN", "OUT") or not all(map(_KEY.fullmatch, keys)):
        return None
    named, taken = [], set[str]()
    for key in keys:
        name = key
        while name in taken:
            name += "_"
        taken.add(name)
        named.append((name, _MORE[name]) if name in _MORE else (name,))
    return tuple(named)


def _behind_uptime(block: Lines, message: Longs) -> tuple[Longs, Longs, Mask]:
    """Where messages begin, where they go on behind `[12345.678901] `, and whether that is the form of it."""
    there = byte(block, message) == ord("[")
    first = byte(block, message + 1)
    maybe = there & ((first == ord(" ")) | ((first >= ord("0")) & (first <= ord("9"))))
    closes = Marks(block, "]")
    close = closes.at(closes.before(message))
    number = message + 1
    for _ in range(_MOST_SPACES):
        number = number + (byte(block, number) == ord(" "))
    good = (byte(block, close - 7) == ord(".")) & is_number(block, number, close - 7)
    good &= is_number(block, close - 6, close) & (close < block.stops)
    behind = close + 1 + (byte(block, close + 1) == ord(" "))
    return message, np.where(maybe, behind, message), ~maybe | good


def _prefix(block: Lines, starts: Longs, stops: Longs) -> tuple[Spans, Mask]:
    """What a rule's author wrote before the packet, without the spaces around it; and whether these were few."""
    stops = np.maximum(stops, starts)
    for _ in range(_MOST_SPACES):
        starts = starts + ((byte(block, starts) == ord(" ")) & (starts < stops))
        stops = stops - ((byte(block, stops - 1) == ord(" ")) & (stops > starts))
    padded = (byte(block, starts) == ord(" ")) | (byte(block, stops - 1) == ord(" "))
    return unless(stops == starts, starts, stops), (stops == starts) | ~padded


def _flags(block: Lines, found: pairs.Found) -> tuple[Chosen, Mask]:
    """The words of each line that are no pairs, and whether they stand in few places."""
    import pyarrow as pa

    from tocsin.model.event import pieces

    assert found.tails is not None
    there = np.flatnonzero(found.tails.stops > found.tails.starts)
    line = found.line[there]
    starts, stops = found.tails.starts[there], found.tails.stops[there]
    encoded = pieces(pa.binary(), block.data, starts, stops).dictionary_encode()
    words = [tuple(text.decode("utf-8", "replace").split()) for text in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy().astype(np.int64) + 1
    first = np.searchsorted(line, np.arange(len(block)))
    counts = np.diff(first, append=len(line))
    total = np.zeros(len(block), np.int64)
    few = counts <= _MOST_FLAGS
    base = len(words) + 1
    if base**_MOST_FLAGS >= 2**62:
        few = counts == 0
    for at in range(_MOST_FLAGS):
        rows = np.flatnonzero(few & (counts > at))
        total[rows] += codes[first[rows] + at] * base**at
    distinct, index = np.unique(np.where(few, total, 0), return_inverse=True)
    values: list[str | tuple[str, ...] | None] = []
    for number in distinct.tolist():
        flags: tuple[str, ...] = ()
        while number:
            number, code = divmod(number, base)
            flags += words[code - 1]
        values.append(flags if len(flags) > 1 else flags[0] if flags else None)
    return Chosen(values, index), few
