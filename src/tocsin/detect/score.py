"""An indicator and when it was seen in, how much it still says out, term by term, with when that was in words.

Each term is a factor between 0 and 1 of what its source claims; what it loses with time follows its type, as in
"A decaying model of indicators of compromise" (Iklody and others, 2018), with half-lives for the event's own time: an
address of 2021 says of an event of 2021 what it said then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin.model.indicator import Indicator, ObservableType

When: TypeAlias = Literal["in its time", "near its time", "before its time", "after its time", "no time told"]
WHENS: Final[tuple[When, ...]] = ("in its time", "near its time", "before its time", "after its time", "no time told")

MARGIN_DAYS: Final = 14.0  # what an intruder used the day before somebody saw it is no chance

_DAY_US: Final = 86_400_000_000
# In days. A hash stays what it is; who has an address changes within weeks.
_HALF_LIVES: Final[Mapping[ObservableType, float]] = {
    "address": 45.0,
    "network": 90.0,
    "domain": 180.0,
    "url": 60.0,
    "mail": 365.0,
    "account": 180.0,
    "agent": 365.0,
    "ja4": 365.0,
}
_OF_OTHERS: Final = 730.0
_NEVER: Final = ("md5", "sha1", "sha256", "sha512", "imphash", "ssdeep")
_UNTOLD: Final = 0.5  # a source that names no confidence
_TRUST: Final = 4  # indicators by which a source of which nothing is known is taken to have been right
_REVOKED: Final = 0.2
_LISTED: Final = 0.2
_COMMON: Final = 0.5
_MANY_HOSTS, _MANY_SHARE = 10, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    factor: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`value` is 0 to 100: the product of the terms."""

    value: int
    terms: tuple[Term, ...]


def when(one: Indicator, ts_us: int | None, margin_days: float = MARGIN_DAYS) -> When:
    """How the time of an event goes with the time in which an indicator holds."""
    if ts_us is None or (one.since_us is None and one.until_us is None):
        return "no time told"
    days = days_outside(one, ts_us)
    if not days:
        return "in its time"
    if abs(days) <= margin_days:
        return "near its time"
    return "before its time" if days < 0 else "after its time"


def days_outside(one: Indicator, ts_us: int) -> float:
    """How many days an event lies before (negative) or behind the time in which an indicator holds."""
    if one.since_us is not None and ts_us < one.since_us:
        return (ts_us - one.since_us) / _DAY_US
    if one.until_us is not None and ts_us >= one.until_us:
        return max(ts_us - one.until_us, 1) / _DAY_US
    return 0.0


def score(
    one: Indicator,
    ts_us: int | None,
    *,
    revoked: bool,
    hosts: int,
    of_hosts: int,
    margin_days: float = MARGIN_DAYS,
    record: tuple[int, int] = (0, 0),
) -> Score:
    """How much an indicator says of an event.

    Args:
        ts_us: of the event that goes best with the indicator's time; None where none has one.
        hosts: on how many machines it was seen, of how many there are.
        record: how many indicators of its source were judged right here, and how many wrong.
    """
    terms = [_of_source(one), *_of_record(one, *record), _of_age(one, ts_us, margin_days)]
    if revoked:
        terms.append(Term(factor=_REVOKED, because="its source took it back"))
    if one.listed:
        terms.append(Term(factor=_LISTED, because=f"on a list of what is known: {', '.join(one.listed[:3])}"))
    if of_hosts >= _MANY_HOSTS and hosts > _MANY_SHARE * of_hosts:
        told = f"seen on {hosts:,} of {of_hosts:,} machines: what many have says little of one"
        terms.append(Term(factor=_COMMON, because=told))
    value = 100.0
    for term in terms:
        value *= term.factor
    return Score(value=round(value), terms=tuple(terms))


def _of_source(one: Indicator) -> Term:
    if one.confidence is None:
        return Term(factor=_UNTOLD, because="its source names no confidence")
    return Term(factor=one.confidence / 100, because=f"its source's confidence is {one.confidence}")


def _of_record(one: Indicator, right: int, wrong: int) -> Iterator[Term]:
    """What became of the source's other indicators here: the mean of a Beta distribution that begins in its favour."""
    if right + wrong:
        told = f"of what {one.source or 'its source'} told, {right:,} were judged right here and {wrong:,} wrong"
        yield Term(factor=(right + _TRUST) / (right + wrong + _TRUST), because=told)


def _of_age(one: Indicator, ts_us: int | None, margin_days: float) -> Term:
    kind = one.observables[0].type if one.observables else None
    if ts_us is None:
        return Term(factor=1.0, because="the events have no time to compare with")
    if one.since_us is None and one.until_us is None:
        return Term(factor=1.0, because="it tells no time in which it holds")
    outside = days_outside(one, ts_us)
    if not outside:
        return Term(factor=1.0, because="seen within the time in which it holds")
    told = f"seen {abs(outside):,.0f} days {'before it began to hold' if outside < 0 else 'after it ceased to hold'}"
    if abs(outside) <= margin_days:
        return Term(factor=1.0, because=f"{told}, within the margin of {margin_days:g}")
    if kind in _NEVER:
        return Term(factor=1.0, because=f"{told}, and a hash stays what it is")
    life = _HALF_LIVES.get(kind, _OF_OTHERS) if kind is not None else _OF_OTHERS
    factor = 2.0 ** -((abs(outside) - margin_days) / life)
    return Term(factor=factor, because=f"{told}; half of what it says is lost in {life:g} days")
