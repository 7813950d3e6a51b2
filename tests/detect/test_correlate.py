"""The engine of correlations: equal to the naive evaluator, and exact where others were found wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle import correlations as naive
from tocsin.detect import correlate as engine
from tocsin.model.correlation import COMPARISONS, CORRELATION_TYPES, Bound, Choice, Correlation
from tocsin.model.event import NO_TIME

TIMES = st.one_of(st.integers(0, 12), st.just(None))
# Few texts, so that groups and values meet; case, blanks and what is no number among them.
TEXTS = st.sampled_from(["a", "A", "b", "", None])
NUMBERS = st.sampled_from(["0", "1", "2", "2.5", "-3", "x", "", None])
EVENT = st.tuples(TIMES, st.fixed_dictionaries({"k": TEXTS, "l": TEXTS, "v": TEXTS, "n": NUMBERS}))
EVENTS = st.lists(st.tuples(EVENT, st.sets(st.integers(0, 2), min_size=1)), max_size=14)

Event = tuple[int | None, Mapping[str, str | None]]


def texts_and_codes(fields: Sequence[Mapping[str, str | None]]) -> tuple[list[str], dict[str, int]]:
    vocabulary: dict[str, int] = {"": engine.NOTHING}
    for one in fields:
        for text in one.values():
            vocabulary.setdefault((text or "").lower(), len(vocabulary))
    return list(vocabulary), vocabulary


def run(correlations: Sequence[Correlation], events: Sequence[tuple[Event, set[int]]]) -> Any:
    """Both evaluators on the same events; what each found, as sets."""
    # Numbers of events are in order of time, and say nothing of the order in which they are given.
    order = sorted(range(len(events)), key=lambda at: (events[at][0][0] is not None, events[at][0][0] or 0, at))
    number = {at: place for place, at in enumerate(order)}
    vocabulary, codes = texts_and_codes([event[1] for event, _ in events])
    streams, slow = {}, {}
    for rule in range(3):
        mine = [(number[at], *event) for at, (event, rules) in enumerate(events) if rule in rules]
        numbers = np.array([at for at, _, _ in mine], np.int64)
        streams[rule] = engine.Stream(
            ts=np.array([NO_TIME if ts is None else ts for _, ts, _ in mine], np.int64),
            event=numbers,
            unit=numbers,
            fields={
                name: np.array([codes[(fields[name] or "").lower()] for _, _, fields in mine], np.int64)
                for name in ("k", "l", "v", "n")
            },
        )
        slow[rule] = [naive.Seen(0, ts, at, at, tuple(sorted(fields.items()))) for at, ts, fields in mine]
    found = engine.correlate(correlations, streams, vocabulary)
    return plain(found, vocabulary), sorted(naive.correlate(correlations, slow), key=str), found


def plain(found: Sequence[engine.Bursts], vocabulary: Sequence[str]) -> list[naive.Found]:
    findings = [
        naive.Found(
            bursts.correlation.rule,
            tuple(vocabulary[codes[at]] for codes in bursts.keys),
            frozenset(bursts.events[bursts.starts[at] : bursts.starts[at + 1]].tolist()),
            float(bursts.values[at]),
        )
        for bursts in found
        for at in range(len(bursts))
    ]
    return sorted(findings, key=str)


@st.composite
def correlation(draw: st.DrawFn, kind: str, rule: int = 10, parts: Sequence[int] = (0, 1, 2)) -> Correlation:
    chosen = tuple(draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True)))
    temporal = kind.startswith("temporal")
    group_by = draw(st.sampled_from([(), ("k",), ("k", "l"), ("alias",)]))
    # An alias stands for another field in each part.
    keys = tuple(tuple("kl"[at % 2] if name == "alias" else name for name in group_by) for at in range(len(chosen)))
    values: tuple[str, ...] = ()
    if kind == "value_count":
        values = draw(st.sampled_from([("v",), ("v", "l")]))
    elif kind.startswith("value_"):
        values = ("n",)
    bounds: tuple[Bound, ...] = ()
    choices: tuple[Choice, ...] = ()
    if temporal and draw(st.booleans()):
        seen = st.sets(st.integers(0, len(chosen) - 1), min_size=1).map(lambda some: tuple(sorted(some)))
        for one in draw(st.lists(seen, min_size=1, max_size=2, unique=True)):
            unseen = draw(st.sets(st.sampled_from(range(len(chosen)))).map(lambda some, one=one: some - set(one)))
            choices += (Choice(seen=one, unseen=tuple(sorted(unseen))),)
    else:
        hows = draw(st.lists(st.sampled_from(COMPARISONS), min_size=1, max_size=2, unique=True))
        bounds = tuple(Bound(how=how, text=draw(st.sampled_from(["0", "1", "2", "3", "1.5"]))) for how in hows)
    return Correlation(
        rule=rule,
        type=kind,  # type: ignore[arg-type]
        parts=chosen,
        timespan_us=draw(st.integers(1, 6)),
        group_by=group_by,
        keys=keys,
        values=(values,) * len(chosen),
        bounds=bounds,
        choices=choices,
        percentile=draw(st.sampled_from(["0", "50", "90.5", "100"])) if kind == "value_percentile" else "",
    )


@pytest.mark.parametrize("kind", CORRELATION_TYPES)
@given(data=st.data())
def test_equals_the_naive_evaluator(kind: str, data: st.DataObject) -> None:
    one = data.draw(correlation(kind))
    fast, slow, _ = run([one], data.draw(EVENTS))
    assert fast == slow


@given(data=st.data())
def test_correlations_over_correlations_equal_the_naive_evaluator(data: st.DataObject) -> None:
    kinds = st.sampled_from(CORRELATION_TYPES)
    below = data.draw(correlation(data.draw(kinds)))
    middle = data.draw(correlation(data.draw(kinds), rule=11, parts=(10, 0)))
    above = data.draw(correlation(data.draw(kinds), rule=12, parts=(11, 10, 1)))
    fast, slow, _ = run([below, middle, above], data.draw(EVENTS))
    assert fast == slow


@given(events=EVENTS, data=st.data())
def test_the_order_of_the_input_does_not_matter(events: list[Any], data: st.DataObject) -> None:
    one = data.draw(correlation(data.draw(st.sampled_from(CORRELATION_TYPES))))
    # An event's number breaks ties of time, and ties are in no order: what is told apart must not differ.
    named = [(event, rules) for event, rules in events]
    shuffled = data.draw(st.permutations(named))

    def told(given_events: list[Any]) -> Any:
        fast, _, _ = run([one], given_events)
        return sorted((found.key, found.value, len(found.events)) for found in fast)

    assert told(named) == told(shuffled)


@given(events=EVENTS, data=st.data())
def test_each_event_is_in_one_finding_of_a_correlation(events: list[Any], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([one for one in CORRELATION_TYPES if one != "value_count"]))
    one = data.draw(correlation(kind))
    if "alias" in one.group_by:
        return  # an event may then be of two groups
    fast, _, _ = run([one], events)
    listed = [event for found in fast for event in found.events]
    assert len(listed) == len(set(listed))
