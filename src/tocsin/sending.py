"""A case in, letters to those whom people decided to tell out: written, kept, and sent once, out of band.

In the case's log stands what is begun before anything leaves, and what came of it after. What was begun and has no
other word behind it may have gone out or not; it is not sent again by itself, unless sending twice leaves one letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin import cases, tell
from tocsin.act import here
from tocsin.act.channels import by_kind
from tocsin.disclose import letters, pages, reach
from tocsin.errors import ActError, CaseError, SettingsError
from tocsin.model.incident import Incident
from tocsin.model.letter import Letter, Message
from tocsin.model.notification import Channel, Deed, Notification, Standing, Word
from tocsin.output.screen import shown
from tocsin.seal import decisions
from tocsin.tell import Desk

_WELL: Final = {"sent": "sent by", "written": "lies ready to be handed over, in"}
NO_CHANNEL: Final = "no channel is out of band for them: tell them in person or by telephone, and --record it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A letter that is to go out, and by what; `channel` is None where `why` says that none may be taken."""

    entry: Notification
    letter: Letter
    channel: Channel | None
    to: str
    why: tuple[str, ...] = ()


def written(folder: Path, at: Desk, now: str = "") -> Iterator[tuple[Standing, Letter]]:
    """Letters to all whom somebody decided to tell now. There is none for others: drafts lie about, and go astray."""
    facts = _facts(folder, at)
    for one in tell.standing(folder, at, now):
        if one.state in {"to tell", "uncertain", "written", "told", "acknowledged"} and letters.is_written(
            one.notification
        ):
            yield one, letters.letter(one.notification, facts, at.telling, at.languages, shown)


def intended(folder: Path, at: Desk, wanted: str = "", now: str = "") -> tuple[Intent, ...]:
    """What would be sent: to whom, and by which channel.

    Args:
        wanted: the name of a channel that is to be taken; any that is out of band if not given.
    """
    case, found = tell.incidents_of(folder, at)
    tell.refuse_merged(case)
    channels = [one for one in at.telling.channels if wanted in {"", one.name}]
    if wanted and not channels:
        names = ", ".join(one.name for one in at.telling.channels) or "none"
        raise SettingsError(f"--channel {wanted[:80]}: there is none", hint=f"The file of --telling has {names}.")
    within = reach.scope(found, [one.entry for one in case.register])
    ours = [name for name, _ in here.hosts()]
    intents = []
    for one, letter in written(folder, at, now):
        if one.state == "to tell" or (one.state == "uncertain" and _repeats(one, channels)):
            intents.append(_intent(one.notification, letter, channels, within, ours, case.told))
    return tuple(intents)


def _repeats(one: Standing, channels: Sequence[Channel]) -> bool:
    """Whether what was begun may be done again, by the same channel, without a second letter."""
    begun = one.words[-1].by
    return any(channel.name == begun and by_kind(channel.kind).REPEATS for channel in channels)


def _intent(
    entry: Notification,
    letter: Letter,
    channels: Sequence[Channel],
    within: reach.Scope,
    ours: Sequence[str],
    told: Sequence[object],
) -> Intent:
    why = _unsure(entry, told)
    to = reach.mailbox(entry.contact)
    refusals = [reach.refusal(channel, to, within, ours) for channel in channels]
    fit = [channel for channel, refused in zip(channels, refusals, strict=True) if not refused]
    if why or not fit:
        told_why = why or [f"{channel.name}: {refused}" for channel, refused in zip(channels, refusals, strict=True)]
        return Intent(entry=entry, letter=letter, channel=None, to=to, why=tuple(told_why or [NO_CHANNEL]))
    return Intent(entry=entry, letter=letter, channel=fit[0], to=to if fit[0].kind == "smtp" else "")


def _unsure(entry: Notification, told: Sequence[object]) -> list[str]:
    """Who may be mistaken for another is called first, on the number that the list has for them."""
    others = (*entry.instead, *entry.namesakes)
    called = any(one.word.key == entry.key and one.word.deed == "called back" for one in told)  # type: ignore[attr-defined]
    if not others or called:
        return []
    word = "may be meant instead" if entry.instead else "has the same name"
    number = entry.contact or "a number that the list does not have"
    return [f"{', '.join(dict.fromkeys(others))} {word}: call {number} first, and --record it as 'called back'"]


