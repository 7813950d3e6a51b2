"""What an organisation could see and stop of what is feared in, what to mend first out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

LEAST_EFFORT: Final = 1
MOST_EFFORT: Final = 5

# Whether rules here could detect a technique, the best first.
Sight: TypeAlias = Literal[
    "could detect",  # a rule for it has the log source and the fields that it needs
    "in part",  # none for it has, but one for its parent, or for a part of it
    "no logs",  # there are rules, and none has its log source here
    "no rules",
    "not tried",  # there are rules, and no evidence was named
    "outside",  # it happens where none of one's own sensors are
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Who or what is prepared against: a group, a case, what was found in evidence; techniques are of one release."""

    id: str
    name: str
    techniques: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """What a team says of itself: mitigations in place, in place in part, and the effort of others for it."""

    in_place: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()
    efforts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One technique that is feared, and how one stands to it.

    Args:
        rules: that are for it; `able` of them could fire on this evidence.
        missing: log sources that others of them lack.
        mitigations: listed against it; none is why no step can help.
        mitigated: whether one of them is in place.
    """

    id: str
    name: str
    tactics: tuple[str, ...]
    aims: tuple[str, ...]
    sight: Sight
    rules: int
    able: int
    missing: tuple[str, ...]
    mitigations: tuple[str, ...]
    mitigated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A mitigation to take next.

    Args:
        effort: from `LEAST_EFFORT` to `MOST_EFFORT`.
        layers: on how many techniques of a path it is to be met; before all paths that can have one do, this is 1.
        cut: paths that have so many by it, and had fewer.
        left: paths that still have fewer.
        techniques: that are mitigated by it first.
        partly: whether it is in place in part already.
    """

    mitigation: str
    name: str
    effort: int
    layers: int
    cut: int
    left: int
    techniques: tuple[str, ...]
    partly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A log source that rules wait for, and the techniques that nothing else here could detect in full."""

    logsource: str
    rules: int
    techniques: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """How one stands, and what to mend first.

    A path is one technique of each tactic that an aim has in sight, in turn; `paths` are all of them, `open` those
    on which nothing is in place against any technique.
    """

    release: str
    aims: tuple[Aim, ...]
    prospects: tuple[Prospect, ...]
    missing: tuple[Missing, ...]
    steps: tuple[Step, ...]
    paths: int
    open: int
    in_place: tuple[str, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stood at a time, in figures that can be compared with those of other times.

    Args:
        at: to the second, UTC, as ISO 8601.
        aims: their ids, sorted.
        techniques: that are feared, but for those that happen outside.
        open_percent: of a hundred paths, those on which nothing is in place.
    """

    at: str
    release: str
    aims: tuple[str, ...]
    techniques: int
    could_detect: int
    no_logs: int
    no_rules: int
    mitigated: int
    open_percent: float
