"""`tocsin tell`, as people type it: from an incident to letters, and to a case that may be closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from disclose.made import CANARY, incident, touched
from tocsin import cases
from tocsin.cli import passphrase, person
from tocsin.cli import tell as verb
from tocsin.cli.main import main
from tocsin.model.notification import DEEDS
from tocsin.seal import agent, keys

Tocsin = Callable[..., tuple[int, str, str]]
ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
TELLING = """
[centre]
name = "National Cyber Security Centre"
call = "+64 4 555 0199"
zone = "Pacific/Auckland"
jurisdictions = ["nz", "eu"]

[[party]]
kind = "minister"
name = "The office"
contact = "+64 4 555 0001"

[[channel]]
name = "paper"
kind = "drop"
folder = "FOLDER"
"""


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TOCSIN_CASES", str(tmp_path / "cases"))
    monkeypatch.setattr(keys, "ROUNDS", 1)
    monkeypatch.setattr("tocsin.briefing._compared", lambda folder, groups: (None, None))
    monkeypatch.delenv(agent.VARIABLE, raising=False)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery\n")
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))
    file = tmp_path / "telling.toml"
    file.write_text(TELLING.replace("FOLDER", str(tmp_path / "paper")))
    monkeypatch.setenv("TOCSIN_TELLING", str(file))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert not ESCAPES.search(said.out + said.err)
        return code, said.out, said.err

    assert run("person", "add", "Aroha Ngata")[0] == 0
    monkeypatch.setenv(person.VARIABLE, "Aroha Ngata")
    people = (touched("1", "Tame \u202e\x1b[31mRangi"), touched("2", "Mere Kahu", "possibly reached", language="mi"))
    cases.open_case(tmp_path / "cases", incident(*people), by="Ben")
    return run


def test_from_an_incident_to_a_case_that_is_closed(tocsin: Tocsin, tmp_path: Path) -> None:
    assert "nobody is on its register yet" in tocsin("tell", "inc-1")[1]
    assert "NO REGISTER" in tocsin("case", "list")[1]
    code, _, err = tocsin("case", "close", "inc-1", "--reason", "done")
    assert (code, "nobody has decided whether" in err) == (7, True), "it was brought up to date, and is not decided"
    code, out, _ = tocsin("tell", "inc-1", "--register")
    assert code == 0
    for word in (
        "person:1  Tame \\u202e\\x1b[31mRangi: undecided",
        "nz-privacy-114, notification: guidance:",
        "minister:minister  The office",
    ):
        assert word in out
    assert "undecided" in tocsin("case", "list")[1]
    assert tocsin("tell", "inc-1", "--letters")[1] == "", "no letter without a decision"
    why = ("--reason", "They must know.", "--role", "lead")
    assert tocsin("tell", "inc-1", "--decide", "now", "--who", "person", *why)[0] == 0
    assert tocsin("tell", "inc-1", "--decide", "not", "--who", "person:un", *why)[0] == 7, "two begin so"
    for who in (
        "person:unlisted",
        "person:unknown",
        "owner",
        "agency",
        "minister:",
        "data protection",
        "regulator",
    ):
        assert tocsin("tell", "inc-1", "--decide", "not", "--who", who, *why)[0] == 0
    letters = tocsin("tell", "inc-1", "--letters")[1]
    assert letters.count("--- person:") == 2
    assert "Tēnā koe Mere Kahu," in letters
    assert CANARY not in letters
    code, out, err = tocsin("tell", "inc-1", "--send")
    assert (code, out.count(": paper"), "nothing is sent" in err) == (0, 2, True)
    assert not (tmp_path / "paper").exists()
    assert tocsin("tell", "inc-1", "--send", "--for-real")[1].splitlines()[-1] == "2 letters"
    assert len(list((tmp_path / "paper").glob("*.pdf"))) == 2
    assert tocsin("tell", "inc-1", "--send", "--for-real")[1].splitlines()[-1] == "0 letters"
    code, _, err = tocsin("case", "close", "inc-1", "--reason", "done")
    assert (code, "(written)" in err) == (7, True), "a letter that lies ready has told nobody"
    assert tocsin("tell", "inc-1", "--record", "acknowledged", "--who", "person", "--reason", "by hand")[0] == 0
    assert "2 acknowledged" in tocsin("tell", "inc-1")[1].replace("acknowledged 2", "2 acknowledged")
    assert tocsin("case", "close", "inc-1", "--reason", "done")[0] == 0
    assert tocsin("case", "verify", "inc-1")[0] == 0
    log = tocsin("case", "log", "inc-1")[1]
    assert "wrote on the register whom it touches" in log
    assert "telling person:2: acknowledged by people, by hand" in log


def test_the_page_for_a_minister(tocsin: Tocsin, tmp_path: Path) -> None:
    out = tocsin("tell", "inc-1", "--brief")[1]
    assert "WHY YOU HEAR OF THIS" in out
    assert "as the table proposes" in out
    assert tocsin("tell", "inc-1", "--category", "2", "--reason", "It is.", "--role", "leadership")[0] == 0
    assert "Category 2, highly significant" in tocsin("tell", "inc-1", "--brief")[1]
    for _ in range(2):
        assert tocsin("tell", "inc-1", "--brief", "--out", tmp_path / "out")[0] == 0
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".html", ".pdf", ".txt"]
    assert tocsin("tell", "inc-1", "--category", "9", "--reason", "x")[0] == 2


def test_somebody_whom_no_record_shows(tocsin: Tocsin, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name,id\nJohn Smith,7\nJohn Smith,8\n")
    words = ("--people", people, "--add", "person:john smith")
    assert tocsin("tell", "inc-1", *words)[0] == 7, "a reason is missing"
    code, out, _ = tocsin("tell", "inc-1", *words, "--reason", "she called us")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == ["person:7", "person:8"]
    state = json.loads((tmp_path / "cases" / "inc-1" / "case.json").read_text())
    assert [one["entry"]["extent"] for one in state["register"]] == ["possibly reached"] * 2
    assert "NOT TO BE MISTAKEN for 8" in tocsin("tell", "inc-1")[1]


def test_clocks_from_when_somebody_knew(tocsin: Tocsin) -> None:
    tocsin("tell", "inc-1", "--register")
    why = ("--reason", "The desk was called.", "--role", "legal")
    assert tocsin("tell", "inc-1", "--aware", "2026-03-27T12:00+01:00", *why)[0] == 0
    out = tocsin("tell", "inc-1")[1]
    assert "eu-gdpr-33, notification: Mon 30 Mar 2026 13:00 Europe/Brussels OVERDUE" in out, "summer time began"
    assert "OVERDUE, for the leadership" in out
    assert "OVERDUE" in tocsin("case", "list")[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--register", "--brief"), 2, "one thing at a time"),
        (("--decide", "now", "--reason", "x"), 2, "--who is missing"),
        (("--decide", "now", "--who", "all"), 7, "reason is empty"),
        (("--decide", "perhaps", "--who", "all", "--reason", "x"), 2, "nothing that can be decided"),
        (("--decide", "now", "--who", "person:99", "--reason", "x"), 7, "names nobody"),
        (("--record", "eaten", "--who", "all"), 2, "nothing is called so"),
        (("--send", "--channel", "pigeon"), 2, "there is none"),
        (("--telling", "/none"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be(tocsin: Tocsin, words: tuple[str, ...], code: int, said: str) -> None:
    tocsin("tell", "inc-1", "--register")
    got, _, err = tocsin("tell", "inc-1", *words)
    assert (got, said in err) == (code, True), err


def test_deeds_are_those_of_the_noun() -> None:
    assert set(verb.DEEDS) <= set(DEEDS)
