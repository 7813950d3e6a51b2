"""`tocsin norms`: facts and gaps, a notice that two others must sign, and nothing that ever leaves by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cases import making
from tocsin import cases
from tocsin.cli import norms, passphrase, person
from tocsin.cli.main import main
from tocsin.model.concern import Held, Touched
from tocsin.model.incident import Incident, Seen
from tocsin.notices import DEEDS
from tocsin.seal import keys, signers

Tocsin = Callable[..., tuple[int, str, str]]

NOTIFY = ("--notify", "Ruritania", "--sender", "NCSC, +64 4 000", "--verify", "Call back", "--action", "Look at it.")
AGREED = ("--reason", "agreed", "--role", "minister")
HOSTILE = "MP {{7*7}} \u202e<b>#"


def incident() -> Incident:
    one = making.incident()
    exploited = replace(one.findings[0], techniques=("T1190",), rule_id="r2")
    return replace(
        one,
        title=HOSTILE,
        findings=(one.findings[0], exploited),
        addresses=(Seen(name="203.0.113.9", first_us=None, last_us=None, findings=1),),
        assets=(Held(name="WS1", asset="votes", by="name", criticality="critical", services=("Voting",), line=3),),
        people=(Touched(id="p1", name="Jane Roe", how="reached", through=("jroe",), because=("a record",)),),
    )


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TOCSIN_CASES", str(tmp_path / "cases"))
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))
    monkeypatch.setattr(keys, "ROUNDS", 1)
    monkeypatch.delenv(person.VARIABLE, raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def case(tocsin: Tocsin, tmp_path: Path) -> str:
    for name in ("Anna", "Ben", "Carla"):
        assert tocsin("person", "add", name)[0] == 0
    return cases.open_case(tmp_path / "cases", incident(), by="Anna").id


def proposed(tocsin: Tocsin, case: str, *more: str) -> str:
    code, out, err = tocsin("norms", case, *NOTIFY, *more, "--by", "Anna", "--reason", "they may help")
    assert code == 0, err
    return out.strip()


def test_facts_and_what_is_not_known(tocsin: Tocsin, case: str) -> None:
    code, out, _ = tocsin("norms", case)
    assert code == 0
    flat = " ".join(out.split())
    assert "(G) MAY BE RELEVANT" in flat
    assert "(H) MAY BE RELEVANT" in flat
    assert "(J) MAY BE RELEVANT" in flat
    assert "(F) NO FACT HERE SPEAKS OF IT" in flat, "being inside is not to impair"
    assert "(C) NO FACT HERE SPEAKS OF IT" in flat
    assert "on whose behalf it was done" in flat
    assert "neither that it was breached nor by whom" in flat
    assert "breach of" not in flat
    assert "Jane Roe" not in flat
    assert "\u202e" not in out


def test_a_notice_says_how_good_its_records_are(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    from tocsin.disclose.grade import grade

    one = incident().findings[0]
    assert grade([one])[0] == "C3", "whoever has the machine can change its log"
    assert grade([one, replace(one, kind="zeek")])[0] == "B2"
    assert grade([replace(one, kind="zeek")])[0] == "B3"
    assert grade([replace(one, terms=("tlp:clear",))])[0] == "F6", "an ally's word alone"
    assert grade([]) == ("", "")
    digest = proposed(tocsin, case)
    assert digest
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cases" / case).rglob("*") if path.is_file())
    assert b"by the Admiralty system: C3" in kept


def test_two_others_sign_before_anything_leaves(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    digest = proposed(tocsin, case, "--indicator", "203.0.113.9")
    out = tmp_path / "out"
    assert tocsin("norms", case, "--export", digest, "--out", out)[0] == 7
    code, _, err = tocsin("norms", case, "--sign", digest, *AGREED, "--by", "Anna")
    assert (code, "proposed it" in err) == (7, True)
    code, _, err = tocsin("norms", case, "--sign", digest, "--reason", "x", "--role", "analyst", "--by", "Ben")
    assert (code, "not signed as analyst" in err) == (7, True)
    assert tocsin("norms", case, "--record", digest, "--what", "handed over", *AGREED, "--by", "Ben")[0] == 7
    assert tocsin("norms", case, "--sign", digest, *AGREED, "--by", "Ben")[0] == 0
    assert tocsin("norms", case, "--sign", digest, *AGREED, "--by", "Ben")[0] == 0
    assert tocsin("norms", case, "--export", digest, "--out", out)[0] == 7, "one person twice is one"
    assert not out.exists()
    assert "DRAFT" in tocsin("norms", case, "--notice", digest)[1]
    assert tocsin("norms", case, "--sign", digest, "--reason", "agreed", "--role", "legal", "--by", "Carla")[0] == 0
    assert tocsin("norms", case, "--export", digest, "--out", out)[0] == 0
    files = {path.suffix: path for path in out.iterdir()}
    assert set(files) == {".txt", ".html", ".pdf", ".json"}
    told = json.loads(files[".json"].read_bytes())
    assert told["indicators"] == ["203[.]0[.]113[.]9"]
    assert told["norms"] == ["d", "e", "g", "h", "j"]
    text = files[".txt"].read_text()
    assert "DRAFT" not in text
    assert "did this, knew of it, or let it happen" in " ".join(text.split())
    everything = b"".join(path.read_bytes() for path in files.values())
    for secret in (b"Jane Roe", b"jroe", b"WS1", b"{{7*7}}"):
        assert secret not in everything


def test_the_thread_and_the_dossier(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    digest = proposed(tocsin, case)
    for who, role in (("Ben", "minister"), ("Carla", "leadership")):
        assert tocsin("norms", case, "--sign", digest, "--reason", "yes", "--role", role, "--by", who)[0] == 0
    for what in ("handed over", "acknowledged", "answered"):
        words = ("--record", digest, "--what", what, "--reason", f"they {what}", "--role", "liaison", "--by", "Anna")
        assert tocsin("norms", case, *words)[0] == 0
    other = cases.open_case(tmp_path / "cases", replace(incident(), id="inc-2"), by="Anna").id
    undecided = proposed(tocsin, other)
    code, out, _ = tocsin("norms", case, other, "--dossier", "--out", tmp_path / "dossier")
    assert code == 0
    flat = " ".join(out.split())
    assert "1 notices over 1 cases, to Ruritania." in flat
    assert "It stands as: answered." in flat
    assert "they acknowledged" in flat
    assert undecided[:12] not in flat
    assert (tmp_path / "dossier" / "dossier.pdf").read_bytes().startswith(b"%PDF")


def test_what_was_refused_does_not_leave(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    digest = proposed(tocsin, case)
    for who in ("Ben", "Carla"):
        assert tocsin("norms", case, "--sign", digest, *AGREED, "--by", who)[0] == 0
    assert tocsin("norms", case, "--refuse", digest, *AGREED, "--by", "Carla")[0] == 0
    code, _, err = tocsin("norms", case, "--export", digest, "--out", tmp_path / "out")
    assert (code, "is refused" in err) == (7, True)


def test_what_somebody_wrote_into_the_log_does_not_sign(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    digest = proposed(tocsin, case)
    folder = cases.find(tmp_path / "cases", case)
    with cases.writing(folder) as log:  # a stranger's key that calls itself Ben, then Carla
        for name in ("Ben", "Carla"):
            key = keys.make()
            stranger = signers.of(name, key)
            cases.decide(log, stranger, key, subject="notice", choice="yes", role="minister", reason="yes", seen=digest)
    assert tocsin("norms", case, "--export", digest, "--out", tmp_path / "out")[0] == 7


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--norm", "f"), "nothing in this case speaks of norm f"),
        (("--indicator", "198.51.100.1"), "no address of this case"),
        (("--request", "money"), "no such word"),
        (("--action", " "), "does not say its action"),
        (("--sign", "abc"), "more than one thing"),
    ],
)
def test_what_is_no_notice(tocsin: Tocsin, case: str, more: tuple[str, ...], said: str) -> None:
    code, _, err = tocsin("norms", case, *NOTIFY, *more, "--by", "Anna", "--reason", "x")
    assert code not in (0, 70)
    assert said in err


def test_words_of_the_command_line_are_those_of_the_room() -> None:
    assert norms.DEEDS == DEEDS


def test_what_an_ally_told_does_not_go_to_a_state(tocsin: Tocsin, case: str, tmp_path: Path) -> None:
    """Under originator control, above the marking, or without a word: not its address, nor its technique."""
    one = incident()
    for number, terms in enumerate(
        [("tlp:green", "orcon", "source:Ally"), ("tlp:red", "source:Ally"), ("source:Ally",)], 2
    ):
        told = replace(
            one.findings[0],
            rule_id="indicator--1",
            terms=terms,
            techniques=("T1195",),
            tactics=("impact",),
            fields={"DestinationIp": "::FFFF:203.0.113.9"},
        )
        other = cases.open_case(
            tmp_path / "cases", replace(one, id=f"inc-{number}", findings=(*one.findings, told)), by="Anna"
        ).id
        words = ("norms", other, *NOTIFY, "--by", "Anna", "--reason", "x")
        code, _, err = tocsin(*words, "--indicator", "203.0.113.9")
        assert (code, "rests on intelligence of Ally" in err) == (2, True)
        code, out, _ = tocsin(*words)
        page = tocsin("norms", other, "--notice", out.strip())[1]
        assert code == 0
        assert "T1195" not in page
        assert "supply chain" not in page
        assert "destroys" not in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--consequence", "The mailbox of jroe was read."), "the notice names jroe"),
        (("--consequence", "ws1 was lost"), "the notice names WS1"),
        (("--by-when", "when Jane Roe says"), "the notice names Jane Roe"),
        (("--tlp", "secret"), "is no TLP marking"),
        (("--indicator", "10.0.0.7"), "10.0.0.7: is one's own"),
    ],
)
def test_what_must_not_stand_in_a_notice(tocsin: Tocsin, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    assert tocsin("person", "add", "Anna")[0] == 0
    inside = Seen(name="10.0.0.7", first_us=None, last_us=None, findings=1)
    one = replace(incident(), accounts=(replace(inside, name="CORP\\jroe"),), addresses=(inside,))
    told = cases.open_case(tmp_path / "cases", one, by="Anna").id
    code, _, err = tocsin("norms", told, *NOTIFY, *more, "--by", "Anna", "--reason", "x")
    assert code not in (0, 70)
    assert said in err


def test_nobody_signs_as_a_minister_unasked(tocsin: Tocsin, case: str) -> None:
    digest = proposed(tocsin, case)
    code, _, err = tocsin("norms", case, "--sign", digest, "--reason", "yes", "--by", "Ben")
    assert (code, "--sign goes with --role" in err) == (2, True)


@pytest.mark.parametrize("content", [b"minutes", b"[" * 100_000, b"{}"])
def test_a_document_that_is_no_notice_stops_nothing(tocsin: Tocsin, case: str, tmp_path: Path, content: bytes) -> None:
    digest = proposed(tocsin, case)
    with cases.writing(cases.find(tmp_path / "cases", case)) as log:
        cases.attach(log, "notice-of-a-meeting.pdf", content, by="Anna")
    assert tocsin("norms", case, "--notice", digest)[0] == 0


def test_a_dossier_for_more_readers_than_its_notices(tocsin: Tocsin, case: str) -> None:
    digest = proposed(tocsin, case, "--tlp", "red")
    for who in ("Ben", "Carla"):
        assert tocsin("norms", case, "--sign", digest, *AGREED, "--by", who)[0] == 0
    code, out, err = tocsin("norms", case, "--dossier", "--tlp", "clear")
    assert (code, "Ruritania" in out, "marked above TLP:CLEAR" in err) == (2, False, True)
    code, out, _ = tocsin("norms", case, "--dossier", "--tlp", "red")
    assert (code, "7*7" in out) == (0, False), "titles of cases may hold names"
