"""An entry of a register, what people decided and did, and a time in; out where telling them stands, and what is late.

A decision counts if it was taken since the entry's extent is what it is, over that extent, with a key that is known
here. What was told before the extent rose does not count either: it was about less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from tocsin.disclose import clocks
from tocsin.model.case import Case, Listing, Spoken, Taken
from tocsin.model.notification import AWARE, BY, NOT, NOW, Law, Standing, Telling, Term, is_moment

State: TypeAlias = Literal[
    "undecided", "to tell", "later", "not to tell", "uncertain", "written", "told", "acknowledged"
]

LEADERSHIP_AFTER: Final = timedelta(hours=24)  # of being late; until then it is the lead's
SOON: Final = timedelta(hours=12)
_DONE: Final = frozenset({"sent", "delivered", "acknowledged"})


def aware(case: Case, taken: Iterable[Taken]) -> str:
    """When the clocks of laws began: as somebody signed, or else when the case was opened."""
    said = (one.decision for one in taken)
    told = [one.choice for one in said if one.subject == AWARE and is_moment(one.choice)]
    return told[-1] if told else case.opened_at


def standing(
    listing: Listing,
    taken: Sequence[Taken],
    told: Sequence[Spoken],
    telling: Telling,
    laws: Mapping[str, Law],
    *,
    aware_at: str,
    now: str,
) -> Standing:
    """Where it stands.

    Args:
        taken: decisions on this entry as it is now, of keys that are known, oldest first.
        told: words of telling it, oldest first.
        laws: by id.
    """
    since = [one for one in told if one.n > listing.n]
    last = taken[-1].decision if taken and taken[-1].n > listing.n else None
    terms = _terms(listing, told, laws, aware_at)
    state = _state(last.choice if last else "", since, terms, now, person=listing.entry.kind == "person")
    due_at = _due(state, listing, last.choice if last else "", last.at if last else "", terms, telling)
    late = clocks.moment(now) - clocks.moment(due_at) if due_at else timedelta()
    overdue = max(late, timedelta())
    return Standing(
        notification=listing.entry,
        state=state,
        choice=last.choice if last else "",
        by=last.by if last else "",
        reason=last.reason if last else "",
        terms=terms,
        words=tuple(one.word for one in told),
        due_at=due_at,
        overdue_s=int(overdue.total_seconds()),
        escalate=("leadership" if overdue > LEADERSHIP_AFTER else "lead") if overdue else "",
    )


def is_soon(one: Standing, now: str) -> bool:
    """Whether somebody should be reminded of it."""
    return bool(one.due_at) and not one.overdue_s and clocks.moment(one.due_at) - clocks.moment(now) <= SOON


def _terms(listing: Listing, told: Sequence[Spoken], laws: Mapping[str, Law], aware_at: str) -> tuple[Term, ...]:
    found: list[Term] = []
    for name in listing.entry.laws:
        law = laws.get(name)
        if law is not None:
            done = [one for one in told if one.word.deed in _DONE]
            at = {
                stage.id: one.at
                for stage in law.stages
                for one in reversed(done)  # the first that was told is what counts
                if one.word.stage == stage.id or (law.to == "persons" and one.n > listing.n)
            }
            found += clocks.terms(law, aware_at, at)
    return tuple(found)


def _state(choice: str, since: Sequence[Spoken], terms: Sequence[Term], now: str, *, person: bool) -> State:
    if not choice:
        return "undecided"
    if choice == NOT:
        return "not to tell"
    deeds = [one.word.deed for one in since]
    told = "acknowledged" if "acknowledged" in deeds else "told" if _DONE & set(deeds) else None
    last = next((deed for deed in reversed(deeds) if deed != "called back"), "")
    if last == "begun":
        return "uncertain"
    if told and (person or not any(not one.done_at for one in terms)):
        return told  # type: ignore[return-value]  # one of two words
    if last == "written":
        return "written"
    if choice.startswith(BY) and now < choice.removeprefix(BY):
        return "later"
    return "to tell"


def _due(state: State, listing: Listing, choice: str, at: str, terms: Sequence[Term], telling: Telling) -> str:
    """The earliest of what a law says and of what people set themselves."""
    if state in {"not to tell", "told", "acknowledged"}:
        return ""
    left = [one.due_at for one in terms if one.due_at and not one.done_at]
    within = timedelta(hours=telling.decide_within_h)
    if state == "undecided":
        left.append(_later(listing.at, within))
    elif choice.startswith(BY):
        left.append(choice.removeprefix(BY))
    elif choice == NOW and not left:
        left.append(_later(at, within))
    return min(left, default="")


def _later(at: str, much: timedelta) -> str:
    moment: datetime = clocks.moment(at)
    return clocks.written(moment + much)
