"""A finding says which event it was, and what its rule looked at there."""

from __future__ import annotations

import json
from typing import Any

from detect.compiled import compiled, text_of
from tocsin.collect import read_bytes
from tocsin.detect import prepare
from tocsin.detect.report import findings
from tocsin.model.finding import Finding

SYSTEM = {"Channel": "System", "EventID": 7, "Computer": "h"}


def found(detections: list[str], *records: dict[str, Any], projected: bool = True, **more: Any) -> list[Finding]:
    detector = prepare(compiled(*(text_of(text, title=f"Rule {at}", **more) for at, text in enumerate(detections))))
    log = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    wanted = detector.projection | {"Channel", "Computer"} if projected else None
    events = read_bytes(log, path="log.json", projection=wanted)
    return list(findings(detector, events, detector.scan(events)))


def test_what_a_finding_says() -> None:
    records = ({**SYSTEM, "A": "no"}, {**SYSTEM, "A": "Yes", "B": 5, "@timestamp": "2024-05-01T08:00:00.25Z"})
    [one] = found(["s: {A: 'yes', B: 5, C: null}\nf: {D: x}\ncondition: s and not f"], *records)
    assert one == Finding(
        rule=0,
        variant="",
        ts_us=1_714_550_400_250_000,
        host="h",
        kind="windows",
        src="log.json",
        rec=len(json.dumps(records[0])) + 1,
        chunk=-1,
        path="log.json",
        fields={"A": "Yes", "B": "5", "Channel": "System"},
    )


def test_no_time_and_no_host() -> None:
    [one] = found(["s: {A: x}\ncondition: s"], {"Channel": "System", "EventID": 7, "A": "x"})
    assert (one.ts_us, one.host) == (None, "")


def test_order_is_by_record_then_rule() -> None:
    rules = ["s: {A|contains: x}\ncondition: s", "s: {B: x}\ncondition: s"]
    records = ({**SYSTEM, "B": "x"}, {**SYSTEM, "A": "x", "B": "x"}, {**SYSTEM, "A": "x"})
    order = [(one.rec, one.rule) for one in found(rules, *records)]
    assert order == sorted(order)
    assert [rule for _, rule in order] == [1, 0, 1, 0]


def test_fields_are_shown_as_they_are_in_the_log() -> None:
    odd = {
        "A": ["x", 1, None, True],
        "B": None,
        "C": "",
        "D": True,
        "E": 1.50,
        "Message": "what x it was",
        "F": {"G": 1},
    }
    lines = "A|contains: x, B: null, C: '', D: true, E: 1.5, Message|contains: x, F.G: 1, H: null"
    for projected in (True, False):
        [one] = found([f"s: {{{lines}}}\ncondition: s"], {**SYSTEM, **odd}, projected=projected)
        assert json.loads(one.fields["A"] or "") == odd["A"]
        rest = {name: text for name, text in one.fields.items() if name != "A"}
        assert rest == {
            "B": None,
            "C": "",
            "Channel": "System",
            "D": "true",
            "E": "1.5",
            "F.G": "1",
            "Message": "what x it was",
        }


def test_the_fields_compared_are_both_shown() -> None:
    [one] = found(["s: {A|fieldref: B}\ncondition: s"], {**SYSTEM, "A": "x", "B": "X"})
    assert one.fields == {"A": "x", "B": "X", "Channel": "System"}


def test_the_variant_is_named() -> None:
    security = {"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\cmd.exe"}
    [one] = found(
        ["s: {Image|endswith: cmd.exe}\ncondition: s"],
        security,
        logsource="{product: windows, category: process_creation}",
    )
    assert one.variant == "security"
    assert one.fields == {"Channel": "Security", "EventID": "4688", "NewProcessName": "C:\\cmd.exe"}
