"""From logs to incidents, on the sample that the package makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin import pipeline
from tocsin.learn import packs
from tocsin.model.incident import Incident
from tocsin.model.rule import RuleSet
from tocsin.rehearse.sample import make
from tocsin.respond import respond


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def rules(sample: Path) -> RuleSet:
    return pipeline.compile_rules(packs.resolve([str(sample / "rules")]))


def incidents(sample: Path, rules: RuleSet, jobs: int) -> tuple[tuple[Incident, ...], int]:
    with respond([sample / "logs"], rules, jobs=jobs) as response:
        return response.incidents, sum(1 for _ in response.run.findings)


def test_the_sample_is_told_as_a_whole(sample: Path, rules: RuleSet) -> None:
    found, count = incidents(sample, rules, 1)
    assert sum(1 + one.repeats for incident in found for one in incident.findings) == count
    assert found[0].rank == "act now"
    assert all(len(one.at.src) == 64 for incident in found for one in incident.findings)
    assert all(len(entry.at.src) == 64 for incident in found for entry in incident.timeline)


def test_the_number_of_workers_changes_nothing(sample: Path, rules: RuleSet) -> None:
    assert incidents(sample, rules, 1) == incidents(sample, rules, 3)


def test_the_command(sample: Path, tmp_path: Path) -> None:
    words = ["respond", str(sample / "logs"), "--rules", str(sample / "rules"), "--out", str(tmp_path / "out")]
    environment = {"XDG_CACHE_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "tocsin", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**environment, "PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )
    assert "ACT NOW" in done.stdout
    assert "REVIEW QUEUE" in done.stdout
    assert "still open" in done.stdout
    written = json.loads((tmp_path / "out" / "incidents.json").read_text(encoding="utf-8"))
    assert written[0]["rank"] == "act now"
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"incidents.json", "findings.jsonl", "custody.json"}
