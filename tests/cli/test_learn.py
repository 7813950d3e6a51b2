"""`tocsin learn`, as people type it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from learn.attack_files import bundle, cluster, stix_link, stix_object, value, write
from tocsin.cli.main import main
from tocsin.learn import attack

Tocsin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["learn", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def stix(tmp_path: Path) -> str:
    objects = [
        stix_object("TA0005", name="Stealth"),
        stix_object("T1685", "defense-impairment", name="Disable or Modify Tools"),
        stix_object("T1999", "stealth", name="New \x1b[31mOne\u202e"),
        stix_object("G0001", aliases=["Alias \x9b2J"]),
        stix_object("S0001"),
        stix_link("uses", "G0001", "T1999", "Report"),
        stix_link("uses", "G0001", "S0001", "Report"),
        stix_object("C0001"),
        stix_link("attributed-to", "C0001", "G0001"),
    ]
    return write(tmp_path / "bundle.json", bundle(*objects, version="20.0"))


def test_alone_it_helps(tocsin: Tocsin) -> None:
    code, out, err = tocsin()
    assert (code, err) == (0, "")
    assert "attack" in out
    assert "show" in out


def test_what_a_moved_technique_is(tocsin: Tocsin) -> None:
    code, out, err = tocsin("show", "t1562.001")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "T1562.001  Disable or Modify Tools  (technique)",
        "  release 18.1  Disable or Modify Tools: defense-evasion",
        "                used by 30 groups, 68 malware, 3 tools, 5 campaigns",
        "  release 19    Disable or Modify Tools (revoked)",
        "                T1685 Disable or Modify Tools: defense-impairment (replaced, as ATT&CK tells)",
    ]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("T1685", "any of T1562 Impair Defenses, T1562.001 Disable or Modify Tools, T1562.006 Indicator Blocking"),
        ("T1685", "all within T1562"),
        ("T1027.018", "T1027 Obfuscated Files or Information: defense-evasion (which it is a part of)"),
        ("T1687", "release 18.1  nothing corresponds"),
        ("T1086", "T1059.001 PowerShell: execution (replaced, as ATT&CK tells)"),
        ("T1153", "Source (deprecated)"),
        ("defense-evasion", "release 19    Stealth: 148 techniques"),
        ("TA0005", "any of TA0005 Stealth, TA0112 Defense Impairment"),
        ("Defense Impairment", "TA0005 Defense Evasion (told by its techniques)"),
        ("cozy bear", "G0016  APT29  (group)"),
        ("APT34", "G0049 OilRig (replaced, as ATT&CK tells)"),
        ("APT34", "G0049  OilRig  (group)"),
        ("C0022", "attributed to G0032 Lazarus Group"),
        ("C0022", "release 19    not told by the files it was read from"),
    ],
)
def test_what_is_shown(tocsin: Tocsin, word: str, wanted: str) -> None:
    code, out, _ = tocsin("show", word)
    assert code == 0
    assert wanted in out


def test_a_word_that_stands_for_nothing(tocsin: Tocsin) -> None:
    code, out, err = tocsin("show", "T9999\x1b[31m")
    assert (code, out) == (2, "")
    assert "neither an id nor a name in ATT&CK, as of release 18.1, 19" in err
    assert "\x1b" not in err


def test_a_release_is_learned_and_used(tocsin: Tocsin, stix: str) -> None:
    code, out, _ = tocsin("attack", stix)
    assert code == 0
    assert "release 20.0: 1 tactics, 2 techniques, 1 groups, 1 malware, 0 tools, 1 campaigns" in out
    assert "3 links, 2 of them with a citation" in out
    assert [one.name for one in attack.known().releases] == ["18.1", "19", "20.0"]
    code, out, _ = tocsin("show", "T1999")
    assert "release 20.0" in out
    assert "used by 1 group" in out
    assert r"New \x1b[31mOne\u202e" in out
    code, out, _ = tocsin("show", "G0001")
    assert r"also Alias \x9b2J" in out
    assert "uses 1 technique, 1 malware" in out
    assert "to it is attributed C0001" in out


def test_a_table_is_written_and_nothing_learned(tocsin: Tocsin, stix: str, tmp_path: Path) -> None:
    clusters = write(tmp_path / "c.json", cluster("mitre-attack-pattern", value("T1685", "attack-Windows:stealth")))
    for name in ("one.jsonl", "two.jsonl"):
        code, out, _ = tocsin("attack", stix, f"21={clusters}", "--out", tmp_path / "new" / name)
        assert code == 0
        assert "techniques of 20.0 in 21: same object 1, none 1" in out
        assert "techniques of 21 in 20.0: same object 1" in out
    assert (tmp_path / "new/one.jsonl").read_bytes() == (tmp_path / "new/two.jsonl").read_bytes()
    assert not attack.place().exists()


def test_what_cannot_be_read(tocsin: Tocsin, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    code, _, err = tocsin("attack", path)
    assert code == 1
    assert "neither a STIX bundle nor a cluster" in err
    clusters = write(tmp_path / "c.json", cluster("mitre-attack-pattern", value("T1685", "attack-Windows:stealth")))
    code, _, err = tocsin("attack", clusters)
    assert code == 1
    assert "nothing says which release of ATT&CK this is" in err
    assert "19=PATH" in err
    assert not attack.place().exists()


def test_what_is_kept_is_broken(tocsin: Tocsin) -> None:
    attack.place().parent.mkdir(parents=True)
    attack.place().write_text("broken")
    code, _, err = tocsin("show", "T1059")
    assert code == 1
    assert "not a table of facts about ATT&CK" in err
    assert "tocsin learn attack" in err


def test_a_layer_for_an_unknown_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(tmp_path), "--attack-release", "7"]) == 2
    assert "--attack-release 7: nothing is known of that release" in capsys.readouterr().err
