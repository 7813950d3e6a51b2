"""One rule and a log in, for the events it fires for and those that come nearest every condition's outcome out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

import numpy as np

from tocsin import collect
from tocsin.detect import probe, trace
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME, Events
from tocsin.model.kind import ENVELOPE, kind_of
from tocsin.model.mapping import LogMapping
from tocsin.model.rule import RuleSet, Variant

EVENT_ID: Final = "EventID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """An event and what became of each condition there. `score` is 1 where the rule fired.

    `rec` is a record id, or where `chunk` is -1 a byte offset.
    """

    step: trace.Step
    score: float
    ts_us: int | None
    host: str
    rec: int
    chunk: int
    path: str


@dataclass(slots=True, kw_only=True)
class Bound:
    """A rule in one log source: how many events of it there were, and a few of them traced.

    Args:
        held: each part of the condition, and for how many events it held.
        absent: fields that no event of the log source has; None until there was such an event.
    """

    variant: Variant
    gated: int = 0
    fired: int = 0
    held: dict[probe.Part, int] = field(default_factory=dict)
    absent: set[str] | None = None
    events: list[Traced] = field(default_factory=list)
    nearest: list[Traced] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Trial:
    """`seen` counts the events of each log and event id."""

    bound: list[Bound]
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    custody: list[Custody] = field(default_factory=list)

    @property
    def events(self) -> int:
        return sum(source.read for source in self.custody)


def tried(rules: RuleSet, log: str, limit: int, mappings: Sequence[LogMapping] = (), zone: tzinfo = UTC) -> Trial:
    """Try the rule on every event of the log; at most `limit` events are traced for each log source.

    Args:
        zone: of times that name none.
    """
    asker = probe.Probe(rules)
    trial = Trial(bound=[Bound(variant=variant) for variant in rules.variants])
    mapped = [collect.reader(mapping) for mapping in mappings]
    wanted = asker.projection | ENVELOPE | {EVENT_ID}
    units = collect.plan([log], mapped=mapped)
    reading = collect.read_units(units, wanted, trial.custody.append, zone=zone, mapped=mapped)
    for events in reading:
        _see(events, trial.seen)
        for sight in asker.look(events, limit):
            bound = trial.bound[sight.variant]
            bound.gated += len(sight.gated)
            bound.fired += len(sight.fired)
            for part, rows in sight.held:
                bound.held[part] = bound.held.get(part, 0) + len(rows)
            if len(sight.gated):
                absent = set(sight.absent)
                bound.absent = absent if bound.absent is None else bound.absent & absent
            room = limit - len(bound.events)
            for row in sight.fired[: max(room, 0)].tolist():
                bound.events.append(_traced(rules, bound.variant, events, row, 1.0))
            bound.nearest += [
                _traced(rules, bound.variant, events, near.row, near.score)
                for near in sight.nearest
                if len(bound.nearest) < limit or near.score > bound.nearest[-1].score
            ]
            bound.nearest.sort(key=lambda one: -one.score)  # stable: the earlier event first
            del bound.nearest[limit:]
    return trial


def _traced(rules: RuleSet, variant: Variant, events: Events, row: int, score: float) -> Traced:
    ts = int(events.ts[row])
    host = events.hosts()
    return Traced(
        step=trace.trace(rules, variant.condition, events, row),
        score=score,
        ts_us=None if ts == NO_TIME else ts,
        host=(host.text(row) if host else None) or "",
        rec=int(events.rec[row]),
        chunk=int(events.chunk[row]),
        path=events.sources[events.src[row]].path,
    )


def _see(events: Events, seen: Counter[tuple[str, str]]) -> None:
    log, number = events.columns.get(kind_of(events.kind).log), events.columns.get(EVENT_ID)
    none = np.zeros(len(events), np.int64)
    pairs = (log.codes.astype(np.int64) if log else none) << 32 | (number.codes if number else none)
    for pair, count in zip(*np.unique(pairs, return_counts=True), strict=True):
        names = log.values[pair >> 32] if log else None, number.values[pair & 0xFFFFFFFF] if number else None
        seen[names[0] or "", names[1] or ""] += int(count)
