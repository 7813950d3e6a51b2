"""What states have agreed on, as far as a case speaks of it; and what one state writes to another about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin.model.decision import Role

NOTICE: Final = "notice"  # the subject of decisions on what is written to a state
NEEDED: Final = 2
MAY_SIGN: Final[frozenset[Role]] = frozenset({"leadership", "legal", "minister"})

Request: TypeAlias = Literal["information", "mitigation", "assistance"]
Urgency: TypeAlias = Literal["routine", "urgent", "immediate"]
# What became of a notice once it was decided: it is handed over by the foreign ministry, never by this program.
Deed: TypeAlias = Literal["handed over", "acknowledged", "answered", "withdrawn", "closed"]
State: TypeAlias = Literal["proposed", "refused", "decided"] | Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """One of the eleven voluntary norms (A/70/174, paragraph 13), by its letter, in our words."""

    letter: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`evidence` are the sources of records, or ids of findings, that it rests on."""

    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """A norm, with the facts by which it may be relevant, and what would have to be known."""

    norm: Norm
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]

    @property
    def may_be(self) -> bool:
        return bool(self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notification to another state, as A/76/135 outlines it. To be notified is not to be accused.

    Args:
        reference: by which both sides speak of it.
        sender: the contact point that answers; `verify` says how the receiver checks that it is they.
        state: to which it goes; `receiver` its contact point, as far as known.
        norms: letters of those that may be relevant.
        indicators: defanged, of things in the receiver's territory as whoever wrote this says.
        evidence: digests by which the sender can show later that it had this then.
        clocks: how well the clocks agree that wrote the times.
    """

    reference: str
    case: str
    at: str
    urgency: Urgency
    marking: str
    sender: str
    verify: str
    state: str
    receiver: str
    norms: tuple[str, ...]
    request: Request
    action: str
    by_when: str
    facts: tuple[Fact, ...]
    systems: tuple[str, ...]
    clocks: tuple[str, ...]
    indicators: tuple[str, ...]
    evidence: tuple[str, ...]
    consequences: tuple[str, ...]
    not_asserted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that somebody signed about a notice."""

    at: str
    what: str
    by: str
    role: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A notice and what became of it. Only a decided one may leave, by the hands of a foreign ministry."""

    digest: str
    notice: Notice
    state: State
    steps: tuple[Step, ...]
    signed: int
    because: tuple[str, ...] = ()

    @property
    def may_leave(self) -> bool:
        return self.state not in ("proposed", "refused", "withdrawn")
