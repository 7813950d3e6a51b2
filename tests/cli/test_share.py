"""`tocsin share`: who would be told what, the file for them, and the journal of it."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from output.incidents import incident
from tocsin.border import observations
from tocsin.border.bundles import as_bundle, read_objects
from tocsin.border.markings import ID_OF, definition
from tocsin.border.misp_event import event, written
from tocsin.border.stix_incident import bundle
from tocsin.cli import share_opine
from tocsin.cli.main import main
from tocsin.errors import IndicatorError, ListError, SealError, SettingsError, ShareError
from tocsin.model.attack import NO_FACTS
from tocsin.model.parcel import OPINED

AGREEMENT = 'version = 1\nid = "au"\nname = "Australia"\ntlp = "amber"\npap = "green"\n'


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TOCSIN_PERSON", "Aroha")


@pytest.fixture
def told(tmp_path: Path) -> Path:
    found = bundle(incident(20), author="tocsin 1", tlp="amber", attack=NO_FACTS, indicators={})
    (tmp_path / "bundle.json").write_text(json.dumps(found))
    (tmp_path / "au.toml").write_text(AGREEMENT)
    return tmp_path


def own(folder: Path, name: str = "tocsin 1") -> str:
    objects, _ = read_objects(folder / "bundle.json")
    return next(one["id"] for one in objects if one.get("name") == name)


def words(folder: Path, *more: str) -> list[str]:
    return [str(folder / "bundle.json"), "--to", str(folder / "au.toml"), *more]


def test_preview_tells_each_object_and_nothing_leaves(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["share", "preview", *words(told, "--own", own(told))]) == 0
    out, err = capsys.readouterr()
    assert "Australia: up to TLP:AMBER" in out
    assert "withheld\tsighting" in out
    assert "told by a person's decision only" in out
    assert "--assets" in err
    assert not (told / "data" / "tocsin" / "share" / "releases.jsonl").exists()
    assert main(["share", "preview", *words(told)]) == 0
    assert "is you, say --own" in capsys.readouterr().err


def test_a_bundle_for_a_peer_and_its_entry(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["share", "bundle", *words(told, "--own", own(told), "--out", str(told / "for.json"))]) == 0
    objects, sha256 = read_objects(told / "for.json")
    assert objects
    assert not [one for one in objects if one["type"] in ("sighting", "observed-data")]
    assert "web-01" not in (told / "for.json").read_text()
    capsys.readouterr()
    assert main(["share", "log"]) == 0
    out = capsys.readouterr().out
    assert "au\tAroha" in out
    assert sha256[:16] in out


def test_an_event_of_misp_holds_no_more_than_was_let_go(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = {"type": "location", "spec_version": "2.1", "id": "location--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"}
    at = {"created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z", "region": "oceania"}
    objects, _ = read_objects(told / "bundle.json")
    clear = next(one["object_marking_refs"] for one in objects if one.get("name") == "tocsin 1")
    ours = {"created_by_ref": own(told), "object_marking_refs": clear}
    (told / "bundle.json").write_text(as_bundle([*objects, place | at | ours]))
    line = ["share", "bundle", *words(told, "--own", own(told), "--out", str(told / "for.json"))]
    assert main([*line, "--format", "csv"]) == SettingsError.exit_code
    assert main([*line, "--format", "misp"]) == 0
    out = capsys.readouterr().out
    assert "an event has no place for a location" in out
    text = (told / "for.json").read_text()
    one = json.loads(text)["Event"]
    assert {"name": "tlp:amber"} in one["Tag"]
    assert one["distribution"] == "0"
    assert "web-01" not in text
    assert "was seen" not in text  # sightings need a person's decision, in whatever form
    assert main(["share", "log"]) == 0
    assert hashlib.sha256(text.encode()).hexdigest()[:16] in capsys.readouterr().out


@pytest.mark.parametrize("form", ["stix", "misp"])
def test_what_others_told_is_read_in_our_words(told: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads((told / "bundle.json").read_text())
    odd = {"type": "x-odd", "spec_version": "2.1", "id": "x-odd--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"}
    found["objects"].append(odd)
    text = json.dumps(found) if form == "stix" else written(event(found["objects"])[0])
    (told / "theirs.json").write_text(text)
    out = told / "seen.json"
    assert main(["share", "read", str(told / "theirs.json"), "--observation", str(out)]) == 0
    said = capsys.readouterr().out
    assert "incident\t" in said
    assert "not understood" in said
    assert observations.read(out).traits
    assert main(["share", "read", str(told / "theirs.json"), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["incidents"]
    assert all(len(one["sha256"]) == 64 for one in plain["held"])
    (told / "theirs.json").write_text('{"a": 1}')
    assert main(["share", "read", str(told / "theirs.json")]) == IndicatorError.exit_code


def test_sightings_need_a_key(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [
        "share",
        "bundle",
        *words(told, "--own", own(told), "--out", str(told / "for.json"), "--sightings", "agreed"),
    ]
    assert main(line) == SealError.exit_code
    assert not (told / "for.json").exists()
    secret = told / "pass"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setenv("TOCSIN_PASSPHRASE_FILE", str(secret))
        assert main(["person", "add", "Aroha"]) == 0
        assert main(line) == 0
    objects, _ = read_objects(told / "for.json")
    assert [one for one in objects if one["type"] == "sighting"]
    entry: dict[str, Any] = json.loads((told / "data/tocsin/share/releases.jsonl").read_text())["entry"]
    assert entry["decision"]["signatures"]


def test_a_journal_that_was_changed_lets_nothing_go(told: Path) -> None:
    line = ["share", "bundle", *words(told, "--own", own(told), "--out", str(told / "for.json"))]
    assert main(line) == 0
    journal = told / "data/tocsin/share/releases.jsonl"
    journal.write_text(journal.read_text().replace('"by":"Aroha"', '"by":"Nobody"'))
    (told / "for.json").unlink()
    assert main(line) == SealError.exit_code
    assert not (told / "for.json").exists()
    assert main(["share", "log"]) == SealError.exit_code


def test_a_line_that_was_never_finished_is_written_over(told: Path) -> None:
    line = ["share", "bundle", *words(told, "--own", own(told), "--out", str(told / "for.json"))]
    assert main(line) == 0
    journal = told / "data/tocsin/share/releases.jsonl"
    whole = journal.read_text()
    journal.write_text(whole + whole[:40])
    assert main(line) == 0
    assert len(journal.read_text().splitlines()) == 2


def test_nothing_that_may_go_is_an_error(told: Path) -> None:
    (told / "au.toml").write_text(AGREEMENT.replace("amber", "clear"))
    line = ["share", "bundle", *words(told, "--own", own(told), "--out", str(told / "for.json"))]
    assert main(line) == ShareError.exit_code
    assert not (told / "for.json").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (AGREEMENT.replace('"amber"', '"red"'), ListError.exit_code),
        (AGREEMENT + "victim = 1\n", ListError.exit_code),
        (AGREEMENT.replace('"au"', '"../au"'), ListError.exit_code),
        ("version = ", ListError.exit_code),
        (None, ListError.exit_code),
    ],
)
def test_what_is_no_agreement(told: Path, text: str | None, code: int) -> None:
    (told / "au.toml").unlink()
    if text is not None:
        (told / "au.toml").write_text(text)
    assert main(["share", "preview", *words(told)]) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"type":"bundle","objects":[1]}',
        '{"type":"bundle","objects":[{"a":1,"a":2}]}',
        '{"type":"bundle","objects":[{"a":NaN}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_bundle(told: Path, text: str) -> None:
    (told / "bundle.json").write_text(text)
    assert main(["share", "preview", *words(told)]) == IndicatorError.exit_code


def test_own_is_an_identity_of_the_bundle(told: Path) -> None:
    assert main(["share", "preview", *words(told, "--own", "identity--x")]) == SettingsError.exit_code


def test_the_same_objects_give_the_same_bundle() -> None:
    one = {"type": "tool", "id": "tool--00000000-0000-4000-8000-000000000001", "name": "\u202e"}
    assert as_bundle([one]) == as_bundle([dict(one)])
    assert "\u202e" not in as_bundle([one])


def test_an_opinion_on_what_a_partner_told_goes_back_where_they_agreed(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, who = "identity--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "indicator--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"
    at = {"spec_version": "2.1", "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z"}
    amber = {"object_marking_refs": [ID_OF["amber"]], "created_by_ref": theirs}
    pattern = {"pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix", "valid_from": at["created"]}
    objects = [
        {"type": "identity", "id": theirs, "name": "Them", "identity_class": "organization"} | at | amber,
        {"type": "indicator", "id": who} | pattern | at | amber,
        definition("amber"),
    ]
    (told / "theirs.json").write_text(as_bundle(objects))
    line = ["share", "opine", str(told / "theirs.json"), who, "--out", str(told / "bundle.json"), "--tlp", "green"]
    assert main([*line, "--say", "perhaps", "--because", "x"]) == SettingsError.exit_code
    assert main([*line, "--say", "agree", "--because", " "]) == SettingsError.exit_code
    assert main([*line, "--say", "agree", "--because", "Seen it do so."]) == 0
    assert "Nothing has left" in capsys.readouterr().out
    share = ["share", "bundle", *words(told, "--own", own(told, f"tocsin {version('tocsin')}"))]
    assert main([*share, "--out", str(told / "for.json")]) == 0  # nobody agreed to its going there
    assert "its object_refs name only what does not go" in capsys.readouterr().out
    assert not [one for one in read_objects(told / "for.json")[0] if one["type"] in {"opinion", "indicator"}]
    (told / "au.toml").write_text(f'{AGREEMENT}pass-on = ["{theirs}"]\n')
    assert main([*share, "--out", str(told / "for.json")]) == 0
    said = next(one for one in read_objects(told / "for.json")[0] if one["type"] == "opinion")
    assert (said["object_refs"], said["opinion"], said["authors"]) == ([who], "agree", ["Aroha"])
    line[3] = who.replace("0c", "0d")
    assert main([*line, "--say", "agree", "--because", "x"]) == SettingsError.exit_code


def test_the_words_of_an_opinion_are_those_of_the_noun() -> None:
    assert share_opine.WORDS == OPINED
