"""Whether a technique could be seen: by the rules that are for it, and by the logs that these have."""

from __future__ import annotations

from harden.conftest import facts, numbered, release, rule, state
from tocsin.harden import watching
from tocsin.model.coverage import RuleCoverage
from tocsin.model.hardening import Sight
from tocsin.model.rule import Rule


def sights(rules: list[Rule], coverage: list[RuleCoverage] | None) -> dict[str, Sight]:
    found = watching(rules, coverage, facts(), release())
    return {
        entry.name.removeprefix("Way "): found.sight(entry.id, entry.tactics) for entry in release().entries.values()
    }


def test_every_state() -> None:
    rules = [rule(0, "T1"), rule(1, "T2"), rule(2, "T3.001"), rule(3, "T4"), rule(4, "T4"), rule(5, "T5")]
    coverage = [
        state(0, "silent"),
        state(1, "no log source", "linux/auditd"),
        state(2, "fired"),
        state(3, "no log source", "zeek/conn"),
        state(4, "field absent", "CommandLine"),
        state(5, "silent"),
    ]
    assert sights(rules, coverage) == {
        "T1": "could detect",
        "T2": "no logs",
        "T3": "in part",  # a rule is for a part of it alone
        "T3.001": "could detect",
        "T4": "no logs",
        "T5": "outside",  # whatever rules there are
        "T6": "no rules",
    }
    found = watching(rules, coverage, facts(), release())
    assert dict(found.missing(numbered("T4"))) == {"zeek/conn": 1, "windows/process_creation": 1}
    assert (found.rules(numbered("T4")), found.able(numbered("T4"))) == (2, 0)


def test_one_rule_that_could_fire_is_enough() -> None:
    told = sights([rule(0, "T1"), rule(1, "T1")], [state(0, "no log source", "a"), state(1, "silent")])
    assert told["T1"] == "could detect"


def test_without_evidence_nothing_is_said_of_what_could_be_seen() -> None:
    told = sights([rule(0, "T1"), rule(1, "T5")], None)
    assert told["T1"] == "not tried"
    assert told["T2"] == "no rules"
    assert told["T5"] == "outside"


def test_what_the_release_does_not_know_is_told() -> None:
    assert watching([rule(0, "T9")], [state(0, "silent")], facts(), release()).lost == (numbered("T9"),)
