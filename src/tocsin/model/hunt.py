"""A question asked of every year that a lake holds, and the answer: what was seen, and what nobody could have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.indicator import ObservableType

Answer: TypeAlias = Literal["seen", "not seen", "partly visible", "could not be seen"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What can be said of one type of observable in one log of one host, for months that have the same answer.

    Args:
        since: the first of these months, `2021-03`, and `until` the last.
        gaps: days of which nothing is known, as `2021-03-04` or `2021-03-04/2021-03-09`.
        because: why it could not be seen; '' elsewhere.
    """

    type: ObservableType
    kind: str
    log: str
    host: str
    since: str
    until: str
    answer: Answer
    gaps: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a hunt says of one indicator or rule that was found.

    Args:
        rule: index into the run's `RuleSet.rules`.
        whens: events by how their time goes with the indicator's; empty for a rule.
        score: 0 to 100, with its terms as (factor, because); None for a rule.
        hosts: the machines it was seen on, in order, not all if there are many.
    """

    rule: int
    id: str
    title: str
    value: str
    events: int
    first_us: int | None
    last_us: int | None
    host_count: int
    hosts: tuple[str, ...]
    kinds: tuple[str, ...]
    revoked: bool
    whens: Mapping[str, int]
    score: int | None
    terms: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Why a hunt is made, and how far back. Times are UTC microseconds, None for all."""

    by: str
    authority: str
    purpose: str
    names: tuple[str, ...]
    since_us: int | None = None
    until_us: int | None = None
    margin_days: float = 14.0
