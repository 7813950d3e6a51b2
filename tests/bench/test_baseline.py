"""The SQLite baseline finds what it should, on rules and events small enough to know the answer."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlite_baseline as sqlite
from flat_events import read_flat
from sigma.pipelines.windows.windows import windows_audit_pipeline

SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational"}


def rule(identity: int, detection: str, logsource: str = "category: process_creation, product: windows") -> str:
    return f"""
title: Rule {identity}
id: 00000000-0000-4000-8000-{identity:012}
logsource: {{{logsource}}}
level: high
tags: [attack.execution, attack.t1059.001]
detection:
{detection}
"""


def selection(*lines: str, condition: str = "selection", more: str = "") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"    selection:\n{body}\n{more}    condition: {condition}"


def found(tmp_path: Path, detection: str, events: Sequence[dict[str, object]]) -> list[int]:
    """Numbers of the events that one process creation rule finds; every event is a Sysmon event 1."""
    log = tmp_path / "events.jsonl"
    offsets = {}
    with log.open("wb") as file:
        for number, event in enumerate(events):
            offsets[str(file.tell())] = number
            file.write(json.dumps({"EventID": 1, **SYSMON, **event}).encode() + b"\n")
    rules = sqlite.rules_to_sql({"rule.yml": rule(1, detection)})
    assert rules.failures == {}
    return sorted(offsets[record] for _, record in sqlite.find(log, rules))


def test_values_are_compared_without_case_and_numbers_as_text(tmp_path: Path) -> None:
    events = [
        {"Image": "C:\\Windows\\CMD.exe", "LogonId": "5"},
        {"Image": "c:\\windows\\cmd.EXE", "LogonId": 5},
        {"Image": "C:\\Windows\\cmd.exe", "LogonId": "05"},
        {"Image": "C:\\Windows\\cmd.exe.bak", "LogonId": 5},
    ]
    assert found(tmp_path, selection("Image: 'C:\\Windows\\cmd.exe'", "LogonId: 5"), events) == [0, 1]
    assert found(tmp_path, selection("Image|endswith: '\\cmd.exe'", "LogonId: '5'"), events) == [0, 1]


def test_wildcards_of_sql_are_ordinary_characters(tmp_path: Path) -> None:
    events = [{"CommandLine": "echo 100%_done"}, {"CommandLine": "echo 100 x done"}, {"CommandLine": "a\\b"}]
    assert found(tmp_path, selection("CommandLine|contains: '100%_'"), events) == [0]
    assert found(tmp_path, selection("CommandLine|contains: 'a\\b'"), events) == [2]
    assert found(tmp_path, selection("CommandLine: 'echo*do?e'"), events) == [0, 1]


def test_case_regular_expressions_and_networks(tmp_path: Path) -> None:
    events = [{"CommandLine": "Whoami /all", "Ip": "10.1.2.3"}, {"CommandLine": "whoami", "Ip": "110.1.2.3"}]
    assert found(tmp_path, selection("CommandLine|contains|cased: 'Who'"), events) == [0]
    assert found(tmp_path, selection("CommandLine|re: '^who.*i$'"), events) == [1]
    assert found(tmp_path, selection("CommandLine|re|i: '^WHO'"), events) == [0, 1]
    assert found(tmp_path, selection("Ip|cidr: 10.0.0.0/8"), events) == [0]


def test_numbers_are_ordered_as_numbers_and_text_is_not_a_number(tmp_path: Path) -> None:
    events: list[dict[str, object]] = [{"Size": value} for value in ("9", "10", 100, "large", "", "2.5", None)]
    assert found(tmp_path, selection("Size|lt: 10"), events) == [0, 5]
    assert found(tmp_path, selection("Size|gte: 10"), events) == [1, 2]


def test_what_is_absent_is_null_and_does_not_spoil_a_negation(tmp_path: Path) -> None:
    events = [{"Image": "a.exe"}, {"Image": "a.exe", "User": "bob"}, {"Image": "a.exe", "User": None}]
    without = selection("Image: a.exe", condition="selection and not filter", more="    filter:\n        User: bob\n")
    assert found(tmp_path, without, events) == [0, 2]
    assert found(tmp_path, selection("User: null"), events) == [0, 2]
    assert found(tmp_path, selection("User|exists: true"), events) == [1]
    assert found(tmp_path, selection("NoSuchField: x"), events) == []


def test_another_event_id_or_channel_is_not_looked_at(tmp_path: Path) -> None:
    events = [{"Image": "a"}, {"Image": "a", "EventID": 2}, {"Image": "a", "Channel": "Security"}]
    assert found(tmp_path, selection("Image: a"), events) == [0]


def test_every_shape_of_a_record_becomes_the_same_event(tmp_path: Path) -> None:
    shapes = [
        {"EventID": 1, "Channel": "C", "Hostname": "H", "SourceName": "P", "Image": "I", "Signed": True},
        {
            "event_id": 1,
            "log_name": "C",
            "computer_name": "H",
            "source_name": "P",
            "event_data": {"Image": "I", "Signed": "true"},
        },
        {
            "winlog": {
                "event_id": "1",
                "channel": "C",
                "computer_name": "H",
                "provider_name": "P",
                "event_data": {"Image": "I", "Signed": "true"},
            }
        },
        {
            "Event": {
                "#attributes": {"xmlns": "x"},
                "System": {
                    "Provider": {"#attributes": {"Name": "P"}},
                    "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1},
                    "Channel": "C",
                    "Computer": "H",
                },
                "UserData": {"Nested": {"#attributes": {"xmlns": "x"}, "Image": "I", "Signed": True, "Channel": "X"}},
            }
        },
    ]
    log = tmp_path / "log"
    log.write_text("".join(json.dumps(shape) + "\n" for shape in shapes))
    wanted = {
        "EventID": "1",
        "Channel": "C",
        "Computer": "H",
        "Provider_Name": "P",
        "Image": "I",
        "Signed": "true",
    }
    for event in read_flat(log):
        assert {name: event.get(name) for name in wanted} == wanted


def test_a_line_that_is_no_object_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("{}\n[1]\n")
    with pytest.raises(ValueError, match="at byte 3: not a JSON object"):
        list(read_flat(log))


def test_fields_that_differ_in_case_share_a_column(tmp_path: Path) -> None:
    events = [{"ProcessID": "7"}, {"ProcessId": "7"}, {"ProcessID": "7", "ProcessId": "8"}]
    assert found(tmp_path, selection("ProcessId: 7"), events) == [0, 1, 2]


def test_rules_that_cannot_be_converted_are_named_and_stop_no_other() -> None:
    rules = sqlite.rules_to_sql(
        {
            "good.yml": rule(1, selection("Image: a")),
            "keyword.yml": rule(2, "    words: [mimikatz]\n    condition: words"),
            "regex.yml": rule(3, selection("Image|re: '(?<name'")),
            "broken.yml": "title: [",
            "empty.yml": "",
        }
    )
    assert [path for _, path in rules.rules] == ["good.yml"]
    assert {"keyword.yml", "regex.yml", "broken.yml"} <= set(rules.failures)


def test_another_pipeline_gives_the_audit_form(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(json.dumps({"EventID": 4688, "Channel": "Security", "NewProcessName": "a.exe"}) + "\n")
    text = {"rule.yml": rule(1, selection("Image: a.exe"))}
    assert sqlite.find(log, sqlite.rules_to_sql(text)) == set()
    audit = sqlite.rules_to_sql(text, pipelines=(windows_audit_pipeline, sqlite.windows_logsource_pipeline))
    assert sqlite.find(log, audit) == {("00000000-0000-4000-8000-000000000001", "0")}


def test_a_run_tells_its_stages_and_writes_findings(tmp_path: Path) -> None:
    log = tmp_path / "log"
    event = {"EventID": 1, **SYSMON, "Hostname": "h", "Image": "a.exe", "@timestamp": "2026-08-01T00:00:00Z"}
    log.write_text((json.dumps(event) + "\n") * 3)
    rules = sqlite.rules_to_sql({"rule.yml": rule(1, selection("Image: a.exe"))})
    for indexed in (True, False):
        out = io.StringIO()
        stages = sqlite.run(log, rules, out, indexed=indexed)
        assert (stages.events, stages.findings) == (3, 3)
        assert stages.total == pytest.approx(stages.read + stages.load + stages.match + stages.write)
        first = json.loads(out.getvalue().splitlines()[0])
        assert first == {
            "rule_id": "00000000-0000-4000-8000-000000000001",
            "title": "Rule 1",
            "level": "high",
            "techniques": ["T1059.001"],
            "ts": "2026-08-01T00:00:00Z",
            "host": "h",
            "kind": "windows",
            "rec": "0",
            "path": str(log),
            "fields": {"Channel": SYSMON["Channel"], "EventID": "1", "Image": "a.exe"},
        }


def test_converted_rules_can_be_kept(tmp_path: Path) -> None:
    rules = sqlite.rules_to_sql({"a.yml": rule(1, selection("Image: a")), "b.yml": "title: ["})
    sqlite.save_rules(rules, tmp_path / "kept.json")
    assert sqlite.load_rules(tmp_path / "kept.json") == rules


def test_evtx_records_are_named_by_their_id(shared: Path) -> None:
    log = shared / "corpus" / "evtx-attack-samples" / "Execution" / "exec_sysmon_1_ftp.evtx"
    rules = sqlite.rules_to_sql({"rule.yml": rule(1, selection("Image|endswith: '\\cmd.exe'"))})
    events = {event["_rec"]: event for event in read_flat(log)}
    pairs = sqlite.find(log, rules)
    assert pairs
    for _, record in pairs:
        event = events[record]
        assert event["EventID"] == "1"
        assert str(event["Image"]).lower().endswith("\\cmd.exe")
    assert {record for _, record in pairs} == {
        record
        for record, event in events.items()
        if event["EventID"] == "1" and str(event.get("Image", "")).lower().endswith("\\cmd.exe")
    }
