"""A stream of JSON whose records stand in an array in an outer object in, blocks of whole records out.

`{"Records": [{...}, {...}]}` and its like: one such document, one to a line, or an array of them. What an outer object
says besides (a link to the next page) belongs to no record and is passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import BinaryIO

import numpy as np

from tocsin.collect.block import Block
from tocsin.collect.documents import CUT_OFF, MAX_RECORD_BYTES, brackets, starts_array

_KEY = re.compile(rb'"([^"\\]{1,64})"\s*:\s*\Z')
_KEY_REACH = 128  # bytes before an array in which its key stands
_LAST_IN_ARRAY = re.compile(rb"\}\s*\][^{}\[\]]*\}")
_MOST_INSIDE = 4  # objects in objects that are passed over before the array
_FIRST_KEY = re.compile(rb'\{\s*"[^"\\]{1,64}"\s*:')


@dataclass(slots=True)
class _Stand:
    """Where reading goes on: how many brackets are open, and whether those of an array of records are among them."""

    depth: int = 0
    wanted: bool = False


def is_nested(head: bytes, keys: frozenset[str]) -> bool:
    """Whether the first object holds, behind values, lists of texts and of plain objects, an array under such a key."""
    return bool(keys) and _outer(keys).match(head.removeprefix(b"\xef\xbb\xbf")) is not None


@lru_cache(maxsize=64)
def _outer(keys: frozenset[str]) -> re.Pattern[bytes]:
    text = rb'"(?:[^"\\]|\\.){0,4096}+"'
    texts = rb"\[\s*(?:" + text + rb"\s*+,?\s*+){0,16}\]"
    plain_object = rb"\{[^{}\[\]]{0,4096}+\}"  # what an answer says of itself: its schema, what it cost
    deep = plain_object
    for _ in range(_MOST_INSIDE):
        deep = rb"\{(?:[^{}\[\]]|" + deep + rb"){0,4096}+\}"
    objects = rb"\[\s*+(?:" + plain_object + rb"\s*+,?\s*+){1,1024}+\]"
    value = rb"|".join((text, texts, deep, objects, rb"[\w.+-]{1,64}"))
    plain = rb'\s*"[^"\\]{0,64}"\s*:\s*(?:' + value + rb")\s*,"
    ways = []
    for key in sorted(keys):
        steps = (
            rb"\{(?:" + plain + rb'){0,12}\s*"' + re.escape(part.encode()) + rb'"\s*:\s*' for part in key.split(".")
        )
        ways.append(b"".join(steps))
    return re.compile(rb"[\s\[]{0,64}(?:" + b"|".join(ways) + rb")\[\s*[{\]]")


def cut_nested(file: BinaryIO, block_bytes: int, keys: frozenset[str]) -> Iterator[Block]:
    """Blocks with the span of each object in the arrays that stand in outer objects under one of these keys.

    Args:
        keys: with a dot where the outer object holds another, and that the array; all of one depth.
    """
    named = frozenset(key.rpartition(".")[2].encode() for key in keys)
    between = max(key.count(".") for key in keys)
    data, offset, stand = b"", 0, _Stand()
    outer: int | None = None
    while True:
        fresh = file.read(block_bytes)
        data += fresh
        if outer is None and (begins := starts_array(data)) is not None:
            outer = int(begins) + between
        spans, rest, stand = _spans(data, stand, between if outer is None else outer, named)
        damaged: Counter[str] = Counter()
        if rest < len(data) and (not fresh or len(data) - rest > MAX_RECORD_BYTES):
            found, rest = _resumed(data, rest, ended=not fresh)
            spans += found
        if not fresh and stand.depth:
            damaged[CUT_OFF] += 1
        if spans or damaged:
            yield Block(data=data[:rest], offset=offset, spans=tuple(spans), damaged=damaged)
        if not fresh:
            return
        offset, data = offset + rest, data[rest:]


def _spans(data: bytes, stand: _Stand, outer: int, keys: frozenset[bytes]) -> tuple[list[tuple[int, int]], int, _Stand]:
    """Spans of whole records; where to go on, and how things stand there."""
    places, steps = brackets(data, square=True)
    if not len(places):
        return [], 0, stand
    walk = stand.depth + np.cumsum(steps)
    depths = walk - np.minimum(np.minimum.accumulate(walk), 0)
    earlier = np.concatenate(([stand.depth], depths[:-1]))
    chars = np.frombuffer(data, np.uint8)[places]
    opens, closes = (chars == ord("[")) & (earlier == outer + 1), (chars == ord("]")) & (earlier == outer + 2)
    marks = places[opens | closes]  # what stands between two arrays is in none
    named = [stand.wanted, *(data[at : at + 1] == b"[" and _key(data, at) in keys for at in marks.tolist())]
    wanted = np.array(named, bool)[np.searchsorted(marks, places)]
    inner = wanted & (earlier == outer + 2)
    starts = places[inner & (chars == ord("{"))]
    stops = places[wanted & (chars == ord("}")) & (earlier == outer + 3)] + 1
    deep = depths[-1] > outer + 2
    begin = places[(steps == 1) & (earlier == outer + 2)][-1] if deep else places[-1] + 1  # of what is unfinished
    last = outer + 2 if deep else int(depths[-1])
    after = _Stand(depth=last, wanted=named[-1] and last > outer + 1)
    return list(zip(starts.tolist(), stops.tolist(), strict=False)), int(begin), after


def _key(data: bytes, at: int) -> bytes:
    found = _KEY.search(data[max(at - _KEY_REACH, 0) : at])
    return found[1] if found else b""


def _resumed(data: bytes, first: int, *, ended: bool) -> tuple[list[tuple[int, int]], int]:
    """Spans of what may be records from `first`, where one begins that does not end, and where to go on.

    A lost quote or bracket must not take all records behind it along. Those of one log begin alike, so the next
    begins where the first key of this one stands again. Whether a span is JSON is seen when it is decoded.
    """
    opening = _FIRST_KEY.match(data, first)
    if opening is None:
        return [], len(data)
    starts = [first + found.start() for found in re.finditer(re.escape(opening[0]), data[first:])]
    spans = [(start, _end_of_record(data, start, stop)) for start, stop in pairwise(starts)]
    if not ended:
        return spans, starts[-1] if spans else len(data)
    whole, _, _ = _spans(data[starts[-1] :], _Stand(depth=2, wanted=True), 0, frozenset())
    return spans + [(starts[-1] + start, starts[-1] + stop) for start, stop in whole[:1]], len(data)


def _end_of_record(data: bytes, start: int, stop: int) -> int:
    """Where a record ends, before whose end another begins at `stop`: in the same array, or in the next one."""
    piece = data[max(start, stop - _KEY_REACH) : stop]
    closing = None if piece.rstrip().endswith(b"},") else _LAST_IN_ARRAY.search(piece)
    return stop - len(piece) + closing.start() + 1 if closing else data.rfind(b"}", start, stop) + 1 or stop
