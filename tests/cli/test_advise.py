"""`tocsin advise`: what may not be in it is named and nothing is written; what is in it stays text in every form."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases import making
from tocsin import cases
from tocsin.cli import passphrase, person
from tocsin.cli.main import main
from tocsin.model.concern import Held
from tocsin.model.incident import Entity, Incident, Join, Seen
from tocsin.seal import keys, signers

Tocsin = Callable[..., tuple[int, str, str]]

HOSTILE = "{{7*7}} #let <b>x</b> \u202e $(reboot) | *a* [b](javascript:x)"
CANARIES = ("CANARY-HOST", "canary.user", "canary-field", "203.0.113.66")
WHOLE = f"""
version = 1
number = "2026-01"
title = {json.dumps(HOSTILE)}
date = 2026-11-28
marking = "TLP:GREEN"

[[author]]
nation = "nz"
name = "NCSC tāngata"
contact = "+64 4 000 0000"

[[background]]
text = "In 2021 parliaments were attacked."
evidence = ["https://example.org/report"]

[[summary]]
text = {json.dumps(HOSTILE)}
evidence = ["inc-1"]
marking = "green"

[[disclaimer]]
text = "As it is."

[[case]]
id = "inc-1"
called = {json.dumps("Body " + HOSTILE)}
marking = "green"
agreed = ["Ally One"]
"""


def incident() -> Incident:
    """Names that must not leave stand in every place where a log could have put them."""
    one = making.incident(host="CANARY-HOST.parliament.example")
    rule = replace(
        one.findings[0], fields={"Image": "canary-field"}, techniques=("T1190",), tactics=("initial-access",)
    )
    told = replace(
        rule,
        rule_id="indicator--1",
        title="198.51.100.7 of Ally One",
        fields={"DestinationIp": "198.51.100.7"},
        terms=("tlp:green", "orcon", "source:Ally One"),
        techniques=("T1071",),
    )
    seen = [Seen(name=name, first_us=None, last_us=None, findings=1) for name in ("198.51.100.7", "198.51.100.8")]
    own = Seen(name="203.0.113.66", first_us=None, last_us=None, findings=1)
    domains = [Entity(kind="domain", name=name, shown=name) for name in ("evil.test", "mail.parliament.example")]
    return replace(
        one,
        title="canary-field",
        findings=(rule, told),
        tactics=("initial-access",),
        addresses=(*seen, own, Seen(name="10.0.0.1", first_us=None, last_us=None, findings=1)),
        accounts=(Seen(name="canary.user", first_us=None, last_us=None, findings=1),),
        joins=tuple(Join(one=0, other=1, entity=each, weight=1.0, gap_us=0, because="") for each in domains),
        assets=(Held(name="203.0.113.66", asset="portal", by="address"),),
        not_seen=("canary-field was not logged",),
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
    monkeypatch.chdir(tmp_path)
    cases.open_case(tmp_path / "cases", incident(), by="Anna")

    def run(*words: object) -> tuple[int, str, str]:
        code = main([*map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def advise(tocsin: Tocsin, text: str = WHOLE, *more: object, out: str = "out") -> tuple[int, str, str]:
    Path("by.toml").write_text(text, encoding="utf-8")
    return tocsin("advise", "inc-1", "--by", "by.toml", "--out", out, *more)


def files(out: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(out).iterdir()}


def test_what_is_told_and_what_is_not(tocsin: Tocsin) -> None:
    code, _, err = advise(tocsin)
    assert code == 0, err
    assert "A draft" in err
    told = files()
    forms = ("html", "md", "pdf", "stix.json", "indicators.csv", "internal.json")
    assert set(told) == {f"advisory.{one}" for one in forms}
    public = {name: content for name, content in told.items() if "internal" not in name}
    for name, content in public.items():
        for canary in CANARIES:
            assert canary.encode() not in content, (canary, name)
        assert b"inc-1" not in content, name
        assert "\u202e".encode() not in content, name
    rows = told["advisory.indicators.csv"].decode().split("\r\n")[1:-1]
    assert [row.split(",")[:2] for row in rows] == [
        ["domain-name", "evil.test"],
        ["ipv4-addr", "198.51.100.7"],
        ["ipv4-addr", "198.51.100.8"],
    ]
    text = told["advisory.md"].decode()
    assert "198\\[\\.\\]51" in text
    assert "NCSC" not in text, "nobody is named who has not approved it"
    assert "T1190" in text


def test_text_stays_text(tocsin: Tocsin) -> None:
    advise(tocsin)
    told = files()
    page = told["advisory.html"].decode()
    assert "<b>" not in page
    assert "49" not in re.sub(r"sha256-[^']*", "", page)
    assert "{{7*7}}" in page
    assert not re.search(r"(?<!\\)[*\[<]", told["advisory.md"].decode().split("# ", 1)[1].split("\n")[0])
    assert told["advisory.pdf"].startswith(b"%PDF")


def test_the_same_twice_is_the_same_bytes(tocsin: Tocsin) -> None:
    advise(tocsin)
    time.sleep(1.1)
    advise(tocsin, out="again")
    assert files() == files("again")


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ('id = "inc-1"\n', 'id = "inc-1" # \n', []),
        ('marking = "green"\nagreed', 'marking = "amber"\nagreed', ["case study", "technique T1190", "198[.]51"]),
        ('agreed = ["Ally One"]', "", ["Ally One, who has not agreed", "technique T1071", "198[.]51[.]100[.]7"]),
        ('evidence = ["inc-1"]\nmarking = "green"', 'evidence = ["inc-1"]\nmarking = "red"', ["summary, sentence 1"]),
        ('evidence = ["inc-1"]\n', "", ["summary, sentence 1: rests on nothing"]),
        ('marking = "TLP:GREEN"', 'marking = "TLP:CLEAR"', ["summary, sentence 1: is TLP:GREEN, above TLP:CLEAR"]),
    ],
)
def test_each_place_that_may_not_leave_is_named(tocsin: Tocsin, old: str, new: str, places: list[str]) -> None:
    assert old in WHOLE
    code, _, err = advise(tocsin, WHOLE.replace(old, new))
    assert code == (12 if places else 0)
    for place in places:
        assert place in err
    assert Path("out").exists() is (not places)


@pytest.mark.parametrize(
    ("text", "percent", "said"),
    [
        ("It is likely that one group did both.", 70, ""),
        ("It is very likely.", 90, ""),
        ("It was seen.", None, ""),
        ("It is likely.", None, "says 'likely' without a figure"),
        ("It is unlikely.", 70, "says 'unlikely', and 70 in a hundred is 'likely'"),
        ("It was seen.", 70, "says no likelihood"),
        ("It is likely, and very likely by day.", 70, "says 'likely' and 'very likely'"),
        ("Probably one group did both.", None, "says 'probably', which is no word of ICD 203"),
    ],
)
def test_words_of_likelihood_are_those_of_one_scale_and_of_the_figures(
    tocsin: Tocsin, text: str, percent: int | None, said: str
) -> None:
    figure = "" if percent is None else f"\npercent = {percent}"
    written = WHOLE.replace("In 2021 parliaments were attacked.", text).replace(
        'evidence = ["https://example.org/report"]', f'evidence = ["https://example.org/report"]{figure}'
    )
    code, _, err = advise(tocsin, written, "--no-pdf")
    assert code == (12 if said else 0), err
    assert said in err


def test_who_gave_no_marking_must_be_asked_too(tocsin: Tocsin, tmp_path: Path) -> None:
    one = incident()
    for number, terms in enumerate((("source:Ally One",), ())):
        told = replace(one.findings[1], terms=terms)
        cases.open_case(tmp_path / "cases", replace(one, id=f"un-{number}", findings=(one.findings[0], told)), by="A")
        text = WHOLE.replace('id = "inc-1"', f'id = "un-{number}"')
        named = "Ally One" if terms else "nobody who is named"
        Path("by.toml").write_text(text.replace('"Ally One"', '"Another"'), encoding="utf-8")
        code, _, err = tocsin("advise", f"un-{number}", "--by", "by.toml", "--out", "out")
        assert (code, f"rests on intelligence of {named}, who has not agreed" in err) == (12, True)
        Path("by.toml").write_text(text.replace('"Ally One"', f'"{named}"'), encoding="utf-8")
        assert tocsin("advise", f"un-{number}", "--by", "by.toml", "--out", f"out-{number}", "--no-pdf")[0] == 0


def test_indicators_that_may_not_leave_can_be_left_out(tocsin: Tocsin) -> None:
    text = WHOLE.replace('agreed = ["Ally One"]', "")
    code, _, err = advise(tocsin, text, "--leave-out")
    assert code == 12
    assert "198[.]51" not in err, "what is left are sentences that rest on it"
    assert "technique T1071" in err


def test_a_case_of_which_the_authors_say_nothing(tocsin: Tocsin) -> None:
    code, _, err = advise(tocsin, WHOLE.replace('id = "inc-1"', 'id = "inc-2"'))
    assert code == 7
    assert "inc-1: the authors do not say" in err


def test_authors_are_named_once_they_approved_these_words(tocsin: Tocsin, tmp_path: Path) -> None:
    for name in ("nz", "uk"):
        assert tocsin("person", "add", name)[0] == 0
    data = tmp_path / "data" / "tocsin"
    known = {one.signer.name: one.signer.key for one in signers.everybody(data / "people")}
    nations = [f'[[nation]]\nid = "{one}"\nname = "Nation {one}"\nkeys = ["{known[one]}"]' for one in known]
    (data / "nations.toml").write_text("version = 1\n" + "\n".join(nations))
    likely = (
        '[[background]]\ntext = "It is likely that one group did both."\nevidence = ["a"]\npercent = 70\n\n[[summary]]'
    )
    whole = WHOLE.replace("[[summary]]", likely, 1)
    digest = advise(tocsin, whole)[1].rpartition("digest of the words  ")[2].strip()
    Path("statement.toml").write_text(
        'version = 1\ntitle = "Advisory"\nmarking = "green"\nasked = ["nz", "uk"]\nthreshold = 1\n'
        f'words = "We publish it."\n[[claim]]\nid = "words"\ntext = "We approve the advisory {digest}."\n'
    )
    assert tocsin("endorse", "propose", "statement.toml", "--out", "joint")[0] == 0
    assert advise(tocsin, whole, "--endorsed", "joint", out="early")[0] == 12
    assert tocsin("endorse", "sign", "joint", "--as", "uk", "--by", "uk", "--named")[0] == 0
    code, _, err = advise(tocsin, whole, "--endorsed", "joint", out="early")
    assert (code, "not approved with these words: NCSC tāngata" in err) == (12, True)
    assert (
        tocsin("endorse", "sign", "joint", "--as", "nz", "--by", "nz", "--named", "--reserve", "words: Late.")[0] == 0
    )
    code, _, err = advise(tocsin, whole, "--endorsed", "joint", out="final")
    assert code == 0, err
    told = files("final")
    assert "NCSC tāngata" in told["advisory.html"].decode()
    assert b"Draft" not in told["advisory.html"]
    assert b"Late." not in b"".join(told.values()), "what a nation doubts is for signers"
    valid(told["advisory.stix.json"])
    objects = {one["id"]: one for one in json.loads(told["advisory.stix.json"])["objects"]}
    (opinion,) = [one for one in objects.values() if one["type"] == "opinion"]
    (note,) = [one for one in objects.values() if one["type"] == "note"]
    assert (note["content"], note["confidence"]) == ("It is likely that one group did both.", 70)
    assert objects[opinion["created_by_ref"]]["name"] == "NCSC tāngata"
    assert digest in opinion["explanation"]
    assert {objects[one]["type"] for one in opinion["object_refs"]} == {"report", "note"}
    changed = whole.replace("In 2021 parliaments", "In 2020 parliaments")
    code, _, err = advise(tocsin, changed, "--endorsed", "joint", out="other")
    assert (code, "no claim of it holds the digest" in err) == (12, True)


def test_a_revision_shows_what_changed(tocsin: Tocsin) -> None:
    advise(tocsin)
    text = WHOLE.replace("In 2021 parliaments", "In 2020 parliaments").replace(
        "version = 1", "version = 1\nrevision = 2"
    )
    assert advise(tocsin, text, "--since", "out/advisory.internal.json", out="next")[0] == 0
    page = files("next")["advisory.html"].decode()
    assert "Background, new: In 2020 parliaments were attacked." in page
    assert "Background, no more: In 2021 parliaments were attacked." in page
    assert advise(tocsin, text, "--since", "by.toml", out="bad")[0] == 5


def valid(content: bytes) -> list[Any]:
    """Its objects, once two libraries agree that it is STIX."""
    import stix2
    from stix2validator import ValidationOptions, validate_string

    found = validate_string(content.decode(), ValidationOptions(version="2.1", disabled=["all"]))
    assert found.is_valid, found
    return list(stix2.parse(content.decode(), allow_custom=False).objects)


def test_a_case_study_is_bound_to_its_own_techniques_and_its_times(tocsin: Tocsin, tmp_path: Path) -> None:
    one = incident()
    first = one.findings[0]
    start = first.at.ts_us or 0
    later = replace(first.at, ts_us=start + 26 * 3_600_000_000 + 14 * 60_000_000, rec=first.at.rec + 1)
    moved = replace(first, techniques=("T1021",), tactics=("lateral-movement",), at=later)
    other = replace(
        one,
        id="inc-2",
        first_us=start,
        findings=(replace(first, techniques=(), tactics=("execution",)), moved),
        tactics=("execution", "lateral-movement"),
    )
    cases.open_case(tmp_path / "cases", other, by="Anna")
    more = '\n[[case]]\nid = "inc-2"\ncalled = "Second"\nmarking = "green"\n'
    Path("by.toml").write_text(WHOLE + more, encoding="utf-8")
    assert tocsin("advise", "inc-1", "inc-2", "--by", "by.toml", "--out", "out", "--no-pdf")[0] == 0
    objects = {one["id"]: one for one in json.loads(files()["advisory.stix.json"])["objects"]}
    bound = {
        each["name"][:6]: {objects[ref]["external_references"][0]["external_id"] for ref in each["object_refs"]}
        for each in objects.values()
        if each["type"] == "grouping"
    }
    assert bound == {"Body {": {"T1071", "T1190"}, "Second": {"T1021"}}
    page = files()["advisory.html"].decode()
    assert "Day 1, execution:" in page
    assert "Day 2, 26:14 hours after the first record, lateral movement:" in page


def test_stix_is_valid(tocsin: Tocsin) -> None:
    advise(tocsin)
    content = files()["advisory.stix.json"].decode()
    objects = valid(content.encode())
    kinds = [one["type"] for one in objects]
    assert kinds.count("report") == 1
    assert kinds.count("grouping") == 1
    assert kinds.count("indicator") == 3
    ids = {one["id"] for one in objects}
    refs = {ref for one in objects for ref in one.get("object_refs", [])}
    assert refs <= ids
    assert "opinion" not in kinds, "nobody has approved it"
    assert "attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c" in ids, "T1190, as ATT&CK calls it"


def test_the_page_in_a_browser(tocsin: Tocsin) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        word = "no chromium on the path: install Debian's package chromium to see the advisory tested in a browser"
        if os.environ.get("TOCSIN_REQUIRE_SHARED") == "1":
            pytest.fail(word, pytrace=False)
        pytest.skip(word)
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    advise(tocsin)
    said: list[Any] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(bypass_csp=True)  # for axe alone, which must put its own script in
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.goto(Path("out/advisory.html").absolute().as_uri())
        found = Axe().run(page)
        browser.close()
    assert said == []
    assert found.violations_count == 0, found.generate_report()


def test_nobody_is_named_otherwise_than_they_approved(tocsin: Tocsin, tmp_path: Path) -> None:
    """Another name beside a nation's id, a claim that says the contrary, or words in what changed."""
    assert tocsin("person", "add", "nz")[0] == 0
    data = tmp_path / "data" / "tocsin"
    key = signers.everybody(data / "people")[0].signer.key
    (data / "nations.toml").write_text(f'version = 1\n[[nation]]\nid = "nz"\nname = "New Zealand"\nkeys = ["{key}"]\n')
    digest = advise(tocsin)[1].rpartition("digest of the words  ")[2].strip()
    for folder, words in (("joint", "We approve the advisory {}."), ("against", "We reject {} as false.")):
        Path("statement.toml").write_text(
            'version = 1\ntitle = "A"\nmarking = "green"\nasked = ["nz"]\nthreshold = 1\nwords = "We publish it."\n'
            f'[[claim]]\nid = "words"\ntext = "{words.format(digest)}"\n'
        )
        assert tocsin("endorse", "propose", "statement.toml", "--out", folder)[0] == 0
        assert tocsin("endorse", "sign", folder, "--as", "nz", "--by", "nz", "--named")[0] == 0
    assert advise(tocsin, WHOLE, "--endorsed", "joint", out="good")[0] == 0
    assert advise(tocsin, WHOLE, "--endorsed", "against", out="bad")[0] == 12
    for old, new in (("NCSC tāngata", "Government of Ruritania"), ("+64 4 000 0000", "+7 000")):
        code, _, err = advise(tocsin, WHOLE.replace(old, new), "--endorsed", "joint", out="bad")
        assert (code, "no claim of it holds the digest" in err) == (12, True)
    forged = Path("out/advisory.internal.json").read_text().replace("In 2021 parliaments", "Ruritania")
    Path("forged.json").write_text(forged)
    assert advise(tocsin, WHOLE, "--since", "forged.json", "--endorsed", "joint", out="bad")[0] == 12
    assert not Path("bad").exists()


