"""The queue is made for people: equal things are one entry, context stands behind it, and none is lost."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigate.made import DAY, HOUR, RULES, Happened, rule, told
from investigate.test_properties import numbered, records
from tocsin.investigate import Queue, gather, queue


def queued(happened: Sequence[Happened], folder: Path) -> Queue:
    findings, traces = told(happened, folder)
    return queue(gather(findings, RULES, traces))


def test_equal_things_are_one_entry_with_a_list(tmp_path: Path) -> None:
    both = rule("medium"), rule("medium", 1)
    steps = [Happened(at=number * DAY, host=f"h{number}", rules=both) for number in range(4)]
    waiting = queued(steps, tmp_path)
    (one,) = waiting.incidents
    assert one.because[-1] == "a list of 4 that are alike, on 4 machines and 4 days"
    assert [(folded.host, folded.count, folded.index) for folded in one.folded] == [
        (f"h{number}", 1, -1) for _ in both for number in (1, 2, 3)
    ]
    assert all(folded.citations and "not to say" in folded.because for folded in one.folded)


def test_what_has_other_rules_is_another_entry(tmp_path: Path) -> None:
    steps = [Happened(at=number * DAY, host=f"h{number}", rules=(rule("high", number),)) for number in range(3)]
    assert len(queued(steps, tmp_path).incidents) == 3


def test_one_rule_of_level_medium_alone_is_listed_behind_the_queue(tmp_path: Path) -> None:
    waiting = queued([Happened(at=0, host="h", rules=(rule("medium"), rule("low")))], tmp_path)
    assert not waiting.incidents
    because = {one.rule_id: one.because for one in waiting.background}
    assert "names nobody outside" in because["medium-0"]
    assert "of low level" in because["low-0"]


@pytest.mark.parametrize(
    "another",
    [
        Happened(at=0, host="h", rules=(rule("medium"),), roles={"peer_address": "203.0.113.9"}),
        Happened(at=0, host="", kind="azure", rules=(rule("medium"),), roles={"principal": "mere@x.example"}),
        Happened(at=0, host="h", rules=(rule("high"),)),
        Happened(at=0, host="h", rules=(rule("medium"), rule("medium", 1))),
    ],
)
def test_what_can_be_asked_about_stays_in_the_queue(tmp_path: Path, another: Happened) -> None:
    assert len(queued([another], tmp_path).incidents) == 1


def test_medium_rules_that_have_half_in_common_are_one_list_and_high_ones_are_not(tmp_path: Path) -> None:
    for level, entries in (("medium", 1), ("high", 2)):
        first = Happened(at=0, host="a", rules=(rule(level), rule("medium", 1), rule("medium", 2)))
        second = Happened(at=DAY, host="b", rules=(rule(level), rule("medium", 3)))
        assert len(queued([first, second], tmp_path).incidents) == entries


def test_what_is_to_be_acted_on_is_never_folded(tmp_path: Path) -> None:
    steps = [Happened(at=0, host=f"h{number}", rules=(rule("high"), rule("high", 1))) for number in range(3)]
    assert [one.rank for one in queued(steps, tmp_path).incidents] == ["act now"] * 3


def test_context_stands_behind_the_queue(tmp_path: Path) -> None:
    steps = [Happened(at=number * DAY, host=f"h{number % 2}", rules=(rule("low"),)) for number in range(4)]
    waiting = queued(steps, tmp_path)
    assert not waiting.incidents
    (one,) = waiting.background
    assert (one.count, one.hosts, one.days, one.on) == (4, 2, 4, ("h0", "h1"))
    assert one.first_us is not None
    assert one.last_us == one.first_us + 3 * DAY
    assert len(one.citations) == 4


@given(st.lists(records(), max_size=25))
@settings(deadline=None, max_examples=60)
def test_none_is_lost(happened: list[Happened]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        waiting = queued(numbered(happened), Path(folder))
    held: Counter[str] = Counter()
    for incident in waiting.incidents:
        for one in incident.findings:
            held[one.rule_id] += 1 + one.repeats
        for folded in incident.folded:
            if folded.index < 0:
                held[folded.rule_id] += folded.count
    for behind in waiting.background:
        held[behind.rule_id] += behind.count
    assert held == Counter(RULES[number].id for one in happened for number in one.rules)


@pytest.mark.parametrize(("apart", "rank"), [(HOUR // 2, "act now"), (3 * HOUR, "review")])
def test_two_things_of_a_person_of_a_cloud_are_one_doing_within_the_hour(tmp_path: Path, apart: int, rank: str) -> None:
    who = {"principal": "mere@house.example"}
    steps = [
        Happened(at=number * apart, host="", kind="azure", rules=(rule("high", number),), roles=who)
        for number in range(2)
    ]
    (one,) = queued(steps, tmp_path).incidents
    assert one.rank == rank
