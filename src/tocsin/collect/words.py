"""Lines and a place in each in, the words from there on out, one after another, in all lines at once."""

from __future__ import annotations

import numpy as np

from tocsin.collect.lines import Lines, Mask, Spans
from tocsin.collect.marks import Marks, holds
from tocsin.model.event import Longs


class Words:
    """A place in each line that moves on from word to word; single spaces separate them.

    Args:
        good: in which lines a word stood wherever one was asked for.
    """

    __slots__ = ("_block", "_number", "_spaces", "at", "good")

    def __init__(self, block: Lines, at: Longs) -> None:
        self._block, self._spaces = block, Marks(block, " ")
        self._number = self._spaces.before(at)
        self.at = at
        self.good: Mask = at < block.stops

    def take(self, where: Mask | None = None) -> Spans:
        """The next word; only of some lines, where it is said of which. Others stay where they are."""
        if where is not None and not where.any():
            return Spans(np.full(len(where), -1, np.int64), np.full(len(where), -1, np.int64))
        end = self.end()
        stands = (self.at < end) & (end <= self._block.stops)
        if where is None or where.all():
            self.good &= stands
            spans = Spans(self.at, end)
            self.at = end + 1
            self._number = self._number + 1
            return spans
        self.good &= ~where | stands
        spans = Spans(np.where(where, self.at, -1), np.where(where, end, -1))
        self.at = np.where(where, end + 1, self.at)
        self._number = self._number + where
        return spans

    def end(self) -> Longs:
        """Where the next word ends."""
        return np.where(self._number < self._spaces.count, self._spaces.at(self._number), self._block.stops)

    def begin(self, text: str) -> Mask:
        """Whether a text stands at the place; it holds no end of a line."""
        return holds(self._block, self.at, text) & (self.at < self._block.stops)

    def ended(self) -> Mask:
        """Whether no word is left."""
        return self.at > self._block.stops


def without(block: Lines, spans: Spans, mark: str) -> tuple[Mask, Spans]:
    """Whether words end in a mark, and the words without it; those that do not are left as they are."""
    marked: Mask = (spans.stops - spans.starts > len(mark)) & holds(block, spans.stops - len(mark), mark)
    return marked, Spans(spans.starts, spans.stops - len(mark) * marked)


def parted(spans: Spans, marks: Marks) -> tuple[Mask, Spans, Spans]:
    """Whether one of the marks, and no more, stands inside a word, and what stands before and behind it."""
    first = marks.before(spans.starts)
    place = marks.at(first)
    good: Mask = (marks.before(spans.stops) - first == 1) & (place > spans.starts) & (place + 1 < spans.stops)
    return good, Spans(spans.starts, place), Spans(place + 1, spans.stops)


class Padded:
    """The words of lines in which any number of spaces stands between two.

    Args:
        plain: whether the block holds no control characters but ends of lines: these would pass for spaces.
    """

    __slots__ = ("_block", "_first", "_starts", "_stops", "count", "plain")

    def __init__(self, block: Lines) -> None:
        gap = block.octets <= ord(" ")
        controls = (block.octets < ord(" ")) & (block.octets != ord("\n")) & (block.octets != ord("\r"))
        self.plain = not controls.any()
        edge = np.flatnonzero(gap[1:] != gap[:-1]) + 1
        edge = edge if gap[0] else np.append(0, edge)
        edge = edge if gap[-1] else np.append(edge, len(gap))
        self._block = block
        self._starts, self._stops = edge[0::2].copy(), edge[1::2].copy()
        self._first = np.searchsorted(self._starts, block.starts)
        self.count: Longs = np.searchsorted(self._starts, block.stops) - self._first

    def before(self, places: Longs) -> Longs:
        """How many words of each line begin before a place in it."""
        return np.searchsorted(self._starts, places) - self._first

    def at(self, number: Longs) -> Spans:
        """The word of this number; anything where the line has fewer."""
        if not len(self._starts):
            return Spans(self._block.starts, self._block.starts)
        place = self._first + number
        return Spans(self._starts.take(place, mode="clip"), self._stops.take(place, mode="clip"))
