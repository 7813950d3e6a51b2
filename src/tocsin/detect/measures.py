"""Rows of one correlation and windows over them in; which windows hold, and what was counted or measured there, out."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.detect.apart import apart_in_turn, apart_together
from tocsin.detect.predicates import number
from tocsin.detect.windows import (
    FITS,
    Mask,
    Ranges,
    Wholes,
    distinct,
    holding,
    in_turn,
    longest_turn,
    ranked,
    sums,
)
from tocsin.model.correlation import Comparison, Correlation
from tocsin.model.event import Longs

Floats: TypeAlias = npt.NDArray[np.float64]

_ONE: Final = 1_000_000  # numbers are compared as whole millionths
_MOST: Final = Decimal(10) ** 20  # what is larger is an identifier or a mask, and no quantity
_HUNDRED_PERCENT: Final = 100 * _ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows in order of group and time.

    Args:
        part: which of the correlation's rules each is of.
        value: a code for what `value_count` counts, else 0.
        millionths: the number that is measured, else 0.
        alike: the first row of the same group and time.
        event: number of the event.
    """

    part: Longs
    value: Longs
    millionths: Wholes
    alike: Longs
    event: Longs


def millionths(text: str) -> int | None:
    """A decimal or hexadecimal number as whole millionths; None where the text is none."""
    found = number(text.strip())
    if found is None or not found.is_finite() or abs(found) > _MOST:
        return None
    return int((found * _ONE).to_integral_value(ROUND_HALF_EVEN))


def whole_numbers(numbers: list[int], codes: Longs) -> Wholes:
    """The number of each code, as integers that can be summed without overflow."""
    largest = max((abs(one) for one in numbers), default=0)
    fits = largest * 2 * max(len(codes), 1) < FITS
    table: Wholes = np.array(numbers, np.int64 if fits else object)
    return table[codes]


def measure(correlation: Correlation, rows: Rows, ranges: Ranges) -> tuple[Mask, Floats]:
    """Which windows hold, and the count or value of each."""
    if correlation.type in ("temporal", "temporal_ordered"):
        return _temporal(correlation, rows, ranges)
    top, under = _quantity(correlation, rows, ranges)
    return _compared(correlation, top, under), _float(top, under)


def _quantity(correlation: Correlation, rows: Rows, ranges: Ranges) -> tuple[Wholes, Longs]:
    """What is compared, as a fraction: millionths above, a whole number below."""
    size = ranges.last - ranges.first
    one = np.ones(len(ranges), np.int64)
    match correlation.type:
        case "event_count":
            return size * _ONE, one
        case "value_count":
            return distinct(rows.value, ranges) * _ONE, one
        case "value_sum":
            return sums(rows.millionths, ranges), one
        case "value_avg":
            return sums(rows.millionths, ranges), size
        case "value_median":
            low, high = ranked(rows.millionths, ranges, [(size - 1) // 2, size // 2])
            return low + high, 2 * one
    share = int(Decimal(correlation.percentile) * _ONE)
    rank = np.maximum(-(-share * size // _HUNDRED_PERCENT), 1)
    [found] = ranked(rows.millionths, ranges, [rank - 1])
    return found, one


def _temporal(correlation: Correlation, rows: Rows, ranges: Ranges) -> tuple[Mask, Floats]:
    ordered = correlation.type == "temporal_ordered"
    of_part = [np.flatnonzero(rows.part == part) for part in range(len(correlation.parts))]
    different = distinct(rows.part, ranges)
    if correlation.bounds:
        counted = longest_turn(of_part, ranges, rows.alike) if ordered else different
        return _compared(correlation, counted * _ONE, np.ones_like(counted)), counted.astype(np.float64)
    held = np.zeros(len(ranges), bool)
    for choice in correlation.choices:
        seen = [of_part[part] for part in choice.seen]
        if correlation.apart:
            holds = (
                apart_in_turn(seen, ranges, rows.alike, rows.event)
                if ordered
                else apart_together(seen, ranges, rows.event)
            )
        elif ordered:
            holds = in_turn(seen, ranges, rows.alike)
        else:
            holds = np.logical_and.reduce([holding(part, ranges) for part in seen])
        for part in choice.unseen:
            holds &= ~holding(of_part[part], ranges)
        held |= holds
    return held, different.astype(np.float64)


def _compared(correlation: Correlation, top: Wholes, under: Longs) -> Mask:
    held = np.ones(len(top), bool)
    for bound in correlation.bounds:
        limit = int(Decimal(bound.text) * _ONE)
        fits = top.dtype != object and abs(limit) * int(under.max(initial=1)) < FITS
        left, right = (top, under * limit) if fits else (top.astype(object), under.astype(object) * limit)
        held &= _holds(bound.how, left, right)
    return held


def _holds(how: Comparison, left: Any, right: Any) -> Mask:
    compare = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "eq": operator.eq}
    return np.asarray(compare.get(how, operator.ne)(left, right), bool)


def _float(top: Wholes, under: Longs) -> Floats:
    if top.dtype == object:
        return np.array([one / (int(part) * _ONE) for one, part in zip(top, under, strict=True)], np.float64)
    return top / (under * _ONE)
