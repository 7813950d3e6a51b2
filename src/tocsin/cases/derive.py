"""The entries of a case in, where it stands out: the same entries always give the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from tocsin.errors import CaseError
from tocsin.model import case as nouns
from tocsin.model.case import VERSION, Case, Entry, Listing, Shift, Taken, Task
from tocsin.model.notification import EXTENTS, TELL, Notification, is_choice
from tocsin.seal.canonical import canonical
from tocsin.seal.chain import ROOT

_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
# What stands as it is: ASCII and the Latin letters. `isprintable` would not do: it follows the Unicode of each
# Python, and a case must have the same bytes under all of them.
_ESCAPED: Final = re.compile(r"[^\n\x20-\x7e\xa1-\xac\xae-\u02af]")

# What stands in case.json only where there is any: cases from before there were registers keep their bytes.
WHEN_THERE: Final = ("register", "registered", "told")

_Nothing: Final = Case(
    version=VERSION,
    id="",
    title="",
    state="open",
    opened_at="",
    changed_at="",
    closed_at="",
    head=ROOT,
    count=0,
    incident="",
    incidents=0,
    notes=0,
    merged_from=(),
    merged_into="",
    split_from="",
    split_into=(),
    tasks=(),
    attached=(),
    decisions=(),
    people=(),
    shifts=(),
    mended=0,
    impact=(),
    touched=(),
)


def derive(entries: Iterable[Entry]) -> Case:
    """Fold the entries, oldest first."""
    case = _Nothing
    for entry in entries:
        case = follow(case, entry)
    return case


def follow(case: Case, entry: Entry) -> Case:
    """The case after one more entry."""
    if (entry.n == 0) != isinstance(entry.what, nouns.Opened):
        raise CaseError(f"entry {entry.n}: a case is opened once, by its first entry")
    changes = _CHANGES[type(entry.what)](case, entry, entry.what)
    return replace(case, **{"changed_at": entry.at, "head": entry.digest, "count": entry.n + 1, **changes})


def rendered(case: Case) -> bytes:
    """As `case.json` holds it. What a terminal would act on instead of showing it stands escaped, as JSON allows."""
    plain = msgspec.to_builtins(case)
    for name in WHEN_THERE:
        if not plain[name]:
            del plain[name]
    text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    return _ESCAPED.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


def open_tasks(case: Case) -> tuple[Task, ...]:
    return tuple(task for task in case.tasks if not task.done_at)


def next_task(case: Case) -> int:
    """The number of the next task. A case from elsewhere may call its tasks anything."""
    return 1 + max((int(task.task) for task in case.tasks if _NUMBER.fullmatch(task.task)), default=0)


_Change = Callable[[Case, Entry, Any], dict[str, Any]]  # what an entry of one kind changes


def _opened(_: Case, entry: Entry, what: nouns.Opened) -> dict[str, Any]:
    return {
        "id": what.case,
        "title": what.title,
        "opened_at": entry.at,
        "incident": what.incident,
        "incidents": int(bool(what.incident)),
        "split_from": what.split_from,
    }


def _task_added(case: Case, entry: Entry, what: nouns.TaskAdded) -> dict[str, Any]:
    if any(task.task == what.task for task in case.tasks):
        raise CaseError(f"entry {entry.n}: there is a task {what.task} already")
    return {"tasks": (*case.tasks, _task(what))}


def _task(what: nouns.TaskAdded) -> Task:
    return Task(task=what.task, text=what.text, due=what.due, owner=what.owner)


def _task_done(case: Case, entry: Entry, what: nouns.TaskDone) -> dict[str, Any]:
    if not any(task.task == what.task and not task.done_at for task in case.tasks):
        raise CaseError(f"entry {entry.n}: there is no open task {what.task}")
    return {"tasks": _done(case.tasks, [what.task], entry.at)}


def _done(tasks: Sequence[Task], names: Sequence[str], at: str) -> tuple[Task, ...]:
    return tuple(replace(task, done_at=at) if task.task in names and not task.done_at else task for task in tasks)


def _merged(case: Case, _: Entry, what: nouns.Merged) -> dict[str, Any]:
    return {
        "merged_from": tuple(dict.fromkeys((*case.merged_from, what.case))),
        "tasks": (*case.tasks, *(_task(task) for task in what.tasks)),
    }


def _merged_into(case: Case, entry: Entry, what: nouns.MergedInto) -> dict[str, Any]:
    names = [task.task for task in case.tasks]
    return {
        "state": "merged",
        "closed_at": entry.at,
        "merged_into": what.case,
        "tasks": _done(case.tasks, names, entry.at),
    }


def _split(case: Case, entry: Entry, what: nouns.Split) -> dict[str, Any]:
    return {"split_into": (*case.split_into, what.case), "tasks": _done(case.tasks, what.tasks, entry.at)}


def _decided(case: Case, entry: Entry, what: nouns.Decided) -> dict[str, Any]:
    taken = Taken(n=entry.n, entry=entry.digest, decision=what.decision)
    return {"decisions": (*case.decisions, taken)}


def _closed(case: Case, entry: Entry, _: nouns.Closed) -> dict[str, Any]:
    if open_tasks(case):
        raise CaseError(f"entry {entry.n}: a case is not closed with tasks open")
    if undecided(case):
        raise CaseError(f"entry {entry.n}: a case is not closed while nobody decided on telling some whom it touches")
    return {"state": "closed", "closed_at": entry.at}


def _weighed(case: Case, _: Entry, what: nouns.Weighed) -> dict[str, Any]:
    return {
        "impact": (*what.impact, *(one for one in case.impact if one.of != what.of)),
        "touched": (*what.touched, *(one for one in case.touched if one.of != what.of)),
    }


def _registered(case: Case, entry: Entry, what: nouns.Registered) -> dict[str, Any]:
    """Nobody is ever taken out, no extent falls, and no reason is forgotten."""
    known = {one.entry.key: one for one in case.register}
    for new in what.entries:
        old = known.get(new.key)
        if old is None:
            known[new.key] = Listing(n=entry.n, at=entry.at, entry=new)
            continue
        both = together(old.entry, new)
        rises = both.extent != old.entry.extent
        known[new.key] = Listing(n=entry.n if rises else old.n, at=entry.at if rises else old.at, entry=both)
    changed: dict[str, Any] = {"register": tuple(known.values())}
    return changed | ({"registered": what.incident} if what.incident else {})


def together(old: Notification, new: Notification) -> Notification:
    extent = max(old.extent, new.extent, key=EXTENTS.index)
    # Of whom else it may be true is what is known now: who found out may have settled it.
    return replace(
        new,
        extent=extent,
        because=tuple(dict.fromkeys((*old.because, *new.because))),
        namesakes=tuple(dict.fromkeys((*old.namesakes, *new.namesakes))),
        through=tuple(dict.fromkeys((*old.through, *new.through))),
        laws=tuple(dict.fromkeys((*old.laws, *new.laws))),
        of=old.of and new.of,
    )


def undecided(case: Case) -> tuple[Listing, ...]:
    """Entries of the register on which nobody has decided since their extent is what it is.

    Whether the decisions are good is for `verify` to say; here it is only whether they are there.
    """
    taken = {
        (one.decision.subject, one.decision.seen): one.n for one in case.decisions if is_choice(one.decision.choice)
    }
    return tuple(one for one in case.register if taken.get((subject(one.entry), digest(one.entry)), -1) <= one.n)


def subject(entry: Notification) -> str:
    return f"{TELL}:{entry.key}"


def digest(entry: Notification) -> str:
    """Of what somebody decides on: who it is, and how far it went with them."""
    plain = {name: getattr(entry, name) for name in ("key", "kind", "name", "id", "extent")}
    return hashlib.sha256(canonical(plain)).hexdigest()


def _handed_over(case: Case, entry: Entry, what: nouns.HandedOver) -> dict[str, Any]:
    return {"shifts": (*case.shifts, Shift(n=entry.n, at=entry.at, by=entry.by, to=what.to))}


_CHANGES: Final[dict[type[nouns.What], _Change]] = {
    nouns.Opened: _opened,
    nouns.Noted: lambda case, entry, what: {"notes": case.notes + 1},
    nouns.TaskAdded: _task_added,
    nouns.TaskDone: _task_done,
    nouns.Attached: lambda case, entry, what: {"attached": (*case.attached, what)},
    nouns.Revised: lambda case, entry, what: {
        "incident": what.sha256,
        "title": what.title,
        "incidents": case.incidents + 1,
    },
    nouns.Weighed: _weighed,
    nouns.Registered: _registered,
    nouns.Told: lambda case, entry, what: {
        "told": (*case.told, nouns.Spoken(n=entry.n, at=entry.at, by=entry.by, word=what.word))
    },
    nouns.Saw: lambda case, entry, what: {},
    nouns.Introduced: lambda case, entry, what: {"people": (*case.people, what.signer)},
    nouns.Decided: _decided,
    nouns.Merged: _merged,
    nouns.MergedInto: _merged_into,
    nouns.Split: _split,
    nouns.Closed: _closed,
    nouns.Reopened: lambda case, entry, what: {"state": "open", "closed_at": ""},
    nouns.HandedOver: _handed_over,
    nouns.Mended: lambda case, entry, what: {"mended": case.mended + 1},
}
