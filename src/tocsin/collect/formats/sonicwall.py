"""Logs of SonicWall firewalls in, Events out: `key=value` lines of SonicOS, from a file or syslog.

SonicWall, *SonicOS Log Events Reference Guide*, "Syslog tags" (default and enhanced syslog). Every key keeps its name;
`src` and `dst` are address, port, interface and name with colons between them, of which the first two and the protocol
have the names of Sigma's firewall category besides, and so have `action` and `username`. `blocked` is said where
`fw_action` says it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tocsin.collect import documents, firewall, pairs
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Split
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "sonicwall"
KIND = "firewall"

_NO_RECORD: Final = "not a line of a SonicWall log"
_STYLE: Final = pairs.Style(quoted=True)


def _address(text: str) -> str | None:
    found = _parted(text)
    return found[0] if found else None


def _port(text: str) -> str | None:
    found = _parted(text)
    return found[1] if found else None


def _parted(text: str) -> tuple[str, str | None] | None:
    """Address and port; an address of version 6 has eight groups, or stands in brackets."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":").partition(":")[0]
    elif text.count(".") >= 3 and ":" not in text.partition(".")[0]:
        address, _, rest = text.partition(":")
        port = rest.partition(":")[0]
    else:
        return None
    return address, port if port.isascii() and port.isdigit() else None


def _protocol(text: str) -> str | None:
    return firewall.protocol(text.partition("/")[0]) or None


_NAMES: Final = pairs.Names(
    more={"sn": ("host",), "fw_action": ("action",), "usr": ("username",), "user": ("username",)},
    told={
        "src_ip": ("src", _address),
        "src_port": ("src", _port),
        "dst_ip": ("dst", _address),
        "dst_port": ("dst", _port),
        "protocol": ("proto", _protocol),
        "blocked": ("fw_action", firewall.blocked),
    },
    set_apart=frozenset({"host", "log"}),
)
_TIME: Final = Stamp("%Y-%m-%d %H:%M:%S")
_IN_UTC: Final = Stamp("%Y-%m-%d %H:%M:%S UTC")
_UTC: Final = Clock()
_PRIORITY: Final = later(r"<\d{1,3}>", re.ASCII)
_SNIFFED: Final = later(
    rb'^(?:[^=\n]{0,300}[> ])?id=[\w.-]{1,64} sn=[0-9A-Fa-f]{6,16} time="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', re.MULTILINE
)


def sniff(head: bytes) -> bool:
    return b" sn=" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    began = _PRIORITY.match(text)
    values = _NAMES.values(_STYLE.pairs(text[began.end() :] if began else text))
    if not values.keys() >= {"id", "sn", "time"}:
        return _NO_RECORD
    values.setdefault("log", "sonicwall")
    told = str(values["time"])
    try:
        moment = datetime.strptime(told.removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return Parsed(NO_TIME, values)
    if told.endswith(" UTC"):
        return Parsed(clock.local(moment.replace(tzinfo=UTC)), values)
    return Parsed(clock.local(moment), values, ZONE_ASSUMED)


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines whose pairs were all understood, with or without a header before them."""
    found = pairs.find(block, firewall.behind_priority(block), _STYLE, _NAMES.of)
    ts: Longs = np.full(len(block), NO_TIME, np.int64)
    zoneless: Mask = np.zeros(len(block), bool)
    start, stop = found.of("time")
    for stamp, zone in ((_TIME, clock), (_IN_UTC, _UTC)):
        rows = np.flatnonzero((start >= 0) & (stop - start == stamp.width))
        if len(rows):
            times = stamp.read(block.octets, start[rows], zone)
            ts[rows] = np.where(times.good, times.ts, NO_TIME)
            zoneless[rows] = times.good & (stamp is _TIME)
    usual = found.usual & (ts != NO_TIME) & (found.of("id").starts >= 0) & (found.of("sn").starts >= 0)
    return Split(
        usual=usual,
        ts=ts[usual],
        fields={**_NAMES.fields(found, usual), "log": "sonicwall"},
        mended={ZONE_ASSUMED: int(count)} if (count := zoneless[usual].sum()) else "",
        keyed=found.keyed(usual, projection),
    )


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
