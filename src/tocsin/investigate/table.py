"""Findings in, columns of them in order of time out, each with the trace of its event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.nearest import grouped
from tocsin.investigate.shapes import Shapes
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.finding import Finding
from tocsin.model.rule import LEVELS, Rule

_MOST_EVENTS: Final = 1_000  # of one correlation, by which it is joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Findings in order of time, then of place, then of rule; those without a time last.

    Args:
        number: where each stands in the iterable they came from.
        rule: index into the rules; `level` index into `LEVELS`.
        row: the trace of its event.
        shape: a number that findings share whose rules looked at the same (`shapes.py`).
        answered: whether its rule asked how a request was answered, and that was with success (RFC 9110, 15.3).
        lost: numbers of findings whose event left no trace.
        further: of correlations, places in the table and the traces of the events that they stand on besides.
    """

    number: Longs
    rule: Longs
    level: Longs
    ts: Longs
    row: Longs
    shape: Longs
    answered: npt.NDArray[np.bool_]
    lost: Longs
    further: tuple[Longs, Longs]

    def __len__(self) -> int:
        return len(self.number)


def table(findings: Iterable[Finding], traces: Traces, rules: Sequence[Rule]) -> Table:
    rule: list[int] = []
    shapes = Shapes()
    same: list[int] = []
    answered: list[bool] = []
    path, rec, chunk = [], [], []
    paths = {source[2]: code for code, source in enumerate(traces.sources)}
    others: list[tuple[int, int, int, int]] = []  # number of the finding, and where the event stands
    for finding in findings:
        if finding.correlated is not None:
            places = ((paths.get(one.path, -1), one.chunk, one.rec) for one in finding.correlated.events[:_MOST_EVENTS])
            others += [(len(rule), *place) for place in places]
        rule.append(finding.rule)
        same.append(shapes.number(finding))
        answered.append((finding.fields.get("sc-status") or "").startswith("2"))
        path.append(paths.get(finding.path, -1))
        rec.append(finding.rec)
        chunk.append(finding.chunk)
    rules_of = np.array(rule, np.int64)
    row = _rows(traces, *(np.array(part, np.int64) for part in (path, chunk, rec)))
    kept = np.flatnonzero(row >= 0)
    level = np.array([LEVELS.index(one.level) for one in rules] or [0], np.int64)
    rank = np.empty(len(rules), np.int64)  # of rules by their ids, for a pack's order is chance
    rank[sorted(range(len(rules)), key=lambda at: (rules[at].id, rules[at].title, at))] = np.arange(len(rules))
    ts = traces.ts[row[kept]]
    order = np.lexsort((kept, rank[rules_of[kept]], row[kept], ts == NO_TIME))
    number = kept[order]
    return Table(
        number=number,
        rule=rules_of[number],
        level=level[rules_of[number]],
        ts=traces.ts[row[number]],
        row=row[number],
        shape=np.array(same, np.int64)[number],
        answered=np.array(answered, bool)[number],
        lost=np.flatnonzero(row < 0),
        further=_further(traces, np.array(others, np.int64).reshape(-1, 4), number, len(row)),
    )


def _further(traces: Traces, others: Longs, number: Longs, size: int) -> tuple[Longs, Longs]:
    place = np.full(size, -1, np.int64)
    place[number] = np.arange(len(number))
    at, rows = place[others[:, 0]], _rows(traces, *others.T[1:])
    known = (at >= 0) & (rows >= 0)
    return at[known], rows[known]


def _rows(traces: Traces, path: Longs, chunk: Longs, rec: Longs) -> Longs:
    """The trace at each place, -1 for none."""
    found = np.flatnonzero(traces.found)
    paths = {source[2]: code for code, source in enumerate(traces.sources)}
    of_source = np.array([paths[source[2]] for source in traces.sources] or [0], np.int64)
    size = len(found)
    place = grouped(
        [
            np.concatenate([of_source[traces.source[found]], path]),
            np.concatenate([traces.chunk[found], chunk]),
            np.concatenate([traces.rec[found], rec]),
        ]
    )
    at = np.full(int(place.max(initial=0)) + 1, -1, np.int64)
    at[place[:size][::-1]] = found[::-1]
    return at[place[size:]]
