"""What a lake holds of which log of which host on which day in, what could have been seen there month by month out.

A month is "not seen" only where each of its days has records whose fields can hold such a thing. A day without any
record may have been a quiet one, or one whose log is lost: nobody can tell, so it is a gap, and named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np

from tocsin.lake.parts import UNDATED, Part
from tocsin.lake.runs import Census
from tocsin.model.hunt import Answer, Cell
from tocsin.model.indicator import ObservableType
from tocsin.model.kind import kind_of

Log: TypeAlias = tuple[str, str]  # kind, log
Seen: TypeAlias = Collection[tuple[ObservableType, str, str, str, str]]  # type, kind, log, host, month

NO_LOGS: Final = "no logs"
NO_FIELDS: Final = "no field that could hold it"
_MONTH: Final = len("2021-03")


@dataclass(slots=True)
class Visible:
    """Grows with the census of each part. Masks have a bit for each day of a month, the first for day 1."""

    may_hold: Mapping[Any, Sequence[ObservableType]]  # sorts of fields -> types
    days: dict[tuple[str, str, str, str], int] = field(default_factory=dict)  # kind, log, host, month
    able: dict[tuple[ObservableType, str, str, str, str], int] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    logs: dict[Log, set[ObservableType]] = field(default_factory=dict)
    rows: dict[tuple[str, str, str], int] = field(default_factory=dict)  # kind, log, host
    undated: int = 0

    def add(self, part: Part, census: Iterable[Census]) -> None:
        month, bit = part.day[:_MONTH], 1 << (int(part.day[8:]) - 1 if part.day != UNDATED else 0)
        for one in census:
            types = {kind for sort in one.sorts for kind in self.may_hold.get(sort, ())}
            self.logs.setdefault((part.kind, one.log), set()).update(types)
            if kind_of(part.kind).host:
                self.hosts.add(one.host)
            here = (part.kind, one.log, one.host)
            self.rows[here] = self.rows.get(here, 0) + one.rows
            if part.day == UNDATED:
                self.undated += one.rows
                continue
            key = (part.kind, one.log, one.host, month)
            self.days[key] = self.days.get(key, 0) | bit
            for kind in types:
                self.able[kind, *key] = self.able.get((kind, *key), 0) | bit

    def cells(
        self, types: Sequence[ObservableType], seen: Seen, since: str, until: str, hosts: Iterable[str] = ()
    ) -> Iterator[Cell]:
        """The answer for each type, log and host, months with the same one together.

        Args:
            since: the first day that is asked about, and `until` the last (ISO).
            hosts: that there are, besides those that wrote anything.
        """
        months = _months(since, until)
        named = sorted({*self.hosts, *hosts})
        for kind in types:
            for (log_kind, log), able in sorted(self.logs.items()):
                if kind not in able:
                    continue
                for host in named if kind_of(log_kind).host else [""]:
                    if (
                        log_kind,
                        log,
                        host,
                    ) not in self.rows:  # most machines write few logs: one answer for all months
                        yield _nothing(kind, (log_kind, log, host), months)
                        continue
                    every = [self._cell(kind, (log_kind, log, host, month), days, seen) for month, days in months]
                    yield from _together(every)

    def _cell(self, kind: ObservableType, key: tuple[str, str, str, str], wanted: int, seen: Seen) -> Cell:
        there, able = self.days.get(key, 0) & wanted, self.able.get((kind, *key), 0) & wanted
        answer: Answer = "not seen"
        gaps: tuple[str, ...] = ()
        because = ""
        if not able:
            answer, because = "could not be seen", NO_FIELDS if there else NO_LOGS
        elif able != wanted:
            answer, gaps = "partly visible", _ranges(key[3], wanted & ~able)
        if (kind, *key) in seen:
            answer = "seen"  # with its gaps, if it has any
        log_kind, log, host, month = key
        return Cell(
            type=kind,
            kind=log_kind,
            log=log,
            host=host,
            since=month,
            until=month,
            answer=answer,
            gaps=gaps,
            because="" if answer == "seen" else because,
        )


def _nothing(kind: ObservableType, where: tuple[str, str, str], months: Sequence[tuple[str, int]]) -> Cell:
    log_kind, log, host = where
    return Cell(
        type=kind,
        kind=log_kind,
        log=log,
        host=host,
        since=months[0][0],
        until=months[-1][0],
        answer="could not be seen",
        because=NO_LOGS,
    )


def _months(since: str, until: str) -> list[tuple[str, int]]:
    """Each month from one day to another, with a bit for each of its days that lies between."""
    first, last = np.datetime64(since, "D"), np.datetime64(until, "D")
    found = []
    for month in np.arange(first.astype("M8[M]"), last.astype("M8[M]") + 1):
        begin, end = month.astype("M8[D]"), (month + 1).astype("M8[D]")
        days = np.arange(max(begin, first), min(end, last + 1))
        found.append((str(month), sum(1 << int((day - begin).astype(int)) for day in days)))
    return found


def _ranges(month: str, mask: int) -> tuple[str, ...]:
    """Days of a month as ISO dates, neighbours as a range."""
    found: list[tuple[int, int]] = []
    for day in range(1, 32):
        if mask >> (day - 1) & 1:
            if found and found[-1][1] == day - 1:
                found[-1] = (found[-1][0], day)
            else:
                found.append((day, day))
    return tuple(f"{month}-{a:02}" if a == b else f"{month}-{a:02}/{month}-{b:02}" for a, b in found)


def _together(cells: Sequence[Cell]) -> Iterator[Cell]:
    last: Cell | None = None
    for cell in cells:
        if (
            last is not None
            and not (last.gaps or cell.gaps)
            and (last.answer, last.because) == (cell.answer, cell.because)
        ):
            last = replace(last, until=cell.until)
            continue
        if last is not None:
            yield last
        last = cell
    if last is not None:
        yield last
