"""A case and what somebody does in, the case as it is then out: each function is one thing that is done to one case."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from tocsin.cases import derive, entries
from tocsin.cases import folder as layout
from tocsin.cases.verify import CLOSE, YES, closes, wrong_decisions
from tocsin.cases.writer import Writer, writing
from tocsin.errors import CaseError
from tocsin.model import case as nouns
from tocsin.model.case import Case, Entry
from tocsin.model.decision import Decision, Role, Signer
from tocsin.model.incident import Incident
from tocsin.model.notification import Notification, Word
from tocsin.seal import chain, decisions, durable, keys

_LONGEST: Final = 200  # of a title
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def open_case(
    root: Path, incident: Incident, *, by: str, title: str = "", documents: Iterable[tuple[str, bytes]] = ()
) -> Case:
    """The case of an incident: opened, or, where there is one of that id, brought up to date if anything is new.

    Args:
        root: the folder of all cases; it is made if need be.
        incident: kept in the case as JSON under its digest.
        by: who opens it.
        title: what people call it, if not as the incident is called.
        documents: what belongs to it, each under a name: the custody manifest, the findings.
    """
    name = incident.id if _ID.fullmatch(incident.id) else hashlib.sha256(incident.id.encode()).hexdigest()[:16]
    title = _titled(title or incident.title)
    content = incident_json(incident)
    folder = root / name
    documents = tuple(documents)
    if not folder.exists():
        with suppress(FileExistsError):  # somebody else was faster
            return _made(root, name, title, by=by, incident=incident, documents=documents)
    with writing(folder) as log:
        digest = log.keep(content)
        if digest != log.case.incident:
            log.add(nouns.Revised(sha256=digest, title=log.case.title), by=by)
            _weigh(log, incident, by)
        _attach(log, documents, by)
        return log.case


def new_case(root: Path, title: str, *, by: str, split_from: str = "") -> Case:
    """A case that a person opens by hand."""
    name = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"
    return _made(root, name, _titled(title), by=by, split_from=split_from)


def incident_json(incident: Incident) -> bytes:
    """As it is kept: the same incident gives the same bytes. Text that is not Unicode is written out in escapes."""
    return msgspec.json.format(msgspec.json.encode(entries.unicode_only(msgspec.to_builtins(incident)))) + b"\n"


def incident_of(folder: Path, case: Case) -> Incident | None:
    """The incident as it was last kept; None for a case that was opened by hand."""
    return msgspec.json.decode(layout.kept(folder, case.incident), type=Incident) if case.incident else None


def document(folder: Path, one: nouns.Attached) -> bytes:
    """What was attached to a case and kept in it, checked against its digest."""
    return layout.kept(folder, one.sha256)


def _made(
    root: Path,
    name: str,
    title: str,
    *,
    by: str,
    incident: Incident | None = None,
    documents: Sequence[tuple[str, bytes]] = (),
    split_from: str = "",
) -> Case:
    """Made beside the others and moved to its place, so that there is never half a case.

    Raises:
        FileExistsError: somebody else made it in the meantime.
    """
    folder = root / f".{name}.{secrets.token_hex(4)}{durable.PART}"
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
        digest = layout.keep(folder, incident_json(incident)) if incident else ""
        opened = nouns.Opened(case=name, title=title, incident=digest, split_from=split_from)
        line, link = chain.line(entries.body(opened, by=by, at=decisions.now()), 0, chain.ROOT)
        durable.create(folder / layout.LOG, line)
        durable.create(folder / layout.STATE, derive.rendered(derive.derive([entries.read(link)])))
        with writing(folder) as log:
            if incident is not None:
                _weigh(log, incident, by)
            _attach(log, documents, by)
            case = log.case
        durable.settle(folder)
        folder.rename(root / name)
        durable.settle(root)
    except OSError as error:
        if (root / name).exists():
            shutil.rmtree(folder, ignore_errors=True)
            raise FileExistsError(name) from error
        hint = "See to its permissions and free space, or choose another folder with --cases."
        raise CaseError(f"{root}: no case can be made there: {error.strerror or error}", hint=hint) from error
    return case


def _weigh(log: Writer, incident: Incident, by: str) -> None:
    """What was taken and whom it touches, where somebody looked."""
    of, claims = log.case.id, incident.impact.claims if incident.impact else ()
    impact = tuple(
        nouns.Weight(
            of=of,
            stage=claim.stage,
            sort=claim.sort,
            what=claim.what,
            unit=claim.unit,
            lower=claim.amount.lower,
            upper=claim.amount.upper,
            confidence=claim.confidence,
        )
        for claim in claims
    )
    touched = tuple(nouns.Concern(of=of, id=one.id, name=one.name, how=one.how) for one in incident.people)
    known = [one for one in log.case.impact if one.of == of], [one for one in log.case.touched if one.of == of]
    if known != ([*impact], [*touched]):
        log.add(nouns.Weighed(of=of, sha256=log.case.incident, impact=impact, touched=touched), by=by)


def _attach(log: Writer, documents: Iterable[tuple[str, bytes]], by: str) -> None:
    """What is there already, under the same name, is not attached again."""
    for name, content in documents:
        digest = log.keep(content)
        what = nouns.Attached(name=name, sha256=digest, size_bytes=len(content), kept=True)
        if what not in log.case.attached:
            log.add(what, by=by)


def note(log: Writer, text: str, *, by: str) -> Entry:
    return log.add(nouns.Noted(text=_said(text, "note")), by=by)[0]


def add_task(log: Writer, text: str, *, by: str, due: str = "", owner: str = "") -> Entry:
    """`due` is a day, as 2026-11-30, or a day and a time in UTC, as 2026-11-30T09:00Z."""
    _still_open(log.case)
    task = nouns.TaskAdded(
        task=str(derive.next_task(log.case)), text=_said(text, "task"), due=_due(due), owner=owner.strip()
    )
    return log.add(task, by=by)[0]


def finish_task(log: Writer, task: str, *, by: str, text: str = "") -> Entry:
    if task not in [one.task for one in derive.open_tasks(log.case)]:
        there = ", ".join(one.task for one in derive.open_tasks(log.case)) or "none"
        raise CaseError(f"{log.case.id}: there is no open task {task}", hint=f"Open are: {there}.")
    return log.add(nouns.TaskDone(task=task, text=text.strip()), by=by)[0]


def attach(log: Writer, name: str, content: bytes | Path, *, by: str, copied: bool = True) -> Entry:
    """Name a file in the log by its digest; `copied` keeps it in the case too."""
    if isinstance(content, Path):
        try:
            with content.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = os.fstat(file.fileno()).st_size
            if copied and log.keep(content.read_bytes()) != digest:
                raise CaseError(f"{content}: changes while it is read", hint="Copy it, and attach the copy.")
        except OSError as error:
            hint = "See to its name and permissions."
            raise CaseError(f"{content}: cannot be read: {error.strerror or error}", hint=hint) from error
    else:
        digest, size = log.keep(content), len(content)
        copied = True
    return log.add(nouns.Attached(name=name, sha256=digest, size_bytes=size, kept=copied), by=by)[0]


def saw(log: Writer, what: str, *, by: str, reason: str, sha256: str = "") -> Entry:
    """Somebody looks at what is not for everybody; written before it is shown."""
    return log.add(nouns.Saw(what=what, reason=_said(reason, "reason"), sha256=sha256), by=by)[0]


def decide(
    log: Writer,
    signer: Signer,
    key: keys.Signing,
    *,
    subject: str,
    choice: str,
    role: Role,
    reason: str,
    seen: str = "",
) -> Entry:
    """Sign a decision over what the log holds now. `seen` is the digest of what the person had before them.

    If none is given it is that of case.json, which says where the case stands.
    """
    decision = Decision(
        case=log.case.id,
        subject=subject,
        choice=choice,
        role=role,
        by=signer.name,
        key=signer.fingerprint,
        at=decisions.now(),
        reason=_said(reason, "reason"),
        seen=seen or hashlib.sha256(derive.rendered(log.case)).hexdigest(),
        head=log.case.head,
    )
    envelope = decisions.signed(decision, key)
    what = nouns.Decided(decision=decision, envelope=envelope)
    first = () if signer in log.case.people else (nouns.Introduced(signer=signer),)
    return log.add(*first, what, by=signer.name, at=decision.at)[-1]


def close(log: Writer, *, by: str, reason: str) -> Entry:
    """Close a case: not with tasks open, and not without a signed decision since it was last opened."""
    refuse_to_close(log.case)
    for wrong in wrong_decisions(log.entries):
        raise CaseError(f"{log.case.id}: is not closed on such decisions: {wrong}", hint="Verify the case.")
    last = max((entry.n for entry in log.entries if isinstance(entry.what, nouns.Reopened)), default=0)
    taken = [one for one in log.case.decisions if one.n > last and one.decision.subject == CLOSE]
    if not closes(one.decision for one in taken):
        raise CaseError(
            f"{log.case.id}: nobody has signed a decision to close it",
            hint="`tocsin case close` signs one with the key of the person that --by names.",
        )
    names = tuple(one.entry for one in taken if one.decision.choice == YES)
    return log.add(nouns.Closed(reason=_said(reason, "reason"), decisions=names), by=by)[0]


def refuse_to_close(case: Case, *, whole: bool = True) -> None:
    """What stands in the way, apart from the decision, which can then be asked for.

    `whole` is False where the register is still to be brought up to date.
    """
    _still_open(case)
    left = derive.open_tasks(case)
    if left:
        told = "; ".join(f"{task.task} {task.text}" for task in left[:5])
        raise CaseError(
            f"{case.id}: {len(left)} of its tasks {'is' if len(left) == 1 else 'are'} still open: {told}",
            hint="`tocsin case task done` ends one, with a word why if it will not be done.",
        )
    if whole:
        _nobody_forgotten(case)


def _nobody_forgotten(case: Case) -> None:
    """Everybody whom it touches is on the register, and somebody has decided on telling each of them."""
    hint = f"`tocsin tell {case.id} --register` brings it up to date; with --decide somebody decides on each."
    listed = {one.entry.id for one in case.register if one.entry.kind == "person"}
    missing = [one for one in case.touched if one.id not in listed]
    if missing:
        told = ", ".join(f"{one.name} [{one.id}]" for one in missing[:5])
        raise CaseError(f"{case.id}: its register lacks {len(missing)} people whom it touches: {told}", hint=hint)
    if case.register and case.incident and case.registered != case.incident:
        raise CaseError(f"{case.id}: its register is of an earlier state of the incident", hint=hint)
    left = derive.undecided(case)
    if left:
        told = ", ".join(f"{one.entry.name} ({one.entry.extent})" for one in left[:5])
        are = "is" if len(left) == 1 else "are"
        raise CaseError(
            f"{case.id}: nobody has decided whether {len(left)} of its register {are} to be told: {told}", hint=hint
        )


def register(log: Writer, entries: Iterable[Notification], *, by: str, incident: str = "") -> tuple[Notification, ...]:
    """Write down whom the case touches, as far as that is new; what is new is given back."""
    known = {one.entry.key: one.entry for one in log.case.register}
    new = tuple(
        one for one in entries if one.key not in known or derive.together(known[one.key], one) != known[one.key]
    )
    if new or (incident and incident != log.case.registered):
        log.add(nouns.Registered(entries=new, incident=incident), by=by)
    return new


def say(log: Writer, word: Word, *, by: str) -> Entry:
    """Something was begun, done or seen of telling somebody of the register."""
    if word.key not in [one.entry.key for one in log.case.register]:
        raise CaseError(f"{log.case.id}: {word.key} is not on its register", hint="`tocsin tell CASE` shows it.")
    return log.add(nouns.Told(word=word), by=by)[0]


def reopen(log: Writer, *, by: str, reason: str) -> Entry:
    if log.case.state != "closed":
        raise CaseError(f"{log.case.id}: is not closed, but {log.case.state}", hint="Only a closed case is reopened.")
    return log.add(nouns.Reopened(reason=_said(reason, "reason")), by=by)[0]


def hand_over(log: Writer, to: str, *, by: str, text: str = "") -> Entry:
    what = nouns.HandedOver(to=_said(to, "name"), head=log.case.head, count=log.case.count, text=text.strip())
    return log.add(what, by=by)[0]


def _still_open(case: Case) -> None:
    if case.state != "open":
        where = f" into {case.merged_into}" if case.merged_into else ""
        raise CaseError(f"{case.id}: is {case.state}{where}", hint="`tocsin case reopen` opens a closed case again.")


def _titled(title: str) -> str:
    title = " ".join(_said(title, "title").split())
    return title if len(title) <= _LONGEST else title[: _LONGEST - 1] + "…"


def _said(text: str, what: str) -> str:
    if not text.strip():
        raise CaseError(f"the {what} is empty", hint=f"Say the {what} in words.")
    return text.strip()


def _due(due: str) -> str:
    due = due.strip()
    try:
        moment = datetime.fromisoformat(due) if due else None
    except ValueError:
        moment = None
    if not due or (moment and _DAY.fullmatch(due)):
        return due
    if moment and moment.tzinfo is not None:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
    raise CaseError(f"{due}: is no day and no time", hint="Write 2026-11-30, or 2026-11-30T09:00Z with a zone.")
