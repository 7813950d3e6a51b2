"""Words of a command line in, what they mean out; and what a shell may complete them to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tocsin.errors import SettingsError

# Named here and not taken from the drawer, whose import a mere `--help` need not pay for; a test compares.
FORMATS: Final = ("table", "jsonl", "csv", "timesketch", "navigator", "coverage", "custody")
STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE | re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def window(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """From when, and before when, in UTC microseconds."""
    start = _moment("--since", since) if since else None
    end = _moment("--until", until, whole_day=True) if until else None
    if start is not None and end is not None and start >= end:
        raise SettingsError(
            f"--since {since} is not before --until {until}", hint="Nothing lies between them: exchange them?"
        )
    return start, end


def _moment(option: str, text: str, *, whole_day: bool = False) -> int:
    """A date stands for its first moment, or with `whole_day` for the first one after it."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if whole_day and len(text.strip()) <= len("2020-W01-1") and not {":", "T"} & set(text):
            moment += timedelta(days=1)
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            f"{option} {text}: not a date or time",
            hint="Write it as 2026-03-14, 2026-03-14T03:00 or 2026-03-14T03:00:00+01:00.",
        ) from error


def zone(text: str) -> tzinfo:
    """A zone by its name (`Europe/Zurich`) or as an offset from UTC (`+01:00`)."""
    text = text.strip()
    if text.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if shifted := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(shifted[2]), minutes=int(shifted[3] or 0))
        if offset < timedelta(days=1) and int(shifted[3] or 0) < 60:
            return timezone(-offset if shifted[1] == "-" else offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if not available_timezones():
            raise SettingsError(
                f"--timezone {text}: this machine has no table of time zones",
                hint="Install the system's tzdata, or `pip install tzdata`; an offset such as +01:00 needs none.",
            ) from error
        raise SettingsError(
            f"--timezone {text}: there is no such time zone",
            hint="Write a name such as Europe/Zurich, or an offset such as +01:00.",
        ) from error


def statuses(named: Sequence[str]) -> list[str]:
    for name in named:
        if name not in STATUSES:
            raise SettingsError(f"--status {name}: rules have no such status", hint=f"There are {', '.join(STATUSES)}.")
    return list(named)


def complete_statuses(incomplete: str) -> list[str]:
    return [name for name in STATUSES if name.startswith(incomplete)]


def complete_formats(incomplete: str) -> list[str]:
    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_packs(incomplete: str) -> list[str]:
    """Packs that were added; a shell completes paths by itself when there is none."""
    from tocsin.learn import packs

    return [pack.name for pack in packs.packs() if pack.name.startswith(incomplete)]
