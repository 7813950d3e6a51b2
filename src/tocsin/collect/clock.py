"""Times that leave out their year or zone in, UTC microseconds out, and a word on what was assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from tocsin.model.event import NO_TIME

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SLACK: Final = timedelta(days=1)  # clocks differ, and a file's zone is not its server's

# What a format tells in `mended` of times that leave something out.
ZONE_ASSUMED: Final = "time without a zone: it was assumed"
YEAR_ASSUMED: Final = "time without a year: it was assumed"
YEAR_AND_ZONE_ASSUMED: Final = "time without a year and a zone: they were assumed"
NO_TIME_TOLD: Final = "no time in it"
ASSUMED: Final = frozenset({ZONE_ASSUMED, YEAR_ASSUMED, YEAR_AND_ZONE_ASSUMED, NO_TIME_TOLD})


def assumed(*, year: bool, zone: bool) -> str:
    """What to tell of a time whose year or zone was assumed; '' where neither was."""
    if year:
        return YEAR_AND_ZONE_ASSUMED if zone else YEAR_ASSUMED
    return ZONE_ASSUMED if zone else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What is known of a source's clock.

    Args:
        zone: of times that name none.
        latest_us: when the source was last written to (UTC microseconds): none of its records is from later.
            None where nobody knows.
    """

    zone: tzinfo = UTC
    latest_us: int | None = None

    def local(self, moment: datetime) -> int:
        """UTC microseconds of a time that may lack a zone; `NO_TIME` past the ends of the calendar."""
        try:
            aware = moment.replace(tzinfo=self.zone) if moment.tzinfo is None else moment
            since = aware - _EPOCH
        except (OverflowError, ValueError):
            return NO_TIME
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def local_of(self, text: str) -> int:
        """The same of a text: ISO 8601, also with slashes between the parts of the date."""
        try:
            return self.local(datetime.fromisoformat(text.strip().replace("/", "-")))
        except ValueError:
            return NO_TIME

    def year_of(self, month: int, day: int) -> int:
        """The latest year in which this day is not after the source's last change (RFC 3164 §4.1.2 gives none)."""
        latest = _EPOCH + timedelta(microseconds=self.latest_us) if self.latest_us is not None else datetime.now(UTC)
        last = (latest + _SLACK).astimezone(self.zone)
        year = last.year if (month, day) <= (last.month, last.day) else last.year - 1
        while (month, day) == (2, 29) and (year % 4 or (year % 100 == 0 and year % 400)):
            year -= 1
        return year


def name_of(zone: tzinfo) -> str:
    """`Europe/Zurich`, `UTC`, or the offset as `UTC+01:00`."""
    return str(getattr(zone, "key", zone))
