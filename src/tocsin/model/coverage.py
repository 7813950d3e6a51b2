"""What could have been seen and what could not: no result is told without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tocsin.model.rule import RuleProblem

State: TypeAlias = Literal["fired", "silent", "no log source", "field absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLog:
    """Records of one log of one host. Times are UTC microseconds, None where no record has one."""

    kind: str
    channel: str  # "" where the records name none
    host: str
    records: int
    first_us: int | None
    last_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCoverage:
    """Whether one rule could have fired on this evidence.

    fired: it did, `findings` times. silent: its log source was there with the fields it needs, and it held for
    no event. no log source: no event of its log source is in the evidence. field absent: events are there, but
    without the fields in `detail`, so that it cannot hold.
    """

    rule: int  # index into RuleSet.rules
    state: State
    findings: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`gave_up`: (rule, values) where a regular expression took too long to be tried in full."""

    seen: tuple[SeenLog, ...]
    rules: tuple[RuleCoverage, ...]
    problems: tuple[RuleProblem, ...]
    gave_up: tuple[tuple[int, int], ...] = ()
