"""Times as logs write them in, UTC microseconds out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tocsin.collect.clock import Clock
from tocsin.model.event import NO_TIME, Longs

_DATE_TIME = 19  # characters of 2024-03-26T09:00:00
_ZONE_CHARS = 6  # +hh:mm
_LONGEST = _DATE_TIME + 10 + _ZONE_CHARS  # with nanoseconds
_POWERSHELL_DATE = re.compile(r"/Date\((-?\d{1,20})\)/")
_UTC_CLOCK = Clock()
_LATEST_S = 253_402_300_799  # the end of year 9999


def microseconds(values: Sequence[Any]) -> Longs:
    """ISO 8601 text (UTC unless it says otherwise) or numbers since 1970; `NO_TIME` where there is no time."""
    if set(map(type, values)) != {str}:
        return _each(values)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    result = np.full(len(values), NO_TIME, np.int64)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        texts = values if len(rows) == len(values) else [values[row] for row in rows.tolist()]
        result[rows] = _same_length(texts, length)
    return result


def _each(values: Sequence[Any]) -> Longs:
    return np.fromiter(map(one, values), np.int64, len(values))


def _same_length(texts: Sequence[str], length: int) -> Longs:
    """Read `YYYY-MM-DD[T ]hh:mm:ss[.f*][zone]` by columns of characters, anything else one by one.

    A zone is `Z`, `+hhmm` or `+hh:mm`.
    """
    if not _DATE_TIME <= length <= _LONGEST or len(texts) < 8:
        return _each(texts)
    together = "".join(texts)
    if not together.isascii():
        return _each(texts)
    chars = np.frombuffer(together.encode(), np.uint8).reshape(len(texts), length).T.astype(np.int32)
    good = np.ones(len(texts), bool)
    zone = _zone_chars(chars)
    length -= zone
    if length == _DATE_TIME + 1 or length > _LONGEST - _ZONE_CHARS:
        return _each(texts)
    for at, separator in ((4, "-"), (7, "-"), (13, ":"), (16, ":"), (19, ".")):
        if at < length:
            good &= chars[at] == ord(separator)
    good &= (chars[10] == ord("T")) | (chars[10] == ord(" "))

    def number(first: int, last: int) -> Any:
        total: Any = 0
        for at in range(first, last):
            digit = chars[at] - ord("0")
            np.logical_and(good, (digit >= 0) & (digit <= 9), out=good)
            total = total * 10 + digit
        return total

    year, month, day = number(0, 4), number(5, 7), number(8, 10)
    hour, minute, second = number(11, 13), number(14, 16), number(17, 19)
    shown = min(6, length - _DATE_TIME - 1)
    micros = number(20, 20 + shown) * 10 ** (6 - shown) if shown > 0 else 0
    number(26, length)  # nanoseconds are checked, not kept
    good &= (year >= 1) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("M8[M]")
    first_day = months.astype("M8[D]").astype(np.int64)
    good &= (day >= 1) & (day <= (months + 1).astype("M8[D]").astype(np.int64) - first_day)
    seconds = (first_day + day - 1) * 86_400 + (hour * 60 + minute) * 60 + second
    if zone > 1:
        hours, minutes = number(length + 1, length + 3), number(length + zone - 2, length + zone)
        good &= (hours < 24) & (minutes < 60) & (year > 1) & (year < 9999)  # the calendar ends in UTC
        seconds = seconds - np.where(chars[length] == ord("-"), -60, 60) * (hours * 60 + minutes)
    times: Longs = seconds * 1_000_000 + micros
    for at in np.flatnonzero(~good).tolist():
        times[at] = one(texts[at])
    return times


def _zone_chars(chars: Any) -> int:
    """How many characters at the end of each text are its zone."""
    if (chars[-1] == ord("Z")).all():
        return 1
    for size in (5, _ZONE_CHARS):
        sign = chars[-size]
        behind = size == 5 or bool((chars[-3] == ord(":")).all())
        if len(chars) >= _DATE_TIME + size and behind and ((sign == ord("+")) | (sign == ord("-"))).all():
            return size
    return 0


def one(value: Any) -> int:
    """The slow way: anything a log may hold where a time is expected."""
    if isinstance(value, bool):
        return NO_TIME
    if isinstance(value, (int, float)):
        return _epoch(value)
    if not isinstance(value, str):
        return NO_TIME
    if dated := _POWERSHELL_DATE.fullmatch(value):
        return _epoch(int(dated[1]))
    moment = moment_of(value)
    try:
        return (
            NO_TIME if moment is None else _UTC_CLOCK.local(moment if moment.tzinfo is None else moment.astimezone(UTC))
        )
    except OverflowError:  # past the ends of the calendar
        return NO_TIME


def moment_of(value: Any) -> datetime | None:
    """A time in ISO 8601, with the zone that it names or none."""
    if not isinstance(value, str):
        return None
    try:
        text = value.strip()
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None and text.endswith(" UTC") else moment
    except (ValueError, OverflowError):
        return None


def _epoch(number: float) -> int:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size."""
    for per_second in (1, 1_000, 1_000_000, 1_000_000_000):
        if 0 < number / per_second <= _LATEST_S / 20:
            return round(number * 1_000_000 / per_second)
    return NO_TIME
