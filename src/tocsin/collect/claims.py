"""The paths of a record in, field names out: who has which name, and what a value is called besides.

Fields come from three places: a value has the name that its path claims; a name of `Naming.also` is taken from the
first of its paths that a record has; and where `Naming.spreads`, what stands in the objects of a list is a field as
well, called as if there were no list, with all its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

Path: TypeAlias = tuple[str, ...]

MAX_DEPTH = 12  # lists and objects deeper than this stay one value, as JSON text


class Naming(Protocol):
    """How a format's keys become Sigma's field names."""

    @property
    def also(self) -> Mapping[str, Sequence[str]]:
        """Names that values have besides -> dotted paths, the best first; an object comes as its JSON text."""

    @property
    def besides(self) -> Mapping[str, Sequence[str]]:
        """Dotted path -> the names of `also` that its value can have."""

    @property
    def spreads(self) -> bool:
        """Whether the keys of objects in lists are fields, too."""

    def name(self, path: Path) -> tuple[str, int]:
        """Field name and rank: where two keys of one record claim a name, the lower rank has it."""

    def time_rank(self, path: Path) -> int | None:
        """How good a source of the event's time this key is (lower is better); None if it is none."""

    def names_below(self, path: Path) -> frozenset[str] | None:
        """The names that keys below `path` can have beyond `path.key`; None if they can have any."""


def claims(naming: Naming, paths: Sequence[Path], objects: Sequence[Path]) -> list[tuple[str, Path]]:
    """Who gets which name: the lowest rank, then the first in order; others keep their full path as name.

    Args:
        objects: paths of what is split into the values at `paths`.
    """
    best: dict[str, tuple[int, int]] = {}
    made = [naming.name(path) for path in paths]
    for order, (name, rank) in enumerate(made):
        best[name] = min(best.get(name, (rank, order)), (rank, order))
    taken = set(best)
    fields = []
    for order, (path, (name, rank)) in enumerate(zip(paths, made, strict=True)):
        if best[name] != (rank, order):
            name = ".".join(path)
            while name in taken:
                name += "_"
            taken.add(name)
        fields.append((name, path))
    if naming.also:
        there = {".".join(path): path for path in (*reversed(objects), *reversed(paths))}
        for name, sources in naming.also.items():
            source = next((there[dotted] for dotted in sources if dotted in there), None)
            if name not in taken and source is not None:
                fields.append((name, source))
    return fields


def contested(naming: Naming, paths: Sequence[Path]) -> frozenset[Path]:
    """Those of the paths that want the name of another: only their order among each other decides who has which."""
    wanting: dict[str, list[Path]] = {}
    for path in paths:
        for name in {naming.name(path)[0], ".".join(path)}:
            wanting.setdefault(name, []).append(path)
    return frozenset(path for some in wanting.values() if len(some) > 1 for path in some)


def is_besides(naming: Naming, name: str | None, path: Path) -> bool:
    """Whether `also` gives the name to this path: then an object there comes as text."""
    return name is not None and ".".join(path) in naming.also.get(name, ())


def spread(naming: Naming, lists: Iterable[tuple[Path, list[Any]]]) -> dict[str, list[Any]]:
    """The fields that one record's lists hold; what stands at several places under one name is one list."""
    found: dict[str, list[Any]] = {}
    for path, values in lists:
        for below, value in _in_objects(path, values, len(path)):
            for name in dict.fromkeys((naming.name(below)[0], *naming.besides.get(".".join(below), ()))):
                found.setdefault(name, []).append(value)
    return found


def _in_objects(path: Path, values: list[Any], depth: int) -> Iterator[tuple[Path, Any]]:
    for value in values:
        if type(value) is dict:
            for key, below in value.items():
                yield from _below((*path, key), below, depth + 1)


def _below(path: Path, value: Any, depth: int) -> Iterator[tuple[Path, Any]]:
    if depth < MAX_DEPTH and type(value) is dict and value:
        for key, below in value.items():
            yield from _below((*path, key), below, depth + 1)
    elif depth < MAX_DEPTH and type(value) is list:
        yield from ((path, one) for one in value)
        yield from _in_objects(path, value, depth + 1)
    else:
        yield path, value
