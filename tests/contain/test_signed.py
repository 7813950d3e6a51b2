"""Nothing is done that was not signed: by enough people, of the authority, over this plan, with the evidence kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from containing.making import OWN, PEOPLE, allow, case, cited, incident, planned, sign, talking
from tocsin import cases, enforce, planning, watched
from tocsin.contain.guard import Own
from tocsin.errors import ActError, CaseError
from tocsin.model.action import Place
from tocsin.model.asset import Asset, Assets

KNOWN = tuple(PEOPLE.values())


def _waits(folder: Path, kept: planning.Chosen, own: Own = OWN) -> str:
    every = planning.missing(folder, kept, own, KNOWN)
    return " | ".join(f"{name}: {why}" for name, whys in every.items() for why in whys)


def test_each_signature_is_needed(tmp_path: Path) -> None:
    folder = case(tmp_path, incident(cited(0, "T1505.003", TargetFilename="C:\\x.aspx")))
    kept = planned(folder)
    assert "approve" in _waits(folder, kept)
    sign(folder, "Aroha", "contain", seen=kept.digest)
    assert "approve" not in _waits(folder, kept)
    assert "Agency must consent" in _waits(folder, kept)
    sign(folder, "Chen", "consent:Agency", role="analyst", seen=kept.digest)
    assert "Agency must consent" in _waits(folder, kept)  # an analyst does not speak for it
    sign(folder, "Chen", "consent:Agency", role="owner", seen=kept.digest)
    assert "must consent" not in _waits(folder, kept)
    assert "must be collected first" in _waits(folder, kept)
    sign(folder, "Ben", "waived:host web01.agency.example")
    assert _waits(folder, kept) == ""
    sign(folder, "Chen", "consent:Agency", role="owner", seen=kept.digest, choice="no")
    assert "Agency must consent" in _waits(folder, kept)


def test_what_touches_a_service_needs_two_people(tmp_path: Path) -> None:
    folder = case(tmp_path, incident(cited(0, "T1505.003", TargetFilename="C:\\x.aspx")))
    kept = planned(folder, "fastest")
    sign(folder, "Aroha", "contain", seen=kept.digest)
    sign(folder, "Aroha", "contain", seen=kept.digest)
    assert "two people" in _waits(folder, kept)
    sign(folder, "Ben", "contain", seen=kept.digest)
    assert "two people" not in _waits(folder, kept)


def test_a_signature_over_another_plan_is_none(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    assert _waits(folder, kept) == ""
    other = planned(folder, "fastest")
    assert "approve" in _waits(folder, other)


def test_a_key_that_nobody_here_knows_counts_for_nothing(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    assert planning.missing(folder, kept, OWN, [])


def test_nothing_is_done_while_anything_waits(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    place = Place(enforcer="nftables", run=("false",))
    with pytest.raises(ActError, match="must approve"):
        enforce.apply(folder, kept, [place], OWN, KNOWN, "Ben")
    assert enforce.standing_of(folder)[1].pending is None


def test_what_has_become_our_own_since_it_was_signed_is_refused(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    mine = Own(addresses=(("203.0.113.9", "our own resolver"),))
    assert "our own resolver" in _waits(folder, kept, mine)


def test_what_has_become_protected_since_it_was_signed_is_refused(tmp_path: Path) -> None:
    folder = case(tmp_path, incident(cited(0, "T1059", host="WS017")))
    kept = planned(folder)
    allow(folder, kept)
    assert _waits(folder, kept) == ""
    mine = Own(assets=Assets([Asset(name="WS017", authority="Agency", protected=True)]))
    assert "is protected" in _waits(folder, kept, mine)


def test_a_playbook_of_others_becomes_tasks_and_nothing_more(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    (theirs, _) = planning.rendered(folder, kept, "cacao", (), OWN, KNOWN)
    path = tmp_path / "theirs.json"
    path.write_text(theirs.content)
    steps = len(kept.alternative.actions)
    assert planning.take_playbook(folder, path, "Ben") == steps
    assert planning.take_playbook(folder, path, "Ben") == 0
    _, state, _ = cases.entries_of(folder)
    assert len(cases.open_tasks(state)) == steps
    with pytest.raises(ActError, match="cannot be read"):
        planning.take_playbook(folder, tmp_path / "none", "Ben")


def test_a_plan_is_kept_once_and_a_case_that_was_changed_is_not_acted_on(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    assert planned(folder).digest == planned(folder).digest
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Ben", b"Bob", 1))
    with pytest.raises(CaseError):
        planning.plan(folder, OWN, KNOWN)


def test_render_holds_only_what_is_allowed(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    with pytest.raises(ActError, match="wait for signatures"):
        planning.rendered(folder, kept, "nftables", (), OWN, KNOWN)
    do, undo = planning.rendered(folder, kept, "cacao", (), OWN, KNOWN)  # advice to people
    assert "playbook" in do.content
    assert "playbook" in undo.content
    allow(folder, kept)
    (text,) = planning.rendered(folder, kept, "nftables", (), OWN, KNOWN)
    assert "203.0.113.9" in text.content


def test_contained_is_decided_over_what_was_seen_and_the_case_stays_open(tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    with pytest.raises(ActError, match="nobody has decided"):
        watched.recover(folder, kept, KNOWN, "Ben")
    told, digest = watched.verify(folder, [], KNOWN, "Ben", [], None)
    assert "nothing was done from here that stands" in " ".join(told.statement)
    assert not [word for word in told.statement if "contained" in word]
    sign(folder, "Aroha", "contained", seen="0" * 64)  # over nothing that was seen
    assert watched.contained(folder, KNOWN) is None
    sign(folder, "Aroha", "contained", seen=digest)
    assert watched.contained(folder, KNOWN) is not None
    found = watched.recover(folder, kept, KNOWN, "Ben")
    again = watched.recover(folder, kept, KNOWN, "Ben")
    assert found == again
    _, state, _ = cases.entries_of(folder)
    tasks = [one.text for one in cases.open_tasks(state)]
    assert len(tasks) == len(set(tasks)) == len(found.criteria)
    with pytest.raises(CaseError, match="still open"):
        cases.refuse_to_close(state)
    sign(folder, "Aroha", "contained", seen=digest, choice="no")
    assert watched.contained(folder, KNOWN) is None
