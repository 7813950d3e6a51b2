"""What shares a thing with a finding is told beside it, and changes nothing else; on evidence written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tocsin import pipeline
from tocsin.investigate import context
from tocsin.learn import packs
from tocsin.model.asset import Assets
from tocsin.model.incident import Incident
from tocsin.respond import respond

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
OURS, THEIRS, OTHER, CROWDED = "10.0.0.5", "203.0.113.50", "203.0.113.51", "203.0.113.60"
PROCESS, CHILD, STRANGER = (f"{{00000000-0000-0000-0000-00000000000{number}}}" for number in (1, 2, 3))

RULE = """
title: A program that nobody runs
id: 00000000-0000-4000-8000-00000000000{number}
status: test
level: {level}
tags: [attack.execution, attack.t1204]
logsource: {{product: windows, category: process_creation}}
detection: {{sel: {{Image|endswith: \\{name}}}, condition: sel}}
"""


def _at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def _sysmon(minutes: float, event: str, **told: str) -> str:
    stamp = _at(minutes).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    winlog: dict[str, Any] = {"channel": "Microsoft-Windows-Sysmon/Operational", "event_id": event}
    winlog |= {"provider_name": "Microsoft-Windows-Sysmon", "computer_name": "pc1.house.example", "event_data": told}
    return json.dumps({"@timestamp": f"{stamp}Z", "winlog": winlog})


def _start(minutes: float, guid: str, image: str, parent: str = "", parent_image: str = "") -> str:
    told = {"ProcessGuid": guid, "Image": image, "CommandLine": image, "User": "HOUSE\\mere"}
    return _sysmon(minutes, "1", **told, ParentProcessGuid=parent, ParentImage=parent_image)


def _conn(minutes: float, source: str, target: str, number: int = 0) -> str:
    told = {"ts": _at(minutes).timestamp(), "uid": f"C{number}{minutes}", "id.orig_h": source, "id.orig_p": 50_000}
    return json.dumps({**told, "id.resp_h": target, "id.resp_p": 443, "proto": "tcp", "orig_bytes": 10})


WINDOWS = (
    _start(0, PROCESS, "C:\\Users\\mere\\evil.exe"),
    _start(1, CHILD, "C:\\Users\\mere\\helper.exe", PROCESS, "C:\\Users\\mere\\evil.exe"),
    _sysmon(2, "3", ProcessGuid=CHILD, Image="C:\\Users\\mere\\helper.exe", Initiated="true", DestinationIp=THEIRS),
    _sysmon(3, "3", ProcessGuid=CHILD, Image="C:\\Users\\mere\\helper.exe", Initiated="true", DestinationIp=CROWDED),
    _start(4, STRANGER, "C:\\Users\\mere\\letter.exe"),
    _sysmon(5, "3", ProcessGuid=STRANGER, Image="C:\\Users\\mere\\letter.exe", Initiated="true", DestinationIp=OTHER),
)
NETWORK = (
    _conn(-60 * 24, "10.0.0.9", THEIRS),
    _conn(2, OURS, THEIRS),
    _conn(5, OURS, OTHER),
    _conn(60 * 24 * 40, OURS, THEIRS),
    *(_conn(6, f"10.0.1.{number}", CROWDED, number) for number in range(12)),
)


def told(folder: Path, *, level: str = "high", network: Sequence[str] = NETWORK, jobs: int = 1) -> tuple[Incident, ...]:
    logs, rules = folder / "logs", folder / "rules"
    logs.mkdir(parents=True)
    rules.mkdir()
    (logs / "windows.ndjson").write_text("\n".join(WINDOWS) + "\n", encoding="utf-8")
    if network:
        (logs / "conn.log").write_text("\n".join(network) + "\n", encoding="utf-8")
    (rules / "one.yml").write_text(RULE.format(number=1, level=level, name="evil.exe"), encoding="utf-8")
    with respond([logs], pipeline.compile_rules(packs.resolve([str(rules)])), jobs=jobs, quieten=False) as response:
        return response.incidents


def test_what_a_found_process_did_and_who_else_spoke_to_its_address(tmp_path: Path) -> None:
    (incident,) = told(tmp_path)
    seen = {(one.kind, one.name.rpartition("\\")[2], one.log): one for one in incident.context}
    assert ("process", CHILD.strip("{}"), "windows") in seen
    spoken = [one for one in incident.context if one.kind == "address"]
    assert {one.name for one in spoken} == {THEIRS}  # what twelve machines deal with says nothing of anybody
    assert sum(one.count for one in spoken if one.log == "zeek") == 2  # not the one of a month later
    assert all(f"process {CHILD.strip('{}')}" in one.because for one in spoken)


def test_what_shares_nothing_stays_outside(tmp_path: Path) -> None:
    (incident,) = told(tmp_path)
    logs = {path.name: path.read_bytes() for path in (tmp_path / "logs").iterdir()}
    for one in incident.context:
        for at in one.citations:
            record = logs[Path(at.path).name][at.rec :].partition(b"\n")[0]
            assert STRANGER.encode() not in record
            assert OTHER.encode() not in record
            assert len(at.src) == 64


def test_it_dates_nothing_and_raises_nothing(tmp_path: Path) -> None:
    (alone,), (beside,) = told(tmp_path / "a", network=()), told(tmp_path / "b")
    assert (alone.rank, alone.score, alone.dwell_us) == (beside.rank, beside.score, beside.dwell_us)
    assert (alone.first_us, alone.last_us) == (beside.first_us, beside.last_us)
    assert (alone.hosts, alone.accounts, alone.techniques) == (beside.hosts, beside.accounts, beside.techniques)
    found = {(one.at.path, one.at.rec) for one in beside.findings}
    assert found.isdisjoint((at.path, at.rec) for one in beside.context for at in one.citations)


def test_a_finding_of_low_level_leads_nowhere(tmp_path: Path) -> None:
    assert all(not one.context for one in told(tmp_path, level="low"))


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    one, three = told(tmp_path / "a"), told(tmp_path / "b", jobs=3)
    strip = str(tmp_path / "b"), str(tmp_path / "a")
    moved = [
        replace(line, citations=tuple(replace(at, path=at.path.replace(*strip)) for at in line.citations))
        for line in three[0].context
    ]
    assert list(one[0].context) == moved


@pytest.mark.parametrize("left", [b"", b'["windows","f"', b"\xff\xfe"])
def test_what_a_worker_left_half_written_is_not_read(tmp_path: Path, left: bytes) -> None:
    leads = context.Leads(since_us=0, until_us=9, why={("address", THEIRS): "a finding names it"})
    sought = context.search([leads], tmp_path / "beads")
    assert sought is not None
    (sought.folder / "000000").write_bytes(left)
    assert context.read(sought) == context.Found()


def test_nothing_to_look_for(tmp_path: Path) -> None:
    assert context.search([context.Leads(since_us=0, until_us=9, why={})], tmp_path / "none") is None
    assert context.read(None) == context.Found()
    assert context.told((), (), (), {}, Assets()) == ()
    assert context.further((), (), Assets()) == ()


def test_the_address_in_the_command_of_a_finding_leads_to_whoever_spoke_to_it(tmp_path: Path) -> None:
    logs, rules = tmp_path / "logs", tmp_path / "rules"
    logs.mkdir()
    rules.mkdir()
    command = "evil.exe -o x https://mere:pw@files.theirs.example/u http://10.0.0.7/y https://www.microsoft.com/z"
    told_ = {
        "ProcessGuid": PROCESS,
        "Image": "C:\\Users\\mere\\evil.exe",
        "CommandLine": command,
        "User": "HOUSE\\mere",
    }
    (logs / "windows.ndjson").write_text(_sysmon(0, "1", **told_) + "\n", encoding="utf-8")
    spoken = [
        {"ts": _at(minute).timestamp(), "uid": f"S{minute}", "id.orig_h": OURS, "id.orig_p": 50_001}
        | {"id.resp_h": OTHER, "id.resp_p": 443, "proto": "tcp", "server_name": name, "orig_bytes": sent}
        for minute, name, sent in (
            *((minute, "files.theirs.example", 10) for minute in range(1, 8)),
            (8, "files.theirs.example", 2_000_000),
            (9, "files.theirs.example", 10),
            (10, "www.microsoft.com", 10),
        )
    ]
    (logs / "conn.log").write_text("".join(json.dumps(one) + "\n" for one in spoken), encoding="utf-8")
    (rules / "one.yml").write_text(RULE.format(number=1, level="high", name="evil.exe"), encoding="utf-8")
    with respond([logs], pipeline.compile_rules(packs.resolve([str(rules)])), jobs=1, quieten=False) as response:
        (incident,) = response.incidents
    (line,) = [one for one in incident.context if one.kind == "domain"]
    assert (line.name, line.count) == ("files.theirs.example", 9)
    assert line.because == "the command of a finding names it"
    lines = (logs / "conn.log").read_bytes()
    cited = [json.loads(lines[at.rec :].partition(b"\n")[0])["orig_bytes"] for at in line.citations]
    assert cited == [10, 10, 2_000_000]  # the first of them, and the one by which most was sent
