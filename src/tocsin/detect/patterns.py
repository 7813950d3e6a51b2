"""Indicators whose patterns were compiled, and a rule set, in; one rule set of both out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tocsin.detect.trees import Tree, numbered
from tocsin.model.correlation import Bound, Choice, Correlation, CorrelationType
from tocsin.model.rule import Pattern, Rule, RuleSet, Variant

MOST_TIMESPAN_US = 1 << 60  # where a pattern sets no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One observation: for each kind of log what must hold of an event, and when the event must have been."""

    trees: tuple[tuple[str, Tree], ...]
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the ways in which a pattern may hold.

    Args:
        how: one event; the same again and again; several in any order; several in this order.
        parts: places in `Compiled.parts`.
    """

    how: Literal["one", "again", "all", "in order"]
    parts: tuple[int, ...]
    times: int = 1
    timespan_us: int = MOST_TIMESPAN_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    rule: Rule
    parts: tuple[Part, ...]
    ways: tuple[Way, ...]


def joined(rules: RuleSet, compiled: Sequence[Compiled]) -> RuleSet:
    """The rule set with the patterns behind its own rules; each way to hold is a rule, under the indicator's id."""
    if not compiled:
        return rules
    patterns: dict[Pattern, int] = {one: number for number, one in enumerate(rules.patterns)}
    found = list(rules.rules)
    variants = list(rules.variants)
    correlations = list(rules.correlations)
    quiet = list(rules.quiet)
    for one in compiled:
        ways = [(way, len(found) + at) for at, way in enumerate(one.ways)]
        found += [one.rule] * len(ways)
        wanted = sorted({part for way, _ in ways if way.how != "one" for part in way.parts})
        place = {part: len(found) + at for at, part in enumerate(wanted)}
        for part in wanted:
            title = f"{one.rule.title} (observation {part + 1})"
            found.append(replace(one.rule, id=f"{one.rule.id}#{part + 1}", title=title))
        quiet += place.values()
        of_rule = [(way.parts[0], number) for way, number in ways if way.how == "one"] + list(place.items())
        variants += [each for part, number in of_rule for each in _variants(one.parts[part], number, patterns)]
        correlations += [_correlation(way, number, place) for way, number in ways if way.how != "one"]
    return replace(
        rules,
        rules=tuple(found),
        patterns=tuple(patterns),
        variants=tuple(variants),
        correlations=tuple(correlations),
        quiet=tuple(sorted(quiet)),
        unfiltered_from=len(rules.patterns) if rules.unfiltered_from is None else rules.unfiltered_from,
    )


def _variants(part: Part, number: int, patterns: dict[Pattern, int]) -> list[Variant]:
    return [
        Variant(
            rule=number,
            name=kind if len(part.trees) > 1 else "",
            kind=kind,
            gate=numbered(True, patterns),
            condition=numbered(tree, patterns),
            since_us=part.since_us,
            until_us=part.until_us,
        )
        for kind, tree in part.trees
    ]


def _correlation(way: Way, rule: int, place: dict[int, int]) -> Correlation:
    parts = tuple(place[part] for part in way.parts)
    types: dict[str, CorrelationType] = {"again": "event_count", "all": "temporal", "in order": "temporal_ordered"}
    again = way.how == "again"
    return Correlation(
        rule=rule,
        type=types[way.how],
        parts=parts,
        timespan_us=way.timespan_us,
        keys=((),) * len(parts),
        values=((),) * len(parts),
        bounds=(Bound(how="gte", text=str(way.times)),) if again else (),
        choices=() if again else (Choice(seen=tuple(range(len(parts)))),),
        apart=not again,
    )
