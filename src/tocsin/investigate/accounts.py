"""Traces in, the same with one name for each account out: a SID and the name that a machine gives it are one.

What a machine itself writes down counts for that machine alone (logons, starts of processes and changes of accounts
have both): logs of others cannot make two accounts of this one the same. A SID that no record names stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocsin.investigate.nearest import components, grouped
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.model.event import Codes

_NAMED: Final[tuple[tuple[Role, Role], ...]] = (("account", "sid"), ("subject", "subject_sid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """`traces` with the names; `also` are other names and the SIDs of each, by the code of its name."""

    traces: Traces
    also: Mapping[int, tuple[str, ...]]


def accounts(traces: Traces, machine: Codes) -> Accounts:
    names: dict[tuple[int, int], int] = {}  # machine and name or SID -> node
    ties: set[tuple[int, int]] = set()
    for who, sid in _NAMED:
        name, number = traces.role(who), traces.role(sid)
        both = np.flatnonzero((name > 0) & (number > 0) & (machine > 0))
        if not len(both):
            continue
        _, firsts = np.unique(grouped([machine[both], name[both], number[both]]), return_index=True)
        for row in both[firsts].tolist():
            # A name without a domain may be that of several accounts: it makes no two SIDs the same.
            if traces.texts[name[row]].startswith("\\"):
                names.setdefault((int(machine[row]), int(number[row])), len(names))
                continue
            ends = [names.setdefault((int(machine[row]), int(code)), len(names)) for code in (name[row], number[row])]
            ties.add((ends[0], ends[1]))
    if not names and not traces.role("sid").any():
        return Accounts(traces=traces, also={})
    best = _best(traces, names, ties)
    called = dict(zip(names, best, strict=True))
    also: dict[int, set[str]] = {}
    for (_, code), name_code in called.items():
        if code != name_code:
            also.setdefault(name_code, set()).add(traces.shown[code])
    roles = dict(traces.roles)
    roles["account"] = _renamed(traces, machine, called, "account", "sid")
    roles["subject"] = _renamed(traces, machine, called, "subject", "subject_sid")
    return Accounts(
        traces=replace(traces, roles=roles),
        also={code: tuple(sorted(others)) for code, others in also.items()},
    )


def _best(traces: Traces, names: Mapping[tuple[int, int], int], ties: set[tuple[int, int]]) -> list[int]:
    """The code by which each node is called: the least of the names that are tied to it, else its own."""
    ends = np.array(sorted(ties), np.int64).reshape(-1, 2)
    label = components(len(names), ends[:, 0], ends[:, 1]).tolist()
    least: dict[int, tuple[bool, str, int]] = {}
    for (_, code), node in names.items():
        text = traces.texts[code]
        one = (text.startswith("s-1-"), text, code)
        least[label[node]] = min(one, least.get(label[node], one))
    return [least[label[node]][2] for node in range(len(names))]


def _renamed(traces: Traces, machine: Codes, called: Mapping[tuple[int, int], int], who: Role, sid: Role) -> Codes:
    name, number = traces.role(who), traces.role(sid)
    # By its SID first: that is one account's, whatever name it had at the time.
    known = np.where(number > 0, number, name)
    pairs = grouped([machine, known]) if len(known) else known.astype(np.int64)
    _, firsts, at = np.unique(pairs, return_index=True, return_inverse=True)
    own = np.array([called.get((int(machine[row]), int(known[row])), 0) for row in firsts.tolist()], np.int32)[at]
    unnamed = (name == 0) | np.isin(own, [code for code in set(own.tolist()) if _is_name(traces, code)])
    return np.where(unnamed & (own > 0), own, np.where(name > 0, name, number)).astype(np.int32)


def _is_name(traces: Traces, code: int) -> bool:
    return code > 0 and not traces.texts[code].startswith("s-1-")
