"""Telling people on one page: a case in; whom it touches, what is decided on each of them, and what was done, out.

The register is of the case's log. It is brought up to date from the incident, which nobody can leave: entries are only
added, an extent only rises, and what was decided over less is open again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from tocsin import attribution, briefing, cases
from tocsin.border import telling as files
from tocsin.disclose import brief, clocks, letters
from tocsin.disclose import register as registers
from tocsin.disclose import standing as standings
from tocsin.errors import CaseError, SettingsError
from tocsin.investigate.concern import concerned
from tocsin.model.asset import Assets
from tocsin.model.case import Attached, Case, Spoken, Taken
from tocsin.model.decision import Role, Signer
from tocsin.model.incident import Incident
from tocsin.model.notification import AWARE, BY, NOT, NOW, Law, Notification, Standing, Telling, Word, is_choice
from tocsin.model.person import People
from tocsin.output.screen import shown
from tocsin.seal import decisions, keys

_MERGED: Final = "incident of "  # begins the names of incidents of cases that became part of this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a centre tells people by.

    Args:
        people: today's list; None where none was given.
        known: people whose keys came here another way than in a case.
    """

    telling: Telling = field(default_factory=Telling)
    laws: tuple[Law, ...] = ()
    languages: Mapping[str, letters.Words] = field(default_factory=dict)
    table: brief.Table = field(default_factory=brief.built_in)
    people: People | None = None
    assets: Assets | None = None
    fonts: Path | None = None
    known: tuple[Signer, ...] = ()
    groups: briefing.Groups = attribution.known


def desk(
    file: Path | None,
    known: Iterable[Signer],
    *,
    people: People | None = None,
    assets: Assets | None = None,
) -> Desk:
    """As a centre's file says, with our tables where it has none of its own."""
    telling, own = files.read_telling(file) if file else (Telling(), files.Files())
    laws = {one.id: one for one in clocks.built_in()}
    if own.laws:
        laws |= {one.id: one for one in clocks.read(_text(own.laws), str(own.laws))}
    return Desk(
        telling=telling,
        laws=clocks.chosen(laws.values(), telling.jurisdictions),
        languages=letters.words(own.words),
        table=brief.read(_text(own.minister), str(own.minister)) if own.minister else brief.built_in(),
        people=people,
        assets=assets,
        fonts=own.fonts,
        known=tuple(known),
        groups=cache(attribution.known),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}", hint="The file of --telling names it.") from error


# --------------------------------------------------------------------------------- the register


def incidents_of(folder: Path, at: Desk) -> tuple[Case, tuple[Incident, ...]]:
    """The case, its incident, and those of cases that became part of it, held against today's lists if there are."""
    _, case, _ = cases.entries_of(folder)
    own = cases.incident_of(folder, case)
    merged = [_decoded(folder, one) for one in case.attached if one.kept and one.name.startswith(_MERGED)]
    found = [*([own] if own else []), *merged]
    if at.people or at.assets:
        found = [
            replace(
                new,
                people=new.people if at.people else old.people,
                assets=new.assets if at.assets else old.assets,
            )
            for old in found
            for new in concerned([old], at.assets or Assets(), at.people or People())
        ]
    return case, tuple(found)


def refuse_merged(case: Case) -> None:
    """What is decided and told there would be forgotten: the other case goes on."""
    if case.state == "merged":
        raise CaseError(f"{case.id}: became part of {case.merged_into}", hint=f"tocsin tell {case.merged_into}")


def _decoded(folder: Path, one: Attached) -> Incident:
    try:
        return msgspec.json.decode(cases.document(folder, one), type=Incident)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "Only a merge or a split names documents so. See to where it is from."
        raise CaseError(f"{folder}: {one.name[:80]} is no incident: {error}", hint=hint) from error


def bring_up_to_date(folder: Path, at: Desk, by: str) -> tuple[Notification, ...]:
    """Write down whom the case touches by now; what is new of it is given back."""
    case, found = incidents_of(folder, at)
    refuse_merged(case)
    entries: list[Notification] = []
    for one in found:
        entries += registers.register(one, at.telling, at.laws, people=at.people)
    if found:
        register = [*(each.entry for each in case.register), *entries]
        known = briefing.known_of(folder, case, found[0], at.known, at.groups)
        why = brief.reasons(at.table, found[0], register, known, shown)
        entries += [
            each
            for each in registers.register(found[0], at.telling, at.laws, people=at.people, minister=why)
            if each.key == registers.MINISTER
        ]
    with cases.writing(folder) as log:
        return cases.register(log, entries, by=by, incident=case.incident)


def add(folder: Path, at: Desk, who: str, because: str, by: str) -> tuple[Notification, ...]:
    """Somebody is added by hand, whom no record shows."""
    if not because.strip():
        raise CaseError("the reason is empty", hint="Say why they are concerned, with --reason.")
    entries = registers.by_hand(who, "possibly reached", f"{by} added them: {because.strip()}", at.people)
    with cases.writing(folder) as log:
        refuse_merged(log.case)
        return cases.register(log, entries, by=by)


def standing(folder: Path, at: Desk, now: str = "") -> tuple[Standing, ...]:
    """Where telling each of the register stands, those first with whom something is late."""
    entries, case, _ = cases.entries_of(folder)
    return standing_of(case, cases.trusted(entries, at.known), at, now or decisions.now())


