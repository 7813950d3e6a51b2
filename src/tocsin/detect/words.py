"""Free text in, the observables that stand in it as words out: one pass for all of them.

A word ends where nothing more of its kind can follow: `evil.example` does not stand in `evil.example.org`, nor
`192.0.2.1` in `192.0.2.10`; but it stands in `sub.evil.example`, for a domain's subdomains are its own, and an address
stands in `192.0.2.1:443` and `[2001:db8::1]:443`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick, Implementation

from tocsin.model.indicator import HASHES, Observable, ObservableType

_ANCHOR: Final = 0xFF  # a byte that no UTF-8 has stands between texts
_WINDOW_BYTES: Final = 512 << 10
_PASS_BYTES: Final = 8 << 20
_MOST_WORD: Final = 1024  # bytes; what is longer is looked for in fields of its own

_DIGITS: Final = b"0123456789"
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALNUM: Final = _DIGITS + _LETTERS
_BEYOND: Final = bytes(range(0x80, 0xFF))
_URL: Final = _ALNUM + b"-._~%/?#&=+@:!*$" + _BEYOND

# For each type: what must not stand before a word, and behind it.
_FORBIDDEN: Final[Mapping[ObservableType, tuple[bytes, bytes]]] = {
    "address": (_ALNUM + b"_", _ALNUM + b"_"),
    "domain": (_ALNUM + b"-_" + _BEYOND, _ALNUM + b"-_" + _BEYOND),
    "url": (_ALNUM, _URL),
    "mail": (_ALNUM + b"._+-", _ALNUM + b"-_"),
    "file": (_ALNUM + b"._-" + _BEYOND, _ALNUM + b"_-" + _BEYOND),
    "path": (_ALNUM, _ALNUM + b"_-" + _BEYOND),
    "mutex": (_ALNUM, _ALNUM),
    **dict.fromkeys(HASHES, (_ALNUM, _ALNUM)),
}
TYPES: Final = tuple(_FORBIDDEN)
# A dot behind one of these ends a sentence, unless a letter or a digit follows.
_DOTTED: Final = ("address", "domain", "mail", "file", "path")

Longs = npt.NDArray[np.int64]


def _set(codes: bytes) -> npt.NDArray[np.bool_]:
    mask = np.zeros(256, bool)
    mask[list(codes)] = True
    return mask


_BEFORE: Final = np.array([_set(_FORBIDDEN[kind][0]) for kind in TYPES])
_BEHIND: Final = np.array([_set(_FORBIDDEN[kind][1]) for kind in TYPES])
_DOT_COUNTS: Final = np.array([kind in _DOTTED for kind in TYPES])
_IS_ALNUM: Final = _set(_ALNUM)
_IS_DIGIT: Final = _set(_DIGITS)
_GOES_ON: Final = _set(b"0123456789abcdef:")  # behind a colon: more of an address of IPv6
_ADDRESS: Final = TYPES.index("address")
_OF_URL: Final = TYPES.index("url")


class Words:
    """Observables, ready to be looked for in text."""

    def __init__(self, wanted: Iterable[Observable]) -> None:
        needles: dict[bytes, list[int]] = {}
        self.observables = [one for one in wanted if one.type in _FORBIDDEN]
        for number, one in enumerate(self.observables):
            word = _word(one)
            if 3 < len(word) <= _MOST_WORD:
                needles.setdefault(word, []).append(number)
        self._automaton: BytesAhoCorasick | None = None
        if needles:
            self._automaton = BytesAhoCorasick(list(needles), implementation=Implementation.ContiguousNFA)
        self._longest = max(map(len, needles), default=0)
        # A text may be wanted as two types, with other limits each: a match counts for every one of them.
        self._of_needle = list(needles.values())
        self._starts = np.cumsum([0, *map(len, self._of_needle)])
        self._number = np.array([*chain.from_iterable(self._of_needle)], np.int64)
        self._type = np.array(
            [TYPES.index(self.observables[number].type) for number in self._number.tolist()], np.int64
        )
        self._has_colons = np.array([":" in self.observables[number].value for number in self._number.tolist()], bool)
        self._is_root = np.array(
            [self.observables[number].value.endswith("/") for number in self._number.tolist()], bool
        )

    def __len__(self) -> int:
        return len(self._of_needle)

    def find(self, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Which text, and which of `observables` stands in it.

        Long texts of logs repeat most of their lines, and no word of ours has two: each line is searched once.
        """
        apart = dict.fromkeys(texts)
        for text in [text for text in apart if "\n" in text]:
            del apart[text]
            apart.update(dict.fromkeys(text.split("\n")))
        lines = list(apart)
        held: dict[str, set[int]] = {}
        for which, words in self._find(lines):
            for at, word in zip(which.tolist(), words.tolist(), strict=True):
                held.setdefault(lines[at], set()).add(word)
        for at, text in enumerate(texts) if held else ():
            found: set[int] = set()
            for line in text.split("\n"):
                if line in held:
                    found |= held[line]
            yield from ((at, word) for word in sorted(found))

    def _find(self, texts: Sequence[str]) -> Iterator[tuple[Longs, Longs]]:
        for first, stop in _passes(texts):
            some = texts[first:stop]
            sep = bytes((_ANCHOR,))
            joined = sep.join((b"", *(text.encode("utf-8", "surrogateescape") for text in some), b""))
            bounds = np.flatnonzero(np.frombuffer(joined, np.uint8) == _ANCHOR)
            for place, number in self.find_bytes(joined):
                yield first + np.searchsorted(bounds, place, "left") - 1, number

    def find_bytes(self, content: bytes) -> Iterator[tuple[Longs, Longs]]:
        """The same in one piece of text: where a word begins, and which of `observables` it is."""
        if self._automaton is None:
            return
        folded = content.lower()
        bytes_ = np.frombuffer(b"\xff\xff" + folded + b"\xff\xff", np.uint8)
        for start in range(0, len(folded), _WINDOW_BYTES):
            window = folded[start : start + _WINDOW_BYTES + self._longest]
            matches = self._automaton.find_matches_as_indexes(window, overlapping=True)
            if not matches:
                continue
            flat = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches)).reshape(-1, 3)
            flat = flat[flat[:, 1] < _WINDOW_BYTES]  # what begins later is the next window's
            counts = self._starts[flat[:, 0] + 1] - self._starts[flat[:, 0]]
            which = np.repeat(np.arange(len(flat)), counts)
            inner = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            at = self._starts[flat[which, 0]] + inner
            held = self._stands(bytes_, at, start + flat[which, 1] + 2, start + flat[which, 2] + 2)
            if held.any():
                yield start + flat[which, 1][held], self._number[at[held]]

    def _stands(self, text: npt.NDArray[np.uint8], at: Longs, first: Longs, end: Longs) -> npt.NDArray[np.bool_]:
        """Whether matches are whole words; `first` and `end` are places in a text with two bytes around it."""
        kind = self._type[at]
        before, further = text[first - 1], text[first - 2]
        root = (kind == _OF_URL) & self._is_root[at] & (text[end] == ord("/"))
        end = end + root
        behind, beyond = text[end], text[np.minimum(end + 1, len(text) - 1)]
        held: npt.NDArray[np.bool_] = ~_BEFORE[kind, before] & ~_BEHIND[kind, behind]
        held &= ~(_DOT_COUNTS[kind] & (behind == ord(".")) & _IS_ALNUM[beyond])
        longer = (kind == _ADDRESS) & self._has_colons[at] & (behind == ord(":")) & _GOES_ON[beyond]
        held &= ~longer
        held &= ~((kind == _ADDRESS) & (before == ord(".")) & _IS_DIGIT[further])
        return held


def _word(one: Observable) -> bytes:
    text = one.value.lower()
    if one.type == "url" and text.endswith("/") and text.count("/") == 3:
        text = text[:-1]  # the root of a server may be written without its slash
    return text.encode("utf-8", "replace")


def _passes(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = size = 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= _PASS_BYTES:
            yield start, at + 1
            start, size = at + 1, 0
    if start < len(texts):
        yield start, len(texts)
