"""A team's own intrusion sets: what they become, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tocsin.errors import TocsinError
from tocsin.learn import attack, knowledge, names, own, profiles
from tocsin.model.use import Use

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "intrusion-sets.schema.json"
HERON: dict[str, Any] = {
    "id": "night-heron",
    "name": "NIGHT HERON",
    "aliases": ["Heron", "Storm-9999"],
    "techniques": [{"id": "T1562.001", "sources": ["INC-7", "INC-3"]}, {"id": "T1078"}],
    "software": [{"id": "S0154", "sources": ["INC-3"]}, {"id": "own:heron-loader"}],
    "countries": ["XK"],
    "victims": ["NO", "FI"],
    "sectors": ["energy"],
}


def document(*sets: object, **more: Any) -> dict[str, Any]:
    return {"format": own.FORMAT, "release": "18.1", "intrusion_sets": list(sets), **more}


def given(folder: Path, told: object) -> own.OwnSets:
    path = folder / "sets.json"
    path.write_bytes(told if isinstance(told, bytes) else json.dumps(told).encode())
    return own.read(path)


def test_a_set_is_a_group(tmp_path: Path) -> None:
    known = knowledge.of(attack.shipped(), given(tmp_path, document(HERON)))
    group = known.groups["own:night-heron"]
    assert (group.origin, group.country, group.victims, group.told_by) == ("own", "XK", ("FI", "NO"), ("own",))
    assert group.techniques == {
        "T1078": Use(id="T1078"),
        "T1685": Use(id="T1685", citations=("INC-3", "INC-7"), told_as=("T1562.001",)),
    }
    assert set(group.software) == {"S0154", "own:heron-loader"}
    assert known.software["own:heron-loader"].users == ("own:night-heron",)
    assert "own:night-heron" in known.software["S0154"].users
    assert [(one.text, one.form) for one in group.aliases] == [("Heron", ""), ("Storm-9999", "Microsoft")]
    profile = profiles.profiles(known)["groups"]["own:night-heron"]
    assert profile["techniques"] == {"T1078": ["(none)"], "T1685": ["INC-3", "INC-7"]}


def test_a_name_that_is_taken_is_ambiguous(tmp_path: Path) -> None:
    known = knowledge.of(attack.shipped(), given(tmp_path, document({**HERON, "aliases": ["apt-40"]})))
    assert set(names.resolve("APT40", names.index(known.groups)).ids) == {"G0065", "own:night-heron"}


def test_an_id_that_its_release_does_not_have_is_told(tmp_path: Path) -> None:
    sets = given(tmp_path, document({**HERON, "techniques": [{"id": "T9999"}, {"id": "T1078"}]}))
    known = knowledge.of(attack.shipped(), sets)
    [lost] = known.untranslated
    assert (lost.id, lost.grounds, lost.users) == ("T9999", "unknown", ("own:night-heron",))
    assert set(known.groups["own:night-heron"].techniques) == {"T1078"}


def test_two_that_became_one_are_one(tmp_path: Path) -> None:
    told = [{"id": "T1562", "sources": ["A"]}, {"id": "T1562.001", "sources": ["B"]}]
    known = knowledge.of(attack.shipped(), given(tmp_path, document({**HERON, "techniques": told})))
    assert known.groups["own:night-heron"].techniques == {
        "T1685": Use(id="T1685", citations=("A", "B"), told_as=("T1562", "T1562.001"))
    }


def test_a_release_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="release 12 of ATT&CK, which is not known"):
        knowledge.of(attack.shipped(), given(tmp_path, document(HERON, release="12")))


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (b"", "not a file of intrusion sets"),
        (b"\xff\xfe{}", "not a file of intrusion sets"),
        (b"[" * 100_000, "not a file of intrusion sets"),
        ({}, "format"),
        (document(format="other"), "other"),
        (document({**HERON, "id": "Night Heron"}), "id"),
        (document({**HERON, "name": ""}), "name"),
        (document({**HERON, "name": 5}), "name"),
        (document({**HERON, "techniques": [{"id": "T1"}]}), "techniques"),
        (document({**HERON, "software": [{"id": "heron"}]}), "software"),
        (document({**HERON, "countries": ["China"]}), "countries"),
        (document({**HERON, "colour": "grey"}), "colour"),
        (document({**HERON, "aliases": ["x"] * 501}), "aliases"),
        (document(HERON, HERON), "have one"),
        (document(HERON, {**HERON, "id": "b", "name": "night-heron", "aliases": []}), "have one name"),
    ],
)
def test_what_is_refused(tmp_path: Path, told: object, word: str) -> None:
    with pytest.raises(TocsinError, match=word) as caught:
        given(tmp_path, told)
    assert caught.value.hint


def test_more_than_a_team_can_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST_BYTES", 100)
    with pytest.raises(TocsinError, match="more than"):
        given(tmp_path, b" " * 101)
    with pytest.raises(TocsinError, match="No such file"):
        own.read(tmp_path / "none.json")


def test_kept_and_read_again(tmp_path: Path) -> None:
    sets = given(tmp_path, document(HERON))
    assert given(tmp_path, own.written(sets).encode()) == sets
    assert own.written(given(tmp_path, own.written(sets).encode())) == own.written(sets)


def test_the_schema_is_published() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == own.schema()


def test_the_schema_takes_what_we_take_and_no_more(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema)
    assert valid.is_valid(document(HERON))
    assert valid.is_valid(json.loads(own.written(given(tmp_path, document(HERON)))))
    for wrong in ({**HERON, "colour": "grey"}, {**HERON, "id": "A B"}, {**HERON, "countries": ["China"]}):
        assert not valid.is_valid(document(wrong))


def test_the_example_of_the_manual(tmp_path: Path) -> None:
    page = (SCHEMA.parents[1] / "intrusion-sets.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    known = knowledge.of(attack.shipped(), given(tmp_path, example.encode()))
    assert known.untranslated == ()
    assert any(group.startswith("own:") for group in known.groups)
