"""FortiGate logs in, Events out: `key=value` lines of FortiOS, from a file, a download or syslog.

Fortinet, *FortiOS Log Message Reference* 5.0 to 7.6, "Log message fields" (FortiAnalyzer, FortiManager and FortiWeb
write alike), the same with commas between pairs (`config log syslogd setting`, `set format csv`), and with each pair
in quotes (FortiAnalyzer's CSV). Every key keeps its name; the addresses, ports, users and protocols also have those of
Sigma's firewall category, and a virus those of its antivirus category. The time is `eventtime` (seconds to nanoseconds
since 1970); without it `date` and `time` in the zone `tz`. What syslog writes before the first pair is not kept, but
for the host where no `devname` is logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

import numpy as np

from tocsin.collect import cells, documents, firewall, pairs, syslog
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Split
from tocsin.collect.marks import is_number
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "fortinet"
KIND = "firewall"

_NO_RECORD: Final = "not a line of a FortiGate log"
_STYLE: Final = pairs.Style(quoted=True)
_COMMAS: Final = pairs.Style(quoted=True, between=",")
_NAMES: Final = pairs.Names(
    more={
        "devname": ("host",),
        "type": ("log",),
        "srcip": ("src_ip",),
        "src": ("src_ip",),  # FortiOS 4
        "dstip": ("dst_ip",),
        "dst": ("dst_ip",),
        "srcport": ("src_port",),
        "dstport": ("dst_port",),
        "user": ("username",),
        "virus": ("Signature",),
        "filename": ("Filename",),
    },
    told={"blocked": ("action", firewall.blocked), "protocol": ("proto", firewall.protocol)},
    set_apart=frozenset({"host"}),
)
_LOCAL: Final = Stamp("%Y-%m-%d time=%H:%M:%S")
_QUOTED_LOCAL: Final = Stamp('%Y-%m-%d" time="%H:%M:%S')
# Digits of `eventtime`, which grew from seconds to nanoseconds, and the first of them that are read.
_SINCE_1970: Final = ((10, Stamp("%s")), (13, Stamp("%s%f")), (16, Stamp("%s%F")), (19, Stamp("%s%F")))
_ZONE: Final = later(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_PRIORITY: Final = later(r"<\d{1,3}>", re.ASCII)
_ALL_QUOTED: Final = later(r'"[a-z_]{1,40}=[^"\n]*","[a-z_]{1,40}=', re.ASCII)
_COMMA_TIME: Final = later(r"date=\d{4}-\d\d-\d\d,time=", re.ASCII)
_SNIFFED: Final = later(
    rb'^(?:[^=\n]{0,300}[> ,])?(?:itime="?\d+"?[ ,]|logver=\d+[ ,]|timestamp=\d+[ ,]|tz="?[+-]?[\d:]+"?[ ,])*'
    rb'date="?\d{4}-\d\d-\d\d"?[ ,]"?time="?\d\d:\d\d:\d\d"?[ ,][^\n]*?(?<=[ ,])'
    rb'(?:log_?id=|dev_?id="?F|device_id="?F|vd=|logver=|eventtime=)'
    rb'|^(?:\xef\xbb\xbf)?"(?:[a-z_]{1,40}=[^"\n]{0,4000}","){0,30}?date=\d{4}-\d\d-\d\d","time=',
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return b"date=" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    style = _COMMAS if _COMMA_TIME.search(text) else _STYLE
    began = _PRIORITY.match(text)
    line = text[began.end() :] if began else text
    values = _NAMES.values(_quoted_pairs(line) if _ALL_QUOTED.match(line) else style.pairs(line))
    if not (values.keys() >= {"date", "time"} or "eventtime" in values):
        return _NO_RECORD
    if "host" not in values and (named := syslog.header(text, clock)) and named.host:
        values["host"] = named.host
    ts, zoneless = _ts(values, clock)
    return Parsed(ts, values, ZONE_ASSUMED if zoneless else "")


def _quoted_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Pairs as FortiAnalyzer's CSV has them: each is a cell."""
    for cell in cells.cells_of(line, ","):
        key, mark, value = cell.partition("=")
        if mark and key:
            yield key, value


def _ts(values: Mapping[str, str | tuple[str, ...] | None], clock: Clock) -> tuple[int, bool]:
    """UTC microseconds, and whether their zone was assumed."""
    since = values.get("eventtime")
    if isinstance(since, str) and since.isascii() and since.isdigit() and len(since) in (10, 13, 16, 19):
        return int(since[:16].ljust(16, "0")), False
    zone = _zone(str(values.get("tz") or values.get("timezone") or ""))
    try:
        moment = datetime.strptime(f"{values.get('date')} {values.get('time')}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return NO_TIME, False
    return clock.local(moment.replace(tzinfo=zone)), zone is None


def _zone(text: str) -> tzinfo | None:
    found = _ZONE.fullmatch(text)
    if found is None:
        return UTC if text in ("UTC", "GMT") else None
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-ahead if found[1] == "-" else ahead) if ahead < timedelta(hours=24) else None


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with spaces between the pairs, and nothing but a priority before them unless they name their device."""
    starts = firewall.behind_priority(block)
    found = pairs.find(block, starts, _STYLE, _NAMES.of)
    ts, zoneless = _times(block, found, clock)
    usual = found.usual & (ts != NO_TIME) & ((found.begins == starts) | (found.of("devname").starts >= 0))
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
    since, stops = found.of("eventtime")
    for digits, stamp in _SINCE_1970:
        rows = np.flatnonzero((stops - since == digits) & (since >= 0))
        if len(rows):
            times = stamp.read(block.octets, since[rows], clock)
            rest = is_number(block, since[rows] + 9, stops[rows])
            ts[rows] = np.where(times.good & rest, times.ts, NO_TIME)
    date, time_end = found.of("date").starts, found.of("time").stops
    for form in (_LOCAL, _QUOTED_LOCAL):
        rows = np.flatnonzero(
            (since < 0) & (found.of("tz").starts < 0) & (found.of("timezone").starts < 0) & (date >= 0)
        )
        rows = rows[time_end[rows] - date[rows] == form.width]
        if len(rows):
            times = form.read(block.octets, date[rows], clock)
            ts[rows], zoneless[rows] = times.ts, times.good
    return ts, zoneless


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
