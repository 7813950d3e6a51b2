"""Where times stand in a block of bytes in, UTC microseconds out, by vectors; for times of one fixed width.

A time that is not exactly of its form is not told: whoever asks reads it one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tocsin.collect.clock import Clock
from tocsin.model.event import NO_TIME, Longs

# First days of the months from 1970 on, and two more; times outside are left to slower ways.
_LAST_YEAR: Final = 2199
_FIRST_DAYS: Final = np.arange("1970-01", f"{_LAST_YEAR + 1}-03", dtype="M8[M]").astype("M8[D]").astype(np.int64)
_MONTHS: Final = b"JanFebMarAprMayJunJulAugSepOctNovDec"
_MONTH_KEYS: Final = np.array([int.from_bytes(_MONTHS[at : at + 3]) for at in range(0, 36, 3)], np.int32)
_MONTH_ORDER: Final = np.argsort(_MONTH_KEYS)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a local time, whatever the zone
_QUARTER_S: Final = 900  # since 1972 clocks have changed at quarters of an hour only
_DIGITS: Final = {"Y": 4, "m": 2, "d": 2, "e": 2, "H": 2, "M": 2, "S": 2, "f": 3, "F": 6, "s": 10}

Mask = npt.NDArray[np.bool_]


class Times(NamedTuple):
    """UTC microseconds, and for which of them the text was exactly of the form."""

    ts: Longs
    good: Mask


@dataclass(frozen=True, slots=True)
class Stamp:
    """A form of time, of characters that stand for themselves and of parts.

    `%Y %m %d %H %M %S` as in `strftime`, `%e` a day with a space for its first zero, `%b` a month's English name,
    `%f` milliseconds, `%F` microseconds, `%s` ten digits of seconds since 1970, `%z` a zone as +hhmm, `%Z` as +hh:mm.
    Without `%z`, `%Z` or `%s` the clock's zone is taken, without `%Y` its year.
    """

    form: str
    width: int = field(init=False)
    _parts: tuple[tuple[str, int], ...] = field(init=False)
    _literals: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        at, parts, literals = 0, list[tuple[str, int]](), list[tuple[int, int]]()
        letters = iter(self.form)
        for letter in letters:
            if letter == "%":
                part = next(letters)
                parts.append((part, at))
                at += _DIGITS.get(part) or {"b": 3, "z": 5, "Z": 6}[part]
            else:
                literals.append((at, ord(letter)))
                at += 1
        object.__setattr__(self, "width", at)
        object.__setattr__(self, "_parts", tuple(parts))
        object.__setattr__(self, "_literals", tuple(literals))

    def read(self, octets: npt.NDArray[np.uint8], starts: Longs, clock: Clock) -> Times:
        """The times that begin at `starts`."""
        good = (starts >= 0) & (starts + self.width <= len(octets))

        def byte(at: int) -> Any:
            return octets.take(starts + at, mode="clip")

        for at, letter in self._literals:
            good &= byte(at) == letter
        parts = {part: _PARTS.get(part, _number(_DIGITS.get(part, 0)))(byte, at, good) for part, at in self._parts}
        micros = parts.get("f", 0) * 1_000 + parts.get("F", 0)
        if "s" in parts:
            return Times(np.where(good, parts["s"] * 1_000_000 + micros, NO_TIME), good)
        day = parts["d"] if "d" in parts else parts["e"]
        month, hour, minute, second = (parts[part] for part in ("b" if "b" in parts else "m", "H", "M", "S"))
        good &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60) & (second < 60)
        year = parts["Y"] if "Y" in parts else _years(np.where(good, month * 32 + day, 0), clock)
        good &= (year >= 1970) & (year <= _LAST_YEAR)
        index = np.where(good, (year - 1970) * 12 + month - 1, 0)
        first_day = _FIRST_DAYS[index]
        good &= day <= _FIRST_DAYS[index + 1] - first_day
        seconds = ((first_day + day - 1) * 24 + hour) * 3_600 + minute * 60 + second
        zone = parts.get("z", parts.get("Z"))
        seconds = seconds - (_offsets(np.where(good, seconds, 0), clock) if zone is None else zone)
        return Times(np.where(good, seconds * 1_000_000 + micros, NO_TIME), good)


def _number(digits: int) -> Callable[[Any, int, Mask], Longs]:
    def read(byte: Any, at: int, good: Mask) -> Longs:
        total: Any = 0
        for place in range(at, at + digits):
            digit = byte(place) - ord("0")  # wraps round below zero
            np.logical_and(good, digit <= 9, out=good)
            total = total * 10 + digit.astype(np.int64)
        return total  # type: ignore[no-any-return]

    return read


def _spaced_day(byte: Any, at: int, good: Mask) -> Longs:
    tens, ones = byte(at), byte(at + 1) - ord("0")
    tens = np.where(tens == ord(" "), 0, tens - ord("0"))
    np.logical_and(good, (tens <= 9) & (ones <= 9), out=good)
    number: Longs = tens.astype(np.int64) * 10 + ones
    return number


def _month(byte: Any, at: int, good: Mask) -> Longs:
    key = byte(at).astype(np.int32) << 16 | byte(at + 1).astype(np.int32) << 8 | byte(at + 2)
    place = _MONTH_ORDER[np.minimum(np.searchsorted(_MONTH_KEYS, key, sorter=_MONTH_ORDER), 11)]
    np.logical_and(good, _MONTH_KEYS[place] == key, out=good)
    month: Longs = place + 1
    return month


def _zone(gap: int) -> Callable[[Any, int, Mask], Longs]:
    """A zone with or without a colon between hours and minutes."""

    def read(byte: Any, at: int, good: Mask) -> Longs:
        sign, hours, minutes = byte(at), _number(2)(byte, at + 1, good), _number(2)(byte, at + 3 + gap, good)
        np.logical_and(good, ((sign == ord("+")) | (sign == ord("-"))) & (hours < 24) & (minutes < 60), out=good)
        if gap:
            np.logical_and(good, byte(at + 3) == ord(":"), out=good)
        offset: Longs = np.where(sign == ord("-"), -1, 1) * (hours * 3_600 + minutes * 60)
        return offset

    return read


_PARTS: Final[dict[str, Callable[[Any, int, Mask], Longs]]] = {
    "b": _month,
    "e": _spaced_day,
    "z": _zone(0),
    "Z": _zone(1),
}


def _years(days: Longs, clock: Clock) -> Longs:
    """The years of days given as 32 * month + day."""
    distinct, index = np.unique(days, return_inverse=True)
    years = [clock.year_of(day >> 5, day & 31) if day else 0 for day in distinct.tolist()]
    return np.array(years, np.int64)[index]


def _offsets(seconds: Longs, clock: Clock) -> Longs:
    """How far the clock's zone is ahead of UTC at local times, in seconds."""
    distinct, index = np.unique(seconds // _QUARTER_S, return_inverse=True)
    offsets = [_offset(quarter * _QUARTER_S, clock) for quarter in distinct.tolist()]
    return np.array(offsets, np.int64)[index]


def _offset(second: int, clock: Clock) -> int:
    return second - clock.local(_EPOCH + timedelta(seconds=second)) // 1_000_000
