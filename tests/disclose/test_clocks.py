"""Terms of laws: against a clock that is watched minute by minute, in many zones and on days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.disclose import clocks
from tocsin.errors import CaseError, SettingsError
from tocsin.model.notification import Law, Stage

ZONES = (
    *("UTC", "Europe/Brussels", "Europe/London", "Pacific/Auckland", "Australia/Lord_Howe", "America/St_Johns"),
    *("Pacific/Apia", "Africa/Casablanca", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo"),
)
moments = st.integers(1_293_840_000, 1_956_000_000).map(lambda one: datetime.fromtimestamp(one, UTC))  # 2011 to 2031


def law(*stages: Stage, zone: str = "Europe/Brussels") -> Law:
    return Law(
        id="x",
        jurisdiction="x",
        title="t",
        to="regulator",
        body="b",
        applies="a",
        when="",
        zone=zone,
        stages=stages,
        cites="c",
        url="u",
        checked="2026-11-28",
    )


def _watched(wall: datetime, there: ZoneInfo) -> datetime:
    """Look at a clock there once a minute, from two days before on: when does it first show this, or first more?

    What it skipped, it never shows: then the first minute behind the skip is the answer.
    """
    at = wall.replace(tzinfo=UTC) - timedelta(days=2)
    wanted = wall.replace(second=0, microsecond=0)
    shown = at.astimezone(there).replace(tzinfo=None)
    while shown < wanted:
        at += timedelta(minutes=1)
        shown = at.astimezone(there).replace(tzinfo=None)
    return at


@given(moments, st.sampled_from(ZONES))
@example(datetime(2026, 3, 29, 2, 30, tzinfo=UTC), "Europe/Brussels")  # skipped
@example(datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "Europe/Brussels")  # comes twice
@example(datetime(2026, 9, 27, 2, 15, tzinfo=UTC), "Pacific/Auckland")
@example(datetime(2026, 4, 5, 2, 15, tzinfo=UTC), "Pacific/Auckland")
@example(datetime(2026, 10, 4, 2, 10, tzinfo=UTC), "Australia/Lord_Howe")  # by half an hour
@example(datetime(2011, 12, 30, 12, 0, tzinfo=UTC), "Pacific/Apia")  # a day that was never there
@example(datetime(2018, 11, 4, 0, 0, tzinfo=UTC), "America/Sao_Paulo")  # midnight was skipped
def test_a_time_by_the_clock(moment: datetime, zone: str) -> None:
    wall, there = moment.replace(tzinfo=None, second=0, microsecond=0), ZoneInfo(zone)
    found = clocks.by_clock(wall, there)
    assert abs(found - _watched(wall, there)) < timedelta(seconds=1)


@given(moments, st.sampled_from(ZONES), st.sampled_from((24, 72)))
def test_hours_are_hours_on_every_day(moment: datetime, zone: str, hours: int) -> None:
    (term,) = clocks.terms(law(Stage(id="s", what="w", hours=hours), zone=zone), clocks.written(moment), {})
    assert clocks.moment(term.due_at) - moment.replace(microsecond=moment.microsecond) == timedelta(hours=hours)
    assert zone in term.local


def _months_by_hand(wall: datetime, months: int) -> datetime:
    """Turn the leaves of a calendar."""
    year, month = wall.year, wall.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for day in (wall.day, 30, 29, 28):
        try:
            return wall.replace(year=year, month=month, day=min(day, wall.day))
        except ValueError:
            continue
    raise AssertionError


@given(moments, st.sampled_from(ZONES), st.integers(1, 14))
@example(datetime(2026, 1, 31, 12, 0, tzinfo=UTC), "Europe/Brussels", 1)  # there is no 31 February
@example(datetime(2026, 2, 28, 1, 30, tzinfo=UTC), "Europe/Brussels", 1)
@example(datetime(2024, 1, 30, 23, 59, tzinfo=UTC), "Pacific/Auckland", 1)
def test_months_are_of_the_calendar_there(moment: datetime, zone: str, months: int) -> None:
    moment = moment.replace(second=0, microsecond=0)
    there = ZoneInfo(zone)
    (term,) = clocks.terms(law(Stage(id="s", what="w", months=months), zone=zone), clocks.written(moment), {})
    wanted = _watched(_months_by_hand(moment.astimezone(there).replace(tzinfo=None), months), there)
    assert abs(clocks.moment(term.due_at) - wanted) < timedelta(minutes=1)


def test_stages_run_from_each_other() -> None:
    nis2 = next(one for one in clocks.built_in() if one.id == "eu-nis2-23")
    aware = "2026-03-27T23:30:00.000000Z"  # clocks there change two days later
    warning, report, final = clocks.terms(nis2, aware, {})
    assert (warning.due_at, report.due_at) == ("2026-03-28T23:30:00.000000Z", "2026-03-30T23:30:00.000000Z")
    # In Brussels it is 01:30 on 31 March by then, and there is no 31 April.
    assert (final.due_at, final.latest) == ("2026-04-29T23:30:00.000000Z", True)
    *_, final = clocks.terms(nis2, aware, {"incident notification": "2026-03-28T10:00:00.000000Z"})
    assert (final.due_at, final.latest) == ("2026-04-28T09:00:00.000000Z", False), "summer time began between the two"


def test_guidance_is_told_apart_from_law() -> None:
    (term,) = clocks.terms(
        next(one for one in clocks.built_in() if one.id == "nz-privacy-114"), "2026-09-26T00:00:00.000000Z", {}
    )
    assert (term.advised, term.due_at) == (True, "2026-09-29T00:00:00.000000Z")
    assert term.local == "Tue 29 Sep 2026 13:00 Pacific/Auckland"
    (prompt,) = clocks.terms(
        next(one for one in clocks.built_in() if one.id == "nz-privacy-115"), "2026-09-26T00:00:00.000000Z", {}
    )
    assert (prompt.due_at, prompt.local.startswith("without delay")) == ("", True)


def test_the_table_is_whole() -> None:
    laws = clocks.built_in()
    assert len({one.id for one in laws}) == len(laws)
    for one in laws:
        assert one.cites
        assert one.url.startswith("https://")
        assert one.checked >= "2026-11-28"
        assert one.stages
        assert (one.to == "persons") == (one.body == "")
    figures = {
        (one.id, stage.id): (stage.hours, stage.months, stage.advised_hours) for one in laws for stage in one.stages
    }
    assert figures["eu-gdpr-33", "notification"] == (72, 0, 0)
    assert figures["eu-nis2-23", "early warning"] == (24, 0, 0)
    assert figures["eu-nis2-23", "final report"] == (0, 1, 0)
    assert figures["nz-privacy-114", "notification"] == (0, 0, 72)
    assert figures["uk-gdpr-33", "notification"] == (72, 0, 0)


_LAW = (
    "law = [{id='x',jurisdiction='x',title='',to='persons',body='',applies='',when='',zone='ZONE',cites='',"
    "url='',checked='',stage=[{id='a',what='',since='SINCE',hours=HOURS}]}]"
)


def _law(zone: str = "UTC", since: str = "awareness", hours: str = "1") -> str:
    return _LAW.replace("ZONE", zone).replace("SINCE", since).replace("HOURS", hours)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[law", r"laws\.toml"),
        ("[[law]]\nid='x'", "missing required field"),
        (_law(zone="Mars/Base"), "no time zone"),
        (_law(since="b"), "no earlier stage"),
        (_law(hours="-1"), "less than no time"),
    ],
)
def test_a_table_that_is_wrong(text: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        clocks.read(text, "laws.toml")
    assert clocks.read(_law(), "laws.toml")[0].stages[0].hours == 1


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(CaseError, match="stands where a time should"):
        clocks.moment("2026-13-99T99:99:99.999999Z")
    with pytest.raises(SettingsError, match="no law of it"):
        clocks.chosen(clocks.built_in(), ["atlantis"])
