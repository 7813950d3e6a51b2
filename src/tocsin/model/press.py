"""What somebody told the public was taken, part by part; and what the evidence says of each part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.citation import Citation

What: TypeAlias = Literal["mailboxes", "files", "credentials", "database"]
WHATS: tuple[What, ...] = get_args(What)

# "consistent" says that nothing speaks against it and records show such a thing, never that it is true.
Verdict: TypeAlias = Literal["contradicted", "consistent", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """None, and '' for a host, where the claim does not say."""

    id: str
    says: str
    what: What
    mailboxes: int | None = None
    bytes: int | None = None
    host: str = ""
    from_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PressClaim:
    """`authority` is whose information it is said to be; `by` says so, and `where`."""

    id: str
    claimed_us: int
    by: str
    where: str
    authority: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A part of a claim, held against the evidence.

    Args:
        id: of the part; `claim` is that of the whole, `by` who made it.
        because: why, in sentences with figures.
        not_seen: what could not be seen, whatever the verdict is.
        evidence: records that it rests on, the most telling first.
    """

    id: str
    claim: str
    by: str
    says: str
    verdict: Verdict
    because: tuple[str, ...]
    not_seen: tuple[str, ...] = ()
    evidence: tuple[Citation, ...] = ()
