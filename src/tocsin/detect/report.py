"""Matches in, Findings out, in the order of the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from heapq import merge
from typing import TypeAlias

import msgspec

from tocsin.detect.coverage import fields_of
from tocsin.detect.matcher import Detector, Matches
from tocsin.detect.watch import Seen
from tocsin.model.event import NO_TIME, Events
from tocsin.model.finding import Finding

# Row, whether an indicator was found there, rule, its variant, and the fields that were looked at.
_Told: TypeAlias = tuple[int, bool, int, str, Mapping[str, str | None]]


def findings(detector: Detector, events: Events, matches: Matches, seen: Seen | None = None) -> Iterator[Finding]:
    """One for each rule and event; `src` is the path of the file on disk, whose digest is not known yet.

    Rules that only serve correlations have none. Indicators (`seen`) come behind the rules of an event.
    """
    told = _of_rules(detector, events, matches)
    if seen is not None:
        told = merge(told, _of_indicators(events, seen), key=lambda one: (one[0], one[1]))
    host = events.hosts()
    for row, _, rule, variant, fields in told:
        ts = int(events.ts[row])
        source = events.sources[events.src[row]]
        yield Finding(
            rule=rule,
            variant=variant,
            ts_us=None if ts == NO_TIME else ts,
            host=(host.text(row) if host else None) or "",
            kind=events.kind,
            src=source.file,
            rec=int(events.rec[row]),
            chunk=int(events.chunk[row]),
            path=source.path,
            fields=fields,
        )


def _of_rules(detector: Detector, events: Events, matches: Matches) -> Iterator[_Told]:
    rules = detector.rules
    told = [one for one in matches.rows if rules.variants[one[0]].rule not in rules.quiet]
    pairs = sorted((row, number) for number, rows in told for row in rows.tolist())
    for row, number in pairs:
        variant = rules.variants[number]
        yield row, False, variant.rule, variant.name, _looked_at(_fields(detector, number), events, row)


def _of_indicators(events: Events, seen: Seen) -> Iterator[_Told]:
    named = [tuple(seen.names[place] for place in places) for places in seen.fields]
    for row, rule, names in zip(seen.rows.tolist(), seen.rules.tolist(), named, strict=True):
        yield row, True, rule, "", _looked_at(names, events, row)


@lru_cache(maxsize=16_384)
def _fields(detector: Detector, variant: int) -> tuple[str, ...]:
    compiled = detector.rules.variants[variant]
    patterns = detector.rules.patterns
    return tuple(sorted({*fields_of(compiled.gate, patterns), *fields_of(compiled.condition, patterns)}))


def _looked_at(names: tuple[str, ...], events: Events, row: int) -> Mapping[str, str | None]:
    """The fields of one event that its rule reads; those that were left in the raw record are decoded."""
    texts: dict[str, str | None] = {}
    whole: Mapping[str, str | tuple[str, ...] | None] | None = None
    for name in names:
        column = events.columns.get(name)
        if column is not None:
            if column.codes[row]:
                texts[name] = column.text(row)
            continue
        whole = events.all_fields(row) if whole is None else whole
        if name in whole:
            value = whole[name]
            texts[name] = msgspec.json.encode(value).decode() if isinstance(value, tuple) else value
    return texts
