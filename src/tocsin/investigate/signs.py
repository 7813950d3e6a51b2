"""All findings in, which of them were done from another machine out: by the records around them, whatever rules say.

A rule sees one record, and tags what that record is. That somebody had just come from another machine is told by
others: a logon over the network or a connection that came in (ATT&CK, TA0008). On a machine that many ask for
something, somebody always has just come, and nothing is said.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocsin.investigate.machines import COMMON, Machines
from tocsin.investigate.nearest import latest
from tocsin.investigate.processes import Lineage
from tocsin.investigate.table import Table
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs

# Remote tools start what they start at once: a service, a task, a process of WMI or WinRM.
_AT_ONCE_US: Final = 60_000_000
# Types of logons that come over the network (4624): 3 by a service, 10 by remote desktop; of Linux none is named.
_AT_KEYBOARD: Final = frozenset({"2", "4", "5", "7", "9", "11"})

NOTHING, JUST_BEFORE, ITSELF = range(3)


def from_elsewhere(traces: Traces, machines: Machines, lines: Lineage, known: Table) -> Codes:
    """For each finding: nothing, that another machine came just before, or that it asked the very process."""
    came = traces.inward & traces.acts("contact", "logon") & (machines.source > 0) & (traces.ts != NO_TIME)
    came &= (machines.source != machines.of) & (machines.served[machines.of] <= COMMON)
    came &= ~traces.that(traces.role("how"), _AT_KEYBOARD.__contains__) | traces.acts("contact")
    rows = np.flatnonzero(came)
    of, ts = machines.of[known.row], known.ts
    answer = np.full(len(known), NOTHING, np.int32)
    timed = np.flatnonzero((ts != NO_TIME) & (of > 0))
    last = latest(machines.of[rows], traces.ts[rows], of[timed], ts[timed])
    near = last >= 0
    near[near] = ts[timed[near]] - traces.ts[rows[last[near]]] <= _AT_ONCE_US
    answer[timed[near]] = JUST_BEFORE
    asked = np.unique(_own(lines.process, lines.tree, rows))
    answer[np.isin(_own(lines.process, lines.tree, known.row), asked[asked > 0])] = ITSELF
    return answer


def _own(process: Longs, tree: Longs, rows: Longs) -> Longs:
    """The process of each record, 0 for one that serves everybody: a launcher is asked for something all day."""
    return np.where(tree[rows] > 0, process[rows], 0)
