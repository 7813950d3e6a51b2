"""What a peer would be told of a bundle: each object with what becomes of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from tocsin.model.peer import Peer

Outcome: TypeAlias = Literal["as it is", "changed", "withheld"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`id` is that of the bundle as it is here; `because` says what was changed or why it stays, one reason a text."""

    id: str
    kind: str
    title: str
    outcome: Outcome
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`objects` are what goes, in the order of the bundle; `verdicts` tell of every object of it."""

    peer: Peer
    objects: tuple[Mapping[str, Any], ...]
    verdicts: tuple[Verdict, ...]
