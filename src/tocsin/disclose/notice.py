"""An incident and what is asked in, a notification to another state out: facts, and what is not asserted.

Its parts follow the outline of A/76/135 for requests between states. It holds no name of a person or account: norm (e).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from tocsin.disclose import own
from tocsin.disclose.advisory import holds, own_of
from tocsin.disclose.grade import grade
from tocsin.errors import SettingsError
from tocsin.model.incident import Cited, Incident
from tocsin.model.letter import Letter, Passage
from tocsin.model.norms import Fact, Notice, Relevance, Request, Thread, Urgency
from tocsin.model.pap import ASK_FIRST, source_of
from tocsin.model.tlp import TLP, strictest, tlp_of
from tocsin.observe.fanging import defang
from tocsin.seal.canonical import canonical

NOT_ASSERTED: Final = (
    "That your state, or anybody who acts for it, did this, knew of it, or let it happen.",
    "Who did this. A technical comparison is no statement on who is responsible.",
    "That a norm was breached. Those named are those that may be relevant.",
    "That whoever holds the machines named here had a part in it: they may be victims too.",
)
_LONGEST: Final = 4000
_REFERENCE: Final = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What people say of a notice; the rest is taken from the case."""

    state: str
    sender: str
    verify: str
    request: Request
    action: str
    by_when: str = ""
    receiver: str = ""
    urgency: Urgency = "routine"
    marking: str = "amber"
    norms: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()


def draft(
    incident: Incident,
    relevance: Sequence[Relevance],
    asked: Asked,
    *,
    at: str,
    clock: Callable[[int | None], str],
    evidence: Sequence[str],
    is_public: Callable[[str], bool],
) -> Notice:
    """The notice as it is put before those who decide on it.

    Args:
        clock: a time of a record as people read it.
        evidence: SHA-256 of what the case holds.
        is_public: whether an address can be in anybody's territory.

    Raises:
        SettingsError: a norm has no fact here, an indicator is none of the case, or something is not said.
    """
    marking = _said(incident, asked)
    _refuse_indicators(incident, asked.indicators, marking, is_public)
    may_be = {one.norm.letter for one in relevance if one.may_be}
    if strange := sorted(set(asked.norms) - may_be):
        there = ", ".join(sorted(may_be)) or "none"
        raise SettingsError(
            f"nothing in this case speaks of norm {', '.join(strange)}", hint=f"Those that may be relevant: {there}."
        )
    norms = asked.norms or tuple(sorted(may_be))
    return Notice(
        reference=hashlib.sha256(f"{incident.id} {asked.state} {at}".encode()).hexdigest()[:12],
        case=incident.id,
        at=at,
        urgency=asked.urgency,
        marking=marking,
        sender=asked.sender.strip(),
        verify=asked.verify.strip(),
        state=asked.state.strip(),
        receiver=asked.receiver.strip(),
        norms=norms,
        request=asked.request,
        action=asked.action.strip(),
        by_when=asked.by_when.strip(),
        facts=(
            *_facts(without_bound(incident, marking), clock),
            *(fact for one in relevance if one.norm.letter in norms for fact in one.facts),
        ),
        systems=tuple(_systems(incident)),
        clocks=tuple(_clocks(incident)),
        indicators=tuple(defang(one) for one in asked.indicators),
        evidence=tuple(sorted(set(evidence))),
        consequences=tuple(one.strip() for one in asked.consequences),
        not_asserted=NOT_ASSERTED,
    )


def _said(incident: Incident, asked: Asked) -> str:
    """The marking, once all is said that must be, and nobody is named."""
    if not (marking := tlp_of(asked.marking)):
        raise SettingsError(f"{asked.marking[:40]!r} is no TLP marking", hint=f"There are {', '.join(TLP)}.")
    for name in ("state", "sender", "verify", "action"):
        if not getattr(asked, name).strip() or len(getattr(asked, name)) > _LONGEST:
            raise SettingsError(f"the notice does not say its {name}", hint="docs/norms.md says what it takes.")
    if names := own.named(incident, (asked.action, asked.by_when, *asked.consequences)):
        raise SettingsError(
            f"the notice names {', '.join(names[:5])}", hint="Say it without names of people, accounts and machines."
        )
    return marking


