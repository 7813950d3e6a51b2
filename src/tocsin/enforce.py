"""Containment on one page: a case in, a plan for people to sign, what they allowed done and proven, and lifted again.

Nothing is done that was not signed, nothing before it is written down, and all of it can be taken up where it was left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tocsin import cases, planning
from tocsin.act import journal
from tocsin.act import run as world
from tocsin.contain import ENFORCERS, Own, authority
from tocsin.contain.enforcer import Enforcer
from tocsin.errors import ActError
from tocsin.model.action import Action, Block, Place, Step
from tocsin.model.decision import Signer
from tocsin.planning import Chosen, decisions_of, now_us
from tocsin.seal.decisions import now

ENFORCED: Final = ".enforced"  # beside the cases: what stands is of all of them together
_SET_RIGHT: Final = timedelta(minutes=1)  # by as much a clock is set back now and then
TASK: Final = "Containment was begun: verify it, decide whether it is contained, and write down what must hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What would be done: the steps by enforcer, what stands afterwards, and what is not done from here, and why."""

    steps: tuple[tuple[str, Step], ...]
    after: Mapping[str, tuple[Block, ...]]
    waiting: Mapping[str, tuple[str, ...]]
    by_people: tuple[Action, ...]
    done_here: tuple[Action, ...]


def enforced(folder: Path) -> Path:
    return folder.resolve().parent / ENFORCED


def intended(
    folder: Path, kept: Chosen, places: Sequence[Place], mine: Own, known: Iterable[Signer], at_us: int
) -> Intent:
    """What applying the plan would do, worked out anew each time: who signed and what must stay may have changed."""
    case, _, decisions = decisions_of(folder, known)
    actions = kept.alternative.actions
    waiting = authority.waiting(actions, kept.digest, decisions, mine, at_us)
    before = journal.read(enforced(folder)).standing
    after: dict[str, tuple[Block, ...]] = {}
    here_: dict[str, Action] = {}
    for place, enforcer in reached(places):
        mine_ = [one for one in actions if one.verb in enforcer.VERBS]
        here_ |= {one.id: one for one in mine_}
        wanted = [planning.block(one, case.id, at_us) for one in mine_ if one.id not in waiting]
        after[place.enforcer] = _with(before.get(place.enforcer, ()), wanted)
    return Intent(
        steps=_steps(places, before, after, at_us, again=True),
        after=after,
        waiting={name: why for name, why in waiting.items() if name in here_},
        by_people=tuple(one for one in actions if one.id not in here_),
        done_here=tuple(here_.values()),
    )


def reached(places: Sequence[Place]) -> Iterable[tuple[Place, Enforcer]]:
    by_name = {one.NAME: one for one in ENFORCERS if one.CARRIED_OUT}
    for place in places:
        if place.enforcer not in by_name:
            hint = f"Carried out from here are {', '.join(by_name)}; the others are rendered with --render."
            raise ActError(f"{place.enforcer}: nothing is carried out there from here", hint=hint)
        yield place, by_name[place.enforcer]


def _with(standing: Sequence[Block], wanted: Sequence[Block]) -> tuple[Block, ...]:
    """What stands, with what a case wants: a block that is there already stands for both, as long as the longer."""
    known = {(one.verb, one.target): one for one in standing}
    for block in wanted:
        there = known.get((block.verb, block.target))
        if there is None:
            known[block.verb, block.target] = block
        elif not set(block.cases) <= set(there.cases):
            until = 0 if 0 in (there.until_us, block.until_us) else max(there.until_us, block.until_us)
            together = tuple(sorted({*there.cases, *block.cases}))
            known[block.verb, block.target] = replace(there, until_us=until, cases=together)
    return tuple(known.values())


def _without(standing: Sequence[Block], names: Collection[str]) -> tuple[Block, ...]:
    """What stands once a case has left it, with those that became part of it. What another case supports stays."""
    left = (replace(one, cases=tuple(name for name in one.cases if name not in names)) for one in standing)
    return tuple(one for one in left if one.cases)


