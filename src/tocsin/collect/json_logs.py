"""What the JSON logs of services have in common: a table of keys and names in, the functions of a reader out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, BinaryIO, TypeAlias

import orjson

from tocsin.collect import documents, nested, relayed
from tocsin.collect.asked_keys import asked
from tocsin.collect.block import Block
from tocsin.collect.layouts import Layouts
from tocsin.collect.naming import Dotted
from tocsin.collect.one_record import Reading, fields_of, reading_of
from tocsin.collect.projected import Projected
from tocsin.collect.records import JsonDecoder, decode
from tocsin.collect.streams import peek
from tocsin.collect.syslog import BEFORE_TAG

Record: TypeAlias = dict[str, Any]

_NO_JSON = "no JSON behind a header"
# RFC 3164's tag, or what RFC 5424 has in its place; `@cee:` is rsyslog's and lumberjack's cookie. Besides, what
# RFC 7464 and server-sent events put before each record.
_BEHIND_HEADER = re.compile(
    rb"(?:" + BEFORE_TAG + rb"(?:[^\s\[:{]{1,64}(?:\[\d{1,10}\])?: ?"
    rb"|(?:[^ \n{]{1,255} ){3}(?:-|\[[^\n{]{0,2000}\]) )(?:@cee: ?)?|^\x1e|^data: ?)(\{\s?\"[^\n]*)",
    re.MULTILINE,
)
_KEYS = re.compile(rb'"([^"\\\x00-\x1f]{1,80})"\s*:')


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLog:
    """A log whose records are JSON objects: on lines, one after another, in an array, or in one in an outer object.

    On lines they may stand behind the header of syslog: what this says, the record says itself; or behind the mark
    of a JSON text sequence (RFC 7464) or of a server-sent event.

    Args:
        keys: sets of keys, any of which tells the format if all of it is seen.
        mark: bytes that tell it, where keys do not.
        inner: keys of outer objects under which arrays of records stand.
        carriers: keys under which a record may stand in another, as an object or as the text of one.
        folded: keys whose objects and arrays may be kept as text; they are read where somebody asks for them.
        shape: mends a record in place before its fields are named.
        settled: a key of records that `shape` leaves as they are.
        shaped: keys at which `shape` looks, if it looks at no others; whatever it adds is made of these.
    """

    naming: Dotted
    keys: tuple[frozenset[str], ...]
    mark: re.Pattern[bytes] | None = None
    inner: frozenset[str] = frozenset()
    carriers: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    shape: Callable[[Record], None] | None = None
    settled: str = ""
    shaped: tuple[str, ...] = ()

    def sniff(self, head: bytes) -> bool:
        seen = keys_of(head) or _keys_behind_header(head)
        if not seen:
            return False
        return any(some <= seen for some in self.keys) or bool(self.mark and self.mark.search(head))

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        if _keys_behind_header(head):
            return documents.line_ranges(size, unit_bytes)
        if nested.is_nested(head, self.inner):
            return [(0, size)]
        return documents.ranges(head, size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        if start:
            file.seek(0)
        again, head = peek(file)
        if start or stop is not None:  # only files are read in ranges
            file.seek(start)
            again = file
        if _keys_behind_header(head):
            return map(_behind_header, documents.cut_line_range(again, start, stop, block_bytes))
        if start or stop is not None or not self.inner:
            return documents.cut(again, start, stop, block_bytes)
        if nested.is_nested(head, self.inner):
            return nested.cut_nested(again, min(block_bytes, 4 << 20), self.inner)
        return documents.cut(again, 0, None, block_bytes)

    def decoder(self, projection: frozenset[str] | None) -> JsonDecoder:
        layouts = Layouts(self.naming, projection, self.reading)
        folded = tuple(key for key in self.folded if layouts.asks_for(key))
        return JsonDecoder(
            layouts,
            self.mending(folded),
            wrapped=self.mending(folded, wrapped=True),
            projected=None if projection is None else self._projected(projection, folded),
        )

    def _projected(self, projection: frozenset[str], folded: tuple[str, ...]) -> Projected | None:
        """What reads plain records, if mending them needs no more than some keys."""
        mend = self.mending(folded)
        needed = (self.settled,) if self.settled else (*self.shaped, *folded)
        places = asked(self.naming, projection, needed if mend else ())
        if places is None or (self.shape and not self.settled and not self.shaped):
            return None
        return Projected(
            self.naming, places, mend, settled=self.settled, perilous=frozenset({"_source", *self.carriers})
        )

    def mending(self, folded: tuple[str, ...], *, wrapped: bool = False) -> Callable[[Record], None] | None:
        """What mends a record, None where nothing is to be mended.

        Args:
            folded: of what may be folded, the keys that are read.
            wrapped: whether it may stand in what Elasticsearch gives records in (`_source`).
        """
        if not wrapped and not self.carriers and not self.folded:
            return self.shape

        def mend(record: Record) -> None:
            if wrapped and "_source" in record:
                lift(record, "_source")
            for carrier in self.carriers:
                if carrier in record:
                    lift(record, carrier)
            unfold(record, *folded)
            if self.shape:
                self.shape(record)

        return mend

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        return fields_of(self._shaped(record), self.naming)

    def reading(self, record: bytes) -> Reading:
        return reading_of(self._shaped(record), self.naming)

    def _shaped(self, raw: bytes) -> Record:
        record = decode(raw)
        self.mend(record)
        return record

    def mend(self, record: Record) -> None:
        """Take a record out of whatever carries it, and shape it."""
        mend = self.mending(self.folded, wrapped=True)
        if mend:
            mend(record)


@lru_cache(maxsize=2)  # each reader asks for those of the same head
def keys_of(head: bytes) -> frozenset[str]:
    """The keys in the beginning of a file, if it is JSON."""
    if not documents.may_be_records(head):
        return frozenset()
    return frozenset(key.decode("utf-8", "replace") for key in set(_KEYS.findall(head)))


@lru_cache(maxsize=2)
def _keys_behind_header(head: bytes) -> frozenset[str]:
    """The keys of records that stand behind headers of syslog or others, if nearly all lines are such.

    The lines of other programs would be lost.
    """
    if not any(mark in head for mark in (b' {"', b':{"', b'\x1e{"')):
        return frozenset()
    lines, found = _lines(head[: head.rfind(b"\n") + 1]), sum(1 for _ in _BEHIND_HEADER.finditer(head))
    if not found or found * 10 < lines * 9:
        return frozenset()
    return frozenset(key.decode("utf-8", "replace") for key in set(_KEYS.findall(head)))


def _behind_header(block: Block) -> Block:
    """A block whose records begin where their JSON does; other lines of syslog are its rest."""
    spans = tuple(
        (found.start(1), found.start(1) + len(found[1].rstrip())) for found in _BEHIND_HEADER.finditer(block.data)
    )
    rest, lost = relayed.without(block, [start for start, _ in spans])
    damaged = Counter(block.damaged) + Counter({_NO_JSON: lost} if lost else {})
    return replace(block, spans=spans, rest=rest, damaged=damaged)


def _lines(data: bytes) -> int:
    """How many lines are not blank."""
    return sum(1 for line in data.split(b"\n") if line.strip())


def unfold(record: Record, *keys: str) -> None:
    """Read objects and arrays that a record keeps as JSON text."""
    for key in keys:
        text = record.get(key)
        if type(text) is str and text[:1] in ("{", "["):
            value = _parsed(text)
            if value is not None:
                record[key] = value


def lift(record: Record, key: str) -> None:
    """Put what stands in an object, or in the text of one, in the record's place; what it hides gets a `_`."""
    inner = record.get(key)
    if type(inner) is str:
        inner = _parsed(inner) if inner[:1] == "{" else None
    if type(inner) is not dict or not inner:
        return
    del record[key]
    outer = dict(record)
    record.clear()
    record.update(inner)
    for name, value in outer.items():
        while name in record:
            name += "_"
        record[name] = value


def lift_pairs(record: Record, pairs: Any, name: str, value: str) -> None:
    """Give a record the fields that it lists as `{name: ..., value: ...}`, where it has no such key itself."""
    own = set(record)
    for pair in pairs if type(pairs) is list else ():
        key = pair.get(name) if type(pair) is dict else None
        if type(key) is not str or key in own or value not in pair:
            continue
        if key not in record:
            record[key] = pair[value]
        elif type(record[key]) is list:
            record[key] = [*record[key], pair[value]]
        else:
            record[key] = [record[key], pair[value]]


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def anywhere(*paths: str) -> tuple[str, ...]:
    """Where a key of Microsoft's audit records stands: at the top, below `properties`, or as a column of a table."""
    return tuple(place for path in paths for place in (path, f"properties.{path}", path[0].upper() + path[1:]))
