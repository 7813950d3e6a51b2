"""A stream of JSON in, blocks of whole records out: lines, an array, or documents one after another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from tocsin.collect.block import Block

MAX_RECORD_BYTES = 16 << 20
_STEP = 64 << 10
_TOO_LONG = f"record longer than {MAX_RECORD_BYTES >> 20} MiB"
_RESYNC = re.compile(rb"\n[ \t]{0,8}\{")
_CUT_OFF = "cut off at the end of the file"


def has_one_record_a_line(head: bytes) -> bool:
    """Tell JSON lines from an array or from pretty-printed documents by the first lines."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, _, rest = text.partition(b"\n")
    if not text.startswith(b"{"):
        return not text.startswith(b"[")
    return first.rstrip().endswith(b"}") or rest.lstrip(b" \t").startswith(b'{"') or not rest


def cut_lines(file: BinaryIO, offset: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of the lines that begin at `offset`, where `file` stands, or later, but before `stop`.

    A line too long to hold is skipped and counted.
    """
    rest = b""
    while True:
        at = offset + len(rest)
        fresh = file.read(block_bytes if stop is None else max(min(block_bytes, stop - at), 0))
        if not fresh and rest and stop is not None and at >= stop:
            fresh = _to_newline(file)  # the last line runs past `stop`
        if not fresh:
            if rest:
                yield Block(data=rest, offset=offset)
            return
        data = rest + fresh
        end = data.rfind(b"\n") + 1
        if end:
            yield Block(data=data[:end], offset=offset)
        offset, rest = offset + end, data[end:]
        if len(rest) > MAX_RECORD_BYTES:
            yield Block(data=b"", offset=offset, damaged=Counter({_TOO_LONG: 1}))
            offset += len(rest)
            passed, rest = skip_line(file)
            offset += passed
            if stop is not None:  # only files are read in ranges: go back to where the next line begins
                file.seek(offset)
                rest = b""


def _to_newline(file: BinaryIO) -> bytes:
    """Bytes up to the next newline, or more than a record may have."""
    parts: list[bytes] = []
    while sum(map(len, parts)) <= MAX_RECORD_BYTES and (part := file.read(_STEP)):
        newline = part.find(b"\n") + 1
        parts.append(part[:newline] if newline else part)
        if newline:
            break
    return b"".join(parts)


def skip_line(file: BinaryIO) -> tuple[int, bytes]:
    """Read past the next newline; how many bytes that were, and what was read beyond it."""
    passed = 0
    while part := file.read(_STEP):
        newline = part.find(b"\n") + 1
        passed += newline or len(part)
        if newline:
            return passed, part[newline:]
    return passed, b""


def cut_documents(file: BinaryIO, block_bytes: int) -> Iterator[Block]:
    """Blocks with the span of each document; what stands between documents is passed over."""
    data, offset, depth = b"", 0, 0
    base: int | None = None
    while True:
        fresh = file.read(block_bytes)
        data += fresh
        if base is None:
            base = 1 if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[") else 0
        spans, rest, depth, stray = _spans(data, depth, base)
        damaged: Counter[str] = Counter({"stray closing bracket": stray} if stray else {})
        if not fresh:
            if rest < len(data):
                damaged[_CUT_OFF] += 1
            if spans or damaged:
                yield Block(data=data, offset=offset, spans=spans, damaged=damaged)
            return
        if len(data) - rest > MAX_RECORD_BYTES:
            damaged["brackets do not close, or " + _TOO_LONG] += 1
            found = _RESYNC.search(data, rest + 1)
            rest = found.start() + 1 if found else len(data)
        if spans or damaged:
            yield Block(data=data[:rest], offset=offset, spans=spans, damaged=damaged)
        offset, data = offset + rest, data[rest:]


def _spans(data: bytes, depth: int, base: int) -> tuple[tuple[tuple[int, int], ...], int, int, int]:
    """Spans of whole documents; where an unfinished one begins; the depth there; closing brackets too many.

    Brackets count outside strings only; a quote counts unless an odd run of backslashes stands before it.
    """
    chars = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(chars == ord('"'))
    before = quotes[quotes > 0]
    escaped = [at for at in before[chars[before - 1] == ord("\\")].tolist() if _odd(data, at)]
    if escaped:
        quotes = np.setdiff1d(quotes, np.array(escaped, quotes.dtype), assume_unique=True)
    opens = (chars == ord("{")) | (chars == ord("["))
    brackets = np.flatnonzero(opens | (chars == ord("}")) | (chars == ord("]")))
    brackets = brackets[np.searchsorted(quotes, brackets) % 2 == 0]
    steps = np.where(opens[brackets], 1, -1)
    walk = depth + np.cumsum(steps)
    depths = walk - np.minimum(np.minimum.accumulate(walk), 0) if len(walk) else walk
    earlier = np.concatenate(([depth], depths[:-1]))[: len(depths)]
    starts = brackets[(steps == 1) & (earlier == base)]
    stops = brackets[(steps == -1) & (earlier == base + 1)] + 1
    spans = tuple(zip(starts.tolist(), stops.tolist(), strict=False))
    stray = int(((steps == -1) & (earlier == 0)).sum())
    if len(starts) > len(stops):
        return spans, int(starts[-1]), base, stray
    return spans, len(data), int(depths[-1]) if len(depths) else depth, stray


def _odd(data: bytes, at: int) -> bool:
    """Whether an odd number of backslashes stands before `at`."""
    run = at
    while run and data[run - 1] == ord("\\"):
        run -= 1
    return (at - run) % 2 == 1
