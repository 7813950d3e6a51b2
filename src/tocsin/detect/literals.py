"""The distinct values of one field in, which of them each literal pattern holds out: one pass for all literals.

Values are joined with a byte that UTF-8 never has, and anchors are part of a pattern: with `|` for that
byte, equals is `|v|`, startswith `|v`, endswith `v|`. So text in a log, NUL included, cannot fake an anchor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick, Implementation

from tocsin.model.event import Column
from tocsin.model.rule import Pattern

_ANCHOR = b"\xff"
_NOTHING = "\udcfe"  # written as a byte that no pattern has
_PASS_BYTES = 8 << 20
_WINDOW_BYTES = 512 << 10  # bounds the memory of matches: each takes some 150 bytes until it is an array
_DFA_BYTES = 32 << 10  # a DFA searches up to ten times as fast, but takes 1 KiB for each byte of its patterns
_FIRST_VALUE = 2

Values = npt.NDArray[np.int64]


def is_literal(pattern: Pattern) -> bool:
    """Whether the pass over literals decides this pattern, or at least narrows it down (wildcards)."""
    return pattern.kind in ("equals", "contains", "startswith", "endswith", "wildcard") and bool(_needle(pattern))


def _needle(pattern: Pattern) -> bytes:
    text = pattern.text.encode("utf-8", "replace")
    match pattern.kind:
        case "equals":
            return _ANCHOR + text + _ANCHOR
        case "startswith":
            return _ANCHOR + text if text else b""
        case "endswith":
            return text + _ANCHOR if text else b""
        case "wildcard":
            return max(glob_literals(pattern.text), key=len, default="").encode("utf-8", "replace")
        case _:
            return text


def glob_literals(text: str) -> list[str]:
    """The stretches of a wildcard pattern that stand for themselves; a backslash escapes the next character."""
    found, current, at = [], "", 0
    while at < len(text):
        if text[at] in "*?":
            found.append(current)
            current = ""
        else:
            at += text[at] == "\\"
            current += text[at : at + 1]
        at += 1
    return [literal for literal in (*found, current) if literal]


class Literals:
    """All literal patterns of one field and one way of folding case."""

    def __init__(self, patterns: Mapping[int, Pattern], *, cased: bool) -> None:
        self._cased = cased
        needles: dict[bytes, list[int]] = {}
        for number, pattern in patterns.items():
            needles.setdefault(_needle(pattern), []).append(number)
        texts = list(needles)
        self._longest = max(map(len, texts))
        small = sum(map(len, texts)) <= _DFA_BYTES
        self._automaton = BytesAhoCorasick(
            texts, implementation=Implementation.DFA if small else Implementation.ContiguousNFA
        )
        # A match that begins with the anchor belongs to the value behind it.
        self._shift = np.array([needle.startswith(_ANCHOR) for needle in texts], np.int64)
        self._numbers = [np.array(numbers, np.int64) for numbers in needles.values()]

    def find(self, column: Column) -> dict[int, Values]:
        """Pattern number -> sorted codes of the values that hold it; patterns that none holds are left out."""
        texts, owners = _texts(column)
        pairs = [self._scan(texts[at:stop], owners[at:stop]) for at, stop in _passes(texts)]
        if not pairs:
            return {}
        found = np.unique(np.concatenate(pairs))
        needles, codes = found >> 32, found & 0xFFFFFFFF
        bounds = np.flatnonzero(np.diff(needles, prepend=-1, append=-1))
        result: dict[int, Values] = {}
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            for number in self._numbers[needles[start]].tolist():
                result[number] = codes[start:stop]
        return result

    def _scan(self, texts: Sequence[str], owners: Values) -> Values:
        """(needle << 32 | code) of each match."""
        if self._cased:
            haystack = _ANCHOR.join((b"", *map(_utf8, texts), b""))
        else:  # bytes fold ASCII ten times as fast as text folds anything, and most text is ASCII
            folded = [text.encode() if text.isascii() else _utf8(text.lower()) for text in texts]
            haystack = _ANCHOR.join((b"", *folded, b"")).lower()
        anchors = np.flatnonzero(np.frombuffer(haystack, np.uint8) == _ANCHOR[0])
        pairs = [
            self._scan_window(haystack, start, anchors, owners) for start in range(0, len(haystack), _WINDOW_BYTES)
        ]
        return np.concatenate(pairs)

    def _scan_window(self, haystack: bytes, start: int, anchors: Values, owners: Values) -> Values:
        """The matches that begin in one window: text can be made so that every byte begins some."""
        window = haystack[start : start + _WINDOW_BYTES + self._longest]
        matches = self._automaton.find_matches_as_indexes(window, overlapping=True)
        flat = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches)).reshape(-1, 3)
        value = np.searchsorted(anchors, start + flat[:, 1] + self._shift[flat[:, 0]], "left") - 1
        return np.unique((flat[:, 0] << 32) | owners[value])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _texts(column: Column) -> tuple[list[str], Values]:
    """The texts to search and the code each belongs to: a list in a record gives its elements."""
    values: list[str] = column.values[_FIRST_VALUE:]  # type: ignore[assignment]  # only the first two are None
    owners = np.arange(_FIRST_VALUE, len(column.values), dtype=np.int64)
    if not column.lists:
        return values, owners
    values = list(values)
    extra: list[int] = []
    for code, elements in column.lists.items():
        values[code - _FIRST_VALUE] = _NOTHING
        values += elements
        extra += [code] * len(elements)
    return values, np.concatenate((owners, np.array(extra, np.int64)))


def _passes(texts: Sequence[str]) -> Iterable[tuple[int, int]]:
    """Ranges of texts that are searched together."""
    if not texts:
        return
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    start = 0
    while start < len(texts):
        before: Any = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + _PASS_BYTES, "right")), start + 1)
        yield start, stop
        start = stop
