"""The drill in its short form: two seeds, small, held to the same outcomes as twenty at full size (bench/drill.py)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EVENTS = 50_000


@dataclass(frozen=True)
class Drilled:
    folder: Path
    told: str
    score: dict[str, Any]


def environment(where: Path) -> dict[str, str]:
    """Rules that one drill has compiled are there for the next: compiling them anew would show nothing else."""
    return {**os.environ, "XDG_STATE_HOME": str(where / "state"), "XDG_CACHE_HOME": str(where.parent / "cache")}


def tocsin(*words: str, where: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tocsin", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(where), cwd=where)


@pytest.fixture(scope="module", params=[1, 2])
def drilled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    home = tmp_path_factory.mktemp("drill")
    done = tocsin("drill", "--seed", str(request.param), "--events", str(EVENTS), "--keep", "--out", "out", where=home)
    assert done.returncode == 0, done.stderr
    folder = home / "out"
    return Drilled(folder=folder, told=done.stdout, score=json.loads((folder / "score.json").read_bytes()))


def test_campaigns_of_different_groups_are_never_one(drilled: Drilled) -> None:
    assert drilled.score["own"]["campaigns_merged"] == []


def test_the_score_has_every_figure_for_each_rule_set(drilled: Drilled) -> None:
    figures = {
        "step_recall",
        "event_precision",
        "grouping_f1",
        "act_now_false_per_host_month",
        "review_queue_per_week",
        "impact_error",
        "seconds",
        "peak_mb",
    }
    assert drilled.score.keys() == {"own"}
    assert figures <= drilled.score["own"].keys()
    assert drilled.score["own"]["peak_mb"] < 2_000


def test_the_score_is_that_of_the_scorer_alone(drilled: Drilled) -> None:
    """Whoever has the truth and the cases comes to the same figures with the script."""
    own = drilled.folder / "own"
    queue = [one for one in json.loads((own / "incidents.json").read_bytes()) if one["rank"] != "act now"]
    (drilled.folder / "queue.json").write_text(json.dumps(queue), encoding="utf-8")
    script = Path(__file__).parents[1] / "bench" / "score.py"
    words = [drilled.folder / "evidence" / "truth.json", own / "cases", drilled.folder / "queue.json"]
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=True)
    judged = json.loads(done.stdout)
    assert judged == {key: value for key, value in drilled.score["own"].items() if key in judged}


def test_registers_forget_nobody_of_whom_a_case_tells(drilled: Drilled) -> None:
    """Scored outside of the product: bench/tell.py knows truth, evidence, lists, and what cases say."""
    script, out = Path(__file__).parents[1] / "bench" / "tell.py", drilled.folder / "tell.json"
    subprocess.run([sys.executable, script, drilled.folder, "--out", out], check=True, capture_output=True)
    for which in ("act now", "response", "with hunt"):
        figures = json.loads(out.read_bytes())[drilled.folder.name][which]
        assert figures["others"] <= 0.02, which
        assert not figures["others_told_as_fact"], which
        assert not figures["without_a_reason"], which
    # Whom the breach and the malware touched is in the case of that; of the mails that a tap saw go by, see 0032.
    truth = json.loads((drilled.folder / "evidence" / "truth.json").read_bytes())
    breached = {incident["id"] for incident in truth["incidents"] if incident["breached"]}
    assert not [one for one in figures["not_in_its_case"] if one.split()[0] in breached]


def test_the_story_is_told_and_ends_with_the_report(drilled: Drilled) -> None:
    truth = json.loads((drilled.folder / "evidence" / "truth.json").read_bytes())
    words = " ".join(drilled.told.split())
    for incident in truth["incidents"]:
        assert " ".join(incident["title"].split()) in words
    steps = sum(len(incident["steps"]) for incident in truth["incidents"])
    assert sum(line.startswith(("●", "○", "·")) for line in drilled.told.splitlines()) == steps + 1  # and the legend
    assert drilled.told.rstrip().endswith("out/own/overview.html")
    assert (drilled.folder / "own" / "overview.html").is_file()


def test_its_cases_verify(drilled: Drilled) -> None:
    cases = sorted(path.name for path in (drilled.folder / "own" / "cases").iterdir() if path.is_dir())
    assert cases
    done = tocsin("case", "verify", *cases, "--cases", "out/own/cases", where=drilled.folder.parent)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [case for case in cases if not any(line.startswith(f"{case}: good, ") for line in told)] == []


def test_evidence_goes_unless_it_is_kept_and_nothing_is_overwritten(tmp_path: Path) -> None:
    done = tocsin("drill", "--events", "20000", "--quiet", "--out", "out", where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "out/own/overview.html"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["allies", "hunt", "own", "score.json"]
    again = tocsin("drill", "--events", "20000", "--out", "out", where=tmp_path)
    assert again.returncode != 0
    assert "holds something already" in again.stderr


def test_too_small_a_drill_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = tocsin("drill", "--events", "10", "--out", "out", where=tmp_path)
    assert done.returncode != 0
    assert "too few" in done.stderr
    assert not (tmp_path / "out").exists()


def test_in_the_second_act_the_hunt_finds_both_campaigns_and_nothing_that_was_never_here(drilled: Drilled) -> None:
    figures = json.loads((drilled.folder / "hunt" / "score.json").read_bytes())
    assert (figures["campaigns"], figures["campaigns_found"]) == (2, 2)
    assert figures["rule_found"]
    assert figures["never_here_but_seen"] == []
    assert figures["shared_but_not_seen"] == []
    assert "The second act" in drilled.told
    assert (drilled.folder / "hunt" / "overview.html").is_file()
    assert {one["answer"] for one in _cells(drilled.folder)} >= {"seen", "could not be seen"}


def _cells(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "hunt" / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def test_in_the_third_act_two_nations_find_themselves_and_nothing_forbidden_leaves(drilled: Drilled) -> None:
    told = json.loads((drilled.folder / "hunt" / "score.json").read_bytes())["third_act"]
    assert (told["nations"], told["found_themselves"]) == (3, 2)
    assert told["indicators_met"]["ps"] >= 3
    assert told["never_here_but_seen"] == []
    assert told["sightings_as_agreed"] is True
    assert told["sightings_sent"]["ps"] > 0 == told["sightings_sent"]["lc"]
    assert told["sightings_understood"]["ps"] > 0  # the ally knows of which of its own
    assert told["reached_whom_it_may"] is True
    assert (told["left_though_forbidden"], told["what_left"]) == (0, [])
    assert told["looked_for"] > 1000
    assert told["names_in_what_was_shared_from"] > 0  # or nothing would be shown by that
    assert told["revocation_known_to"] == ["lc", "ps"]
    assert told["problems"] == []
    assert "The third act" in drilled.told
    folder = drilled.folder / "allies"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"ally", "ps", "lc"}
    assert not list(folder.rglob("keys"))  # keys of a drill are gone after it
    wire = b"".join(path.read_bytes() for path in folder.glob("*/wire/*"))
    assert b"node message" in wire
    assert len(wire) == told["bytes"] - told["messages"] + 2  # of two nations, a line between each


def test_in_the_fourth_act_three_nations_speak_and_each_keeps_its_voice(drilled: Drilled) -> None:
    folder = drilled.folder / "hunt"
    told = json.loads((folder / "score.json").read_bytes())["fourth_act"]
    assert told["cases"] == len(list((folder / "cases").iterdir())) > 0
    assert told["entries"] > 0
    assert told["stands"] is True
    assert told["named"] == ["au", "nz", "uk"]
    assert told["reservation_kept"] is True
    page = (folder / "advisory" / "advisory.html").read_text(encoding="utf-8")
    assert "Draft" not in page
    assert "A third nation" in page
    assert "one of these cases alone" not in page
    assert "Draft" in (folder / "draft" / "advisory.html").read_text(encoding="utf-8")
    people = (drilled.folder / "evidence" / "people.csv").read_text(encoding="utf-8").splitlines()[1:]
    names = {row.split(",")[0] for row in people} - {""}
    files = [path for path in (folder / "advisory").iterdir() if "internal" not in path.name]
    public = b"".join(path.read_bytes() for path in files)
    assert not [name for name in names if name.encode() in public]
    assert "The fourth act" in drilled.told
    assert (folder / "minister.txt").is_file()


def test_a_drill_that_is_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tocsin", "drill", "--events", "20000", "--out", "out"]
    where = {"env": environment(tmp_path), "cwd": tmp_path}
    with subprocess.Popen(command, **where, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        # It says so when the evidence is made, and goes on to respond.
        assert any("In them is a story" in line for line in running.stdout)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=120) == 128 + signal.SIGTERM
    assert not (tmp_path / "out").exists()
