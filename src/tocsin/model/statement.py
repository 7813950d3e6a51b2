"""Whom people hold responsible: a statement that somebody proposes, and whether it stands.

A statement is political and legal, and never follows from a comparison. It stands only where two people have signed it
with keys of their own, neither of them who proposed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin.model.decision import Decision, Role

RESPONSIBLE: Final = "responsible"  # the subject of decisions about statements
PROPOSED: Final = "propose"
NEEDED: Final = 2
# Who may hold somebody responsible. Analysts, officers of the watch and owners of systems know what happened, and that
# is not what is decided here.
MAY_SIGN: Final[frozenset[Role]] = frozenset({"leadership", "legal", "minister"})

State: TypeAlias = Literal["nobody", "proposed", "refused", "void", "held"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """It is kept in its case as JSON, and what is signed is the digest of that.

    Args:
        responsible: who, in the words that are to be used.
        reason: why, beyond the comparison: what only people can weigh.
        by: the analyst who proposes it; `key` is the fingerprint of their key.
        evidence: digest of what the case held then. Where it holds something else now, the statement is void.
        attribution: digest of the technical comparison that it goes with, which is kept in the case too.
        answer: of that comparison.
    """

    case: str
    responsible: str
    reason: str
    by: str
    key: str
    evidence: str
    attribution: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of the last statement that was proposed in a case.

    Args:
        state: only where it is "held" may anybody be called responsible, in the words of the statement.
        digest: of the statement.
        signed: the decisions that count for it.
        because: why it does not stand, or what does not count, as sentences.
    """

    state: State = "nobody"
    statement: Statement | None = None
    digest: str = ""
    signed: tuple[Decision, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def held(self) -> Statement | None:
        """The statement, where people decided it."""
        return self.statement if self.state == "held" else None


NOBODY: Final = Standing()
