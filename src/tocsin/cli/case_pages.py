"""A case and its entries in, lines that people read out: what an entry says, the diary, the page for a handover."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from tocsin.cases import Verdict, open_tasks, undecided
from tocsin.model import case as nouns
from tocsin.model.case import Case, Entry, HandedOver, Task
from tocsin.model.decision import Decision
from tocsin.model.impact import Bounds
from tocsin.output.impact import amount
from tocsin.output.screen import shown

_WIDTH = 100
_MOST = 12  # whose telling is undecided, by name


def minute(at: str) -> str:
    return at[:16].replace("T", " ")


def words(entry: Entry) -> str:
    """What an entry says, in one line of plain words."""
    return shown(" ".join(_words(entry.what).split()))


def _words(what: nouns.What) -> str:
    match what:
        case nouns.Opened():
            origin = f", split from {what.split_from}" if what.split_from else ""
            return f"opened the case: {what.title}{origin}"
        case nouns.Noted():
            return f"noted: {what.text}"
        case nouns.TaskAdded():
            return f"added task {_task(what)}"
        case nouns.TaskDone():
            return f"ended task {what.task}{f': {what.text}' if what.text else ''}"
        case nouns.Attached():
            how = "" if what.kept else " (named, not copied)"
            return f"attached {what.name}{how}: {what.size_bytes:,} bytes, SHA-256 {what.sha256}"
        case nouns.Revised():
            return f"brought the incident up to date: {what.title} (SHA-256 {what.sha256})"
        case nouns.Weighed():
            return f"weighed what was taken: {len(what.impact):,} claims; people it touches: {len(what.touched):,}"
        case nouns.Registered():
            by_hand = "" if what.incident else " by hand"
            return (
                f"wrote on the register{by_hand} whom it touches: {len(what.entries):,} new, or more is known of them"
            )
        case nouns.Told():
            word = what.word
            to = f" to {word.to}" if word.to else ""
            return f"telling {word.key}: {word.deed} by {word.by}{to}{f', {word.note}' if word.note else ''}"
        case nouns.Saw():
            return f"saw {what.what}, because: {what.reason}"
        case nouns.Introduced():
            return f"introduced the key of {what.signer.name}, {what.signer.fingerprint}"
        case nouns.Decided():
            return f"decided and signed: {_decision(what.decision)}"
        case _:
            return _of_the_case(what)


def _of_the_case(what: nouns.What) -> str:
    match what:
        case nouns.Merged():
            return f"merged {what.case} into this case ({what.title}): {what.reason}"
        case nouns.MergedInto():
            return f"merged this case into {what.case}: {what.reason}"
        case nouns.Split():
            parts = f" ({'; '.join(what.parts)})" if what.parts else ""
            return f"split off {what.case}, {what.title}{parts}: {what.reason}"
        case nouns.Closed():
            return f"closed the case: {what.reason}"
        case nouns.Reopened():
            return f"opened the case again: {what.reason}"
        case HandedOver():
            return f"handed over to {what.to}{f': {what.text}' if what.text else ''}"
        case nouns.Mended():
            return f"cut {what.cut_bytes} bytes off the log that were no whole line, and kept them"
    return type(what).__name__


def _decision(one: Decision) -> str:
    return f"{one.subject}: {one.choice}, as {one.role}, because: {one.reason}"


def _task(one: Task | nouns.TaskAdded) -> str:
    more = [f"by {one.due}"] if one.due else []
    more += [one.owner] if one.owner else []
    return f"{one.task}: {one.text}" + (f" ({', '.join(more)})" if more else "")


def overview(case: Case, verdict: Verdict) -> Iterator[str]:
    """Where a case stands."""
    yield f"{shown(case.id)}  {shown(case.title)}"
    yield f"  state       {case.state}{f' into {shown(case.merged_into)}' if case.merged_into else ''}"
    yield f"  opened      {minute(case.opened_at)} UTC"
    yield f"  changed     {minute(case.changed_at)} UTC, {case.count} entries"
    if case.closed_at:
        yield f"  closed      {minute(case.closed_at)} UTC"
    for name, values in (
        ("merged from", case.merged_from),
        ("split from", (case.split_from,) if case.split_from else ()),
        ("split into", case.split_into),
    ):
        if values:
            yield f"  {name:11} {', '.join(map(shown, values))}"
    if case.incident:
        yield f"  incident    kept/{shown(case.incident)}"
    yield f"  head        {case.head}"
    yield from _section("people", [f"{one.name}  {one.fingerprint}" for one in case.people])
    yield from _section("open tasks", [_task(task) for task in open_tasks(case)])
    told = [
        f"{one.what}: {amount(_bounds(one), one.unit)}, {one.stage}, {one.confidence} confidence" for one in case.impact
    ]
    yield from _section("what was taken", told)
    yield from _section("whom it touches", [f"{one.name} [{one.id}]: {one.how}" for one in case.touched])
    taken = [one.decision for one in case.decisions]
    yield from _section("decisions", [f"{minute(one.at)}  {one.by}  {_decision(one)}" for one in taken])
    yield from _section("documents", [f"{one.name}  {one.size_bytes:,} bytes  {one.sha256}" for one in case.attached])
    yield from _section("WRONG: the case was changed", verdict.faults)
    yield from _section("to know", verdict.notes)


def _bounds(one: nouns.Weight) -> Bounds:
    """As a case says them: from outside, so that they may be none."""
    return Bounds(lower=one.lower, upper=one.upper if one.upper is None else max(one.lower, one.upper))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"  {title}"
        yield from (f"    {shown(' '.join(line.split()))}" for line in lines)


def diary(entries: Sequence[Entry]) -> Iterator[str]:
    """A heading a day, and below it who did what at what time, in UTC."""
    for day, of_day in groupby(entries, key=lambda entry: entry.at[:10]):
        yield day
        for entry in of_day:
            lead = f"  {entry.at[11:16]}  "
            yield from textwrap.wrap(
                f"{shown(entry.by)} {words(entry)}",
                _WIDTH,
                initial_indent=lead,
                subsequent_indent=" " * len(lead),
                break_on_hyphens=False,
            )


def handover(case: Case, entries: Sequence[Entry], verdict: Verdict, now: str) -> Iterator[str]:
    """What the one who comes must know: what was done, what is to be done, what was decided, how far the log goes.

    The page is about everything since the handover before this one; if the last entry is a handover, it is this one.
    """
    shifts = [entry for entry in entries if isinstance(entry.what, HandedOver)]
    this = shifts.pop() if shifts and shifts[-1].n == entries[-1].n else None
    before = shifts[-1] if shifts else None
    since = [entry for entry in entries if (before is None or entry.n > before.n) and entry is not this]
    yield f"HANDOVER  {shown(case.id)}  {shown(case.title)}"
    yield f"  {case.state}, opened {minute(case.opened_at)} UTC; page of {minute(now)} UTC"
    if this is not None and isinstance(this.what, HandedOver):
        yield f"  from {shown(this.by)} to {shown(this.what.to)}"
        if this.what.text:
            yield f"  {shown(' '.join(this.what.text.split()))}"
    yield ""
    start = f"since {minute(before.at)} UTC: {shown(before.by)} {words(before)}" if before else "from the beginning"
    yield f"WHAT WAS DONE  {start}"
    yield from (f"  {line}" for line in diary(since))
    yield ""
    yield "OPEN TASKS"
    yield from (f"  {line}" for line in _due_first(open_tasks(case), now))
    yield ""
    left = undecided(case)
    if left:
        yield f"NOBODY HAS DECIDED WHETHER {len(left):,} ARE TOLD"
        yield from (f"  {shown(one.entry.key)}  {shown(one.entry.name)}: {one.entry.extent}" for one in left[:_MOST])
        if len(left) > _MOST:
            yield f"  and {len(left) - _MOST:,} more; tocsin tell {shown(case.id)}"
        yield ""
    yield "DECISIONS"
    decided = [entry for entry in entries if isinstance(entry.what, nouns.Decided)]
    yield from (f"  {minute(entry.at)}  {shown(entry.by)} {words(entry)}" for entry in decided)
    if not decided:
        yield "  none was signed"
    yield ""
    yield "THE LOG"
    yield from (f"  WRONG: {shown(fault)}" for fault in verdict.faults)
    yield from (f"  to know: {shown(note)}" for note in verdict.notes)
    yield f"  {case.count} entries, the head is  {spelled(case.head)}"
    yield "  Write the head down, or at least its first four groups. Whether anything before it was changed is told by"
    yield f"    tocsin case verify {shown(case.id)} --head {case.head[:16]}"


def spelled(head: str) -> str:
    """In groups that can be read aloud."""
    return " ".join(head[place : place + 4] for place in range(0, len(head), 4))


def _due_first(tasks: Sequence[Task], now: str) -> Iterator[str]:
    if not tasks:
        yield "none"
    for task in sorted(tasks, key=lambda task: task.due or "9999"):
        late = task.due and task.due < now[: len(task.due.rstrip("Z"))]
        yield shown(f"{'OVERDUE ' if late else ''}{_task(task)}")
