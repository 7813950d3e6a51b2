"""Wrong orders: twice, too early, too late, by an old signature, a wrong clock, a journal that cannot be."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from containing.making import OWN, PEOPLE, allow, case, cited, incident, planned, sign, talking
from tocsin import enforce, planning, watched
from tocsin.act import journal
from tocsin.errors import ActError
from tocsin.model.action import Place
from tocsin.seal import durable

KNOWN = tuple(PEOPLE.values())


def _place(folder: Path) -> list[Place]:
    return [Place(enforcer="unbound", zone_file=str(folder / "zone"), control=("true",))]


def _log(folder: Path) -> bytes:
    return (enforce.enforced(folder) / journal.LOG).read_bytes()


def _ready(tmp_path: Path) -> tuple[Path, planning.Chosen]:
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    return folder, kept


def _waits(folder: Path, kept: planning.Chosen) -> str:
    every = planning.missing(folder, kept, OWN, KNOWN)
    return " | ".join(dict.fromkeys(why for whys in every.values() for why in whys))


def test_what_does_not_stand_is_not_lifted_and_nothing_says_that_it_was(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    before = (folder / "log.jsonl").read_bytes()
    assert enforce.undo(folder, _place(tmp_path), "Ben") is None
    assert (folder / "log.jsonl").read_bytes() == before
    assert not (enforce.enforced(folder) / journal.LOG).exists()
    enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    assert enforce.undo(folder, _place(tmp_path), "Ben") == ()
    after = _log(folder)
    assert enforce.undo(folder, _place(tmp_path), "Ben") is None
    assert _log(folder) == after


def test_applying_twice_stands_once(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    for _ in range(2):
        enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    (block,) = enforce.standing_of(folder)[0]["unbound"]
    assert block.cases == ("inc1",)
    assert [one.does for one in enforce.gone(folder, enforce.standing_of(folder)[1])] == ["apply", "apply"]


@pytest.mark.parametrize(("days", "counts"), [(0, True), (13, True), (15, False), (400, False), (-1, False)], ids=str)
def test_what_was_signed_long_ago_or_in_a_time_to_come_counts_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, counts: bool
) -> None:
    folder, kept = _ready(tmp_path)
    at = planning.now_us() + days * 86_400_000_000
    monkeypatch.setattr(planning, "now_us", lambda: at)
    said = _waits(folder, kept)
    assert (said == "") is counts
    assert counts or "count no more" in said


def test_who_takes_back_a_yes_is_heard_however_old_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kept = _ready(tmp_path)
    for name in ("Aroha", "Ben"):
        sign(folder, name, "contain", seen=kept.digest, choice="no")
    later = planning.now_us() + 30 * 86_400_000_000
    monkeypatch.setattr(planning, "now_us", lambda: later)
    assert "approve" in _waits(folder, kept)


def test_an_originator_who_took_their_agreement_back_stops_what_rested_on_it(tmp_path: Path) -> None:
    of = incident(cited(0, "T1071", DestinationIp="203.0.113.9", terms=("pap:green", "orcon", "source:an ally")))
    folder = case(tmp_path / "cases", of)
    sign(folder, "Aroha", "originator:an ally")
    kept = planned(folder)
    allow(folder, kept)
    assert _waits(folder, kept) == ""
    sign(folder, "Aroha", "originator:an ally", choice="no")
    assert "an ally, whose intelligence it rests on, must agree" in _waits(folder, kept)
    with pytest.raises(ActError, match="wait for signatures"):
        planning.rendered(folder, kept, "nftables", (), OWN, KNOWN)
    do, _ = planning.rendered(folder, kept, "cacao", (), OWN, KNOWN)
    assert "203.0.113.9" not in do.content
    assert planning.for_people(folder, kept, OWN, KNOWN).actions == ()


def test_a_clock_that_went_back_is_refused_but_for_undo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kept = _ready(tmp_path)
    enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    early = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    monkeypatch.setattr(enforce, "now", lambda: early)
    with pytest.raises(ActError, match="clock"):
        enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    with pytest.raises(ActError, match="clock"):
        enforce.expire(tmp_path / "cases", _place(tmp_path), "timer")
    assert enforce.undo(folder, _place(tmp_path), "Ben") == ()


def test_a_journal_that_cannot_be_written_lets_nothing_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kept = _ready(tmp_path)
    write = durable.write_all

    def refused(number: int, content: bytes) -> None:
        if Path(f"/proc/self/fd/{number}").readlink().name == journal.LOG:
            raise OSError(errno.EROFS, "Read-only file system")
        write(number, content)

    with monkeypatch.context() as patched:
        patched.setattr(durable, "write_all", refused)
        with pytest.raises(ActError, match="Read-only"):
            enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    assert not (tmp_path / "zone").exists()
    enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")


def test_a_line_that_was_half_written_has_not_begun(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    whole = _log(folder)
    with (enforce.enforced(folder) / journal.LOG).open("ab") as file:
        file.write(b'{"what":"mea')
    assert [block.cases for block in enforce.standing_of(folder)[0]["unbound"]] == [("inc1",)]
    assert enforce.undo(folder, _place(tmp_path), "Ben") == ()
    assert _log(folder).startswith(whole)


def test_a_case_that_grew_since_its_plan_is_said(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    assert planning.changed_since(folder, kept) == ()
    grown = incident(*talking().findings, cited(9, "T1059", host="WS017"))
    assert case(tmp_path / "cases", grown) == folder
    assert "plan anew" in planning.changed_since(folder, kept)[0]


def test_what_people_did_elsewhere_is_signed_and_then_looked_for(tmp_path: Path) -> None:
    folder = case(tmp_path / "cases", incident(cited(0, "T1505.003", TargetFilename="C:\\x.aspx")))
    kept = planned(folder)
    told, _ = watched.verify(folder, [], KNOWN, "Ben", [], None)
    assert told.since_us is None
    action = kept.alternative.actions[0]
    sign(folder, "Ben", f"done:{action.id}", seen="0" * 64)
    assert planning.done_by(folder, kept, KNOWN) == {}  # of another plan
    sign(folder, "Ben", f"done:{action.id}", seen=kept.digest)
    assert list(planning.done_by(folder, kept, KNOWN)) == [action.id]
    assert planning.done_by(folder, kept, ()) == {}  # a key that nobody here knows
    told, _ = watched.verify(folder, [], KNOWN, "Ben", [], None)
    assert told.since_us is not None
    assert any("done, as Ben signed" in word and "not seen from here" in word for word in told.not_visible)
    sign(folder, "Ben", f"done:{action.id}", seen=kept.digest, choice="no")
    assert planning.done_by(folder, kept, KNOWN) == {}


def test_after_it_was_lifted_nothing_is_said_to_stand(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    enforce.apply(folder, kept, _place(tmp_path), OWN, KNOWN, "Ben")
    enforce.undo(folder, _place(tmp_path), "Ben")
    told, _ = watched.verify(folder, _place(tmp_path), KNOWN, "Ben", [], None)
    assert told.since_us is None
    assert "was lifted again" in told.statement[0]


def test_what_cannot_end_is_given_up_by_name_and_others_can_act_again(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    with pytest.raises(ActError, match="nothing was left"):
        enforce.give_up(folder, "Ben", "to try")
    dead = Place(enforcer="nftables", run=("false",))
    zone = _place(tmp_path)[0]
    for _ in range(2):
        with pytest.raises(ActError, match="could not"):
            enforce.apply(folder, kept, [zone, dead], OWN, KNOWN, "Ben")
    assert enforce.give_up(folder, "Aroha", "the router burnt down") == ("nftables",)
    standing, now = enforce.standing_of(folder)
    assert now.pending is None
    # What was done stands; what may stand is told, so that it is looked for and lifted.
    assert sorted(standing) == ["nftables", "unbound"]
    assert "given up by Aroha: the router burnt down" in now.ended[-1].does
    other = case(tmp_path / "cases", talking("inc2"))
    plan = planned(other)
    allow(other, plan)
    enforce.apply(other, plan, [zone], OWN, KNOWN, "Ben")
    assert [block.cases for block in enforce.standing_of(other)[0]["unbound"]] == [("inc1", "inc2")]


def test_an_undo_that_is_given_up_leaves_the_blocks_told(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    zone = _place(tmp_path)[0]
    enforce.apply(folder, kept, [zone], OWN, KNOWN, "Ben")
    dead = Place(enforcer="unbound", zone_file=str(tmp_path / "none" / "zone"), control=("true",))
    with pytest.raises(ActError, match="could not"):
        enforce.undo(folder, [dead], "Ben")
    enforce.give_up(folder, "Ben", "its disk is gone")
    assert enforce.standing_of(folder)[0]["unbound"]


def test_what_was_half_applied_is_not_forgotten_when_its_undo_is_given_up(tmp_path: Path) -> None:
    folder, kept = _ready(tmp_path)
    dead = Place(enforcer="unbound", zone_file=str(tmp_path / "none" / "zone"), control=("true",))
    for do in (
        lambda: enforce.apply(folder, kept, [dead], OWN, KNOWN, "Ben"),
        lambda: enforce.undo(folder, [dead], "Ben"),
    ):
        with pytest.raises(ActError, match="could not"):
            do()
    enforce.give_up(folder, "Ben", "its disk is gone")
    assert [block.cases for block in enforce.standing_of(folder)[0]["unbound"]] == [("inc1",)]
    assert enforce.undo(folder, _place(tmp_path), "Ben") == ()
    assert enforce.standing_of(folder)[0]["unbound"] == ()
