"""`tocsin learn` about groups, as people type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from learn.attack_files import bundle, cluster, stix_object, uuid_of, write
from tocsin.cli.learn import _complete
from tocsin.cli.main import main
from tocsin.learn import attack, own

Tocsin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["learn", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def flat(text: str) -> str:
    return " ".join(text.split())


def test_apt40(tocsin: Tocsin) -> None:
    code, out, err = tocsin("show", "apt 40")
    assert (code, err) == (0, "")
    assert out.startswith("G0065  Leviathan  (group)\n")
    assert max(map(len, (line for line in out.splitlines() if "://" not in line))) <= 80
    for wanted in (
        "since release 3",
        "country China (suspected by public lists)",
        "sponsor China (suspected by public lists)",
        "not a finding of this system",
        "Microsoft Gadolinium, Gingham Typhoon",
        "Secureworks BRONZE MOHAWK",
        "techniques (50), in the numbers of release 19",
        "S0233 MURKYTOP (malware) no other known group",
        "S0020 China Chopper (malware) 9 known groups",
        "C0049 Leviathan Australian Intrusions",
        "CISA AA21-200A APT40 July 2021",
        "https://",
    ):
        assert wanted in flat(out), wanted


def test_no_word_of_a_country_stands_without_its_suspicion(tocsin: Tocsin) -> None:
    for name in ("APT28", "Sandworm", "Lazarus Group", "Equation"):
        _, out, _ = tocsin("show", name)
        for line in out.splitlines():
            if line.lstrip().startswith(("country", "sponsor")):
                assert "suspected by" in line or "ambiguous" in line


def test_entries_that_disagree(tocsin: Tocsin) -> None:
    _, out, _ = tocsin("show", "G0034")
    assert "country ambiguous: Iran, Russia (suspected by public lists)" in flat(out)
    assert "disagree about its country: Iran (IRIDIUM); Russia (Sandworm)" in flat(out)


def test_a_group_as_json(tocsin: Tocsin) -> None:
    code, out, _ = tocsin("show", "GINGHAM TYPHOON", "--json")
    told = json.loads(out)
    assert (code, told["id"], told["name"], told["since"]) == (0, "G0065", "Leviathan", "3")
    assert told["suspected"]["country"] == "CN"
    assert "not a finding" in told["caution"]
    [use] = [one for one in told["techniques"] if one["id"] == "T1505.003"]
    assert use["releases"] == ["18.1", "19"]
    assert set(use["reports"]) <= set(told["reports"])
    [use] = [one for one in told["software"] if one["id"] == "S0233"]
    assert use["groups"] == ["G0065"]


def test_an_ambiguous_name(tocsin: Tocsin) -> None:
    code, out, err = tocsin("show", "thrip")
    assert (code, out) == (2, "")
    assert "ambiguous, it may be G0030 Lotus Blossom, G0076 Thrip" in err


def test_a_name_that_a_list_has_for_another_group_too(tocsin: Tocsin) -> None:
    _, out, _ = tocsin("show", "APT38")
    assert out.startswith("G0082  APT38  (group)")
    assert "A list that is less sure has this name for G0032 Lazarus Group too." in out


def test_an_unknown_name(tocsin: Tocsin) -> None:
    code, out, err = tocsin("show", "Lazarus")
    assert (code, out) == (2, "")
    assert "Did you mean Lazarus Group?" in err


def test_a_group_that_only_the_list_has(tocsin: Tocsin) -> None:
    code, out, _ = tocsin("show", "Clever Kitten")
    assert code == 0
    assert "(group)" in out
    assert "told by MISP threat actors: Clever Kitten" in flat(out)


def test_json_of_what_is_no_group(tocsin: Tocsin) -> None:
    code, _, err = tocsin("show", "T1059", "--json")
    assert code == 2
    assert "not a group" in err


# ---------------------------------------------------------------------------------------- list


def rows(out: str) -> list[list[str]]:
    return [line.split("\t") for line in out.splitlines() if "\t" in line]


def test_what_is_known(tocsin: Tocsin) -> None:
    code, out, _ = tocsin("list")
    assert code == 0
    assert out.splitlines()[:8] == [
        "ATT&CK 18.1: 691 techniques, 172 groups, 693 malware, 91 tools, 33 campaigns",
        "  16717 links, 16697 of them with a citation",
        "ATT&CK 19: 697 techniques, 176 groups, 727 malware, 95 tools, no campaigns told",
        "  16903 links, 15842 of them with a citation",
        "list of threat actors: 1041 entries, 857 of them groups that ATT&CK does not have",
        "own intrusion sets: 0",
        "techniques are shown in the numbers of release 19",
        "",
    ]
    assert len(rows(out)) == 1 + 185


@pytest.mark.parametrize(
    ("words", "there", "absent"),
    [
        (["--country", "cn"], "G0065", "G0007"),
        (["--country", "China", "--technique", "T1505"], "G0065", "G0013"),
        (["--technique", "T1562.001"], "G0032", "G0013"),  # its number in 18.1
        (["--technique", "t1685"], "G0016", "G0013"),
        (["--software", "china chopper"], "G0065", "G0007"),
        (["--software", "S0233"], "G0065", "G0096"),
    ],
)
def test_groups_that_are_chosen(tocsin: Tocsin, words: list[str], there: str, absent: str) -> None:
    code, out, _ = tocsin("list", *words)
    ids = [row[0] for row in rows(out)]
    assert code == 0
    assert there in ids
    assert absent not in ids
    assert ids[0] == "ID"


def test_groups_as_json(tocsin: Tocsin) -> None:
    _, out, _ = tocsin("list", "--software", "S0233", "--json")
    told = json.loads(out)
    assert [one["id"] for one in told["groups"]] == ["G0065"]
    assert told["release"] == "19"


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["--country", "Atlantis"], "not a country"),
        (["--software", "no such tool"], "no software that is known"),
    ],
)
def test_what_cannot_be_chosen_by(tocsin: Tocsin, words: list[str], word: str) -> None:
    code, out, err = tocsin("list", *words)
    assert (code, out) == (2, "")
    assert word in err


def test_no_group_is_left(tocsin: Tocsin) -> None:
    code, out, err = tocsin("list", "--technique", "T9999")
    assert (code, out) == (0, "")
    assert "no group" in err


# ---------------------------------------------------------------------------------------- diff


def test_what_changed(tocsin: Tocsin) -> None:
    code, out, _ = tocsin("diff", "18", "19")
    assert code == 0
    assert "not compared, since only one of them tells of it: campaigns" in out
    assert "new      G0097 Bouncing Golf; G1029 UNC788; G1054 MirrorFace; G1055 VOID" in out
    assert "15861 the same, 225 under another number, 821 added" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "gone     T1656 Impersonation: now T1684.001 (replaced, as ATT&CK tells)" in out
    assert "gone     T1687 Exploitation for Defense Impairment: nothing corresponds" in tocsin("diff", "19", "18")[1]
    told = json.loads(tocsin("diff", "18.1", "19", "--json")[1])
    assert told["entries"]["group"]["added"] == ["G0097", "G1029", "G1054", "G1055"]
    assert ["G0069", "T1219"] in told["links"]["removed"]


def test_a_file_against_a_known_release(tocsin: Tocsin, tmp_path: Path) -> None:
    objects = [stix_object("T1001", "stealth"), stix_object("G0065", name="New \x1b[31mname")]
    path = write(tmp_path / "new.json", bundle(*objects, version="20.0"))
    code, out, _ = tocsin("diff", "19", path)
    assert code == 0
    assert "from 19 to 20.0" in out
    assert "\x1b" not in out
    assert not attack.place().exists(), "nothing is learned by looking"


def test_neither_a_release_nor_a_file(tocsin: Tocsin) -> None:
    code, _, err = tocsin("diff", "17", "19")
    assert code == 2
    assert "17: neither a known release nor a file" in err
    assert "18.1, 19" in err


# ---------------------------------------------------------------------------------------- galaxy, own


def test_a_list_is_learned(tocsin: Tocsin, tmp_path: Path) -> None:
    entry = {"uuid": uuid_of("x"), "value": "Leviathan", "meta": {"country": "FR", "synonyms": ["Bad \x1b]0;x\x07"]}}
    code, out, _ = tocsin("galaxy", write(tmp_path / "threat-actor.json", cluster("threat-actor", entry)))
    assert code == 0
    assert "threat actors: 1, 1 with a country" in out
    _, out, _ = tocsin("show", "G0065")
    assert "country France (suspected by public lists)" in flat(out)
    assert r"Bad \x1b]0;x\x07?" in out
    assert "ATT&CK 19: 697 techniques" in tocsin("list")[1], "releases stay"


def test_a_galaxy_of_attack_wants_its_release(tocsin: Tocsin, tmp_path: Path) -> None:
    code, _, err = tocsin("galaxy", write(tmp_path / "a.json", cluster("mitre-intrusion-set")))
    assert code == 1
    assert "write 19=PATH" in err


def test_own_sets(tocsin: Tocsin, tmp_path: Path) -> None:
    told = {
        "format": own.FORMAT,
        "release": "18.1",
        "intrusion_sets": [
            {
                "id": "night-heron",
                "name": "NIGHT HERON \x1b[1m",
                "countries": ["NO"],
                "techniques": [{"id": "T1562.001"}, {"id": "T9999"}],
                "software": [{"id": "own:loader"}],
            }
        ],
    }
    code, out, _ = tocsin("own", write(tmp_path / "sets.json", told))
    assert code == 0
    assert "own intrusion sets: 1" in out
    assert "left out: T9999 has no one counterpart in 19 (own:night-heron)" in out
    code, out, _ = tocsin("show", "own:night-heron")
    assert code == 0
    assert "country Norway (suspected by this team)" in flat(out)
    assert "T1685 Disable or Modify Tools, was T1562.001" in flat(out)
    assert "\x1b" not in out
    assert "own:night-heron" in [row[0] for row in rows(tocsin("list")[1])]
    code, _, err = tocsin("own", write(tmp_path / "sets.json", {**told, "release": "7"}))
    assert (code, "release 7 of ATT&CK, which is not known" in err) == (1, True)
    assert own.kept() is not None, "what was kept stays"


def test_json_does_not_steer_a_terminal(tocsin: Tocsin, tmp_path: Path) -> None:
    tocsin("attack", write(tmp_path / "a.json", bundle(stix_object("G0001", name="A\x9b2J\u202e"), version="20.0")))
    for words in (["show", "G0001", "--json"], ["list", "--json"], ["diff", "19", "20", "--json"]):
        _, out, _ = tocsin(*words)
        assert out.isascii()
        json.loads(out)


def test_completion(tocsin: Tocsin) -> None:
    assert "APT40" in _complete("apt4")
    assert "Leviathan" in _complete("lev")
    assert "G0065" in _complete("g006")
    assert _complete("zzzz") == []
