"""A stream of lines below headers in, blocks that each have one header in `head` out.

Header lines begin with `#`, and no other line does. A file can have many: rotated logs are put together, and the
fields of a log change while it is written. A range of a file needs the header that stands before it, wherever that
is.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO, Final, TypeAlias

from tocsin.collect import documents
from tocsin.collect.block import Block

# The header so far, and a run of header lines, newlines between them -> the header that holds now.
Merge: TypeAlias = Callable[[bytes, bytes], bytes]

_PIECE: Final = 4 << 20
_MOST_BYTES: Final = 1 << 20
_TOO_LONG: Final = f"header longer than {_MOST_BYTES >> 20} MiB"


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int, merge: Merge) -> Iterator[Block]:
    """Blocks of the lines of a range, or of a stream; a block ends where another header begins."""
    head = _head_before(file, start, merge) if start else b""
    for block in documents.cut_line_range(file, start, stop, block_bytes):
        at, damaged = 0, block.damaged
        for run in _runs(block.data, block.offset):
            if run.stop - run.start > _MOST_BYTES:
                damaged = damaged + Counter({_TOO_LONG: 1})
                continue
            fresh = merge(head, block.data[run])
            if fresh == head:
                continue
            if run.start > at:
                yield replace(
                    block, data=block.data[at : run.start], offset=block.offset + at, head=head, damaged=damaged
                )
                at, damaged = run.start, Counter()
            head = fresh
        yield replace(block, data=block.data[at:], offset=block.offset + at, head=head, damaged=damaged)


def _runs(data: bytes, offset: int) -> Iterator[slice]:
    """Where header lines stand, those that follow each other together."""
    if b"#" not in data:  # twice as fast as to look for it behind a newline
        return
    at = len(BOM_UTF8) if not offset and data.startswith(BOM_UTF8) else 0
    if data[at : at + 1] != b"#":
        at = data.find(b"\n#", at) + 1
    while data[at : at + 1] == b"#":
        stop = at
        while data[stop : stop + 1] == b"#":
            stop = data.find(b"\n", stop) + 1 or len(data)
        yield slice(at, stop)
        at = data.find(b"\n#", stop) + 1 or len(data)


@dataclass(slots=True)
class _Passed:
    """How far a file was searched for headers, and which of them held there."""

    file: tuple[int, ...] = ()
    offset: int = 0
    head: bytes = b""


@lru_cache(maxsize=8)
def _passed(file: tuple[int, ...]) -> _Passed:
    """Kept for the whole process: the ranges of a file come one after another."""
    return _Passed(file)


def _head_before(file: BinaryIO, start: int, merge: Merge) -> bytes:
    """The header that holds at `start`."""
    try:
        about = os.fstat(file.fileno())
    except OSError:  # not a file of the system's
        passed = _Passed()
    else:
        passed = _passed((about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns))
    if passed.offset > start:
        passed.offset, passed.head = 0, b""
    file.seek(passed.offset)
    for block in documents.cut_line_range(file, passed.offset, start, _PIECE):
        for run in _runs(block.data, block.offset):
            if run.stop - run.start <= _MOST_BYTES:
                passed.head = merge(passed.head, block.data[run])
    passed.offset = start
    return passed.head
