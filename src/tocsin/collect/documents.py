"""A stream of JSON in, blocks of whole records out: lines, an array, or documents one after another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import BinaryIO

import numpy as np

from tocsin.collect.block import Block

MAX_RECORD_BYTES = 16 << 20
_STEP = 64 << 10
_TOO_LONG = f"record longer than {MAX_RECORD_BYTES >> 20} MiB"
_OPENING = re.compile(rb"\n([ \t]*)\{")
_MOST_OPENINGS = 200_000  # in 16 MiB: records of 80 bytes
_CUT_OFF = "cut off at the end of the file"


def has_one_record_a_line(head: bytes) -> bool:
    """Tell JSON lines from an array or from pretty-printed documents by the first lines."""
    first, rest = b"", head.removeprefix(b"\xef\xbb\xbf")
    while rest and not first.startswith((b"{", b"[")):  # a damaged first line says nothing
        first, _, rest = rest.lstrip().partition(b"\n")
    if not first.startswith(b"{"):
        return not first.startswith(b"[")
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
    """Blocks with the span of each object that stands in no other; what stands between them is passed over."""
    data, offset, ends = b"", 0, b""
    array: bool | None = None
    while True:
        fresh = file.read(block_bytes)
        data += fresh
        if array is None and (begins := data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]):
            array = begins == b"["
        ends = fresh.rstrip()[-1:] or ends
        spans, rest, stray = _spans(data)
        damaged: Counter[str] = Counter({"stray closing bracket": stray} if stray else {})
        if rest < len(data) and (not fresh or len(data) - rest > MAX_RECORD_BYTES):
            found, rest, reason = _resumed(data, rest, ended=not fresh)
            spans += found
            if reason:
                damaged[reason] += 1
        elif array and not fresh and ends != b"]":
            damaged[_CUT_OFF] += 1
        if spans or damaged:
            yield Block(data=data[:rest], offset=offset, spans=tuple(spans), damaged=damaged)
        if not fresh:
            return
        offset, data = offset + rest, data[rest:]


def _resumed(data: bytes, first: int, *, ended: bool) -> tuple[list[tuple[int, int]], int, str]:
    """Spans of what may be documents from `first`, where one begins that does not end; where to go on; what is lost.

    One lost bracket must not take all documents behind it along: these begin on the lines that are least
    indented. Whether what stands between two such lines is JSON is seen when it is decoded.
    """
    openings = [
        (match.end(1) - match.start(1), match.end() - 1)
        for match in islice(_OPENING.finditer(data, first), _MOST_OPENINGS)
    ]
    least = min(openings, default=(0, 0))[0]
    starts = [first, *(at for indent, at in openings if indent == least)]
    spans = [(start, data.rfind(b"}", start, stop) + 1 or stop) for start, stop in pairwise(starts)]
    last = starts[-1]
    if not ended:
        return (spans, last, "") if spans else ([], len(data), "brackets do not close, or " + _TOO_LONG)
    whole, _, _ = _spans(data[last:])
    spans += [(last + start, last + stop) for start, stop in whole]
    return spans, len(data), "" if whole else _CUT_OFF


def _spans(data: bytes) -> tuple[list[tuple[int, int]], int, int]:
    """Spans of whole documents; where an unfinished one begins; closing brackets too many.

    Brackets count outside strings only; a quote counts unless an odd run of backslashes stands before it. No
    string goes on behind the end of a line, so a lost quote makes one line unreadable and no more. Square
    brackets need not be counted: an object ends where its braces are closed.
    """
    chars = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(chars == ord('"'))
    before = quotes[quotes > 0]
    escaped = [at for at in before[chars[before - 1] == ord("\\")].tolist() if _odd(data, at)]
    if escaped:
        quotes = np.setdiff1d(quotes, np.array(escaped, quotes.dtype), assume_unique=True)
    opens = chars == ord("{")
    braces = np.flatnonzero(opens | (chars == ord("}")))
    newlines = np.flatnonzero(chars == ord("\n"))
    lines = np.concatenate(([0], newlines + 1))[np.searchsorted(newlines, braces)]
    braces = braces[(np.searchsorted(quotes, braces) - np.searchsorted(quotes, lines)) % 2 == 0]
    steps = np.where(opens[braces], 1, -1)
    walk = np.cumsum(steps)
    depths = walk - np.minimum(np.minimum.accumulate(walk), 0) if len(walk) else walk
    earlier = np.concatenate(([0], depths[:-1]))[: len(depths)]
    starts = braces[(steps == 1) & (earlier == 0)].tolist()
    stops = (braces[(steps == -1) & (earlier == 1)] + 1).tolist()
    stray = int(((steps == -1) & (earlier == 0)).sum())
    rest = starts[-1] if len(starts) > len(stops) else len(data)
    return list(zip(starts, stops, strict=False)), rest, stray


def _odd(data: bytes, at: int) -> bool:
    """Whether an odd number of backslashes stands before `at`."""
    run = at
    while run and data[run - 1] == ord("\\"):
        run -= 1
    return (at - run) % 2 == 1
