"""Lines of JSON and a projection in, the fields it asks for out; nothing else is built.

Each line is decoded into an object that has but the keys that are asked for; what stands between them is checked as
JSON and passed over (msgspec). Only keys that a block holds are keys of the object, since each key of a record is
looked for among all of them. Values are then named key by key, for all records at once. Records in which more than
one path claims a name, and others in which a field may come from elsewhere, are left to `layouts`: both must tell the
same of every record (docs/decisions/0003-json-layouts.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import orjson
from msgspec import UNSET, UnsetType

from tocsin.collect.asked_keys import Asked, Node
from tocsin.collect.block import Block
from tocsin.collect.claims import Path, spread
from tocsin.collect.columns import TableBuilder

from tocsin.collect.literals import Literals
from tocsin.collect.naming import Dotted
from tocsin.collect.slices import Slices
from tocsin.collect.times import microseconds
from tocsin.model.event import Longs

Mask: TypeAlias = npt.NDArray[np.bool_]
Decode: TypeAlias = Callable[[bytes], list[Any]]
Kinds: TypeAlias = dict[Node, frozenset[type]]
Mend: TypeAlias = Callable[[dict[str, Any]], None]

_LEAST_BYTES: Final = 128 << 10  # of a block for which making ready is worth it
_ESCAPED: Final = b"\\u00"
_ESCAPED_KEY: Final = re.compile(rb'\\u00(?:[^"\\]|\\.){0,400}"\s*:')
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
        kinds: what is known of the values of a key; of keys that are not in it, it is learned.
        leaves: dotted path -> values that are not split further.
        objects: dotted path -> objects with keys.
        lists: number of a record -> lists in it that hold objects, with their paths.
        odd: records that must be read as a whole.
    """

    __slots__ = ("kinds", "leaves", "lists", "objects", "odd", "size")

    def __init__(self, size: int, kinds: Kinds) -> None:
        self.size, self.kinds = size, kinds
        self.leaves: dict[str, Part] = {}
        self.objects: dict[str, Part] = {}
        self.lists: dict[int, list[tuple[Path, list[Any]]]] = {}
        self.odd: Mask = np.zeros(size, bool)

    def take(self, node: Node, part: Part) -> None:
        """Take the values of one key."""
        if part.values == (UNSET,) * len(part.values):
            return
        if self.kinds.get(node, _ANYTHING) <= _TEXT:
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
        self.take_columns(
            node, known, part.at, ([value.get(key, UNSET) for value in part.values] for key in known)
        )

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
_TEXT: Final = frozenset({str, type(None)})
_ANYTHING: Final = frozenset({object})


