"""The name of a time zone in, the zone out, or in plain words why there is none."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tocsin.errors import SettingsError

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE | re.ASCII)


def named(text: str, what: str) -> tzinfo:
    """A zone by its name (`Europe/Zurich`) or as an offset from UTC (`+01:00`).

    Args:
        what: where the name stands, for those who have to mend it.

    Raises:
        SettingsError: there is no such zone, or the machine has no table of them.
    """
    text = text.strip()
    if text.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if shifted := _OFFSET.fullmatch(text):
        hours, minutes = int(shifted[2]), int(shifted[3] or 0)
        if hours < 24 and minutes < 60:
            offset = timedelta(hours=hours, minutes=minutes)
            return timezone(-offset if shifted[1] == "-" else offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if not available_timezones():
            raise SettingsError(
                f"{what} {text}: this machine has no table of time zones",
                hint="Install the system's tzdata, or `pip install tzdata`; an offset such as +01:00 needs none.",
            ) from error
        raise SettingsError(
            f"{what} {text}: there is no such time zone",
            hint="Write a name such as Europe/Zurich, or an offset such as +01:00.",
        ) from error