def _refuse_indicators(
    incident: Incident, indicators: Sequence[str], marking: str, is_public: Callable[[str], bool]
) -> None:
    known = {one.name for one in incident.addresses} | {other for one in incident.addresses for other in one.also}
    if strange := [one for one in indicators if one not in known]:
        raise SettingsError(
            f"{', '.join(strange[:5])}: no address of this case", hint="A notice names what findings name, alone."
        )
    is_own = own_of(incident)
    if inside := [one for one in indicators if is_own(one) or not is_public(one)]:
        raise SettingsError(
            f"{', '.join(inside[:5])}: is one's own", hint="What is inside is in nobody else's territory."
        )
    for one in indicators:
        if told := next((each for each in incident.findings if _bound(each, marking) and _speaks_of(each, one)), None):
            raise SettingsError(
                f"{one}: rests on intelligence of {source_of(told.terms or ())}, which may not be in it",
                hint=f"Whoever told of it has not allowed it in TLP:{marking.upper()}. Leave it out, or ask them.",
            )


def _facts(incident: Incident, clock: Callable[[int | None], str]) -> list[Fact]:
    found = []
    if incident.first_us is not None:
        found.append(Fact(text=f"Records show it from {clock(incident.first_us)} to {clock(incident.last_us)} UTC."))
    machines, accounts = len(incident.hosts), len(incident.accounts)
    found.append(Fact(text=f"{machines} machines and {accounts} accounts are named by findings."))
    if techniques := sorted({name for one in incident.findings for name in one.techniques}):
        found.append(Fact(text=f"Techniques of ATT&CK that rules name: {', '.join(techniques[:40])}."))
    claims = incident.impact.claims if incident.impact else ()
    for stage, words in (("accessed", "read"), ("staged", "gathered to be taken"), ("left", "taken")):
        sure = [one for one in claims if one.stage == stage and one.confidence == "high"]
        if sure:
            found.append(Fact(text=f"In {len(sure)} places something was {words}, with high confidence."))
    letter_and_digit, why = grade([one for one in incident.findings if one.techniques or one.terms is None])
    if letter_and_digit:
        found.append(Fact(text=f"Grade of these records, by the Admiralty system: {letter_and_digit}, for {why}."))
    return found


def _systems(incident: Incident) -> list[str]:
    """By what they are for, never by name."""
    counts: dict[str, int] = {}
    for one in incident.assets:
        sort = one.criticality or "not known how critical"
        counts[sort] = counts.get(sort, 0) + 1
    return [f"{count} of: {sort}" for sort, count in sorted(counts.items())]


def _clocks(incident: Incident) -> list[str]:
    """How well clocks agree, by size alone: names of machines stay here."""
    if not incident.skews:
        return ["No clock is shown to be wrong; not every clock could be compared."]
    worst = max(abs(one.ahead_us) for one in incident.skews) / 1e6
    return [f"{len(incident.skews)} clocks are off by up to {worst:,.0f} s against others."]


def without_bound(incident: Incident, marking: str) -> Incident:
    """The same, with nothing to be told of findings by intelligence that may not be in a notice of this marking."""
    word = tlp_of(marking)
    return replace(
        incident,
        findings=tuple(
            replace(one, techniques=(), tactics=()) if _bound(one, word) else one for one in incident.findings
        ),
    )


def _bound(one: Cited, marking: str) -> bool:
    """Whether whoever told of it has not allowed that it goes this far. No word of theirs is no leave."""
    if one.terms is None:
        return False
    told = strictest(tlp_of(each) for each in one.terms if each.startswith("tlp:"))
    return ASK_FIRST in one.terms or not told or not marking or TLP.index(told) > TLP.index(marking)


def _speaks_of(one: Cited, value: str) -> bool:
    return any(text is not None and holds(text, value) for text in one.fields.values())


def written(notice: Notice) -> bytes:
    """The notice as it is kept and decided on, by the digest of this."""
    return canonical(msgspec.to_builtins(notice))