def _is_plain(value: Any) -> bool:
    """Whether it is the same wherever it is read: no numbers past 64 bits in it, and not too deep to be told."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


class Projected:
    """Reads blocks of lines, as far as they are plain.

    Args:
        mend: changes records before they are named; it gets those of their keys that are asked for.
        settled: a key of records that `mend` would not change.
        perilous: more keys of records that must be read as a whole.
    """

    def __init__(
        self,
        naming: Dotted,
        asked: Asked,
        mend: Mend | None = None,
        settled: str = "",
        perilous: frozenset[str] = frozenset(),
    ) -> None:
        self._naming, self._asked = naming, asked
        self._mend, self._settled = None if settled else mend, settled
        self._perilous = sorted(asked.perilous | perilous)
        self._keys: frozenset[str] = frozenset()
        self._kinds: Kinds = {}
        self._ready: tuple[Literals, list[str]] | None = None
        self._decoders: tuple[Decode, Decode]
        self._left: list[int] = []

    def read(self, block: Block, table: TableBuilder) -> int | None:
        """Take all records of a block, and tell how many; None, with nothing taken, if it must be read another way."""
        spans = _spans(block) if block.spans is None and (self._ready or len(block.data) >= _LEAST_BYTES) else None
        if spans is None or not self._knows_keys(block.data, table):
            return None
        starts, stops = spans
        records = self._decoded(block.data)
        if records is None or len(records) != len(starts):
            return None
        first = table.extend(
            block.in_source(starts), np.full(len(starts), -1, np.int64), Slices(block.data, starts, stops)
        )
        self._take(records, np.arange(first, first + len(starts)), table)
        return len(starts)

    def _decoded(self, data: bytes) -> list[Any] | None:
        """The records of a block, of the kinds of value that were met up to now if that is so; None if any is none."""
        for decode in self._decoders:
            try:
                return decode(data)
            except msgspec.ValidationError:
                continue
            except (msgspec.DecodeError, RecursionError):
                return None
        return None

    def _knows_keys(self, data: bytes, table: TableBuilder) -> bool:
        """Learn which of the asked keys a block holds; False if it holds one that may stand for others."""
        if self._ready is None:
            self._learn(frozenset())
        assert self._ready
        literals, texts = self._ready
        seen = {texts[number] for number in literals.find(data)[0].tolist()}
        if "" in seen and _ESCAPED_KEY.search(data):
            return False
        if not seen.isdisjoint(self._perilous):
            return False
        if fresh := seen & self._asked.keys:
            self._learn(self._keys | fresh)
        return True

    def _learn(self, keys: frozenset[str]) -> None:
        self._keys = keys
        texts = [*sorted(self._asked.keys - keys), *self._perilous]
        literals = Literals([], [*(b'"%b"' % text.encode() for text in texts), _ESCAPED])
        self._ready = literals, [*texts, ""]
        self._prepare()

    def _prepare(self) -> None:
        """Make the decoders: one for the kinds of value that were met, one for all."""
        flat = self._mend is not None
        forms = [_struct(self._asked.root, self._keys, kinds, flat=flat) for kinds in (self._kinds, {})]
        self._strict = forms[0]
        self._decoders = msgspec.json.Decoder(forms[0]).decode_lines, msgspec.json.Decoder(forms[1]).decode_lines

    def flush(self) -> list[int]:
        """Tell the rows that are left to whoever reads records as a whole."""
        left, self._left = self._left, []
        return left

    def _take(self, records: list[Any], rows: Longs, table: TableBuilder) -> None:
        is_strict = type(records[0]) is self._strict
        found = Found(len(rows), self._kinds if is_strict else {})
        every = np.arange(len(rows))
        fields = type(records[0]).__struct_encode_fields__
        if self._mend:
            found.take_dicts(self._asked.root, Part(every, [self._mended(fields, one) for one in records]))
        elif fields:
            columns = zip(*map(msgspec.structs.astuple, records), strict=True)
            found.take_columns(self._asked.root, fields, every, columns)
        if not is_strict and not self._mend:
            self._kinds = {node: self._kinds.get(node, frozenset()) | kinds for node, kinds in found.kinds.items()} | {node: kinds for node, kinds in self._kinds.items() if node not in found.kinds}
            self._prepare()
        if self._settled:
            settled = found.leaves.get(self._settled)
            unsettled: Mask = np.ones(len(rows), bool)
            if settled:
                unsettled[settled.filled().at] = False
            found.odd |= unsettled
        self._put(found, rows, table)
        self._left += rows[found.odd].tolist()

    def _mended(self, fields: Sequence[str], one: Any) -> dict[str, Any]:
        values = zip(fields, msgspec.structs.astuple(one), strict=True)
        record = {key: value for key, value in values if value is not UNSET}
        assert self._mend
        self._mend(record)
        return record

    def _put(self, found: Found, rows: Longs, table: TableBuilder) -> None:
        named = self._named(found)
        self._spread(found, named)
        times = self._timed(found)
        if times and len((times := times.without(found.odd)).at):
            table.put_time(rows[times.at], microseconds(times.values))
        for name, parts in named.items():
            for part in parts:
                kept = part.without(found.odd)
                if len(kept.at):
                    table.put(name, rows[kept.at], kept.values)

    def _named(self, found: Found) -> dict[str, list[Part]]:
        """The values of each name."""
        named: dict[str, list[Part]] = {}
        for name, places in self._asked.by_name.items():
            parts = [found.leaves[place] for place in places if place in found.leaves]
            if len(parts) > 1:
                parts = [part.filled() for part in parts]
                found.odd |= np.bincount(np.concatenate([part.at for part in parts]), minlength=found.size) > 1
            if parts and name in self._asked.names:
                named[name] = [_texts_for_objects(part) for part in parts]
        for name, places in self._asked.also.items():
            taken: Mask = np.zeros(found.size, bool)
            parts = named[name] = [part.filled() for part in named.get(name, ())]
            for part in parts:
                taken[part.at] = True
            for place in places:
                given = [held[place].filled().without(taken) for held in (found.leaves, found.objects) if place in held]
                for part in given:
                    parts.append(self._told(part, found))
                    taken[part.at] = True
        return named

    def _told(self, part: Part, found: Found) -> Part:
        """Values of which objects are told as their text."""
        texts = _texts_for_objects(part)
        if texts is not part and None in texts.values:
            found.odd[part.at[[text is None is not value for text, value in zip(texts.values, part.values, strict=True)]]] = True
        return texts

    def _timed(self, found: Found) -> Part | None:
        """What tells the time of each record that has such a thing."""
        values: list[Any] = [UNSET] * found.size
        given = [found.leaves[place].filled() for place in self._asked.times if place in found.leaves]
        if len(given) == 1:
            return given[0]
        for part in reversed(given):
            for number, value in zip(part.at.tolist(), part.values, strict=True):
                values[number] = value
        there = np.array([value is not UNSET for value in values], bool)
        return Part(np.flatnonzero(there), list(compress(values, there.tolist()))) if given else None

    def _spread(self, found: Found, named: dict[str, list[Part]]) -> None:
        """Give records the fields that stand in the objects of their lists."""
        more: dict[str, tuple[list[int], list[Any]]] = {}
        own = {name: set(np.concatenate([part.filled().at for part in parts]).tolist()) for name, parts in named.items() if parts} if found.lists else {}
        for number, lists in found.lists.items():
            for name, value in spread(self._naming, sorted(lists, key=lambda one: one[0])).items():
                if name in self._asked.names and number not in own.get(name, ()):
                    numbers, values = more.setdefault(name, ([], []))
                    numbers.append(number)
                    values.append(value)
        for name, (numbers, values) in sorted(more.items()):
            named.setdefault(name, []).append(Part(np.array(numbers, np.int64), values))


def _texts_for_objects(part: Part) -> Part:
    if part.gaps or dict not in set(map(type, part.values)):
        return part
    texts = [_text(value) if type(value) is dict else value for value in part.values]
    return Part(part.at, texts)


def _text(value: dict[str, Any]) -> str | None:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return None  # such a record is read as a whole


def _spans(block: Block) -> tuple[Longs, Longs] | None:
    """Where the lines of a block begin and end; None if any is not from brace to brace, or not text."""
    data = block.data
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return None
    octets = np.frombuffer(data, np.uint8)
    stops = np.flatnonzero(octets == ord("\n"))
    if not len(stops) or stops[-1] != len(data) - 1:
        stops = np.append(stops, len(data))
    starts = np.append(0, stops[:-1] + 1)
    full = stops > starts
    starts, stops = starts[full], stops[full]
    if not len(starts):
        return None
    last = octets[stops - 1]
    last = np.where(last == ord("\r"), octets[stops - 2], last)
    if (octets[starts] != ord("{")).any() or (last != ord("}")).any():
        return None
    return starts, stops


def _struct(node: Node, keys: frozenset[str], kinds: Kinds, *, flat: bool) -> type[msgspec.Struct]:
    """A type for objects that has those of the keys below a node that are known.

    Args:
        kinds: what values of a key may be; of keys that are not in it, anything.
        flat: whether all that stands in it is decoded.
    """
    fields = []
    for key, below in sorted(node.below.items()):
        if key in keys:
            form: Any = Any
            if not flat and not below.whole:
                form = _struct(below, keys, kinds, flat=False) | str | int | float | bool | None | list[Any]  # type: ignore[operator]
            elif not flat and not below.below and kinds.get(below, _ANYTHING) <= _TEXT:
                form = str | None
            fields.append((f"f{len(fields)}", form, msgspec.field(default=UNSET, name=key)))
    return msgspec.defstruct("Record", fields, gc=False)
