"""A mapping of delimited text in, a reader of it out: every cell is text, an empty one is no value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import BinaryIO, NamedTuple

import numpy as np

from tocsin.collect import cells
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.lines import LineDecoder, Lines, Parsed, Spans, Split, Told
from tocsin.collect.streams import peek, read_fully
from tocsin.collect.told_times import ToldTimes, constants_of
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.kind import kind_of
from tocsin.model.mapping import LogMapping

_TOO_MANY = "more cells than the header has names"
_TOO_FEW = "fewer cells than the header has names"
_BOM = b"\xef\xbb\xbf"
_HINT = re.compile(rb"sep=(.)\r?\n")  # a first line that Excel understands


class _Header(NamedTuple):
    """What the first line tells: the delimiter, and the names of each column's values."""

    delimiter: str
    names: tuple[tuple[str, ...], ...]
    times: tuple[int, ...]  # columns that tell the time


class MappedCsv:
    """Delimited text with a header, or with columns that the mapping names."""

    def __init__(self, mapping: LogMapping) -> None:
        self.NAME, self.KIND = mapping.name, mapping.kind
        self._mapping = mapping
        self._regex = re.compile(mapping.regex.encode())
        self._told = ToldTimes(mapping.time) if mapping.time else None
        self._header: Callable[[bytes], _Header] = lru_cache(maxsize=64)(self._header_of)
        self._constants = constants_of(mapping)

    def sniff(self, head: bytes) -> bool:
        first = _header_line(head)[0]
        if b"\0" in head or not self._regex.search(head.removeprefix(_BOM)):
            return False
        text = first.decode("utf-8", "replace")
        if self._mapping.columns:
            return len(cells.cells_of(text, self._mapping.delimiter or ",")) == len(self._mapping.columns)
        mark = self._mapping.delimiter or cells.delimiter_of(text, frozenset(self._mapping.keys))
        return set(self._mapping.keys) <= {cell.strip() for cell in cells.cells_of(text, mark)}

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return [(0, size)]  # where a record begins is only known from the beginning

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        again, beginning = peek(file)
        head, size = (b"", 0) if self._mapping.columns else _header_line(beginning)
        header = self._header(head)
        read_fully(again, size)
        for block in cells.cut(again, size, block_bytes, header.delimiter, len(header.names)):
            yield replace(block, head=head)

    def decoder(self, projection: frozenset[str] | None) -> LineDecoder:
        return LineDecoder(self._parse, projection, self._split)

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        parsed = self._parse(record.decode("utf-8", "replace"), header, Clock())
        return parsed.fields if isinstance(parsed, Parsed) else {}

    def _parse(self, text: str, header: bytes, clock: Clock) -> Parsed | str | None:
        known = self._header(header)
        found = cells.cells_of(text, known.delimiter)
        if header and text.encode("utf-8", "replace") == header:
            return None  # once more, where files were joined
        if not any(found):
            return None
        width = len(known.names)
        while len(found) > width and not found[-1]:
            found.pop()
        if len(found) != width:
            return _TOO_MANY if len(found) > width else _TOO_FEW
        values = dict(self._constants)
        for names, cell in zip(known.names, found, strict=True):
            if cell:
                values |= dict.fromkeys(names, cell)
            else:
                for name in names:
                    values.pop(name, None)
        ts, assumed = self._ts([found[at] for at in known.times], clock)
        return Parsed(ts, values, assumed)

    def _ts(self, told: list[str], clock: Clock) -> tuple[int, str]:
        if self._told is None or self._mapping.time is None:
            return NO_TIME, ""
        text = " ".join(told) if self._mapping.time.joined else next(filter(None, told), "")
        ts, assumed = self._told.read([text], clock)
        return int(ts[0]), ZONE_ASSUMED if assumed else ""

    def _split(self, lines: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
        header = self._header(lines.head)
        found = cells.split(lines, header.delimiter, len(header.names))
        fields: dict[str, Spans | Told | str] = dict(self._constants)
        for names, spans in zip(header.names, found.columns, strict=True):
            fields |= dict.fromkeys(names, spans)
        ts, assumed = self._times([found.columns[at] for at in header.times], lines, int(found.usual.sum()), clock)
        return Split(usual=found.usual, ts=ts, fields=fields, mended={ZONE_ASSUMED: assumed} if assumed else "")

    def _times(self, columns: list[Spans], lines: Lines, size: int, clock: Clock) -> tuple[Longs, int]:
        ts = np.full(size, NO_TIME, np.int64)
        if self._told is None or self._mapping.time is None or not size:
            return ts, 0
        told = [_texts(spans, lines) for spans in columns]
        if self._mapping.time.joined:
            texts = [" ".join(parts) for parts in zip(*told, strict=True)]
        else:
            texts = [next(filter(None, parts), "") for parts in zip(*told, strict=True)]
        return self._told.read(texts, clock) if texts else (ts, 0)

    def _header_of(self, head: bytes) -> _Header:
        text = head.decode("utf-8", "replace")
        if self._mapping.columns:
            mark, columns = self._mapping.delimiter or ",", list(self._mapping.columns)
        else:
            mark = self._mapping.delimiter or cells.delimiter_of(text, frozenset(self._mapping.keys))
            columns = [cell.strip() for cell in cells.cells_of(text, mark)]
        given = {name: list(names) for name, names in self._mapping.fields.items()}
        if self._mapping.host:
            given.setdefault(self._mapping.host, []).append(kind_of(self._mapping.kind).host)
        taken = {name for column in columns for name in given.get(column, ())}
        named: list[tuple[str, ...]] = []
        for number, column in enumerate(columns, 1):
            if column in given:
                named.append(tuple(dict.fromkeys(given[column])))
                continue
            name = column or f"column{number}"
            while name in taken:
                name += "_"
            taken.add(name)
            named.append((name,))
        times = self._mapping.time.fields if self._mapping.time else ()
        return _Header(mark, tuple(named), tuple(columns.index(name) for name in times if name in columns))


def _texts(spans: Spans, lines: Lines) -> list[str]:
    """What stands at spans, '' where nothing does."""
    pairs = zip(spans.starts.tolist(), spans.stops.tolist(), strict=True)
    return [lines.data[start:stop].decode("utf-8", "replace") if start >= 0 else "" for start, stop in pairs]


def _header_line(beginning: bytes) -> tuple[bytes, int]:
    """The header without its end, and how many bytes it takes with what stands before it."""
    start = len(_BOM) if beginning.startswith(_BOM) else 0
    if hint := _HINT.match(beginning, start):
        start = hint.end()
    while beginning[start : start + 1] in (b"\r", b"\n"):
        start += 1
    stop = beginning.find(b"\n", start)
    stop = len(beginning) if stop < 0 else stop
    return beginning[start:stop].rstrip(b"\r"), min(stop + 1, len(beginning))
