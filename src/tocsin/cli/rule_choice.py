"""What somebody calls a rule in, the rules it means out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tocsin.detect.probe import narrowed
from tocsin.errors import RuleError
from tocsin.model.rule import Rule, RuleProblem, RuleSet

_SHORTEST_ID: Final = 4
_MOST_NAMED: Final = 6


def is_file(word: str) -> bool:
    return word.lower().endswith((".yml", ".yaml")) and Path(word).is_file()


def choose(word: str, rules: RuleSet, *, whole: bool) -> list[RuleSet]:
    """The rule that a word means, or with `whole` every rule there is, each as a set of its own.

    Raises:
        RuleError: it means none, or more than one, or one that cannot be used.
    """
    if whole:
        if not rules.rules:
            raise _unusable(rules.problems[0])
        return [narrowed(rules, [number]) for number in range(len(rules.rules))]
    found = _meant(word, rules.rules)
    if len(found) > 1:
        named = "; ".join(f"{rules.rules[at].id[:8]} {rules.rules[at].title!r}" for at in found[:_MOST_NAMED])
        more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise RuleError(f"{word!r} may mean any of {len(found)} rules", hint=f"Say which: {named}{more}.")
    if not found:
        for problem in rules.problems:
            if problem.reason != "duplicate" and _is_meant(word, problem.rule_id, problem.title):
                raise _unusable(problem)
        raise RuleError(
            f"{word!r} is neither an id, the beginning of one, nor a part of a title",
            hint=f"Looked through {len(rules.rules):,} rules; --rules PATH looks elsewhere.",
        )
    return [narrowed(rules, found)]


def _meant(word: str, rules: Sequence[Rule]) -> list[int]:
    """The numbers of the rules that a word fits best: an id, a title, the beginning of an id, a part of a title."""
    wanted = word.strip().lower()
    fits = (
        lambda rule: rule.id.lower() == wanted,
        lambda rule: rule.title.lower() == wanted,
        lambda rule: len(wanted) >= _SHORTEST_ID and rule.id.lower().startswith(wanted),
        lambda rule: bool(wanted) and wanted in rule.title.lower(),
    )
    for fit in fits:
        if found := [number for number, rule in enumerate(rules) if fit(rule)]:
            return found
    return []


def _is_meant(word: str, rule_id: str, title: str) -> bool:
    wanted = word.strip().lower()
    return bool(wanted) and (
        (len(wanted) >= _SHORTEST_ID and rule_id.lower().startswith(wanted)) or wanted in title.lower()
    )


def _unusable(problem: RuleProblem) -> RuleError:
    title = f" ({problem.title})" if problem.title else ""
    return RuleError(
        f"{problem.path}:{problem.line}: this rule cannot be used{title}",
        hint=f"{problem.reason}: {problem.text}",
    )