def _steps(
    places: Sequence[Place],
    before: Mapping[str, Sequence[Block]],
    after: Mapping[str, Sequence[Block]],
    at_us: int,
    *,
    again: bool = False,
) -> tuple[tuple[str, Step], ...]:
    """From what stands to what shall; `again` also where that is the same, since an enforcer may have lost it."""
    return tuple(
        (place.enforcer, step)
        for place, enforcer in reached(places)
        if again or _told(before.get(place.enforcer, ())) != _told(after.get(place.enforcer, ()))
        for step in enforcer.steps(
            tuple(before.get(place.enforcer, ())), tuple(after.get(place.enforcer, ())), place, at_us
        )
    )


def _told(blocks: Sequence[Block]) -> list[tuple[object, ...]]:
    return sorted((one.verb, one.target.value, one.target.host, one.until_us) for one in blocks)


def apply(
    folder: Path,
    kept: Chosen,
    places: Sequence[Place],
    mine: Own,
    known: Iterable[Signer],
    by: str,
    *,
    told: Callable[[str], None] = lambda word: None,
) -> Intent:
    """Do what was approved. All that can be done from here must be allowed, or nothing is done."""
    with journal.acting(enforced(folder)) as log:
        _refuse_a_clock_that_went_back(log)
        _take_up(log, told)
        at_us = now_us()
        intent = intended(folder, kept, places, mine, known, at_us)
        if intent.waiting:
            name, why = next(iter(intent.waiting.items()))
            more = f" and {len(intent.waiting) - 1} more wait" if len(intent.waiting) > 1 else ""
            raise ActError(f"{name}: {why[0]}{more}", hint="`tocsin contain CASE --status` tells who must sign what.")
        if not intent.done_here:
            hint = "Name where enforcers are with --enforcers, or --render the plan for people."
            raise ActError("nothing of this plan is carried out from here", hint=hint)
        _task(folder, by)
        log.mean(
            case=kept.plan.of, does="apply", by=by, at=now(), plan=kept.digest, steps=intent.steps, after=intent.after
        )
        _go_on(log, told)
    _noted(folder, by, f"containment applied: {len(intent.done_here)} actions of the plan {kept.digest[:16]}")
    return intent


def undo(
    folder: Path, places: Sequence[Place], by: str, *, told: Callable[[str], None] = lambda word: None
) -> tuple[Block, ...] | None:
    """Take back what stands for this case; what other cases support stays, and is returned. None: nothing stood.

    A go that was left half done is not finished first but taken back with the rest.
    """
    with journal.acting(enforced(folder)) as log:
        pending, names = log.now.pending, _names(folder)
        if pending is not None and (pending.case, pending.does) != (names[0], "apply"):
            _take_up(log, told)
            pending = None
        before = {**log.now.standing, **(pending.after if pending else {})}
        if pending is None and not any(set(names) & set(one.cases) for each in before.values() for one in each):
            return None
        after = {name: _without(blocks, names) for name, blocks in before.items()}
        at_us = now_us()
        known = {one.enforcer for one in places}
        lost = sorted(name for name in before if name not in known and tuple(before[name]) != after[name])
        if lost:
            raise ActError(f"{lost[0]}: is not among the places", hint="Name the file by which it was applied.")
        log.mean(
            case=names[0],
            does="undo",
            by=by,
            at=now(),
            plan="",
            steps=_steps(places, before, after, at_us),
            after=after,
        )
        _go_on(log, told)
    _noted(folder, by, "containment lifted: what stood for this case alone is taken back")
    return tuple(block for blocks in after.values() for block in blocks)


