"""Ranges of sorted rows in, whether each holds a row for every part, and no event for two of them, out.

`parts` are the rows of each part, in order; `alike` gives for each row the first of the same group and time, `event`
the number of its event. Rows of one time are in no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from tocsin.detect.windows import Mask, Ranges, distinct
from tocsin.model.event import Longs

_NONE: Final = np.zeros(0, np.int64)


def apart_together(parts: Sequence[Longs], ranges: Ranges, event: Longs) -> Mask:
    """In any order. By Hall's theorem it is enough that every few parts have as many events between them."""
    held = np.ones(len(ranges), bool)
    for size in range(1, len(parts) + 1):
        for chosen in combinations(parts, size):
            rows = np.unique(np.concatenate((_NONE, *chosen)))
            among = Ranges(np.searchsorted(rows, ranges.first), np.searchsorted(rows, ranges.last))
            held &= distinct(event[rows], among) >= size
    return held


def apart_in_turn(parts: Sequence[Longs], ranges: Ranges, alike: Longs, event: Longs) -> Mask:
    """In the order of the parts.

    Only events of one time can be wanted twice, so that the earliest time at which the next part has an event is as
    good as any, if as many of the parts that follow are taken there as its events allow.
    """
    after = np.searchsorted(alike, alike, "right")  # the first row of a later time
    reached = _steps(parts, alike, after, event)
    done = np.zeros(len(ranges), np.int64)
    row = ranges.first.copy()
    held = np.ones(len(ranges), bool)
    for part, rows in enumerate(parts):
        waiting = held & (done == part)
        place = np.searchsorted(rows, row)
        found = place < len(rows)
        nearest = rows[np.minimum(place, len(rows) - 1)] if len(rows) else row
        found &= nearest < ranges.last
        held &= ~waiting | found
        moving = waiting & found
        head = alike[nearest[moving]]
        done[moving] = reached[part][head]
        row[moving] = after[head]
    return held


def _steps(parts: Sequence[Longs], alike: Longs, after: Longs, event: Longs) -> list[Longs]:
    """For each part and first row of a time: how many parts are done, if those before it were done earlier."""
    reached = [np.full(len(alike), part + 1) for part in range(len(parts))]
    rows = np.unique(np.concatenate((_NONE, *parts)))
    pairs = np.unique(np.stack((alike[rows], event[rows])), axis=1)
    heads, counts = np.unique(pairs[0], return_counts=True)
    for head in heads[counts > 1].tolist():
        events = [_events(of_part, head, after[head], event, len(parts)) for of_part in parts]
        for part, some in enumerate(events):
            if some:
                reached[part][head] = part + _longest(events[part:])
    return reached


def _events(rows: Longs, head: int, end: int, event: Longs, most: int) -> list[int]:
    """Events of one part and time; more than there are parts are never needed."""
    first, stop = np.searchsorted(rows, (head, end)).tolist()
    return list(np.unique(event[rows[first:stop]])[:most].tolist())


def _longest(events: Sequence[Sequence[int]]) -> int:
    """How many of the parts, from the first on, can have an event each."""
    taken: dict[int, int] = {}

    def place(part: int, tried: set[int]) -> bool:
        for one in events[part]:
            if one not in tried:
                tried.add(one)
                if one not in taken or place(taken[one], tried):
                    taken[one] = part
                    return True
        return False

    for part in range(len(events)):
        if not place(part, set()):
            return part
    return len(events)
