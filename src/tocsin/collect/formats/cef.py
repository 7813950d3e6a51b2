r"""CEF in, Events out: `CEF:0|vendor|product|version|id|name|severity|key=value ...`, behind a syslog header or not.

ArcSight, *Implementing Common Event Format* (versions 0 and 1), "Header Information" and "Character Encoding": a
backslash stands before what would end a field, and `\n` for a new line. Keys keep their names (the key dictionary's
short ones), the header has the long ones, `deviceVendor` to `severity`; addresses, ports, users and actions also have
those of Sigma's firewall category. The time is `rt`, or else `end`,
`start`, FortiGate's `eventtime` or that of the syslog header.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import carried, device_times, documents, firewall, pairs
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split
from tocsin.collect.marks import Marks, byte, chosen, holds
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "cef"
KIND = "firewall"

_NO_RECORD: Final = "not a line of CEF"
_HEAD: Final = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_BEGINNING: Final = later(r"CEF: ?[01]\|((?:[^|\\]|\\.?)*+)" + r"\|((?:[^|\\]|\\.?)*+)" * 5 + r"\|? *", re.DOTALL)
_ESCAPED: Final = later(r"\\([\\=|nr])")
_MEANT: Final = {"n": "\n", "r": "\r"}
_STYLE: Final = pairs.Style()
_NAMES: Final = pairs.Names(
    more={
        "src": ("src_ip",),
        "c6a2": ("src_ip",),  # its label is "Source IPv6 Address"
        "dst": ("dst_ip",),
        "c6a3": ("dst_ip",),
        "spt": ("src_port",),
        "dpt": ("dst_port",),
        "act": ("action",),
        "suser": ("username",),
        "duser": ("username",),
        "dvchost": ("host",),
        "fname": ("Filename",),
        "filePath": ("Filename",),
        "FTNTFGTvirus": ("Signature",),
        "FTNTFGTcfgpath": ("cfgpath",),
    },
    told={"blocked": ("act", firewall.blocked), "protocol": ("proto", firewall.protocol)},
    set_apart=frozenset({*_HEAD, "host", "log"}),
)
_TIME_KEYS: Final = ("rt", "end", "start", "FTNTFGTeventtime")
_TAGS: Final = {b"CEF:0|": b"CEF: |", b"CEF:1|": b"CEF: |"}
_SNIFFED: Final = later(
    rb'^(?:[^\n|]{0,300}[ :"])?(?:\xef\xbb\xbf)?CEF: ?[01]\|[^\n|]*\|[^\n]*\|[^\n]*\|', re.MULTILINE
)


def sniff(head: bytes) -> bool:
    return b"CEF:" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found = _BEGINNING.search(text)
    if found is None:
        return _NO_RECORD
    read = ((key, _unescaped(value)) for key, value in _STYLE.pairs(text[found.end() :]))
    values = _NAMES.values(read)
    for name, part in zip(_HEAD, found.groups(), strict=True):
        values.setdefault(name, _unescaped(part))
    values.setdefault("log", _unescaped(found[2]))
    head = carried.before(text[: found.start()], clock)
    if head.host is not None:
        values.setdefault("host", head.host)
    for key in _TIME_KEYS:
        if isinstance(said := values.get(key), str) and (told := device_times.read(said, clock)):
            return Parsed(told[0], values, told[1])
    return Parsed(head.ts, values, head.mended)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text) if "\\" in text else text


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with nothing escaped in their header, and a time that is a number if the record has one."""
    pipes = Marks(block, "|")
    record = pipes.at(0) - len("CEF:0")
    usual = (pipes.count >= 7) & holds(block, record, "CEF:") & (record >= block.starts)
    usual &= (byte(block, pipes.at(0) - 1) == ord("0")) | (byte(block, pipes.at(0) - 1) == ord("1"))
    usual &= (record == block.starts) | (byte(block, record - 1) == ord(" ")) | (byte(block, record - 1) == ord(">"))
    start = np.minimum(pipes.at(6) + 1, block.stops)
    slashes = Marks(block, "\\")
    usual &= slashes.before(start) == 0
    found = pairs.find(block, np.where(usual, start, block.stops), _STYLE, _NAMES.of)
    heads = carried.all_before(block, record, _TAGS, clock)
    usual &= found.usual & heads.usual
    ts, timed, unsure = _times(block, found, clock)
    usual &= ~unsure
    named = found.of("dvchost").starts >= 0
    host = Spans(np.where(named, -1, heads.host.starts), np.where(named, -1, heads.host.stops))
    product = Spans(pipes.at(1) + 1, pipes.at(2))
    spans = {name: Spans(pipes.at(at) + 1, pipes.at(at + 1)) for at, name in enumerate(_HEAD)}
    spans |= {"deviceProduct": product, "log": product, "host": host}
    return Split(
        usual=usual,
        ts=np.where(timed, ts, heads.ts)[usual],
        fields={
            **{name: chosen(usual, span) for name, span in spans.items()},
            **_NAMES.fields(found, usual, _unescaped),
        },
        mended=heads.mended(usual & ~timed),
        keyed=found.keyed(usual, projection, slashes.places, _unescaped),
    )


def _times(block: Lines, found: pairs.Found, clock: Clock) -> tuple[Longs, Mask, Mask]:
    """UTC microseconds, which lines have their time in a pair, and which of these hold no number there."""
    ts = np.full(len(block), NO_TIME, np.int64)
    timed: Mask = np.zeros(len(block), bool)
    for key in _TIME_KEYS:
        starts, stops = found.of(key)
        fresh = (starts >= 0) & ~timed
        timed |= fresh
        numbers = device_times.numbers(block, Spans(np.where(fresh, starts, -1), stops), clock)
        ts = np.where(fresh, numbers, ts)
    return ts, timed, timed & (ts == NO_TIME)


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
