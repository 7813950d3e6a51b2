"""Incidents as they hang together in, links from those that took a machine to what weighs on it later out.

A machine that somebody took stays taken until it is cleaned (NIST SP 800-61r2, 3.4: eradication comes before recovery),
so a single finding of weight on it days later is first of all theirs. Two that each weigh enough alone are not joined
so: those may be two intruders.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import Links, Shared, here
from tocsin.investigate.nearest import grouped, latest
from tocsin.model.event import NO_TIME, Longs

_STAYS_US: Final = 14 * 86_400_000_000
TOOK: Final = 2  # rules of weight with different aims on one machine: one errs now and then, two seldom together


def taken(found: Shared, label: Longs, rule: Longs, heavy: npt.NDArray[np.bool_]) -> Links:
    """Links between findings.

    Args:
        label: the incident of each so far; `rule` numbers its techniques, equal ones alike.
        heavy: those of level high or above that are not lowered.
    """
    at = np.flatnonzero(heavy & (found.machine > 0) & (found.ts != NO_TIME))
    size = int(label.max(initial=0)) + 1
    _, firsts = np.unique(grouped([label[at], rule[at]]), return_index=True)
    kinds = np.bincount(label[at][firsts], minlength=size)
    weighs = kinds[label[at]] >= TOOK
    took, later = at[weighs], at[~weighs]
    before = latest(found.machine[took], found.ts[took], found.machine[later], found.ts[later])
    near = before >= 0
    near[near] = found.ts[later[near]] - found.ts[took[before[near]]] <= _STAYS_US
    one, other = took[before[near]], later[near]
    return here(found, one, other)