def read(content: bytes) -> Notice:
    """The notice of a document.

    Raises:
        ValueError: it is none, or not as `written` makes it.
    """
    try:
        notice = msgspec.json.decode(content, type=Notice)
    except RecursionError as error:
        raise ValueError("too deeply nested") from error
    if not _REFERENCE.fullmatch(notice.reference) or notice.marking not in TLP:  # it names files
        raise ValueError("is no notice")
    return notice


def letter(notice: Notice, relevance: Sequence[Relevance], *, decided: bool) -> Letter:
    """The notice for people to read. A draft says on its face that nobody decided on it."""
    words = {one.norm.letter: one.norm.words for one in relevance}
    head = [] if decided else ["DRAFT. Nobody has decided that this leaves. It is not to be told to anybody."]
    times = [f"By {notice.by_when}." if notice.by_when else "No time is set."]
    to = f"To: {notice.state}" + (f", {notice.receiver}" if notice.receiver else "")
    parts = (
        (
            "what",
            "What this is",
            [*head, "A notification between contact points. To be notified is not to be accused."],
        ),
        (
            "whom",
            "From and to",
            [f"From: {notice.sender}", to],
        ),
        ("reference", "Reference", [f"{notice.reference}, {notice.at[:16].replace('T', ' ')} UTC, {notice.urgency}"]),
        ("norms", "Norms that may be relevant", [f"({one}) {words.get(one, '')}" for one in notice.norms]),
        ("request", f"We ask for {notice.request}", [notice.action, *times]),
        ("facts", "What records show", [one.text for one in notice.facts]),
        ("systems", "Systems, by category", list(notice.systems)),
        ("clocks", "How good the times are", list(notice.clocks)),
        ("indicators", "In your territory, as far as we know", list(notice.indicators)),
        ("consequences", "Consequences", list(notice.consequences)),
        ("not", "What is not asserted", list(notice.not_asserted)),
        ("evidence", "What we hold, by SHA-256", list(notice.evidence)),
        ("verify", "How you check that this is from us", [notice.verify]),
        (
            "answer",
            "Please acknowledge",
            ["Tell us that you have this, and whom we may ask, with the reference above."],
        ),
    )
    return Letter(
        key=f"state:{notice.state}",
        title=f"Notification {notice.reference}",
        language="en",
        passages=tuple(
            Passage(id=name, heading=heading, lines=tuple(lines), points=len(lines) > 1)
            for name, heading, lines in parts
            if lines
        ),
        marking=f"TLP:{notice.marking.upper()}",
    )


def dossier(threads: Sequence[tuple[str, Thread]], marking: str) -> Letter:
    """What was raised over several cases, when, with whom, and what was answered.

    Args:
        threads: each with the id of its case: its title may hold names.

    Raises:
        SettingsError: a notice is marked above it.
    """
    release = tlp_of(marking)
    if not release:
        raise SettingsError(f"{marking[:40]!r} is no TLP marking", hint=f"There are {', '.join(TLP)}.")
    if above := [one.notice.reference for _, one in threads if TLP.index(one.notice.marking) > TLP.index(release)]:
        raise SettingsError(
            f"{', '.join(above[:5])}: marked above TLP:{release.upper()}", hint="Mark the dossier as its notices are."
        )
    passages = []
    for called, one in threads:
        lines = [
            f"Raised with {one.notice.state}: {one.notice.request}; norms {', '.join(one.notice.norms) or 'none'}.",
            *(
                f"{step.at[:10]}: {step.what}, by {step.by} ({step.role})" + (f". {step.words}" if step.words else "")
                for step in one.steps
            ),
            f"It stands as: {one.state}.",
        ]
        passages.append(
            Passage(id=one.digest[:12], heading=f"{called}: {one.notice.reference}", lines=tuple(lines), points=True)
        )
    states = sorted({one.notice.state for _, one in threads})
    first = (
        f"{len(threads)} notices over {len({one.notice.case for _, one in threads})} cases, to {', '.join(states)}.",
        "A pattern that several cases show is not yet a statement on who is behind it.",
    )
    return Letter(
        key="dossier",
        title="What was raised, with whom, and what was answered",
        language="en",
        passages=(Passage(id="first", heading="In short", lines=first), *passages),
        marking=f"TLP:{release.upper()}",
    )
