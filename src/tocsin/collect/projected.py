"""Lines of JSON and a projection in, the fields it asks for out; nothing else is built.

Each line is decoded into an object that has but the keys that are asked for; what stands between them is checked as
JSON and passed over (msgspec). Only keys that a block holds are keys of the object, since each key of a record is
looked for among all of them. Values are then named key by key, for all records at once. Records in which more than
one path claims a name, and others in which a field may come from elsewhere, are left to `layouts`: both must tell the
same of every record (docs/decisions/0003-json-layouts.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import orjson
from msgspec import UNSET

from tocsin.collect.asked_keys import Asked, Node
from tocsin.collect.block import Block
from tocsin.collect.claims import spread
from tocsin.collect.columns import TableBuilder
from tocsin.collect.key_values import Found, Kinds, Mask, Part
from tocsin.collect.literals import Literals
from tocsin.collect.naming import Dotted
from tocsin.collect.slices import Slices
from tocsin.collect.times import microseconds
from tocsin.collect.utf8 import is_text
from tocsin.model.event import Longs

Decode: TypeAlias = Callable[[bytes], list[Any]]
Mend: TypeAlias = Callable[[dict[str, Any]], None]

_LEAST_BYTES: Final = 128 << 10  # of a block for which making ready is worth it
_ESCAPED: Final = b"\\u00"
_ESCAPED_KEY: Final = re.compile(rb'\\u00(?:[^"\\]|\\.){0,400}"\s*:')
_TEXT: Final = frozenset({str, type(None)})


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
        self._is_learned = False
        self._ready: tuple[Literals, list[str]] | None = None
        self._texts: frozenset[Node] = frozenset()
        self._decoders: tuple[Decode, ...] = ()
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
            self._is_learned = False
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
        root, flat = self._asked.root, self._mend is not None
        texts = frozenset(node for node, kinds in self._kinds.items() if kinds <= _TEXT and not node.below)
        self._texts = frozenset() if flat else texts - set(_below_whole(root))
        self._strict = _struct(root, self._keys, self._texts, flat=flat)
        loose = _struct(root, self._keys, frozenset(), flat=flat) if self._texts else self._strict
        self._decoders = tuple(msgspec.json.Decoder(form).decode_lines for form in (self._strict, loose))

    def flush(self) -> list[int]:
        """Tell the rows that are left to whoever reads records as a whole."""
        left, self._left = self._left, []
        return left

    def _take(self, records: list[Any], rows: Longs, table: TableBuilder) -> None:
        is_strict = type(records[0]) is self._strict and self._is_learned
        found = Found(len(rows), self._texts if is_strict else frozenset())
        every = np.arange(len(rows))
        fields = type(records[0]).__struct_encode_fields__
        if self._mend:
            found.take_dicts(self._asked.root, Part(every, [self._mended(fields, one) for one in records]))
        elif fields:
            columns = zip(*map(msgspec.structs.astuple, records), strict=True)
            found.take_columns(self._asked.root, fields, every, columns)
        if not is_strict:
            self._is_learned = True
            self._kinds |= {node: self._kinds.get(node, frozenset()) | kinds for node, kinds in found.kinds.items()}
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
            found.odd[
                part.at[[text is None is not value for text, value in zip(texts.values, part.values, strict=True)]]
            ] = True
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
        own = (
            {
                name: set(np.concatenate([part.filled().at for part in parts]).tolist())
                for name, parts in named.items()
                if parts
            }
            if found.lists
            else {}
        )
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
    if not is_text(data):
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


def _below_whole(node: Node) -> Iterator[Node]:
    """The keys in objects that are decoded as they are."""
    for below in node.below.values():
        yield from below.each() if below.whole else _below_whole(below)


def _struct(node: Node, keys: frozenset[str], texts: frozenset[Node], *, flat: bool) -> type[msgspec.Struct]:
    """A type for objects that has those of the keys below a node that are known.

    Args:
        texts: keys whose values may be nothing but text and null.
        flat: whether all that stands in it is decoded.
    """
    fields: list[tuple[str, Any, Any]] = []
    for key, below in sorted(node.below.items()):
        if key in keys:
            form: Any = Any
            if not flat and not below.whole:
                form = _struct(below, keys, texts, flat=False) | str | int | float | bool | None | list[Any]
            elif below in texts:
                form = str | None
            fields.append((f"f{len(fields)}", form, msgspec.field(default=UNSET, name=key)))
    return msgspec.defstruct("Record", fields, gc=False)
