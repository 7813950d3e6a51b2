"""Observations of a STIX pattern in, the ways in which they may all be made out (STIX 2.1 section 9.5 and 9.6).

AND in any order, FOLLOWEDBY in order (of one time is in order), each observation by another event. WITHIN counts from
the first to the last of them. What stands inside a bracket with a WITHIN of its own cannot be part of more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from tocsin.detect.patterns import MOST_TIMESPAN_US
from tocsin.detect.stix_grammar import Asked, Between, Many, Observed, One, Repeated, Within
from tocsin.detect.terms import Unusable

MOST_WAYS: Final = 24
MOST_ORDERED: Final = 16
MOST_UNORDERED: Final = 6

How: TypeAlias = Literal["one", "again", "all", "in order"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An observation: one of what is asked, within a time."""

    asked: tuple[Asked, ...]
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    how: How
    leaves: tuple[Leaf, ...]
    times: int = 1
    timespan_us: int | None = None


def ways(observed: Observed) -> tuple[Path, ...]:
    """All ways, each once.

    Raises:
        Unusable: what cannot be expressed.
    """
    found = _merged(_ways(observed))
    if len(found) > MOST_WAYS:
        raise _many()
    for one in found:
        most = MOST_UNORDERED if one.how == "all" else MOST_ORDERED
        if len(one.leaves) > most:
            raise Unusable(
                "unsupported", f"more than {most} observations {'in any order' if one.how == 'all' else 'in order'}"
            )
    return tuple(found)


def _many() -> Unusable:
    return Unusable("unsupported", f"more than {MOST_WAYS} ways to order its observations")


def _ways(observed: Observed) -> list[Path]:
    match observed:
        case One(asked):
            return [Path(how="one", leaves=(Leaf((asked,)),))]
        case Between(part=part, start=start, stop=stop):
            since, until = _time(start), _time(stop)
            if since >= until:
                raise Unusable("unsupported", "START is not before STOP: it is never true")
            return [_confined(one, since, until) for one in _ways(part)]
        case Within(part=part, seconds=seconds):
            return [_limited(one, _span(seconds)) for one in _ways(part)]
        case Repeated(part=part, times=times):
            return _repeated(_merged(_ways(part)), times)
        case Many(how="OR", parts=parts):
            return _merged([one for part in parts for one in _ways(part)])
        case Many(how=how, parts=parts):
            return _together([_merged(_ways(part)) for part in parts], ordered=how == "FOLLOWEDBY")
    raise AssertionError(observed)


def _merged(paths: Iterable[Path]) -> list[Path]:
    """Single observations of one time become one: an event that is as one or the other asks."""
    single: dict[tuple[int | None, int | None], dict[Asked, None]] = {}
    others: dict[Path, None] = {}
    for one in paths:
        if one.how == "one":
            leaf = one.leaves[0]
            single.setdefault((leaf.since_us, leaf.until_us), {}).update(dict.fromkeys(leaf.asked))
        else:
            others[one] = None
    merged = [Path(how="one", leaves=(Leaf(tuple(asked), *time),)) for time, asked in single.items()]
    return [*merged, *others]


def _confined(one: Path, since: int, until: int) -> Path:
    leaves = tuple(
        replace(
            leaf,
            since_us=max(since, since if leaf.since_us is None else leaf.since_us),
            until_us=min(until, until if leaf.until_us is None else leaf.until_us),
        )
        for leaf in one.leaves
    )
    return replace(one, leaves=leaves)


def _limited(one: Path, span: int) -> Path:
    if one.how == "one":
        return one  # a single event takes no time
    return replace(one, timespan_us=span if one.timespan_us is None else min(span, one.timespan_us))


def _repeated(paths: list[Path], times: int) -> list[Path]:
    if times == 1:
        return paths
    if len(paths) != 1 or paths[0].how != "one":
        raise Unusable("unsupported", "REPEATS of more than a single observation")
    return [replace(paths[0], how="again", times=times)]


def _together(parts: Sequence[list[Path]], *, ordered: bool) -> list[Path]:
    found: dict[Path, None] = {}
    for chosen in itertools.product(*parts):
        if any(one.timespan_us is not None for one in chosen):
            raise Unusable("unsupported", "WITHIN inside of a sequence; around all of it it can be used")
        if not ordered and all(one.how != "in order" for one in chosen):
            leaves = tuple(leaf for one in chosen for leaf in _spelled(one))
            found[Path(how="all", leaves=leaves)] = None
        else:
            join: Callable[[Sequence[tuple[Leaf, ...]]], Iterable[tuple[Leaf, ...]]]
            join = _concatenated if ordered else _interleaved
            for orders in itertools.product(*(_orders(one) for one in chosen)):
                for leaves in join(orders):
                    found[Path(how="in order", leaves=leaves)] = None
                    if len(found) > MOST_WAYS:
                        raise _many()
    return list(found)


def _spelled(one: Path) -> tuple[Leaf, ...]:
    """The observations of a path one by one, repeated ones too."""
    if one.times > MOST_ORDERED:
        raise Unusable("unsupported", f"REPEATS more than {MOST_ORDERED} times inside of a sequence")
    return one.leaves * one.times if one.how == "again" else one.leaves


def _orders(one: Path) -> list[tuple[Leaf, ...]]:
    if one.how != "all":
        return [_spelled(one)]
    if len(one.leaves) > 4:
        raise _many()
    return list(dict.fromkeys(itertools.permutations(one.leaves)))


def _concatenated(orders: Sequence[tuple[Leaf, ...]]) -> Iterable[tuple[Leaf, ...]]:
    return [tuple(itertools.chain.from_iterable(orders))]


def _interleaved(orders: Sequence[tuple[Leaf, ...]]) -> Iterable[tuple[Leaf, ...]]:
    """Every way to go through several rows at once."""
    first = next((at for at, one in enumerate(orders) if one), None)
    if first is None:
        yield ()
        return
    for at, one in enumerate(orders):
        if one:
            rest = [*orders[:at], one[1:], *orders[at + 1 :]]
            for tail in _interleaved(rest):
                yield (one[0], *tail)


def _span(seconds: str) -> int:
    span = int(Decimal(seconds) * 1_000_000)
    if span <= 0:
        raise Unusable("unsupported", "WITHIN of no time at all")
    return min(span, MOST_TIMESPAN_US)


def _time(text: str) -> int:
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError, TypeError):
        raise Unusable("unsupported", f"{text[:40]!r} is no time") from None
