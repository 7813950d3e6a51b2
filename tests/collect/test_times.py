"""Times in every form that logs use, against the standard library's reading of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001  # a zone is drawn beside it
FORMS = st.sampled_from(["T", " "]).flatmap(
    lambda between: st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 9]).flatmap(
        lambda digits: st.sampled_from(["", "Z", "+00:00", "+02:00", "-09:30", "+0545", "-0000"]).map(
            lambda zone: (between, digits, zone)
        )
    )
)


def written(moment: datetime, form: tuple[str, int, str]) -> tuple[str, int]:
    """A time as a log writes it, and what it means."""
    between, digits, zone = form
    fraction = f"{moment.microsecond:06d}000"[:digits]
    kept = moment.replace(microsecond=int(fraction[:6].ljust(6, "0") or 0))
    text = kept.replace(microsecond=0).isoformat(between) + ("." + fraction if digits else "") + zone
    sign = -1 if zone.startswith("-") else 1
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) if len(zone) > 1 else timedelta()
    since = kept.replace(tzinfo=timezone(sign * away)) - EPOCH
    return text, since // timedelta(microseconds=1)


@given(st.lists(st.tuples(MOMENTS, FORMS), min_size=1, max_size=30))
def test_equals_the_standard_library(drawn: list[tuple[datetime, tuple[str, int, str]]]) -> None:
    pairs = [written(moment, form) for moment, form in drawn]
    assert microseconds([text for text, _ in pairs]).tolist() == [wanted for _, wanted in pairs]


@given(st.lists(MOMENTS, min_size=8, max_size=40), FORMS)
def test_equals_the_standard_library_where_all_have_one_form(
    moments: list[datetime], form: tuple[str, int, str]
) -> None:
    pairs = [written(moment, form) for moment in moments]
    assert microseconds([text for text, _ in pairs]).tolist() == [wanted for _, wanted in pairs]


@given(st.datetimes(datetime(1972, 1, 1), datetime(2200, 1, 1)), st.integers(0, 3))  # noqa: DTZ001  # UTC below
def test_numbers_since_1970_in_any_unit(moment: datetime, unit: int) -> None:
    micros = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    number = [micros // 1_000_000, micros // 1_000, micros, micros * 1_000][unit]
    wanted = [number * 1_000_000, number * 1_000, number, number // 1_000][unit]
    assert microseconds([number]).tolist() == [wanted]
    assert microseconds([f"/Date({micros // 1_000})/"]).tolist() == [micros // 1_000 * 1_000]


GARBAGE = [
    "", "-", "now", "2024", "2024-05-01T08:00:60Z", "2024-02-30T00:00:00Z", "2023-02-29 00:00:00",
    "0000-01-01T00:00:00",
    "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-05-00T00:00:00Z", "2024-05-01T25:00:00Z",
    "2024-05-01T08:61:00",
    "2024-05-01T08:00:00.", "2024-05-01T08:00:0x", "２０２４-05-01T08:00:00", "\ud800",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "/Date()/", "/Date(" + "9" * 5_000 + ")/", "/Date(-1)/",
    None, True, False, 0, -1, -5.5, 1e300, 2**64 * 10**9, [], {}, [1714550400], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", GARBAGE, ids=lambda value: ascii(value)[:30])
def test_what_is_no_time_has_none(value: Any) -> None:
    assert microseconds([value]).tolist() == [NO_TIME]
    assert microseconds([value] * 9).tolist() == [NO_TIME] * 9
    good = "2024-05-01T08:00:00Z"
    assert microseconds([good, value] * 9).tolist() == [1_714_550_400_000_000, NO_TIME] * 9


@given(st.lists(st.text("0123456789-:.TZ +", min_size=15, max_size=30) | st.text(), max_size=20))
def test_one_by_one_and_together_are_the_same(texts: list[str]) -> None:
    assert microseconds(texts).tolist() == [int(microseconds([text])[0]) for text in texts]
    for text in texts:
        assert microseconds([text] * 8).tolist() == [int(microseconds([text])[0])] * 8
