"""What enforcers and logs say in, sentences out that claim no more than was seen.

"No sign seen" is said only with since when, in which logs, and up to when; what had no log is named beside it. That an
incident is contained is never said here: a named person decides that, with these sentences before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from tocsin.model.action import Probed
from tocsin.model.containment import Heard, Sign, Verification
from tocsin.model.plan import Alternative

_MOST: Final = 50


def moment(us: int | None) -> str:
    if us is None:
        return "a time that is not known"
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def hosts_of(chosen: Alternative, named: Iterable[str]) -> tuple[str, ...]:
    """The machines that must be silent: those of the incident, and those of the plan."""
    of_plan = [
        action.target.host or action.target.value for action in chosen.actions if action.target.kind in _ON_HOSTS
    ]
    return tuple(dict.fromkeys(name.strip().rstrip(".").casefold() for name in (*named, *of_plan)))


_ON_HOSTS: Final = ("host", "persistence")


def verification(
    *,
    of: str,
    plan: str,
    chosen: Alternative,
    since_us: int | None,
    blocks: Sequence[Probed],
    looked: bool,
    signs: Sequence[Sign],
    heard: Sequence[Heard],
    by_people: Sequence[str],
    signed: Sequence[str] = (),
    lifted: str = "",
) -> Verification:
    """Put together what was seen.

    Args:
        since_us: when the last step from here was done; None while none was.
        looked: whether logs were looked at; `signs` and `heard` are of these.
        by_people: actions of the plan that are not carried out from here, or that are posted and not asked after.
        lifted: when what had been done from here was lifted again, '' where it was not.
        signed: of these the ones that somebody signed as done, with who and when.
    """
    dark = tuple(one.host for one in heard if one.until_us is None)
    not_visible = [f"{name}: no log of it after {moment(since_us)}" for name in dark]
    not_visible += [f"{name}: whether it was done is not seen from here" for name in by_people]
    not_visible += [f"{word}; it is their word, and not seen from here" for word in signed]
    not_visible += [f"{one.what}: {one.why}" for one in chosen.leaves]
    told = _statement(since_us, blocks, looked=looked, signs=signs, heard=heard, dark=not_visible)
    again = (f"what was done from here was lifted again on {lifted}: nothing of it stands",) if lifted else ()
    return Verification(
        of=of,
        plan=plan,
        since_us=since_us,
        blocks=tuple(blocks),
        looked=looked,
        still_active=tuple(signs),
        heard=tuple(heard),
        not_visible=tuple(not_visible),
        statement=(*again, *told),
    )


def _statement(
    since_us: int | None,
    blocks: Sequence[Probed],
    *,
    looked: bool,
    signs: Sequence[Sign],
    heard: Sequence[Heard],
    dark: Sequence[str],
) -> Iterable[str]:
    blocks = sorted(blocks, key=lambda one: one.stands)  # what is not in place is told first
    for one in blocks[:_MOST]:
        stopped = "" if one.stopped is None else f"; it stopped {one.stopped:,} packets"
        place = f"in place{stopped}" if one.stands else "NOT IN PLACE, or it cannot be seen"
        yield f"{one.target.kind} {one.target.value}: {place}"
    if len(blocks) > _MOST:
        gone = sum(not one.stands for one in blocks[_MOST:])
        yield f"{len(blocks) - _MOST:,} more, of which {gone:,} are not in place"
    if since_us is None:
        yield "nothing was done from here that stands, and nobody signed that anything was done elsewhere"
    elif not looked:
        yield f"no log was looked at: whether they are still active since {moment(since_us)} is not known"
    elif signs:
        yield f"still active: {len(signs):,} signs since {moment(since_us)}"
        for sign in signs[:_MOST]:
            yield f"  {moment(sign.ts_us)} {sign.host}: {sign.what}"
    else:
        lit = [one for one in heard if one.until_us is not None]
        told = "; ".join(f"{one.host} ({', '.join(one.sources)}) up to {moment(one.until_us)}" for one in lit)
        if told:
            yield f"no sign seen since {moment(since_us)} in the logs of: {told}"
        else:
            yield f"no log after {moment(since_us)} is of a machine of this plan: nothing can be said of them"
    yield from (f"not visible: {word}" for word in dark[:_MOST])
    if len(dark) > _MOST:
        yield f"not visible: {len(dark) - _MOST:,} more"
