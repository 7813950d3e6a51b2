"""The rules that found something in an incident in; how urgent it is, and what it was for, out, with the reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from tocsin.investigate.signs import ITSELF, JUST_BEFORE
from tocsin.model.incident import Rank
from tocsin.model.rule import LEVELS, Level, Rule

# Each level counts four times the one below it, once for each rule: many findings of one rule are one observation.
_POINTS: Final = (0.0, 1.0, 4.0, 16.0, 64.0)
# Two different rules of level high, or one that is critical: one such rule errs now and then, two seldom together.
ACT_NOW: Final = 32.0
_HEAVY: Final = LEVELS.index("high")
_TOGETHER: Final = 2
_BEARING: Final = LEVELS.index("medium")

# What an intruder does on the way to something counts half: it is named where little else is known.
_ON_THE_WAY: Final = {"defense-evasion", "stealth", "defense-impairment", "execution", "discovery"}
_SAME: Final = {"stealth": "defense-evasion", "defense-impairment": "defense-evasion"}  # ATT&CK 19 divided it
# Removing traces and switching logs off, as ATT&CK numbers it until release 18 and from 19 on: whatever somebody came
# for, this is done besides. It is the main thing only where there is nothing else.
_TRACES: Final = ("T1070", "T1562", "T1685")
_AFTERMATH: Final = 0.1
# The level of a rule that would say: another machine came just before, or asked the very process.
_ELSEWHERE: Final[Mapping[int, Level]] = {JUST_BEFORE: "medium", ITSELF: "high"}


def score(rules: Collection[Rule], hosts: int) -> tuple[float, tuple[str, ...]]:
    """Points, and what they are given for."""
    points = sum(_POINTS[LEVELS.index(rule.level)] for rule in rules)
    levels = Counter(rule.level for rule in rules)
    tactics = {_SAME.get(name, name) for rule in rules for name in rule.tactics}
    because = [
        f"{count} {'rule' if count == 1 else 'rules'} of level {level}"
        for level in reversed(LEVELS)
        if (count := levels[level])
    ]
    # A chain of several aims is less often chance than as many findings of one: a quarter more for each further one.
    points *= 1 + 0.25 * max(len(tactics) - 1, 0)
    if len(tactics) > 1:
        because.append(f"{len(tactics)} tactics")
    if hosts > 1:
        points *= 1.5
        because.append(f"{hosts} machines")
    return round(points, 1), tuple(because)


def observed(records: Mapping[Rule, frozenset[int]]) -> int:
    """How many things of level high or above were seen: two rules that say the same of the same records saw one."""
    heavy = sorted((rule for rule in records if LEVELS.index(rule.level) >= _HEAVY), key=lambda rule: rule.id)
    apart: list[Rule] = []
    for rule in heavy:
        if not any(_says_the_same(rule, other, records) for other in apart):
            apart.append(rule)
    return len(apart)


def _says_the_same(one: Rule, other: Rule, records: Mapping[Rule, frozenset[int]]) -> bool:
    return bool(set(one.techniques) & set(other.techniques)) and bool(records[one] & records[other])


def rank(
    points: float, rules: Collection[Rule], seen: int, *, attempt: bool = False, quieten: bool = True
) -> Rank:
    """How urgent an incident is.

    Args:
        rules: of its findings that are not lowered.
        seen: how many things of level high or above, as in `observed`.
        attempt: it holds attempts from outside, which somebody may want to count.
        quieten: what nobody needs to look at is background.
    """
    critical = any(rule.level == "critical" for rule in rules)
    if points >= ACT_NOW and (critical or seen >= _TOGETHER):
        return "act now"
    bears = any(LEVELS.index(rule.level) >= _BEARING for rule in rules)
    return "review" if bears or attempt or not quieten else "background"


def main_tactic(rules: Sequence[Rule], elsewhere: int = 0) -> str:
    """The tactic that most of the weight is on, by the name that it had before it was divided.

    A level says how bad a thing is, not what it is for, so each counts only twice the one below it here. Of a rule
    with several tactics each has its share.

    Args:
        elsewhere: what says that it was done from another machine, as in `signs`; it weighs as a rule would.
    """
    weight: defaultdict[str, float] = defaultdict(float)
    if elsewhere:
        weight["lateral-movement"] = 2.0 ** LEVELS.index(_ELSEWHERE[elsewhere])
    for rule in rules:
        names = sorted({_SAME.get(name, name) for name in rule.tactics})
        after = _AFTERMATH if any(one.startswith(_TRACES) for one in rule.techniques) else 1.0
        for name in names:
            way = 0.5 if name in _ON_THE_WAY else 1.0
            weight[name] += 2.0 ** LEVELS.index(rule.level) / len(names) * way * after
    return min(weight, key=lambda name: (-round(weight[name], 6), name), default="")
