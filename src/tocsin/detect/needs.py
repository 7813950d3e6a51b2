"""Conditions and variants in, what they need of events out: which patterns and fields, and of which time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tocsin.detect.nodes import Mask
from tocsin.detect.views import base_of
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.rule import Condition, Leaf, Not, Pattern, Variant


def during(variant: Variant, ts: Longs) -> Mask:
    """Whether events are of the time that a variant is for; one without a time may be."""
    inside: Mask = np.ones(len(ts), bool)
    if variant.since_us is not None:
        inside &= (ts == NO_TIME) | (ts >= variant.since_us)
    if variant.until_us is not None:
        inside &= ts < variant.until_us  # no time is before all others
    return inside


def collect_patterns(condition: Condition, into: set[int]) -> None:
    """Add the patterns of a condition, by number."""
    if isinstance(condition, Leaf):
        into.add(condition.pattern)
    elif isinstance(condition, Not):
        collect_patterns(condition.part, into)
    else:
        for part in condition.parts:
            collect_patterns(part, into)


def fields_in(patterns: Iterable[Pattern]) -> set[str]:
    """The fields that patterns look at, not views of them; two where one field is compared with another."""
    names: set[str] = set()
    for pattern in patterns:
        if pattern.field is not None:
            names.add(base_of(pattern.field))
        if pattern.kind.startswith("fieldref"):
            names.add(pattern.text)
    return names
