"""The engine finds what the naive evaluator finds: on hand-written cases, and on random rules and events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import cases, naive, strategies, vocabulary
from oracle.cases import Case
from oracle.events import Drawn
from tocsin.collect import read_bytes
from tocsin.detect import prepare, sigma
from tocsin.model.rule import RuleText

Rows = dict[int, set[int]]


def engine_rows(
    rules: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    *,
    projected: bool = False,
    cuts: Sequence[int] = (),
) -> Rows:
    """Rows that each rule finds, by its place in `rules`. At each row in `cuts` a new block begins."""
    texts = [
        RuleText(path=f"{place}.yml", content=yaml.dump(dict(rule), Dumper=yaml.CSafeDumper, sort_keys=False).encode())
        for place, rule in enumerate(rules)
    ]
    ruleset = sigma.compile_rules(texts)
    assert ruleset.problems == ()
    place_of = {rule["id"]: place for place, rule in enumerate(rules)}
    detector = prepare(ruleset)
    found: Rows = {place: set() for place in range(len(rules))}
    bounds = sorted({0, *cuts, len(events)})
    for first, stop in pairwise(bounds):
        read = read_bytes(_lines(events[first:stop]), projection=detector.projection if projected else None)
        assert len(read) == stop - first
        for variant_index, rows in detector.scan(read).rows:
            variant = ruleset.variants[variant_index]
            # Windows' own process creation event (4688) is another variant, with other names of fields.
            if variant.name in ("", "sysmon"):
                place = place_of[ruleset.rules[variant.rule].id]
                assert sorted(set(rows.tolist())) == rows.tolist()
                found[place].update(first + int(row) for row in rows)
    return found


def _lines(events: Sequence[Mapping[str, Any]]) -> bytes:
    """JSON lines; every other one escapes what is not ASCII, which changes nothing of what a text is."""
    return b"".join(json.dumps(event, ensure_ascii=bool(row % 2)).encode() + b"\n" for row, event in enumerate(events))


def naive_rows(rules: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> Rows:
    parsed = [naive.parse(rule) for rule in rules]
    return {
        place: {row for row, event in enumerate(events) if naive.fires(rule, event)}
        for place, rule in enumerate(parsed)
    }


def differences(
    found: Rows, wanted: Rows, rules: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What a person needs to see of two results that should be one."""
    return [
        f"{'wrong' if row in found[place] else 'missed'}: {rules[place]['detection']} on {events[row]}"
        for place in wanted
        for row in sorted(found[place] ^ wanted[place])
    ]


@pytest.mark.parametrize("projected", [False, True], ids=["all fields", "projected"])
@pytest.mark.parametrize("case", cases.load(), ids=lambda case: case.name)
def test_case(case: Case, projected: bool) -> None:
    assert engine_rows([case.rule], case.events, projected=projected) == {0: case.rows}


def test_cases_all_at_once() -> None:
    """All rules of all cases on all their events: rules that share patterns do not disturb one another."""
    known = cases.load()
    rules = list({case.rule["id"]: case.rule for case in known}.values())
    events = [event for case in known for event in case.events]
    assert differences(engine_rows(rules, events), naive_rows(rules, events), rules, events) == []


@given(strategies.batches())
def test_any_rule(batch: strategies.Batch) -> None:
    drawn, events = batch
    rules = [one.rule for one in drawn]
    assert differences(engine_rows(rules, events), naive_rows(rules, events), rules, events) == []


@pytest.mark.parametrize("kind", sorted([*vocabulary.CHAINS, "keywords"]))
@settings(max_examples=settings().max_examples // 3)  # of each of two dozen kinds
@given(data=st.data())
def test_any_line(kind: str, data: st.DataObject) -> None:
    """One line of each kind of modifier, asked for and asked against."""
    item = data.draw(strategies.items(kind=kind))
    rules = [strategies.rule_of({"line": item.detection, "condition": condition}) for condition in ("line", "not line")]
    events = data.draw(strategies.made_for([Drawn(rule, (item,)) for rule in rules]))
    assert differences(engine_rows(rules, events), naive_rows(rules, events), rules, events) == []


@given(batch=strategies.batches(most_rules=4), data=st.data())
def test_many_rules_projected_and_in_pieces(batch: strategies.Batch, data: st.DataObject) -> None:
    """What is found depends neither on the fields read nor on where blocks of events begin."""
    drawn, events = batch
    rules = [one.rule for one in drawn]
    cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=3))
    wanted = naive_rows(rules, events)
    for found in (
        engine_rows(rules, events, projected=True),
        engine_rows(rules, events, cuts=cuts),
        engine_rows(rules, events, projected=True, cuts=cuts),
    ):
        assert differences(found, wanted, rules, events) == []


@pytest.mark.parametrize("projected", [False, True], ids=["all fields", "projected"])
def test_long_text_that_hardly_repeats(projected: bool) -> None:
    """Enough of it that the reader no longer looks for repetitions."""
    chance = Random(1)
    lines: list[dict[str, Any]] = [
        {"CommandLine|contains": ["abaab", "\\?\\?", "b*a?b*%a"]},
        {"CommandLine|startswith": "a", "CommandLine|endswith": ["b", "\\\\"]},
        {"CommandLine|re": ["a{4}", "^.{100}$"]},
        {"CommandLine|fieldref": "Message"},
        {"Message|contains|all": ["ab", "ba", "\\*"]},
        {"|all": ["%a", "ab", "null"]},
    ]
    rules = [strategies.rule_of({"line": line, "condition": "line"}) for line in lines]
    events = []
    for _ in range(3000):
        texts = ["".join(chance.choices(vocabulary.PIECES, k=60)) for _ in range(2)]
        same = chance.random() < 0.05
        events.append({**vocabulary.SYSMON, "CommandLine": texts[0], "Message": texts[0 if same else 1]})
    events += chance.choices(events, k=1000)
    wanted = naive_rows(rules, events)
    assert all(wanted.values())
    assert differences(engine_rows(rules, events, projected=projected), wanted, rules, events) == []
