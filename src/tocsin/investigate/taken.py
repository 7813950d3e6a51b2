"""Incidents as they hang together in, links from those that took a machine to what they do later out.

A machine that somebody took stays taken until it is cleaned (NIST SP 800-61r2, 3.4: eradication comes before recovery),
so a single finding of weight on it days later is first of all theirs, and so is what an account does elsewhere that
comes from it and never came from it before (ATT&CK TA0008). So is what else comes from an address outside from which
it was used: routers and rented servers are kept for weeks (T1583.003, T1584.008). Two on one machine that each weigh
enough alone are not joined so: those may be two intruders.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import Links, Shared, drawn, here, joined, picked, says_something
from tocsin.investigate.machines import COMMON, Machines, counting, machines_with
from tocsin.investigate.nearest import grouped, latest
from tocsin.investigate.normal import address
from tocsin.investigate.processes import Lineage
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.investigate.ways import came, of_logons
from tocsin.model.event import NO_TIME, Codes, Longs

_DAY_US: Final = 86_400_000_000
STAYS_US: Final = 14 * _DAY_US
TOOK: Final = 2  # rules of weight with different aims on one machine: one errs now and then, two seldom together
_Rows = npt.NDArray[np.bool_]


def taken(found: Shared, label: Longs, rule: Longs, heavy: _Rows, bearing: _Rows) -> Links:
    """Links between findings.

    Args:
        label: the incident of each so far; `rule` numbers its techniques, equal ones alike.
        heavy: those of level high or above that are not lowered.
        bearing: findings that may be joined: where one that took a machine has such on another, it took that as well.
    """
    weighs, later = _took(found, label, rule, heavy)
    theirs = np.zeros(int(label.max(initial=0)) + 1, bool)
    theirs[label[weighs]] = True
    took = np.flatnonzero(theirs[label] & bearing & (found.machine > 0) & (found.ts != NO_TIME))
    before = latest(found.machine[took], found.ts[took], found.machine[later], found.ts[later])
    near = before >= 0
    near[near] = found.ts[later[near]] - found.ts[took[before[near]]] <= STAYS_US
    one, other = took[before[near]], later[near]
    return here(found, one, other)


def came_back(outside: list[Codes], found: Shared, took: tuple[Longs, Longs, _Rows], bearing: _Rows) -> Links:
    """Links from what an address outside did where a machine was taken to what else comes from it in the days after.

    Args:
        outside: of each record its addresses, as the function of that name has them: behind which are more than a few
            machines or people is nobody's.
    """
    mine, rest = sides(found, took, bearing)
    parts = []
    for column in outside:
        for other in outside:
            one, later = (
                np.flatnonzero(some & (side[found.row] > 0)) for some, side in ((mine, column), (rest, other))
            )
            before = latest(column[found.row[one]], found.ts[one], other[found.row[later]], found.ts[later])
            near = before >= 0
            near[near] = found.ts[later[near]] - found.ts[one[before[near]]] <= STAYS_US
            ends, code = later[near], other[found.row[later[near]]].astype(np.int64)
            parts.append(drawn(found, "address", one[before[near]], ends, code, np.full(len(ends), -1, np.int64)))
    return joined(parts)


def to_one(some: Links, found: Shared, label: Longs, mine: _Rows) -> Links:
    """Of links between what took a machine and the rest, those by which each of the rest goes to one incident only.

    An account that two intruders use must not make one of them: it goes to the one that it is nearest to in time.

    Args:
        label: the incident of each finding; `mine` are findings of those that took a machine, as in `sides`.
    """
    ends = np.where(mine[some.one], (some.one, some.other), (some.other, some.one))
    theirs, free = label[ends[0]], label[ends[1]]
    order = np.lexsort((theirs, np.abs(found.ts[some.other] - found.ts[some.one]), free))
    chosen = np.full(int(label.max(initial=0)) + 1, -1, np.int64)
    firsts = order[np.flatnonzero(np.diff(free[order], prepend=-1))]
    chosen[free[firsts]] = theirs[firsts]
    return picked(some, np.flatnonzero(chosen[free] == theirs))


def sides(found: Shared, took: tuple[Longs, Longs, _Rows], bearing: _Rows) -> tuple[_Rows, _Rows]:
    """Findings of incidents that took a machine, and the others; `took` as for `taken`."""
    at, _ = _took(found, *took)
    theirs = np.zeros(int(took[0].max(initial=0)) + 1, bool)
    theirs[took[0][at]] = True
    timed = bearing & (found.ts != NO_TIME)
    return theirs[took[0]] & timed, ~theirs[took[0]] & timed


def outside(traces: Traces, machines: Machines) -> list[Codes]:
    """Of each record its addresses outside, 0 for one behind which are more than a few machines or people."""
    roles: tuple[Role, ...] = ("address", "peer_address")
    return [np.where(_spread(traces, machines, role) <= COMMON, traces.role(role), 0) for role in roles]


def _spread(traces: Traces, machines: Machines, role: Role) -> Longs:
    """On how many machines, or with how many people of a cloud, each record's address outside is; else very many."""
    column = counting(traces, traces.role(role))
    held = np.maximum(machines_with(column, machines.of), machines_with(column, traces.role("principal")))
    says = traces.that(column, partial(says_something, "address")) & ~np.isin(column, machines.house)
    return np.where(says, held[column], COMMON + 1)


