"""Correlations evaluated one event, one window and one pair at a time, straight from what `correlate` says it means.

Nothing of the engine is used here but the nouns it speaks. Sets and loops only: slow, and meant to be seen through.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tocsin.model.correlation import Correlation


@dataclass(frozen=True)
class Seen:
    """An event of one rule. `counts_as` is the event, or the finding that hands it on."""

    part: int
    ts: int | None
    event: int
    counts_as: object
    fields: tuple[tuple[str, str | None], ...]

    def text(self, name: str) -> str:
        return (dict(self.fields).get(name) or "").lower()


@dataclass(frozen=True)
class Found:
    rule: int
    key: tuple[str, ...]
    events: frozenset[int]
    value: float


def correlate(correlations: Sequence[Correlation], streams: Mapping[int, Sequence[Seen]]) -> list[Found]:
    known = {rule: list(events) for rule, events in streams.items()}
    found: list[Found] = []
    for one in correlations:
        mine, known[one.rule] = _evaluate(one, known)
        found += mine
    return found


def _evaluate(one: Correlation, known: Mapping[int, Sequence[Seen]]) -> tuple[list[Found], list[Seen]]:
    groups: dict[tuple[str, ...], list[Seen]] = {}
    for part, rule in enumerate(one.parts):
        for event in known.get(rule, ()):
            key = tuple(event.text(name) for name in one.keys[part])
            of_part = Seen(part, event.ts, event.event, event.counts_as, event.fields)
            if event.ts is not None and all(key) and _value(one, of_part) is not None:
                groups.setdefault(key, []).append(of_part)
    found: list[Found] = []
    handed_on: list[Seen] = []
    for key, events in groups.items():
        for burst, value in _bursts(one, events):
            found.append(Found(one.rule, key, frozenset(event.event for event in burst), float(value)))
            finding = (one.rule, key, min(event.event for event in burst), len(handed_on))
            for event in burst:
                own = {**dict(event.fields), **dict(zip(one.group_by, key, strict=True))}
                handed_on.append(
                    Seen(0, _moment(one, events, event), event.event, finding, tuple(sorted(own.items(), key=str)))
                )
    return found, handed_on


def _bursts(one: Correlation, events: list[Seen]) -> list[tuple[list[Seen], Fraction]]:
    windows = [
        {at for at, event in enumerate(events) if 0 <= _time(one, events, event) - start <= one.timespan_us}
        for start in {_time(one, events, event) for event in events}
    ]
    whole = [window for window in windows if not any(window < other for other in windows)]
    holding = [(set(window), _holds(one, [events[at] for at in window])) for window in whole]
    bursts = [(window, value) for window, value in holding if value is not None]
    while pair := next((p for p in itertools.combinations(bursts, 2) if p[0][0] & p[1][0]), None):
        bursts = [burst for burst in bursts if burst is not pair[0] and burst is not pair[1]]
        bursts.append((pair[0][0] | pair[1][0], max(pair[0][1], pair[1][1])))
    return [([events[at] for at in window], value) for window, value in bursts]


def _time(one: Correlation, events: list[Seen], event: Seen) -> int:
    """For what counts once, the last moment at which it was seen."""
    if one.type in ("temporal", "temporal_ordered"):
        assert event.ts is not None
        return event.ts
    alike = [
        other.ts
        for other in events
        if (other.counts_as, _value(one, other)) == (event.counts_as, _value(one, event)) and other.ts is not None
    ]
    return max(alike)


def _moment(one: Correlation, events: list[Seen], event: Seen) -> int:
    moments = []
    for end in {_time(one, events, other) for other in events}:
        before = [other for other in events if 0 <= end - _time(one, events, other) <= one.timespan_us]
        if end >= _time(one, events, event) and _holds(one, before) is not None:
            moments.append(end)
    return min(moments)


def _value(one: Correlation, event: Seen) -> object:
    texts = tuple(event.text(name) for name in one.values[event.part])
    if not all(texts):
        return None
    if one.type in ("value_sum", "value_avg", "value_percentile", "value_median"):
        try:
            return Fraction(texts[0])
        except ValueError:
            return None
    return texts


def _holds(one: Correlation, window: list[Seen]) -> Fraction | None:
    """What was counted or measured, if the condition holds."""
    once = {(event.counts_as, _value(one, event)) for event in window}
    values = sorted(value for _, value in once) if one.values[0] and one.type != "value_count" else []
    rules = {event.part for event in window}
    match one.type:
        case "event_count":
            quantity = Fraction(len(once))
        case "value_count":
            quantity = Fraction(len({value for _, value in once}))
        case "value_sum":
            quantity = sum(values, Fraction(0))
        case "value_avg":
            quantity = sum(values, Fraction(0)) / len(values)
        case "value_median":
            quantity = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        case "value_percentile":
            quantity = values[max(ceil(Fraction(one.percentile) / 100 * len(values)), 1) - 1]
        case "temporal" | "temporal_ordered":
            ordered = one.type == "temporal_ordered"
            if one.choices:
                holds = any(
                    rules >= set(choice.seen)
                    and not rules & set(choice.unseen)
                    and (not ordered or _in_turn(choice.seen, window))
                    for choice in one.choices
                )
                return Fraction(len(rules)) if holds else None
            quantity = Fraction(len(rules))
            if ordered:
                every = range(len(one.parts))
                rows = [row for size in range(len(every) + 1) for row in itertools.combinations(every, size)]
                quantity = Fraction(max(len(row) for row in rows if _in_turn(row, window)))
    return quantity if all(_compare(bound.how, quantity, Fraction(bound.text)) for bound in one.bounds) else None


def _in_turn(parts: Sequence[int], window: list[Seen]) -> bool:
    times = [[event.ts for event in window if event.part == part] for part in parts]
    return any(list(row) == sorted(row) for row in itertools.product(*times))


def _compare(how: str, left: Fraction, right: Fraction) -> bool:
    return {
        "gt": left > right,
        "gte": left >= right,
        "lt": left < right,
        "lte": left <= right,
        "eq": left == right,
        "neq": left != right,
    }[how]
