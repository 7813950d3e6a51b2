"""Values of some keys of many records in, by path and by what may become of them out, key after key.

What stands at a path is a leaf or an object, and lists hold fields as well (`collect/claims.py`); a record in which
a value is not the same wherever it is read is odd.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import orjson
from msgspec import UNSET, UnsetType

from tocsin.collect.asked_keys import Node
from tocsin.collect.claims import Path
from tocsin.model.event import Longs

Mask: TypeAlias = npt.NDArray[np.bool_]
Kinds: TypeAlias = dict[Node, frozenset[type]]

_INT64: Final = range(-(1 << 63), 1 << 64)


class Part(NamedTuple):
    """Some of the records, by number, and what each of them has; where there are `gaps`, some have nothing."""

    at: Longs
    values: Sequence[Any]
    gaps: bool = False

    def without(self, odd: Mask) -> Part:
        keep = ~odd[self.at]
        return self if keep.all() else Part(self.at[keep], list(compress(self.values, keep.tolist())), self.gaps)

    def filled(self) -> Part:
        """Only those of the records that have something."""
        if not self.gaps:
            return self
        there = [value is not UNSET for value in self.values]
        return self if all(there) else Part(self.at[there], list(compress(self.values, there)))


class Found:
    """What stands in the records of a batch.

    Args:
        texts: keys whose values can be nothing but text and null.
        kinds: of what kinds the values of other keys are.
        leaves: dotted path -> values that are not split further.
        objects: dotted path -> objects with keys.
        lists: number of a record -> lists in it that hold objects, with their paths.
        odd: records that must be read as a whole.
    """

    __slots__ = ("kinds", "leaves", "lists", "objects", "odd", "size", "texts")

    def __init__(self, size: int, texts: frozenset[Node]) -> None:
        self.size, self.texts = size, texts
        self.kinds: Kinds = {}
        self.leaves: dict[str, Part] = {}
        self.objects: dict[str, Part] = {}
        self.lists: dict[int, list[tuple[Path, list[Any]]]] = {}
        self.odd: Mask = np.zeros(size, bool)

    def take(self, node: Node, part: Part) -> None:
        """Take the values of one key."""
        if part.values == (UNSET,) * len(part.values):
            return
        if node in self.texts:
            self._put(self.leaves, node, part._replace(gaps=True))
            return
        kinds = set(map(type, part.values))
        if UnsetType in kinds:
            kinds.remove(UnsetType)
            part = part._replace(gaps=True).filled()
        self.kinds[node] = self.kinds.get(node, frozenset()) | kinds
        if int in kinds:  # what is past 64 bits is a float elsewhere
            far = [type(value) is int and value not in _INT64 for value in part.values]
            self.odd[part.at[far]] = True
        if list in kinds:
            self._take_lists(node, part)
        if kinds <= _SCALARS:
            self._put(self.leaves, node, part)
            return
        split = [type(value) not in _SCALARS and type(value) is not list and bool(value) for value in part.values]
        if any(split):
            self._take_objects(node, Part(part.at[split], list(compress(part.values, split))))
            kept = [not one for one in split]
            part = Part(part.at[kept], list(compress(part.values, kept)))
        self._put(self.leaves, node, part)

    def take_columns(self, node: Node, keys: Sequence[str], at: Longs, columns: Iterable[Sequence[Any]]) -> None:
        for key, column in zip(keys, columns, strict=True):
            self.take(node.below[key], Part(at, column))

    def take_dicts(self, node: Node, part: Part) -> None:
        keys = sorted(set[str]().union(*part.values))
        if any("." in key for key in keys):
            self.odd[part.at[[any("." in key for key in value) for value in part.values]]] = True
        known = [key for key in keys if key in node.below]
        self.take_columns(node, known, part.at, ([value.get(key, UNSET) for value in part.values] for key in known))

    def _take_objects(self, node: Node, part: Part) -> None:
        if type(part.values[0]) is dict:
            self._put(self.objects, node, part)
            if node.below:
                self.take_dicts(node, part)
            return
        fields = type(part.values[0]).__struct_encode_fields__
        self.take_columns(node, fields, part.at, zip(*map(msgspec.structs.astuple, part.values), strict=True))

    def _take_lists(self, node: Node, part: Part) -> None:
        for number, value in zip(part.at.tolist(), part.values, strict=True):
            if type(value) is list:
                if not _is_plain(value):
                    self.odd[number] = True
                elif node.below and dict in set(map(type, value)):
                    self.lists.setdefault(number, []).append((node.path, value))

    def _put(self, held: dict[str, Part], node: Node, part: Part) -> None:
        if node.whole and len(part.at):
            held[".".join(node.path)] = part


_SCALARS: Final = frozenset({str, int, float, bool, type(None), list})


def _is_plain(value: Any) -> bool:
    """Whether it is the same wherever it is read: no numbers past 64 bits in it, and not too deep to be told."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True
