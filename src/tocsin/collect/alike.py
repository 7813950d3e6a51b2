"""Lines and an expression of how they begin in, which of them it matches out.

What stands before a record differs from line to line in little but digits: times, numbers of processes. So what the
expression matched in one line is laid over all others; where these have the same bytes, and any digits for digits,
nothing else is asked.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect.lines import Bytes, Lines, Mask
from tocsin.model.event import Longs

_FEW: Final = 16  # lines that are not worth it
_MOST_LAID: Final = 32  # lines of a block that are laid over others
_MOST_MISFITS: Final = 3  # of these may fit less than a quarter of the lines, or not match at all


def matching(lines: Lines, rows: Longs, form: re.Pattern[bytes]) -> Mask:
    """Which of some lines an expression matches from their beginning.

    Args:
        form: takes any digit where it takes one, but for what its groups match.
    """
    matched: Mask = np.zeros(len(rows), bool)
    left, misfits = np.arange(len(rows)), 0
    for _ in range(_MOST_LAID):
        if len(left) < _FEW or misfits > _MOST_MISFITS:
            break
        found = _match(lines, int(rows[left[0]]), form)
        if found is None:
            left, misfits = left[1:], misfits + 1
            continue
        same = _laid(lines, rows[left], found)
        misfits += 4 * same.sum() < len(left)
        matched[left[same]] = True
        left = left[~same]
    for at in left.tolist():
        matched[at] = _match(lines, int(rows[at]), form) is not None
    return matched


def _match(lines: Lines, row: int, form: re.Pattern[bytes]) -> re.Match[bytes] | None:
    return form.match(lines.data, int(lines.starts[row]), int(lines.stops[row]))


def _laid(lines: Lines, rows: Longs, found: re.Match[bytes]) -> Mask:
    """Which lines begin as what was found, which begins one of them."""
    model = np.frombuffer(found[0], np.uint8)
    free = _is_digit(model)
    for group in range(1, (found.re.groups or 0) + 1):
        free[max(found.start(group) - found.start(), 0) : max(found.end(group) - found.start(), 0)] = False
    fit: Mask = lines.starts[rows] + len(model) <= lines.stops[rows]
    for places, fits in ((np.flatnonzero(~free), None), (np.flatnonzero(free), _is_digit)):
        which = np.flatnonzero(fit)
        held = lines.octets[lines.starts[rows[which]].reshape(-1, 1) + places]
        fit[which] = (held == model[places] if fits is None else fits(held)).all(axis=1)
    return fit


def _is_digit(octets: Bytes) -> Mask:
    digits: Mask = octets - ord("0") <= 9  # it wraps round below zero
    return digits
