"""Links that rest on a machine and a time alone in; those that would make one of two intrusions out.

Within an hour on one machine most findings are one doing, so a machine and a time join. Not where both sides weigh
enough alone, and the records say of both where they came from and as whom, and neither is the same (ATT&CK T1078,
TA0008): then they are told as two, and that they were near each other is told with both. Where the records do not say
it of one side, they stay one: an intruder's own steps often have no origin in the logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.board import Board
from tocsin.investigate.links import Links, Shared
from tocsin.investigate.machines import Machines
from tocsin.investigate.nearest import components, grouped
from tocsin.investigate.processes import Lineage
from tocsin.investigate.taken import TOOK
from tocsin.investigate.traces import Traces
from tocsin.model.event import Codes, Longs

_LOOPED: Final = ("127.", "::1", "::ffff:127.")
_Pairs = tuple[Longs, Longs]  # of which finding, and what


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Of findings where they came from and as whom, as pairs of a finding and a number; and their weight.

    Args:
        aims: of each finding of level high that is not lowered what it is for, -1 of the others.
    """

    origins: _Pairs
    accounts: _Pairs
    aims: Longs


def whose(
    traces: Traces, machines: Machines, lines: Lineage, found: Shared, asked: npt.NDArray[np.bool_], aims: Longs
) -> Whose:
    """By the logons that began their sessions; of a request by who sent it."""
    came = _origins(traces, machines)
    logons = np.flatnonzero(traces.acts("logon") & (lines.opened > 0) & (came > 0))
    _, firsts = np.unique(grouped([lines.opened[logons], came[logons]]), return_index=True)
    of_session, origin = lines.opened[logons[firsts]], came[logons[firsts]]
    order = np.argsort(of_session, kind="stable")
    of_session, origin = of_session[order], origin[order]
    session = lines.session[found.row]
    low, high = (np.searchsorted(of_session, session, side=side) for side in ("left", "right"))
    many = np.where(session > 0, high - low, 0)
    at = np.repeat(np.arange(len(session)), many)
    begins = np.repeat(low - np.concatenate([[0], np.cumsum(many)[:-1]]).astype(np.int64), many) if len(many) else low
    own = origin[begins + np.arange(len(at))]
    sender = np.where(asked, traces.role("address")[found.row], 0).astype(np.int64)
    senders = np.flatnonzero(sender > 0)
    who = traces.role("account")[found.row].astype(np.int64)
    known = np.flatnonzero(who > 0)
    return Whose(
        origins=(np.concatenate([at, senders]), np.concatenate([own, _outside(machines) + sender[senders]])),
        accounts=(known, who[known]),
        aims=aims,
    )


def _outside(machines: Machines) -> int:
    return len(machines.names)


def _origins(traces: Traces, machines: Machines) -> Longs:
    """Of each record the machine that somebody came from, or else the address, numbered together; 0 for neither."""
    peer = traces.role("peer_address").astype(np.int64)
    own = traces.that(traces.role("peer_address"), lambda text: text.startswith(_LOOPED))
    address = np.where((peer > 0) & ~own, _outside(machines) + peer, 0)
    source = np.where(machines.source != machines.of, machines.source, 0).astype(np.int64)
    return np.where(source > 0, source, np.where(machines.source > 0, 0, address))


def apart(label: Longs, weak: Links, found: Shared, known: Whose) -> npt.NDArray[np.bool_]:
    """Which of the weak links make one of two.

    Args:
        label: what hangs together without them.
    """
    dropped = np.zeros(len(weak.one), bool)
    sides = _sides(label, known)
    if len(sides) < 2:
        return dropped
    machine = found.machine[weak.one]
    contested = np.isin(machine, _contested(label, found.machine, sides))
    if not contested.any():
        return dropped
    joined = components(len(label), *_ends(label, weak, ~contested))
    label = joined[label]
    tied = _Tied(of=_merged(sides, label))
    rows = np.flatnonzero(contested)
    gap = np.abs(found.ts[weak.other[rows]] - found.ts[weak.one[rows]])
    for at in rows[np.lexsort((weak.other[rows], weak.one[rows], gap))].tolist():
        dropped[at] = not tied.join(int(label[weak.one[at]]), int(label[weak.other[at]]))
    return dropped


