"""What was seen of a containment, and what comes after it: sentences that never say more than was seen."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.model.action import Probed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A record after the blocks were in place that one of the plan's machines, accounts or values is in."""

    ts_us: int | None
    host: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How far logs of one machine go, after the blocks were in place; None where there are none."""

    host: str
    sources: tuple[str, ...]
    until_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the enforcers and the logs say.

    Args:
        since_us: when the blocks were in place; None while nothing was done from here.
        blocks: what the enforcers tell.
        still_active: signs of the intruder since; `looked` says whether any log was looked at.
        not_visible: what nobody could have seen.
        statement: all of it in sentences. It is what a person has before them who decides that it is contained.
    """

    of: str
    plan: str
    since_us: int | None
    blocks: tuple[Probed, ...]
    looked: bool
    still_active: tuple[Sign, ...]
    heard: tuple[Heard, ...]
    not_visible: tuple[str, ...]
    statement: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What must hold before the case may be closed.

    Args:
        rebuild: machines that are set up anew.
        secrets: whose are renewed, in that order.
        watch_until: the day on which the heightened watch ends.
        criteria: each is a task of the case until it holds.
    """

    rebuild: tuple[str, ...]
    secrets: tuple[str, ...]
    watch_until: str
    criteria: tuple[str, ...]
