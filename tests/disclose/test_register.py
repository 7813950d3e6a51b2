"""Nobody is forgotten, nobody is chosen between two, and an extent only rises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.making import KEYS, PEOPLE
from cases.making import incident as small
from disclose.made import CANARY, TELLING, incident, touched
from tocsin import cases
from tocsin.disclose import clocks, register
from tocsin.errors import CaseError, SettingsError
from tocsin.model.concern import HOWS, Touched
from tocsin.model.impact import Impact, Unanswered
from tocsin.model.incident import Incident
from tocsin.model.notification import EXTENTS, Notification, Party, Telling
from tocsin.model.person import People, Person

LAWS = clocks.chosen(clocks.built_in(), TELLING.jurisdictions)


def _registered(one: Incident, **more: object) -> dict[str, Notification]:
    telling = more.pop("telling", TELLING)
    found = register.register(one, telling, LAWS, **more)  # type: ignore[arg-type]
    assert len({each.key for each in found}) == len(found)
    return {each.key: each for each in found}


def test_everybody_whom_it_touches_is_on_it() -> None:
    people = [touched(str(number), f"Person {number}", how) for number, how in enumerate(HOWS)]
    found = _registered(incident(*people))
    for one in people:
        entry = found[f"person:{one.id}"]
        assert (entry.extent, entry.contact, entry.because) == (one.how, one.contact, one.because)
    assert found["person:2"].laws == ("eu-gdpr-34", "nz-privacy-115")
    assert found["person:1"].laws == ()
    assert found["agency:Parliamentary Service"].extent == "reached"
    assert found["owner:Parliamentary Service/Web team"].because == ("WEB-01 (critical, secret), seen as web-01",)
    assert found["data protection:nz-privacy-114"].extent == "data left"
    assert "To be weighed" in found["regulator:eu-nis2-23"].because[0]


@pytest.mark.parametrize(("kind", "extent"), [("mail", "targeted"), ("firewall", "possibly reached")])
def test_a_gate_whose_log_tells_of_itself_too_is_not_cleared(kind: str, extent: str) -> None:
    """A mail gate's log tells of mails; a firewall's of its administrators as well, and of what they change on it."""
    one = incident()
    found = tuple(replace(each, kind=kind, host="web-01") for each in one.findings)
    gate = replace(one, findings=found, moves=(), processes=(), impact=Impact(), patient_zero="")
    assert _registered(gate)["owner:Parliamentary Service/Web team"].extent == extent


def test_accounts_of_nobody_are_one_entry() -> None:
    one = incident(touched("1001", "Aroha Ngata"))
    system = replace(one.accounts[0], name="NT AUTHORITY\\SYSTEM", also=())
    machine = replace(one.accounts[0], name="ASSEMBLY\\WEB-01$", also=())
    mine = replace(one.accounts[0], name="1001@parliament.example", also=())
    found = _registered(replace(one, accounts=(*one.accounts, system, machine, mine)))
    entry = found[register.UNLISTED]
    assert entry.extent == "cannot know"
    assert entry.because == ("the account ASSEMBLY\\m.tane appears", f"the account ASSEMBLY\\{CANARY} appears")
    listed = People([Person(id="9", name="M. Tane", accounts=("assembly\\M.TANE",))])
    assert _registered(one, people=listed)[register.UNLISTED].because == (f"the account ASSEMBLY\\{CANARY} appears",)


def test_what_logs_do_not_say_is_not_nobody() -> None:
    nothing = replace(small(), people=())
    found = _registered(nothing)
    assert found[register.UNKNOWN].because == ("nobody has looked at what was taken",)
    assert found["data protection:eu-gdpr-33"].extent == "cannot know"
    asked = Impact(unanswered=(Unanswered(question="whose mail was read", would_tell="the audit log"),))
    found = _registered(replace(nothing, impact=asked))
    assert found[register.UNKNOWN].because == ("the logs do not say whose mail was read; the audit log would tell",)
    found = _registered(replace(nothing, impact=Impact()))
    assert register.UNKNOWN not in found
    assert not [key for key in found if key.startswith("data protection")]


def test_without_a_jurisdiction_that_is_told() -> None:
    found = {one.key: one for one in register.register(incident(), Telling(), ())}
    assert found[register.NO_LAWS].extent == "cannot know"


def test_an_account_that_two_share_is_of_neither() -> None:
    one = touched("1", "John Smith", "data left", shared_with=("2",))
    other = touched("2", "Jane Roe", "data left", shared_with=("1",))
    found = _registered(incident(one, other))
    for key, instead in (("person:1", "2"), ("person:2", "1")):
        assert (found[key].extent, found[key].instead) == ("possibly reached", (instead,))
        assert "it may be them" in found[key].because[-1]


def test_two_of_one_name_are_never_one() -> None:
    listed = People(
        [Person(id="1", name="John Smith"), Person(id="2", name="  JOHN   ſmith "), Person(id="3", name="Jo")]
    )
    found = _registered(incident(touched("1", "John Smith")), people=listed)
    assert found["person:1"].namesakes == ("2",)
    assert "person:2" not in found
    by_hand = register.by_hand("person:john smith", "reached", "she called", listed)
    assert [(one.key, one.extent, one.instead) for one in by_hand] == [
        ("person:1", "possibly reached", ("2",)),
        ("person:2", "possibly reached", ("1",)),
    ]
    (one,) = register.by_hand("person:3", "reached", "she called", listed)
    assert (one.key, one.extent) == ("person:3", "reached")
    (one,) = register.by_hand("supplier:Mail Ltd", "reached", "theirs", None)
    assert one.key == "supplier:Mail Ltd"
    for wrong in ("king:Charles", "person:", "nobody"):
        with pytest.raises(SettingsError, match="names nobody"):
            register.by_hand(wrong, "reached", "x", None)


def test_parties_by_what_makes_them_concerned() -> None:
    parties = (
        Party(kind="supplier", name="Hosting Ltd", runs=("web-*",)),
        Party(kind="supplier", name="Mail Ltd", runs=("mail*",)),
        Party(kind="oversight", name="The inspector", always=True),
        Party(kind="partner", name="An ally", tells="An ally"),
        Party(kind="minister", name="The office"),
    )
    one = incident()
    told = replace(one.findings[0], terms=("source:An ally",))
    found = _registered(replace(one, findings=(told, *one.findings[1:])), telling=replace(TELLING, parties=parties))
    assert {"supplier:Hosting Ltd", "oversight:The inspector", "partner:An ally"} <= set(found)
    assert not {"supplier:Mail Ltd", register.MINISTER} & set(found)
    found = _registered(one, telling=replace(TELLING, parties=parties), minister=("it is grave",))
    assert (found[register.MINISTER].name, found[register.MINISTER].because) == ("The office", ("it is grave",))


def test_an_asset_that_may_be_another_is_only_possible() -> None:
    one = incident()
    found = _registered(replace(one, assets=(replace(one.assets[0], one_of=2),)))
    assert found["agency:Parliamentary Service"].extent == "possibly reached"
    found = _registered(replace(one, assets=(replace(one.assets[0], name="1.1.1.1", by="address"),)))
    assert found["agency:Parliamentary Service"].extent == "possibly reached"


# --------------------------------------------------------------------------------- in a case


def _case(root: Path, *people: Touched) -> Path:
    return root / cases.open_case(root, incident(*people), by="Ben").id


def _decide(log: cases.Writer, entry: Notification, choice: str = "now", by: str = "Aroha Ngata") -> None:
    subject, seen = cases.subject_of(entry), cases.digest_of(entry)
    words = {"subject": subject, "choice": choice, "role": "lead", "reason": "They must know.", "seen": seen}
    cases.decide(log, PEOPLE[by], KEYS[by], **words)  # type: ignore[arg-type]


def _close(log: cases.Writer) -> None:
    cases.decide(log, PEOPLE["Ben"], KEYS["Ben"], subject="close", choice="yes", role="lead", reason="done")
    cases.close(log, by="Ben", reason="done")


def test_a_case_is_not_closed_with_somebody_undecided(tmp_path: Path) -> None:
    folder = _case(tmp_path, touched("1", "Aroha"), touched("2", "Ben"))
    with cases.writing(folder) as log:
        with pytest.raises(CaseError, match="its register lacks 2 people"):
            _close(log)
        found = register.register(incident(touched("1", "Aroha"), touched("2", "Ben")), TELLING, LAWS)
        cases.register(log, found, by="Ben", incident=log.case.incident)
        for one in found[1:]:
            _decide(log, one)
        with pytest.raises(CaseError, match=r"nobody has decided whether 1 of its register is to be told: Aroha"):
            _close(log)
        _decide(log, found[0], "perhaps")
        with pytest.raises(CaseError, match="nobody has decided"):
            _close(log)
        _decide(log, replace(found[0], extent="targeted"))
        with pytest.raises(CaseError, match="nobody has decided"):
            _close(log)
        _decide(log, found[0], "not")
        _close(log)
    assert not cases.verify(folder, known=PEOPLE.values()).faults


def test_an_extent_that_rises_is_decided_on_anew(tmp_path: Path) -> None:
    first, later = incident(touched("1", "Aroha", "targeted")), incident(touched("1", "Aroha", "data left"))
    folder = tmp_path / cases.open_case(tmp_path, first, by="Ben").id
    with cases.writing(folder) as log:
        found = register.register(first, TELLING, LAWS)
        cases.register(log, found, by="Ben", incident=log.case.incident)
        for one in found:
            _decide(log, one)
        assert not cases.undecided(log.case)
        assert not cases.register(log, found, by="Ben", incident=log.case.incident), "nothing is new"
    cases.open_case(tmp_path, later, by="Ben")
    with cases.writing(folder) as log:
        with pytest.raises(CaseError, match="of an earlier state"):
            _close(log)
        cases.register(log, register.register(later, TELLING, LAWS), by="Ben", incident=log.case.incident)
        left = {one.entry.key: one.entry.extent for one in cases.undecided(log.case)}
        assert left["person:1"] == "data left"
        cases.register(log, found, by="Ben", incident=log.case.incident)
        assert left == {one.entry.key: one.entry.extent for one in cases.undecided(log.case)}, "it never falls again"


entries = st.builds(
    lambda key, extent, why: Notification(key=f"person:{key}", kind="person", name="A", extent=extent, because=why),
    st.integers(0, 3),
    st.sampled_from(EXTENTS),
    st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
)


@given(st.lists(st.lists(entries, max_size=3), max_size=5))
def test_whatever_is_written_nobody_is_lost(
    tmp_path_factory: pytest.TempPathFactory, several: list[list[Notification]]
) -> None:
    root = tmp_path_factory.mktemp("lost")
    folder = root / cases.new_case(root, "A case", by="Ben").id
    with cases.writing(folder) as log:
        for some in several:
            cases.register(log, some, by="Ben")
        found = {one.entry.key: one.entry for one in log.case.register}
    for one in (one for some in several for one in some):
        assert EXTENTS.index(found[one.key].extent) >= EXTENTS.index(one.extent)
        assert set(one.because) <= set(found[one.key].because)


def test_a_merge_forgets_nobody(tmp_path: Path) -> None:
    for name, person in (("inc-1", touched("1", "Aroha")), ("inc-2", touched("2", "Ben"))):
        one = replace(incident(person), id=name)
        folder = tmp_path / cases.open_case(tmp_path, one, by="Ben").id
        with cases.writing(folder) as log:
            cases.register(log, register.register(one, TELLING, LAWS), by="Ben", incident=log.case.incident)
            for listed in cases.undecided(log.case):
                _decide(log, listed.entry)
    merged = cases.merge(tmp_path / "inc-1", tmp_path / "inc-2", by="Ben", reason="one intruder")
    found = {one.entry.key: one.entry for one in merged.register}
    assert {"person:1", "person:2"} <= set(found)
    assert found["person:2"].of == "inc-2"
    assert any(why.startswith("in case inc-2 Aroha Ngata decided on") for why in found["person:2"].because)
    assert "person:2" in {one.entry.key for one in cases.undecided(merged)}, "a decision is of its own case"
    assert not cases.verify(tmp_path / "inc-1", known=PEOPLE.values()).faults


@pytest.mark.parametrize(("kind", "extent"), [("mail", "targeted"), ("linux", "reached")])
def test_what_passes_by_a_gate_did_not_happen_on_it(kind: str, extent: str) -> None:
    one = incident()
    gate = replace(
        one,
        findings=tuple(replace(each, kind=kind, host="web-01") for each in one.findings),
        patient_zero="web-01",
        moves=(),
        processes=(),
        impact=None,
    )
    found = {
        each.kind: each.extent for each in register.register(gate, TELLING, ()) if each.kind in {"owner", "agency"}
    }
    assert found == {"owner": extent, "agency": extent}
