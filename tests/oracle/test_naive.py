"""The naive evaluator against hand-written cases, and the drawn rules and events against their purpose."""

from __future__ import annotations

import re
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from oracle import cases, naive, strategies, vocabulary
from oracle.cases import Case

CASES = cases.load()
SPECIFIED = {
    "contains", "startswith", "endswith", "all", "cased", "windash", "wide", "utf16", "utf16le", "utf16be",
    "base64", "base64offset", "re", "i", "m", "s", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte",
    "neq", "minute", "hour", "day", "week", "month", "year",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    rule = naive.parse(case.rule)
    assert {row for row, event in enumerate(case.events) if naive.fires(rule, event)} == case.rows


def test_cases_cover_every_modifier() -> None:
    text = repr([case.rule["detection"] for case in CASES])
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    assert not [name for name in SPECIFIED if not re.search(rf"\|{name}\b", text)]


def test_drawn_modifiers_are_those_of_the_specification() -> None:
    assert vocabulary.MODIFIERS == SPECIFIED


def test_drawn_modifiers_match_and_miss() -> None:
    """In a fixed sample the line of each modifier holds for some events and not for others; so do rules."""
    seen: Counter[tuple[str, bool]] = Counter()

    @seed(2)
    @settings(max_examples=700, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategies.batches())
    def count(batch: strategies.Batch) -> None:
        drawn, events = batch
        for one in drawn:
            rule = naive.parse(one.rule)
            seen.update(("(rule)", naive.fires(rule, event)) for event in events)
            for item in one.items:
                names = item.key.split("|")[1:] or ["(plain)" if item.key else "(keywords)"]
                line = naive.parse(strategies.rule_of({"line": item.detection, "condition": "line"}))
                outcomes = [naive.matches(line, event) for event in events]
                seen.update((name, outcome) for name in names for outcome in outcomes)

    count()
    expected = sorted({*SPECIFIED, "(rule)", "(plain)", "(keywords)"})
    table = [f"{name:<14} {seen[name, True]:>9} {seen[name, False]:>9}" for name in expected]
    sys.stdout.write("\n".join(["line             matches    misses", *table, ""]))  # pytest -s shows it
    few = {(name, outcome): seen[name, outcome] for name in expected for outcome in (True, False)}
    assert {key: count for key, count in few.items() if count < 10} == {}
    share = seen["(rule)", True] / (seen["(rule)", True] + seen["(rule)", False])
    assert 0.35 <= share <= 0.65
