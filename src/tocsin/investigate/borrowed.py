"""Incidents that took a machine in, links to what was found of accounts of a cloud that were used from there out.

Whoever reads a mailbox from an address from which a machine was taken has that account in his hands (ATT&CK T1078.004).
What is found of it within the hour, from an address outside that it had never been used from, is his as well: rented
servers and home routers take turns (T1090.003). So is the consent or the right by which an application got in that acts
from there (T1528, T1098.003): nothing else joins the two, since the consent is given by its victim, at the desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import REACH_US, Links, Shared, drawn, joined
from tocsin.investigate.machines import COMMON, Machines, machines_with
from tocsin.investigate.nearest import grouped, latest, nearest
from tocsin.investigate.taken import STAYS_US, came_back, outside, sides, to_one
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs

_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = REACH_US["host"]  # hands on a keyboard pause for less
_NEVER: Final = np.iinfo(np.int64).max
_Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """From where accounts of a cloud were used: what records say of that, whatever incidents come of them.

    Args:
        outside: of each record its addresses outside, as `taken.outside` has them.
        rows: the records of uses, but for those from the house itself.
        since: of each record when its account first came from its address; the least of numbers if it has not both.
        begun: of each text when the account of that name was first used; the greatest of numbers if there is none.
    """

    outside: list[Codes]
    rows: Longs
    since: Longs
    begun: Longs


def uses(traces: Traces, machines: Machines) -> Uses:
    who, address, ts = traces.role("principal"), traces.role("address"), traces.ts
    known = np.flatnonzero((who > 0) & (address > 0) & (ts != NO_TIME))
    pair = grouped([who[known], address[known]]) if len(known) else known
    first = np.full(int(pair.max(initial=0)) + 1, _NEVER)
    np.minimum.at(first, pair, ts[known])
    since = np.full(len(traces), np.iinfo(np.int64).min)
    since[known] = first[pair]
    begun = np.full(len(traces.texts), _NEVER)
    np.minimum.at(begun, who[known], ts[known])
    away = traces.acts("use")[known] & ~np.isin(address[known], machines.house)
    return Uses(outside=outside(traces, machines), rows=known[away], since=since, begun=begun)


def borrowed(
    traces: Traces,
    machines: Machines,
    known: Uses,
    found: Shared,
    took: tuple[Longs, Longs, _Rows],
    bearing: _Rows,
) -> Links:
    """Links from a finding that names the address to another of the account, each by the record of a use between them.

    And from what else names such an address, as `came_back` draws them. A finding that would come to two incidents
    that each took a machine so comes to the nearer: that both used one account does not make one of two intruders.

    Args:
        took: label, rule and heavy, as for `taken`; `bearing`, too.
    """
    mine, rest = sides(found, took, bearing)
    mine &= _theirs(traces, known, found, mine)
    rows, by = _in_hand(traces, known, found, np.flatnonzero(mine))
    others = np.flatnonzero(rest)
    parts = [
        _within_the_hour(traces, machines, known, found, (rows, by), others),
        _let_in(traces, found, (rows, by), others),
        came_back(known.outside, found, took, mine | rest),
    ]
    return to_one(joined(parts), found, took[0], mine)


def _theirs(traces: Traces, known: Uses, found: Shared, mine: _Rows) -> _Rows:
    """Findings of such incidents whose address says where the intruder is, not where the owner of an account is.

    It is the intruder's if a machine names it as well, or if the account had come from nowhere there until then.
    """
    address = traces.role("address")
    named = np.zeros(len(traces.texts), bool)
    at = found.row[mine & (found.machine > 0)]
    for column in (address, traces.role("peer_address")):
        named[column[at]] = True
    return (found.machine > 0) | named[address[found.row]] | _new(traces, known, found.row, found.ts)


def _new(traces: Traces, known: Uses, rows: Longs, at: Longs) -> _Rows:
    """Of records whether their account first came from their address within the hour before a time, or later.

    What is new needs a time before: an account that was not used a day before then may have been there all along.
    """
    who = traces.role("principal")
    timed = at != NO_TIME
    at = np.where(timed, at, 0)
    fresh: _Rows = timed & (known.since[rows] >= at - _HOUR_US) & (known.begun[who[rows]] <= at - _DAY_US)
    return fresh


def _in_hand(traces: Traces, known: Uses, found: Shared, mine: Longs) -> tuple[Longs, Longs]:
    """Uses from an address in the weeks after it was found in such an incident, and the finding that names it.

    An address that more than a few people had come from before is a house's or a network's, whoever else has it now.
    """
    address, ts, uses = traces.role("address"), traces.ts, known.rows
    rows, by = [uses[:0]], [uses[:0]]
    for column in known.outside:
        one = mine[column[found.row[mine]] > 0]
        code = column[found.row[one]]
        last = latest(code, found.ts[one], address[uses], ts[uses])
        near = last >= 0
        near[near] = ts[uses[near]] - found.ts[one[last[near]]] <= REACH_US["address"]
        since = np.full(len(traces.texts), _NEVER)
        np.minimum.at(since, code, found.ts[one])
        before = uses[ts[uses] < since[address[uses]]]
        people = np.zeros(len(traces.texts), np.int64)
        held = machines_with(address[before], traces.role("principal")[before])
        people[: len(held)] = held
        near &= people[address[uses]] <= COMMON
        rows.append(uses[near])
        by.append(one[last[near]])
    every, firsts = np.unique(np.concatenate(rows), return_index=True)
    return every, np.concatenate(by)[firsts]


def _within_the_hour(
    traces: Traces, machines: Machines, known: Uses, found: Shared, hands: tuple[Longs, Longs], others: Longs
) -> Links:
    rows, by = hands
    who, ts = traces.role("principal"), traces.ts
    others = others[~np.isin(traces.role("address")[found.row[others]], machines.house)]
    near = nearest(who[rows], ts[rows], who[found.row[others]], found.ts[others], _HOUR_US)
    others, at = others[near >= 0], near[near >= 0]
    new = _new(traces, known, found.row[others], ts[rows[at]])
    others, at = others[new], at[new]
    return drawn(found, "principal", by[at], others, who[rows[at]].astype(np.int64), rows[at])


def _let_in(traces: Traces, found: Shared, hands: tuple[Longs, Longs], others: Longs) -> Links:
    rows, by = hands
    what, given, ts = traces.role("application"), traces.role("let_in"), traces.ts
    held = np.zeros(len(traces.texts), np.int64)
    people = machines_with(what, traces.role("principal"))
    held[: len(people)] = people
    some = (what[rows] > 0) & (held[what[rows]] <= COMMON)
    rows, by = rows[some], by[some]
    others = others[given[found.row[others]] > 0]
    near = nearest(what[rows], ts[rows], given[found.row[others]], found.ts[others], STAYS_US)
    others, at = others[near >= 0], near[near >= 0]
    return drawn(found, "principal", by[at], others, traces.role("principal")[rows[at]].astype(np.int64), rows[at])
