"""An incident in the forms of a run: its own findings, and nobody else's."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from mitreattack.navlayers import Layer

from output import incidents
from tocsin.model.coverage import RuleCoverage
from tocsin.model.rule import Rule
from tocsin.model.run import Run
from tocsin.output.formats import navigator, timesketch
from tocsin.output.of_incident import of_incident


def whole() -> Run:
    """A run with the rules of the made incident, and one that fired elsewhere."""
    tagged = [*incidents.RULES, ("r-9", "Something Else", "high", "T1110", "credential-access")]
    rules = tuple(
        Rule(
            id=key,
            title=title,
            level=level,  # type: ignore[arg-type]
            status="test",
            path="rules.yml",
            line=1,
            logsource="windows",
            techniques=(technique,),
            tactics=(tactic,),
        )
        for key, title, level, technique, tactic in tagged
    )
    run = incidents.run()
    states = tuple(RuleCoverage(rule=number, state="fired", findings=100) for number in range(len(rules)))
    return replace(run, rules=replace(run.rules, rules=rules), coverage=replace(run.coverage, rules=states))


def layer(run: Run, name: str) -> dict[str, Any]:
    file = io.StringIO()
    navigator.write_layer(run, file, name)
    read: dict[str, Any] = json.loads(file.getvalue())
    return read


def test_a_layer_of_an_incident_has_its_techniques_and_counts_what_is_folded() -> None:
    incident = incidents.incident(40)
    incident = replace(incident, findings=(replace(incident.findings[0], repeats=9), *incident.findings[1:]))
    made = layer(of_incident(whole(), incident), "Web server")
    scores = {one["techniqueID"]: one["score"] for one in made["techniques"]}
    assert made["name"] == "Web server"
    assert scores == {"T1505.003": 19, "T1003.001": 10, "T1021.002": 10, "T1069.002": 10}


def test_a_timeline_of_an_incident_has_a_line_for_each_finding() -> None:
    incident = incidents.incident(40)
    file = io.StringIO()
    timesketch.write(of_incident(whole(), incident), file)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["rec"] for line in lines] == [one.at.rec for one in incident.findings]
    assert {"message", "datetime", "timestamp_desc", "title"} <= lines[0].keys()


def test_layers_load_in_mitres_own_library() -> None:
    made = layer(of_incident(whole(), incidents.incident()), "Web server")
    read = Layer(strict=True)
    read.from_dict(made)
    assert {one["techniqueID"] for one in read.to_dict()["techniques"]} == {
        one["techniqueID"] for one in made["techniques"]
    }
