"""`tocsin harden`, as people type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin.border import standings
from tocsin.cli.harden_pages import Page
from tocsin.cli.main import main
from tocsin.model.hardening import Hardening

Tocsin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def tried(tocsin: Tocsin) -> tuple[Path, Path]:
    """A few logs and a few rules."""
    assert tocsin("sample", "try")[0] == 0
    return Path("try/logs"), Path("try/rules")


def test_a_group_without_evidence(tocsin: Tocsin, tried: tuple[Path, Path]) -> None:
    code, out, err = tocsin("harden", "--against", "gingham typhoon", "--rules", tried[1])
    assert (code, err) == (0, "")
    assert out.startswith("Against Leviathan (G0065): 50 techniques of ATT&CK 19.")
    assert "No evidence was named" in out
    assert "could detect it here" not in out
    assert "M1050 Exploit Protection" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_with_evidence_and_what_is_in_place(tocsin: Tocsin, tried: tuple[Path, Path], tmp_path: Path) -> None:
    logs, rules = tried
    posture = tmp_path / "posture.toml"
    posture.write_text('version = 1\nin-place = ["M1032"]\n')
    words = ("harden", logs, "--against", "APT40", "--rules", rules, "--out", "there", "--quiet")
    assert tocsin(*words)[0] == 0
    code, out, _ = tocsin(*words, "--posture", posture)
    assert code == 0
    assert "How it stood" in out
    told = json.loads(Path("there/hardening.json").read_text())
    assert told["in_place"] == ["M1032"]
    assert int(told["paths"]["open"]) < int(told["paths"]["all"])
    assert {one["detection"] for one in told["techniques"]} > {"no rules", "outside"}
    times = [json.loads(line) for line in Path("there/progress.jsonl").read_text().splitlines()]
    assert times[0]["open_percent"] == 100
    assert times[1]["open_percent"] < 100
    assert times[1]["mitigated"] > times[0]["mitigated"] == 0
    now, later = (json.loads(Path(f"there/{name}.navigator.json").read_text()) for name in ("now", "afterwards"))
    assert now["versions"] == {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
    scores, after = ({one["techniqueID"]: one["score"] for one in layer["techniques"]} for layer in (now, later))
    assert scores.keys() == after.keys() == {one["id"] for one in told["techniques"]}
    assert all(after[one] >= scores[one] for one in scores)
    assert sum(after.values()) > sum(scores.values())


def test_the_same_twice_is_the_same(tocsin: Tocsin, tried: tuple[Path, Path]) -> None:
    first, second = (tocsin("harden", tried[0], "--rules", tried[1], "--json", "--against", "APT40") for _ in "12")
    assert first == second
    assert json.loads(first[1])["attack_release"] == "19"


def test_what_was_found_is_an_aim(tocsin: Tocsin, tried: tuple[Path, Path]) -> None:
    code, out, _ = tocsin("harden", tried[0], "--rules", tried[1], "--quiet")
    assert code == 0
    assert "what was found in this evidence" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to prepare against"),
        (("--against", "Nobody at all"), "no group that is known"),
        (("--case", "none-such"), "none-such"),
        (("--against", "APT40", "--posture", "none.toml"), "No such file"),
    ],
)
def test_what_cannot_be_answered(tocsin: Tocsin, words: tuple[str, ...], said: str) -> None:
    code, out, err = tocsin("harden", *words)
    assert code not in (0, 70)
    assert said in err
    assert out == ""


def test_a_file_of_progress_that_somebody_else_wrote(tocsin: Tocsin, tried: tuple[Path, Path]) -> None:
    Path("there").mkdir()
    Path("there/progress.jsonl").write_text("{}\n")
    code, _, err = tocsin("harden", "--against", "APT40", "--rules", tried[1], "--out", "there")
    assert code != 0
    assert "progress.jsonl" in err
    assert Path("there/progress.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize("width", [60, 80])
def test_nothing_stands_beyond_a_narrow_terminal(
    tocsin: Tocsin, tried: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    logs, rules = tried
    monkeypatch.setenv("COLUMNS", str(width))
    words = ("harden", logs, "--against", "APT40", "--rules", rules, "--out", "there", "--quiet")
    assert tocsin(*words)[0] == 0
    out = tocsin(*words)[1]
    assert "How it stood" in out
    assert [line for line in out.splitlines() if len(line) > width] == []


def test_a_path_that_is_open_never_stands_as_none() -> None:
    found = Hardening(release="19", aims=(), prospects=(), missing=(), steps=(), paths=10**12, open=1, in_place=())
    one = standings.of(found, datetime(2026, 1, 1, tzinfo=UTC))
    assert one.open_percent > 0
    assert "<0.1%" in "\n".join(Page(100).progressed([one, one]))


def test_a_posture_with_a_number_of_too_many_digits(tocsin: Tocsin) -> None:
    Path("posture.toml").write_text(f"version = {'9' * 5000}\n")
    assert tocsin("harden", "--against", "APT40", "--posture", "posture.toml")[0] == 9
