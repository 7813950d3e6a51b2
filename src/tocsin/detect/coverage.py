"""Events and their matches in, an account of what could have been seen out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from tocsin.detect.matcher import Detector, Matches
from tocsin.detect.needs import collect_patterns, fields_in
from tocsin.detect.sightings import Sighted
from tocsin.detect.views import base_of
from tocsin.detect.watch import Seen
from tocsin.model.coverage import Coverage, IndicatorCoverage, RuleCoverage, SeenLog
from tocsin.model.event import NO_TIME, Column, Events
from tocsin.model.kind import kind_of
from tocsin.model.rule import INDICATOR, All, AnyOf, Condition, Leaf, Not, Pattern


class Account:
    """Grows with each table that is scanned; accounts of workers are merged."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.gates: Counter[int] = Counter()
        self.fields: dict[int, set[str]] = {gate: set() for gate in range(len(detector.gates))}
        self.seen: dict[tuple[str, str, str], tuple[int, int, int]] = {}
        self.gave_up: Counter[int] = Counter()
        self.findings: Counter[int] = Counter()
        self.sighted = Sighted()

    def add(self, events: Events, matches: Matches, seen: Seen | None = None) -> None:
        self.add_matches(events, matches, seen)
        self._see(events)

    def add_matches(self, events: Events, matches: Matches, seen: Seen | None = None) -> None:
        """What rules could see of a table; which logs of which hosts there are, somebody else tells."""
        for gate, rows in enumerate(matches.gates):
            if not len(rows):
                continue
            self.gates[gate] += len(rows)
            for name in self._detector.fields_by_gate[gate] - self.fields[gate]:
                column = events.columns.get(name)
                if column is not None and column.codes[rows].any():
                    self.fields[gate].add(name)
        self.gave_up.update(matches.gave_up)
        for number, rows in matches.rows:
            self.findings[self._detector.rules.variants[number].rule] += len(rows)
        if seen is not None:
            self.sighted.add(events.kind, seen, matches)
            self.findings.update(Counter(seen.rules.tolist()))

    def _see(self, events: Events) -> None:
        absent = Column(codes=np.zeros(len(events), np.int32), values=[None, None])
        kind = kind_of(events.kind)
        log, host = events.columns.get(kind.log, absent), events.hosts() or absent
        pairs = log.codes.astype(np.int64) << 32 | host.codes
        distinct, at = np.unique(pairs, return_inverse=True)
        counts = np.bincount(at, minlength=len(distinct))
        first = np.full(len(distinct), np.iinfo(np.int64).max)
        last = np.full(len(distinct), NO_TIME)
        timed = events.ts != NO_TIME
        np.minimum.at(first, at[timed], events.ts[timed])
        np.maximum.at(last, at[timed], events.ts[timed])
        for place, pair in enumerate(distinct.tolist()):
            key = (events.kind, log.values[pair >> 32] or "", host.values[pair & 0xFFFFFFFF] or "")
            self._saw(key, (int(counts[place]), int(first[place]), int(last[place])))

    def _saw(self, key: tuple[str, str, str], span: tuple[int, int, int]) -> None:
        count, first, last = self.seen.get(key, (0, span[1], span[2]))
        self.seen[key] = (count + span[0], min(first, span[1]), max(last, span[2]))

    def to_plain(self) -> dict[str, Any]:
        """As JSON can hold it, for the way between processes."""
        return {
            "gates": sorted(self.gates.items()),
            "fields": [(gate, sorted(names)) for gate, names in self.fields.items() if names],
            "seen": [(key, span) for key, span in self.seen.items()],
            "gave_up": sorted(self.gave_up.items()),
            "findings": sorted(self.findings.items()),
            "sighted": list(self.sighted.to_plain().items()),
        }

    def merge(self, plain: Mapping[str, Sequence[Any]]) -> None:
        """Add what `to_plain` gave, or a part of it."""
        for gate, count in plain.get("gates", ()):
            self.gates[gate] += count
        for gate, names in plain.get("fields", ()):
            self.fields[gate].update(names)
        for key, span in plain.get("seen", ()):
            self._saw(tuple(key), tuple(span))
        for pattern, count in plain.get("gave_up", ()):
            self.gave_up[pattern] += count
        for rule, count in plain.get("findings", ()):
            self.findings[rule] += count
        self.sighted.merge(dict(plain.get("sighted", ())))

    def coverage(self, indicators: IndicatorCoverage | None = None) -> Coverage:
        """The account; `indicators` is what was known of them before."""
        rules = self._detector.rules
        # What is looked for by its value alone is told by what it is, not one by one.
        states: dict[int, list[tuple[bool, set[str]]]] = {
            number: [] for number, rule in enumerate(rules.rules) if rule.logsource != INDICATOR
        }
        for number, variant in enumerate(rules.variants):
            gate = self._detector.gate_of[number]
            if self.gates[gate]:
                present = self.fields[gate] | self._detector.left_in_raw
                missing: set[str] = set()
                can_hold = _can_hold(variant.condition, rules.patterns, present, missing)
                states[variant.rule].append((can_hold is not False, missing))
        return Coverage(
            seen=tuple(
                SeenLog(
                    kind=kind,
                    channel=channel,
                    host=host,
                    records=count,
                    first_us=None if last == NO_TIME else first,
                    last_us=None if last == NO_TIME else last,
                )
                for (kind, channel, host), (count, first, last) in sorted(self.seen.items())
            ),
            rules=tuple(self._state(rule, tried) for rule, tried in states.items()),
            problems=rules.problems,
            gave_up=self._gave_up_by_rule(),
            indicators=self.sighted.coverage(rules, self.findings, indicators) if indicators else None,
        )

    def may_change(self, number: int, names: Collection[str]) -> bool:
        """Whether events with these fields may change what is said of a variant's gate and of fields behind it."""
        gate = self._detector.gate_of[number]
        return not self.gates[gate] or not (self._detector.fields_by_gate[gate] - self.fields[gate]).isdisjoint(names)

    def _state(self, rule: int, tried: list[tuple[bool, set[str]]]) -> RuleCoverage:
        if self.findings[rule]:
            return RuleCoverage(rule=rule, state="fired", findings=self.findings[rule])
        if not tried:
            logsource = self._detector.rules.rules[rule].logsource
            return RuleCoverage(rule=rule, state="no log source", detail=logsource)
        if any(can_hold for can_hold, _ in tried):
            return RuleCoverage(rule=rule, state="silent")
        missing = sorted(set.union(*(names for _, names in tried)))
        return RuleCoverage(rule=rule, state="field absent", detail=", ".join(missing))

    def _gave_up_by_rule(self) -> tuple[tuple[int, int], ...]:
        used: dict[int, set[int]] = {}  # by rule: its variants may share a pattern
        if self.gave_up:
            for variant in self._detector.rules.variants:
                collect_patterns(variant.condition, used.setdefault(variant.rule, set()))
        values = {rule: sum(self.gave_up[pattern] for pattern in patterns) for rule, patterns in sorted(used.items())}
        return tuple((rule, count) for rule, count in values.items() if count)


def fields_of(condition: Condition, patterns: Sequence[Pattern]) -> set[str]:
    """The fields that a condition looks at."""
    used: set[int] = set()
    collect_patterns(condition, used)
    return fields_in(patterns[number] for number in used)


def _can_hold(condition: Condition, patterns: Sequence[Pattern], present: set[str], missing: set[str]) -> bool | None:
    """What a condition comes to if nothing is known but that fields are absent: True, False, or None (either)."""
    match condition:
        case Leaf(number):
            pattern = patterns[number]
            if pattern.kind.startswith("fieldref") and pattern.text not in present:
                missing.add(pattern.text)
                return False
            if pattern.field is None or base_of(pattern.field) in present:
                return None
            missing.add(base_of(pattern.field))
            return pattern.kind == "null"
        case Not(part):
            inner = _can_hold(part, patterns, present, missing)
            return None if inner is None else not inner
        case All(parts):
            states = [_can_hold(part, patterns, present, missing) for part in parts]
            return False if False in states else None if None in states else True
        case AnyOf(parts):
            states = [_can_hold(part, patterns, present, missing) for part in parts]
            return True if True in states else None if None in states else False
