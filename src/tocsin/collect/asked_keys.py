"""A naming and a projection in, the keys of records that can tell the asked fields out, as a tree of their paths.

Only for names that are dotted paths (`Dotted`): there it can be said beforehand where a field may stand. A path is
taken to be keys without dots; keys that hold dots and may make such a path are `perilous`, and whoever meets one
reads the record as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tocsin.collect.claims import Path
from tocsin.collect.naming import Dotted

_PLAIN: Final = re.compile(r"[\w.@ :+-]+", re.ASCII)  # of keys that JSON can only escape by numbers
_MOST_KEYS: Final = 10  # of a path: below the depth at which values are no longer split


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A key at its place; `whole` where its value is asked for, and not only what stands below."""

    path: Path
    whole: bool = False
    below: dict[str, Node] = field(default_factory=dict)

    def each(self) -> Iterator[Node]:
        for node in self.below.values():
            yield node
            yield from node.each()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where asked fields may stand.

    Args:
        by_name: a name -> the dotted paths that claim it; names that are not asked for are those whose loser falls
            back on a path that is.
        also: a name -> the dotted paths of whose values it is another name, the best first.
        perilous: keys with dots.
    """

    names: frozenset[str]
    root: Node
    by_name: dict[str, list[str]]
    also: dict[str, list[str]]
    times: tuple[str, ...]
    keys: frozenset[str]
    perilous: frozenset[str]


def asked(naming: Dotted, projection: frozenset[str], besides: Iterable[str] = ()) -> Asked | None:
    """Where the fields of a projection may stand; None where that cannot be said.

    Args:
        besides: keys of the record that somebody else needs.
    """
    paths = set(projection) | set(naming.times) | {path for path, name in naming.names.items() if name in projection}
    rivals = {naming.names[name] for name in projection if name in naming.names}
    paths |= rivals | {path for path, name in naming.names.items() if name in rivals}
    also = {name: list(places) for name, places in naming.also.items() if name in projection}
    paths |= {place for places in also.values() for place in places}
    paths |= set(besides)
    if any(name.endswith("_") for name in projection):  # a path that loses its name may be called so
        return None
    root = Node(())
    for dotted in sorted(paths):
        keys = tuple(dotted.split("."))
        if len(keys) > _MOST_KEYS or not _PLAIN.fullmatch(dotted):
            return None
        _grow(root, keys)
    by_name: dict[str, list[str]] = {}
    for dotted in sorted(paths):
        by_name.setdefault(naming.name(tuple(dotted.split(".")))[0], []).append(dotted)
    return Asked(
        names=projection,
        root=root,
        by_name={name: places for name, places in by_name.items() if name in projection or len(places) > 1},
        also=dict(sorted(also.items())),
        times=tuple(naming.times),
        keys=frozenset(node.path[-1] for node in root.each()),
        perilous=frozenset(key for dotted in paths for key in _joined(dotted.split("."))),
    )


def _grow(root: Node, keys: Path) -> None:
    node = root
    for at in range(len(keys)):
        last = at + 1 == len(keys)
        known = node.below.get(keys[at])
        if known is None or (last and not known.whole):
            known = node.below[keys[at]] = Node(keys[: at + 1], last, known.below if known else {})
        node = known


def _joined(keys: list[str]) -> Iterator[str]:
    """What keys may be written as if they were one."""
    for first in range(len(keys)):
        for last in range(first + 2, len(keys) + 1):
            yield ".".join(keys[first:last])
