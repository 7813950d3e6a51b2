"""Nobody is held responsible but by two people with keys of their own, over what the case holds now."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cases import making
from tocsin import cases
from tocsin.errors import CaseError
from tocsin.model.decision import Role, Signer
from tocsin.model.statement import MAY_SIGN, Standing
from tocsin.seal import keys, signers

WHO = "the Republic of Elsewhere"


@dataclass
class Room:
    """A case, and people who have keys. `knows` are those whose keys came another way than in the case."""

    folder: Path
    people: dict[str, tuple[Signer, Ed25519PrivateKey]] = field(default_factory=dict)
    knows: list[Signer] = field(default_factory=list)

    def person(self, name: str, *, known: bool = True, key: Ed25519PrivateKey | None = None) -> None:
        key = key or keys.make()
        signer = signers.of(name, key)
        self.people[name] = signer, key
        if known:
            self.knows.append(signer)

    def propose(self, by: str = "Anna", who: str = WHO) -> str:
        signer, key = self.people[by]
        with cases.writing(self.folder) as log:
            return cases.propose(
                log, signer, key, responsible=who, reason="our services agree", attribution=b"{}", answer="unknown"
            )

    def sign(self, by: str, digest: str, *, choice: str = "yes", role: Role = "leadership") -> Standing:
        signer, key = self.people[by]
        with cases.writing(self.folder) as log:
            return cases.sign(
                log, signer, key, digest=digest, choice=choice, role=role, reason="seen and agreed", known=self.knows
            )

    def force(self, by: str, digest: str, *, choice: str = "yes", role: Role = "leadership") -> Standing:
        """As `tocsin case decide` would let anybody sign, without being told that it does not count."""
        signer, key = self.people[by]
        with cases.writing(self.folder) as log:
            cases.decide(
                log, signer, key, subject="responsible", choice=choice, role=role, reason="I say so", seen=digest
            )
        return self.now

    @property
    def now(self) -> Standing:
        return cases.standing(self.folder, self.knows)

    def says(self) -> str:
        return " ".join(self.now.because)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    case = cases.open_case(tmp_path, making.incident(), by="Anna", documents=[("custody.json", b"{}")])
    made = Room(tmp_path / case.id)
    for name in ("Anna", "Ben", "Carla", "Dora"):
        made.person(name)
    return made


def test_nobody_is_responsible_by_itself(room: Room) -> None:
    assert room.now == Standing()
    assert room.now.held is None


def test_two_people_with_keys_of_their_own_hold_somebody_responsible(room: Room) -> None:
    digest = room.propose()
    assert room.now.state == "proposed"
    assert room.sign("Ben", digest).state == "proposed"
    found = room.sign("Carla", digest[:16], role="minister")
    assert found.state == "held"
    assert found.held is not None
    assert found.held.responsible == WHO
    assert [one.by for one in found.signed] == ["Ben", "Carla"]
    assert room.now == found
    assert not cases.verify(room.folder, known=room.knows).faults


def test_the_same_key_twice_is_one_voice(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    assert room.sign("Ben", digest, role="legal").state == "proposed"
    assert "count as one" in room.says()
    room.person("Bernhard", key=room.people["Ben"][1])
    assert room.force("Bernhard", digest).state == "proposed", "another name, the same key"


def test_the_same_name_with_another_key_is_one_voice(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.person("Ben")
    assert room.force("Ben", digest).state != "held"


def test_the_analyst_does_not_sign(room: Room) -> None:
    digest = room.propose()
    with pytest.raises(CaseError, match="worked on this as an analyst"):
        room.sign("Anna", digest)
    room.sign("Ben", digest)
    assert room.force("Anna", digest).state == "proposed"
    assert "worked on it as an analyst" in room.says()


def test_nor_under_another_name_or_with_another_key(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.person("Annabel", key=room.people["Anna"][1])
    assert room.force("Annabel", digest).state == "proposed", "the analyst's key"
    room.person("ANNA")
    assert room.force("ANNA", digest).state == "proposed", "the analyst's name"


def test_two_analysts_cannot_propose_for_each_other(room: Room) -> None:
    digest = room.propose("Anna")
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    other = room.propose("Ben")
    assert other != digest
    assert room.now.state == "proposed"
    assert "was replaced" in room.says()
    with pytest.raises(CaseError, match="analyst"):
        room.sign("Anna", other)
    assert room.force("Anna", other).state == "proposed"
    room.sign("Carla", other)
    assert room.now.state == "proposed", "Anna has worked on it, and one other is not two"
    assert room.sign("Dora", other).state == "held"


def test_a_key_that_only_the_case_knows_does_not_count(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.person("Mallory", known=False)
    assert room.force("Mallory", digest).state == "proposed"
    assert "The key of Mallory is not known here" in room.says()


def test_nor_can_such_a_key_propose(room: Room) -> None:
    room.person("Mallory", known=False)
    room.propose("Mallory")
    assert room.now.state == "nobody"
    assert "a key that is not known here" in room.says()


@pytest.mark.parametrize("role", ["analyst", "duty", "lead", "owner", "liaison", "privacy", "oversight"])
def test_other_roles_do_not_hold_anybody_responsible(role: Role, room: Room) -> None:
    assert role not in MAY_SIGN
    digest = room.propose()
    room.sign("Ben", digest)
    with pytest.raises(CaseError, match="in the role"):
        room.sign("Carla", digest, role=role)
    assert room.force("Carla", digest, role=role).state == "proposed"


def test_who_signed_can_take_it_back(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    assert room.sign("Carla", digest).state == "held"
    found = room.sign("Ben", digest, choice="no")
    assert found.state == "refused"
    assert found.held is None
    assert "Ben refused it, as leadership." in found.because


def test_anybody_who_is_known_can_refuse(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    assert room.sign("Dora", digest, choice="no", role="oversight").state == "refused"


def test_a_second_thought_counts_as_one_less(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    assert room.force("Carla", digest, choice="later", role="privacy").state == "proposed"


def test_other_evidence_makes_it_void_and_says_so(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    assert room.sign("Carla", digest).state == "held"
    with cases.writing(room.folder) as log:
        cases.attach(log, "sandbox.json", b"something new", by="Anna")
    assert room.now.state == "void"
    assert room.now.held is None
    assert "The case holds other evidence now" in room.says()
    with pytest.raises(CaseError, match="other evidence"):
        room.sign("Dora", digest)
    again = room.propose()
    assert again != digest
    room.sign("Ben", again)
    assert room.sign("Carla", again).state == "held"


def test_an_incident_that_is_looked_at_again_makes_it_void(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    cases.open_case(room.folder.parent, making.incident(host="WS2"), by="Anna")
    assert room.now.state == "void"


def test_a_note_does_not(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    with cases.writing(room.folder) as log:
        cases.note(log, "told the press office", by="Anna")
    assert room.now.state == "held"


def test_a_signature_over_another_digest_does_not_count(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    with pytest.raises(CaseError, match="there is no statement"):
        room.sign("Carla", "0" * 64)
    with pytest.raises(CaseError, match="there is no statement"):
        room.sign("Carla", digest[:8])
    assert room.force("Carla", "0" * 64).state == "proposed"
    assert "signed another statement" in room.says()


def test_in_a_closed_case_nothing_is_signed_but_what_was_is_kept_and_can_be_taken_back(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    with cases.writing(room.folder) as log:
        making.decide(log)
        cases.close(log, by="Aroha Ngata", reason="done")
    with pytest.raises(CaseError, match="is closed"):
        room.sign("Carla", digest)
    with pytest.raises(CaseError, match="is closed"):
        room.propose()
    assert room.now.state == "proposed"
    assert room.sign("Ben", digest, choice="no").state == "refused"


def test_a_case_that_is_opened_again_asks_anew(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    with cases.writing(room.folder) as log:
        making.decide(log)
        cases.close(log, by="Aroha Ngata", reason="done")
    assert room.now.state == "held"
    with cases.writing(room.folder) as log:
        cases.reopen(log, by="Anna", reason="something new")
    assert room.now.state == "void"
    assert room.propose() == digest, "the same statement over the same evidence"
    assert room.now.state == "proposed", "and yet nobody has signed it anew"
    room.sign("Ben", digest)
    assert room.sign("Carla", digest).state == "held"


def test_what_was_signed_in_a_merged_case_holds_nowhere(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    other = cases.new_case(room.folder.parent, "Another", by="Anna")
    into = room.folder.parent / other.id
    cases.merge(into, room.folder, by="Anna", reason="one intruder")
    assert room.now.state == "void"
    assert cases.standing(into, room.knows).held is None


def test_a_case_into_which_another_is_merged_holds_other_evidence(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    other = cases.new_case(room.folder.parent, "Another", by="Anna")
    cases.merge(room.folder, room.folder.parent / other.id, by="Anna", reason="one intruder")
    assert room.now.state == "void"


def test_a_statement_that_was_changed_or_is_gone_is_void(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    kept = room.folder / "kept" / digest
    kept.write_bytes(kept.read_bytes().replace(WHO.encode(), b"the Kingdom of Nowhere"))
    assert room.now.held is None
    assert room.now.state == "void"
    kept.unlink()
    assert room.now.held is None


def test_a_log_that_was_cut_holds_nobody_responsible(room: Room) -> None:
    digest = room.propose()
    room.sign("Ben", digest)
    room.sign("Carla", digest)
    assert room.now.state == "held"
    lines = (room.folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    (room.folder / "log.jsonl").write_bytes(b"".join(lines[:-2]))
    assert room.now.held is None


def test_a_statement_says_who_and_why(room: Room) -> None:
    with pytest.raises(CaseError, match="says who, and why"):
        room.propose(who="  ")
