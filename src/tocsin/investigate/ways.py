"""Findings in, links by the way from one machine to the next out: who came from where, and what a request led to.

Machines that many deal with join nothing by themselves (`links.py`). What happened on them is still somebody's doing
where the records say whose: an account that came from a machine it seldom comes from (ATT&CK TA0008, T1078), a request
right before a program started (T1190), two things of weight within minutes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import MEETING_US, REACH_US, Links, Shared, drawn, here
from tocsin.investigate.machines import COMMON, Machines
from tocsin.investigate.nearest import chained, grouped, latest, nearest
from tocsin.investigate.noise import EVERY_DAY
from tocsin.investigate.normal import address
from tocsin.investigate.processes import Lineage
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Longs

_DAY_US: Final = 86_400_000_000
_AT_ONCE_US: Final = 60_000_000  # remote tools start what they start at once
_BEFORE_US: Final = REACH_US["account"]  # whoever moves on has been there this working day
_Rows = npt.NDArray[np.bool_]


def ways(traces: Traces, machines: Machines, lines: Lineage, found: Shared, heavy: _Rows, asked: _Rows) -> list[Links]:
    """Links between findings.

    Args:
        heavy: those of level high or above.
        asked: those that are requests to a service, written by whoever sent them.
    """
    return [
        *_moves(traces, machines, lines, found),
        _led_to(found, asked),
        _asked_for(machines, found, heavy),
    ]


def _moves(traces: Traces, machines: Machines, lines: Lineage, found: Shared) -> list[Links]:
    """By accounts that came from another machine, with what was found there.

    Of an account that does so every day, what it did there itself.
    """
    logons, seldom = came(traces, machines)
    timed = np.flatnonzero((found.ts != NO_TIME) & (found.machine > 0))
    if not len(logons) or not len(timed):
        return []
    inside, at = of_logons(traces, machines, lines, found, timed, logons)
    via, odd = logons[at], seldom[at]
    name, source = traces.role("account"), machines.source[via]
    known, key = found.machine[timed].astype(np.int64) << 32, source.astype(np.int64) << 32
    by_name = latest(known | name[found.row[timed]], found.ts[timed], key | name[via], traces.ts[via])
    by_place = latest(known, found.ts[timed], key, traces.ts[via])
    before = np.where(odd, by_place, by_name)
    near = before >= 0
    near[near] = traces.ts[via[near]] - found.ts[timed[before[near]]] <= _BEFORE_US
    code = name[via].astype(np.int64)
    back = drawn(found, "account", timed[before[near]], inside[near], code[near], via[near])
    # What one account did, coming from one machine where it is seldom, is one doing, on whichever machines.
    # A private address is another machine in each network.
    called = np.array([not address(text) for text in machines.names], bool)[source]
    inside, via, source, code = (column[odd & called] for column in (inside, via, source, code))
    if not len(inside):
        return [back]
    one, other = chained(grouped([code, source]), found.ts[inside], REACH_US["file"])
    return [back, drawn(found, "account", inside[one], inside[other], code[other], via[other])]


def came(traces: Traces, machines: Machines) -> tuple[Longs, _Rows]:
    """Logons of an account from another machine, and requests for them; and which were seen on few days."""
    name = traces.role("account")
    rows = np.flatnonzero(
        traces.acts("logon", "refused")
        & (machines.source > 0)
        & (machines.of > 0)
        & (name > 0)
        & (traces.ts != NO_TIME)
    )
    rows = rows[machines.source[rows] != machines.of[rows]]
    if not len(rows):
        return rows, np.zeros(0, bool)
    trio = grouped([name[rows], machines.source[rows], machines.of[rows]])
    _, firsts = np.unique(grouped([trio, traces.ts[rows] // _DAY_US]), return_index=True)
    days = np.bincount(trio[firsts], minlength=int(trio.max()) + 1)[trio]
    return rows, days < EVERY_DAY


def of_logons(
    traces: Traces, machines: Machines, lines: Lineage, found: Shared, timed: Longs, logons: Longs
) -> tuple[Longs, Longs]:
    """Findings, and which logon each follows: its session's, or what came to that machine right before."""
    last = latest(machines.of[logons], traces.ts[logons], found.machine[timed], found.ts[timed])
    at_once = last >= 0
    at_once[at_once] = found.ts[timed[at_once]] - traces.ts[logons[last[at_once]]] <= _AT_ONCE_US
    session = lines.session[found.row[timed]]
    opened = np.where(lines.opened[logons] > 0, lines.opened[logons], -1)
    own = latest(opened, traces.ts[logons], session, found.ts[timed])
    best = np.where((session > 0) & (own >= 0), own, np.where(at_once, last, -1))
    kept = np.flatnonzero(best >= 0)
    return timed[kept], best[kept]


def _led_to(found: Shared, asked: _Rows) -> Links:
    """By a request, and what was found on that machine right after it."""
    timed = (found.ts != NO_TIME) & (found.machine > 0)
    requests, rest = np.flatnonzero(timed & asked), np.flatnonzero(timed & ~asked)
    near = nearest(found.machine[rest], found.ts[rest], found.machine[requests], found.ts[requests], MEETING_US)
    one, other = requests[near >= 0], rest[near[near >= 0]]
    return here(found, one, other)


def at_once(machines: Machines, found: Shared, heavy: _Rows) -> Links:
    """On a machine that many deal with, by things of weight within minutes."""
    busy = np.flatnonzero(
        heavy & (found.machine > 0) & (machines.served[found.machine] > COMMON) & (found.ts != NO_TIME)
    )
    one, other = chained(found.machine[busy], found.ts[busy], MEETING_US)
    return here(found, busy[one], busy[other])


def _asked_for(machines: Machines, found: Shared, heavy: _Rows) -> Links:
    """By what a machine asked another for, and what of weight was found on it within the hour."""
    source = machines.source[found.row]
    timed = found.ts != NO_TIME
    asks = np.flatnonzero(timed & (source > 0) & (source != found.machine))
    there = np.flatnonzero(timed & heavy & (found.machine > 0))
    near = nearest(found.machine[there], found.ts[there], source[asks], found.ts[asks], REACH_US["host"])
    one, other = there[near[near >= 0]], asks[near >= 0]
    return drawn(found, "host", one, other, source[other].astype(np.int64), found.row[other])
