"""Plans, and what was seen of them, in; lines that people read out. Values of evidence are made harmless on the way."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tocsin.contain import POSTED, route
from tocsin.contain.catalogue import NOBODY_KNOWS
from tocsin.model.action import Action, Block, Place, Step
from tocsin.model.containment import Recovery, Verification
from tocsin.model.decision import Decision
from tocsin.model.plan import Alternative, Plan, Preserve
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.act.journal import Go

_WIDTH = 100
_MOST = 60  # lines of one list; the count of the others is told


def overview(plan: Plan) -> Iterator[str]:
    """The alternatives side by side, then each of them whole."""
    kinds = list(dict.fromkeys(link.kind for link in plan.links))
    told = ", ".join(f"{kind} {sum(link.kind == kind for link in plan.links)}" for kind in kinds)
    yield f"{len(plan.links)} links to sever: {told or 'none'}"
    yield ""
    yield f"  {'':18} {'actions':>7}  {'cost':>5}  {'minutes':>7}  {'seen':>5}  {'people':>6}  {'open':>4}"
    for one in plan.alternatives:
        sums = [sum(getattr(action, name) for action in one.actions) for name in ("cost", "minutes", "noise")]
        people = max((action.approvals for action in one.actions), default=0)
        gap = "" if not one.gap else f"  up to {one.gap:.1%} above the least"
        yield (
            f"  {one.way:18} {len(one.actions):7}  {sums[0]:5}  {sums[1]:7}  {sums[2]:5}  {people:6}"
            f"  {len(one.leaves):4}{gap}"
        )
    words = (
        "cost: tens of minutes of people who cannot work; seen: how plainly the intruder sees it. Both are estimates."
    )
    yield from _wrapped(words)
    yield from _preserve(plan.preserve)
    for one in plan.alternatives:
        yield from alternative(one)
    if plan.advice:
        yield ""
        yield "advice only, never rendered"
        for action in plan.advice[:_MOST]:
            yield from _wrapped(f"{_named(action)}: {action.advice}")
        asked = sorted({name for action in plan.advice for name in action.originators if "must agree" in action.advice})
        for name in asked:
            subject = _quoted(f"originator:{name}")
            yield f"  once they agreed: tocsin case decide {shown(plan.of)} {subject} yes --role ROLE --reason HOW"
    if plan.notes:
        yield ""
        yield "to know"
        for note in plan.notes[:_MOST]:
            yield from _wrapped(note)


def alternative(one: Alternative) -> Iterator[str]:
    yield ""
    yield f"{one.way}: {len(one.actions)} actions, in this order"
    for word in one.first:
        yield from _wrapped(f"first: {word}")
    numbers = {action.id: number for number, action in enumerate(one.actions, 1)}
    for number, action in enumerate(one.actions[:_MOST], 1):
        yield from _action(number, action, numbers)
    yield from _more(one.actions)
    yield "  leaves open" if one.leaves else "  leaves open: nothing that is known"
    for left in one.leaves[:_MOST]:
        yield from _wrapped(f"{left.what}: {left.why}", "    ")
    yield from _more(one.leaves)


def _action(number: int, action: Action, numbers: Mapping[str, int]) -> Iterator[str]:
    yield from _wrapped(f"{number}. {_named(action)}")
    after = [str(numbers[name]) for name in action.after if name in numbers]
    told = [
        f"cost {action.cost}",
        f"{action.minutes} min",
        f"{action.approvals} to approve",
        f"belongs to {', '.join(action.authorities)}" if action.authorities != (NOBODY_KNOWS,) else "owner not known",
        "can be taken back" if action.reversible else "cannot be taken back",
    ]
    told += [f"lifted after {action.expires_s // 86_400} days"] if action.expires_s else []
    told += [f"after {', '.join(after)}"] if after else []
    yield from _wrapped("; ".join(told), "       ")
    yield from _wrapped(action.why, "       ")


def _preserve(kept: Sequence[Preserve]) -> Iterator[str]:
    yield ""
    yield ("collect first: evidence goes when a machine does" if kept else "nothing is to be collected first")
    for one in kept[:_MOST]:
        yield from _wrapped(f"{one.what}: {one.settled or 'not confirmed yet'}")
    for kind in dict.fromkeys(one.what.partition(" ")[0] for one in kept):
        collect = next(one.collect for one in kept if one.what.startswith(f"{kind} "))
        yield from _wrapped(f"of each {kind}: {'; '.join(collect)}")
    yield from _more(kept)


def to_sign(kept: Alternative, case: str, digest: str, waiting: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is still to be signed, as commands."""
    signing = f"--seen {digest} --role ROLE --reason WHY"
    yield f"plan {digest}: {kept.way}"
    if not waiting:
        yield "  nothing that is done from here waits for a signature"
        return
    yield f"  {len(waiting)} actions wait; people sign with their own keys:"
    yield f"    tocsin case decide {shown(case)} contain yes {signing}"
    authorities = dict.fromkeys(name for action in kept.actions for name in action.authorities)
    for name in authorities:
        yield f"    tocsin case decide {shown(case)} {_quoted(f'consent:{name}')} yes {signing}"
    for name in dict.fromkeys(name for action in kept.actions for name in action.originators):
        yield f"    tocsin case decide {shown(case)} {_quoted(f'originator:{name}')} yes --role ROLE --reason HOW"
    for what in dict.fromkeys(name for action in kept.actions for name in action.preserve):
        yield f"    tocsin case decide {shown(case)} {_quoted(f'collected:{what}')} yes --role ROLE --reason HOW"
    yield "  what they wait for"
    whom: dict[str, list[str]] = {}
    for name, whys in waiting.items():
        for why in whys:
            whom.setdefault(why, []).append(name)
    for why, names in list(whom.items())[:_MOST]:
        yield from _wrapped(f"{why}: {names[0] if len(names) == 1 else f'{len(names)} actions'}", "    ")
    yield from _more(list(whom))


