"""Sorted columns and ranges of rows in, what is counted or measured in each range out; whole columns at a time.

Ranges are `first` (inclusive) and `last` (exclusive), both never falling from one range to the next, and never
empty. The cost is that of sorting, whatever the length of the ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.model.event import Longs

Mask: TypeAlias = npt.NDArray[np.bool_]
# int64 where sums fit, else Python's own integers.
Wholes: TypeAlias = npt.NDArray[Any]

FITS = 1 << 62


@dataclass(frozen=True, slots=True)
class Ranges:
    first: Longs
    last: Longs

    def __len__(self) -> int:
        return len(self.first)

    def among(self, chosen: Mask) -> Ranges:
        return Ranges(self.first[chosen], self.last[chosen])


def distinct(values: Longs, ranges: Ranges) -> Longs:
    """How many different values each range holds.

    A row counts for the ranges that reach it but not the row of the same value before it. Ranges are in order,
    so those are neighbours, and a running sum of where they begin and end is all it takes.
    """
    order = np.argsort(values, kind="stable")
    same = values[order[1:]] == values[order[:-1]]
    before = np.full(len(values), -1, np.int64)
    before[order[1:][same]] = order[:-1][same]
    rows = np.arange(len(values), dtype=np.int64)
    begin = np.maximum(
        np.searchsorted(ranges.first, before, "right"),
        np.searchsorted(ranges.last, rows, "right"),
    )
    end = np.searchsorted(ranges.first, rows, "right")
    counted = begin < end
    steps = np.zeros(len(ranges) + 1, np.int64)
    np.add.at(steps, begin[counted], 1)
    np.subtract.at(steps, end[counted], 1)
    return np.cumsum(steps[:-1])


def sums(values: Wholes, ranges: Ranges) -> Wholes:
    total = np.concatenate((np.zeros(1, values.dtype), np.cumsum(values)))
    of_ranges: Wholes = total[ranges.last] - total[ranges.first]
    return of_ranges


def ranked(values: Wholes, ranges: Ranges, ranks: Sequence[Longs]) -> list[Wholes]:
    """For each array of ranks (from 0, one for each range) the values that have that rank in their range.

    A wavelet matrix: bit by bit of the values' order, the rows are parted stably by the bit, and a count of the
    zeros tells where each range has gone.
    """
    wide = ranges.last - ranges.first > 1  # else there is nothing to choose from
    ordered, order = np.unique(values, return_inverse=True)
    searches = [(ranges.first[wide], ranges.last[wide], rank[wide], np.zeros(wide.sum(), np.int64)) for rank in ranks]
    for bit in reversed(range(max(int(len(ordered) - 1).bit_length(), 1))):
        ones = (order >> bit & 1).astype(bool)
        zeros = np.concatenate((np.zeros(1, np.int64), np.cumsum(~ones)))
        for first, last, rank, found in searches:
            below = zeros[last] - zeros[first]
            up = rank >= below
            first[:] = np.where(up, zeros[-1] + first - zeros[first], zeros[first])
            last[:] = np.where(up, zeros[-1] + last - zeros[last], zeros[last])
            rank -= np.where(up, below, 0)
            found |= up.astype(np.int64) << bit
        order = np.concatenate((order[~ones], order[ones]))
    given = [values[ranges.first] for _ in ranks]
    for of_rank, (_, _, _, found) in zip(given, searches, strict=True):
        of_rank[wide] = ordered[found]
    return given


def holding(rows: Longs, ranges: Ranges) -> Mask:
    """Whether a range holds any of the rows, which are in order."""
    mask: Mask = np.searchsorted(rows, ranges.first) < np.searchsorted(rows, ranges.last)
    return mask


def in_turn(parts: Sequence[Longs], ranges: Ranges, alike: Longs) -> Mask:
    """Whether a range holds a row of each part, each at or after that of the part before.

    Args:
        parts: rows in order, for each part.
        alike: for each row, the first row of the same time: rows of one time are in no order.
    """
    reached = ranges.first
    held = np.ones(len(ranges), bool)
    for rows in parts:
        reached, found = _next(rows, reached, ranges)
        held &= found
        reached = alike[np.minimum(reached, len(alike) - 1)]
    return held


def longest_turn(parts: Sequence[Longs], ranges: Ranges, alike: Longs) -> Longs:
    """How many of the parts, at most, a range holds in their order, passing over others.

    `ends[n]` is the earliest row at which n of the parts that were looked at can have come in turn.
    """
    none = np.iinfo(np.int64).max
    ends = [ranges.first, *(np.full(len(ranges), none) for _ in parts)]
    for at, rows in enumerate(parts):
        for length in range(at, -1, -1):
            possible = ends[length] != none
            start = np.where(possible, ends[length], 0)
            start = alike[np.minimum(start, len(alike) - 1)] if length else start
            reached, found = _next(rows, start, ranges)
            ends[length + 1] = np.minimum(ends[length + 1], np.where(possible & found, reached, none))
    longest: Longs = np.sum([end != none for end in ends[1:]], axis=0, dtype=np.int64)
    return longest


def _next(rows: Longs, start: Longs, ranges: Ranges) -> tuple[Longs, Mask]:
    """The first of the rows at or after each start, and whether it is within the range."""
    if not len(rows):
        return start, np.zeros(len(start), bool)
    place = np.searchsorted(rows, start)
    reached = rows[np.minimum(place, len(rows) - 1)]
    return reached, (place < len(rows)) & (reached < ranges.last)
