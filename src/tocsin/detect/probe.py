"""A few rules and Events in, the events they fire for and those that come nearest to it out.

The matcher itself tells: it is asked for each part of a condition alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tocsin.detect.coverage import fields_of
from tocsin.detect.matcher import LEFT_IN_RAW, Detector
from tocsin.detect.subset import subset
from tocsin.model.event import Events, Longs
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What must hold, among other things, for a variant to fire. Of several alternatives one is enough."""

    variant: int
    alternative: int
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An event of a variant's log source. `score` is 1 where all of the condition holds, else less."""

    row: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one variant of a rule sees in Events.

    Args:
        gated: rows of its log source.
        fired: those it holds for.
        absent: fields it reads which none of the gated rows has.
        held: each part of its condition, and the rows that holds for.
        nearest: the rows that come closest to firing and do not, best first.
    """

    variant: int
    gated: Longs
    fired: Longs
    absent: tuple[str, ...]
    held: tuple[tuple[Part, Longs], ...]
    nearest: tuple[Near, ...]


def narrowed(rules: RuleSet, numbers: Sequence[int]) -> RuleSet:
    """Only these rules and what they need. Their expressions are few, and are tried without Hyperscan."""
    places: dict[int, int] = {}

    def moved(condition: Condition) -> Condition:
        match condition:
            case Leaf(pattern):
                return Leaf(places.setdefault(pattern, len(places)))
            case Not(part):
                return Not(moved(part))
            case All(parts):
                return All(tuple(map(moved, parts)))
            case AnyOf(parts):
                return AnyOf(tuple(map(moved, parts)))

    few = subset(rules, numbers)
    variants = tuple(replace(one, gate=moved(one.gate), condition=moved(one.condition)) for one in few.variants)
    return RuleSet(
        rules=few.rules,
        correlations=few.correlations,
        quiet=few.quiet,
        patterns=tuple(rules.patterns[number] for number in places),
        variants=variants,
    )


class Probe:
    """A few rules, ready to be asked why they did or did not fire."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.parts = tuple(
            Part(variant=number, alternative=alternative, condition=part)
            for number, variant in enumerate(rules.variants)
            for alternative, condition in enumerate(_alternatives(variant.condition))
            for part in (condition.parts if isinstance(condition, All) else (condition,))
        )
        asked = [replace(rules.variants[part.variant], condition=part.condition) for part in self.parts]
        self._detector = Detector(replace(rules, variants=(*rules.variants, *asked)))
        self.projection = self._detector.projection

    def look(self, events: Events, limit: int) -> Iterator[Sight]:
        """What each variant that reads such events sees, with at most `limit` of the nearest rows."""
        matches = self._detector.scan(events)
        rows = dict(matches.rows)
        none = np.zeros(0, np.int64)
        own = len(self.rules.variants)
        for number, variant in enumerate(self.rules.variants):
            if variant.kind != events.kind:
                continue
            gated = matches.gates[self._detector.gate_of[number]]
            fired = rows.get(number, none)
            held = tuple(
                (part, rows.get(own + at, none)) for at, part in enumerate(self.parts) if part.variant == number
            )
            yield Sight(
                variant=number,
                gated=gated,
                fired=fired,
                absent=_absent(sorted(fields_of(variant.condition, self.rules.patterns)), events, gated),
                held=held,
                nearest=self._nearest(gated, fired, held, limit),
            )

    def _nearest(self, gated: Longs, fired: Longs, held: Sequence[tuple[Part, Longs]], limit: int) -> tuple[Near, ...]:
        """Rows by the share of the conditions that held, of the alternative where that is largest."""
        best = np.zeros(len(gated))
        for alternative in {part.alternative for part, _ in held}:
            score, whole = np.zeros(len(gated)), 0.0
            for part, rows in held:
                if part.alternative == alternative:
                    weight = self._weight(part.condition)
                    score[np.searchsorted(gated, rows)] += weight
                    whole += weight
            best = np.maximum(best, score / whole)
        left = ~np.isin(gated, fired)
        rows, best = gated[left], best[left]
        order = np.argsort(-best, kind="stable")[:limit]
        return tuple(Near(row=int(rows[at]), score=float(best[at])) for at in order)

    def _weight(self, condition: Condition) -> float:
        """What must not hold counts little, as it rarely does; an event of another id is not near at all."""
        if isinstance(condition, Not):
            return 0.01
        return 5.0 if fields_of(condition, self.rules.patterns) == {"EventID"} else 1.0


def _alternatives(condition: Condition) -> tuple[Condition, ...]:
    """The conjunctions of which one is enough; what stands beside them is one alternative together."""
    if not isinstance(condition, AnyOf):
        return (condition,)
    several = tuple(part for part in condition.parts if isinstance(part, All) and part.parts)
    single = tuple(part for part in condition.parts if part not in several)
    return (*several, AnyOf(single)) if single or not several else several


def _absent(fields: Sequence[str], events: Events, rows: Longs) -> tuple[str, ...]:
    if not len(rows):
        return ()
    return tuple(
        name
        for name in fields
        if name not in LEFT_IN_RAW and ((column := events.columns.get(name)) is None or not column.codes[rows].any())
    )