def _quoted(text: str) -> str:
    """For a shell, so that whoever copies the line runs nothing of what evidence says."""
    return "'" + shown(text).replace("'", "'\\''") + "'"


def steps(every: Iterable[tuple[str, Step]]) -> Iterator[str]:
    for enforcer, step in every:
        yield f"  {enforcer}: {shown(step.what)}"
        if step.argv:
            yield f"      {shown(' '.join(step.argv), 200)}"
        for name, value in (("file", step.path), ("address", step.url)):
            if value:
                yield f"      {name} {shown(value)}"
        lines = step.text.splitlines()
        yield from (f"      | {shown(line, _WIDTH)}" for line in lines[:30])
        if len(lines) > 30:
            yield f"      | and {len(lines) - 30:,} more lines"


def for_people(chosen: Alternative, plan: str) -> Iterator[str]:
    """What people read who carry it out by hand: the steps of each action, how it is seen to hold, how it is undone."""
    yield f"{chosen.way}, of the plan {plan}"
    yield "What is not signed for is advice: --status tells what waits for whom."
    for word in chosen.first:
        yield from _wrapped(f"first: {word}")
    numbers = {action.id: number for number, action in enumerate(chosen.actions, 1)}
    for number, action in enumerate(chosen.actions, 1):
        yield ""
        yield from _wrapped(f"{number}. {_named(action)} ({action.id})", "")
        after = [str(numbers[name]) for name in action.after if name in numbers]
        yield from (_wrapped(f"not before {', '.join(after)}") if after else ())
        yield from (_wrapped(f"collect first: {', '.join(action.preserve)}") if action.preserve else ())
        for title, lines in (("do", action.steps), ("check", action.probes), ("take back", action.undo)):
            for line in lines:
                yield from _wrapped(f"{title}: {line}")
        if not action.undo:
            yield "  cannot be taken back"


def routes(actions: Sequence[Action], places: Sequence[Place], done: Mapping[str, Decision]) -> Iterator[str]:
    """How each action is carried out, and which of those that people do are signed as done."""
    ways: dict[str, list[Action]] = {}
    for action in actions:
        ways.setdefault(route(action, places), []).append(action)
    yield "who carries it out"
    for way, several in ways.items():
        yield from _wrapped(f"{way}: {_count(len(several), 'action')}")
        if way.startswith("from here"):
            continue
        for action in several[:_MOST]:
            by = done.get(action.id)
            word = f"done, as {by.by} signed on {by.at[:16].replace('T', ' ')} UTC" if by else "not signed as done"
            yield from _wrapped(f"{_named(action)}: {word} ({action.id})", "    ")
        yield from _more(several)


def to_sign_done(case: str, digest: str) -> Iterator[str]:
    yield "  what people did is signed by its id:"
    yield f"    tocsin case decide {shown(case)} done:ID yes --seen {digest} --role ROLE --reason HOW"


def _named(action: Action) -> str:
    return f"{action.verb}: {action.target.value}{f' on {action.target.host}' if action.target.host else ''}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def standing(blocks: Mapping[str, Sequence[Block]], now_us: int) -> Iterator[str]:
    count = sum(len(each) for each in blocks.values())
    stand = "block stands" if count == 1 else "blocks stand"
    yield f"{count:,} {stand} for this case" if count else "nothing stands for this case from here"
    for enforcer, each in blocks.items():
        for block in each[:_MOST]:
            until = f"until {_minute(block.until_us)}" if block.until_us else "without end"
            if block.until_us and block.until_us <= now_us:
                until = f"ran out on {_minute(block.until_us)}; --expire takes it off where nothing else does"
            others = f"; for {len(block.cases)} cases" if len(block.cases) > 1 else ""
            posted = "posted, not asked whether it was done; " if enforcer == POSTED else ""
            what = f"{block.verb} {block.target.value}{f' on {block.target.host}' if block.target.host else ''}"
            yield from _wrapped(f"{enforcer}: {what}, {posted}{until}{others}")
        yield from _more(each)


_DOES: Final = {"apply": "applied", "undo": "lifted", "expire": "took off what had run out"}


def history(ended: Sequence[Go]) -> Iterator[str]:
    """What was done from here, as the journal has it."""
    for go in ended[-_MOST:]:
        plan = f", by the plan {go.plan[:16]}" if go.plan else ""
        steps = _count(len(go.steps), "step")
        yield from _wrapped(f"{go.at[:16].replace('T', ' ')} UTC: {go.by} {_DOES.get(go.does, go.does)}, {steps}{plan}")
    if len(ended) > _MOST:
        yield f"  and {len(ended) - _MOST:,} before them"


def seen(told: Verification, case: str, digest: str) -> Iterator[str]:
    for word in told.statement:
        yield from _wrapped(word)
    yield ""
    if told.since_us is None:
        yield "There is nothing yet by which anybody could decide that it is contained."
        return
    yield "Whether it is contained is for a person to decide, with this before them:"
    yield f"  tocsin case decide {shown(case)} contained yes --seen {digest} --role lead --reason WHY"


def recovery(found: Recovery) -> Iterator[str]:
    yield f"heightened watch until {found.watch_until}; machines to set up anew: {len(found.rebuild)}"
    yield "What must hold before the case can be closed, each a task of it now:"
    for word in found.criteria:
        yield from _wrapped(word)


def _minute(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _more(every: Sequence[object]) -> Iterator[str]:
    if len(every) > _MOST:
        yield f"  and {len(every) - _MOST:,} more"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    width = min(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH
    return textwrap.wrap(
        shown(text), width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    ) or [indent]
