"""Links between findings in, the same with those by which what took a machine went on from there, step by step, out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate import links, taken
from tocsin.investigate.borrowed import borrowed, uses
from tocsin.investigate.links import Links, Shared
from tocsin.investigate.machines import Machines
from tocsin.investigate.nearest import components
from tocsin.investigate.processes import Lineage
from tocsin.investigate.traces import Traces
from tocsin.model.event import Longs

_FURTHER: Final = 2  # from an account to where else it was used from, to whose were used from there; no further
_Rows = npt.NDArray[np.bool_]


def onward(
    traces: Traces,
    around: Machines,
    lines: Lineage,
    whole: Shared,
    every: Links,
    weighed: tuple[Longs, _Rows, _Rows],
) -> Links:
    """The links, with those from what took a machine to what it did from there, step by step.

    Args:
        weighed: of each finding what its rule is for, whether it is heavy, and whether it may be joined.
    """
    aims, heavy, bearing = weighed
    size = len(whole.ts)
    known = uses(traces, around)

    def more(*parts: Links) -> Links:
        return links.joined([every, *(links.between(part, part.one, part.other, whole.ts) for part in parts)])

    took = components(size, every.one, every.other), aims, heavy
    every = more(taken.went_on(traces, around, lines, whole, took, bearing))
    took = components(size, every.one, every.other), aims, heavy
    back = taken.came_back(known.outside, whole, took, bearing)
    back = taken.to_one(back, whole, took[0], taken.sides(whole, took, bearing)[0])
    every = more(taken.taken(whole, took[0], aims, heavy, bearing), back)
    for _ in range(_FURTHER):
        took = components(size, every.one, every.other), aims, heavy
        every = more(borrowed(traces, around, known, whole, took, bearing))
    return every
