"""A layer is of one release of ATT&CK, and tells what that release has no technique for."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tocsin.learn import attack
from tocsin.model.attack import NO_FACTS
from tocsin.model.coverage import RuleCoverage
from tocsin.model.run import Run
from tocsin.output.formats import navigator

FACTS = attack.shipped()


def layer_of(run: Run, *rules: tuple[str, str, int], wanted: str = "", facts: Any = FACTS) -> dict[str, Any]:
    """The layer for rules of (release, techniques, findings)."""
    made = tuple(
        replace(
            run.rules.rules[0],
            title=f"Rule {place}",
            techniques=tuple(techniques.split()),
            attack_release=release,
        )
        for place, (release, techniques, _) in enumerate(rules)
    )
    entries = tuple(
        RuleCoverage(rule=place, state="fired" if count else "silent", findings=count)
        for place, (_, _, count) in enumerate(rules)
    )
    run = replace(
        run,
        rules=replace(run.rules, rules=made),
        coverage=replace(run.coverage, rules=entries),
        attack=facts,
        attack_release=wanted,
    )
    file = io.StringIO()
    navigator.write(run, file)
    layer: dict[str, Any] = json.loads(file.getvalue())
    return layer


def scores(layer: dict[str, Any]) -> dict[str, int]:
    return {one["techniqueID"]: one["score"] for one in layer["techniques"]}


def told(layer: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in layer["metadata"] if one["name"] != "tool"}


def test_two_releases_become_the_newer_one(run: Run) -> None:
    layer = layer_of(run, ("19", "T1685 T1059", 2), ("18", "T1562.001 T1562.006 T1070.001", 3), ("", "T1059", 4))
    assert layer["versions"]["attack"] == "19"
    assert scores(layer) == {"T1059": 6, "T1685": 5, "T1685.005": 3}
    comments = {one["techniqueID"]: one["comment"] for one in layer["techniques"]}
    assert comments["T1685"] == "Rule 1 [T1562.001, T1562.006] (3)\nRule 0 (2)"
    assert comments["T1685.005"] == "Rule 1 [T1070.001] (3)"
    assert "tagged for ATT&CK 18 are translated to release 19" in layer["description"]
    assert told(layer) == {}


def test_an_older_release_can_be_wanted(run: Run) -> None:
    layer = layer_of(run, ("19", "T1685 T1685.005 T1027.018 T1682", 2), ("19", "T1682", 5), wanted="18")
    assert layer["versions"]["attack"] == "18"
    assert scores(layer) == {"T1562": 2, "T1070.001": 2, "T1027": 2}
    assert told(layer) == {"not in this layer: T1682": "nothing there corresponds to it (findings: 7)"}
    assert layer["description"].endswith(" Not in this layer, because release 18 has none for them: T1682.")


def test_one_release_is_left_as_it_is(run: Run) -> None:
    for name in ("18", "19"):
        layer = layer_of(run, (name, "T1059.001", 1))
        assert layer["versions"]["attack"] == name
        assert "translated" not in layer["description"]


def test_numbers_that_were_withdrawn_long_ago(run: Run) -> None:
    for name in ("18", "19", ""):
        layer = layer_of(run, (name, "T1086 T1153 T9999", 1))
        assert scores(layer) == {"T1059.001": 1}
        assert told(layer) == {
            "not in this layer: T1153": "was withdrawn there (findings: 1)",
            "not in this layer: T9999": "no release has it that is known here (findings: 1)",
        }


def test_a_newer_number_in_a_rule_of_an_older_release(run: Run) -> None:
    assert scores(layer_of(run, ("18", "T1685.005", 1))) == {"T1070.001": 1}
    assert scores(layer_of(run, ("19", "T1070.001", 1))) == {"T1685.005": 1}


def test_rules_that_tell_no_release_are_read_as_of_the_newest(run: Run) -> None:
    layer = layer_of(run, ("", "T1059", 1))
    assert layer["versions"]["attack"] == "19"
    assert layer_of(run)["versions"]["attack"] == "19"


def test_rules_without_findings_have_no_say(run: Run) -> None:
    layer = layer_of(run, ("18", "T1562.001", 1), ("19", "T1685", 0))
    assert layer["versions"]["attack"] == "18"
    assert scores(layer) == {"T1562.001": 1}


@pytest.mark.parametrize("tagged", ["20", "18"])
def test_without_facts_about_the_release_nothing_is_judged(run: Run, tagged: str) -> None:
    facts = FACTS if tagged == "20" else NO_FACTS
    layer = layer_of(run, (tagged, "T1562.001 T9999", 1), facts=facts)
    assert layer["versions"]["attack"] == tagged
    assert scores(layer) == {"T1562.001": 1, "T9999": 1}


@pytest.mark.parametrize("wanted", ["18", "19"])
def test_every_technique_of_both_releases_has_a_place_or_is_listed(run: Run, wanted: str) -> None:
    release = FACTS.release(wanted)
    assert release is not None
    every = {one.id for known in FACTS.releases for one in known.entries.values() if one.kind == "technique"}
    layer = layer_of(run, *(("", one, 1) for one in sorted(every)), wanted=wanted)
    shown = scores(layer)
    assert all(release.entries[one].state == "live" for one in shown)
    assert sum(shown.values()) + len(told(layer)) == len(every)
