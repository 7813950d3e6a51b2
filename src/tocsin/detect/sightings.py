"""What was seen of indicators, table by table, in; an account of which could have been seen out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tocsin.detect.matcher import Matches
from tocsin.detect.observed_fields import FIELDS, OBSERVED, RAW
from tocsin.detect.watch import Seen
from tocsin.model.coverage import IndicatorCoverage, ObservableCoverage
from tocsin.model.indicator import OBSERVABLE_TYPES, ObservableType
from tocsin.model.rule import INDICATOR, RuleSet


class Sighted:
    """Grows with each table; those of workers are merged."""

    def __init__(self) -> None:
        self.fields: set[tuple[str, str]] = set()  # kind of log, field
        self.outside: Counter[int] = Counter()

    def add(self, kind: str, seen: Seen, matches: Matches) -> None:
        self.fields |= {(kind, name) for name in seen.looked_at}
        self.outside.update(seen.outside)
        self.outside.update(matches.outside)

    def to_plain(self) -> dict[str, Any]:
        """As JSON can hold it, for the way between processes."""
        return {"fields": sorted(self.fields), "outside": sorted(self.outside.items())}

    def merge(self, plain: Mapping[str, Sequence[Any]]) -> None:
        self.fields |= {(kind, name) for kind, name in plain.get("fields", ())}
        for rule, count in plain.get("outside", ()):
            self.outside[rule] += count

    def coverage(self, rules: RuleSet, findings: Mapping[int, int], told: IndicatorCoverage) -> IndicatorCoverage:
        """What is known of indicators (`told`), with what was seen of them; `findings` are counts by rule."""
        wanted: Counter[ObservableType] = Counter()
        found: Counter[ObservableType] = Counter()
        for number, rule in enumerate(rules.rules):
            if rule.logsource == INDICATOR and rule.indicator:
                for kind in {one.type for one in rule.indicator.observables}:
                    wanted[kind] += 1
                    found[kind] += bool(findings.get(number))
        observables = tuple(
            ObservableCoverage(type=kind, indicators=wanted[kind], seen=found[kind], fields=_fields(kind, self.fields))
            for kind in OBSERVABLE_TYPES
            if wanted[kind]
        )
        return replace(told, observables=observables, outside=tuple(sorted(self.outside.items())))


def _fields(kind: ObservableType, seen: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The fields that were there and may hold observables of a type: `windows/DestinationIp`."""
    return tuple(sorted(f"{log}/{name}" for log, name in seen if _may_hold(name, kind)))


def _may_hold(name: str, kind: ObservableType) -> bool:
    return kind in OBSERVED["text"] if name == RAW else any(kind in OBSERVED[holds] for holds in FIELDS[name])