def _facts(folder: Path, at: Desk) -> letters.Facts:
    entries, _, _ = cases.entries_of(folder)
    _, found = tell.incidents_of(folder, at)
    # Mails to some of them came before anybody saw anything.
    sent = [each for one in found for some in one.addressed if not some.doubt for each in some.all]
    spans = [*((one.first_us, one.last_us) for one in found), *((each.first_us, each.last_us) for each in sent)]
    firsts = [first for first, _ in spans if first is not None]
    lasts = [last for _, last in spans if last is not None]
    return letters.Facts(secret=entries[0].digest, first_us=min(firsts, default=None), last_us=max(lasts, default=None))


def message(letter: Letter, to: str, fonts: Path | None = None) -> Message:
    """The same letter to the same address is the same message."""
    text, html, pdf = pages.text(letter), pages.html(letter), pages.pdf(letter, fonts=fonts)
    digest = hashlib.sha256(b"\0".join([letter.key.encode(), to.encode(), text.encode(), html.encode()])).hexdigest()
    return Message(id=digest[:40], to=to, title=letter.title, text=text, html=html, pdf=pdf)


def send(
    folder: Path,
    at: Desk,
    by: str,
    *,
    wanted: str = "",
    only: Sequence[Notification] | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> int:
    """Send what was decided, each once; how many went out.

    Raises:
        CaseError: the case was changed behind our back.
        ActError: something could not be sent, or nobody knows whether it went.
    """
    verdict = cases.verify(folder, known=at.known)
    if verdict.faults:
        raise CaseError(f"{folder}: {verdict.faults[0]}", hint="Nothing is told by a case that was changed.")
    keys = None if only is None else {one.key for one in only}
    sent, troubles = 0, []
    for intent in intended(folder, at, wanted):
        if intent.channel is None or (keys is not None and intent.entry.key not in keys):
            continue
        outcome = _once(folder, at, intent, by)
        if outcome in _WELL:
            sent += 1
            told(f"{intent.entry.key}: {_WELL[outcome]} {intent.channel.name}")
        elif outcome:
            troubles.append(f"{intent.entry.key}: {outcome}")
    if troubles:
        hint = "What failed is tried again by the same command. Of what may have gone out, ask whoever should have it."
        raise ActError(f"{len(troubles)} letters did not go out, or may not have: {troubles[0]}", hint=hint)
    return sent


def _once(folder: Path, at: Desk, intent: Intent, by: str) -> str:
    """Send one letter under the lock of the case: begun, done, ended. What stands now is looked at under it."""
    channel = intent.channel
    assert channel is not None
    sender, mail = by_kind(channel.kind), message(intent.letter, intent.to, at.fonts)
    with cases.writing(folder) as log:
        taken = cases.trusted(log.entries, at.known)
        now = {one.notification.key: one for one in tell.standing_of(log.case, taken, at, decisions.now())}
        standing = now.get(intent.entry.key)
        may = {"to tell", "uncertain"} if sender.REPEATS else {"to tell"}
        if standing is None or standing.state not in may or standing.notification != intent.entry:
            return ""  # somebody else was faster, or decided otherwise
        digest = log.keep(mail.text.encode())
        words = {"key": intent.entry.key, "by": channel.name, "to": intent.to, "letter": digest}
        if standing.state == "to tell":
            cases.say(log, Word(deed="begun", **words), by=by)
        outcome = sender.send(channel, mail)
        if outcome.went == "uncertain":
            return f"it may have gone out: {shown(outcome.said, 200)}"
        ready = outcome.went == "sent" and channel.kind == "drop"
        deed: Deed = "written" if ready else outcome.went
        cases.say(log, Word(deed=deed, note=shown(outcome.said, 200), **words), by=by)
    return deed if deed in _WELL else shown(outcome.said, 200)


def incident_of(found: Sequence[Incident], case: str) -> Incident:
    if not found:
        raise CaseError(f"{case}: has no incident", hint="`tocsin respond --open-cases` makes such cases.")
    return found[0]
