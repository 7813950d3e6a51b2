"""A case in, the page for a minister out, with the rules by which a minister must hear of it; and what both rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from tocsin import attribution, cases
from tocsin.disclose import brief
from tocsin.errors import TocsinError
from tocsin.model.attribution import CERTAIN, Attribution
from tocsin.model.case import Case
from tocsin.model.decision import Decision, Signer
from tocsin.model.incident import Incident
from tocsin.model.letter import Letter
from tocsin.model.likelihood import word
from tocsin.model.notification import EXTENTS, Standing
from tocsin.output import impact
from tocsin.output.plain import clock
from tocsin.output.screen import shown

# Groups to compare with, read when they are needed: that takes longer than all the rest.
Groups: TypeAlias = Callable[[], attribution.Known]

CATEGORY: Final = "category"  # the subject of a decision on how grave a case is
PUBLIC: Final = "public"  # on whether the public knows, or soon will
_LIKELY: Final = 20  # percent from which on a hypothesis is worth a word on who suspects whom
# Stage and sort of a claim, and how it is told: once, or several times. In the order of what people ask first.
_PLAIN: Final = (
    ("left", "mail", "Mail was sent out of one mailbox", "Mail was sent out of {} mailboxes"),
    ("left", "network", "Something left for one place outside", "Something left for {} places outside"),
    ("left", "file", "Files left one place", "Files left {} places"),
    (
        "accessed",
        "mail",
        "Mail was opened in one mailbox",
        "Mail was opened {} times",
    ),
    ("accessed", "directory", "The directory of all accounts was copied", "The directory of all accounts was copied"),
    (
        "accessed",
        "credential",
        "Passwords or keys on one machine must be taken as known",
        "Passwords or keys must be taken as known, in {} places",
    ),
    ("accessed", "file", "Files were opened in one place", "Files were opened in {} places"),
    ("accessed", "database", "A database was read", "{} databases were read"),
    (
        "staged",
        "archive",
        "An archive was packed, as one does before taking it away",
        "{} archives were packed, as one does before taking them away",
    ),
)


def page(
    folder: Path,
    incident: Incident,
    table: brief.Table,
    standing: Sequence[Standing],
    known: Iterable[Signer],
    groups: Groups,
    *,
    marking: str,
) -> Letter:
    """One sheet."""
    _, case, _ = cases.entries_of(folder)
    told = known_of(folder, case, incident, tuple(known), groups, standing)
    register = [one.entry for one in case.register]
    return brief.page(table, case.id, incident, register, told, shown, marking=marking)


def known_of(
    folder: Path,
    case: Case,
    incident: Incident,
    known: Sequence[Signer],
    groups: Groups,
    standing: Sequence[Standing] = (),
) -> brief.Known:
    """What is known of a case besides its incident."""
    entries, _, _ = cases.entries_of(folder)
    taken = [one.decision for one in cases.trusted(entries, known)]
    category, by, public = _decided(taken)
    compared, compared_with = _compared(folder, groups)
    state = _state(compared, compared_with)
    held = cases.standing(folder, known).held
    return brief.Known(
        category=category,
        category_by=by,
        state=state // (CERTAIN // 100),
        state_word=word(state),
        answer=compared.answer.text if compared else "",
        confidence=compared.confidence if compared else "",
        said_before=tuple(_said_before(compared, compared_with)),
        held=held.responsible if held else "",
        facts=tuple(_facts(incident, case)),
        surely=tuple(_surely(incident)),
        done=tuple(_done(case, taken, standing)),
        undecided=sum(one.state == "undecided" for one in standing),
        untold=sum(one.state in {"to tell", "later", "uncertain", "written"} for one in standing),
        public=public,
    )


def _decided(taken: Iterable[Decision]) -> tuple[int, str, bool]:
    """The category, by whom, and whether it is public: as people last signed it with keys that are known here."""
    category, by, public = 0, "", False
    for one in taken:
        if one.subject == CATEGORY and one.choice.isdecimal() and len(one.choice) < 3:
            category, by = int(one.choice), one.by
        elif one.subject == PUBLIC:
            public = one.choice == cases.YES
    return category, by, public


def _compared(folder: Path, groups: Groups) -> tuple[Attribution | None, attribution.Known | None]:
    """What a comparison with public groups says; none for a case without observations."""
    try:
        seen = attribution.observed(str(folder), folder.parent)
        known = groups()
        return attribution.weigh(seen, known), known
    except TocsinError:
        return None, None


def _state(compared: Attribution | None, groups: attribution.Known | None) -> int:
    """In billionths: all hypotheses of groups behind which a public list suspects a state."""
    if compared is None or groups is None:
        return 0
    sets = groups.knowledge.groups
    suspected = [one for one in compared.hypotheses if one.kind == "kin" or (one.id in sets and sets[one.id].sponsors)]
    return sum(one.billionths for one in suspected)


def _said_before(compared: Attribution | None, groups: attribution.Known | None) -> Iterator[str]:
    """Who suspects whom behind the groups that it may have been. That is said of the groups, never of this case."""
    if compared is None or groups is None:
        return
    for one in compared.hypotheses:
        found = groups.knowledge.groups.get(one.id)
        if found is None or one.billionths * 100 < _LIKELY * CERTAIN:
            continue
        behind = f"{' or '.join(found.sponsors)} is suspected behind it" if found.sponsors else "no state is suspected"
        by = f" (so {', '.join(found.told_by[:2])})" if found.told_by else ""
        yield f"Of the group {one.name}: {behind}{by}. That is not said of this case."


def _facts(incident: Incident, case: Case) -> Iterator[str]:
    if incident.first_us is not None:
        first, last = (clock(us, seconds=False) for us in (incident.first_us, incident.last_us))
        yield f"From {first} to {last} UTC, as far as records show."
    authorities = ", ".join(dict.fromkeys(one.authority for one in incident.assets if one.authority))
    many = len(incident.hosts) != 1
    of = f" of {authorities}" if authorities else ""
    yield f"{len(incident.hosts):,} machine{'s' if many else ''}{of} show{'' if many else 's'} it."
    persons = [one.entry for one in case.register if one.entry.kind == "person" and one.entry.id]
    counts = [(extent, sum(one.extent == extent for one in persons)) for extent in reversed(EXTENTS)]
    told = ", ".join(f"{extent} {count:,}" for extent, count in counts if count)
    yield f"People of the list: {told}." if told else "No person of the list is shown to be touched."
    yield from _taken(incident)


def _taken(incident: Incident) -> Iterator[str]:
    """In words for somebody who is no technician. Flows may be told twice, so only the largest has its figure."""
    if incident.impact is None:
        yield "What was taken: nobody has looked."
        return
    claims = [one for one in incident.impact.claims if one.confidence != "low"]
    for stage, sort, one, several in _PLAIN:
        of = [claim for claim in claims if (claim.stage, claim.sort) == (stage, sort)]
        if not of:
            continue
        words = one if len(of) == 1 else several.format(f"{len(of):,}")
        largest = max(of, key=lambda claim: claim.amount.lower)
        counted = largest.unit == "bytes" and largest.amount.lower
        yield f"{words}{f'; of the largest, {impact.amount(largest.amount, largest.unit)}' if counted else ''}."
    if not claims:
        yield "Records show nothing that was taken. That does not say that nothing was."


def _surely(incident: Incident) -> Iterator[str]:
    claims = incident.impact.claims if incident.impact else ()
    counts = [(sure, sum(claim.confidence == sure for claim in claims)) for sure in ("high", "moderate", "low")]
    told = ", ".join(f"{count:,} of {sure} confidence" for sure, count in counts if count)
    if told:
        yield f"Statements on what was accessed, staged or taken: {told}."


def _done(case: Case, taken: Iterable[Decision], standing: Sequence[Standing]) -> Iterator[str]:
    contained = [one for one in taken if one.subject == "contained"]
    if contained and contained[-1].choice == cases.YES:
        yield f"{contained[-1].by} decided on {contained[-1].at[:10]} that it is contained."
    else:
        yield "Nobody has decided that it is contained."
    told = []
    for state, words in (
        ("undecided", "on whether they are told nobody has decided yet: {}"),
        ("to tell", "to be told now: {}"),
        ("later", "to be told later, for reasons that are signed: {}"),
        ("written", "for whom a letter lies ready to be handed over: {}"),
        ("uncertain", "of whom it is not known whether a letter reached them: {}"),
        ("told", "told: {}"),
        ("acknowledged", "told, and answered: {}"),
        ("not to tell", "not told, for reasons that are signed: {}"),
    ):
        count = sum(one.state == state for one in standing)
        if count:
            told.append(words.format(f"{count:,}"))
    if told:
        yield f"Of the register, {'; '.join(told)}."
    open_ = cases.open_tasks(case)
    if open_:
        yield f"Open tasks: {len(open_):,}."
