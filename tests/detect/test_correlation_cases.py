"""Correlations as people write them: the cases of correlations.yml, each with its windows worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from detect.compiled import compiled
from tocsin.detect import correlate as engine
from tocsin.model.event import NO_TIME

RULES = "abc"
CASES = yaml.safe_load((Path(__file__).parent / "correlations.yml").read_text("utf-8"))


def _texts(case: dict[str, Any]) -> Iterator[str]:
    for number, name in enumerate(RULES):
        source, detection = "{product: windows, service: system}", f"{{s: {{EventID: {number}}}, condition: s}}"
        yield f"title: Rule {name}\nname: {name}\nlogsource: {source}\ndetection: {detection}\n"
    if "below" in case:
        yield yaml.safe_dump({"title": "Below", **case["below"]})
    yield yaml.safe_dump({"title": "The last", "correlation": case["correlation"]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    ruleset = compiled(*_texts(case))
    assert ruleset.problems == ()
    asked = {variant.rule: dict(variant.carry) for variant in ruleset.variants}
    events = []
    for text in case["events"]:
        rules, at, *fields = text.split()
        ts = NO_TIME if at == "-" else int(Decimal(at) * 1_000_000)
        events.append((ts, rules, dict(field.split("=", 1) for field in fields)))
    order = sorted(range(len(events)), key=lambda place: (events[place][0], place))
    number = {place: at for at, place in enumerate(order)}
    codes = {"": engine.NOTHING}
    streams = {}
    for rule, name in enumerate(RULES):
        mine = [place for place, event in enumerate(events) if name in event[1]]
        numbers = np.array([number[place] for place in mine], np.int64)
        streams[rule] = engine.Stream(
            ts=np.array([events[place][0] for place in mine], np.int64),
            event=numbers,
            unit=numbers,
            fields={
                field: np.array(
                    [codes.setdefault(events[place][2].get(field, "").lower(), len(codes)) for place in mine], np.int64
                )
                for field in asked[rule]  # what the rule set says its events bring along, and nothing else
            },
        )
    *_, last = engine.correlate(ruleset.correlations, streams, list(codes))
    assert last.correlation.rule == len(ruleset.rules) - 1
    found = [last.events[last.starts[at] : last.starts[at + 1]].tolist() for at in range(len(last))]
    assert sorted(sorted(order[event] for event in events) for events in found) == case["found"]