def give_up(folder: Path, by: str, reason: str) -> tuple[str, ...]:
    """Leave a go that cannot end, so that others can act again; the enforcers of which it is not known what stands."""
    with journal.acting(enforced(folder)) as log:
        pending = log.now.pending
        if pending is None:
            raise ActError("nothing was left half done", hint="`tocsin contain CASE --status` tells what stands.")
        unknown = tuple(dict.fromkeys(name for name, _ in pending.steps[log.now.next_step :]))
        log.give_up(by=by, at=now(), reason=reason)
    _noted(
        folder, by, f"given up: {pending.does} of {pending.by}; not known what stands at {', '.join(unknown)}: {reason}"
    )
    return unknown


def expire(root: Path, places: Sequence[Place], by: str) -> int:
    """Lift what has run out, where an enforcer does not do so by itself; how many blocks that were."""
    with journal.acting(root / ENFORCED) as log:
        _refuse_a_clock_that_went_back(log)
        _take_up(log, lambda word: None)
        at_us, before = now_us(), log.now.standing
        after = {
            one.enforcer: tuple(
                block for block in before.get(one.enforcer, ()) if not block.until_us or block.until_us > at_us
            )
            for one in places
        }
        gone = sum(len(before.get(name, ())) - len(after[name]) for name in after)
        if gone:
            steps = _steps(places, before, after, at_us)
            log.mean(case="", does="expire", by=by, at=now(), plan="", steps=steps, after=after)
            _go_on(log, lambda word: None)
    return gone


def _refuse_a_clock_that_went_back(log: journal.Journal) -> None:
    """What ends by itself would end at another time than people signed for. Undo asks no clock."""
    last = max((one.at for one in log.now.ended), default="")
    if last and datetime.fromisoformat(last) - datetime.fromisoformat(now()) > _SET_RIGHT:
        hint = "Set the clock right. --undo works all the same."
        raise ActError(f"the clock of this machine stands before the last line of the journal, {last}", hint=hint)


def _take_up(log: journal.Journal, told: Callable[[str], None]) -> None:
    """Finish what was left half done, whoever left it."""
    if log.now.pending is not None:
        told(f"a go of {log.now.pending.by} ({log.now.pending.does}) was left half done: it is finished first")
        _go_on(log, told)


def _go_on(log: journal.Journal, told: Callable[[str], None]) -> None:
    """Do the steps that are left, each written down before and after."""
    pending = log.now.pending
    assert pending is not None
    for number in range(log.now.next_step, len(pending.steps)):
        enforcer, step = pending.steps[number]
        log.begin(number, now())
        done = world.run(step)
        log.end(number, now(), well=done.well, said=done.said)
        if not done.well:
            hint = "The same command goes on from there; --undo takes back what was done; --give-up leaves it as it is."
            raise ActError(f"{enforcer}: could not {step.what}: {done.said.strip()[:300]}", hint=hint)
        told(f"{enforcer}: {step.what}{' (was so already)' if done.skipped else ''}")
    log.finish(now())


def _task(folder: Path, by: str) -> None:
    """From now on the case cannot be closed before somebody said what must hold."""
    with cases.writing(folder) as log:
        if not any(one.text == TASK and not one.done_at for one in log.case.tasks):
            cases.add_task(log, TASK, by=by)


def _noted(folder: Path, by: str, text: str) -> None:
    with cases.writing(folder) as log:
        cases.note(log, text, by=by)


def standing_of(folder: Path) -> tuple[Mapping[str, tuple[Block, ...]], journal.Now]:
    """What stands for this case, by enforcer; and all that the journal tells."""
    now, names = journal.read(enforced(folder)), set(_names(folder))
    mine = {
        name: tuple(one for one in blocks if names.intersection(one.cases)) for name, blocks in now.standing.items()
    }
    return mine, now


def _names(folder: Path) -> tuple[str, ...]:
    """The id of a case, then those of cases that became part of it."""
    _, case, _ = cases.entries_of(folder)
    return (case.id, *case.merged_from)


def gone(folder: Path, now: journal.Now) -> tuple[journal.Go, ...]:
    """What was done for this case from here, and what was taken off for all because it had run out."""
    names = {*_names(folder), ""}
    return tuple(one for one in now.ended if one.case in names)
