"""`tocsin attribute`, as people type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.border import stix_parcel
from tocsin.cli.main import main

Tocsin = Callable[..., tuple[int, str, str]]

SEEN = {
    "format": "tocsin-observations-1",
    "id": "ir-7",
    "name": "Ransom at the mill",
    "last_seen": "2020-10-01",
    "techniques": "T1003.002 T1003.003 T1018 T1036.004 T1047 T1053.005 T1059.001 T1133 T1210 T1558.003".split(),
    "software": "S0029 S0154 S0359 S0446 S0521".split(),
}
GROUP = "Wizard Spider"


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["attribute", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def make(**changes: Any) -> Path:
        path = tmp_path / f"{changes.get('id', 'ir-7')}.json"
        path.write_text(json.dumps({**SEEN, **changes}), encoding="utf-8")
        return path

    return make


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_page(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    code, out, err = tocsin(file())
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for wanted in (
        "Ransom at the mill: 10 techniques, 5 pieces of software, last seen 2020-10-01",
        "Answer (a group): It is almost certain that this was done in the way and with the tools of Wizard Spider.",
        "Confidence in the evidence is",
        "Who is responsible is for people to decide",
        "nobody known",
        "What speaks for Wizard Spider",
        "S0446 Ryuk",
        "Is it fragile?",
        "Competing hypotheses",
        "would also be expected to use",
    ):
        assert wanted in flat(out), wanted
    assert not any(word in out for word in ("Russia", "China", "Iran", "Korea"))


def test_explain_shows_sums_that_add_up(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    _, out, _ = tocsin(file(), "--explain")
    assert max(map(len, out.splitlines())) <= 80
    sums = out.split("against nobody known, in millidecibans")[1:]
    assert len(sums) == 3
    for text in sums:
        lines = [line.rsplit(maxsplit=1) for line in text.split("\n\n")[0].splitlines() if line.strip()]
        *parts, whole = [int(weight) for _, weight in lines]
        assert sum(parts) == whole


def test_json_is_all_of_it_and_the_same_each_time(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    _, out, _ = tocsin(file(), "--json", "--against", "apt 40,Fancy Bear")
    told = json.loads(out)
    assert sum(one["billionths"] for one in told["hypotheses"]) == 10**9
    assert told["columns"] == sorted(told["columns"], key=["G0065", "G0007"].index) or set(told["columns"]) == {
        "G0065",
        "G0007",
    }
    assert tocsin(file(), "--json", "--against", "apt 40,Fancy Bear")[1] == out


def test_what_if_says_what_it_changes(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    _, out, _ = tocsin(file(), "--what-if", "-S0446,+T1505.003")
    assert "What the changes do" in out
    assert "Nothing that is hard to forge speaks for Wizard Spider." in flat(out)
    code, _, err = tocsin(file(), "--what-if", "S0446")
    assert code == 2
    assert "neither more nor less" in err
    code, _, err = tocsin(file(), "--what-if", "-S9999")
    assert code == 2
    assert "was not seen" in err


def test_names_that_are_nobody_or_more_than_one(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    code, _, err = tocsin(file(), "--against", "Nobody at all")
    assert code == 2
    assert "no group that is known" in err


def test_own_clusters_are_asked_first_and_kept(tocsin: Tocsin, file: Callable[..., Path], tmp_path: Path) -> None:
    kept = tmp_path / "clusters.json"
    more = [{"kind": "infrastructure", "value": "domain:c2.example"}]
    _, first, _ = tocsin(file(traits=more), "--clusters", kept)
    assert "None of your own clusters resembles it" in flat(first)
    _, second, _ = tocsin(file(id="ir-8", traits=more, watched=["T1001", "T1002"]), "--clusters", kept)
    assert "One of your own clusters:" in second
    assert "with ir-7" in flat(second)
    assert "domain:c2.example" in flat(second)
    before = kept.read_bytes()
    tocsin(file(id="ir-9"), "--clusters", kept, "--what-if", "+S0020")
    assert kept.read_bytes() == before, "what was not seen is not kept"
    kept.write_text("{", encoding="utf-8")
    assert tocsin(file(), "--clusters", kept)[0] == 9


def test_evidence_cannot_act_on_the_terminal(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    path = file(
        name="\x1b[2Jgone",
        techniques=["\x1b]0;title\x07"],
        traits=[{"kind": "infrastructure", "value": "domain:\x1b[31m.example", "sources": ["\u202e"]}],
    )
    _, out, err = tocsin(path)
    assert "\x1b" not in out + err
    assert "\x07" not in out


def test_nothing_seen_and_no_file(tocsin: Tocsin, file: Callable[..., Path], tmp_path: Path) -> None:
    code, out, _ = tocsin(file(techniques=[], software=[]))
    assert code == 0
    assert "Nothing that can be weighed was seen." in flat(out)
    code, _, err = tocsin(tmp_path / "none.json")
    assert code == 9
    assert "none.json" in err
    code, _, err = tocsin("20200101-none")
    assert code == 7


def test_numbers_of_an_older_release_are_translated(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    _, out, _ = tocsin(file(release="18.1", techniques=["T1562.001", "T1003.001", "T0000"]))
    assert "T1562.001 of release 18.1 is T1685" in flat(out)
    assert "T0000 is in no release" in flat(out)
    _, out, _ = tocsin(file(release="3.141"))
    assert "Release 3.141 of ATT&CK is not known" in flat(out)


def test_one_technique_is_no_answer(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    """Lengths that nobody learned from are not reckoned with: a single technique once made a large group likely."""
    _, out, _ = tocsin(file(techniques=["T1003"], software=[], last_seen=""), "--json")
    told = json.loads(out)
    assert told["answer"]["level"] == "unknown"
    chances = {one["id"]: one["billionths"] for one in told["hypotheses"]}
    assert chances["unknown"] > 2 * max(chance for name, chance in chances.items() if name != "unknown")


def test_several_at_once_say_which_are_one_activity(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    more = [{"kind": "infrastructure", "value": "c2[.]example"}, {"kind": "software", "value": "own:loader"}]
    other = [{"kind": "infrastructure", "value": "domain:C2.example."}, {"kind": "software", "value": "own:loader"}]
    paths = [file(id="a-1", traits=more), file(id="a-2", traits=other), file(id="a-3", software=[])]
    code, out, _ = tocsin(*paths)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert ": a-1, a-2" in out
    assert out.count("Answer (") == 3
    assert set(json.loads(tocsin(*paths, "--json")[1])) == {"a-1", "a-2", "a-3"}
    assert tocsin(paths[0], paths[0])[0] == 2
    assert tocsin(*paths, "--explain")[0] == 2


def test_a_statement_is_signed_in_a_case(tocsin: Tocsin, file: Callable[..., Path]) -> None:
    code, out, err = tocsin(file(), "--sign", "0" * 64, "--reason", "x")
    assert (code, out) == (7, "")
    assert "is no case" in err


def test_the_answer_as_a_bundle(tocsin: Tocsin, file: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "who.stix.json"
    assert tocsin(file(), "--stix", out, "--tlp", "amber")[0] == 0
    told = stix_parcel.read(out.read_bytes(), "who")
    assert [(one.id, one.title) for one in told.incidents] == [("ir-7", "Ransom at the mill")]
    assert [(one.what, one.to) for one in told.attributed] == [("ir-7", "G0102")]
    assert told.groups[0].name == GROUP
    assert "T1210" in told.techniques
    names = {one["name"] for one in json.loads(out.read_bytes())["objects"] if one["type"] == "attack-pattern"}
    assert "Exploitation of Remote Services" in names
    assert "T1210" not in names
    assert {one.tlp for one in told.held if one.kind != "marking-definition"} == {"amber"}
    before = out.read_bytes()
    assert tocsin(file(), "--stix", out, "--tlp", "amber")[0] == 0
    assert out.read_bytes() == before


def test_a_bundle_names_nobody_where_the_answer_is_nobody(
    tocsin: Tocsin, file: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "who.stix.json"
    few = {"techniques": ["T1059.001"], "software": []}
    assert tocsin(file(**few), "--stix", out)[0] == 0
    told = stix_parcel.read(out.read_bytes(), "who")
    assert not told.groups
    assert not told.attributed
    assert "nobody" in told.incidents[0].text.lower()


def test_clusters_go_with_their_incidents(tocsin: Tocsin, file: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "who.stix.json"
    kept = ("--clusters", tmp_path / "clusters.json", "--stix", out)
    more = [{"kind": "infrastructure", "value": "domain:c2.example"}]
    assert tocsin(file(traits=more), file(id="ir-8", traits=more), *kept)[0] == 0
    told = stix_parcel.read(out.read_bytes(), "who")
    assert [one.incidents for one in told.clusters] == [("ir-7", "ir-8")]
    assert tocsin(file(id="ir-9", traits=more), *kept)[0] == 0
    told = stix_parcel.read(out.read_bytes(), "who")
    assert not told.clusters, "of incidents that nobody asked about nothing goes, under whatever marking"
    assert b"ir-7" not in out.read_bytes()
