"""What recurs is routine, what is new is not, a request that nothing came of is an attempt; all of it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from investigate.made import DAY, HOUR, RULES, SECOND, Happened, rule, told
from tocsin.investigate import gather
from tocsin.investigate.routine import ATTEMPT, BECAUSE, RECURRING
from tocsin.investigate.shapes import Shapes, folded
from tocsin.model.correlation import Correlated, Place
from tocsin.model.finding import Finding
from tocsin.model.incident import Incident
from tocsin.model.indicator import Indicator

BACKUP = r"C:\Windows\System32\vssadmin.exe"
OTHER = r"C:\Windows\System32\ntdsutil.exe"


def gathered(happened: Sequence[Happened], folder: Path, *, quieten: bool = True) -> tuple[Incident, ...]:
    findings, traces = told(happened, folder)
    return gather(findings, RULES, traces, quieten=quieten)


def daily(days: range, host: str = "a", **roles: str) -> list[Happened]:
    return [
        Happened(at=day * DAY, host=host, rules=(rule("high"),), roles={"image": BACKUP, **roles})  # type: ignore[dict-item]
        for day in days
    ]


def test_what_recurs_since_the_logs_begin_is_routine_and_told(tmp_path: Path) -> None:
    found = gathered(daily(range(6)), tmp_path)
    assert {one.rank for one in found} == {"background"}
    assert {one.score for one in found} == {0.0}
    assert all(BECAUSE[RECURRING] in folded.because for one in found for folded in one.folded)
    assert all(one.folded for one in found)
    assert {one.rank for one in gathered(daily(range(6)), tmp_path, quieten=False)} == {"review"}


def test_that_somebody_calls_a_known_bad_place_every_day_makes_it_no_better(tmp_path: Path) -> None:
    findings, traces = told(daily(range(6)), tmp_path)
    bad = Indicator(id="x", title="x", pattern="[ipv4-addr:value = '203.0.113.9']")
    rules = [replace(one, indicator=bad) for one in RULES]
    assert {one.rank for one in gather(findings, rules, traces)} == {"review"}


def test_four_days_are_no_custom(tmp_path: Path) -> None:
    assert {one.rank for one in gathered(daily(range(4)), tmp_path)} == {"review"}


def test_an_intruder_who_comes_every_day_comes_late(tmp_path: Path) -> None:
    begins = Happened(at=0, host="b", rules=(rule("low"),))
    found = gathered([begins, *daily(range(8, 20))], tmp_path)
    assert {one.rank for one in found if one.level == "high"} == {"review"}


def test_what_several_do_since_the_logs_begin_is_routine_for_who_comes_later(tmp_path: Path) -> None:
    steps = [one for number in range(3) for one in daily(range(number, 9, 3), f"h{number}")]
    found = gathered([*steps, *daily(range(8, 9), "new")], tmp_path)
    assert {one.rank for one in found} == {"background"}
    # Two are not several: what the third does is new.
    found = gathered([*(one for one in steps if one.host != "h2"), *daily(range(8, 9), "new")], tmp_path)
    assert "review" in {one.rank for one in found}


def test_who_signs_in_to_the_cloud_as_others_do_every_day_is_no_routine(tmp_path: Path) -> None:
    def signs_in(day: int, who: str, host: str = "") -> Happened:
        return Happened(
            at=day * DAY, host=host, kind="azure", act="logon", rules=(rule("high"),), roles={"principal": f"{who}@a.b"}
        )

    others = [signs_in(day, f"p{day % 3}") for day in range(18)]
    found = gathered([*others, signs_in(18, "new")], tmp_path)
    assert {one.rank for one in found if one.first_us == max(each.first_us or 0 for each in found)} == {"review"}
    assert sum(one.rank == "background" for one in found) >= 3, "who does it every day himself is lowered"
    assert {one.rank for one in gathered([signs_in(day, "p") for day in range(18)], tmp_path)} == {"background"}


def test_many_late_comers_make_no_custom(tmp_path: Path) -> None:
    begins = Happened(at=0, host="b", rules=(rule("low"),))
    found = gathered(
        [begins, *(one for day in range(10, 20) for one in daily(range(day, day + 1), f"h{day}"))], tmp_path
    )
    assert {one.rank for one in found if one.level == "high"} == {"review"}


def test_something_new_of_the_same_rule_stays(tmp_path: Path) -> None:
    new = Happened(at=5 * DAY + HOUR, host="a", rules=(rule("high"),), roles={"image": OTHER})
    found = gathered([*daily(range(6)), new], tmp_path)
    (kept,) = [one for one in found if one.rank == "review"]
    assert any(one.repeats == 0 for one in kept.findings)
    assert kept.score == 16.0


def test_routine_of_a_tree_with_something_new_of_weight_is_none(tmp_path: Path) -> None:
    steps = [
        *(
            Happened(
                at=day * DAY,
                host="a",
                act="start",
                rules=(rule("medium"),),
                roles={"guid": f"{{{day}-1}}", "image": BACKUP},
            )
            for day in range(6)
        ),
        Happened(
            at=5 * DAY + SECOND,
            host="a",
            act="start",
            rules=(rule("high", 1),),
            roles={"guid": "{9-9}", "parent_guid": "{5-1}", "image": OTHER},
        ),
    ]
    found = gathered(steps, tmp_path)
    (kept,) = [one for one in found if one.rank != "background"]
    assert kept.because[:2] == ("1 rule of level high", "1 rule of level medium")
    assert sum(one.rank == "background" for one in found) == 5


def _started_daily(days: int) -> list[Happened]:
    """What the server's process `{7-7}` starts each day, each time in a process of its own."""
    return [
        Happened(
            at=day * DAY,
            host="a",
            act="start",
            rules=(rule("high"),),
            roles={"guid": f"{{{day}-1}}", "parent_guid": "{7-7}", "image": BACKUP},
        )
        for day in range(days)
    ]


