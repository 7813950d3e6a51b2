"""Logs and rules in, which rules fire outside Windows out, and which hold but for one part of what they ask.

    python bench/near_misses.py [--rules ../shared/corpus/sigma-rules.zip] [LOGS...]

A rule that all but one part of its condition hold for is shown with that part and the source. Where the part asks for
a value that the log could not have, the log holds no more; where the log has it under another name, a reader is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from tocsin import pipeline
from tocsin.collect import plan, read_units
from tocsin.detect import Detector
from tocsin.detect.matcher import _Table
from tocsin.learn import packs
from tocsin.model.event import Events
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
_SHOWN = 4  # parts of a condition


def near(detector: Detector, events: Events) -> Iterator[tuple[int, int, Condition]]:
    """Rules that hold but for one part: the rule, for how many events, and the part."""
    gates = detector.scan(events).gates
    table = _Table(detector, events)
    table.open_gates = tuple(gate for gate, rows in enumerate(gates) if len(rows))
    for number, variant in enumerate(detector.rules.variants):
        rows, condition = gates[detector.gate_of[number]], variant.condition
        if not len(rows) or not isinstance(condition, All) or sum(not isinstance(x, Not) for x in condition.parts) < 2:
            continue
        held = np.zeros((len(condition.parts), len(rows)), bool)
        for at, part in enumerate(condition.parts):
            held[at, np.searchsorted(rows, table.filter(table.fold(part), rows))] = True
        close = held.sum(axis=0) == len(condition.parts) - 1
        if close.any():
            yield variant.rule, int(close.sum()), condition.parts[int((~held[:, int(close.argmax())]).argmax())]


def told(detector: Detector, part: Condition) -> str:
    if isinstance(part, Leaf):
        asked = detector.rules.patterns[part.pattern]
        return f"{asked.field or 'any field'} {asked.kind} {asked.text[:40]!r}"
    if isinstance(part, Not):
        return f"not ({told(detector, part.part)})"
    mark = " or " if isinstance(part, AnyOf) else " and "
    more = mark + "..." if len(part.parts) > _SHOWN else ""
    return mark.join(told(detector, one) for one in part.parts[:_SHOWN]) + more


def main() -> None:
    parser = argparse.ArgumentParser(description="Which rules fire outside Windows, and which nearly do.")
    parser.add_argument("--rules", default=str(SHARED / "sigma-rules.zip"))
    parser.add_argument("logs", nargs="*", default=[str(SHARED / "security-datasets")])
    args = parser.parse_args()
    detector = Detector(pipeline.compile_rules(packs.resolve([args.rules])))
    rules = detector.rules
    records, fired, missed = Counter[str](), Counter[int](), dict[int, str]()
    for events in read_units(plan(args.logs), detector.projection, lambda custody: None):
        if events.kind == "windows":
            continue
        records[events.kind] += len(events)
        for variant, rows in detector.scan(events).rows:
            fired[rules.variants[variant].rule] += len(rows)
        for rule, count, part in near(detector, events):
            missed.setdefault(rule, f"{count:,} events of {events.kind}, but for {told(detector, part)}")
    print("records:", ", ".join(f"{kind} {count:,}" for kind, count in records.most_common()))
    for rule, count in sorted(fired.items(), key=lambda one: rules.rules[one[0]].title):
        print(f"fired   {rules.rules[rule].title} ({rules.rules[rule].logsource}): {count:,}")
    for rule, why in sorted(missed.items(), key=lambda one: rules.rules[one[0]].title):
        if rule not in fired:
            print(f"nearly  {rules.rules[rule].title} ({rules.rules[rule].logsource}): {why}")
    print(f"{len(fired)} rules fired, {len(missed.keys() - fired.keys())} hold but for one part")


if __name__ == "__main__":
    main()