def _took(found: Shared, label: Longs, rule: Longs, heavy: _Rows) -> tuple[Longs, Longs]:
    """Findings of incidents that took a machine, and the others of weight.

    What one machine did to another is seen on both: a rule of weight on each is not yet two things.
    """
    at = np.flatnonzero(heavy & (found.machine > 0) & (found.ts != NO_TIME))
    place = grouped([label[at], found.machine[at]])
    _, firsts = np.unique(grouped([place, rule[at]]), return_index=True)
    aims = np.bincount(place[firsts], minlength=int(place.max(initial=0)) + 1)[place]
    weighs = np.isin(label[at], label[at][aims >= TOOK])
    return at[weighs], at[~weighs]


def went_on(
    traces: Traces,
    machines: Machines,
    lines: Lineage,
    found: Shared,
    took: tuple[Longs, Longs, _Rows],
    bearing: _Rows,
) -> Links:
    """Links from a taken machine to what an account did elsewhere that came from it for the first time since.

    What is new needs a time before: of a machine that was taken on the first day of the logs nothing is said.

    Args:
        took: label, rule and heavy, as for `taken`; `bearing`, too.
    """
    at, _ = _took(found, *took)
    since = np.full(len(machines.names), np.iinfo(np.int64).max)
    np.minimum.at(since, found.machine[at], found.ts[at])
    logons, _ = came(traces, machines)
    source, name = machines.source[logons], traces.role("account")[logons].astype(np.int64)
    pair = grouped([name, source])
    first = np.full(int(pair.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, pair, traces.ts[logons])
    begin = int(traces.ts[traces.ts != NO_TIME].min(initial=np.iinfo(np.int64).max)) + _DAY_US
    # A private address is another machine in each network.
    called = np.array([not address(text) for text in machines.names], bool)
    new = (first[pair] >= since[source]) & (since[source] >= begin) & called[source]
    before = latest(found.machine[at], found.ts[at], source, traces.ts[logons])
    new &= before >= 0
    new[new] = traces.ts[logons[new]] - found.ts[at[before[new]]] <= STAYS_US
    logons, name, before = logons[new], name[new], before[new]
    timed = np.flatnonzero(bearing & (found.ts != NO_TIME) & (found.machine > 0))
    inside, of = of_logons(traces, machines, lines, found, timed, logons) if len(logons) else (timed[:0], logons)
    return drawn(found, "account", at[before[of]], inside, name[of], logons[of])
