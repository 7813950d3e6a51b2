"""What is known of all findings together, and what an incident is told from: numbers, and the texts behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tocsin.investigate.links import Links
from tocsin.investigate.machines import Machines
from tocsin.investigate.processes import Lineage
from tocsin.investigate.roles import Role
from tocsin.investigate.table import Table
from tocsin.investigate.traces import Traces
from tocsin.model.citation import Citation
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All findings of a run.

    Args:
        also: other names of an account, by the code of the one that it goes by.
        strangers: machines that an incident shares with another it was kept apart from, by the number of the incident.
        label: for each finding of the table the incident that it is in.
        stands: for each finding the first that says the same, itself if it is the first.
        again: the first few findings that each stands for, in the order of `stands`; `again_from` says where for each
            its own begin.
        lowered: of each finding why it is, as in `routine`; nothing is unless `quieten`.
        solid: which findings say when, where and by whom it was; the others may be of it.
        familiar: which are of what had been on their machine on several days before.
        elsewhere: of each finding what says that it was done from another machine, as in `signs`.
        digests: SHA-256 by file on disk.
    """

    traces: Traces
    also: Mapping[int, tuple[str, ...]]
    machines: Machines
    lines: Lineage
    table: Table
    rules: Sequence[Rule]
    links: Links
    strangers: Mapping[int, tuple[int, ...]]
    weight: np.ndarray[tuple[int], np.dtype[np.float64]]
    label: Longs
    stands: Longs
    again: Longs
    again_from: Longs
    lowered: Codes
    solid: np.ndarray[tuple[int], np.dtype[np.bool_]]
    familiar: np.ndarray[tuple[int], np.dtype[np.bool_]]
    quieten: bool
    elsewhere: Codes
    digests: Mapping[str, str]
    indexes: Indexes
    cited: dict[int, Citation] = field(default_factory=dict)

    def citation(self, row: int) -> Citation:
        known = self.cited.get(row)
        return known if known is not None else self.citations(np.array([row]))[0]

    def citations(self, rows: Longs) -> list[Citation]:
        """Each record is cited by one object, wherever it is cited."""
        traces, cited, asked = self.traces, self.cited, rows.tolist()
        unknown = [row for row in asked if row not in cited]
        if unknown:
            fresh = np.unique(np.array(unknown, np.int64))
            files = [(self.digests.get(file, ""), path) for _, file, path in traces.sources]
            columns = (fresh, traces.source[fresh], traces.rec[fresh], traces.chunk[fresh], traces.ts[fresh])
            for row, source, rec, chunk, ts in zip(*(column.tolist() for column in columns), strict=True):
                src, path = files[source]
                cited[row] = Citation(src=src, path=path, rec=rec, chunk=chunk, ts_us=None if ts == NO_TIME else ts)
        return [cited[row] for row in asked]

    def texts(self, rows: Longs, *roles: Role) -> list[str]:
        """Of each record as the log writes it: of the first of these roles that it has."""
        best = np.zeros(len(rows), np.int32)
        for role in roles:
            column = self.traces.roles.get(role)
            if column is not None:
                best = np.where(best > 0, best, column[rows])
        shown = self.traces.shown
        return [shown[code] for code in best.tolist()]

    def hosts(self, rows: Longs) -> list[str]:
        shown = self.machines.shown
        return [shown[number] for number in self.machines.of[rows].tolist()]

    def time(self, row: int) -> int | None:
        ts = int(self.traces.ts[row])
        return None if ts == NO_TIME else ts

    def text(self, row: int, *roles: Role) -> str:
        """As the log writes it: of the first of these roles that the record has."""
        for role in roles:
            column = self.traces.roles.get(role)
            if column is not None and column[row]:
                return self.traces.shown[int(column[row])]
        return ""

    def host(self, row: int) -> str:
        return self.machines.shown[int(self.machines.of[row])]

    def program(self, row: int) -> str:
        return self.text(row, "image").replace("/", "\\").rpartition("\\")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """Where to look: the start of each process, the logon that began each session; and which clocks differ."""

    start: Mapping[int, int]
    logon: Mapping[int, int]
    clocks: Mapping[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One incident in numbers: its findings in the table, those of them that stand for others, and its links.

    `joins` are those of the links that hold the incident together; `hosts` and `places` are of those shown.
    """

    members: Longs
    shown: Longs
    hosts: Sequence[str]
    places: Sequence[Citation]
    links: Longs
    joins: Longs
