"""Correlations from rule files and logs to what people read, through the command line."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evtx import PyEvtxParser

import spoken

LOGON_RULES = """
title: Failed logon
name: failed
logsource: {product: windows, service: security}
detection: {s: {EventID: 4625}, condition: s}
level: informational
tags: [attack.t1110]
---
title: Logon
name: logon
logsource: {product: windows, service: security}
detection: {s: {EventID: 4624}, condition: s}
level: informational
---
title: Passwords guessed
name: guessed
correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 10m, condition: {gte: 5}}
level: medium
---
title: Guessed, then used
correlation: {type: temporal_ordered, rules: [guessed, logon], group-by: [TargetUserName], timespan: 1h, generate: true}
level: high
tags: [attack.t1078]
---
title: Accounts tried one after the other
correlation:
  type: value_count
  rules: [failed]
  group-by: [IpAddress]
  timespan: 10m
  condition: {field: TargetUserName, gte: 3}
level: high
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def event(number: int, at: str, user: str | None, address: str = "10.0.0.1", host: str = "DC") -> dict[str, Any]:
    names = {"TargetUserName": user} if user is not None else {}
    when = {"@timestamp": f"2024-05-01T{at}Z"} if at else {}
    return {"EventID": number, "Channel": "Security", "Computer": host, "IpAddress": address, **names, **when}


EVENTS = [
    *(event(4625, f"10:00:0{second}", "bob" if second % 2 else "Bob") for second in range(6)),
    event(4624, "10:30:00", "BOB", host="WS"),
    *(event(4625, f"10:0{minute}:30", f"user{minute}", "10.9.9.9") for minute in range(3)),
    event(4624, "10:30:00", "eve"),
    event(4625, "10:00:09", None),
    event(4625, "", "bob"),
]


@pytest.fixture
def tocsin(tmp_path: Path) -> Run:
    home = {"HOME": str(tmp_path), "COLUMNS": "120"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    (tmp_path / "rules.yml").write_text(LOGON_RULES)

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = spoken.tocsin(words, cwd=tmp_path, env=kept | home)
        assert done.returncode == code, done.stderr
        return done

    return run


def write(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in events))
    return path


def found(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]


