"""The page on what states say to each other: a case in, norms that may be relevant, notices and their threads out.

A notice is a document of its case. It may leave once two people signed it in roles that speak for the state, with keys
of their own, neither of them who proposed it; then it is written to a folder, for a foreign ministry. It is never sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, get_args

from tocsin import cases
from tocsin.disclose import norms, pages
from tocsin.disclose import notice as notices
from tocsin.errors import CaseError
from tocsin.investigate.normal import is_public
from tocsin.model.case import Case, Taken
from tocsin.model.decision import Decision, Role, Signer
from tocsin.model.incident import Incident
from tocsin.model.letter import Letter
from tocsin.model.norms import MAY_SIGN, NEEDED, NOTICE, Deed, Notice, Relevance, State, Step, Thread
from tocsin.output.plain import clock
from tocsin.seal import decisions, durable, keys

PROPOSED: Final = "propose"
DEEDS: Final[tuple[Deed, ...]] = get_args(Deed)
_NAME: Final = "notice-"  # begins the names of such documents in a case


def of_case(folder: Path) -> tuple[Case, Incident, tuple[Relevance, ...]]:
    _, case, _ = cases.entries_of(folder)
    incident = cases.incident_of(folder, case)
    if incident is None:
        raise CaseError(f"{case.id}: the case holds no incident", hint="Cases that tocsin respond opens do.")
    return case, incident, norms.relevant(incident)


def propose(folder: Path, asked: notices.Asked, signer: Signer, key: keys.Signing, *, reason: str) -> str:
    """Keep a notice that two others may sign; its digest is what they sign."""
    case, incident, _ = of_case(folder)
    relevance = norms.relevant(notices.without_bound(incident, asked.marking))
    evidence = [*(one.sha256 for one in case.attached), *([case.incident] if case.incident else [])]
    drafted = notices.draft(
        incident, relevance, asked, at=decisions.now(), clock=clock, evidence=evidence, is_public=is_public
    )
    content = notices.written(drafted)
    digest = hashlib.sha256(content).hexdigest()
    with cases.writing(folder) as log:
        cases.attach(log, f"{_NAME}{drafted.reference}.json", content, by=signer.name)
        cases.decide(log, signer, key, subject=NOTICE, choice=PROPOSED, role="analyst", reason=reason, seen=digest)
    return digest


def threads(folder: Path, known: Iterable[Signer]) -> tuple[Thread, ...]:
    """Every notice of a case, and what became of it."""
    entries, case, _ = cases.entries_of(folder)
    taken = [one for one in cases.trusted(entries, known) if one.decision.subject == NOTICE]
    found = []
    for one in case.attached:
        if one.kept and one.name.startswith(_NAME):
            of_it = [each for each in taken if each.decision.seen == one.sha256]
            with suppress(ValueError):  # whatever else somebody attached under such a name
                found.append(_thread(one.sha256, notices.read(cases.document(folder, one)), of_it))
    return tuple({one.digest: one for one in found}.values())


def _thread(digest: str, notice: Notice, taken: Sequence[Taken]) -> Thread:
    said = [one.decision for one in taken]
    proposed = [one for one in said if one.choice == PROPOSED]
    because = [] if proposed else ["Nobody whose key is known here proposed it."]
    good: list[Decision] = []
    for one in said:
        if one.choice not in (cases.YES, cases.NO):
            continue
        if one.choice == cases.YES and one.role not in MAY_SIGN:
            because.append(f"{one.by} signed as {one.role}, which does not count.")
        elif one.choice == cases.YES and any(one.by == other.by or one.key == other.key for other in proposed):
            because.append(f"{one.by} proposed it, and cannot sign it too.")
        else:
            good.append(one)
    last = [voice[-1] for voice in decisions.voices(good)]
    for_it = sum(one.choice == cases.YES for one in last)
    state: State = "refused" if any(one.choice == cases.NO for one in last) else "proposed"
    if state == "proposed" and for_it >= NEEDED and proposed:
        deeds = [one.choice for one in said if one.choice in DEEDS]
        state = deeds[-1] if deeds else "decided"
    elif state == "proposed":
        because.append(f"{for_it} of the {NEEDED} signatures that it takes.")
    steps = tuple(Step(at=one.at, what=one.choice, by=one.by, role=one.role, words=one.reason) for one in said)
    return Thread(digest=digest, notice=notice, state=state, steps=steps, signed=for_it, because=tuple(because))


def find(folder: Path, word: str, known: Iterable[Signer]) -> Thread:
    """A notice by its digest or reference, or the beginning of one of 8 digits or more."""
    there = threads(folder, known)
    found = [one for one in there if len(word) >= 8 and (one.digest.startswith(word) or one.notice.reference == word)]
    if len(found) != 1:
        names = ", ".join(one.notice.reference for one in there) or "none"
        raise CaseError(f"{word[:80]}: names no notice of this case", hint=f"There are: {names}.")
    return found[0]


def say(
    folder: Path,
    word: str,
    what: str,
    signer: Signer,
    key: keys.Signing,
    *,
    role: Role,
    reason: str,
    known: Sequence[Signer],
) -> Thread:
    """Sign a notice, refuse it, or what became of it.

    Raises:
        CaseError: it could not count: by who proposed it, in a role that does not speak for the state, or too early.
    """
    thread = find(folder, word, known)
    proposers = {one.by for one in thread.steps if one.what == PROPOSED}
    if what == cases.YES and role not in MAY_SIGN:
        raise CaseError(f"a notice is not signed as {role}", hint=f"The roles are {', '.join(sorted(MAY_SIGN))}.")
    if what == cases.YES and signer.name in proposers:
        raise CaseError(f"{signer.name} proposed it, and cannot sign it too", hint="Two others must.")
    if what in DEEDS and not thread.may_leave and what != "withdrawn":
        raise CaseError(
            f"{thread.notice.reference}: is {thread.state}, so nothing can have become of it",
            hint=" ".join(thread.because) or "It takes two signatures first.",
        )
    with cases.writing(folder) as log:
        cases.decide(log, signer, key, subject=NOTICE, choice=what, role=role, reason=reason, seen=thread.digest)
    return find(folder, word, known)


def letter(thread: Thread, relevance: Sequence[Relevance]) -> Letter:
    return notices.letter(thread.notice, relevance, decided=thread.may_leave)


def export(thread: Thread, relevance: Sequence[Relevance], folder: Path) -> tuple[Path, ...]:
    """Write a decided notice for a foreign ministry: as JSON, text, a page and a sheet.

    Raises:
        CaseError: nobody decided that it leaves.
    """
    if not thread.may_leave:
        raise CaseError(
            f"{thread.notice.reference}: is {thread.state}, and does not leave",
            hint=" ".join(thread.because) or "Two people must sign it.",
        )
    told = letter(thread, relevance)
    return _written(folder, thread.notice.reference, told) + _kept(folder, thread)


def _kept(folder: Path, thread: Thread) -> tuple[Path, ...]:
    path = folder / f"{thread.notice.reference}.json"
    durable.replace(path, notices.written(thread.notice))
    return (path,)


def dossier(threads_of: Sequence[tuple[str, Thread]], marking: str, folder: Path | None) -> Letter:
    """What was raised over several cases; written where a folder is named. What nobody decided on is left out."""
    told = notices.dossier([one for one in threads_of if one[1].may_leave], marking)
    if folder is not None:
        _written(folder, "dossier", told)
    return told


def _written(folder: Path, name: str, told: Letter) -> tuple[Path, ...]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        for suffix, content in (
            (".txt", pages.text(told).encode()),
            (".html", pages.html(told).encode()),
            (".pdf", pages.pdf(told)),
        ):
            if content:
                durable.replace(folder / f"{name}{suffix}", content)
                found.append(folder / f"{name}{suffix}")
        return tuple(found)
    except OSError as error:
        raise CaseError(f"{folder}: {error.strerror or error}", hint="Name a folder that can be written.") from error
