"""What could have been seen and what could not: no result is told without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tocsin.model.indicator import LeftOut, ObservableType
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
class ObservableCoverage:
    """How indicators of one type could have been seen.

    Args:
        indicators: that look for such observables by their value; `seen` of them were found.
        fields: of the evidence, that may hold such observables and had values. Without one none could be seen.
    """

    type: ObservableType
    indicators: int
    seen: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorCoverage:
    """What became of the indicators of a run.

    Args:
        left_out: that were not looked for, and why.
        lowered: rules whose level was lowered, for what they look for is on a list of what many share.
        outside: (rule, events) that hold what it looks for, at a time when it did not hold.
    """

    observables: tuple[ObservableCoverage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    lowered: tuple[int, ...] = ()
    outside: tuple[tuple[int, int], ...] = ()
    known_good: str = ""  # where the lists were read; '' where nothing was compared with any


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`gave_up`: (rule, values) where a regular expression took too long to be tried in full."""

    seen: tuple[SeenLog, ...]
    rules: tuple[RuleCoverage, ...]
    problems: tuple[RuleProblem, ...]
    gave_up: tuple[tuple[int, int], ...] = ()
    indicators: IndicatorCoverage | None = None  # None where none were given
