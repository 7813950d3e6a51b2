"""A stream of delimited text in, blocks of whole records out, and where their cells stand: CSV (RFC 4180 §2).

A cell in quotes may hold delimiters, doubled quotes and ends of lines. A quote that stands elsewhere is a character
like others, and one that is never closed costs its own line, not those behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import BinaryIO, NamedTuple

import numpy as np

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.lines import Lines, Mask, Spans
from tocsin.model.event import Longs

MISFIT = "another number of cells than the header has names"
DELIMITERS = (",", ";", "\t", "|")
_MOST_BYTES = 256 << 10  # of a record that goes on over several lines
_MOST_LINES = 5_000
_QUOTE = ord('"')


class Cells(NamedTuple):
    """For the records that `usual` marks: where each of their cells stands, without quotes; absent where empty."""

    usual: Mask
    columns: tuple[Spans, ...]


@lru_cache(maxsize=16)
def _cell(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(rf'(?:"((?:[^"]|"")*+)"|([^{mark}]*+))({mark}|\Z)')


def cells_of(record: str, delimiter: str) -> list[str]:
    """The cells of one record, without its end."""
    found = []
    for one in _cell(delimiter).finditer(record):
        found.append(one[2] if one[1] is None else one[1].replace('""', '"'))
        if not one[3]:
            break
    return found


def delimiter_of(header: str, wanted: frozenset[str]) -> str:
    """The delimiter that a header is divided by: with it all wanted names are there, or most cells."""
    each = {mark: [cell.strip() for cell in cells_of(header, mark)] for mark in DELIMITERS}
    for mark, cells in each.items():
        if wanted and wanted <= set(cells):
            return mark
    return max(DELIMITERS, key=lambda mark: len(each[mark]))


def cut(file: BinaryIO, offset: int, block_bytes: int, delimiter: str, width: int) -> Iterator[Block]:
    """Blocks of the records from `offset` on, where the stream stands; `width` is how many cells each should have."""
    rest, at = b"", offset
    for block in documents.cut_lines(file, offset, None, block_bytes):
        if block.damaged:
            yield Block(data=b"", offset=block.offset, damaged=block.damaged)
        if rest and at + len(rest) != block.offset:
            yield _divided(Block(data=rest, offset=at), delimiter, width, last=True)[0]
            rest = b""
        if not rest:
            at = block.offset
        whole, rest = _divided(Block(data=rest + block.data, offset=at), delimiter, width, last=False)
        if whole.data:
            yield whole
        at += len(whole.data)
    if rest:
        yield _divided(Block(data=rest, offset=at), delimiter, width, last=True)[0]


def _divided(block: Block, delimiter: str, width: int, *, last: bool) -> tuple[Block, bytes]:
    """The records of a block, and what of it is one that is not at its end."""
    data = block.data
    if b'"' not in data:
        return block, b""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    until = np.searchsorted(np.flatnonzero(octets == _QUOTE), ends)
    odd = np.flatnonzero(np.diff(until, prepend=0) % 2).tolist()
    if not odd:
        return block, b""
    begins = np.concatenate(([0], ends[:-1]))
    whole = np.ones(len(ends), bool)  # whether a record ends where this line does
    place, rest = 0, b""
    while place < len(odd):
        line = odd[place]
        start = int(begins[line])
        if place + 1 == len(odd):
            if not last and len(data) - start <= _MOST_BYTES and len(ends) - line <= _MOST_LINES:
                return _spanned(replace(block, data=data[:start]), ends[:line], whole[:line]), data[start:]
            break
        until_line = odd[place + 1]
        stop = int(ends[until_line])
        if until_line - line <= _MOST_LINES and stop - start <= _MOST_BYTES:
            text = data[start:stop].rstrip(b"\r\n").decode("utf-8", "replace")
            if len(cells_of(text, delimiter)) == width:
                whole[line:until_line] = False
                place += 1
        place += 1
    return _spanned(block, ends, whole), rest


def _spanned(block: Block, ends: Longs, whole: Mask) -> Block:
    bounds = [0, *ends[whole].tolist()]
    data = block.data
    spans = tuple((start, start + len(data[start:stop].rstrip(b"\r\n"))) for start, stop in pairwise(bounds))
    return replace(block, spans=spans)


def split(lines: Lines, delimiter: str, width: int) -> Cells:
    """The cells of all records of the usual shape at once; one that repeats the header is none."""
    octets = lines.octets
    marks = np.flatnonzero(octets == ord(delimiter))
    quotes = np.flatnonzero(octets == _QUOTE)
    if len(quotes):
        record = np.searchsorted(lines.starts, marks, side="right") - 1
        first = np.searchsorted(quotes, lines.starts)
        marks = marks[(np.searchsorted(quotes, marks) - first[np.maximum(record, 0)]) % 2 == 0]
    begins = np.searchsorted(marks, lines.starts)
    count = np.searchsorted(marks, lines.stops) - begins
    usual: Mask = (count == width - 1) & ~_repeats(lines)
    starts, stops = _bounds(marks, begins, lines, usual, width)
    kept = np.ones(starts.shape[1], bool)
    if len(quotes):
        held = np.searchsorted(quotes, stops) - np.searchsorted(quotes, starts)
        quoted = (held == 2) & (stops - starts >= 2)
        quoted &= (octets[starts.clip(max=len(octets) - 1)] == _QUOTE) & (octets[stops - 1] == _QUOTE)
        kept = ((held == 0) | quoted).all(axis=0)
        starts, stops = starts + quoted, stops - quoted
    empty = stops <= starts
    kept &= ~empty.all(axis=0)  # a line of empty cells is no record
    usual[np.flatnonzero(usual)[~kept]] = False
    starts, stops = np.where(empty, -1, starts)[:, kept], np.where(empty, -1, stops)[:, kept]
    return Cells(usual, tuple(Spans(*pair) for pair in zip(starts, stops, strict=True)))


def _bounds(marks: Longs, begins: Longs, lines: Lines, usual: Mask, width: int) -> tuple[Longs, Longs]:
    """Where the cells of usual records begin and end, a row for each column."""
    between = marks[begins[usual] + np.arange(width - 1).reshape(-1, 1)] if width > 1 else np.zeros((0, 0), np.int64)
    first, last = lines.starts[usual].reshape(1, -1), lines.stops[usual].reshape(1, -1)
    if width == 1:
        return first, last
    return np.concatenate((first, between + 1)), np.concatenate((between, last))


def _repeats(lines: Lines) -> Mask:
    """Which records are the header once more, as where files were joined."""
    found: Mask = (lines.stops - lines.starts == len(lines.head)) & bool(lines.head)
    for at in np.flatnonzero(found).tolist():
        found[at] = lines.data[lines.starts[at] : lines.stops[at]] == lines.head
    return found
