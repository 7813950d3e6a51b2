"""One decoded JSON record in, its fields out: the plain way, for the few records that are read or shown alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tocsin.collect.claims import MAX_DEPTH, Naming, Path, claims, spread
from tocsin.collect.columns import text_of

Reading: TypeAlias = tuple[list[tuple[str, Any]], Any]  # fields of one record, and what tells its time


def reading_of(record: Mapping[str, Any], naming: Naming) -> Reading:
    """The fields of one record, and its time, read without any layout."""
    stands = list(_flat((), record))
    values = {path: value for path, value, _ in stands}
    leaves = [path for path, _, split in stands if not split]
    made = claims(naming, leaves, [path for path, _, split in stands if split])
    fields = [(name, values[path]) for name, path in made]
    fields = [(name, text_of(value) if type(value) is dict else value) for name, value in fields]
    if naming.spreads:
        own = {name for name, _ in fields}
        lists = [(path, values[path]) for path in sorted(leaves) if type(values[path]) is list]
        fields += [(name, value) for name, value in spread(naming, lists).items() if name not in own]
    times = [(rank, path) for path in leaves if (rank := naming.time_rank(path)) is not None]
    return fields, values[min(times)[1]] if times else None


def fields_of(record: Mapping[str, Any], naming: Naming) -> dict[str, str | tuple[str, ...] | None]:
    """Every field of one record as text: the plain way, for the few records that are shown."""
    return {name: text_of(value) for name, value in reading_of(record, naming)[0]}


def _flat(path: Path, node: Mapping[str, Any]) -> Iterator[tuple[Path, Any, bool]]:
    """Values and whether they are split further: those of an object before those of the objects in it."""
    below = []
    for key, value in node.items():
        split = type(value) is dict and bool(value) and len(path) < MAX_DEPTH
        yield (*path, key), value, split
        if split:
            below.append(((*path, key), value))
    for inner, value in below:
        yield from _flat(inner, value)
