"""A part that the vocabulary rules out holds nothing that a rule could match: on random rules and events."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import strategies
from tocsin.collect import read_bytes
from tocsin.detect import Detector, sigma
from tocsin.foreseen import Foreseen, foresee
from tocsin.intake import LOOKS
from tocsin.lake.asking import PartKey
from tocsin.lake.indexing import Index
from tocsin.lake.merging import merge
from tocsin.lake.parts import Part
from tocsin.lake.runs import Run
from tocsin.model.event import Events
from tocsin.model.rule import RuleSet, RuleText


def compiled(rules: Sequence[Mapping[str, Any]]) -> RuleSet:
    texts = [
        RuleText(path=f"{at}.yml", content=yaml.dump(dict(rule), Dumper=yaml.CSafeDumper, sort_keys=False).encode())
        for at, rule in enumerate(rules)
    ]
    return sigma.compile_rules(texts)


def part(number: int, events: Events, size: int) -> Part:
    return Part(
        kind="windows",
        path=f"_day=2021-03-0{number % 9 + 1}/{number}.parquet",
        day="2021-03-01",
        rows=len(events),
        size_bytes=size,
        sha256="",
        first_us=None,
        last_us=None,
        columns=tuple(name for name, column in events.columns.items() if (column.codes > 1).any()),
    )


def read(events: Sequence[Mapping[str, Any]]) -> Events:
    return read_bytes(b"".join(json.dumps(event).encode() + b"\n" for event in events))


def foreseen(
    rules: RuleSet, lots: Sequence[Events], folder: Path, *, sizes: Sequence[int], together: bool
) -> tuple[Foreseen, dict[PartKey, Events]]:
    """What is known ahead of parts, each of which has a run of its own, or all are merged."""
    parts, runs = dict[PartKey, Part](), list[Run]()
    for at, (events, size) in enumerate(zip(lots, sizes, strict=True)):
        one = part(at, events, size)
        parts[one.kind, one.path] = one
        index = Index(LOOKS)
        index.add(events, [(one, np.arange(len(events)))])
        index.write(folder / f"{at}.run")
        runs.append(Run(folder / f"{at}.run"))
    if together:
        merge(runs, folder / "all.run", parts.values())
        runs = [Run(folder / "all.run")]
    return foresee(rules, runs, parts), dict(zip(parts, lots, strict=True))


@settings(max_examples=40)
@given(
    batch=strategies.batches(),
    bounds=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    size=st.sampled_from([0, 1 << 20]),
    together=st.booleans(),
)
def test_no_part_too_few(batch: strategies.Batch, bounds: list[int], size: int, together: bool) -> None:
    drawn, events = batch
    rules = compiled([one.rule for one in drawn])
    lots = [read(some) for first, stop in zip([0, *bounds], [*bounds, 99], strict=True) if (some := events[first:stop])]
    with tempfile.TemporaryDirectory() as name:
        ahead, held = foreseen(rules, lots, Path(name), sizes=[size] * len(lots), together=together)
    detector = Detector(rules)
    for key, some in held.items():
        matches = detector.scan(some)
        assert key in ahead.needed or not matches.rows
        through = {at for at, gate in enumerate(detector.gate_of) if len(matches.gates[gate])}
        assert through <= set(ahead.gates.get(key, ()))


HEAD = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}
LOTS = (
    [{**HEAD, "Image": "C:\\a.exe", "CommandLine": "a -x"}, {**HEAD, "Image": "C:\\b.exe", "CommandLine": "b -y"}],
    [{**HEAD, "Image": "C:\\a.exe", "CommandLine": "a -y"}],
    [{**HEAD, "EventID": 3, "Image": "C:\\a.exe"}],
    [{**HEAD, "Image": ["C:\\c.exe", "C:\\a.exe"], "CommandLine": "c"}],
)


@pytest.mark.parametrize(
    ("detection", "needed"),
    [
        ({"one": {"Image|endswith": "\\a.exe"}, "condition": "one"}, {0, 1, 3}),
        ({"one": {"Image|endswith": "\\d.exe"}, "condition": "one"}, {3}),  # of a list no value is told
        ({"one": {"Image|endswith": ["\\b.exe", "\\d.exe"]}, "condition": "one"}, {0, 3}),
        ({"one": {"CommandLine|contains|all": ["b", "-y"]}, "condition": "one"}, {0}),
        ({"one": {"CommandLine|contains|all": ["b", "-x"]}, "condition": "one"}, set()),  # no value has both
        ({"one": {"CommandLine|re": "^a -[yz]$"}, "condition": "one"}, {1}),
        ({"one": {"CommandLine|contains": "-x", "Image|endswith": "b.exe"}, "condition": "one"}, {0}),  # perhaps
        ({"one": {"CommandLine|contains": "-y"}, "two": {"CommandLine|re": "^a"}, "condition": "one and not two"}, {0}),
        ({"one": {"CommandLine|contains": "-y"}, "two": {"User": None}, "condition": "one and two"}, {0, 1}),
        ({"one": {"CommandLine|contains": "-y"}, "two": {"User": "x"}, "condition": "one and two"}, set()),
        ({"one": {"CommandLine|contains": "-y"}, "two": {"User": "x"}, "condition": "not (one or two)"}, {0, 1, 3}),
        ({"words": ["anything"], "condition": "words"}, {0, 1, 3}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [False, True])
def test_what_is_ruled_out(detection: dict[str, Any], needed: set[int], together: bool, tmp_path: Path) -> None:
    rule = {"title": "t", "id": "11111111-1111-4111-8111-111111111111", "level": "low", "detection": detection}
    rules = compiled([{**rule, "logsource": {"product": "windows", "category": "process_creation"}}])
    assert not rules.problems
    lots = [read(some) for some in LOTS]
    ahead, held = foreseen(rules, lots, tmp_path, sizes=[1 << 20] * 4, together=together)
    assert {at for at, key in enumerate(held) if key in ahead.needed} == needed
