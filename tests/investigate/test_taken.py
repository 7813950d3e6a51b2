"""Whoever took a machine is known again by the address that he came from, if few others have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from investigate.made import DAY, HOUR, RULES, Happened, rule, told
from tocsin.investigate import gather
from tocsin.model.incident import Incident

AIMS = tuple(replace(one, tactics=("credential-access",)) if one.id == "high-1" else one for one in RULES)
FROM = {"peer_address": "203.0.113.9"}
TOOK = Happened(at=DAY, host="web", rules=(rule("high"), rule("high", 1)), roles=FROM)


def later(days: float, level: int = rule("medium", 2), **who: str) -> Happened:
    roles = {"principal": "mere@house.example", "address": "203.0.113.9", **who}
    return Happened(at=int(DAY + days * DAY), host="", kind="azure", rules=(level,), path="azure.json", roles=roles)


def gathered(happened: list[Happened], folder: Path) -> tuple[Incident, ...]:
    findings, traces = told(happened, folder)
    return gather(findings, AIMS, traces)


def test_what_comes_back_from_the_same_address_is_theirs(tmp_path: Path) -> None:
    (one,) = gathered([TOOK, later(9)], tmp_path)
    assert any("203.0.113.9" in join.because for join in one.joins)


@pytest.mark.parametrize(
    "other",
    [later(15), later(-0.9), later(9, address="203.0.113.10"), later(9, address="10.0.0.9")],
)
def test_not_for_ever_not_before_and_not_from_elsewhere(tmp_path: Path, other: Happened) -> None:
    assert len(gathered([TOOK, other], tmp_path)) == 2


def test_an_address_of_many_people_is_nobodys(tmp_path: Path) -> None:
    crowd = [later(5 + number / 24, principal=f"p{number}@house.example") for number in range(9)]
    (took,) = [one for one in gathered([TOOK, *crowd], tmp_path) if one.hosts]
    assert len(took.findings) == 2


def test_a_machine_that_was_not_taken_claims_nothing(tmp_path: Path) -> None:
    seen = Happened(at=DAY, host="web", rules=(rule("high"),), roles=FROM)
    assert len(gathered([seen, later(9)], tmp_path)) == 2
    assert len(gathered([replace(seen, at=DAY - HOUR), later(9)], tmp_path)) == 2


@pytest.mark.parametrize(("other", "theirs"), [("web", True), ("db", False)])
def test_a_rule_on_each_of_two_machines_took_neither(tmp_path: Path, other: str, theirs: bool) -> None:
    """Remote execution by an administrator is seen on both sides; what is found on one days later is another thing."""
    seen = [
        Happened(at=DAY, host="web", rules=(rule("high"),), roles=FROM),
        Happened(at=DAY + HOUR // 60, host=other, rules=(rule("high", 1),), roles=FROM),
        Happened(at=4 * DAY, host="web", rules=(rule("high", 2),)),
    ]
    assert (len(gathered(seen, tmp_path)) == 1) is theirs
