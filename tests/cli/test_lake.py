"""`tocsin lake` and `tocsin hunt` as people use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.rehearse.sample import make

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample in a lake."""
    folder = tmp_path_factory.mktemp("home")
    make(folder / "try")
    ended = _run(folder, "lake", "add", "try/logs")
    assert (ended.returncode, ended.stdout[:19]) == (0, "2,014 records added")
    assert "not valid JSON" in ended.stderr  # the torn line of the sample is told
    return folder


def _run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TOCSIN_", "COLUMNS"))}
    env = mine | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100"}
    command = [sys.executable, "-m", "tocsin", *words]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_info_compact_verify(home: Path) -> None:
    told = _run(home, "lake", "info").stdout.splitlines()
    assert told[0].split("\t")[0] == "kind"
    assert told[1].split("\t")[:2] == ["windows", "2,014"]
    assert _run(home, "lake", "compact").returncode == 0
    ended = _run(home, "lake", "verify")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "2,014 records are as they were written" in ended.stdout
    assert _run(home, "lake", "mend").stdout.startswith("Nothing was found that could be made anew")


def test_export(home: Path) -> None:
    ended = _run(home, "lake", "export", "-", "--host", "dc-01.assembly.example", "--until", "2026-03-11T08:00")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.stderr == f"{len(lines)} records\n"
    assert {line["_host"] for line in lines} == {"dc-01.assembly.example"}
    assert json.loads(lines[0]["_raw"])["Hostname"] == "dc-01.assembly.example"
    assert len(lines[0]["_src"]) == 64
    (home / "there").write_text("x")
    assert _run(home, "lake", "export", "there").returncode == 5


def test_a_hunt(home: Path) -> None:
    (home / "list.csv").write_text("value,type,valid_until\n10.20.0.17,ip,2026-03-10\nabsent.example,domain,\n")
    words = ["hunt", "list.csv", "try/rules", "--authority", "order 7", "--out", "out"]
    ended = _run(home, *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ACT NOW  1" in ended.stdout
    assert "near its time" in ended.stdout
    assert "not known: the lake has no logs at all of" in ended.stdout
    told = json.loads((home / "out" / "hunt.json").read_text())
    assert [one["value"] for one in told if one["score"] is not None] == ["10.20.0.17"]
    cells = [json.loads(line) for line in (home / "out" / "answers.jsonl").read_text().splitlines()]
    assert {cell["type"] for cell in cells} == {"address", "domain"}
    assert {cell["answer"] for cell in cells if cell["type"] == "domain"} <= {"not seen", "could not be seen"}
    assert {path.name for path in (home / "out").iterdir()} >= {"incidents.json", "overview.html", "findings.jsonl"}
    first = {path.name: path.read_bytes() for path in (home / "out").iterdir() if path.suffix in (".json", ".jsonl")}
    assert _run(home, *words, "--jobs", "1").returncode == 0
    again = {path.name: path.read_bytes() for path in (home / "out").iterdir() if path.suffix in (".json", ".jsonl")}
    assert again == first
    hunts = _run(home, "lake", "hunts").stdout.splitlines()
    assert hunts[1].split("\t")[3] == "order 7"


def test_a_hunt_names_its_authority(home: Path) -> None:
    assert _run(home, "hunt", "list.csv").returncode == 2
    ended = _run(home, "hunt", "list.csv", "--authority", " ")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 2)


def test_a_lake_that_is_none(home: Path) -> None:
    ended = _run(home, "hunt", "try/rules", "--authority", "x", "--lake", "nowhere")
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (10, "tocsin: nowhere: no lake")


def test_nothing_to_read(home: Path) -> None:
    (home / "odd").write_bytes(b"\x01\x02")
    assert _run(home, "lake", "add", "odd", "--lake", "other").returncode == 3


def test_retire_and_hold(home: Path, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return _run(home, "lake", *words, "--lake", str(tmp_path / "lake"))

    assert run("add", "try/logs").returncode == 0
    assert (
        run("hold", "case-7", "--since", "2026-03-01", "--until", "2026-03-31", "--reason", "a court").returncode == 0
    )
    assert "hold case-7: all kinds, 2026-03-01 to 2026-03-31, a court" in run("info").stdout
    words = ["retire", "--before", "2026-04-01", "--reason", "over"]
    assert run(*words).stdout == "0 records deleted; 2,014 kept by a hold\n"
    assert run("release", "case-7", "--reason", "it ended").returncode == 0
    assert run(*words).stdout == "2,014 records deleted; 0 kept by a hold\n"
    assert run("verify").returncode == 0
    assert run("retire", "--before", "soon", "--reason", "x").returncode == 2
