"""A block of lines and the bytes that separate their fields in, where fields stand in all lines at once out."""

from __future__ import annotations

from copy import copy
from typing import Final

import numpy as np

from tocsin.collect.lines import Bytes, Lines, Mask, Spans
from tocsin.model.event import Longs

_LONGEST_NUMBER: Final = 18  # digits


class Marks:
    """Where certain bytes stand in a block, counted in each line from 0.

    Args:
        outside: a quote; bytes behind an odd number of these in their line are no marks.
        count: how many of them each line has.
    """

    __slots__ = ("count", "first", "places")

    def __init__(self, block: Lines, letters: str, outside: str = "") -> None:
        sought = f"{letters} {outside}"
        if sought not in block.found:
            block.found[sought] = _marks(block, letters, outside)
        self.places, self.first, self.count = block.found[sought]

    def of_lines(self, rows: Longs) -> Marks:
        """The marks of some lines, counted in these."""
        some = copy(self)
        some.first, some.count = self.first[rows], self.count[rows]
        return some

    def at(self, index: int | Longs) -> Longs:
        """Where the mark of this number stands; anything where the line has fewer."""
        if not len(self.places):
            return np.zeros(len(self.first), np.int64)
        return self.places.take(self.first + index, mode="clip")

    def before(self, places: Longs) -> Longs:
        """How many marks stand in each line before a place in it."""
        return np.searchsorted(self.places, places) - self.first


def _marks(block: Lines, letters: str, outside: str) -> tuple[Longs, Longs, Longs]:
    """Where the bytes stand, which is the first of each line, and how many each has."""
    found = block.octets == ord(letters[0])
    for letter in letters[1:]:
        found |= block.octets == ord(letter)
    places: Longs = np.flatnonzero(found)
    if outside and outside.encode() in block.data:
        places = _unquoted(block, places, block.octets == ord(outside))
    first = np.searchsorted(places, block.starts)
    stops = np.append(first[1:], np.searchsorted(places, block.stops[-1:]))
    return places, first, stops - first


def _unquoted(block: Lines, places: Longs, quotes: Mask) -> Longs:
    """Places with an even number of quotes between the beginning of their line and them."""
    parity = np.cumsum(quotes, dtype=np.uint8) & 1  # it wraps round at an even number
    before = parity.take(np.maximum(block.starts - 1, 0), mode="clip") * (block.starts > 0)
    first = np.searchsorted(places, block.starts)
    lone = places[: first[0]] if len(first) else places  # what stands before the first line is in none
    each = np.repeat(before, np.diff(np.append(first, len(places))))
    kept: Longs = places[len(lone) :][parity[places[len(lone) :]] == each]
    return kept


def byte(block: Lines, places: Longs) -> Bytes:
    """The bytes at places; some other byte where a place is outside the block."""
    return block.octets.take(places, mode="clip")


def holds(block: Lines, places: Longs, text: str) -> Mask:
    """Whether a text begins at each place."""
    found: Mask = np.ones(len(places), bool)
    for at, letter in enumerate(text):
        found &= byte(block, places + at) == ord(letter)
    return found


def is_number(block: Lines, starts: Longs, stops: Longs) -> Mask:
    """Whether nothing but digits stands at each span, one at least."""
    sizes = stops - starts
    good: Mask = (sizes > 0) & (sizes <= _LONGEST_NUMBER)
    longest = int(sizes[good].max()) if good.any() else 0
    for at in range(longest):
        digit = byte(block, starts + np.minimum(at, sizes - 1)) - ord("0")
        good &= digit <= 9
    return good


def is_dash(block: Lines, starts: Longs, stops: Longs) -> Mask:
    """Whether a single `-` stands at each span."""
    dash: Mask = (stops - starts == 1) & (byte(block, starts) == ord("-"))
    return dash


def unless(absent: Mask, starts: Longs, stops: Longs) -> Spans:
    """Spans without those that are absent."""
    return Spans(np.where(absent, -1, starts), np.where(absent, -1, stops)) if absent.any() else Spans(starts, stops)


def chosen(usual: Mask, spans: Spans) -> Spans:
    """The spans of usual lines."""
    return spans if usual.all() else Spans(spans.starts[usual], spans.stops[usual])
