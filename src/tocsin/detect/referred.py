"""Correlations in, what becomes of the rules that they refer to out: which are quiet, and what their events carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.model.correlation import Correlation


def quiet(correlations: Iterable[Correlation]) -> frozenset[int]:
    """Rules that give no findings of their own.

    Those are the rules that a correlation refers to, unless one of these says `generate: true`: such a wish is
    explicit, and what one correlation leaves out by default must not take it back.
    """
    referred: set[int] = set()
    generated: set[int] = set()
    for one in correlations:
        (generated if one.generate else referred).update(one.parts)
    return frozenset(referred - generated)


def carried(correlations: Sequence[Correlation]) -> dict[int, tuple[str, ...]]:
    """For each rule or correlation that another refers to, the fields its events must bring along, sorted.

    `correlations` are in order. What a correlation is asked for beyond what it groups by is asked of its parts.
    """
    asked: dict[int, set[str]] = {}
    for one in reversed(correlations):
        own = asked.get(one.rule, set()) - set(one.group_by)
        for part, keys, values in zip(one.parts, one.keys, one.values, strict=True):
            asked.setdefault(part, set()).update(keys, values, own)
    return {rule: tuple(sorted(names)) for rule, names in asked.items()}
