"""What is known of a case, and a table of rules, in; whether a minister must hear of it, and the page for them, out.

The page keeps apart what records show, what is likely, and what nobody knows. It names nobody as responsible unless two
people signed that, and says of lists of groups only who suspects what.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

import msgspec

from tocsin.disclose.filling import Filler
from tocsin.disclose.register import somebody_came
from tocsin.errors import SettingsError
from tocsin.model.asset import Criticality, Sensitivity
from tocsin.model.incident import Incident, Rank
from tocsin.model.letter import Letter, Passage
from tocsin.model.notification import EXTENTS, Extent, Notification

_MOST: Final = 5  # lines of a part of the page, which is one sheet
_LONGEST: Final = 180
_REACHED: Final = frozenset({"reached", "data left"})
# How far it went, and what the page is called then: who was only tried is not told that somebody got in.
_HOW_FAR: Final[Mapping[str, str]] = {
    "got in": "somebody got into systems",
    "may have": "somebody may have got into systems",
    "tried": "somebody tried to get at people",
    "not known": "signs of somebody, of whom nobody knows how far they got,",
}


class _When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    extent: Extent | None = None
    people: int = 0
    targeted: int = 0
    agencies: int = 0
    criticality: tuple[Criticality, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    left: bool = False
    rank: tuple[Rank, ...] = ()
    state: int = 0
    partners: bool = False
    public: bool = False
    category: int = 0


class _Category(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: int
    name: str
    says: str
    when: _When = _When()
    never_proposed: bool = False


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    says: str
    when: _When


class _Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    says: str
    risks: tuple[str, ...]


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    says: str
    when: Literal["always", "not held", "public", "got in", "may have", "tried"] = "always"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Categories, the rules by which a minister must hear of a case, and the words of the page."""

    category: tuple[_Category, ...]
    rule: tuple[_Rule, ...]
    option: tuple[_Option, ...] = ()
    line: tuple[_Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the page is made of, besides the incident and the register.

    Args:
        category: that somebody decided on, with who it was; 0 and '' where the table proposes one.
        state: percent, that a group is behind it behind which public lists suspect a state; `state_word` for that.
        answer: what the technical comparison allows to be said, `confidence` in the evidence; '' where nobody compared.
        said_before: who has publicly suspected whom.
        held: words in which two people hold somebody responsible, '' while they do not.
        facts: sentences on what records show; `surely` on how sure they are; `done` what is done.
        undecided: entries of the register on which nobody decided; `untold` those to be told that were not.
        public: whether somebody told the public, or somebody decided that it soon will be.
    """

    category: int = 0
    category_by: str = ""
    state: int = 0
    state_word: str = "roughly even chance"
    answer: str = ""
    confidence: str = ""
    said_before: tuple[str, ...] = ()
    held: str = ""
    facts: tuple[str, ...] = ()
    surely: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    undecided: int = 0
    untold: int = 0
    public: bool = False


def built_in() -> Table:
    return read(
        resources.files("tocsin.disclose").joinpath("minister.toml").read_text(encoding="utf-8"), "minister.toml"
    )


def read(text: str, name: str) -> Table:
    try:
        table = msgspec.convert(tomllib.loads(text), Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{name}: {error}", hint="docs/telling.md says what the table has.") from error
    if not table.category or any(one.when != _When() and one.never_proposed for one in table.category):
        raise SettingsError(
            f"{name}: categories are missing or at odds", hint="One that is never proposed has no `when`."
        )
    return table


def category(table: Table, incident: Incident, register: Sequence[Notification], known: Known) -> _Category:
    """That somebody decided on, or the first whose conditions hold."""
    if known.category:
        for one in table.category:
            if one.number == known.category:
                return one
        numbers = ", ".join(str(one.number) for one in table.category)
        raise SettingsError(f"there is no category {known.category}", hint=f"There are {numbers}.")
    for one in table.category:
        if not one.never_proposed and _holds(one.when, incident, register, known, 0):
            return one
    return table.category[-1]


def reasons(
    table: Table, incident: Incident, register: Sequence[Notification], known: Known, shown: Callable[[str], str]
) -> tuple[str, ...]:
    """Why a minister must hear of it; none where no rule says so."""
    which = category(table, incident, register, known)
    filler = _filler(which, known, shown)
    return tuple(
        filler.fill(rule.says) for rule in table.rule if _holds(rule.when, incident, register, known, which.number)
    )


def _holds(when: _When, incident: Incident, register: Sequence[Notification], known: Known, number: int) -> bool:
    persons = [one for one in register if one.kind == "person"]
    reached = sum(one.extent in _REACHED for one in persons)
    chosen = sum(one.extent == "targeted" for one in persons)
    furthest = max((EXTENTS.index(one.extent) for one in persons), default=-1)
    agencies = len({held.authority for held in incident.assets if held.authority})
    left = any(
        claim.stage == "left" and claim.amount.lower and claim.confidence != "low"
        for claim in (incident.impact.claims if incident.impact else ())
    )
    partners = any(one.terms for one in incident.findings) or any(one.kind == "partner" for one in register)
    return all(
        (
            when.extent is None or furthest >= EXTENTS.index(when.extent),
            reached >= when.people,
            chosen >= when.targeted,
            agencies >= when.agencies,
            not when.criticality or any(held.criticality in when.criticality for held in incident.assets),
            not when.sensitivity or any(held.sensitivity in when.sensitivity for held in incident.assets),
            left or not when.left,
            not when.rank or incident.rank in when.rank,
            known.state >= when.state,
            partners or not when.partners,
            known.public or bool(incident.claims) or not when.public,
            not when.category or 0 < number <= when.category,
        )
    )


def how_far(register: Sequence[Notification], incident: Incident) -> str:
    """The furthest that records of anybody show: got in, may have, tried; or that it is not known.

    A machine of no list has no owner on the register, and somebody may have come to it all the same.
    """
    extents = {one.extent for one in register if one.kind in {"person", "owner", "agency"}}
    if not extents.isdisjoint(_REACHED):
        return "got in"
    if "possibly reached" in extents or somebody_came(incident):
        return "may have"
    return "tried" if "targeted" in extents else "not known"


def page(
    table: Table,
    case: str,
    incident: Incident,
    register: Sequence[Notification],
    known: Known,
    shown: Callable[[str], str],
    *,
    marking: str,
) -> Letter:
    """The page, of one sheet."""
    which, far = category(table, incident, register, known), how_far(register, incident)
    filler = _filler(which, known, shown)
    why = reasons(table, incident, register, known, shown)
    decided = f"as {known.category_by} decided" if known.category else "as the table proposes; nobody has decided on it"
    told = [f"Category {which.number}, {which.name}: {which.says} ({decided}).", *(f"Because {one}." for one in why)]
    if not why:
        told.append("No rule says that a minister must hear of it.")
    options = [
        f"{one.name}. {one.says} Risks: {' '.join(filter(None, map(filler.fill, one.risks)))}" for one in table.option
    ]
    lines = [
        filler.fill(one.says)
        for one in table.line
        if one.when in {"always", far}
        or (one.when == "not held" and not known.held)
        or (one.when == "public" and (known.public or incident.claims))
    ]
    who = [f"Two people have decided whom to hold responsible: {known.held}."] if known.held else []
    who += [known.answer or "Nobody has compared it with what is known of groups."]
    who += [known.confidence] if known.confidence else []
    parts = (
        ("why", "Why you hear of this", told, _MOST + 1),
        ("facts", "What records show", known.facts, _MOST + 2),
        ("sure", "How sure we are", [*who, *known.surely], _MOST),
        ("done", "What is done", known.done, _MOST),
        ("options", "What can be done, and what may go wrong", options, 3),
        ("before", "Who has publicly said what before", known.said_before or ["Nothing that fits is known."], 3),
        ("lines", "Lines to take", lines, 4),
        ("unknown", "What is not known", _not_known(incident, register), _MOST),
    )
    passages = tuple(
        Passage(id=name, heading=heading, lines=_few(every, most, shown), points=True)
        for name, heading, every, most in parts
    )
    where = " and ".join(dict.fromkeys(held.authority for held in incident.assets if held.authority))
    title = shown(f"For the minister: {_HOW_FAR[far]}{f' of {where}' if where else ''}")
    return Letter(
        key="minister",
        title=_cut(title, 120),
        language="en",
        passages=passages,
        marking=shown(f"{marking} – case {case}"),
    )


def _filler(which: _Category, known: Known, shown: Callable[[str], str]) -> Filler:
    values: Mapping[str, str | bool] = {
        "category": str(which.number),
        "category_name": which.name,
        "state_word": known.state_word,
        "undecided": f"{known.undecided:,}",
        "untold": f"{known.untold:,}",
    }
    return Filler(values, shown)


def _not_known(incident: Incident, register: Sequence[Notification]) -> list[str]:
    told = []
    possibly = sum(one.extent == "possibly reached" and one.kind == "person" for one in register)
    if possibly:
        told.append(f"Whether {possibly:,} people who may have been reached were.")
    if any(one.kind == "person" and one.extent == "cannot know" for one in register):
        told.append("Who else was reached: there are accounts or questions of which the logs do not tell.")
    if incident.impact is None:
        told.append("What was taken: nobody has looked.")
    else:
        told += [f"{one.question[:1].upper()}{one.question[1:]}." for one in incident.impact.unanswered]
    return [*told, *incident.not_seen]


def _few(every: Sequence[str], most: int, shown: Callable[[str], str]) -> tuple[str, ...]:
    cut = [_cut(shown(one), _LONGEST if most > 3 else 2 * _LONGEST) for one in every]
    return tuple(cut) if len(cut) <= most else (*cut[: most - 1], f"And {len(cut) - most + 1} more, in the case.")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
