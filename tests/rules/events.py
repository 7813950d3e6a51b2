"""Samples of rules in, tables of events out that their log sources could have given, and what the matcher says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder, text_of
from tocsin.detect import Detector, correlate, streams
from tocsin.model.event import Events, Longs, Source
from tocsin.model.rule import All, AnyOf, Condition, Leaf, RuleSet, Variant

_BEGAN_US = 1_700_000_000_000_000
_ABOUT = ("rule", "variant", "at", "repeat", "every_s")  # of a step, what is no field


@dataclass(frozen=True)
class Lines:
    """Raw records, one JSON text each, as a reader would keep them."""

    records: tuple[bytes, ...]
    header: bytes = b""

    def record(self, at: int) -> bytes:
        return self.records[at]

    def joined(self) -> tuple[bytes, Longs]:
        sizes = self.sizes() + 1
        return b"\n".join(self.records), np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)[:-1]))

    def sizes(self) -> Longs:
        return np.array([len(one) for one in self.records], np.int64)


def stem(path: str) -> str:
    return PurePosixPath(path.rpartition("!")[2]).stem


def by_stem(rules: RuleSet) -> dict[str, int]:
    return {stem(rule.path): number for number, rule in enumerate(rules.rules)}


def variant_of(rules: RuleSet, rule: int, name: str | None) -> Variant:
    found = [one for one in rules.variants if one.rule == rule and name in (None, one.name)]
    assert found, f"{rules.rules[rule].path}: has no variant {name}"
    return found[0]


def placed(rules: RuleSet, variant: Variant, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, with those that make the event one of the variant's log source."""
    return {**dict(_asked(rules, variant.gate)), **fields}


def _asked(rules: RuleSet, gate: Condition) -> Iterator[tuple[str, str]]:
    match gate:
        case All(parts):
            for part in parts:
                yield from _asked(rules, part)
        case AnyOf(parts):
            yield from _asked(rules, parts[0])
        case Leaf(number):
            pattern = rules.patterns[number]
            if pattern.kind == "equals" and pattern.field:
                yield pattern.field, pattern.text
            elif pattern.kind == "exists" and pattern.field:
                yield pattern.field, "there"


def _fields_of(raw: bytes, header: bytes) -> dict[str, str | tuple[str, ...] | None]:
    return {name: text_of(value) for name, value in json.loads(raw).items()}


def table(kind: str, events: Sequence[Mapping[str, Any]], ts: Sequence[int]) -> Events:
    builder = TableBuilder(kind)
    builder.begin(Source(path=f"{kind}.log", file=f"{kind}.log"), _fields_of, Clock())
    rows = np.arange(len(events), dtype=np.int64)
    raw = tuple(json.dumps(dict(one), ensure_ascii=False).encode() for one in events)
    builder.extend(rows, np.full(len(events), -1, np.int64), Lines(raw))
    for name in sorted({name for one in events for name in one}):
        having = [at for at, one in enumerate(events) if name in one]
        builder.put(name, np.array(having, np.int64), [events[at][name] for at in having])
    builder.put_time(rows, np.array(ts, np.int64))
    return builder.finish()


def fired(detector: Detector, rule: int, variant: Variant, samples: Sequence[Mapping[str, Any]]) -> list[bool]:
    """For each sample by itself whether the rule fires for it, in whichever variant."""
    rules = detector.rules
    given = [placed(rules, variant, one) for one in samples]
    events = table(variant.kind, given, [_BEGAN_US + at for at in range(len(given))])
    found = {
        int(row)
        for number, rows in detector.scan(events).rows
        if rules.variants[number].rule == rule
        for row in rows.tolist()
    }
    return [at in found for at in range(len(samples))]


def correlated(detector: Detector, rule: int, steps: Sequence[Mapping[str, Any]], folder: Path) -> int:
    """How often a correlation fires for what happens in these steps."""
    rules, named = detector.rules, by_stem(detector.rules)
    kinds: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for step in steps:
        variant = variant_of(rules, named[step["rule"]], step.get("variant"))
        for number in range(step.get("repeat", 1)):
            at_us = _BEGAN_US + int(1e6 * (step.get("at", 0) + number * step.get("every_s", 1)))
            fields = {
                name: value.replace("{n}", str(number)) if isinstance(value, str) else value
                for name, value in step.items()
                if name not in _ABOUT
            }
            kinds.setdefault(variant.kind, []).append((at_us, placed(rules, variant, fields)))
    paths = []
    for kind, made in kinds.items():
        events = table(kind, [fields for _, fields in made], [ts for ts, _ in made])
        paths.append(folder / kind)
        paths[-1].write_bytes(b"".join(streams.frames(detector, events, detector.scan(events))))
    sightings = streams.read(paths)
    found = correlate.correlate(rules.correlations, sightings.streams, sightings.vocabulary)
    return sum(len(bursts) for bursts in found if bursts.correlation.rule == rule)
