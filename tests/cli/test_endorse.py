"""`tocsin endorse`, as three nations type it, each on a machine of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.cli import passphrase
from tocsin.cli.main import main
from tocsin.seal import keys, signers
from tocsin.seal.canonical import canonical

Tocsin = Callable[..., tuple[int, str, str]]

STATEMENT = """
version = 1
title = "A pattern against parliaments"
marking = "TLP:AMBER"
threshold = 2
asked = ["uk", "au", "nz"]
words = "Parliaments were attacked.\\nWe say so together."

[[claim]]
id = "breach"
text = "In 2021 somebody broke into the systems of a parliament."
evidence = ["finding--1"]

[[claim]]
id = "same"
text = "It is likely that the same group did it elsewhere. \\u202e"
"""


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery staple")
    monkeypatch.setattr(keys, "ROUNDS", 1)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    for name in ("au", "nz", "uk"):
        assert run("person", "add", name)[0] == 0
    folder = tmp_path / "data" / "tocsin"
    known = {one.signer.name: one.signer.key for one in signers.everybody(folder / "people")}
    nations = [f'[[nation]]\nid = "{one}"\nname = "Nation {one}"\nkeys = ["{known[one]} seat"]' for one in known]
    (folder / "nations.toml").write_text("version = 1\n" + "\n".join(nations))
    (tmp_path / "statement.toml").write_text(STATEMENT)
    assert run("endorse", "propose", "statement.toml", "--out", "at-au")[0] == 0
    for other in ("at-nz", "at-uk"):
        shutil.copytree("at-au", other)
    return run


def sign(tocsin: Tocsin, who: str, *more: str) -> str:
    code, out, err = tocsin("endorse", "sign", f"at-{who}", "--as", who, "--by", who, *more)
    assert (code, err) == (0, "")
    return out


def test_each_nation_keeps_its_own_voice(tocsin: Tocsin) -> None:
    sign(tocsin, "au", "--named")
    sign(tocsin, "nz", "--reserve", "same: We saw less of it.", "--confidence", "high")
    sign(tocsin, "uk", "--dissent", "same: We hold another group likelier.", "--named")
    for here, there in (("au", ("nz", "uk")), ("nz", ("uk", "au")), ("uk", ("au", "nz"))):
        merged = tocsin("endorse", "merge", f"at-{here}", *(f"at-{one}" for one in there))
        assert merged[0] == 0, merged
    pages = [tocsin("endorse", "show", f"at-{one}") for one in ("au", "nz", "uk")]
    assert pages[0] == pages[1] == pages[2]
    out = pages[0][1]
    assert "breach: stands, 3 of 2" in out
    assert "same: stands, 2 of 2" in out
    assert "same, dissent: We hold another group likelier." in out
    assert "\u202e" not in out
    assert all(len(line) <= 90 for line in out.splitlines())
    told = json.loads(tocsin("endorse", "show", "at-nz", "--json")[1])
    assert told["stands"] is True
    assert told["tallies"][1]["dissent"] == ["uk"]
    code, out, _ = tocsin("endorse", "public", "at-nz")
    assert (code, out) == (0, "Parliaments were attacked.\nWe say so together.\n\nNation au\n")


def test_withdrawing_and_declining(tocsin: Tocsin) -> None:
    sign(tocsin, "nz")
    assert tocsin("endorse", "withdraw", "at-nz", "--as", "nz", "--by", "nz", "--reason", "New facts.")[0] == 0
    assert tocsin("endorse", "decline", "at-nz", "--as", "uk", "--by", "uk")[0] == 0
    out = tocsin("endorse", "show", "at-nz")[1]
    assert "Nation nz: withdrawn" in out
    assert "New facts." in out
    assert "Nation uk: declined" in out
    assert tocsin("endorse", "withdraw", "at-nz", "--as", "au", "--by", "au")[0] == 6
    sign(tocsin, "nz")
    assert "nz           sealed" in tocsin("endorse", "verify", "at-nz")[1]


def test_what_somebody_changed_is_found(tocsin: Tocsin) -> None:
    sign(tocsin, "nz")
    entry = next(Path("at-nz/entries").iterdir())
    content = entry.read_bytes()
    entry.write_bytes(content.replace(b'"sig":"', b'"sig":"A'))
    code, _, err = tocsin("endorse", "verify", "at-nz")
    assert code == 6
    assert "does not hold what its name says" in err
    entry.write_bytes(content)
    statement = Path("at-nz/statement.json")
    statement.write_bytes(statement.read_bytes().replace(b'"threshold":2', b'"threshold":1'))
    code, out, err = tocsin("endorse", "verify", "at-nz")
    assert code == 6
    assert "another statement" in err
    assert "0 of the 1" in out
    assert tocsin("endorse", "merge", "at-nz", "at-uk")[0] == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as", "nz", "--by", "uk"), "this key is none of nz's"),
        (("--as", "xx", "--by", "uk"), "no nation that is known here"),
        (("--as", "uk", "--by", "uk", "--dissent", "other: no"), "no claim is called other"),
        (("--as", "uk", "--by", "uk", "--dissent", "same"), "without a word why"),
        (("--as", "uk", "--by", "uk", "--confidence", "total"), "no such word"),
        (("--as", "uk", "--by", "uk", "--abstain", "same", "--reserve", "same: x"), "named twice"),
    ],
)
def test_what_is_not_sealed(tocsin: Tocsin, words: tuple[str, ...], said: str) -> None:
    code, _, err = tocsin("endorse", "sign", "at-uk", *words)
    assert code not in (0, 70)
    assert said in err
    assert not list(Path("at-uk/entries").iterdir())


def test_a_text_under_embargo(tocsin: Tocsin) -> None:
    Path("text.md").write_text("Not before Tuesday.")
    words = ("--among", "au,nz,uk", "--threshold", 2, "--until", "2199-01-01")
    assert tocsin("endorse", "lock", "text.md", *words, "--out", "locked")[0] == 0
    assert b"Tuesday" not in Path("locked").read_bytes()
    code, _, err = tocsin("endorse", "give", "locked", "--as", "nz", "--by", "nz", "--out", "nz.share")
    assert code == 2
    assert "agreed to be opened on 2199" in err
    for who in ("nz", "uk"):
        given = ("endorse", "give", "locked", "--as", who, "--by", who, "--out", f"{who}.share", "--early")
        assert tocsin(*given)[0] == 0
    assert tocsin("endorse", "open", "locked", "nz.share", "--out", "read.md")[0] == 6
    code, out, _ = tocsin("endorse", "open", "locked", "nz.share", "uk.share", "--out", "read.md")
    assert code == 0
    assert "before the agreed time, as they signed: nz, uk" in out
    assert Path("read.md").read_text() == "Not before Tuesday."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1", "title"),
        (STATEMENT.replace("threshold = 2", "threshold = 4"), "more nations than it names"),
        (STATEMENT.replace("TLP:AMBER", "PURPLE"), "no TLP"),
        (STATEMENT.replace('id = "same"', 'id = "breach"'), "two claims of one id"),
        (STATEMENT + "\nmore = 1", "more"),
    ],
)
def test_what_is_not_proposed(tocsin: Tocsin, text: str, said: str) -> None:
    Path("bad.toml").write_text(text)
    code, _, err = tocsin("endorse", "propose", "bad.toml", "--out", "new")
    assert code not in (0, 70)
    assert said in err
    assert not Path("new").exists()


def test_one_that_a_stranger_put_there_keeps_no_dissent_out(tocsin: Tocsin) -> None:
    sign(tocsin, "uk", "--dissent", "same: No.")
    for number in range(4):  # some of them before it, some after it
        envelope = canonical({"payload": str(number), "payloadType": "x", "signatures": []})
        Path(f"at-uk/entries/{hashlib.sha256(envelope).hexdigest()}.json").write_bytes(envelope)
    code, out, _ = tocsin("endorse", "merge", "at-au", "at-uk")
    assert (code, "1 new entries" in out) == (0, True)
    assert "same, dissent: No." in " ".join(tocsin("endorse", "show", "at-au")[1].split())


def test_a_dissent_of_who_contradicts_itself_is_shown(tocsin: Tocsin) -> None:
    shutil.copytree("at-nz", "other")
    sign(tocsin, "nz")
    assert tocsin("endorse", "sign", "other", "--as", "nz", "--by", "nz", "--dissent", "same: No.")[0] == 0
    assert tocsin("endorse", "merge", "at-au", "at-nz", "other")[0] == 0
    out = tocsin("endorse", "show", "at-au")[1]
    assert "one of its entries dissents from same" in out
    assert "NO" in out
    assert "against it: nz" in tocsin("endorse", "verify", "at-au")[1]


def test_many_nations_hide_no_dissent(tocsin: Tocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"a-{number:02}-{'x' * 30}" for number in range(30)]
    Path("many.toml").write_text(STATEMENT.replace('["uk", "au", "nz"]', json.dumps(["uk", *many])))
    assert tocsin("endorse", "propose", "many.toml", "--out", "at-many")[0] == 0
    words = ("--as", "uk", "--by", "uk", "--dissent", "same: No.")
    assert tocsin("endorse", "sign", "at-many", *words)[0] == 0
    for width in (60, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        out = tocsin("endorse", "show", "at-many")[1]
        assert "same: does not stand, 0 of 2" in out
        assert "uk NO" in " ".join(out.split())
        assert all(len(line) <= max(width, 71) for line in out.splitlines()), "but for the digest, which is whole"


def test_a_name_in_a_statement_is_text(tocsin: Tocsin) -> None:
    """Who proposes it may write the file by hand."""
    told = json.loads(Path("at-au/statement.json").read_bytes())
    told["asked"] = ["nz", "\u202eku"]
    Path("at-au/statement.json").write_bytes(canonical(told))
    for command in ("show", "verify"):
        code, out, _ = tocsin("endorse", command, "at-au")
        assert (code, "\u202e" in out) == (0, False)


def test_a_number_of_too_many_digits(tocsin: Tocsin) -> None:
    Path("long.toml").write_text(STATEMENT.replace("threshold = 2", f"threshold = {'9' * 5000}"))
    assert tocsin("endorse", "propose", "long.toml", "--out", "new")[0] == 9
