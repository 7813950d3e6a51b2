"""An account grows table by table and worker by worker, and comes to the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from detect.compiled import compiled, text_of
from tocsin.collect import read_bytes
from tocsin.detect import Detector, prepare
from tocsin.detect.coverage import Account
from tocsin.model.coverage import Coverage, SeenLog

PROCESS = "{product: windows, category: process_creation}"
REGISTRY = "{product: windows, category: registry_set}"
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def events_of(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def detector_of(*detections: str, logsource: str = PROCESS) -> Detector:
    return prepare(
        compiled(*(text_of(text, logsource=logsource, title=f"Rule {at}") for at, text in enumerate(detections)))
    )


def coverage_of(detector: Detector, *tables: bytes) -> Coverage:
    account = Account(detector)
    for table in tables:
        events = read_bytes(table)
        account.add(events, detector.scan(events))
    return account.coverage()


def state(detection: str, *records: dict[str, Any], logsource: str = REGISTRY) -> tuple[str, str]:
    [rule] = coverage_of(detector_of(detection, logsource=logsource), events_of(*records)).rules
    return rule.state, rule.detail


def registry(**fields: Any) -> dict[str, Any]:
    return {"Channel": SYSMON, "EventID": 13, **fields}


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("s: {A: x}\ncondition: s", ("silent", "")),
        ("s: {B: x}\ncondition: s", ("field absent", "B")),
        ("s: {A: x, B: x}\ncondition: s", ("field absent", "B")),
        ("s: {B: x, C: x}\ncondition: s", ("field absent", "B, C")),
        ("s: [{A: x}, {B: x}]\ncondition: s", ("silent", "")),
        ("s: [{B: x}, {C: x}]\ncondition: s", ("field absent", "B, C")),
        ("s: {A: x}\nf: {B: x}\ncondition: s and not f", ("silent", "")),
        ("s: {B: x}\nf: {A: x}\ncondition: s and not f", ("field absent", "B")),
        ("s: {A: x}\nf: {B: null}\ncondition: s and not f", ("field absent", "B")),
        ("s: {B: null, A: x}\ncondition: s", ("silent", "")),
        ("s: {B|exists: true}\ncondition: s", ("field absent", "B")),
        ("s: {B|exists: false, A: x}\ncondition: s", ("silent", "")),
        ("s: {Message|contains: x}\ncondition: s", ("silent", "")),  # left in the raw record: nobody counted it
        ("s: ['word']\ncondition: s", ("silent", "")),
        ("s: {A|fieldref: B}\ncondition: s", ("field absent", "B")),
        ("s: {B|fieldref: A}\ncondition: s", ("field absent", "B")),
        ("s: {A: ab}\ncondition: s", ("fired", "")),
    ],
)
def test_whether_a_rule_could_have_fired(detection: str, expected: tuple[str, str]) -> None:
    assert state(detection, registry(A="ab"), {"Channel": SYSMON, "EventID": 1, "B": "elsewhere"}) == expected


def test_a_null_is_there_and_an_empty_log_is_not() -> None:
    assert state("s: {B: x}\ncondition: s", registry(B=None)) == ("silent", "")
    assert state("s: {B: x}\ncondition: s", {"Channel": "Other", "EventID": 13, "B": "x"}) == (
        "no log source",
        "windows/registry_set",
    )


def test_tables_and_workers_add_up() -> None:
    detector = detector_of(
        "s: {Image: a}\ncondition: s", "s: {Hue: a}\ncondition: s", "s: {CommandLine: c}\ncondition: s"
    )
    sysmon = {"Channel": SYSMON, "EventID": 1, "Computer": "h"}
    tables = [
        events_of({**sysmon, "Image": "a", "@timestamp": "2024-05-01T08:00:00Z"}),
        events_of({**sysmon, "Image": "b", "Hue": "b", "@timestamp": "2024-05-01T07:00:00Z"}),
        events_of({**sysmon, "Image": "a", "@timestamp": "2024-05-01T09:00:00Z"}, {"EventID": 5, "Channel": "x"}),
    ]
    whole = coverage_of(detector, b"".join(tables))
    assert coverage_of(detector, *tables) == whole
    gathered = Account(detector)
    for table in reversed(tables):
        one = Account(detector)
        events = read_bytes(table)
        one.add(events, detector.scan(events))
        gathered.merge(msgspec.json.decode(msgspec.json.encode(one.to_plain())))
    gathered.merge({})
    assert gathered.coverage() == whole
    assert [(rule.state, rule.findings, rule.detail) for rule in whole.rules] == [
        ("fired", 2, ""),
        ("silent", 0, ""),
        ("field absent", 0, "CommandLine"),
    ]
    eight_us = 1_714_550_400_000_000
    hour_us = 3_600_000_000
    log = SeenLog(
        kind="windows", channel=SYSMON, host="h", records=3, first_us=eight_us - hour_us, last_us=eight_us + hour_us
    )
    other = SeenLog(kind="windows", channel="x", host="", records=1, first_us=None, last_us=None)
    assert whole.seen == (log, other)


def test_what_an_expression_gave_up_on_is_counted_once_for_each_rule() -> None:
    """Both variants of a generic rule read the command line by one pattern."""
    slow = "s: {CommandLine|re: x}\ncondition: s"
    detector = detector_of(slow, slow.replace("s: {", "s: {Image: y, "), "s: {CommandLine: x}\ncondition: s")
    [pattern] = [at for at, one in enumerate(detector.rules.patterns) if one.kind == "regex"]
    account = Account(detector)
    account.merge({"gave_up": [(pattern, 3)]})
    account.merge({"gave_up": [(pattern, 4)]})
    assert account.coverage().gave_up == ((0, 7), (1, 7))


def test_problems_are_handed_on() -> None:
    rules = compiled(text_of("s: {A: x}\ncondition: s"), "nonsense: [")
    coverage = Account(prepare(rules)).coverage()
    assert coverage.problems == rules.problems
    assert len(coverage.problems) == 1
