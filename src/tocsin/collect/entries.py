"""A stream of text in, blocks of entries out: one begins with a line of a certain form and goes on to the next.

Stack traces and statements of several lines so stay with the line that they explain. What stands before the first
such line, and what goes on beyond `MOST_BYTES`, is an entry of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, Final

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.documents import skip_line

MOST_BYTES: Final = 256 << 10  # of one entry


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int, begins: re.Pattern[bytes]) -> Iterator[Block]:
    """Blocks of the entries that begin in a range, or in a stream.

    Args:
        begins: is tried at the beginning of each line; MULTILINE, with `^` in front.
    """
    if start:
        file.seek(start - 1)
        start += skip_line(file)[0] - 1
        file.seek(start)
    rest, offset, inside = b"", start, start == 0  # lines before the first entry of a range belong to the one before
    for block in documents.cut_lines(file, start, None, block_bytes):
        if block.damaged:
            yield Block(data=b"", offset=block.offset, damaged=block.damaged)
        data = rest + block.data if offset + len(rest) == block.offset else block.data
        if len(data) == len(block.data):
            if rest:
                yield _block(rest, offset, [0])
            offset = block.offset
        starts = [found.start() for found in begins.finditer(data)]
        if stop is not None and (beyond := next((at for at in starts if offset + at >= stop), None)) is not None:
            if inside or starts[0] < beyond:
                yield _block(data[:beyond], offset, starts, inside=inside)
            return
        if not inside and not starts:
            rest, offset = b"", offset + len(data)
            if stop is not None and offset >= stop:
                return
            continue
        last = starts[-1] if starts else 0
        if last:
            yield _block(data[:last], offset, starts, inside=inside)
        inside = True
        rest, offset = data[last:], offset + last
        while len(rest) > MOST_BYTES:
            whole = _bounded(rest)
            yield _block(rest[:whole], offset, [0])
            rest, offset = rest[whole:], offset + whole
    if rest and inside:
        yield _block(rest, offset, [0])


def _bounded(data: bytes) -> int:
    return data.rfind(b"\n", 0, MOST_BYTES) + 1 or MOST_BYTES


def _block(data: bytes, offset: int, starts: list[int], *, inside: bool = True) -> Block:
    """A block of the entries that begin at these places; `inside` tells whether what stands before them counts."""
    places = sorted({at for at in starts if at < len(data)} | ({0} if inside else set()))
    spans = []
    for place, end in pairwise([*places, len(data)]):
        at = place
        while end - at > MOST_BYTES:
            whole = _bounded(data[at:end])
            spans.append((at, at + whole))
            at += whole
        spans.append((at, end))
    trimmed = [(at, at + len(data[at:end].rstrip(b"\r\n"))) for at, end in spans]
    return Block(data=data, offset=offset, spans=tuple(span for span in trimmed if span[1] > span[0]))