def test_what_changed_tells_nothing_that_was_for_fewer(tocsin: Tocsin) -> None:
    secret = '[[background]]\ntext = "CANARY-AMBER"\nevidence = ["a"]\nmarking = "amber"\n\n[[summary]]'
    amber = WHOLE.replace('marking = "TLP:GREEN"', 'marking = "amber"').replace("[[summary]]", secret, 1)
    amber = amber.replace('called = "Body', 'called = "CANARY-CALLED').replace(
        'marking = "green"\nagreed', 'marking = "amber"\nagreed'
    )
    assert advise(tocsin, amber)[0] == 0
    assert advise(tocsin, WHOLE, "--since", "out/advisory.internal.json", out="next")[0] == 0
    told = b"".join(files("next").values())
    assert b"CANARY-AMBER" not in told
    assert b"CANARY-CALLED" not in told
    Path("deep.json").write_text("[" * 100_000)
    assert advise(tocsin, WHOLE, "--since", "deep.json", out="bad")[0] == 5


def test_who_agreed_does_not_agree_for_another(tocsin: Tocsin, tmp_path: Path) -> None:
    """Two allies told of one technique; and a log writes a digest in capitals."""
    one = incident()
    ally = one.findings[1]
    other = replace(
        ally,
        rule_id="indicator--2",
        fields={"Hashes": f"SHA256={'AB' * 32}"},
        terms=("tlp:green", "orcon", "source:Ally Two"),
    )
    entity = Entity(kind="hash", name="ab" * 32, shown="ab" * 32)
    both = replace(
        one,
        findings=(*one.findings, other),
        joins=(Join(one=1, other=2, entity=entity, weight=1.0, gap_us=0, because=""),),
    )
    shutil.rmtree(tmp_path / "cases")
    cases.open_case(tmp_path / "cases", both, by="Anna")
    code, _, err = advise(tocsin)
    assert code == 12
    assert "technique T1071: rests on intelligence of Ally Two" in " ".join(err.split())
    assert f"indicator {'ab' * 32}: rests on intelligence of Ally Two" in " ".join(err.split())


@pytest.mark.parametrize("name", ["CANARY-HOST", "canary-host.parliament.example", "canary.user"])
def test_authors_name_nobody_of_a_case(tocsin: Tocsin, tmp_path: Path, name: str) -> None:
    code, _, err = advise(tocsin, WHOLE.replace("parliaments were attacked", f"{name.upper()} was attacked"))
    assert (code, "the authors' words name" in err) == (12, True)
    assert not Path("out").exists()
