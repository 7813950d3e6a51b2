"""To whom else something was sent from where the findings of an incident point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.citation import Citation

PointerKind: TypeAlias = Literal[
    "domain",  # as it was registered: what sends and what is fetched are often two names below it
    "sender",  # a whole address
    "address",  # of the machine that delivered
]
POINTER_KINDS: tuple[PointerKind, ...] = get_args(PointerKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A mailbox that something was sent to, or an account that fetched something, and the first records of it.

    Args:
        fetched: it is an account by which something was fetched; otherwise a mailbox that was written to.
        count: of all such records.
    """

    name: str
    fetched: bool
    count: int
    first_us: int | None
    last_us: int | None
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """All whom one domain, sender or address reached by mail, whether or not a rule saw it.

    Args:
        name: what all logs of mail were asked for.
        because: how that came into the incident.
        doubt: why whoever got something need not have been meant; '' where nothing speaks for that.
        all: those addressed, by name; none where `doubt` says of too many that they may not have been meant.
        count: how many there are.
    """

    kind: PointerKind
    name: str
    because: str
    doubt: str
    all: tuple[Addressee, ...]
    count: int
