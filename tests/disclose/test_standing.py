"""Where telling somebody stands: which decision counts, what is late, whose it then is."""

from __future__ import annotations

import pytest

from disclose.made import TELLING, entry
from tocsin.disclose import clocks, standing
from tocsin.model.case import Listing, Spoken, Taken
from tocsin.model.decision import Decision
from tocsin.model.notification import Notification, Standing, Word

LAWS = {one.id: one for one in clocks.built_in()}
AT = "2026-11-24T10:00:00.000000Z"


def _at(hours: float) -> str:
    return clocks.written(clocks.moment(AT).replace() + clocks.timedelta(hours=hours))


def _taken(n: int, choice: str, hours: float = 0) -> Taken:
    decision = Decision(
        case="c", subject="tell:x", choice=choice, role="lead", by="Ben", key="k", at=_at(hours), reason="r", seen="s"
    )
    return Taken(n=n, entry="", decision=decision)


def _spoken(n: int, deed: str, hours: float = 1, stage: str = "") -> Spoken:
    return Spoken(n=n, at=_at(hours), by="Ben", word=Word(key="x", deed=deed, by="mail", stage=stage))  # type: ignore[arg-type]


def _standing(
    taken: list[Taken], told: list[Spoken], hours: float, one: Notification | None = None, n: int = 5
) -> Standing:
    listing = Listing(n=n, at=AT, entry=one or entry())
    return standing.standing(listing, taken, told, TELLING, LAWS, aware_at=AT, now=_at(hours))


@pytest.mark.parametrize(
    ("taken", "told", "hours", "state"),
    [
        ([], [], 1, "undecided"),
        ([_taken(3, "now")], [], 1, "undecided"),  # before the extent was what it is
        ([_taken(7, "now")], [], 1, "to tell"),
        ([_taken(7, "not")], [], 999, "not to tell"),
        ([_taken(7, f"by {_at(48)}")], [], 47, "later"),
        ([_taken(7, f"by {_at(48)}")], [], 48, "to tell"),
        ([_taken(7, "now"), _taken(8, "not")], [], 1, "not to tell"),
        ([_taken(7, "now")], [_spoken(8, "begun")], 2, "uncertain"),
        ([_taken(7, "now")], [_spoken(8, "begun"), _spoken(9, "called back")], 2, "uncertain"),
        ([_taken(7, "now")], [_spoken(8, "begun"), _spoken(9, "failed")], 2, "to tell"),
        ([_taken(7, "now")], [_spoken(8, "begun"), _spoken(9, "sent")], 2, "told"),
        ([_taken(7, "now")], [_spoken(8, "begun"), _spoken(9, "sent"), _spoken(10, "acknowledged")], 2, "acknowledged"),
        ([_taken(7, "now")], [_spoken(8, "begun"), _spoken(9, "written")], 2, "written"),
        ([_taken(7, "now")], [_spoken(9, "written"), _spoken(10, "delivered")], 2, "told"),
        ([_taken(7, "now")], [_spoken(4, "sent")], 2, "to tell"),  # it was told of less
    ],
)
def test_states(taken: list[Taken], told: list[Spoken], hours: float, state: str) -> None:
    assert _standing(taken, told, hours).state == state


def test_nobody_is_forgotten_silently() -> None:
    assert _standing([], [], 23).overdue_s == 0
    one = _standing([], [], 25)
    assert (one.overdue_s, one.escalate) == (3600, "lead")
    assert _standing([], [], 49).escalate == "leadership"
    assert standing.is_soon(_standing([], [], 20), _at(20))
    assert not standing.is_soon(_standing([], [], 2), _at(2))
    one = _standing([_taken(7, f"by {_at(48)}")], [], 50)
    assert (one.overdue_s, one.escalate) == (7200, "lead")
    assert _standing([_taken(7, "not")], [], 9999).overdue_s == 0


def test_stages_of_a_body_are_told_one_by_one() -> None:
    body = entry("The authority", "reached", key="regulator:x", kind="regulator", id="", laws=("eu-nis2-23",))
    taken = [_taken(7, "now")]
    one = _standing(taken, [], 1, body)
    assert (one.state, one.due_at) == ("to tell", _at(24))
    one = _standing(taken, [_spoken(8, "delivered", 2, "early warning")], 30, body)
    assert (one.state, one.due_at, one.overdue_s) == ("to tell", _at(72), 0)
    told = [
        _spoken(8, "delivered", 2, "early warning"),
        _spoken(9, "delivered", 40, "incident notification"),
        _spoken(10, "delivered", 300, "final report"),
    ]
    assert _standing(taken, told, 301, body).state == "told"
    undecided = _standing([], [], 25, body)
    assert (undecided.due_at, undecided.overdue_s) == (_at(24), 3600)


def test_a_letter_to_a_person_is_what_the_law_asks_for() -> None:
    person = entry(laws=("eu-gdpr-34",))
    one = _standing([_taken(7, "now")], [_spoken(8, "sent", 3)], 4, person)
    assert [(term.stage, term.done_at) for term in one.terms] == [("communication", _at(3))]
