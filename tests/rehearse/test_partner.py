"""What the ally tells is well formed, and shares with our evidence what it says it does, and nothing else."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from stix2patterns.validator import validate

from rehearse.conftest import Drill
from tocsin import pipeline
from tocsin.border import files
from tocsin.model.rule import RuleText
from tocsin.rehearse import recalled


@pytest.fixture(scope="module")
def known(drill: Drill) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((drill.made.partner / "known.json").read_bytes())
    return told


@pytest.fixture(scope="module")
def evidence(drill: Drill) -> str:
    return "\n".join(path.read_text(encoding="utf-8").lower() for path in drill.made.logs.rglob("*") if path.is_file())


def test_every_indicator_of_the_bundle_can_be_hunted_and_names_its_time(drill: Drill, known: dict[str, Any]) -> None:
    bundle = json.loads((drill.made.partner / "bundle.json").read_bytes())
    ids = [one["id"] for one in bundle["objects"]]
    assert len(set(ids)) == len(ids)
    for one in bundle["objects"]:
        assert one["spec_version"] == "2.1"
        assert uuid.UUID(one["id"].partition("--")[2]).variant == uuid.RFC_4122
        if one["type"] == "indicator":
            assert validate(one["pattern"], stix_version="2.1")
            assert one["valid_from"] < one.get("valid_until", "9")
        for name in ("source_ref", "target_ref", "created_by_ref"):
            assert one.get(name, ids[0]) in ids
    read = files.read([str(drill.made.partner / "bundle.json")])
    assert {one.id for one in read.indicators} == {one["id"] for one in known["indicators"]}
    assert not [one for one in read.left_out if one.reason == "cannot be used"]


def test_what_is_shared_is_in_the_evidence_and_what_the_ally_alone_met_is_not(
    evidence: str, known: dict[str, Any]
) -> None:
    for one in known["indicators"]:
        if not one["revoked"]:
            assert (one["value"] in evidence) == one["shared"], one


def test_the_bundle_is_no_answer_sheet(drill: Drill, known: dict[str, Any]) -> None:
    """Most of the addresses and domains that the stories use are unknown to the ally, and some of its own are there."""
    ours = {value for one in drill.truth["incidents"] for value in (*one["addresses"], *one["domains"])}
    shared = {one["value"] for one in known["indicators"] if one["shared"]}
    assert shared <= ours
    assert len(shared) < len(ours) / 2
    assert sum(not one["shared"] for one in known["indicators"]) >= 3


def test_the_rule_is_one(drill: Drill, known: dict[str, Any]) -> None:
    content = (drill.made.partner / "rule.yml").read_bytes()
    rules = pipeline.compile_rules([RuleText(path="rule.yml", content=content)])
    assert [rule.id for rule in rules.rules] == [known["rule"]["id"]]
    assert rules.variants


def _finding(one: str, record: dict[str, Any], *, lowered: bool = False) -> dict[str, Any]:
    return {"id": one, "at": {"path": record["path"], "rec": record["offset"]}, "lowered": lowered}


def _record(drill: Drill, incident: str) -> dict[str, Any]:
    steps = next(one for one in drill.truth["incidents"] if one["id"] == incident)["steps"]
    record: dict[str, Any] = next(step for step in steps if step["records"])["records"][0]
    return record


def test_a_hunt_that_found_nothing_has_found_no_campaign(drill: Drill, known: dict[str, Any]) -> None:
    figures = recalled.score(drill.truth, known, [])
    assert (figures["campaigns"], figures["campaigns_found"]) == (2, 0)
    assert not figures["rule_found"]
    assert figures["shared_but_not_seen"]
    assert figures["never_here_but_seen"] == []


def test_what_is_cited_counts_for_its_campaign_alone(drill: Drill, known: dict[str, Any]) -> None:
    record = _record(drill, "incident-3")
    figures = recalled.score(drill.truth, known, [_finding("x", record)])
    found = {name: one["steps_found"] for name, one in figures["by_campaign"].items()}
    assert found == {"campaign-1": 0, "campaign-2": 1}
    assert figures["event_precision"] == 1.0


def test_what_belongs_to_no_step_costs_precision_and_what_never_was_here_is_named(
    drill: Drill, known: dict[str, Any]
) -> None:
    alone = next(one for one in known["indicators"] if not one["shared"])
    nowhere = {"path": "web/none.log", "offset": 1}
    found = [_finding(alone["id"], nowhere), _finding("x", _record(drill, "incident-1"))]
    figures = recalled.score(drill.truth, known, found)
    assert figures["event_precision"] == 0.5
    assert figures["never_here_but_seen"] == [alone["value"]]


def test_what_is_told_as_meaning_little_is_counted_apart(drill: Drill, known: dict[str, Any]) -> None:
    nowhere = {"path": "web/none.log", "offset": 1}
    figures = recalled.score(
        drill.truth, known, [_finding("y", nowhere, lowered=True), _finding("x", _record(drill, "incident-1"))]
    )
    assert figures["event_precision"] == 1.0
    assert figures["event_precision_lowered"] == 0.0
