"""Findings of weight and all others in, links that put each of the others beside the nearest of weight out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import KINDS, REACH_US, Links, Shared, between
from tocsin.investigate.machines import COMMON, Machines
from tocsin.investigate.nearest import nearest
from tocsin.investigate.processes import Lineage
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.incident import EntityKind


def attached(
    traces: Traces, machines: Machines, lines: Lineage, bearing: Shared, rest: Shared, usual: npt.NDArray[np.bool_]
) -> tuple[Longs, npt.NDArray[np.int8], Longs]:
    """For each finding of the rest the nearest one of weight with which it shares most: its place, -1 for none.

    A process says more than a session, a session more than a machine. What is attached so leads no further: findings
    that are common in any network must not be the way from one incident to another.

    Args:
        usual: those of the rest that happen day after day: they are beside it only by a process. That daily work goes
            on near an incident, or in the session of a service that was broken into, makes it no part of that.
    """
    at = np.full(len(rest.row), -1, np.int64)
    kinds = np.zeros(len(rest.row), np.int8)
    codes = np.zeros(len(rest.row), np.int64)
    timed = np.flatnonzero(bearing.ts != NO_TIME)
    quiet = machines.served <= COMMON
    quiet[0] = False
    steps: tuple[tuple[EntityKind, npt.NDArray[np.integer], npt.NDArray[np.integer]], ...] = (
        ("process", lines.tree[bearing.row], lines.tree[rest.row]),
        ("logon", lines.session[bearing.row], lines.session[rest.row]),
        ("account", *_on_one_machine(traces, bearing, rest)),
        ("principal", traces.role("principal")[bearing.row], traces.role("principal")[rest.row]),
        ("host", bearing.machine, np.where(quiet[rest.machine], rest.machine, 0)),
    )
    for kind, known, asked in steps:
        open_ = np.flatnonzero((at < 0) & (asked > 0) & (rest.ts != NO_TIME) & (~usual | (kind == "process")))
        got = nearest(known[timed], bearing.ts[timed], asked[open_], rest.ts[open_], REACH_US[kind])
        hit = got >= 0
        at[open_[hit]] = timed[got[hit]]
        kinds[open_[hit]] = KINDS.index(kind)
        codes[open_[hit]] = asked[open_[hit]]
    return at, kinds, codes


def _on_one_machine(traces: Traces, bearing: Shared, rest: Shared) -> tuple[Longs, Longs]:
    """Accounts with their machines, 0 for none."""
    name = traces.role("account")
    one, other = (
        np.where((name[side.row] > 0) & (side.machine > 0), side.machine.astype(np.int64) << 32 | name[side.row], 0)
        for side in (bearing, rest)
    )
    return one, other


def beside(one: Longs, other: Longs, kind: npt.NDArray[np.int8], code: Longs, ts: Longs) -> Links:
    """Links from findings of weight to those that are put beside them."""
    plain = np.ones(len(one), np.int64)
    return between(Links(one=one, other=other, kind=kind, code=code, held=plain, via=-plain), one, other, ts)
