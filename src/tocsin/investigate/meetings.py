"""Traces in, connections that both machines wrote down out: by the client's address and port, which no other has.

Two networks may use the same private addresses, and a lease passes from one machine to the next; but the port that
a client takes is its own for the length of a connection, so who wrote down the same pair spoke with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.investigate.nearest import grouped
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs

# Clocks may differ by so much, and a log write late; a client's port is not taken again so soon on most systems.
_APART_US: Final = 120_000_000
_ENDS: Final[tuple[tuple[Role, Role], ...]] = (("own_address", "own_port"), ("peer_address", "peer_port"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Meetings:
    """One for each connection: the record of the client and that of the other side, and the client's address."""

    client: Longs
    server: Longs
    address: Codes


def meetings(traces: Traces, machine: Codes) -> Meetings:
    rows, addresses, ports, asks = [], [], [], []
    for name, port in _ENDS:
        at = np.flatnonzero((traces.role(name) > 0) & (traces.role(port) > 0) & (machine > 0) & (traces.ts != NO_TIME))
        rows.append(at)
        addresses.append(traces.role(name)[at])
        ports.append(traces.role(port)[at])
        asks.append((name == "own_address") & ~traces.inward[at])
    row, own = np.concatenate(rows), np.concatenate(asks)
    if not own.any():
        return Meetings(client=row[:0], server=row[:0], address=np.zeros(0, np.int32))
    end = grouped([np.concatenate(addresses), np.concatenate(ports)])
    order = np.lexsort((row, traces.ts[row], end))
    row, own, end = row[order], own[order], end[order]
    # Records of one end follow each other closely while it is one connection.
    breaks = np.ones(len(row), bool)
    breaks[1:] = (end[1:] != end[:-1]) | (np.diff(traces.ts[row]) > _APART_US)
    one = np.cumsum(breaks) - 1
    clients = _only(one, machine[row], own)
    servers = _only(one, machine[row], (machine[row] != clients[one]) & ~own)
    good = (clients > 0) & (servers > 0)
    first = {}
    for side, of, wanted in (("client", clients, own), ("server", servers, ~own)):
        fits = np.flatnonzero(wanted & good[one] & (machine[row] == of[one]))
        _, at = np.unique(one[fits], return_index=True)
        first[side] = fits[at]
    address = np.concatenate(addresses)[order]
    return Meetings(client=row[first["client"]], server=row[first["server"]], address=address[first["client"]])


def _only(group: Longs, machine: Codes, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Codes:
    """For each group the machine that all wanted rows are of, 0 if there are several or none."""
    size = int(group[-1]) + 1
    low = np.full(size, np.iinfo(np.int32).max, np.int32)
    high = np.zeros(size, np.int32)
    np.minimum.at(low, group[wanted], machine[wanted])
    np.maximum.at(high, group[wanted], machine[wanted])
    return np.where(low == high, high, 0)
