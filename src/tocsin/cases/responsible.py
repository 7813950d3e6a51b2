"""A case in which somebody proposes whom to hold responsible in, whether two people signed that out.

Nothing here trusts that a decision was made by the way it should be made: every line of the log is judged as if
somebody had written it with other tools.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from tocsin.cases import changes
from tocsin.cases import folder as layout
from tocsin.cases.find import entries_of
from tocsin.cases.verify import YES, read_decision, verify
from tocsin.cases.writer import Writer
from tocsin.errors import CaseError, SealError
from tocsin.model.case import Case, Decided, Entry, Introduced, Reopened
from tocsin.model.decision import Decision, Role, Signer
from tocsin.model.statement import MAY_SIGN, NEEDED, PROPOSED, RESPONSIBLE, Standing, State, Statement
from tocsin.seal import canonical, decisions, keys, signers

NO: Final = "no"
ATTRIBUTION: Final = "attribution.json"
STATEMENT: Final = "statement.json"


def evidence_of(case: Case) -> str:
    """A digest of all that the case is about: its incident, its documents, and the cases that became part of it.

    What belongs to statements themselves does not count, or no statement could be made of it.
    """
    documents = sorted((one.name, one.sha256) for one in case.attached if one.name not in (ATTRIBUTION, STATEMENT))
    told = {
        "case": case.id,
        "incident": case.incident,
        "documents": [list(one) for one in documents],
        "merged_from": list(case.merged_from),
        "split_into": list(case.split_into),
    }
    return hashlib.sha256(canonical.canonical(told)).hexdigest()


def propose(
    log: Writer,
    signer: Signer,
    key: keys.Signing,
    *,
    responsible: str,
    reason: str,
    attribution: bytes,
    answer: str,
) -> str:
    """Keep a statement that others may sign; the analyst signs only that it is theirs.

    Returns:
        Its digest, by which it is signed.
    """
    _refuse_ended(log.case)
    if not responsible.strip() or not reason.strip():
        raise CaseError("a statement says who, and why", hint="Say both in words.")
    statement = Statement(
        case=log.case.id,
        responsible=" ".join(responsible.split()),
        reason=reason.strip(),
        by=signer.name,
        key=signer.fingerprint,
        evidence=evidence_of(log.case),
        attribution=hashlib.sha256(attribution).hexdigest(),
        answer=answer,
    )
    content = _written(statement)
    digest = hashlib.sha256(content).hexdigest()
    changes.attach(log, ATTRIBUTION, attribution, by=signer.name)
    changes.attach(log, STATEMENT, content, by=signer.name)
    changes.decide(
        log,
        signer,
        key,
        subject=RESPONSIBLE,
        choice=PROPOSED,
        role="analyst",
        reason=f"proposes statement {digest[:16]}",
        seen=digest,
    )
    return digest


def sign(
    log: Writer,
    signer: Signer,
    key: keys.Signing,
    *,
    digest: str,
    choice: str,
    role: Role,
    reason: str,
    known: Iterable[Signer],
) -> Standing:
    """Sign the statement of this digest, or refuse it with the choice "no".

    Raises:
        CaseError: it is not the last one, the case is closed, or the signature could not count.
    """
    known = tuple(known)
    if choice != NO or log.case.state == "merged":  # what was signed can always be taken back
        _refuse_ended(log.case)
    now = _standing(log.folder, log.entries, log.case, known)
    refuse_another(now, digest)
    if choice == YES:
        _refuse_to_count(log, now, signer, role)
    changes.decide(log, signer, key, subject=RESPONSIBLE, choice=choice, role=role, reason=reason, seen=now.digest)
    return _standing(log.folder, log.entries, log.case, known)


def refuse_another(now: Standing, digest: str) -> None:
    """Only the last statement is signed, and by its name: what somebody has read is what they sign."""
    if now.statement is None or len(digest) < 16 or not now.digest.startswith(digest.lower()):
        there = f"The last one is {now.digest[:16]}." if now.digest else "None was proposed."
        raise CaseError(f"there is no statement {digest[:64]} to sign", hint=there)


def _refuse_to_count(log: Writer, now: Standing, signer: Signer, role: Role) -> None:
    """Tell somebody before they sign that it would not count."""
    statement = now.statement
    if statement is not None and statement.evidence != evidence_of(log.case):
        raise CaseError(
            f"{log.case.id}: the case holds other evidence than when statement {now.digest[:16]} was proposed",
            hint="Have it proposed anew, over what is known now.",
        )
    if role not in MAY_SIGN:
        raise CaseError(
            f"nobody is held responsible in the role {role}", hint=f"The roles are {', '.join(sorted(MAY_SIGN))}."
        )
    if _is_of(_analysts(log.entries), signer.name, signer.fingerprint):
        raise CaseError(
            f"{signer.name} worked on this as an analyst, and cannot sign what follows from it",
            hint="Two others must, with keys of their own.",
        )


def standing(folder: Path, known: Iterable[Signer]) -> Standing:
    """What became of the last statement.

    Args:
        known: people whose keys came here another way than in the case. Whoever can write in the folder can introduce
            there whom they like, so nobody else's signature counts.
    """
    entries, case, _ = entries_of(folder)
    return _standing(folder, entries, case, tuple(known))


@dataclass(slots=True)
class _Told:
    """The last statement and what was decided of it, with what could not be believed."""

    digest: str = ""
    proposed: Decision | None = None
    taken: list[Decision] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    replaced: bool = False
    reopened: bool = False


def _standing(folder: Path, entries: Sequence[Entry], case: Case, known: tuple[Signer, ...]) -> Standing:
    told = _told(entries, case.id, known)
    if not told.digest:
        return Standing(because=tuple(told.doubts))
    try:
        statement = msgspec.json.decode(layout.kept(folder, told.digest), type=Statement)
    except (CaseError, msgspec.DecodeError, UnicodeDecodeError):
        return Standing(state="void", digest=told.digest, because=("The statement is not there, or was changed.",))
    counting, doubts = _counting(told, entries, known)
    against = [one for one in counting if one.choice == NO]
    agreeing = tuple(one for one in counting if one.choice == YES)
    void = list(_void(folder, case, statement, told, known))
    state: State = "proposed"
    if void:
        state = "void"
    elif against:
        state = "refused"
        doubts += [f"{one.by} refused it, as {one.role}." for one in against]
    elif len(agreeing) >= NEEDED:
        state = "held"
    else:
        doubts.insert(0, f"{len(agreeing)} of {NEEDED} people have signed it.")
    return Standing(
        state=state,
        statement=statement,
        digest=told.digest,
        signed=agreeing,
        because=tuple(void + doubts),
    )


def _told(entries: Sequence[Entry], case: str, known: Sequence[Signer]) -> _Told:
    told, people, before = _Told(), list[Signer](), set[str]()
    for entry in entries:
        what = entry.what
        if isinstance(what, Introduced):
            people.append(what.signer)
        elif isinstance(what, Reopened):
            told.reopened = bool(told.digest)
        elif isinstance(what, Decided) and what.decision.subject == RESPONSIBLE:
            try:
                decision = read_decision(what, people, case, before)
            except SealError as error:
                told.doubts.append(
                    f"Entry {entry.n}, said to be of {what.decision.by}, does not count: {error.message}."
                )
            else:
                if decision.choice == PROPOSED and not _is_known(decision, known):
                    told.doubts.append(f"{decision.by} proposed a statement with a key that is not known here.")
                else:
                    _follow(told, decision)
        before.add(entry.digest)
    return told


def _follow(told: _Told, decision: Decision) -> None:
    if decision.choice == PROPOSED:
        if decision.seen != told.digest or told.reopened:
            told.replaced = told.replaced or bool(told.taken)
            told.taken = []
        told.proposed, told.digest, told.reopened = decision, decision.seen, False
    elif decision.seen == told.digest:
        told.taken.append(decision)
    else:
        told.doubts.append(f"{decision.by} signed another statement, {decision.seen[:16]}.")


def _counting(told: _Told, entries: Sequence[Entry], known: Sequence[Signer]) -> tuple[list[Decision], list[str]]:
    """What each voice said last, as far as it counts; everybody whose key is known may refuse."""
    doubts, good = list(told.doubts), []
    if told.replaced:
        doubts.append("A statement that people had signed before was replaced by this one, and stands no more.")
    analysts = _analysts(entries)
    for decision in told.taken:
        if not _is_known(decision, known):
            doubts.append(f"The key of {decision.by} is not known here, so what it signed does not count.")
        elif decision.choice != YES:
            good.append(decision)
        elif _is_of(analysts, decision.by, decision.key):
            doubts.append(f"{decision.by} worked on it as an analyst; their signature does not count.")
        elif decision.role not in MAY_SIGN:
            doubts.append(f"{decision.by} signed as {decision.role}, which does not count.")
        else:
            good.append(decision)
    voices = decisions.voices(good)
    if len(voices) < len(good):
        doubts.append("Several signatures of one person, or of one key, count as one.")
    return [one[-1] for one in voices], doubts


def _analysts(entries: Iterable[Entry]) -> set[str]:
    """Everybody who proposed a statement in this case or decided anything in it as an analyst: names and keys.

    That holds whether or not their signatures are good: a doubt is reason enough not to let them sign.
    """
    found: set[str] = set()
    for entry in entries:
        if isinstance(entry.what, Decided):
            one = entry.what.decision
            if one.role == "analyst" or (one.subject == RESPONSIBLE and one.choice == PROPOSED):
                found |= {signers.folded(one.by), one.key}
    return found


def _is_of(analysts: set[str], name: str, key: str) -> bool:
    return key in analysts or signers.folded(name) in analysts


def _is_known(decision: Decision, known: Sequence[Signer]) -> bool:
    return any(one.fingerprint == decision.key and one.name == decision.by for one in known)


def _void(folder: Path, case: Case, statement: Statement, told: _Told, known: Sequence[Signer]) -> Iterator[str]:
    if case.state == "merged":
        yield f"The case became part of {case.merged_into}; what was signed here does not hold there."
    if told.reopened:
        yield "The case was opened again since; the statement must be proposed and signed anew."
    if statement.case != case.id or statement.evidence != evidence_of(case):
        yield "The case holds other evidence now than when the statement was proposed, so what was signed is void."
    if told.proposed is None or (told.proposed.key, told.proposed.by) != (statement.key, statement.by):
        yield "It was proposed by somebody else than it says."
    if statement.attribution not in [one.sha256 for one in case.attached]:
        yield "The comparison that it goes with is not in the case."
    for fault in verify(folder, known=known).faults[:3]:
        yield f"The case was changed: {fault}."


def _written(statement: Statement) -> bytes:
    return msgspec.json.format(msgspec.json.encode(statement)) + b"\n"


def _refuse_ended(case: Case) -> None:
    if case.state != "open":
        raise CaseError(
            f"{case.id}: is {case.state}; nobody can be held responsible in it now",
            hint="`tocsin case reopen` opens a closed case again; a statement must then be proposed anew.",
        )
