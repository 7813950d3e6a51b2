"""Lines of a daemon in, where its messages begin out: behind its own time stamp, or behind a syslog header.

A format has forms of its own stamps, each as vectors and as a pattern. A block is read by columns after the form that
most of its lines have; the others are read one by one, and alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from tocsin.collect import syslog
from tocsin.collect.clock import Clock, assumed
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Spans, Told
from tocsin.collect.stamps import Stamp
from tocsin.model.event import NO_TIME, Longs

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UTC: Final = Clock()
# What OpenWrt's `logread` shows before the tag.
_LOGREAD: Final = rb"^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} [a-z0-9]{3,8}\.[a-z]{3,8} "


class Form(NamedTuple):
    """A stamp; in the pattern the parts of the time are groups `year month day hour minute second part zone epoch`."""

    stamp: Stamp
    pattern: re.Pattern[str]
    is_utc: bool = False


class Beginning(NamedTuple):
    """What stands before a message: its time, what was assumed of it, where the message begins, what else is told."""

    ts: int
    mended: str
    message: int
    fields: dict[str, str | tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """The same for all lines of a block; anything for those that `usual` does not mark."""

    usual: Mask
    ts: Longs
    message: Longs
    assumed: str = ""
    headers: syslog.Headers | None = field(default=None)

    def fields(self, usual: Mask) -> dict[str, Spans | Told | str]:
        return self.headers.fields(usual) if self.headers else {}

    def mended(self, usual: Mask) -> str | Mapping[str, int]:
        return self.headers.mended(usual) if self.headers else self.assumed


def beginning(text: str, patterns: Sequence[re.Pattern[str]], clock: Clock) -> Beginning | None:
    """Read what stands before the message of a line; None where that is neither a stamp nor a syslog header."""
    for pattern in patterns:
        if found := pattern.match(text):
            ts, mended = time_of(found, clock)
            told: dict[str, str | tuple[str, ...] | None] = {} if ts != NO_TIME else {"time": found[0].strip()}
            return Beginning(ts, mended, found.end(), told)
    head = syslog.header(text, clock)
    return None if head is None else Beginning(head.ts, head.mended, head.message, head.fields())


def frame(block: Lines, forms: Sequence[Form], likely: Mask, clock: Clock) -> Frame:
    """Find the messages of a block.

    Args:
        likely: lines that begin with a stamp of the format's own.
    """
    if likely.any():
        for form in forms:
            times = form.stamp.read(block.octets, block.starts, _UTC if form.is_utc else clock)
            usual = times.good & likely & (block.starts + form.stamp.width < block.stops)
            if 2 * usual.sum() >= len(block):
                zoned = form.is_utc or any(part in form.stamp.form for part in ("%z", "%Z", "%s"))
                told = assumed(year="%Y" not in form.stamp.form and "%s" not in form.stamp.form, zone=not zoned)
                return Frame(usual, times.ts, block.starts + form.stamp.width, told)
    headers = syslog.headers(block, clock)
    return Frame(headers.usual & ~likely, headers.ts, headers.message, headers=headers)


def time_of(found: re.Match[str], clock: Clock) -> tuple[int, str]:
    """UTC microseconds of a time given in parts, and what was assumed of it."""
    parts: Mapping[str, str | None] = found.groupdict()
    micros = int((parts.get("part") or "0")[:6].ljust(6, "0"))
    if epoch := parts.get("epoch"):
        return int(epoch) * 1_000_000 + micros, ""
    month, year, zone = parts["month"] or "", parts.get("year"), parts.get("zone")
    number = MONTHS.index(month) + 1 if month in MONTHS else int(month) if month.isdecimal() else 0
    day = int(parts["day"] or 0)
    hour, minute, second = (int(parts[part] or 0) for part in ("hour", "minute", "second"))
    try:
        full = int(year) if year else clock.year_of(number, day)
        moment = datetime(full, number, day, hour, minute, second, micros, tzinfo=_zone(zone) if zone else None)
    except (ValueError, OverflowError):
        return NO_TIME, ""
    return clock.local(moment), assumed(year=year is None, zone=zone is None)


def _zone(text: str) -> timezone:
    if text in ("Z", "UTC"):
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead)


def tagged(*programs: str) -> re.Pattern[bytes]:
    """What finds lines of syslog that these programs wrote."""
    names = "|".join(re.escape(name) for name in programs).encode()
    tag = rb"(?:" + names + rb")(?:\[[\d:a-f]{1,32}\])?(?::|(?: [^ \n]{1,64}){2} [-\[])"
    return later(rb"(?:" + syslog.BEFORE_TAG + rb"|" + _LOGREAD + rb")" + tag, re.MULTILINE)


def mostly(head: bytes, form: re.Pattern[bytes]) -> bool:
    """Whether nine of ten lines have a form: what a program wrote through syslog, and not what all programs did.

    Of a few lines, one may be damaged.
    """
    lines = sum(1 for line in head.split(b"\n")[: head.count(b"\n") or 1] if line.strip())
    found = sum(1 for _ in form.finditer(head))
    return found > 0 and (10 * found >= 9 * lines or lines - found <= 1 < found - 1)