def test_a_server_that_was_broken_into_goes_on_doing_its_work(tmp_path: Path) -> None:
    """Children of one process: those that come every day stay routine, the new one does not."""
    steps = [
        Happened(at=0, host="a", act="start", roles={"guid": "{7-7}", "image": r"C:\srv\w3wp.exe"}),
        *_started_daily(6),
        Happened(
            at=5 * DAY + SECOND,
            host="a",
            act="start",
            rules=(rule("high", 1),),
            roles={"guid": "{9-9}", "parent_guid": "{7-7}", "image": OTHER},
        ),
    ]
    (kept,) = [one for one in gathered(steps, tmp_path) if one.rank != "background"]
    assert kept.because[0] == "1 rule of level high"


def test_what_a_web_server_starts_every_day_is_routine_though_it_wrote_something_grave_itself(tmp_path: Path) -> None:
    """A launcher starts what anybody asks for: that one of them was an intruder says nothing of the others."""
    server = {"guid": "{7-7}", "image": r"C:\srv\w3wp.exe"}
    steps = [
        Happened(at=0, host="a", act="start", roles=server),
        *_started_daily(8),
        Happened(at=3 * DAY, host="a", rules=(rule("high", 1),), roles=server),
    ]
    (kept,) = [one for one in gathered(steps, tmp_path) if one.rank != "background"]
    assert kept.because[0] == "1 rule of level high"


def test_daily_work_is_not_put_beside_an_incident_because_it_is_near(tmp_path: Path) -> None:
    who = {"account": r"HOUSE\mere", "logon": "0x77"}
    new = Happened(at=5 * DAY + 60 * SECOND, host="a", rules=(rule("high", 1),), roles={"image": OTHER, **who})
    found = gathered([*daily(range(6), **who), new], tmp_path)
    (kept,) = [one for one in found if one.rank != "background"]
    assert [one.rule_id for one in kept.findings] == ["high-1"]
    assert sum(1 + one.repeats for each in found for one in each.findings) == 7


@pytest.mark.parametrize(("days", "rank"), [(3, "review"), (2, "act now")])
def test_what_was_there_on_several_days_before_is_no_second_thing_of_weight(
    tmp_path: Path, days: int, rank: str
) -> None:
    """A script of the house runs now and then; an administrator comes a minute after."""
    last = 3 * days
    script = [replace(one, at=3 * day * DAY) for day, one in enumerate(daily(range(days + 1)))]
    also = Happened(at=last * DAY + 60 * SECOND, host="a", rules=(rule("high", 1),), roles={"image": OTHER})
    found = gathered([*script, also], tmp_path)
    (told_of,) = [one for one in found if "high-1" in {each.rule_id for each in one.findings}]
    assert told_of.rank == rank
    assert len(told_of.findings) == 2


def test_a_correlation_is_not_joined_by_those_of_its_events_that_happen_every_day(tmp_path: Path) -> None:
    new = Happened(at=5 * DAY + HOUR, host="a", rules=(rule("high", 1),), roles={"image": OTHER})
    findings, traces = told([*daily(range(6)), new], tmp_path)
    events = tuple(Place(ts_us=one.ts_us or 0, path=one.path, rec=one.rec, chunk=one.chunk) for one in findings)
    seen = Correlated(type="event_count", value=7.0, group={}, first_us=0, last_us=0, count=len(events), events=events)
    tied = replace(findings[-1], rule=rule("critical"), correlated=seen)
    (kept,) = [one for one in gather([*findings, tied], RULES, traces) if one.rank != "background"]
    assert {one.rule_id for one in kept.findings} == {"high-1", "critical-0"}


