"""How an intruder can be cut off: what must be kept first, three ways to do it, and what each of them leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.action import Action

LinkKind: TypeAlias = Literal["way in", "channel", "persistence", "credential", "session", "movement"]
LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)

Way: TypeAlias = Literal["least disruptive", "fastest", "quietest"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """By what an intruder gets from one place to another.

    Args:
        because: indices into `Incident.findings`.
        told: what else of the incident shows it, such as a logon or a claim of what was taken.
    """

    id: str
    source: str
    target: str
    kind: LinkKind
    what: str
    because: tuple[int, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preserve:
    """What is collected from a host or an account before anything is done to it.

    `settled` says who confirmed that it was collected, or who waived it; '' while nobody did.
    """

    what: str
    collect: tuple[str, ...]
    settled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A way that stays open, and why. `link` is its id, '' where it is none of the graph's."""

    what: str
    why: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One way to cut the intruder off.

    Args:
        actions: in the order in which they are done.
        total: the sum of what was kept least: cost, minutes or noise.
        gap: how far from the least it may be, as a share; 0 where it is the least.
        first: what is done before the first action, in words.
        leaves: what stays open all the same.
    """

    way: Way
    actions: tuple[Action, ...]
    total: int
    gap: float
    first: tuple[str, ...] = ()
    leaves: tuple[Open, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """For one incident: the links to be cut, what is kept first, and the ways to do it side by side.

    Args:
        of: id of the case; `incident` the SHA-256 of the incident as it was when this was planned.
        advice: what would be done if it were allowed, with the reason in each; never rendered for enforcement.
        notes: what should be known, such as that no list of assets was given.
    """

    of: str
    incident: str
    links: tuple[Link, ...]
    preserve: tuple[Preserve, ...]
    alternatives: tuple[Alternative, ...]
    advice: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()

    def way(self, name: Way) -> Alternative:
        return next(one for one in self.alternatives if one.way == name)
