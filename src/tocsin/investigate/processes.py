"""Traces in; which process and which logon session each is of, and which of them come from one another, out.

A process goes by its GUID, or by its number on its machine from one start under that number to the next. Without a
recorded start a number is trusted for a day: systems give them out anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.nearest import components, grouped, latest
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs

# Two logs of one start differ by less; systems do not give a number out again so soon.
_SAME_START_US: Final = 2_000_000
_DAY_US: Final = 86_400_000_000

# Programs whose work is to start what others ask for: to have the same one as parent says nothing.
LAUNCHERS: Final = frozenset(
    """services.exe svchost.exe explorer.exe wininit.exe winlogon.exe smss.exe csrss.exe lsass.exe userinit.exe
    taskeng.exe taskhostw.exe wmiprvse.exe dllhost.exe sihost.exe runtimebroker.exe system systemd init launchd cron
    crond sshd containerd-shim dockerd kthreadd""".split()
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
    size = len(traces)
    starts = np.flatnonzero(traces.acts("start") & (traces.role("pid") > 0) & (traces.ts != NO_TIME))
    of_start = grouped([machine[starts], traces.role("pid")[starts]]) if len(starts) else starts
    firsts = _firsts(of_start, traces.ts[starts])
    first_rows = starts[firsts]
    keys: list[npt.NDArray[np.integer]] = []  # of process numbers: machine, number, start, day
    asks: list[tuple[Role, Role]] = [("guid", "pid"), ("parent_guid", "parent_pid"), ("target_guid", "target_pid")]
    pairs = machine.astype(np.int64) << 32
    start_key = (pairs | traces.role("pid"))[first_rows]
    columns: list[tuple[Longs, Longs]] = []
    for guid_role, pid_role in asks:
        pid, guid = traces.role(pid_role), traces.role(guid_role)
        at = latest(start_key, traces.ts[first_rows], pairs | pid, traces.ts + _SAME_START_US * (traces.ts != NO_TIME))
        day = np.where((at < 0) & (traces.ts != NO_TIME), traces.ts // _DAY_US, 0)
        keys.append(np.stack([np.where(pid > 0, pairs | pid, 0), np.where(pid > 0, at, 0), np.where(pid > 0, day, 0)]))
        columns.append((pid.astype(np.int64), np.where(guid > 0, pairs | guid, 0)))
    numbered = np.concatenate(keys, axis=1)
    by_number = grouped(list(numbered))
    by_guid = grouped([np.concatenate([guid for _, guid in columns])])
    has_pid = np.concatenate([pid for pid, _ in columns]) > 0
    has_guid = np.concatenate([guid for _, guid in columns]) > 0
    span = int(by_number.max(initial=0)) + 1
    both = has_pid & has_guid
    label = components(span + int(by_guid.max(initial=0)) + 1, by_number[both], span + by_guid[both])
    node = np.where(has_guid, label[span + by_guid], np.where(has_pid, label[by_number], -1)) + 1
    return node[:size], node[size : 2 * size], node[2 * size :]


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
    return np.where((process > 0) & ~launched[process], label[process], 0)


def _is_launcher(text: str) -> bool:
    return re.split(r"[\\/]", text)[-1] in LAUNCHERS


def _sessions(traces: Traces, machine: Codes) -> tuple[Longs, Longs]:
    size = len(traces)
    pairs = machine.astype(np.int64) << 32
    asked, opened, linked = (traces.role(name) for name in ("logon", "new_logon", "linked_logon"))
    codes = np.concatenate([asked, opened, linked])
    number = np.where(codes > 0, grouped([np.concatenate([pairs, pairs, pairs]) | codes]), 0)
    one, new, other = number[:size], number[size : 2 * size], number[2 * size :]
    from_one, halves = (one > 0) & (new > 0), (other > 0) & (new > 0)
    label = components(
        int(number.max(initial=0)) + 1,
        np.concatenate([one[from_one], other[halves]]),
        np.concatenate([new[from_one], new[halves]]),
    )
    return label[np.where(new > 0, new, one)], label[new]
