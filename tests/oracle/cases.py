"""The hand-written cases of cases.yml in, one `Case` each out.

A case names a detection section (or, shorter, one `selection`), some events, and the rows that fire.
Events come from the rule's log source unless they say where they come from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from oracle import strategies, vocabulary


class Case(NamedTuple):
    name: str
    rule: dict[str, Any]
    events: list[dict[str, Any]]
    rows: set[int]


def load() -> list[Case]:
    cases = yaml.CSafeLoader((Path(__file__).parent / "cases.yml").read_text("utf-8")).get_single_data()
    return [_case(**case) for case in cases]


def _case(
    *,
    name: str,
    events: list[dict[str, Any]],
    rows: list[int],
    selection: Any = None,
    detection: dict[str, Any] | None = None,
    security: bool = False,
) -> Case:
    rule = strategies.rule_of(detection or {"selection": selection, "condition": "selection"}, security)
    gate = vocabulary.SECURITY if security else vocabulary.SYSMON
    placed = [event if "Channel" in event else {**gate, **event} for event in events]
    return Case(name, rule, placed, set(rows))
