"""A stream of JSON in, blocks of whole records out: lines, an array, or documents one after another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from tocsin.collect.block import Block
from tocsin.collect.streams import HEAD_BYTES, peek
from tocsin.model.event import Longs

MAX_RECORD_BYTES = 16 << 20
_STEP = 64 << 10
_TOO_LONG = f"record longer than {MAX_RECORD_BYTES >> 20} MiB"
_BEGINNING = re.compile(rb"^[ \t]*[\[{]", re.MULTILINE)
_FINDING = b'{"rule_id":'  # holds the fields of events, but is no log
_OPENING = re.compile(rb"\n([ \t]*)\{")
_MOST_OPENINGS = 200_000  # in 16 MiB: records of 80 bytes
_FRAME = re.compile(rb"(\d{1,7}) (?=<\d{1,3}>)")  # the octet count of RFC 6587 §3.4.1
CUT_OFF = "cut off at the end of the file"


def may_be_records(head: bytes) -> bool:
    """Whether JSON begins on any line, for the first may be damaged, and it is not what detection writes."""
    return not head.startswith(_FINDING) and _BEGINNING.search(head.removeprefix(b"\xef\xbb\xbf")) is not None


def has_one_record_a_line(head: bytes) -> bool:
    """Tell JSON lines from an array or from pretty-printed documents by the first lines."""
    first, rest = b"", head.removeprefix(b"\xef\xbb\xbf")
    while rest and not first.startswith((b"{", b"[")):  # a damaged first line says nothing
        first, _, rest = rest.lstrip().partition(b"\n")
    if not first.startswith(b"{"):
        return not first.startswith(b"[")
    return first.rstrip().endswith(b"}") or rest.lstrip(b" \t").startswith(b'{"') or not rest


def mostly(head: bytes, line: re.Pattern[bytes]) -> bool:
    """Whether half of a file's first lines are such lines, at least: mixed logs are left to another reader.

    So are frames with an octet count that end in no new line (RFC 6587 §3.4.1): they are no lines.
    """
    if (frame := _FRAME.match(head)) and _FRAME.match(head, frame.end() + int(frame[1])):
        return False
    lines = head.count(b"\n") + (not head.endswith(b"\n")) - (len(head) >= HEAD_BYTES)
    return 0 < lines <= 2 * sum(1 for _ in line.finditer(head))


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """Where a file of any of these can be read in parallel."""
    return line_ranges(size, unit_bytes) if has_one_record_a_line(head) else [(0, size)]


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of a range, or of a stream, of any of these."""
    if start == 0:
        again, head = peek(file)
        if not has_one_record_a_line(head):
            return cut_documents(again, min(block_bytes, 4 << 20))
        if stop is None:
            return cut_lines(again, 0, None, block_bytes)
        file.seek(0)
    return cut_line_range(file, start, stop, block_bytes)


def line_ranges(size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """Where a file of lines can be read in parallel: lines are whole between the newlines nearest to these offsets."""
    return [(at, min(at + unit_bytes, size)) for at in range(0, size, unit_bytes)]


def cut_line_range(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of the lines of a range: a line belongs to the one in which it begins."""
    if start:
        file.seek(start - 1)
        start += skip_line(file)[0] - 1
        file.seek(start)
    return cut_lines(file, start, stop, block_bytes)


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
        if end := fresh.rfind(b"\n") + 1:
            data, rest = b"".join((rest, memoryview(fresh)[:end])), fresh[end:]
        else:
            both = rest + fresh
            end = both.rfind(b"\n") + 1
            data, rest = both[:end], both[end:]
        if data:
            yield Block(data=data, offset=offset)
        offset += len(data)
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
        array = starts_array(data) if array is None else array
        ends = fresh.rstrip()[-1:] or ends
        spans, rest, stray = _spans(data)
        damaged: Counter[str] = Counter({"stray closing bracket": stray} if stray else {})
        if rest < len(data) and (not fresh or len(data) - rest > MAX_RECORD_BYTES):
            found, rest, reason = _resumed(data, rest, ended=not fresh)
            spans += found
            if reason:
                damaged[reason] += 1
        elif array and not fresh and ends != b"]":
            damaged[CUT_OFF] += 1
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
    return spans, len(data), "" if whole else CUT_OFF


def _spans(data: bytes) -> tuple[list[tuple[int, int]], int, int]:
    """Spans of whole documents; where an unfinished one begins; closing brackets too many.

    Square brackets need not be counted: an object ends where its braces are closed.
    """
    braces, steps = brackets(data, square=False)
    walk = np.cumsum(steps)
    depths = walk - np.minimum(np.minimum.accumulate(walk), 0) if len(walk) else walk
    earlier = np.concatenate(([0], depths[:-1]))[: len(depths)]
    starts = braces[(steps == 1) & (earlier == 0)].tolist()
    stops = (braces[(steps == -1) & (earlier == 1)] + 1).tolist()
    stray = int(((steps == -1) & (earlier == 0)).sum())
    rest = starts[-1] if len(starts) > len(stops) else len(data)
    return list(zip(starts, stops, strict=False)), rest, stray


def starts_array(data: bytes) -> bool | None:
    """Whether a square bracket stands before anything else; None if nothing does."""
    begins = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return begins == b"[" if begins else None


def brackets(data: bytes, *, square: bool) -> tuple[Longs, Longs]:
    """Where braces, and square brackets if wanted, stand outside strings, and +1 for those that open, -1 for others.

    A quote counts unless an odd run of backslashes stands before it. No string goes on behind the end of a line, so
    a lost quote makes one line unreadable and no more.
    """
    chars = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(chars == ord('"'))
    quotes = quotes[~_escaped(chars, quotes)]
    either = chars | 0x20 if square else chars  # `[` and `{` differ in one bit, as do `]` and `}`
    places = np.flatnonzero((either == ord("{")) | (either == ord("}")))
    newlines = np.flatnonzero(chars == ord("\n"))
    lines = np.concatenate(([0], newlines + 1))[np.searchsorted(newlines, places)]
    places = places[(np.searchsorted(quotes, places) - np.searchsorted(quotes, lines)) % 2 == 0]
    return places, np.where(either[places] == ord("{"), 1, -1)


def _escaped(chars: npt.NDArray[np.uint8], quotes: Longs) -> npt.NDArray[np.bool_]:
    """Whether an odd number of backslashes stands before each quote."""
    slashes = np.flatnonzero(chars == ord("\\"))
    if not len(slashes):
        return np.zeros(len(quotes), bool)
    begins = np.concatenate(([True], np.diff(slashes) > 1))  # where a run of them does
    run_starts = slashes[np.maximum.accumulate(np.where(begins, np.arange(len(slashes)), 0))]
    last = np.searchsorted(slashes, quotes) - 1  # the last backslash before each quote
    touches = (last >= 0) & (slashes[last] == quotes - 1)
    odd: npt.NDArray[np.bool_] = touches & ((quotes - run_starts[last]) % 2 == 1)
    return odd
