"""A Sigma correlation, as the engine reads it, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

CorrelationType: TypeAlias = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
]
CORRELATION_TYPES: tuple[CorrelationType, ...] = get_args(CorrelationType)
Comparison: TypeAlias = Literal["gt", "gte", "lt", "lte", "eq", "neq"]
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a count or a value is compared with; `text` is a decimal number."""

    how: Comparison
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way for a temporal condition to hold: parts that must be seen in a window, and parts that must not."""

    seen: tuple[int, ...]  # indices into Correlation.parts
    unseen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How findings of some rules add up to one.

    Args:
        rule: index into RuleSet.rules of the correlation itself; its title and level stand there.
        parts: indices of the rules it refers to, in their order; some may be correlations.
        timespan_us: the longest that a window may be.
        group_by: names as written, fields or aliases.
        keys: for each part, the fields of its events that `group_by` stands for.
        values: for each part, the fields that are counted or measured.
        bounds: all must hold.
        choices: of which one must hold; only temporal correlations without bounds have them.
        percentile: for value_percentile, a decimal number from 0 to 100.
        generate: the parts give findings of their own as well.
        apart: of a temporal correlation: no event stands for two of its parts.
    """

    rule: int
    type: CorrelationType
    parts: tuple[int, ...]
    timespan_us: int
    group_by: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...]
    values: tuple[tuple[str, ...], ...]
    bounds: tuple[Bound, ...] = ()
    choices: tuple[Choice, ...] = ()
    percentile: str = ""
    generate: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an event stands. Of a finding's `src`, `rec`, `chunk` and `path` the same is meant."""

    ts_us: int
    path: str
    rec: int
    chunk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlated:
    """What a correlation's finding stands on.

    Args:
        group: the values that its events share, under the names of `group-by`.
        value: the largest count or value that any window reached.
        events: in order of time, the first of them where there are more than a finding lists.
        count: how many events there are, listed or not.
    """

    type: CorrelationType
    group: Mapping[str, str]
    value: float
    first_us: int
    last_us: int
    count: int
    events: tuple[Place, ...]
