"""Traces in; which process and which logon session each is of, and which of them come from one another, out.

A process goes by its GUID, or by its number on its machine from one start under that number to the next. Without a
recorded start a number is trusted for a day: systems give them out anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.investigate.nearest import components, grouped, latest
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs

# Two logs of one start differ by less; systems do not give a number out again so soon.
_SAME_START_US: Final = 2_000_000
_DAY_US: Final = 86_400_000_000

# Programs whose work is to start what others ask for, whoever that is: to have the same one as parent says nothing.
LAUNCHERS: Final = frozenset(
    """services.exe svchost.exe explorer.exe wininit.exe winlogon.exe smss.exe csrss.exe lsass.exe userinit.exe
    taskeng.exe taskhostw.exe wmiprvse.exe dllhost.exe sihost.exe runtimebroker.exe system systemd init launchd cron
    crond sshd containerd-shim dockerd kthreadd
    w3wp.exe httpd httpd.exe apache2 nginx nginx.exe php-fpm php-cgi php-cgi.exe sqlservr.exe""".split()
)
# Of who acts, of who started it, of who is written into.
_CALLED: Final[tuple[tuple[Role, Role], ...]] = (
    ("guid", "pid"),
    ("parent_guid", "parent_pid"),
    ("target_guid", "target_pid"),
)
# A parent of more is a launcher whatever it is called: an agent, a scheduler, a server.
MOST_CHILDREN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Numbers of processes, trees and sessions of each record, 0 for none.

    Args:
        process: that acts; of a start, the one that starts.
        parent: of a start, the one that started it.
        tree: processes that come from one another, through no launcher; a program that was written into is of the
            tree of the one that did it.
        session: logon sessions that come from one another.
        opened: of a logon, the session that began.
    """

    process: Longs
    parent: Longs
    tree: Longs
    session: Longs
    opened: Longs


def lineage(traces: Traces, machine: Codes) -> Lineage:
    process, parent, target = _processes(traces, machine)
    session, opened = _sessions(traces, machine)
    return Lineage(
        process=process,
        parent=parent,
        tree=_trees(traces, process, parent, target),
        session=session,
        opened=opened,
    )


def _processes(traces: Traces, machine: Codes) -> tuple[Longs, Longs, Longs]:
    """The process that acts, its parent and the one that it writes into, of each record."""
    size = len(traces)
    guid, pid = (np.concatenate([traces.role(role) for role in roles]) for roles in zip(*_CALLED, strict=True))
    named, numbered = np.flatnonzero(guid), np.flatnonzero(pid)
    by_guid = grouped([machine[named % size], guid[named]]) if len(named) else named
    by_number = _by_number(traces, machine, numbered % size, pid[numbered])
    # A record that has both says which number is which.
    span = int(by_number.max(initial=-1)) + 1
    of_guid, of_number = np.full(3 * size, -1), np.full(3 * size, -1)
    of_guid[named], of_number[numbered] = span + by_guid, by_number
    both = np.flatnonzero((of_guid >= 0) & (of_number >= 0))
    label = components(span + int(by_guid.max(initial=-1)) + 1, of_number[both], of_guid[both])
    node = np.where(of_guid >= 0, of_guid, of_number)
    node[node >= 0] = label[node[node >= 0]]
    node += 1
    return node[:size], node[size : 2 * size], node[2 * size :]


def _by_number(traces: Traces, machine: Codes, rows: Longs, pid: Codes) -> Longs:
    """Numbers of processes by their machine, their number and the last start under it, or the day."""
    if not len(rows):
        return rows
    starts = np.flatnonzero(traces.acts("start") & (traces.role("pid") > 0) & (traces.ts != NO_TIME))
    of_start = grouped([machine[starts], traces.role("pid")[starts]]) if len(starts) else starts
    starts = starts[_firsts(of_start, traces.ts[starts])]
    pairs = machine.astype(np.int64) << 32
    ts = traces.ts[rows]
    known = ts != NO_TIME
    start_key = (pairs | traces.role("pid"))[starts]
    at = latest(start_key, traces.ts[starts], pairs[rows] | pid, ts + _SAME_START_US * known)
    day = np.where((at < 0) & known, ts // _DAY_US, 0)
    # In two steps, so that each fits into one number and is sorted as one.
    return grouped([grouped([machine[rows], pid]), at + 1, day - min(day.min(), 0)])


def _firsts(key: Longs, ts: Longs) -> Longs:
    """Of starts under one number those that are not the same as the one before, told by another log."""
    order = np.lexsort((ts, key))
    fresh = np.ones(len(order), bool)
    same = (key[order][1:] == key[order][:-1]) & (ts[order][1:] - ts[order][:-1] <= _SAME_START_US)
    fresh[1:] = ~same
    return np.sort(order[fresh])


def _trees(traces: Traces, process: Longs, parent: Longs, target: Longs) -> Longs:
    size = int(max(process.max(initial=0), parent.max(initial=0), target.max(initial=0))) + 1
    is_start = traces.acts("start") & (process > 0) & (parent > 0)
    launched = np.zeros(size, bool)
    launched[parent[is_start & traces.that(traces.role("parent_image"), _is_launcher)]] = True
    launched[process[traces.that(traces.role("image"), _is_launcher) & (process > 0)]] = True
    edges = np.unique(np.stack([parent[is_start], process[is_start]]), axis=1)
    launched |= np.bincount(edges[0], minlength=size) > MOST_CHILDREN
    kept = ~launched[edges[0]]
    into = traces.acts("inject") & (process > 0) & (target > 0) & ~launched[process]
    label = components(
        size, np.concatenate([edges[0][kept], process[into]]), np.concatenate([edges[1][kept], target[into]])
    )
    # A tree is called by what started first in it: numbers of processes follow the order in which logs were read.
    starts = np.flatnonzero(traces.acts("start") & (process > 0) & (traces.ts != NO_TIME))
    tree, firsts = np.unique(label[process[starts]], return_index=True)
    root = np.arange(size)
    root[tree] = process[starts[firsts]]
    return np.where((process > 0) & ~launched[process], root[label[process]], 0)


def _is_launcher(text: str) -> bool:
    return re.split(r"[\\/]", text)[-1] in LAUNCHERS


def _sessions(traces: Traces, machine: Codes) -> tuple[Longs, Longs]:
    size = len(traces)
    pairs = machine.astype(np.int64) << 32
    asked, opened, linked = (traces.role(name) for name in ("logon", "new_logon", "linked_logon"))
    codes = np.concatenate([asked, opened, linked])
    number = np.where(codes > 0, grouped([np.concatenate([pairs, pairs, pairs]) | codes]) + 1, 0)
    one, new, other = number[:size], number[size : 2 * size], number[2 * size :]
    from_one, halves = (one > 0) & (new > 0), (other > 0) & (new > 0)
    label = components(
        int(number.max(initial=0)) + 1,
        np.concatenate([one[from_one], other[halves]]),
        np.concatenate([new[from_one], new[halves]]),
    )
    return label[np.where(new > 0, new, one)], label[new]
