"""Logs of Sophos Firewall in, Events out: `key=value` lines of SFOS, from a file, a download or syslog.

Sophos, *Syslog guide for Sophos Firewall*: the device's own format (`device="SFW" date=... time=... timezone="..."`)
and the central reporting format (`device_name="..." timestamp="..."`). Every key keeps its name; addresses and ports
are called as in Sigma's firewall category already, and the user, the action and a virus have its names besides.
`blocked` is told from what the log says of the action. A zone by letters other than UTC is taken for the log's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tocsin.collect import documents, firewall, pairs, syslog
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Split
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "sophos"
KIND = "firewall"

_NO_RECORD: Final = "not a line of a Sophos firewall's log"
_STYLE: Final = pairs.Style(quoted=True)
_NAMES: Final = pairs.Names(
    more={
        "device_name": ("host",),
        "log_type": ("log",),
        "user_name": ("username",),
        "user": ("username",),
        "log_subtype": ("action",),
        "virus": ("Signature",),
        "filename": ("Filename",),
        "src_ip6": ("src_ip",),
        "dst_ip6": ("dst_ip",),
    },
    told={"blocked": ("log_subtype", firewall.blocked)},
    set_apart=frozenset({"host"}),
)
_FORM: Final = "%Y-%m-%d %H:%M:%S"
_UTC_LETTERS: Final = frozenset({"UTC", "GMT"})
_LOCAL: Final = Stamp("%Y-%m-%d time=%H:%M:%S")
_ZONED: Final = Stamp("%Y-%m-%dT%H:%M:%S%z")
_PRIORITY: Final = later(r"<\d{1,3}>", re.ASCII)
_SNIFFED: Final = later(
    rb'^(?:[^=\n]{0,300}[> ])?device(?:_name)?="[^"\n]{0,128}" '
    rb'(?:date=\d{4}-\d\d-\d\d time=\d\d:\d\d:\d\d |timestamp="\d{4}-\d\d-\d\dT)[^\n]*? log_id="?\d',
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return b"device" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    began = _PRIORITY.match(text)
    values = _NAMES.values(_STYLE.pairs(text[began.end() :] if began else text))
    if not (values.keys() >= {"date", "time"} or "timestamp" in values):
        return _NO_RECORD
    if "host" not in values and (named := syslog.header(text, clock)) and named.host:
        values["host"] = named.host
    ts, zoneless = _ts(values, clock)
    return Parsed(ts, values, ZONE_ASSUMED if zoneless else "")


def _ts(values: Mapping[str, str | tuple[str, ...] | None], clock: Clock) -> tuple[int, bool]:
    """UTC microseconds, and whether their zone was assumed."""
    try:
        if "timestamp" in values:
            moment = datetime.fromisoformat(str(values["timestamp"]))
        else:
            moment = datetime.strptime(f"{values['date']} {values['time']}", _FORM)  # noqa: DTZ007
            if values.get("timezone") in _UTC_LETTERS:
                moment = moment.replace(tzinfo=UTC)
    except ValueError:
        return NO_TIME, False
    return clock.local(moment), moment.tzinfo is None


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with nothing but a priority before the pairs, unless they name their device."""
    starts = firewall.behind_priority(block)
    found = pairs.find(block, starts, _STYLE, _NAMES.of)
    ts, zoneless = _times(block, found, clock)
    usual = found.usual & (ts != NO_TIME) & ((found.begins == starts) | (found.of("device_name").starts >= 0))
    return Split(
        usual=usual,
        ts=ts[usual],
        fields=_NAMES.fields(found, usual),
        mended={ZONE_ASSUMED: int(count)} if (count := zoneless[usual].sum()) else "",
        keyed=found.keyed(usual, projection),
    )


def _times(block: Lines, found: pairs.Found, clock: Clock) -> tuple[Longs, Mask]:
    """UTC microseconds of each line, and whether their zone was assumed; `NO_TIME` where a line is left to `_parse`."""
    ts = np.full(len(block), NO_TIME, np.int64)
    zoneless: Mask = np.zeros(len(block), bool)
    told, told_end = found.of("timestamp")
    rows = np.flatnonzero((told >= 0) & (told_end - told == _ZONED.width))
    if len(rows):
        times = _ZONED.read(block.octets, told[rows], clock)
        ts[rows] = np.where(times.good, times.ts, NO_TIME)
    date, time_end = found.of("date").starts, found.of("time").stops
    zone, zone_end = found.of("timezone")
    rows = np.flatnonzero((told < 0) & (date >= 0) & (time_end - date == _LOCAL.width))
    if len(rows):
        times = _LOCAL.read(block.octets, date[rows], clock)
        named = (zone_end[rows] - zone[rows] == 3) & (zone[rows] >= 0)
        first = block.octets[np.maximum(zone[rows], 0)]
        utc = named & ((first == ord("U")) | (first == ord("G")))
        ts[rows] = np.where(utc, NO_TIME, times.ts)  # those in UTC are left
        zoneless[rows] = times.good & ~utc
    return ts, zoneless


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
