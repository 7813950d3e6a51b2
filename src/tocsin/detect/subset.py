"""Rules and the numbers of some of them in, those with all that they need out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tocsin.model.rule import RuleSet


def subset(rules: RuleSet, numbers: Sequence[int]) -> RuleSet:
    """These rules, in this order; behind them, without findings of their own, those that their correlations refer to.

    Patterns are left as they are.
    """
    by_rule = {one.rule: one for one in rules.correlations}
    needed = dict.fromkeys(numbers)
    waiting = list(numbers)
    while waiting:
        for part in by_rule[number].parts if (number := waiting.pop()) in by_rule else ():
            if part not in needed:
                needed[part] = None
                waiting.append(part)
    place = {number: at for at, number in enumerate(needed)}
    quiet = (needed.keys() - set(numbers)) | (needed.keys() & set(rules.quiet))
    return replace(
        rules,
        rules=tuple(rules.rules[number] for number in needed),
        variants=tuple(replace(one, rule=place[one.rule]) for one in rules.variants if one.rule in place),
        correlations=tuple(
            replace(one, rule=place[one.rule], parts=tuple(place[part] for part in one.parts))
            for one in rules.correlations
            if one.rule in place
        ),
        quiet=tuple(sorted(place[number] for number in quiet)),
    )
