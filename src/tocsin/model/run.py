"""One pass of rules over evidence: what was found, from what, and what could not have been seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.model.attack import NO_FACTS, Facts
from tocsin.model.coverage import Coverage
from tocsin.model.custody import Custody
from tocsin.model.finding import Finding
from tocsin.model.rule import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`findings` can be gone through again and again, always in the same order: source, record, rule.

    `attack` translates between releases of ATT&CK; `attack_release` is the one that results are wanted in, if any.
    `timezone` is the zone that times were taken to be in where they name none.
    """

    rules: RuleSet
    findings: Iterable[Finding]
    custody: tuple[Custody, ...]
    coverage: Coverage
    tool_version: str
    attack: Facts = NO_FACTS
    attack_release: str = ""
    timezone: str = "UTC"
