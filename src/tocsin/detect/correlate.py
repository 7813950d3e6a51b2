"""Events of single rules in, findings of Sigma correlations out; exact, and independent of the order of the input.

The specification (Sigma correlation rules 2.1) leaves much open. What is meant here:

Groups. Events whose `group-by` fields have the same values are of one group, as Sigma compares text: case does
not matter. Without `group-by` all are. An event that lacks such a field (absent, null or empty) is in no group; nor
is an event without a readable time in any window, or one without the value to be counted (or with one that is no
number, where it is measured). They are passed over, and counted.

Windows. A window is a set of events of one group, the last at most `timespan` after the first (exactly `timespan`
is within), to which no other event of the group could be added. It may begin anywhere: hours and days are no
boundaries. For `gte` and `gt` of counts, and for temporal conditions without `not`, this is the same as asking all
sets that fit into the timespan; `lt`, `eq`, averages and `not` would be true of some part of nearly anything, and
are asked of whole windows only. No window is empty: that nothing happened cannot be found.

What holds in a window. `event_count`: the number of events; one that fires several of the rules is one event.
`value_count`: the number of different values (case does not matter; of several fields, of combinations).
`value_sum`, `value_avg`: of numbers, each exact to a millionth. `value_percentile`: the smallest value such that at
least that share of the events have it or less (nearest rank). `value_median`: the middle one, or the mean of both.
`temporal`: every rule is seen; a numeric condition is about the number of different rules; an extended condition
is what it says. One event may stand for several rules. `temporal_ordered`: likewise, and there are events of these
rules none of which is before the one for the rule in front. Events of one time are in any order, for clocks are
coarse. A numeric condition is about the longest row of rules that came in their order, passing over others; of an
extended condition, the rules that must be seen must be so in the order of `rules`.

Findings. Windows that hold and share an event are one burst, and a burst is one finding: it lists every event of
its windows, so that each event of a window that holds is in exactly one finding of the correlation, and an attack
of many hours is one finding. Its value is the largest that one of its windows reached.

Correlations over correlations. A finding hands on its events, each with its own fields and those of the group, and
with the first moment from then on at which the condition held of all that was not older than the timespan: ten
failures and then a success are found, though failures went on afterwards. Counts and measures take the finding
once (for each group and value), at the last of these moments. The finding above lists what was handed on to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.detect.measures import Floats, Rows, measure, millionths, whole_numbers
from tocsin.detect.referred import carried
from tocsin.detect.windows import Mask, Ranges, Wholes
from tocsin.model.correlation import Correlation
from tocsin.model.event import NO_TIME, Longs

NOTHING: Final = 0  # the code of a value that is absent, null or empty

_LAST: Final = int(np.iinfo(np.int64).max)
_TEMPORAL: Final = ("temporal", "temporal_ordered")
_MEASURED: Final = ("value_sum", "value_avg", "value_percentile", "value_median")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Events of one rule, one a row.

    Args:
        ts: UTC microseconds, `NO_TIME` where there is none.
        event: number of the event. The same number is the same event, whichever rule it fired; an event before
            another has the smaller number.
        unit: what counts once: the event, or the finding that hands it on.
        fields: codes of the vocabulary, for each field that some correlation asks for; others are absent.
    """

    ts: Longs
    event: Longs
    unit: Longs
    fields: Mapping[str, Longs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Events that took no part, by the first reason that applies."""

    no_time: int = 0
    no_group: int = 0
    no_value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """Findings of one correlation, in order of group and time; those of groups in the order of their codes.

    Args:
        starts: where the events of each begin in `events`; one more says where the last ends.
        events: numbers of events, for each finding in order and each once.
        keys: for each name of `group_by`, codes of the vocabulary.
        values: the largest count or value that a window reached.
    """

    correlation: Correlation
    starts: Longs
    events: Longs
    keys: tuple[Longs, ...]
    values: Floats
    passed: Passed

    def __len__(self) -> int:
        return len(self.values)


def correlate(
    correlations: Sequence[Correlation], streams: Mapping[int, Stream], vocabulary: Sequence[str]
) -> list[Bursts]:
    """Evaluate correlations, each after those it refers to.

    Args:
        streams: by rule; a rule without a stream had no events.
        vocabulary: the text of each code, folded so that equal text has one code; `NOTHING` stands for no text.
    """
    asked = carried(correlations)
    known = dict(streams)
    found: list[Bursts] = []
    units = -1
    for one in correlations:
        bursts, handed_on = _evaluated(one, known, vocabulary, asked.get(one.rule), units)
        known[one.rule] = handed_on
        units -= len(bursts)
        found.append(bursts)
    return found


# --------------------------------------------------------------------------------- one correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    """Events of all parts, a row each, in no order."""

    part: Longs
    ts: Longs
    event: Longs
    unit: Longs
    keys: tuple[Longs, ...]
    values: tuple[Longs, ...]
    others: Mapping[str, Longs]  # fields to be handed on

    def among(self, rows: Longs) -> _Entries:
        return _Entries(
            part=self.part[rows],
            ts=self.ts[rows],
            event=self.event[rows],
            unit=self.unit[rows],
            keys=tuple(codes[rows] for codes in self.keys),
            values=tuple(codes[rows] for codes in self.values),
            others={name: codes[rows] for name, codes in self.others.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What counts, in order of group and time.

    Args:
        reach: the end of the widest range that begins with a row.
        back: the beginning of the widest range that ends with it.
        end: the end of the rows of the same group and time.
        place: for each entry, the row it counts as.
    """

    ts: Longs
    reach: Longs
    back: Longs
    end: Longs
    rows: Rows
    place: Longs


def _evaluated(
    one: Correlation,
    streams: Mapping[int, Stream],
    vocabulary: Sequence[str],
    asked: Sequence[str] | None,
    first_unit: int,
) -> tuple[Bursts, Stream]:
    """The findings of one correlation, and what they hand on; their units are `first_unit` and below."""
    entries, passed, number_of = _partaking(one, _gathered(one, streams, asked), vocabulary)
    counted = _counted(one, entries, number_of)
    ranges, values = _holding(one, counted)
    fresh = np.ones(len(ranges), bool)
    fresh[1:] = ranges.first[1:] >= ranges.last[:-1]
    heads = np.flatnonzero(fresh)
    firsts = ranges.first[heads]
    ends = ranges.last[np.append(heads[1:], len(ranges))[: len(heads)] - 1]

    rows = np.arange(len(counted.ts))
    burst = np.searchsorted(firsts, rows, "right") - 1
    if len(heads):
        burst[rows >= ends[burst]] = -1
    of_entry = burst[counted.place]
    chosen = np.flatnonzero(of_entry >= 0)
    of_entry, entries = of_entry[chosen], entries.among(chosen)
    found, events = _pairs(of_entry, entries.event)
    some = np.zeros(len(heads), np.int64)
    some[of_entry] = np.arange(len(of_entry))  # an entry of each burst: all have the same keys
    bursts = Bursts(
        correlation=one,
        starts=np.searchsorted(found, np.arange(len(heads) + 1)),
        events=events,
        keys=tuple(codes[some] for codes in entries.keys),
        values=np.maximum.reduceat(values, heads) if len(heads) else values,
        passed=passed,
    )
    ts = _moments(one, counted)[counted.place[chosen]] if asked is not None and len(heads) else entries.ts
    by_key = dict(zip(one.group_by, entries.keys, strict=True))
    return bursts, Stream(ts=ts, event=entries.event, unit=first_unit - of_entry, fields={**entries.others, **by_key})


def _gathered(one: Correlation, streams: Mapping[int, Stream], asked: Sequence[str] | None) -> _Entries:
    used = [(part, streams[rule]) for part, rule in enumerate(one.parts) if rule in streams]
    none = np.zeros(0, np.int64)

    def joined(columns: Sequence[Longs]) -> Longs:
        return np.concatenate((none, *columns))

    def fields(names: Sequence[str]) -> Longs:
        return joined(
            [
                stream.fields.get(name, np.full(len(stream.ts), NOTHING))
                for name, (_, stream) in zip(names, used, strict=True)
            ]
        )

    return _Entries(
        part=joined([np.full(len(stream.ts), part) for part, stream in used]),
        ts=joined([stream.ts for _, stream in used]),
        event=joined([stream.event for _, stream in used]),
        unit=joined([stream.unit for _, stream in used]),
        keys=tuple(fields([one.keys[part][at] for part, _ in used]) for at in range(len(one.group_by))),
        values=tuple(fields([one.values[part][at] for part, _ in used]) for at in range(len(one.values[0]))),
        others={name: fields([name for _ in used]) for name in asked or () if name not in one.group_by},
    )


def _partaking(one: Correlation, entries: _Entries, vocabulary: Sequence[str]) -> tuple[_Entries, Passed, Wholes]:
    """The entries that take part, who does not, and for each entry that does the number that is measured."""
    without = [entries.ts == NO_TIME, _lacks(entries.keys, len(entries.ts)), _lacks(entries.values, len(entries.ts))]
    read, at = [0], np.zeros(len(entries.ts), np.int64)
    if one.type in _MEASURED:
        distinct, at = np.unique(entries.values[0], return_inverse=True)
        found = [millionths(vocabulary[code]) if code != NOTHING else None for code in distinct.tolist()]
        without[2] = np.array([number is None for number in found], bool)[at]
        read = [number or 0 for number in found]
    left = np.ones(len(entries.ts), bool)
    counts = []
    for missing in without:
        counts.append(len(np.unique(entries.event[left & missing])))
        left &= ~missing
    rows = np.flatnonzero(left)
    passed = Passed(no_time=counts[0], no_group=counts[1], no_value=counts[2])
    return entries.among(rows), passed, whole_numbers(read, at[rows])


def _lacks(columns: Sequence[Longs], size: int) -> Mask:
    lacking = np.zeros(size, bool)
    for codes in columns:
        lacking |= codes == NOTHING
    return lacking


def _counted(one: Correlation, entries: _Entries, numbers: Wholes) -> _Counted:
    """What the entries count as, sorted, with the windows around each."""
    group, value = _combined(entries.keys, len(entries.ts)), _combined(entries.values, len(entries.ts))
    if one.type in _TEMPORAL:
        order = np.lexsort((entries.part, entries.event, entries.ts, group))
        kept, place = order, np.empty_like(order)
        place[order] = np.arange(len(order))
    else:  # each unit once for each group and value, at its last moment
        same = _combined((group, value, entries.unit - entries.unit.min(initial=0)), len(entries.ts))
        order = np.lexsort((entries.event, entries.ts, same))
        last = np.ones(len(order), bool)
        last[:-1] = same[order[1:]] != same[order[:-1]]
        of_same = order[last]
        sorting = np.lexsort((entries.event[of_same], entries.ts[of_same], group[of_same]))
        kept, rank = of_same[sorting], np.empty_like(sorting)
        rank[sorting] = np.arange(len(sorting))
        place = rank[same]
    ts, group = entries.ts[kept], group[kept]
    moments, at = np.unique(ts, return_inverse=True)
    span, room = one.timespan_us, len(moments) + 1
    spot = group * room + at  # in order as the rows are
    until = np.searchsorted(moments, np.minimum(ts, _LAST - span) + span, "right")
    since = np.searchsorted(moments, np.maximum(ts, NO_TIME + span) - span)
    return _Counted(
        ts=ts,
        reach=np.searchsorted(spot, group * room + until),
        back=np.searchsorted(spot, group * room + since),
        end=np.searchsorted(spot, spot, "right"),
        rows=Rows(
            part=entries.part[kept],
            value=value[kept],
            millionths=numbers[kept],
            alike=np.searchsorted(spot, spot),
            event=entries.event[kept],
        ),
        place=place,
    )


def _holding(one: Correlation, counted: _Counted) -> tuple[Ranges, Floats]:
    """The windows that hold, and what was counted or measured in them."""
    begins = np.ones(len(counted.ts), bool)
    begins[1:] = counted.reach[1:] > counted.reach[:-1]  # else what begins here is a part of what begins before
    ranges = Ranges(np.flatnonzero(begins), counted.reach[begins])
    held, values = measure(one, counted.rows, ranges)
    return ranges.among(held), values[held]


def _moments(one: Correlation, counted: _Counted) -> Longs:
    """For each row the first time from then on at which the condition held of the timespan before.

    It did so at the last row of each window that held, so there is such a time for each row of a burst.
    """
    heads = np.flatnonzero(counted.rows.alike == np.arange(len(counted.ts)))
    held, _ = measure(one, counted.rows, Ranges(counted.back[heads], counted.end[heads]))
    moments = heads[held]
    place = np.searchsorted(moments, counted.rows.alike)
    return counted.ts[moments[np.minimum(place, len(moments) - 1)]]


def _combined(columns: Sequence[Longs], size: int) -> Longs:
    """One dense code for each combination."""
    codes = np.zeros(size, np.int64)
    for column in columns:
        _, dense = np.unique(column, return_inverse=True)
        _, codes = np.unique(codes * (int(dense.max(initial=0)) + 1) + dense, return_inverse=True)
    return codes


def _pairs(first: Longs, second: Longs) -> tuple[Longs, Longs]:
    """Pairs of numbers from 0, sorted and each once."""
    room = int(second.max(initial=0)) + 1
    pairs = np.unique(first * room + second)
    return pairs // room, pairs % room
