"""What a permit covers is told apart with its reason; whatever does not say who did it, or is outside, stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from investigate.made import BEGIN, HOUR, RULES, SECOND, Happened, rule, told
from tocsin.investigate import Queue, gather, queue
from tocsin.investigate.routine import BECAUSE, PERMITTED
from tocsin.model.permit import Permit

PERMIT = Permit(
    id="p",
    title="a test",
    authority="the service",
    tester="somebody",
    contact="",
    from_us=BEGIN - HOUR,
    until_us=BEGIN + HOUR,
    hosts=("web1.house.example",),
    addresses=("203.0.113.9",),
    accounts=("HOUSE\\tester",),
    signed=("key",),
)
TEST = Happened(
    at=0, host="web1", rules=(rule("high"), rule("high", 1)), roles={"account": "HOUSE\\tester", "guid": "{a}"}
)


def queued(happened: list[Happened], folder: Path, permits: tuple[Permit, ...] = (PERMIT,)) -> Queue:
    findings, traces = told(happened, folder)
    return queue(gather(findings, RULES, traces, permits=permits))


def test_a_permitted_test_is_listed_and_not_queued(tmp_path: Path) -> None:
    waiting = queued([TEST], tmp_path)
    assert not waiting.incidents
    assert {(one.rule_id, one.because) for one in waiting.background} == {
        ("high-0", BECAUSE[PERMITTED]),
        ("high-1", BECAUSE[PERMITTED]),
    }
    assert queued([TEST], tmp_path, ()).incidents[0].rank == "act now"


@pytest.mark.parametrize(
    "other",
    [
        replace(TEST, at=2 * HOUR),
        replace(TEST, at=-2 * HOUR),
        replace(TEST, at=None),
        replace(TEST, host="web2"),
        replace(TEST, roles={"account": "HOUSE\\mere"}),
        replace(TEST, roles={"peer_address": "203.0.113.10"}),
        replace(TEST, roles={}),
    ],
)
def test_what_is_outside_of_it_stays(tmp_path: Path, other: Happened) -> None:
    assert queued([other], tmp_path) == queued([other], tmp_path, ())
    assert queued([other], tmp_path).incidents


def test_a_breach_on_the_same_machine_holds_nothing_of_the_test(tmp_path: Path) -> None:
    breach = Happened(at=60 * SECOND, host="web1", rules=(rule("high", 2), rule("critical")), roles={"account": "H\\x"})
    (one,) = queued([TEST, breach], tmp_path).incidents
    assert {finding.rule_id for finding in one.findings} == {"high-2", "critical-0"}
    (both,) = queued([TEST, breach], tmp_path, ()).incidents
    assert len(both.findings) == 4