def test_a_request_that_nothing_came_of_is_an_attempt(tmp_path: Path) -> None:
    asked = [
        Happened(at=hour * HOUR * 3, host="w", kind="webserver", rules=(rule("high"), rule("high", 1)), path="w.log")
        for hour in range(3)
    ]
    found = gathered(asked, tmp_path)
    assert {(one.rank, one.score) for one in found} == {("review", 0.0)}
    assert all(BECAUSE[ATTEMPT] in one.folded[0].because for one in found)
    assert {one.rank for one in gathered(asked, tmp_path, quieten=False)} == {"act now"}


@pytest.mark.parametrize(("after", "joins"), [(5 * 60 * SECOND, True), (HOUR, False)])
def test_a_request_right_before_something_on_the_server_is_none(tmp_path: Path, after: int, joins: bool) -> None:
    asked = Happened(at=0, host="w", kind="webserver", rules=(rule("high"),), path="w.log")
    did = Happened(at=after, host="w", rules=(rule("high", 1),))
    # A server that many ask joins nothing by itself.
    crowd = [
        Happened(at=0, host=f"c{number}", act="contact", roles={"peer": "w"}, path="crowd.jsonl") for number in range(9)
    ]
    found = gathered([asked, did, *crowd], tmp_path)
    assert (len(found) == 1) == joins
    assert ("act now" in {one.rank for one in found}) == joins


def test_numbers_change_and_words_do_not() -> None:
    assert folded(r"net use \\LC-FS01\c$ /port 49152") == folded(r"net use \\lc-fs02\c$ /port 51000")
    assert folded("a {0b5a93f2-1d5c-4c1a-8a3e-1b2c3d4e5f60}") == folded("a {1c5a93f2-1d5c-4c1a-8a3e-1b2c3d4e5f61}")
    assert folded("lt-84e7b5") == folded("lt-9aa1eb")
    assert folded("net user") != folded("net group")
    # Another command under the same cover is another thing, and so is another address of the internet.
    cover = "powershell -enc "
    assert folded(cover + "QUJD" * 12) != folded(cover + "QUJE" * 12)
    assert folded("203.0.113.7") != folded("203.0.113.8")
    assert folded("10.1.2.3") == folded("10.7.2.4")


def test_a_shape_is_of_what_the_rule_looked_at() -> None:
    def finding(**fields: str | None) -> Finding:
        return Finding(
            rule=1, variant="", ts_us=0, host="a", kind="windows", src="", rec=0, chunk=-1, path="p", fields=fields
        )

    shape = Shapes().number
    assert shape(finding(Image="a.exe", LogonId="0x11")) == shape(finding(Image="A.EXE", LogonId="0x22", X=None))
    assert shape(finding(Image="a.exe")) != shape(finding(Image="b.exe"))
    assert shape(finding(Image="a" * 9_000)) != shape(finding(Image="a" * 8_999 + "b"))


def test_what_is_critical_is_never_routine(tmp_path: Path) -> None:
    steps = [Happened(at=day * DAY, host="a", rules=(rule("critical"),)) for day in range(6)]
    assert {one.rank for one in gathered(steps, tmp_path)} == {"act now"}


def test_a_request_whose_answer_the_rule_asked_for_is_no_attempt(tmp_path: Path) -> None:
    asked = Happened(at=0, host="w", kind="webserver", rules=(rule("high"),), path="w.log")
    (finding,), traces = told([asked], tmp_path)
    (one,) = gather([replace(finding, fields={"sc-status": "200"})], RULES, traces)
    assert one.score == 16.0
    (one,) = gather([replace(finding, fields={"sc-status": "404"})], RULES, traces)
    assert one.score == 0.0


def test_one_wrong_clock_makes_no_custom(tmp_path: Path) -> None:
    begins = Happened(at=0, host="b", rules=(rule("low"),))
    wrong = Happened(at=20_000 * DAY, host="b", rules=(rule("low"),))
    others = [Happened(at=day * DAY, host="b", act="logon", roles={"account": "x"}) for day in range(20)]
    found = gathered([begins, *others, *daily(range(8, 20)), wrong], tmp_path)
    assert {one.rank for one in found if one.level == "high"} == {"review"}
