"""A day and an hour in, how much goes on then out: sitting days, recess, weekends, nights."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Final

from tocsin.rehearse.dice import Dice

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
_NORMAL: Final = timedelta(hours=12)
_SUMMER: Final = timedelta(hours=1)


class _Zone(tzinfo):
    """UTC+12, in summer UTC+13: from the last Sunday of September to the first of April, as in New Zealand.

    Of its own, since the machine that runs a drill may have no table of zones, or another year's.
    """

    def dst(self, at: datetime | None) -> timedelta:
        if at is None:
            return timedelta(0)
        begins, ends = _changes(at.year)
        local = at.replace(tzinfo=None)
        return _SUMMER if local >= begins or local < ends else timedelta(0)

    def utcoffset(self, at: datetime | None) -> timedelta:
        return _NORMAL + self.dst(at)

    def tzname(self, at: datetime | None) -> str:
        return "summer" if self.dst(at) else "normal"


@cache
def _changes(year: int) -> tuple[datetime, datetime]:
    """When the clocks go forward and back, by the clock on the wall."""
    last = datetime(year, 9, 30, 2)  # noqa: DTZ001 - local on purpose
    first = datetime(year, 4, 1, 3)  # noqa: DTZ001
    return last - timedelta(days=(last.weekday() + 1) % 7), first + timedelta(days=(6 - first.weekday()) % 7)


ZONE: Final = _Zone()

# Of 1000 things done in an office on a working day, how many in each local hour.
_OFFICE: Final = (1, 1, 1, 1, 1, 3, 9, 32, 88, 116, 108, 98, 62, 84, 106, 98, 88, 58, 22, 10, 6, 4, 2, 1)
# When the house sits, it sits into the evening.
_SITTING: Final = (2, 1, 1, 1, 1, 3, 9, 28, 74, 92, 84, 74, 50, 72, 88, 86, 82, 66, 38, 52, 46, 34, 12, 4)
# The public reads and writes in its own time.
_PUBLIC: Final = (18, 12, 9, 8, 8, 12, 22, 38, 54, 60, 62, 60, 58, 58, 58, 56, 56, 54, 52, 56, 60, 56, 46, 27)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of a drill. Two or three weeks of sittings (Tuesday to Thursday), then a week of recess."""

    seed: int
    first: date
    days: int

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    def week(self, day: date) -> int:
        return (day - date(2020, 1, 6)).days // 7

    def recess(self, day: date) -> bool:
        return (self.week(day) + self.seed) % 4 == 3 or (day.month == 12 and day.day > 20) or (day.month == 1)

    def sits(self, day: date) -> bool:
        return day.weekday() in {1, 2, 3} and not self.recess(day)

    def holiday(self, day: date) -> bool:
        return (day.month, day.day) in {(1, 1), (1, 2), (2, 6), (4, 25), (12, 25), (12, 26)}

    def works(self, day: date) -> bool:
        return day.weekday() < 5 and not self.holiday(day)

    def weight(self, day: date) -> float:
        """How busy a day is, compared with an ordinary working day."""
        if not self.works(day):
            return 0.3
        return 1.12 if self.sits(day) else 0.8 if self.recess(day) else 1.0

    def working_day(self, share: float, *, sits: bool = False) -> int:
        """The start of the working day nearest to a share of the days, on which no machine is patched."""
        wanted = int(share * (self.days - 1))
        for number in sorted(range(self.days), key=lambda number: (abs(number - wanted), number)):
            day = self.first + timedelta(days=number)
            if self.works(day) and not self.patches(day) and (not sits or self.sits(day)):
                return midnight_us(day)
        return midnight_us(self.first)

    def patches(self, day: date) -> bool:
        """A night in which some machines are patched, and restarted."""
        return bool(self.wave(day))

    def wave(self, day: date) -> int:
        """Which half of the servers is patched: one the day after the second Tuesday, the other a fortnight on."""
        if day.weekday() != 2:
            return 0
        return 1 if 9 <= day.day <= 15 else 2 if 23 <= day.day <= 29 else 0


@lru_cache(maxsize=4_096)
def midnight_us(day: date) -> int:
    """The start of a local day, in microseconds of UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 1_000_000


def moment_us(day: date, hour: float) -> int:
    """A local time of day, as hours with their fraction."""
    return midnight_us(day) + int(hour * HOUR_US)


def day_of(ts_us: int) -> date:
    return _day_of(ts_us // HOUR_US)


@lru_cache(maxsize=4_096)
def _day_of(hour: int) -> date:
    # Days begin at full hours, of UTC as well.
    return datetime.fromtimestamp(hour * 3600, tz=ZONE).date()


def next_us(day: date, days: int = 1) -> int:
    """The start of the local day so many days later: one of the year's has 23 hours, and one 25."""
    return midnight_us(day + timedelta(days=days))


def ahead_us(ts_us: int) -> int:
    """How far local time is ahead of UTC at a moment."""
    return _ahead_us(ts_us // HOUR_US)


@cache
def _ahead_us(hour: int) -> int:
    # The clocks change at full hours.
    offset = datetime.fromtimestamp(hour * 3600, tz=ZONE).utcoffset() or _NORMAL
    return offset // timedelta(microseconds=1)


def utc(ts_us: int) -> datetime:
    return datetime.fromtimestamp(ts_us // 1_000_000, tz=UTC).replace(microsecond=ts_us % 1_000_000)


_MINUTES: Final = tuple(f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_SECONDS: Final = tuple(f"{second:02}." for second in range(60))
_MILLIS: Final = tuple(f"{number:03}" for number in range(1000))


@lru_cache(maxsize=64)
def _day_text(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def clock(ts_us: int, *, sep: str = "T", micro: bool = False) -> str:
    """A moment of UTC as text, in milliseconds or microseconds, without its zone.

    Much of a drill's work is telling the time: its parts are made once, and looked up.
    """
    second, rest = divmod(ts_us, 1_000_000)
    minute, second = divmod(second, 60)
    day, minute = divmod(minute, 1440)
    below = f"{rest:06}" if micro else _MILLIS[rest // 1000]
    return f"{_day_text(day)}{sep}{_MINUTES[minute]}{_SECONDS[second]}{below}"


class Hours:
    """Draws times of a day by its shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._bounds: list[int] = []
        for weight in shape:
            self._bounds.append(weight + (self._bounds[-1] if self._bounds else 0))

    def draw(self, dice: Dice, day_us: int) -> int:
        hour = bisect_right(self._bounds, dice.random() * self._bounds[-1])
        return day_us + int((hour + dice.random()) * HOUR_US)


OFFICE: Final = Hours(_OFFICE)
SITTING: Final = Hours(_SITTING)
PUBLIC: Final = Hours(_PUBLIC)
EVEN: Final = Hours((1,) * 24)
