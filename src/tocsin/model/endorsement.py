"""What several nations say together: claims that each seals for itself, with its own confidence, or against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stance: TypeAlias = Literal["endorse", "reserve", "dissent", "abstain"]
Confidence: TypeAlias = Literal["high", "moderate", "low", ""]
Act: TypeAlias = Literal["seal", "withdraw", "decline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nation:
    """`keys` are its public keys as OpenSSH writes them: however many they are, they are one voice."""

    id: str  # "nz"
    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that is said. A probability stands in it as words or as text: JSON's numbers are doubles.

    `evidence` are ids of what it rests on, for those who have it.
    """

    id: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JointStatement:
    """What is put to nations; what they seal is the digest of all of it, so none of it changes unnoticed.

    Args:
        asked: ids of the nations that are asked, sorted; `threshold` of them must endorse a claim for it to stand.
        words: that are to be said in public, '' where nothing is.
        at: UTC, ISO 8601.
    """

    title: str
    claims: tuple[Claim, ...]
    asked: tuple[str, ...]
    threshold: int
    words: str
    marking: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfClaim:
    """What a nation says of a claim: `claim` is its digest, and `words` why it reserves or dissents."""

    claim: str
    stance: Stance
    confidence: Confidence = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """One entry of one nation. Nothing is ever changed: who thinks otherwise later makes another that follows this.

    Args:
        statement: digest of the statement.
        key: fingerprint of the key that signs it.
        after: digest of this nation's entry before it, '' where there is none.
        named: whether it may be named in public with exactly the words of the statement.
    """

    statement: str
    nation: str
    act: Act
    key: str
    at: str
    after: str
    claims: tuple[OfClaim, ...] = ()
    named: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Where a nation stands, over all of its entries that are here.

    Args:
        state: "silent" is no entry; "contradicts itself" two entries that follow the same one; "incomplete" that some
            entry is not here, so that nobody can say which is the last. In both none counts as endorsement.
        entry: the last one, where there is one last.
        entries: digests, in their order.
        doubts: what is missing or wrong, as sentences.
    """

    nation: str
    asked: bool
    state: Literal["silent", "sealed", "withdrawn", "declined", "contradicts itself", "incomplete"]
    entry: Endorsement | None = None
    entries: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How nations stand to one claim, by id; `stands` where as many of those asked endorse it as must."""

    claim: Claim
    endorse: tuple[str, ...]
    reserve: tuple[str, ...]
    dissent: tuple[str, ...]
    abstain: tuple[str, ...]
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Concord:
    """What became of a statement. `refused` are envelopes that count for nothing, and why."""

    digest: str
    statement: JointStatement
    voices: tuple[Voice, ...]
    tallies: tuple[Tally, ...]
    refused: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether every claim does."""
        return bool(self.tallies) and all(one.stands for one in self.tallies)