def standing_of(case: Case, taken: Sequence[Taken], at: Desk, now: str) -> tuple[Standing, ...]:
    """The same of a case whose log was read: `taken` are the decisions in it that count (`cases.trusted`)."""
    aware_at = standings.aware(case, taken)
    laws = {one.id: one for one in at.laws}
    by_key: dict[tuple[str, str], list[Taken]] = {}
    for one in taken:
        if is_choice(one.decision.choice):
            by_key.setdefault((one.decision.subject, one.decision.seen), []).append(one)
    told: dict[str, list[Spoken]] = {}
    for spoken in case.told:
        told.setdefault(spoken.word.key, []).append(spoken)
    found = [
        standings.standing(
            one,
            by_key.get((cases.subject_of(one.entry), cases.digest_of(one.entry)), ()),
            told.get(one.entry.key, ()),
            at.telling,
            laws,
            aware_at=aware_at,
            now=now,
        )
        for one in case.register
    ]
    return tuple(sorted(found, key=lambda one: (not one.is_open, -one.overdue_s, one.due_at or "9")))


def refuse_to_close(folder: Path, at: Desk, by: str) -> None:
    """Nobody is forgotten when a case is closed: its register is brought up to date, then must be decided whole."""
    bring_up_to_date(folder, at, by)
    _, case, _ = cases.entries_of(folder)
    cases.refuse_to_close(case)
    left = [one for one in standing(folder, at) if one.is_open]
    if left:
        names = ", ".join(f"{one.notification.name} ({one.state})" for one in left[:5])
        hint = "Tell them, and --record it; or decide not to. Decisions count with keys that are known here."
        raise CaseError(f"{case.id}: {len(left)} of its register are not settled: {names}", hint=hint)


# --------------------------------------------------------------------------------- decisions, and what was done


def chosen(case: Case, words: Sequence[str]) -> tuple[Notification, ...]:
    """Entries by their keys, by the beginning of one, or by an extent or a kind for all of it.

    Raises:
        CaseError: a word names nobody, or several begin with it.
    """
    entries = [one.entry for one in case.register]
    found: dict[str, Notification] = {}
    for text in words:
        fitting = [one for one in entries if text in {"all", one.key, one.extent, one.kind}]
        if not fitting:
            fitting = [one for one in entries if text and one.key.startswith(text)]
            if len(fitting) != 1:
                raise CaseError(
                    f"{text[:80]}: names {'several' if fitting else 'nobody'} of the register of {case.id}",
                    hint="Name a key as `tocsin tell CASE` shows it, an extent, a kind such as person, or all.",
                )
        found |= {one.key: one for one in fitting}
    return tuple(found.values())


def choice(text: str, zone: str, now: str) -> str:
    """What may be decided: now, not, or a time before which somebody is to be told."""
    if text in {NOW, NOT}:
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "Write now, not, 2026-11-30, or 2026-11-30T09:00+13:00."
        raise SettingsError(f"{text[:80]}: is nothing that can be decided", hint=hint) from error
    if at.tzinfo is None:
        if len(text) <= len("2026-11-30"):
            at = at.replace(hour=17)  # of a day: by when people go home
        at = clocks.by_clock(at, clocks.zone(zone, "zone"))
    told = clocks.written(at)
    if told <= now:
        raise SettingsError(f"{text}: is over", hint="Decide to tell them now, or by a time to come.")
    return f"{BY}{told}"


def decide(
    folder: Path,
    entries: Iterable[Notification],
    what: str,
    signer: Signer,
    key: keys.Signing,
    *,
    role: Role,
    reason: str,
) -> int:
    """Sign a decision for each of them, over how far it went with them as they were shown."""
    done = 0
    with cases.writing(folder) as log:
        refuse_merged(log.case)
        now = {one.entry.key: one.entry for one in log.case.register}
        for entry in entries:
            if entry.key not in now or cases.digest_of(now[entry.key]) != cases.digest_of(entry):
                raise CaseError(f"{entry.key}: is another one now than was shown", hint="Look again, then decide.")
            cases.decide(
                log,
                signer,
                key,
                subject=cases.subject_of(entry),
                choice=what,
                role=role,
                reason=reason,
                seen=cases.digest_of(entry),
            )
            done += 1
    return done


def decide_aware(folder: Path, at: str, signer: Signer, key: keys.Signing, *, role: Role, reason: str) -> str:
    """Sign when somebody became aware, from which the clocks of laws run."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise SettingsError(f"{at[:80]}: is no time", hint="Write 2026-11-30T09:00+13:00.") from error
    if moment.tzinfo is None:
        raise SettingsError(f"{at}: says no zone", hint="Write 2026-11-30T09:00+13:00, or Z for UTC.")
    if moment > datetime.now(UTC):
        raise SettingsError(f"{at}: has not come yet", hint="Nobody is aware of what will be.")
    told = clocks.written(moment)
    with cases.writing(folder) as log:
        cases.decide(log, signer, key, subject=AWARE, choice=told, role=role, reason=reason)
    return told


def record(folder: Path, entries: Iterable[Notification], told: Word, by: str) -> int:
    """Write down what was done or seen elsewhere: by hand, on the telephone, as an answer."""
    done = 0
    with cases.writing(folder) as log:
        for entry in entries:
            cases.say(log, replace(told, key=entry.key), by=by)
            done += 1
    return done
