"""A trace tells what the matcher decided, and the nearest events are those that lack least."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given

from oracle import strategies
from tocsin.collect import read_bytes
from tocsin.detect import prepare, probe, sigma, trace
from tocsin.model.event import Events
from tocsin.model.rule import RuleSet, RuleText

SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}


def compiled(*rules: Mapping[str, Any]) -> RuleSet:
    ruleset = sigma.compile_rules(
        [
            RuleText(path=f"{at}.yml", content=yaml.dump(dict(rule), Dumper=yaml.CSafeDumper, sort_keys=False).encode())
            for at, rule in enumerate(rules)
        ]
    )
    assert ruleset.problems == ()
    return ruleset


def rule(detection: Mapping[str, Any], *, logsource: Mapping[str, str] | None = None) -> dict[str, Any]:
    logsource = logsource or {"product": "windows", "category": "process_creation"}
    return {"title": "A rule", "logsource": dict(logsource), "detection": dict(detection)}


def events_of(*events: Mapping[str, Any], projection: frozenset[str] | None = None) -> Events:
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return read_bytes(lines, projection=projection)


def leaves(step: trace.Step) -> Iterator[trace.Step]:
    if step.parts:
        for part in step.parts:
            yield from leaves(part)
    else:
        yield step


@given(strategies.batches(most_rules=3))
def test_a_trace_agrees_with_the_matcher(batch: strategies.Batch) -> None:
    drawn, written = batch
    rules = compiled(*(one.rule for one in drawn))
    events = events_of(*written, projection=prepare(rules).projection)
    fired = {number: set(rows.tolist()) for number, rows in prepare(rules).scan(events).rows}
    for number, variant in enumerate(rules.variants):
        for row in range(len(events)):
            held = all(
                trace.trace(rules, condition, events, row).held for condition in (variant.gate, variant.condition)
            )
            assert held == (row in fired.get(number, ())), (variant, written[row])


@given(strategies.batches(most_rules=2))
def test_a_probe_agrees_with_the_matcher(batch: strategies.Batch) -> None:
    drawn, written = batch
    rules = compiled(*(one.rule for one in drawn))
    for number in range(len(rules.rules)):
        alone = probe.narrowed(rules, [number])
        asker = probe.Probe(alone)
        events = events_of(*written, projection=asker.projection)
        wanted = {at: rows.tolist() for at, rows in prepare(alone).scan(events).rows}
        for sight in asker.look(events, 3):
            assert sight.fired.tolist() == wanted.get(sight.variant, [])
            assert set(sight.fired.tolist()) <= set(sight.gated.tolist())
            near = [one.row for one in sight.nearest]
            assert len(near) <= 3
            assert not set(near) & set(sight.fired.tolist())
            assert [one.score for one in sight.nearest] == sorted((one.score for one in sight.nearest), reverse=True)


def test_what_was_looked_at() -> None:
    rules = compiled(
        rule(
            {
                "a": {"Image|endswith": "\\Cmd.exe", "User|exists": False, "ParentImage": None},
                "b": {"Hashes|contains": ["x", "y"], "CommandLine|re": "a+"},
                "condition": "a or b",
            }
        )
    )
    events = events_of({**SYSMON, "Image": "C:\\CMD.EXE", "ParentImage": None, "Hashes": ["1x", "2"]})
    step = trace.trace(rules, rules.variants[0].condition, events, 0)
    found = {(one.label, one.asked): one for one in leaves(step)}
    assert step.held
    assert found["Image|endswith", "\\cmd.exe"].held
    assert found["Image|endswith", "\\cmd.exe"].looks == (trace.Look(field="Image", text="C:\\CMD.EXE"),)
    assert found["ParentImage", "null"].looks == (trace.Look(field="ParentImage", state="null"),)
    assert found["CommandLine|re", "a+"].looks == (trace.Look(field="CommandLine", state="absent"),)
    assert found["Hashes|contains", "x"].held
    assert not found["Hashes|contains", "y"].held
    assert found["Hashes|contains", "x"].looks[0].text == '["1x","2"]'


@pytest.mark.parametrize("projected", [False, True], ids=["all fields", "projected"])
def test_keywords_and_messages_are_found_where_they_stand(projected: bool) -> None:
    rules = compiled(
        rule(
            {"k": ["needle"], "m": {"Message|contains": "hay"}, "condition": "k and m"},
            logsource={"product": "windows", "service": "system"},
        )
    )
    projection = prepare(rules).projection if projected else None
    events = events_of(
        {"Channel": "System", "EventID": 1, "Message": "some hay", "Deep": "a NEEDLE"}, projection=projection
    )
    keyword, message = leaves(trace.trace(rules, rules.variants[0].condition, events, 0))
    assert keyword.label == "any field|contains"
    assert keyword.looks == (trace.Look(field="Deep", text="a NEEDLE"),)
    assert message.held
    assert message.looks == (trace.Look(field="Message", text="some hay"),)


def test_an_expression_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.detect import predicates

    monkeypatch.setattr(predicates, "_LONGEST_MATCH_S", 0.01)
    rules = compiled(rule({"s": {"CommandLine|re": "(a|a|b?a)*(a*)*$x"}, "condition": "s"}))
    events = events_of({**SYSMON, "CommandLine": "a" * 4000 + "!"})
    [leaf] = leaves(trace.trace(rules, rules.variants[0].condition, events, 0))
    assert leaf.gave_up
    assert not leaf.held


def test_the_nearest_lack_least() -> None:
    rules = compiled(
        rule(
            {
                "s": {"EventID": 4662, "Properties|contains": "x", "SubjectUserName": "u"},
                "f": {"SubjectUserSid": "S-1"},
                "condition": "s and not f",
            },
            logsource={"product": "windows", "service": "security"},
        )
    )
    event = {"Channel": "Security", "SubjectUserName": "u"}
    events = events_of(
        {**event, "EventID": 1, "Properties": "x"},  # more conditions hold, but it is another kind of event
        {**event, "EventID": 4662, "SubjectUserName": "other"},
        {**event, "EventID": 4662, "Properties": "y"},
        {"Channel": "System", "EventID": 4662, "Properties": "x"},
    )
    [sight] = probe.Probe(rules).look(events, 2)
    assert sight.gated.tolist() == [0, 1, 2]
    assert sight.fired.tolist() == []
    assert sight.absent == ("SubjectUserSid",)
    assert [one.row for one in sight.nearest] == [2, 1]
    assert sorted(len(rows) for _, rows in sight.held) == [1, 2, 2, 3]


def test_alternatives_are_weighed_each_by_itself() -> None:
    rules = compiled(
        rule(
            {
                "a": {"Image": "a", "User": "a", "CommandLine": "a"},
                "b": {"ParentImage": "b", "Company": "b"},
                "c": {"Product": "c"},
                "condition": "1 of a or b or c",
            }
        )
    )
    events = events_of({**SYSMON, "Image": "a"}, {**SYSMON, "ParentImage": "b"}, {**SYSMON})
    sight = next(probe.Probe(rules).look(events, 3))
    assert [(one.row, round(one.score, 2)) for one in sight.nearest] == [(1, 0.5), (0, 0.33), (2, 0.0)]