def test_findings_list_the_events_they_stand_on(tocsin: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", EVENTS)
    page = tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--out", "out").stdout
    lines = found(tmp_path / "out")
    assert [one["title"] for one in lines if not one["correlation"]] == ["Logon", "Logon"]  # which `generate` wants
    tried, guessed, used = sorted((one for one in lines if one["correlation"]), key=lambda one: one["title"])
    assert [one["title"] for one in (tried, guessed, used)] == [
        "Accounts tried one after the other",
        "Guessed, then used",
        "Passwords guessed",
    ]
    assert guessed["correlation"]["group"] == {"TargetUserName": "BOB"}
    assert guessed["correlation"]["count"] == 7
    assert guessed["correlation"]["first_ts"] == "2024-05-01T10:00:00.000000Z"
    assert guessed["ts"] == guessed["correlation"]["last_ts"] == "2024-05-01T10:30:00.000000Z"
    assert guessed["host"] == ""  # they are not of one
    assert used["correlation"]["value"] == 6
    assert used["host"] == "DC"
    assert tried["correlation"]["value"] == 3
    assert tried["correlation"]["group"] == {"IpAddress": "10.9.9.9"}
    content = log.read_bytes()
    places = [place for one in (guessed, used) for place in one["correlation"]["events"]]
    assert {json.loads(content[place["rec"] :].splitlines()[0])["TargetUserName"].lower() for place in places} == {
        "bob"
    }
    assert {place["path"] for place in places} == {"log.jsonl"}
    assert "EVENTS THAT BELONG TOGETHER  3, worst first" in page
    assert "IpAddress=10.9.9.9" in page


def test_what_could_be_seen_is_told(tocsin: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", EVENTS)
    tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--out", "out", "-q")
    report = json.loads((tmp_path / "out" / "coverage.json").read_text())
    told = {rule["title"]: (rule["state"], rule["findings"], rule["detail"]) for rule in report["rules"]}
    passed = "1 events without a time passed over, 1 events without a {} passed over"
    assert told == {
        "Failed logon": ("fired", 0, "11 events, for correlations alone"),
        "Logon": ("fired", 2, ""),  # `generate` wants its findings
        "Passwords guessed": ("fired", 1, passed.format("field to group by")),
        "Guessed, then used": ("fired", 1, ""),
        "Accounts tried one after the other": ("fired", 1, passed.format("value to count")),
    }
    layer = json.loads((tmp_path / "out" / "navigator.json").read_text())
    assert {one["techniqueID"]: one["score"] for one in layer["techniques"]} == {"T1078": 1}


def test_files_tasks_and_order_are_of_no_matter(tocsin: Run, tmp_path: Path) -> None:
    chance = random.Random(3)

    def told(parts: int) -> list[Any]:
        folder = tmp_path / f"logs{parts}"
        folder.mkdir()
        shuffled = chance.sample(EVENTS, len(EVENTS))
        for place in range(parts):
            write(folder / f"{place}.jsonl", shuffled[place::parts])
        tocsin("detect", str(folder), "--rules", "rules.yml", "--out", f"out{parts}", "-q")
        lines = [one for one in found(tmp_path / f"out{parts}") if one["correlation"]]
        return [
            (one["title"], one["correlation"]["group"], [place["ts"] for place in one["correlation"]["events"]])
            for one in lines
        ]

    assert told(1) == told(2) == told(5)


def test_a_level_keeps_what_its_correlations_refer_to(tocsin: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", EVENTS)
    tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--level", "high", "--out", "out", "-q")
    assert [one["title"] for one in found(tmp_path / "out")] == [
        "Guessed, then used",
        "Accounts tried one after the other",
    ]


def test_a_time_outside_of_what_was_asked_for_does_not_count(tocsin: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", EVENTS)
    tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--since", "2024-05-01T10:00:02", "--out", "out", "-q")
    assert [one["title"] for one in found(tmp_path / "out") if one["correlation"]] == [
        "Accounts tried one after the other"
    ]


def test_a_correlation_for_logs_that_are_not_there(tocsin: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", [{"EventID": 1, "Channel": "System", "Computer": "x"}])
    tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--out", "out", "-q")
    report = json.loads((tmp_path / "out" / "coverage.json").read_text())
    assert {(rule["state"], rule["detail"]) for rule in report["rules"]} == {("no log source", "windows//security")}
    assert report["missing_log_sources"] == [{"logsource": "windows//security", "rules": 5}]


def test_a_table_for_spreadsheets_counts_the_events(tocsin: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", EVENTS)
    tocsin("detect", "log.jsonl", "--rules", "rules.yml", "--out", "found.csv", "-q")
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text().splitlines()))
    told = json.loads(next(row["correlation"] for row in rows if row["title"] == "Guessed, then used"))
    assert told["count"] == 7
    assert "events" not in told
    assert {row["correlation"] for row in rows if row["title"] == "Logon"} == {""}


def test_rules_can_be_checked_and_shown(tocsin: Run, tmp_path: Path) -> None:
    assert "all 5 rules" in tocsin("rules", "check", "rules.yml").stdout
    page = tocsin("rules", "show", "then used", "--rules", "rules.yml").stdout
    assert "within 1 hour, of events with the same TargetUserName:" in page
    assert "1. Passwords guessed" in page
    assert "1 and 2, in this order" in page
    page = tocsin("rules", "show", "one after", "--rules", "rules.yml").stdout
    assert "number of different values of TargetUserName: at least 3" in page
    error = tocsin("rules", "test", "then used", "log.jsonl", "--rules", "rules.yml", code=4).stderr
    assert "a correlation looks at many events" in error
    (tmp_path / "bad.yml").write_text(LOGON_RULES.replace("rules: [failed]", "rules: [nobody]", 1))
    page = tocsin("rules", "check", "bad.yml", code=4).stdout
    assert "there is no rule with the id or name 'nobody' it refers to" in page
    assert "bad.yml:17  Passwords guessed" in page
    assert "bad.yml:21  Guessed, then used" in page


SHARE_RULES = """
title: Share read
name: share
logsource: {product: windows, service: security}
detection: {s: {EventID: 5145}, condition: s}
---
title: Network logon
name: logon
logsource: {product: windows, service: security}
detection: {s: {EventID: 4624, LogonType: 3}, condition: s}
---
title: Many objects of shares from one address
correlation: {type: event_count, rules: [share], group-by: [Computer, IpAddress], timespan: 5m, condition: {gte: 20}}
---
title: Logon over the network, then shares
correlation: {type: temporal_ordered, rules: [logon, share], group-by: [Computer, IpAddress], timespan: 5m}
"""


def test_on_evidence_of_attacks(tocsin: Run, tmp_path: Path, shared: Path) -> None:
    samples = shared / "corpus" / "evtx-attack-samples"
    (tmp_path / "shares.yml").write_text(SHARE_RULES)
    tocsin("detect", str(samples), "--rules", "shares.yml", "--out", "out", "-q")
    lines = found(tmp_path / "out")
    told = [(one["title"], one["host"], one["correlation"]["count"]) for one in lines]
    assert sorted(told) == [
        ("Logon over the network, then shares", "01566s-win16-ir.threebeesco.com", 4),
        ("Logon over the network, then shares", "WIN-77LTAPHIQ1R.example.corp", 3),
        ("Logon over the network, then shares", "WIN-77LTAPHIQ1R.example.corp", 3),
        ("Logon over the network, then shares", "WIN-77LTAPHIQ1R.example.corp", 8),
        ("Many objects of shares from one address", "PC01.example.corp", 869),
    ]
    many = next(one for one in lines if one["correlation"]["count"] == 869)
    assert {place["path"] for place in many["correlation"]["events"]} == {many["path"]}
    records = [
        (one["event_record_id"], json.loads(one["data"])["Event"]) for one in PyEvtxParser(many["path"]).records_json()
    ]
    reads = [
        number
        for number, one in records
        if one["System"]["EventID"] == 5145 and one["EventData"]["IpAddress"] == "10.0.2.15"
    ]
    assert sorted(place["rec"] for place in many["correlation"]["events"]) == sorted(reads)
