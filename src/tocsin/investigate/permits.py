"""Findings and signed permits in, which of the findings a permit covers out.

A record is covered only if it says so itself: the machine, the time, and the address or the account are all the
permit's. What a test did beyond that, or what does not say who did it, is nobody's test (NIST SP 800-115, appendix B:
rules of engagement name systems, times and origins).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tocsin.investigate.machines import Machines
from tocsin.investigate.normal import account, address, principal
from tocsin.investigate.roles import Role
from tocsin.investigate.table import Table
from tocsin.investigate.traces import Traces
from tocsin.model.permit import Permit

_FROM: tuple[Role, ...] = ("address", "peer_address")


def covered(traces: Traces, machines: Machines, known: Table, permits: Sequence[Permit]) -> npt.NDArray[np.bool_]:
    answer = np.zeros(len(known), bool)
    for permit in permits:
        timed = (known.ts >= permit.from_us) & (known.ts <= permit.until_us)
        hosts = {_short(name) for name in permit.hosts}
        named = np.array([bool(name) and _short(name) in hosts for name in machines.names], bool)
        here = timed & named[machines.of[known.row]]
        addresses = {text for name in permit.addresses if (text := address(name))}
        people = {text for name in permit.accounts if (text := account(name))}
        people |= {text for name in permit.accounts if (text := principal(name))}
        who = np.zeros(len(known), bool)
        for role in _FROM:
            who |= traces.that(traces.role(role)[known.row], addresses.__contains__)
        for role in ("account", "principal"):
            who |= traces.that(traces.role(role)[known.row], people.__contains__)
        answer |= here & who
    return answer


def _short(name: str) -> str:
    """The first part of a machine's name; an address has none."""
    folded = name.strip().lower()
    return folded if address(folded) else folded.partition(".")[0]
