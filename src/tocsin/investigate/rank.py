"""The rules that found something in an incident in; how urgent it is, and what it was for, out, with the reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from tocsin.investigate.signs import ITSELF, JUST_BEFORE
from tocsin.model.event import Longs
from tocsin.model.incident import Rank
from tocsin.model.rule import LEVELS, Level, Rule

# Each level counts four times the one below it, once for each rule: many findings of one rule are one observation.
_POINTS: Final = (0.0, 1.0, 4.0, 16.0, 64.0)
# Two rules of level high, or one that is critical; `weighty` says whether they are more than one thing.
ACT_NOW: Final = 32.0
_HEAVY: Final = LEVELS.index("high")
_TOGETHER: Final = 2
_BEARING: Final = LEVELS.index("medium")

# What an intruder does on the way to something counts half: it is named where little else is known.
_ON_THE_WAY: Final = {"defense-evasion", "stealth", "defense-impairment", "execution", "discovery"}
SAME: Final[Mapping[str, str]] = {
    "stealth": "defense-evasion",
    "defense-impairment": "defense-evasion",
}  # ATT&CK 19 divided it
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
    tactics = {SAME.get(name, name) for rule in rules for name in rule.tactics}
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


def weighty(by_host: Collection[Collection[Rule]]) -> str:
    """Why an incident is to be acted on now, '' if nothing says so.

    Two different things on one machine: one rule errs now and then, two seldom together. Between two machines, one act
    is seen from both sides; different ones on three are somebody's way.

    Args:
        by_host: for each machine the rules of its findings that are not lowered.
    """
    if any(rule.level == "critical" for rules in by_host for rule in rules):
        return "a rule of level critical"
    most = max((_apart(rules) for rules in by_host), default=0)
    if most >= _TOGETHER:
        return f"{most} different things of level high on one machine"
    spread = sum(_apart(rules) > 0 for rules in by_host)
    if min(spread, _apart({rule for rules in by_host for rule in rules})) > _TOGETHER:
        return f"different things of level high on {spread} machines"
    return ""


def _apart(rules: Collection[Rule]) -> int:
    """How many things of level high or above were seen: rules that name one technique saw one."""
    apart: list[Rule] = []
    for rule in sorted(rules, key=lambda one: (len(one.techniques), one.id)):
        if LEVELS.index(rule.level) >= _HEAVY and not any(
            set(rule.techniques) & set(other.techniques) for other in apart
        ):
            apart.append(rule)
    return len(apart)


def rank(points: float, rules: Collection[Rule], why: str, *, attempt: bool = False, quieten: bool = True) -> Rank:
    """How urgent an incident is.

    Args:
        rules: of its findings that are not lowered.
        why: as in `weighty`.
        attempt: it holds attempts from outside, which somebody may want to count.
        quieten: what nobody needs to look at is background.
    """
    if points >= ACT_NOW and why:
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
        names = sorted({SAME.get(name, name) for name in rule.tactics})
        after = _AFTERMATH if any(one.startswith(_TRACES) for one in rule.techniques) else 1.0
        for name in names:
            way = 0.5 if name in _ON_THE_WAY else 1.0
            weight[name] += 2.0 ** LEVELS.index(rule.level) / len(names) * way * after
    return min(weight, key=lambda name: (-round(weight[name], 6), name), default="")


def aims(rules: Sequence[Rule]) -> Longs:
    """Of each rule a number that rules for the same share."""
    numbers: dict[tuple[str, ...], int] = {}
    aims = (tuple(sorted({SAME.get(name, name) for name in rule.tactics})) or (rule.id,) for rule in rules)
    return np.array([numbers.setdefault(aim, len(numbers)) for aim in aims], np.int64)
