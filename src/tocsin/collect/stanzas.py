"""A stream of lines in, blocks of records out that begin with a digit, each with the lines below it that do not.

Debug logs write a line with a time, and below it what they know of the event. Blank lines mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

import numpy as np

from tocsin.collect import documents
from tocsin.collect.block import Block

_MOST_BYTES: Final = 1 << 20  # of one record: what follows is read as if nothing stood above it
_STEP: Final = 64 << 10
_RECORD: Final = re.compile(rb"^\d", re.MULTILINE)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int, head: bytes) -> Iterator[Block]:
    """Blocks of whole records of a range, or of a stream: a record belongs to the range in which it begins."""
    waiting: Block | None = None
    for block in documents.cut_line_range(file, start, stop, block_bytes):
        joined = block
        if waiting is not None and waiting.offset + len(waiting.data) == block.offset:
            joined = replace(block, data=waiting.data + block.data, offset=waiting.offset)
        elif waiting is not None:
            yield _spanned(waiting, head, leads=bool(start))
        at = _last_record(joined.data)
        whole = len(joined.data) - at > _MOST_BYTES
        at = len(joined.data) if whole else at
        if at or joined.damaged:
            yield _spanned(replace(joined, data=joined.data[:at]), head, leads=bool(start))
        waiting = None if whole else Block(data=joined.data[at:], offset=joined.offset + at)
    if waiting is not None and waiting.data:
        below = _below(file, waiting) if stop is not None else b""
        yield _spanned(replace(waiting, data=waiting.data + below), head, leads=bool(start))


def _last_record(data: bytes) -> int:
    """Where the last record begins; the end where none does."""
    end = len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        if data[newline + 1 : newline + 2].isdigit():
            return newline + 1
        end = newline
    return 0


def _below(file: BinaryIO, last: Block) -> bytes:
    """The lines behind a range that belong to its last record."""
    if not last.data.endswith(b"\n"):
        return b""
    file.seek(last.offset + len(last.data))
    found, next_record = b"", None
    while len(found) < _MOST_BYTES and next_record is None and (part := file.read(_STEP)):
        found += part
        next_record = _RECORD.search(found)
    return found[: next_record.start()] if next_record else found


def _spanned(block: Block, head: bytes, *, leads: bool) -> Block:
    """A block that says where its records stand, if any of them has more than one line."""
    octets = np.frombuffer(block.data, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
    stops = np.append(ends, len(octets))
    stops = stops - ((stops > starts) & (octets.take(stops - 1, mode="clip") == ord("\r"))) if len(octets) else stops
    full = stops > starts
    starts, stops = starts[full], stops[full]
    first = octets[starts] - ord("0") <= 9 if len(starts) else np.zeros(0, bool)
    number = np.cumsum(first)
    if not first.any() or (number[-1] + (number == 0).sum() == len(first)):
        return replace(block, head=head)  # what stands above the first record are lines of their own
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(first)) - 1
    above = np.arange(begins[0] if not leads else 0)
    spans = zip(
        np.concatenate((starts[above], starts[begins])).tolist(),
        np.concatenate((stops[above], stops[last])).tolist(),
        strict=True,
    )
    return replace(block, head=head, spans=tuple(spans))
