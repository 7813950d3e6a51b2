"""Signed decisions, and how many voices they are."""

from __future__ import annotations

import base64
import json
from dataclasses import fields, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tocsin.errors import SealError
from tocsin.model.decision import Decision
from tocsin.seal import decisions, dsse, keys, signers
from tocsin.seal.canonical import canonical

KEYS = {name: keys.make() for name in ("Aroha Ngata", "Ben", "Chloé")}
PEOPLE = [signers.of(name, key) for name, key in KEYS.items()]


def taken(by: str = "Aroha Ngata", **changes: Any) -> Decision:
    plain = {
        "case": "c1",
        "subject": "close",
        "choice": "yes",
        "role": "lead",
        "by": by,
        "key": keys.fingerprint(KEYS[by]) if by in KEYS else "",
        "at": "2026-11-24T10:00:00.000000Z",
        "reason": "All hosts are rebuilt.",
        "seen": "ab" * 32,
    }
    return Decision(**{**plain, **changes})


def test_there_and_back() -> None:
    decision = taken(reason="Kua oti — he kōrero")
    envelope = decisions.signed(decision, KEYS["Aroha Ngata"])
    assert decisions.read(json.loads(json.dumps(envelope)), PEOPLE) == decision
    assert list(envelope) == ["payload", "payloadType", "signatures"]


@pytest.mark.parametrize("field", [field.name for field in fields(Decision)])
def test_any_change_breaks_it(field: str) -> None:
    envelope = decisions.signed(taken(), KEYS["Aroha Ngata"])
    plain = json.loads(base64.b64decode(envelope["payload"]))
    plain[field] += "x"
    changed = {**envelope, "payload": base64.b64encode(canonical(plain)).decode()}
    with pytest.raises(SealError, match="no signature"):
        decisions.read(changed, PEOPLE)


def _signed_anyway(plain: Any, by: str = "Ben", kind: str = decisions.KIND) -> dict[str, Any]:
    return dsse.sealed(kind, canonical(plain), [KEYS[by]])


def test_what_a_known_person_signed_and_is_no_decision() -> None:
    good = {field.name: getattr(taken("Ben"), field.name) for field in fields(Decision)}
    assert decisions.read(_signed_anyway(good), PEOPLE)
    for plain in ({}, [], {**good, "role": "king"}, {**good, "more": 1}, {**good, "at": 5}):
        with pytest.raises(SealError):
            decisions.read(_signed_anyway(plain), PEOPLE)
    with pytest.raises(SealError, match="another key"):
        decisions.read(_signed_anyway({**good, "key": keys.fingerprint(KEYS["Chloé"])}), PEOPLE)
    with pytest.raises(SealError, match="not of Aroha"):
        decisions.read(_signed_anyway({**good, "by": "Aroha Ngata"}), PEOPLE)
    with pytest.raises(SealError, match="was asked for"):
        decisions.read(_signed_anyway(good, kind="application/json"), PEOPLE)
    with pytest.raises(SealError, match="no signature"):
        decisions.read(_signed_anyway(good), PEOPLE[:1])


def test_it_is_signed_whole_and_by_its_own_key() -> None:
    with pytest.raises(SealError, match="does not say its reason"):
        decisions.signed(taken(reason="  "), KEYS["Aroha Ngata"])
    with pytest.raises(SealError, match="another key"):
        decisions.signed(taken(), KEYS["Ben"])


def test_two_under_one_key_are_one_voice() -> None:
    two_roles = [taken(role="lead"), taken(role="legal", at="2026-11-24T11:00:00.000000Z")]
    assert not decisions.settled(two_roles, subject="close", choice="yes", needs=2)
    assert decisions.settled([*two_roles, taken("Ben")], subject="close", choice="yes", needs=2)
    renamed = taken("Ben", key=keys.fingerprint(KEYS["Aroha Ngata"]))
    assert len(decisions.voices([taken(), renamed])) == 1, "one key under two names"
    second_key = taken(key="SHA256:another")
    for order in permutations([taken(), second_key, renamed, taken("Ben")]):
        assert len(decisions.voices(order)) == 1, "one person with two keys, one of which is shared"


def test_the_last_word_counts_and_the_role() -> None:
    later = taken(choice="no", at="2026-11-24T12:00:00.000000Z")
    for order in permutations([taken(), later]):
        assert not decisions.settled(order, subject="close", choice="yes")
        assert decisions.settled(order, subject="close", choice="no")
    assert not decisions.settled([taken()], subject="close", choice="yes", roles=("legal",))
    assert not decisions.settled([taken()], subject="tell", choice="yes")
    assert not decisions.settled([], subject="close", choice="yes")


def test_people_who_are_known(tmp_path: Path) -> None:
    for person in PEOPLE:
        signers.add(tmp_path, signers.Known(signer=person, added_at="2026-11-24T10:00:00.000000Z"))
    assert [known.signer.name for known in signers.everybody(tmp_path)] == ["Aroha Ngata", "Ben", "Chloé"]
    assert signers.find(tmp_path, "aroha ngata").signer == PEOPLE[0]
    assert signers.find(tmp_path, "chloe\u0301").signer == PEOPLE[2]
    assert signers.find(tmp_path, PEOPLE[1].fingerprint).signer == PEOPLE[1]
    with pytest.raises(SealError, match="no such person") as caught:
        signers.find(tmp_path, "Dai")
    assert "Aroha Ngata, Ben, Chloé" in caught.value.hint
    with pytest.raises(SealError, match="known already, with a key"):
        signers.add(tmp_path, signers.Known(signer=signers.of("BEN", keys.make()), added_at=""))
    with pytest.raises(SealError, match="as that of Ben"):
        signers.add(tmp_path, signers.Known(signer=signers.of("Benny", KEYS["Ben"]), added_at=""))
    path = next(tmp_path.glob("*.json"))
    person = signers.everybody(tmp_path)[0].signer
    path.write_text(path.read_text().replace(json.loads(path.read_text())["signer"]["fingerprint"], "SHA256:x"))
    with pytest.raises(SealError, match="fingerprint is not of its key"):
        signers.everybody(tmp_path)
    path.write_text("{")
    with pytest.raises(SealError, match="cannot be read"):
        signers.everybody(tmp_path)
    assert replace(person, name="x") != person


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m", "a\u202eb", "x" * 101])
def test_a_name_can_be_read(name: str) -> None:
    with pytest.raises(SealError, match="name of a person"):
        signers.of(name, keys.make())


def test_where_a_key_is_kept_is_a_plain_name(tmp_path: Path) -> None:
    names = ["Aroha Ngata", "../../etc", "Māui", "毛", "mäui"]
    places = [signers.key_place(tmp_path, name) for name in names]
    assert len(set(places)) == len(places)
    assert all(place.parent == tmp_path / "keys" for place in places)