@dataclass(slots=True)
class _Side:
    origins: set[int] = field(default_factory=set)
    accounts: set[int] = field(default_factory=set)

    def is_stranger_to(self, other: _Side) -> bool:
        return self.origins.isdisjoint(other.origins) and self.accounts.isdisjoint(other.accounts)


def _sides(label: Longs, known: Whose) -> dict[int, _Side]:
    """What weighs enough alone, and is known to have come from somewhere as somebody."""
    heavy = np.flatnonzero(known.aims >= 0)
    _, firsts = np.unique(grouped([label[heavy], known.aims[heavy]]), return_index=True)
    weighs = np.flatnonzero(np.bincount(label[heavy][firsts], minlength=len(label)) >= TOOK)
    sides: dict[int, _Side] = {number: _Side() for number in weighs.tolist()}
    for name, (at, what) in (("origins", known.origins), ("accounts", known.accounts)):
        some = np.isin(label[at], weighs)
        for number, one in np.unique(np.stack([label[at[some]], what[some]]), axis=1).T.tolist():
            getattr(sides[number], name).add(one)
    return {number: side for number, side in sides.items() if side.origins and side.accounts}


def _contested(label: Longs, machine: Codes, sides: Mapping[int, _Side]) -> Longs:
    """Machines that two of them are on."""
    some = np.flatnonzero(np.isin(label, list(sides)) & (machine > 0))
    _, firsts = np.unique(grouped([machine[some], label[some]]), return_index=True)
    return np.flatnonzero(np.bincount(machine[some][firsts]) >= 2)


def _ends(label: Longs, weak: Links, which: npt.NDArray[np.bool_]) -> tuple[Longs, Longs]:
    return label[weak.one[which]], label[weak.other[which]]


def _merged(sides: Mapping[int, _Side], label: Longs) -> dict[int, _Side]:
    """The same by what they hang together in by now."""
    told: dict[int, _Side] = {}
    for number, side in sides.items():
        known = told.setdefault(int(label[number]), _Side())
        known.origins |= side.origins
        known.accounts |= side.accounts
    return told


@dataclass(slots=True)
class _Tied:
    """Sets that are made one, but never two strangers."""

    of: dict[int, _Side]
    parent: dict[int, int] = field(default_factory=dict)

    def join(self, one: int, other: int) -> bool:
        one, other = self._root(one), self._root(other)
        if one == other:
            return True
        side, beside = self.of.get(one), self.of.get(other)
        if side and beside and side.is_stranger_to(beside):
            return False
        low, high = min(one, other), max(one, other)
        self.parent[high] = low
        if side and beside:
            side.origins |= beside.origins
            side.accounts |= beside.accounts
        if both := side or beside:
            self.of[low] = both
        return True

    def _root(self, one: int) -> int:
        path: list[int] = []
        while (above := self.parent.get(one, one)) != one:
            path.append(one)
            one = above
        for below in path:
            self.parent[below] = one
        return one


def told(refused: Links, label: Longs, machine: Codes) -> dict[int, tuple[int, ...]]:
    """Of each incident the machines on which it was kept apart from another."""
    found: dict[int, set[int]] = {}
    one, other = label[refused.one], label[refused.other]
    for at in np.flatnonzero(one != other).tolist():
        for number in (int(one[at]), int(other[at])):
            found.setdefault(number, set()).add(int(machine[refused.one[at]]))
    return {number: tuple(sorted(machines)) for number, machines in found.items()}


def sentences(board: Board, number: int) -> tuple[str, ...]:
    return tuple(
        f"kept apart from another incident on {board.machines.shown[machine]} within the hour: its people came from "
        "elsewhere and as others; if it is one hand, `tocsin case merge` makes them one"
        for machine in board.strangers.get(number, ())
    )
