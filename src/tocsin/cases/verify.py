"""The folder of a case in, what is wrong with it out: chain, head, signatures, and documents by their digests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from tocsin.cases import folder as layout
from tocsin.cases.writer import BY_ITSELF, untold
from tocsin.errors import CaseError, SealError
from tocsin.model.case import (
    Attached,
    Closed,
    Decided,
    Entry,
    Introduced,
    Mended,
    Merged,
    Opened,
    Reopened,
    Revised,
    Taken,
    Told,
)
from tocsin.model.decision import Decision, Signer
from tocsin.seal import decisions, keys

CLOSE: Final = "close"  # what is decided on when a case is closed
YES: Final = "yes"

_HEAD: Final = re.compile(r"[0-9a-f]{16,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`faults` are what must not be so: the case was changed. `notes` are no faults, and should be known."""

    entries: int
    head: str
    people: tuple[Signer, ...]
    decisions: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def verify(folder: Path, *, heads: Iterable[str] = (), known: Iterable[Signer] = ()) -> Verdict:
    """Check all that can be checked.

    Args:
        folder: of the case.
        heads: digests that people were told, as at a handover, whole or their first 16 digits or more. Whoever can
            write in the folder can write it anew from the beginning; what they cannot do is reach these heads.
        known: people whose keys came another way than in the case; who is of the same name must have the same key.
    """
    stored = layout.load(folder)
    faults, notes = list(stored.faults), list(stored.notes)
    faults += _told(stored.entries, heads)
    people = tuple(entry.what.signer for entry in stored.entries if isinstance(entry.what, Introduced))
    faults += _introduced(stored.entries)
    for word, is_fault in _people(people, tuple(known)):
        (faults if is_fault else notes).append(word)
    faults += wrong_decisions(stored.entries)
    faults += _documents(folder, stored.entries)
    notes += _loose(folder, stored.entries)
    for one, other in pairwise(stored.entries):
        if other.at < one.at:
            notes.append(f"entry {other.n} is of an earlier time than the one before it: a clock was set, or is wrong")
    return Verdict(
        entries=len(stored.entries),
        head=stored.chain.head,
        people=people,
        decisions=sum(isinstance(entry.what, Decided) for entry in stored.entries),
        faults=tuple(faults),
        notes=tuple(notes),
    )


def _told(entries: Sequence[Entry], heads: Iterable[str]) -> Iterator[str]:
    there = [entry.digest for entry in entries]
    for told in heads:
        head = re.sub(r"\s", "", told).lower()
        if not _HEAD.fullmatch(head):
            raise CaseError(f"{told[:80]} is no head of a log", hint="It has 64 hexadecimal digits; give 16 or more.")
        if not any(digest.startswith(head) for digest in there):
            yield f"{layout.LOG}: the head {head[:16]} that somebody was told is not in it: it was written anew or cut"


def _introduced(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry.what, Introduced):
            signer = entry.what.signer
            try:
                right = keys.fingerprint(keys.public(signer.key)) == signer.fingerprint
            except SealError:
                right = False
            if not right:
                yield f"entry {entry.n}: what is said to be the key of {signer.name} is not"


def _people(people: Sequence[Signer], known: Sequence[Signer]) -> Iterator[tuple[str, bool]]:
    for signer in people:
        same = [one for one in known if one.name == signer.name]
        if not same:
            yield (
                f"{signer.name} signs with {signer.fingerprint}, which is not known here: ask them if it is theirs",
                False,
            )
        elif signer.fingerprint not in [one.fingerprint for one in same]:
            yield f"{signer.name} is known here with another key than {signer.fingerprint}", True


