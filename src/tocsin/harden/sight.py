"""Rules and whether each could fire on the evidence in, how each technique could be detected out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tocsin.model.attack import Facts, Release, in_release
from tocsin.model.coverage import RuleCoverage
from tocsin.model.hardening import Sight
from tocsin.model.rule import Rule

# Where the intruder prepares: on machines that are not one's own.
OUTSIDE: Final = frozenset({"reconnaissance", "resource-development"})

_LACKS: Final = ("no log source", "field absent")


@dataclass(slots=True)
class _Of:
    """Rules for one technique: how many, how many could fire, and of the others the log sources they lack."""

    rules: int = 0
    able: int = 0
    missing: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watching:
    """What rules could see of each technique; without evidence nobody can say what of it they would see here."""

    has_evidence: bool
    by_technique: Mapping[str, _Of]
    lost: tuple[str, ...]  # techniques of rules that the release has no one counterpart for

    def rules(self, technique: str) -> int:
        return self._of(technique).rules

    def able(self, technique: str) -> int:
        return self._of(technique).able

    def missing(self, technique: str) -> Mapping[str, int]:
        """Log sources that rules for it lack, and how many rules lack each."""
        return self._of(technique).missing

    def sight(self, technique: str, tactics: Iterable[str]) -> Sight:
        own = self._of(technique)
        if OUTSIDE.issuperset(tactics):
            return "outside"
        if not self.has_evidence:
            return "not tried" if own.rules else "no rules"
        if own.able:
            return "could detect"
        if any(one.able for name, one in self.by_technique.items() if _related(name, technique)):
            return "in part"
        return "no logs" if own.rules else "no rules"

    def _of(self, technique: str) -> _Of:
        return self.by_technique.get(technique, _Of())


def _related(one: str, other: str) -> bool:
    """Whether one of them is a part of the other."""
    return one != other and (one.partition(".")[0] == other or other.partition(".")[0] == one)


def watching(
    rules: Iterable[Rule], coverage: Iterable[RuleCoverage] | None, facts: Facts, release: Release
) -> Watching:
    """What rules could detect of the techniques of a release.

    Args:
        coverage: of the rules, by their place; None where no evidence was looked at.
    """
    states = None if coverage is None else {one.rule: one for one in coverage}
    found: dict[str, _Of] = {}
    lost: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.indicator is not None:
            continue  # it is gone when the intruder moves
        there = set()
        for technique in rule.techniques:
            told = in_release(technique, rule.attack_release, facts, release)
            if told.within:
                there.add(told.within)
            else:
                lost.add(technique)
        state = states.get(number) if states is not None else None
        for technique in there:
            one = found.setdefault(technique, _Of())
            one.rules += 1
            if state is not None and state.state not in _LACKS:
                one.able += 1
            elif state is not None:
                name = state.detail if state.state == "no log source" and state.detail else rule.logsource
                one.missing[name] = one.missing.get(name, 0) + 1
    return Watching(states is not None, found, tuple(sorted(lost)))
