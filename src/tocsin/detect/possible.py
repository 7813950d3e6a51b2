"""Rules and the distinct values of fields in, the files out among whose events a rule may hold for one.

Never one too few. What a rule asks of a single field, `not` and all, is asked of that field's values by the engine that
reads events: each value is an event, and so is the field that is absent. A file may have an event that fits if it has
such a value for each part of a conjunction; whether one event has them all, only the file itself tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

import numpy as np

from tocsin.detect.matcher import LEFT_IN_RAW, Detector
from tocsin.detect.needs import collect_patterns
from tocsin.detect.nodes import Mask
from tocsin.detect.views import base_of
from tocsin.model.event import NO_TIME, NULL, Column, Events, Longs, RawRecords, Source
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not, Pattern, RuleSet, Variant

MOST_VARIANTS: Final = 200  # of a whole pack something fits in nearly each file, and asking first would be for nothing

_SEVERAL: Final = ""  # fields, or whole records, or two fields compared: no value alone can say
_EVERYTHING: Final = All(())


class Vocabulary(Protocol):
    """What some files hold: masks are over these files."""

    def values(self, kind: str, name: str) -> Sequence[str | None]:
        """The distinct values of a field, as those of a column: the first two are None."""

    def having(self, kind: str, name: str, values: Longs) -> Mask:
        """The files that have one of these values (counted without the first two), or whose values are not known."""

    def of_kind(self, kind: str) -> Mask: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of one field."""

    kind: str
    name: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class _Joined:
    parts: tuple[_Plan, ...]
    conjunction: bool


_Plan: TypeAlias = bool | _Asked | _Joined


class Foresight:
    """The variants of rules, ready to be asked of any number of vocabularies."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._gates = [self._planned(one.kind, one.gate, wanted=True) for one in rules.variants]
        self._whole = [
            _Joined((gate, self._planned(one.kind, one.condition, wanted=True)), conjunction=True)
            for gate, one in zip(self._gates, rules.variants, strict=True)
        ]
        asked: dict[tuple[str, str], dict[Condition, int]] = {}
        for one in _asked(self._whole):
            known = asked.setdefault((one.kind, one.name), {})
            known.setdefault(one.condition, len(known))
        self._of_field = asked
        self._detectors = {
            key: Detector(
                replace(
                    rules,
                    variants=tuple(
                        Variant(rule=0, name="", kind=key[0], gate=_EVERYTHING, condition=one) for one in conditions
                    ),
                    correlations=(),
                    quiet=(),
                )
            )
            for key, conditions in asked.items()
        }

    def through(self, known: Vocabulary) -> tuple[list[Mask], list[Mask]]:
        """By variant, the files of which an event may pass its gate, and those of which one may match."""
        found = {
            (*key, condition): mask
            for key, conditions in self._of_field.items()
            for condition, mask in zip(conditions, self._holding(known, *key), strict=True)
        }
        kinds = [known.of_kind(one.kind) for one in self._rules.variants]
        return tuple(  # type: ignore[return-value]  # of two
            [kind & _mask(plan, found, kind) for kind, plan in zip(kinds, plans, strict=True)]
            for plans in (self._gates, self._whole)
        )

    def _holding(self, known: Vocabulary, kind: str, name: str) -> Iterable[Mask]:
        """For each thing that is asked of a field, the files that have a value for which it holds."""
        values, here = known.values(kind, name), known.of_kind(kind)
        codes = np.concatenate((np.arange(NULL + 1, len(values)), [NULL, 0]))
        events = _events(kind, name, Column(codes=codes.astype(np.int32), values=values))
        matches = self._detectors[kind, name].scan(events)
        rows = dict(matches.rows)
        for number in range(len(self._of_field[kind, name])):
            fits = rows.get(number, np.zeros(0, np.int64))
            if matches.gave_up or (len(fits) and fits[-1] >= len(values) - (NULL + 1)):
                yield here  # records without the field are anywhere
            else:
                yield known.having(kind, name, fits)

    def _planned(self, kind: str, condition: Condition, *, wanted: bool) -> _Plan:
        """A condition, or that it does not hold, in pieces that ask of one field each."""
        name = self._only_field(condition)
        if name != _SEVERAL and name is not None:
            return _Asked(kind, name, condition if wanted else Not(condition))
        if isinstance(condition, Leaf):
            return True
        if isinstance(condition, Not):
            return self._planned(kind, condition.part, wanted=not wanted)
        conjunction = isinstance(condition, All)
        alone: dict[str, list[Condition]] = {}
        plans: list[_Plan] = []
        for part in condition.parts:
            name = self._only_field(part)
            if name is None or name == _SEVERAL:
                plans.append(self._planned(kind, part, wanted=wanted))
            else:
                alone.setdefault(name, []).append(part)
        for some in alone.values():
            whole = All(tuple(some)) if conjunction else AnyOf(tuple(some))
            plans.append(self._planned(kind, whole, wanted=wanted))
        return _Joined(tuple(plans), conjunction=conjunction == wanted)

    def _only_field(self, condition: Condition) -> str | None:
        """The one field that a condition is about; None for what is about nothing."""
        used: set[int] = set()
        collect_patterns(condition, used)
        names = {self._field(self._rules.patterns[number]) for number in used}
        return _SEVERAL if len(names) > 1 else next(iter(names), None)

    def _field(self, pattern: Pattern) -> str:
        if pattern.field is None or pattern.kind.startswith("fieldref"):
            return _SEVERAL
        name = base_of(pattern.field)
        return _SEVERAL if name in LEFT_IN_RAW else name


def _asked(plans: Iterable[_Plan]) -> Iterable[_Asked]:
    for plan in plans:
        if isinstance(plan, _Asked):
            yield plan
        elif isinstance(plan, _Joined):
            yield from _asked(plan.parts)


def _mask(plan: _Plan, found: dict[tuple[str, str, Condition], Mask], everywhere: Mask) -> Mask:
    match plan:
        case bool():
            return everywhere if plan else np.zeros(len(everywhere), bool)
        case _Asked(kind, name, condition):
            return found[kind, name, condition]
        case _Joined(parts, conjunction):
            mask = everywhere if conjunction else np.zeros(len(everywhere), bool)
            for part in parts:
                mask = mask & _mask(part, found, everywhere) if conjunction else mask | _mask(part, found, everywhere)
            return mask


def _events(kind: str, name: str, column: Column) -> Events:
    size = len(column.codes)
    nowhere = np.zeros(size, np.int64)
    return Events(
        kind=kind,
        sources=(Source(path=""),),
        ts=np.full(size, NO_TIME),
        src=np.zeros(size, np.int32),
        rec=nowhere,
        chunk=nowhere,
        raw=RawRecords(),
        columns={name: column},
        fields_of=(),
    )