def wrong_decisions(entries: Sequence[Entry]) -> Iterator[str]:
    """Each was signed by a person who had been introduced, about this case, with what stands before it in view."""
    people: list[Signer] = []
    before: set[str] = set()
    good: dict[str, Decision] = {}
    for entry in entries:
        what = entry.what
        if isinstance(what, Introduced):
            people.append(what.signer)
        elif isinstance(what, Reopened):
            good = {}
        elif isinstance(what, Decided):
            try:
                decision = read_decision(what, people, _name_of(entries), before)
            except SealError as error:
                yield f"entry {entry.n}, a decision of {what.decision.by}: {error.message}"
            else:
                good[entry.digest] = decision
        elif isinstance(what, Closed) and not closes(good[name] for name in what.decisions if name in good):
            yield f"entry {entry.n}: closed without a signed decision to close it"
        before.add(entry.digest)


def trusted(entries: Sequence[Entry], known: Iterable[Signer]) -> tuple[Taken, ...]:
    """Decisions that were signed in this log with keys that came here another way than in it; others are left out.

    What stands in the log beside a signature is never taken for what was signed.
    """
    ours = {(one.fingerprint, one.name) for one in known}
    people: list[Signer] = []
    before: set[str] = set()
    found = []
    for entry in entries:
        what = entry.what
        if isinstance(what, Introduced):
            people.append(what.signer)
        elif isinstance(what, Decided) and (what.decision.key, what.decision.by) in ours:
            with suppress(SealError):
                decision = read_decision(what, people, _name_of(entries), before)
                found.append(Taken(n=entry.n, entry=entry.digest, decision=decision))
        before.add(entry.digest)
    return tuple(found)


def read_decision(what: Decided, people: Iterable[Signer], case: str, before: Iterable[str]) -> Decision:
    """The decision as it was signed; it must be the one that stands beside it, and of this log."""
    decision = decisions.read(what.envelope, people)
    if decision != what.decision:
        raise SealError("says something else than what was signed")
    if decision.case != case:
        raise SealError(f"is about another case: {decision.case}")
    if decision.head not in before:
        raise SealError("was signed over another log than this one")
    return decision


def closes(taken: Iterable[Decision]) -> bool:
    return decisions.settled(taken, subject=CLOSE, choice=YES)


def _name_of(entries: Sequence[Entry]) -> str:
    return entries[0].what.case if entries and isinstance(entries[0].what, Opened) else ""


def wanted(entries: Iterable[Entry]) -> Iterator[tuple[int, str]]:
    """The documents that must lie in the case, with the entries that name them."""
    for entry in entries:
        what = entry.what
        if isinstance(what, Opened) and what.incident:
            yield entry.n, what.incident
        elif isinstance(what, Revised) or (isinstance(what, Attached) and what.kept):
            yield entry.n, what.sha256
        elif isinstance(what, Merged):
            yield entry.n, what.log
        elif isinstance(what, Told) and what.word.letter:
            yield entry.n, what.word.letter


def _documents(folder: Path, entries: Sequence[Entry]) -> Iterator[str]:
    checked: set[str] = set()
    for n, digest in wanted(entries):
        if digest in checked:
            continue
        checked.add(digest)
        try:
            layout.kept(folder, digest)
        except CaseError:
            yield f"{layout.KEPT}/{digest}: is not there, or was changed; entry {n} names it"
    for entry in entries:
        if isinstance(entry.what, Mended):
            if entry.by != BY_ITSELF:
                yield f"entry {entry.n}: only tocsin mends a log, not {entry.by}"
            try:
                layout.torn(folder, entry.what.at_byte, entry.what.sha256)
            except CaseError:
                yield f"{layout.TORN}/: what entry {entry.n} names is not there, or was changed"


def _loose(folder: Path, entries: Sequence[Entry]) -> Iterator[str]:
    named = {digest for _, digest in wanted(entries)}
    for name in layout.names(folder, layout.KEPT):
        if name not in named:
            yield f"{layout.KEPT}/{name[:80]}: no entry names it, as after a kill"
    for mended in untold(folder, entries):
        yield f"{layout.TORN}/{mended.at_byte}-{mended.sha256[:64]}: cut off, and the next entry will tell of it"
