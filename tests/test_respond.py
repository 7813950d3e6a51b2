"""From logs to incidents, on the sample that the package makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tocsin import attribution, cases, pipeline
from tocsin.attribution import Team
from tocsin.border import observations as read_observations
from tocsin.cli.main import main
from tocsin.cli.own_clusters import Compared, compare, keep
from tocsin.learn import packs
from tocsin.model.attribution import CERTAIN
from tocsin.model.cluster import Clusters
from tocsin.model.incident import Incident
from tocsin.model.observation import Observation, Trait
from tocsin.model.rule import RuleSet
from tocsin.rehearse.sample import make
from tocsin.respond import attributions, observations, respond


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


def test_the_evidence_is_looked_at_once_more_for_what_was_taken(sample: Path, rules: RuleSet) -> None:
    with respond([sample / "logs"], rules, jobs=1) as response:
        (first, *_) = response.incidents
    assert first.impact is not None
    sorts = {claim.sort for claim in first.impact.claims}
    assert {"credential", "directory", "network"} <= sorts
    assert all(len(at.src) == 64 for claim in first.impact.claims for at in claim.evidence)
    assert all(claim.amount.upper != 0 for claim in first.impact.claims)


def test_standard_input_cannot_be_looked_at_once_more(sample: Path, rules: RuleSet, tmp_path: Path) -> None:
    log = next((sample / "logs").glob("ws-*"))
    words = ["respond", "-", "--rules", str(sample / "rules"), "--out", str(tmp_path / "out")]
    with log.open("rb") as file:
        assert _run(words, tmp_path, stdin=file).returncode == 0
    told = json.loads((tmp_path / "out" / "incidents.json").read_text(encoding="utf-8"))
    assert told
    assert all(not one["impact"]["claims"] and one["impact"]["unanswered"] for one in told)


def test_assets_and_people_are_read_before_any_log(sample: Path, tmp_path: Path) -> None:
    bad = tmp_path / "assets.csv"
    bad.write_text("name,addresses,criticality\na,192.0.2.300,\nb,,huge\n", encoding="utf-8")
    words = ["respond", str(sample / "logs"), "--rules", str(sample / "rules"), "--assets", str(bad)]
    done = _run(words, tmp_path)
    assert done.returncode == 9
    assert "assets.csv:2: 192.0.2.300 is neither an address nor a network" in " ".join(done.stderr.split())
    assert "line 3: criticality 'huge'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_command_tells_whose_machines_and_whom(sample: Path, tmp_path: Path) -> None:
    assets, people, out = tmp_path / "assets.csv", tmp_path / "people.csv", tmp_path / "out"
    assets.write_text("name,owner,protected,criticality\ndc-01,Directory team,yes,critical\n", encoding="utf-8")
    people.write_text("name,accounts,contact\nMarama Okafor,ASSEMBLY\\m.okafor,room 7\n", encoding="utf-8")
    words = ["respond", str(sample / "logs"), "--rules", str(sample / "rules"), "--out", str(out), "--open-cases"]
    words += ["--assets", str(assets), "--people", str(people), "--cases", str(tmp_path / "cases"), "--by", "Ben"]
    done = _run(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dc-01: critical, protected (Directory team)" in " ".join(done.stdout.split())
    assert "Marama Okafor" in done.stdout
    told = json.loads((out / "incidents.json").read_text(encoding="utf-8"))[0]
    assert told["people"][0]["contact"] == "room 7"
    assert told["impact"]["claims"]
    case = json.loads(next((tmp_path / "cases").glob("*/case.json")).read_text(encoding="utf-8"))
    assert case["touched"][0]["name"] == "Marama Okafor"
    shown = _run(["case", "show", case["id"], "--cases", str(tmp_path / "cases")], tmp_path)
    assert "what was taken" in shown.stdout
    assert "Marama Okafor [line 2]" in shown.stdout


def _run(words: list[str], tmp_path: Path, stdin: IO[bytes] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "tocsin", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=stdin,
        env={**environment, "PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )


def test_who_it_may_have_been_is_told_last_with_what_these_logs_could_have_shown(
    sample: Path, rules: RuleSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with respond([sample / "logs"], rules, jobs=1) as response:
        first = response.incidents[0]
        seen = observations(response, response.incidents[:2])
        found = attributions(seen, attribution.known())
    assert set(found) == {one.id for one in response.incidents[:2]}
    assert {one.value for one in seen[first.id].traits if one.kind == "technique"} <= set(first.techniques)
    assert seen[first.id].watched is not None
    assert sum(one.billionths for one in found[first.id].hypotheses) == CERTAIN
    assert found[first.id].answer.level != "group", "techniques alone name nobody"
    assert read_observations.decoded(read_observations.encoded(seen[first.id]), "x") == seen[first.id]


def test_whether_an_incident_is_one_of_the_team_s_own_is_told(
    sample: Path, rules: RuleSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    public = attribution.known()
    loader = Trait(kind="software", value="own:heron-loader", sources=("sandbox",), grade="A2")
    with respond([sample / "logs"], rules, jobs=1) as response:
        first = response.incidents[0].id

        def told(team: Team) -> Compared:
            return compare(response, response.incidents[:1], (), team)

        before = attribution.clustered([Observation(id="ir-1", traits=(loader,))], Clusters(), public)
        found_out = attribution.clustered([Observation(id=first, traits=(loader,))], before, public)
        nobody = told(Team(known=public))
        strange = told(Team(known=public, clusters=before))
        ours = told(Team(known=public, clusters=found_out))
        kept = told(Team(known=public, clusters=found_out, keeps=True))
        began = Team(known=public, root=tmp_path, keeps=True)
        attribution.keep(before, tmp_path / attribution.CLUSTERS)  # by another run, while this one reads its logs
        keep(told(began), began)
    assert nobody.own == {first: ()}, "a team that has no clusters is told nothing of them"
    assert strange.own == {first: ("None of your own clusters resembles it.",)}
    cluster = found_out.of("ir-1")
    assert cluster is not None
    assert ours.own[first][0] == f"One of your own clusters: {cluster.name}, with ir-1."
    assert any("own:heron-loader" in sentence for sentence in ours.own[first][1:])
    assert (strange.clusters, ours.clusters) == (before, found_out), "only where a case is opened"
    now = attribution.clusters(tmp_path / attribution.CLUSTERS)
    assert now.of("ir-1"), "what another run kept meanwhile stays"
    assert now.of(first)
    (seen,) = [one for one in kept.clusters.observations if one.id == first]
    assert loader in seen.traits, "what people found out stays"
    assert {one.value for one in seen.traits if one.kind == "technique"}


def test_the_case_keeps_what_was_seen_of_them(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ["respond", sample / "logs", "--rules", sample / "rules", "--open-cases", "--cases", tmp_path, "--quiet"]
    assert main([*map(str, words), "--out", str(tmp_path / "out")]) == 0
    listed = [one for one in cases.everything(tmp_path)[0] if one.case and one.case.incident]
    assert listed
    for one in listed:
        assert one.case is not None
        assert {"report.html", "custody.json", "observations.json"} <= {each.name for each in one.case.attached}
        assert attribution.observed(one.name, tmp_path).watched is not None
        assert cases.standing(one.folder, []).state == "nobody"
        assert attribution.clusters(tmp_path / attribution.CLUSTERS).of(one.name), "it is compared with the next one"
    pages = list((tmp_path / "out").glob("incident-*.html"))
    assert pages
    for page in pages:
        told = page.read_text(encoding="utf-8")
        assert "Who it may have been" in told
        assert "Nobody. That is for people to decide" in told
