"""What an incident did to what was kept from others: three claims (accessed, staged, left), each with its bounds.

Unknown is a value: an upper bound of None is not known, and a lower bound of 0 says that nothing is shown, never that
nothing happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.citation import Citation

Stage: TypeAlias = Literal["left", "staged", "accessed"]
STAGES: tuple[Stage, ...] = get_args(Stage)

Sort: TypeAlias = Literal["network", "mail", "file", "archive", "database", "directory", "credential"]
SORTS: tuple[Sort, ...] = get_args(Sort)

Unit: TypeAlias = Literal["bytes", "messages", "files", "archives", "records", "accounts", "directories"]

Confidence: TypeAlias = Literal["high", "moderate", "low"]

# What it was: what people wrote and kept; what enables more (maps of networks, configurations, secrets); some of each.
Content: TypeAlias = Literal["content", "technical", "both", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`lower` is shown by records; `upper` is the most that can have been, None where nobody can tell."""

    lower: int = 0
    upper: int | None = None

    def __post_init__(self) -> None:
        if self.lower < 0 or (self.upper is not None and self.upper < self.lower):
            raise ValueError(f"no bounds: {self.lower} to {self.upper}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that was accessed, staged or left, as far as records show.

    Args:
        what: the claim without its amount, such as "left for 203.0.113.9".
        subject: the destination, mailbox, file share, host or directory that it is about.
        account: who did it, as the log writes it; '' where no record says.
        back: how much came the other way; None where that is no question.
        answers: it is only what servers of ours answered to whoever asked, of which no record shows more.
        confidence: how sure it is that this belongs to the incident; `because` says why.
        technical: how many of `names` are technical; `content` says the same in a word.
        names: of files, messages, accounts, as far as they are known; `unnamed` says how many more there are.
        would_tell: the log source that would have told what is not known; '' where nothing is missing.
        evidence: the first of `records` records that it rests on.
        findings: indices into `Incident.findings` among these records.
    """

    stage: Stage
    sort: Sort
    what: str
    subject: str
    unit: Unit
    amount: Bounds
    confidence: Confidence
    because: str
    host: str = ""
    account: str = ""
    back: Bounds | None = None
    answers: bool = False
    content: Content = "not known"
    technical: int = 0
    names: tuple[str, ...] = ()
    unnamed: int = 0
    would_tell: str = ""
    first_us: int | None = None
    last_us: int | None = None
    records: int = 0
    evidence: tuple[Citation, ...] = ()
    findings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question that the logs at hand do not answer, and what would have answered it."""

    question: str
    would_tell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Records from `since_us` to `until_us` were looked at; None where the incident has no time, so that all were."""

    claims: tuple[Claim, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
