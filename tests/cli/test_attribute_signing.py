"""Who is held responsible, as people type it: proposed by one, signed by two others, and told nowhere before that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cases import making
from tocsin import cases
from tocsin.cli import passphrase, person
from tocsin.cli.main import main
from tocsin.errors import OutputError
from tocsin.seal import keys

Tocsin = Callable[..., tuple[int, str, str]]
WHO = "the Republic of Elsewhere"
AGREED = ("--reason", "agreed", "--role", "leadership")
DOUBTING = ("--reason", "in doubt", "--role", "legal")


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TOCSIN_CASES", str(tmp_path / "cases"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(keys, "ROUNDS", 1)
    monkeypatch.delenv(person.VARIABLE, raising=False)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery\n", encoding="utf-8")
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def case(tocsin: Tocsin, tmp_path: Path) -> str:
    for name in ("Anna", "Ben", "Carla"):
        assert tocsin("person", "add", name)[0] == 0
    return cases.open_case(tmp_path / "cases", making.incident(), by="Anna").id


def flat(text: str) -> str:
    return " ".join(text.split())


def test_from_a_proposal_to_a_decision(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    page = tmp_path / "who.html"
    _, before, _ = tocsin("attribute", case)
    assert "Who is held responsible: nobody." in flat(before)
    code, digest, _ = tocsin("attribute", case, "--propose", WHO, "--reason", "our services agree", "--by", "Anna")
    assert code == 0
    digest = digest.strip()
    _, told, _ = tocsin("attribute", case, "--statement")
    assert WHO in flat(told)
    assert "PROPOSED, NOT DECIDED" in flat(told)
    code, _, err = tocsin("attribute", case, "--sign", digest, *AGREED, "--by", "Anna")
    assert code != 0
    assert "worked on this as an analyst" in err
    assert tocsin("attribute", case, "--sign", digest[:16], *AGREED, "--by", "Ben")[0] == 0
    for audience in ("analyst", "leadership"):
        _, out, _ = tocsin("attribute", case, "--report", page, "--audience", audience)
        for text in (out, page.read_text(encoding="utf-8"), tocsin("attribute", case, "--json")[1]):
            assert WHO not in text, "one signature is none"
    code, out, _ = tocsin(
        "attribute", case, "--sign", digest, "--reason", "agreed", "--role", "minister", "--by", "Carla"
    )
    assert code == 0
    assert "Held responsible, by decision of Ben (leadership" in flat(out)
    _, out, _ = tocsin("attribute", case, "--report", page, "--audience", "leadership")
    assert f"): {WHO}." in flat(out)
    written = page.read_text(encoding="utf-8")
    assert f"{WHO} is held responsible by decision of Ben" in written
    assert json.loads(tocsin("attribute", case, "--json")[1])["responsible"]["who"] == WHO
    assert tocsin("case", "verify", case)[0] == 0
    (tmp_path / "sandbox").write_bytes(b"new")
    tocsin("case", "attach", case, tmp_path / "sandbox", "--by", "Anna")
    _, out, _ = tocsin("attribute", case, "--report", page)
    assert WHO not in out + page.read_text(encoding="utf-8")
    assert "is void" in flat(out)
    assert "The case holds other evidence now" in flat(out)


def test_a_signature_is_taken_back(tocsin: Tocsin, case: str) -> None:
    _, digest, _ = tocsin("attribute", case, "--propose", WHO, "--reason", "because", "--by", "Anna")
    for name in ("Ben", "Carla"):
        tocsin("attribute", case, "--sign", digest.strip(), *AGREED, "--by", name)
    assert WHO in tocsin("attribute", case)[1]
    code, out, _ = tocsin("attribute", case, "--refuse", digest.strip(), *DOUBTING, "--by", "Ben")
    assert code == 0
    assert "was refused" in flat(out)
    assert WHO not in tocsin("attribute", case)[1]


@pytest.mark.parametrize(
    "words",
    [
        ("--propose", WHO),
        ("--sign", "0" * 64, "--reason", "x", "--role", "legal"),
        ("--sign", "0" * 64, "--reason", "x"),
        ("--sign", "0" * 64, "--refuse", "0" * 64, "--reason", "x"),
        ("--sign", "0" * 64, "--reason", "x", "--role", "king"),
    ],
)
def test_what_makes_no_sense_is_refused(tocsin: Tocsin, case: str, words: tuple[str, ...]) -> None:
    code, out, err = tocsin("attribute", case, *words, "--by", "Ben")
    assert code not in {0, 1}
    assert not out
    assert err.startswith("tocsin: ")


def test_the_words_of_a_statement_cannot_act_on_terminal_or_page(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    who = "\x1b[2J<script>alert(1)</script>"
    _, digest, _ = tocsin("attribute", case, "--propose", who, "--reason", "\x1b]0;x\x07", "--by", "Anna")
    for name in ("Ben", "Carla"):
        _, out, err = tocsin("attribute", case, "--sign", digest.strip(), *AGREED, "--by", name)
        assert "\x1b" not in out + err
    page = tmp_path / "page.html"
    _, out, _ = tocsin("attribute", case, "--report", page)
    assert "\x1b" not in out
    assert "<script" not in page.read_text(encoding="utf-8")


def test_a_folder_that_may_only_be_read_is_compared_all_the_same(
    tocsin: Tocsin, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, write: object) -> None:
        raise OutputError(f"{path}: cannot be written")

    monkeypatch.setattr("tocsin.attribution.save", refuse)
    code, out, err = tocsin("attribute", case)
    assert code == 0
    assert "Answer (" in out
    assert "clusters were not kept" in err
