"""A time as CEF and LEEF let devices write it in, UTC microseconds out, and a word on what was assumed.

Seconds to nanoseconds since 1970, `MMM dd yyyy HH:mm:ss[.SSS] [zzz]` with or without the year, ISO 8601, or a form of
its own that the record names in the letters of Java's `SimpleDateFormat`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

import numpy as np

from tocsin.collect import syslog
from tocsin.collect.clock import Clock, assumed
from tocsin.collect.lines import Lines, Spans
from tocsin.collect.marks import is_number
from tocsin.collect.stamps import Stamp
from tocsin.model.event import NO_TIME, Longs

_ISO: Final = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)", re.ASCII)
_DATED: Final = re.compile(
    r"([A-Z][a-z]{2} {1,2}\d\d?(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)"
    r"(?: [A-Z]{3,5})?",
    re.ASCII,
)
_SINCE_1970: Final = ((10, Stamp("%s")), (13, Stamp("%s%f")), (16, Stamp("%s%F")), (19, Stamp("%s%F")))
# Letters of Java's patterns, and what they stand for here; what is quoted there stands for itself.
_LETTERS: Final = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+|'")
_PARTS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short>\d\d)",
    "MMM": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d\d)",
    "M": r"(?P<month>\d\d?)",
    "dd": r"(?P<day>\d\d?)",
    "d": r"(?P<day>\d\d?)",
    "HH": r"(?P<hour>\d\d?)",
    "H": r"(?P<hour>\d\d?)",
    "hh": r"(?P<hour>\d\d?)",
    "h": r"(?P<hour>\d\d?)",
    "mm": r"(?P<minute>\d\d)",
    "ss": r"(?P<second>\d\d)",
    "SSS": r"(?P<part>\d{1,6})",
    "SSSSSS": r"(?P<part>\d{1,6})",
    "a": r"(?P<half>[AaPp][Mm])",
    "EEE": r"[A-Za-z]{3}",
}
_ZONE: Final = r"(?P<zone>Z|[A-Z]{3,5}|[+-]\d\d:?\d\d)"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read(text: str, clock: Clock, form: str = "") -> tuple[int, str] | None:
    """UTC microseconds of a time, and what was assumed of it; None where it is no time."""
    if text.isascii() and text.isdigit() and len(text) in (10, 13, 16, 19):
        return int(text[:16].ljust(16, "0")), ""
    if form and (pattern := _pattern(form)) and (found := pattern.fullmatch(text)):
        return _by_form(found, clock)
    time = _ISO.fullmatch(text) or _DATED.fullmatch(text)
    head = syslog.header(f"{time[1]} x x: ", clock) if time else None
    return (head.ts, head.mended) if head and head.ts != NO_TIME else None


def numbers(block: Lines, spans: Spans, clock: Clock) -> Longs:
    """UTC microseconds of those times that are numbers, `NO_TIME` for others."""
    ts = np.full(len(spans.starts), NO_TIME, np.int64)
    for digits, stamp in _SINCE_1970:
        rows = np.flatnonzero((spans.starts >= 0) & (spans.stops - spans.starts == digits))
        if len(rows):
            rest = is_number(block, spans.starts[rows] + 9, spans.stops[rows])
            ts[rows] = np.where(rest, stamp.read(block.octets, spans.starts[rows], clock).ts, NO_TIME)
    return ts


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[str] | None:
    """What times of such a form look like; None where the form says something that is not known here."""
    parts = []
    for found in _LETTERS.finditer(form[:64]):
        run = found[0]
        if found[2] is None:
            parts.append(re.escape(found[1] if found[1] is not None else run))
        elif found[2] in "zZX":
            parts.append(_ZONE)
        elif run in _PARTS:
            parts.append(_PARTS[run])
        else:
            return None
    try:
        return re.compile("".join(parts), re.ASCII)
    except re.error:  # a part that comes twice
        return None


def _by_form(found: re.Match[str], clock: Clock) -> tuple[int, str] | None:
    part = found.groupdict()
    name = (part.get("name") or "").lower()
    if name and name not in _MONTHS:
        return None
    month = _MONTHS.index(name) + 1 if name else int(part.get("month") or 1)
    day, hour = int(part.get("day") or 1), int(part.get("hour") or 0)
    if half := part.get("half"):
        hour = hour % 12 + 12 * (half.lower() == "pm")
    short = part.get("short")
    year = part.get("year") or (f"20{short}" if short else None)
    zone = _zone(part.get("zone") or "")
    micros = int((part.get("part") or "0").ljust(6, "0"))
    try:
        number = int(year) if year else clock.year_of(month, day)
        clock_time = hour, int(part.get("minute") or 0), int(part.get("second") or 0), micros
        moment = datetime(number, month, day, *clock_time, tzinfo=zone)
    except ValueError:
        return None
    ts = clock.local(moment)
    return (ts, assumed(year=year is None, zone=zone is None)) if ts != NO_TIME else None


def _zone(text: str) -> tzinfo | None:
    if text[:1] in ("+", "-"):
        ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
        return timezone(-ahead if text[0] == "-" else ahead) if ahead < timedelta(hours=24) else None
    return UTC if text in ("Z", "UTC", "GMT") else None
