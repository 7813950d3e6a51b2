"""Where values stand in a record's objects in, a function that takes them out."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any


def taker(where: list[tuple[int, str]], *, alone: bool) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a record (or the list of its objects) to the values at `where`."""
    if alone:
        keys = [key for _, key in where]
        if len(keys) > 1:
            return itemgetter(*keys)
        return lambda record: tuple(record[key] for key in keys)
    runs: list[tuple[int, list[str]]] = []
    for at, key in where:
        if runs and runs[-1][0] == at:
            runs[-1][1].append(key)
        else:
            runs.append((at, [key]))
    getters = [(at, itemgetter(*keys), len(keys) == 1) for at, keys in runs]

    def take(parts: list[dict[str, Any]]) -> tuple[Any, ...]:
        row: tuple[Any, ...] = ()
        for at, getter, single in getters:
            row += (getter(parts[at]),) if single else getter(parts[at])
        return row

    return take
