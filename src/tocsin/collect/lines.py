"""Blocks of text lines in, columns out: lines of the usual shape by vectors, the others one by one.

A format says what one line is (`Parse`). One that comes in volume also says where the fields of usual lines
stand (`Split`), for all lines of a block at once; both must read a line alike, and a line that `Split` does not
vouch for is left to `Parse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.records import BAD_TEXT, Slices, Tally
from tocsin.model.event import Longs

Bytes: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]


class Parsed(NamedTuple):
    """One line: UTC microseconds (or `NO_TIME`), its fields, and what was assumed or mended ('' if nothing)."""

    ts: int
    fields: Mapping[str, str | tuple[str, ...] | None]
    mended: str = ""


# A line's text, without its end, and the header that stands before it; None for what is no record (a comment,
# a header), text for why a record cannot be read.
Parse: TypeAlias = Callable[[str, bytes, Clock], Parsed | str | None]


class Lines:
    """The lines of a block that are not blank; `stops` leaves out the ends of lines."""

    __slots__ = ("data", "head", "octets", "starts", "stops")

    def __init__(self, block: Block) -> None:
        self.data, self.head = block.data, block.head
        self.octets: Bytes = np.frombuffer(block.data, np.uint8)
        if block.spans is not None:
            spans = np.array(block.spans, np.int64).reshape(-1, 2)
            starts, stops = spans[:, 0], spans[:, 1]
        else:
            ends = np.flatnonzero(self.octets == ord("\n"))
            starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
            stops = np.append(ends, len(self.octets))
        stops = stops - ((stops > starts) & (self.octets[np.maximum(stops, 1) - 1] == ord("\r")))
        full = stops > starts
        self.starts: Longs = starts[full]
        self.stops: Longs = stops[full]

    def __len__(self) -> int:
        return len(self.starts)


class Spans(NamedTuple):
    """Where one field stands in each line: from `starts` to before `stops` in the block; absent where `starts` < 0."""

    starts: Longs
    stops: Longs


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The fields of the lines that `usual` marks; arrays have one element for each of these lines."""

    usual: Mask
    ts: Longs
    fields: Mapping[str, Spans]
    mended: str = ""  # what was assumed of every one of them


Splitter: TypeAlias = Callable[[Lines, frozenset[str] | None, Clock], Split]


class LineDecoder:
    """Reads blocks of lines. Nothing waits: what `read` takes is in the table when it returns."""

    def __init__(self, parse: Parse, projection: frozenset[str] | None, split: Splitter | None = None) -> None:
        self._parse, self._projection, self._split = parse, projection, split

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        lines = Lines(block)
        if not len(lines):
            return
        clock = table.clock
        split = self._split(lines, self._projection, clock) if self._split else None
        kept = split.usual.copy() if split else np.zeros(len(lines), bool)
        parsed: list[tuple[int, Parsed]] = []
        for at in np.flatnonzero(~kept).tolist():
            text = self._text(block.data[lines.starts[at] : lines.stops[at]], tally)
            one = self._parse(text, block.head, clock)
            if isinstance(one, Parsed):
                kept[at] = True
                parsed.append((at, one))
                if one.mended:
                    tally.mended[one.mended] += 1
            elif one is not None:
                tally.damaged[one] += 1
        if not kept.any():
            return
        starts, stops = lines.starts[kept], lines.stops[kept]
        absent = np.full(len(starts), -1, np.int64)
        slices = Slices(block.data, starts, stops, block.head)
        rows = table.extend(starts + block.offset, absent, slices) + np.cumsum(kept) - 1
        if split and split.usual.any():
            self._put_split(split, rows[split.usual], lines, table, tally)
        self._put_parsed(parsed, rows, table)

    def flush(self, table: TableBuilder) -> None:
        """Nothing to do."""

    def _text(self, line: bytes, tally: Tally) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            tally.mended[BAD_TEXT] += 1
            return line.decode("utf-8", "replace")

    def _put_split(self, split: Split, rows: Longs, lines: Lines, table: TableBuilder, tally: Tally) -> None:
        table.put_time(rows, split.ts)
        if split.mended:
            tally.mended[split.mended] += len(rows)
        if not lines.data.isascii() and (bad := _count_bad(lines, split.usual)):
            tally.mended[BAD_TEXT] += bad
        for name, spans in split.fields.items():
            if self._projection is None or name in self._projection:
                put_spans(table, name, rows, lines, spans)

    def _put_parsed(self, parsed: list[tuple[int, Parsed]], rows: Longs, table: TableBuilder) -> None:
        """Lines with the same fields are put together."""
        groups: dict[tuple[str, ...], tuple[list[int], list[tuple[Any, ...]]]] = {}
        for at, one in parsed:
            places, values = groups.setdefault(tuple(one.fields), ([], []))
            places.append(at)
            values.append(tuple(one.fields.values()))
        if parsed:
            each = rows[np.array([at for at, _ in parsed], np.int64)]
            table.put_time(each, np.array([one.ts for _, one in parsed], np.int64))
        for names, (places, values) in groups.items():
            wanted = rows[np.array(places, np.int64)]
            for name, column in zip(names, zip(*values, strict=True), strict=True):
                if self._projection is None or name in self._projection:
                    table.put(name, wanted, [list(v) if isinstance(v, tuple) else v for v in column])


def put_spans(table: TableBuilder, name: str, rows: Longs, lines: Lines, spans: Spans) -> None:
    """Give rows the text that stands at their spans."""
    if (spans.starts < 0).any():
        there = spans.starts >= 0
        rows, spans = rows[there], Spans(spans.starts[there], spans.stops[there])
    if len(rows):
        texts, index = distinct(lines, spans)
        table.put_repeated(name, rows, texts, index)


def distinct(lines: Lines, spans: Spans) -> tuple[list[str], Longs]:
    """The distinct texts at spans that stand in order and do not overlap, and for each span which text it is."""
    import pyarrow as pa  # only for formats that are read by columns: it takes a third of a warm start

    bounds = np.empty(2 * len(spans.starts), np.int32)
    bounds[0::2], bounds[1::2] = spans.starts, spans.stops
    # Every second piece between the bounds is a span: taking these copies them in C, whatever their lengths.
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(lines.data)]
    pieces = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, buffers)
    encoded = pieces.take(pa.array(np.arange(0, len(bounds), 2))).dictionary_encode()
    texts = [text.decode("utf-8", "replace") for text in encoded.dictionary.to_pylist()]
    return texts, encoded.indices.to_numpy().astype(np.int64)


def _count_bad(lines: Lines, usual: Mask) -> int:
    """How many of the usual lines are not UTF-8."""
    try:
        lines.data.decode()
    except UnicodeDecodeError:
        pairs = zip(lines.starts[usual].tolist(), lines.stops[usual].tolist(), strict=True)
        return sum(not _is_text(lines.data[start:stop]) for start, stop in pairs)
    return 0


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
