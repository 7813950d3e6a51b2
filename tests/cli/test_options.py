"""Words of the command line that stand for a zone."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.cli import options
from tocsin.collect import zones
from tocsin.collect.clock import name_of
from tocsin.errors import SettingsError

MARCH = datetime(2026, 3, 1, 12)  # noqa: DTZ001  # a local time


@pytest.mark.parametrize(
    ("text", "hours", "assumed"),
    [
        (None, 0.0, "UTC"),
        ("utc", 0.0, "UTC"),
        ("Z", 0.0, "UTC"),
        ("+1", 1.0, "UTC+01:00"),
        ("+05:30", 5.5, "UTC+05:30"),
        ("-0930", -9.5, "UTC-09:30"),
        ("UTC+2", 2.0, "UTC+02:00"),
        ("Europe/Zurich", 1.0, "Europe/Zurich"),
        ("America/St_Johns", -3.5, "America/St_Johns"),
    ],
)
def test_zones(text: str | None, hours: float, assumed: str) -> None:
    zone = options.zone(text)
    assert MARCH.replace(tzinfo=zone).utcoffset() == timedelta(hours=hours)
    assert name_of(zone) == assumed


@pytest.mark.parametrize(
    "text", ["Mars/North", "../etc/passwd", "/etc/passwd", "+25", "+01:75", "+1:2:3", " x ", "\x00"]
)
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(SettingsError, match="there is no such time zone") as caught:
        options.zone(text)
    assert "Europe/Zurich" in caught.value.hint


def test_a_machine_without_a_table_of_zones_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError

    monkeypatch.setattr(zones, "ZoneInfo", missing)
    monkeypatch.setattr(zones, "available_timezones", set)
    with pytest.raises(SettingsError, match="no table of time zones") as caught:
        options.zone("Europe/Zurich")
    assert "tzdata" in caught.value.hint
    assert options.zone("+01:00").utcoffset(None) == timedelta(hours=1)
    assert options.zone("UTC") is UTC
