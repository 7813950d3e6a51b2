"""Which records beside an incident tell of ordinary life, and what is said where there are too many; by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from investigate.test_context import NETWORK, told
from tocsin import collect
from tocsin.investigate import context
from tocsin.investigate.context import Bead, Lead, Leads, ordinary
from tocsin.investigate.context import beads as kept
from tocsin.investigate.context import told as telling
from tocsin.model.asset import Assets
from tocsin.model.context import LeadKind
from tocsin.model.kind import ENVELOPE

HOUR = 3_600_000_000
DAY = 24 * HOUR
ADDRESS: Lead = ("address", "203.0.113.50")
APPLICATION: Lead = ("application", "00000000-0000-4000-8000-000000000001")
PROGRAM: Lead = ("program", "pc1|c:\\tools\\own.exe")
PROCESS: Lead = ("process", "00000000-0000-0000-0000-000000000001")
FOUND = 10 * DAY  # when something of weight was found


def bead(
    ts: int, *names: Lead, kind: str = "webserver", person: str = "", asker: str = "", rec: int = 0, who: str = "www"
) -> Bead:
    told_of: list[tuple[LeadKind, str]] = list(names)
    return Bead(
        kind=kind,
        file="a.log",
        path="a.log",
        rec=rec or ts,
        chunk=0,
        ts=ts,
        who=person or who,
        names=told_of,
        met=[],
        host="",
        person=person,
        asker=asker,
    )


def visit(ts: int, kind: str = "webserver", *, person: str = "", who: str = "www") -> Bead:
    return bead(ts, ADDRESS, kind=kind, person=person, asker=ADDRESS[1], who=who)


def leads(*names: Lead, on: str = "pc1") -> Leads:
    weighed = {on: frozenset({FOUND})}
    return Leads(since_us=0, until_us=99 * DAY, why=dict.fromkeys(names, "a finding names it"), weighed_us=weighed)


def shown(beads: Sequence[Bead], lead: Lead, *others: Leads) -> list[int]:
    """When those were that tell something of an incident which leads to this one thing."""
    one = leads(lead)
    usual = ordinary.ordinary(beads, (one, *others))
    return [each.ts for each in beads if usual.tells(each, lead, one)]


def test_a_visitor_is_told_of_around_the_time_that_something_was_found() -> None:
    visits = [FOUND - 2 * HOUR, FOUND - 70 * HOUR // 60, FOUND - HOUR // 2, FOUND + 8 * HOUR, FOUND + 3 * DAY]
    assert shown([visit(ts) for ts in visits], ADDRESS) == visits[0:3]  # each within the hour of the next: one stay


@pytest.mark.parametrize("kind", ["mail", "windows", "m365"])
def test_what_is_not_open_to_all_is_told_of_whenever_it_was(kind: str) -> None:
    assert shown([visit(FOUND + 9 * DAY, kind, person="mere" if kind == "m365" else "")], ADDRESS)


def test_what_a_machine_of_ours_asked_for_is_no_visit() -> None:
    assert shown([bead(FOUND + 9 * DAY, ADDRESS, kind="zeek")], ADDRESS)


@pytest.mark.parametrize(("on", "seen"), [("www", True), ("mail1", False)])
def test_a_visit_when_another_incident_was_found_on_the_machine_visited(on: str, seen: bool) -> None:
    early = visit(2 * DAY)
    other = Leads(since_us=0, until_us=99 * DAY, why={}, weighed_us={on: frozenset({2 * DAY + HOUR // 2})})
    assert bool(shown([early], ADDRESS, other)) is seen


@pytest.mark.parametrize(("people", "days", "told_of"), [(1, 5, 0), (1, 4, 4), (2, 5, 5)])
def test_where_one_person_comes_from_every_day_somebody_is_at_home(people: int, days: int, told_of: int) -> None:
    signed_in = [visit(day * DAY, "m365", person=f"p{day % people}") for day in range(days)]
    assert len(shown(signed_in, ADDRESS)) == told_of


def test_who_came_every_day_only_since_something_was_found_is_not_at_home() -> None:
    """Whoever took an account reads its mail day after day, alone, from an address of theirs."""
    signed_in = [visit(FOUND + day * DAY + 3 * HOUR, "m365", person="mere") for day in range(9)]
    of_it = leads(ADDRESS)
    usual = ordinary.ordinary(signed_in, (of_it,))
    assert all(usual.tells(each, ADDRESS, of_it) for each in signed_in)


@pytest.mark.parametrize(("before", "told_of"), [(2 * DAY, 0), (HOUR, 2)])
def test_a_program_that_ran_before_is_the_houses_own(before: int, told_of: int) -> None:
    ran = [bead(FOUND - before, PROGRAM, kind="windows"), bead(FOUND, PROGRAM, PROCESS, kind="windows", rec=7)]
    assert len(shown(ran, PROGRAM)) == told_of
    assert shown(ran, PROCESS) or PROCESS not in ran[0].names  # what that process itself did stands


@pytest.mark.parametrize(("people", "lines"), [(1, 6), (2, 1)])
def test_an_application_in_service_is_one_line(tmp_path: Path, people: int, lines: int) -> None:
    (incident, *_) = told(tmp_path)
    used = [
        bead(FOUND + day * DAY, APPLICATION, kind="m365", person=f"p{day % people}@house.example") for day in range(6)
    ]
    (one,) = telling((incident,), (leads(APPLICATION),), used, {}, Assets())
    assert [beside.kind for beside in one.context] == ["application"] * lines
    assert sum(beside.count for beside in one.context) == 6
    assert all(("day after day" in beside.because) is (lines == 1) for beside in one.context)


def test_what_is_too_much_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (incident, *_) = told(tmp_path)
    visits = [visit(FOUND + day * DAY, "mail", who=f"m{day}") for day in range(4)]
    looked_for = leads(ADDRESS)
    (whole,) = telling((incident,), (looked_for,), visits, {}, Assets())
    assert whole.not_seen == incident.not_seen
    monkeypatch.setattr(sys.modules["tocsin.investigate.context.told"], "MOST", 3)
    (one,) = telling((incident,), (looked_for,), visits, {}, Assets(), 12)
    assert [sentence for sentence in one.not_seen if sentence.startswith("context: ")] == [
        "context: 1 more records that share a thing with it are not listed",
        "context: 12 records that share a thing with this or another incident were too many to be kept",
    ]


def test_what_was_not_kept_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "conn.log"
    log.write_text("\n".join(NETWORK[:2]) + "\n", encoding="utf-8")
    sought = context.search([replace(leads(ADDRESS), until_us=1 << 60)], tmp_path / "beads")
    assert sought is not None
    tables = list(collect.read(log, context.FIELDS | ENVELOPE))
    for events in tables:
        context.keep(sought, "000000", events)
    assert (len(context.read(sought).beads), context.read(sought).cut) == (2, 0)
    monkeypatch.setattr(kept, "MOST", 1)
    assert (len(context.read(sought).beads), context.read(sought).cut) == (1, 1)
    monkeypatch.setattr(kept, "_MOST_BYTES", 0)
    for events in tables:
        context.keep(sought, "000001", events)
    assert (len(context.read(sought).beads), context.read(sought).cut) == (1, 3)
