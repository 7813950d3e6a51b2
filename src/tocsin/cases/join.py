"""Two cases in, one out; or one in, two out: each log tells of the other, and nothing is ever moved out of a log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tocsin.cases import changes, derive
from tocsin.cases import folder as layout
from tocsin.cases.writer import Writer, writing
from tocsin.errors import CaseError
from tocsin.model.case import Attached, Case, Merged, MergedInto, Noted, Registered, Split, TaskAdded, Weighed
from tocsin.model.notification import TELL


def merge(into: Path, other: Path, *, by: str, reason: str) -> Case:
    """The other case becomes part of the first: its log and documents are kept there, its open tasks go on there.

    Broken off half-way, it is finished by doing it again.
    """
    if into.resolve() == other.resolve():
        raise CaseError(f"{into}: cannot be merged into itself", hint="Name two cases.")
    with ExitStack() as locks:
        # Always in the same order, or two people who merge crosswise would wait for each other.
        logs = {path: locks.enter_context(writing(path)) for path in sorted((into, other), key=lambda p: p.resolve())}
        target, source = logs[into], logs[other]
        if source.case.merged_into == target.case.id:
            return target.case
        for log in (target, source):
            if log.case.state != "open":
                raise CaseError(f"{log.case.id}: is {log.case.state}", hint="Only open cases can be merged.")
        if not reason.strip():
            raise CaseError("the reason is empty", hint="Say why they are one case.")
        if source.case.head not in [entry.what.head for entry in target.entries if isinstance(entry.what, Merged)]:
            _take(target, source, by, reason.strip())
        source.add(MergedInto(case=target.case.id, reason=reason.strip()), by=by)
        return target.case


def _take(target: Writer, source: Writer, by: str, reason: str) -> None:
    """Documents first: an entry never names what is not there."""
    log = layout.read(source.folder / layout.LOG) or b""
    attached = [one for one in _documents(source, target) if one not in target.case.attached]
    # What was taken before a merge that was broken off is not taken twice, but what came since is.
    heads = {entry.what.head for entry in target.entries if isinstance(entry.what, Merged)}
    taken = max((entry.n for entry in source.entries if entry.digest in heads), default=-1)
    new = {entry.what.task for entry in source.entries if entry.n > taken and isinstance(entry.what, TaskAdded)}
    first = derive.next_task(target.case)
    moving = [task for task in derive.open_tasks(source.case) if task.task in new or taken < 0]
    tasks = tuple(
        TaskAdded(task=str(first + place), text=task.text, due=task.due, owner=task.owner)
        for place, task in enumerate(moving)
    )
    merged = Merged(
        case=source.case.id,
        title=source.case.title,
        head=source.case.head,
        log=target.keep(log),
        reason=reason,
        tasks=tasks,
    )
    target.add(*attached, merged, *_weighed(source), *_registered(source), by=by)


def _weighed(source: Writer) -> list[Weighed]:
    """What was taken in the other case, and whom it touches: with it nobody is forgotten."""
    case = source.case
    of = dict.fromkeys([*(one.of for one in case.impact), *(one.of for one in case.touched)])
    return [
        Weighed(
            of=name,
            sha256="",
            impact=tuple(one for one in case.impact if one.of == name),
            touched=tuple(one for one in case.touched if one.of == name),
        )
        for name in of
    ]


def _registered(source: Writer) -> list[Registered]:
    """Whom it touches must be decided on anew: it is another case now. What was decided and done there is told."""
    case = source.case
    if not case.register:
        return []
    said: dict[str, list[str]] = {}
    for taken in case.decisions:
        verb, _, key = taken.decision.subject.partition(":")
        if verb == TELL:
            words = (
                f"in case {case.id} {taken.decision.by} decided on {taken.decision.at[:10]}: {taken.decision.choice}"
            )
            said.setdefault(key, []).append(words)
    for spoken in case.told:
        said.setdefault(spoken.word.key, []).append(f"in case {case.id} on {spoken.at[:10]}: {spoken.word.deed}")
    entries = tuple(
        replace(
            one.entry,
            of=one.entry.of or case.id,
            because=tuple(dict.fromkeys((*one.entry.because, *said.get(one.entry.key, ())))),
        )
        for one in case.register
    )
    return [Registered(entries=entries)]


def split(
    folder: Path, title: str, *, by: str, reason: str, parts: Sequence[str] = (), tasks: Sequence[str] = ()
) -> tuple[Case, Case]:
    """A part of a case becomes a case of its own, beside it.

    Args:
        folder: of the case that is split.
        title: of the new one.
        by: who splits it.
        reason: why it is not one.
        parts: what goes to the new case: hosts, accounts, findings, in words.
        tasks: open tasks that go on there.

    Returns:
        The case that was split, and the new one.
    """
    with writing(folder) as log:
        if log.case.state != "open":
            raise CaseError(f"{log.case.id}: is {log.case.state}", hint="Only an open case can be split.")
        if not reason.strip():
            raise CaseError("the reason is empty", hint="Say why it is a case of its own.")
        there = {task.task: task for task in derive.open_tasks(log.case)}
        lost = [task for task in tasks if task not in there]
        if lost:
            raise CaseError(f"{log.case.id}: there is no open task {lost[0]}", hint=f"Open are: {', '.join(there)}.")
        new = changes.new_case(folder.parent, title, by=by, split_from=log.case.id)
        with writing(folder.parent / new.id) as other:
            told = f"Split from {log.case.id}: {reason.strip()}"
            moved = [
                TaskAdded(task=str(place), text=there[task].text, due=there[task].due, owner=there[task].owner)
                for place, task in enumerate(dict.fromkeys(tasks), 1)
            ]
            other.add(Noted(text="\n".join([told, *parts])), *moved, *_documents(log, other), by=by)
            new = other.case
        log.add(
            Split(case=new.id, title=new.title, reason=reason.strip(), parts=tuple(parts), tasks=tuple(tasks)), by=by
        )
        return log.case, new


def _documents(log: Writer, other: Writer) -> list[Attached]:
    """What the first case stands on, kept for the other too."""
    found = [replace(one, name=f"{one.name} of {log.case.id}") for one in log.case.attached]
    if log.case.incident:
        content = layout.kept(log.folder, log.case.incident)
        name = f"incident of {log.case.id}"
        found.append(Attached(name=name, sha256=log.case.incident, size_bytes=len(content), kept=True))
    for one in found:
        if one.kept:
            other.keep(layout.kept(log.folder, one.sha256))
    return found
