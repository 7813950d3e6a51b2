"""`tocsin respond` as people use it: one story out of the sample, its pages, and its case."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import spoken
from tocsin.rehearse.sample import make

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder)
    return folder


@pytest.fixture
def tocsin(tmp_path: Path) -> Run:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TOCSIN_", "COLUMNS"))}
    env = mine | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path.parent / "cache")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return spoken.tocsin(words, cwd=tmp_path, env=env)

    return run


def _respond(tocsin: Run, sample: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return tocsin("respond", str(sample / "logs"), "-r", str(sample / "rules"), *words)


def test_the_sample_is_one_story(tocsin: Run, sample: Path, tmp_path: Path) -> None:
    ended = _respond(tocsin, sample, "--out", "out")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ACT NOW  1" in ended.stdout
    (incident,) = json.loads((tmp_path / "out" / "incidents.json").read_text())
    assert [host["name"] for host in incident["hosts"]] == ["ws-017.assembly.example", "dc-01.assembly.example"]
    assert [(move["source"], move["target"]) for move in incident["moves"]] == [
        ("ws-017.assembly.example", "dc-01.assembly.example")
    ]
    assert incident["way_in"]["what"].startswith("Office Program Starts a Shell")
    assert len(incident["findings"]) == 9
    overview = (tmp_path / "out" / "overview.html").read_text()
    (page,) = re.findall(r'<a href="(incident-[0-9a-f]+\.html)">', overview)
    assert incident["title"] in (tmp_path / "out" / page).read_text()
    for written in ("findings.jsonl", "coverage.json", "custody.json", "navigator.json"):
        assert (tmp_path / "out" / written).exists()


def test_the_same_evidence_gives_the_same_pages(tocsin: Run, sample: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert _respond(tocsin, sample, "--out", folder, "-q", "--tlp", "green").returncode == 0
    pages = [{path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("one", "two")]
    assert pages[0] == pages[1]
    assert b"TLP:GREEN" in pages[0]["overview.html"]


def test_pages_for_others_and_for_a_reason(tocsin: Run, sample: Path, tmp_path: Path) -> None:
    words = ("--audience", "leadership", "--audience", "partner", "--reveal", "the member agreed")
    assert _respond(tocsin, sample, "--out", "out", "-q", *words).returncode == 0
    (leadership,) = (tmp_path / "out").glob("incident-*.leadership.html")
    (partner,) = (tmp_path / "out").glob("incident-*.partner.html")
    assert "for leadership" in leadership.read_text()
    assert "assembly" not in partner.read_text().lower()
    analyst = partner.with_name(partner.name.replace(".partner", ""))
    assert "the member agreed" in analyst.read_text()
    assert "the member agreed" not in leadership.read_text() + partner.read_text()


def test_a_case_is_opened_once(tocsin: Run, sample: Path) -> None:
    for _ in range(2):
        opened = _respond(tocsin, sample, "--open-cases", "-q", "--by", "Mere Tane")
        assert (opened.returncode, opened.stderr) == (0, "")
    (case,) = re.findall(r"^case (\S+)", opened.stdout, re.MULTILINE)
    listed = tocsin("case", "list")
    assert listed.stdout.count(case) == 1
    verified = tocsin("case", "verify", case)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    log = tocsin("case", "log", case).stdout
    assert "report.html" in log
    assert "Mere Tane" in log


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tlp", "pink"), "there is no such marking"),
        (("--audience", "press"), "there is no such audience"),
        (("--out", ""), "names no folder"),
    ],
)
def test_what_cannot_be_is_said(tocsin: Run, sample: Path, words: tuple[str, ...], said: str) -> None:
    ended = _respond(tocsin, sample, *words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_press_claim_is_judged(tocsin: Run, sample: Path, tmp_path: Path) -> None:
    part = {"id": "a", "says": "Everything", "what": "files", "mailboxes": None, "bytes": 10**12, "host": None}
    claim = {"version": 1, "id": "c", "claimed_at": "2026-10-22T23:00:00.000Z", "by": "b", "where": "w"}
    claim |= {"authority": "x", "parts": [part | {"from": None, "until": None}]}
    (tmp_path / "claim.json").write_text(json.dumps(claim), encoding="utf-8")
    done = _respond(tocsin, sample, "--claim", "claim.json", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "NOT KNOWN  Everything (b)" in done.stdout
    told = json.loads((tmp_path / "out" / "incidents.json").read_text(encoding="utf-8"))
    assert [one["verdict"] for incident in told for one in incident["claims"]] == ["not known"]
    assert "What is claimed" in (tmp_path / "out" / "overview.html").read_text(encoding="utf-8")
    refused = _respond(tocsin, sample, "--claim", "absent.json")
    assert refused.returncode == 9
    assert "absent.json" in refused.stderr


def test_a_lake_of_the_same_logs_is_the_same_story(tocsin: Run, sample: Path, tmp_path: Path) -> None:
    assert tocsin("lake", "add", str(sample / "logs"), "--lake", "lake", "-q").returncode == 0
    assert _respond(tocsin, sample, "--out", "logs", "-q").returncode == 0
    rules = ("-r", str(sample / "rules"), "-q")
    ended = tocsin("respond", "--lake", "lake", "--out", "lake-out", *rules)
    assert (ended.returncode, ended.stderr) == (0, "")
    told = [json.loads((tmp_path / name / "incidents.json").read_text()) for name in ("logs", "lake-out")]
    assert told[0] == told[1]
    manifests = [json.loads((tmp_path / name / "custody.json").read_text()) for name in ("logs", "lake-out")]
    digests = [{one["path"]: one["sha256"] for one in each["sources"]} for each in manifests]
    assert digests[1].items() <= digests[0].items()
    assert tocsin("detect", "--lake", "lake", *rules).returncode == 0


def test_where_a_lake_has_nothing_to_tell_it_says_so_and_not_that_it_is_no_log(
    tocsin: Run, sample: Path, tmp_path: Path
) -> None:
    assert tocsin("lake", "add", str(sample / "logs"), "--lake", "lake", "-q").returncode == 0
    (tmp_path / "rule.yml").write_text(
        "title: Nothing\nid: 99999999-9999-4999-8999-999999999998\nlogsource: {product: windows}\n"
        "detection: {a: {EventID: 99999}, condition: a}\nlevel: high\n"
    )
    ended = tocsin("respond", "--lake", "lake", "-r", "rule.yml", "-q")
    assert (ended.returncode, ended.stderr) == (0, "")
    both = tocsin("respond", str(sample / "logs"), "--lake", "lake")
    neither = tocsin("respond")
    assert both.returncode == neither.returncode != 0
    assert tocsin("respond", "--lake", "lake", "--timezone", "Europe/Paris").returncode != 0
