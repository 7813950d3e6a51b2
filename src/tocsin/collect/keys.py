"""Lines of `key=value` in, where each key stands and what its value is called out; for all lines of a block at once.

A device writes few layouts: the same keys in the same order, line after line. So the keys of one line are laid over
all lines that have as many equals signs; where they fit, nothing else is asked. In other lines each key is sought from
its equals sign backwards, and lines with the same keys are told by one sum. Keys are compared as numbers of eight
bytes: only one line of each layout is ever looked at as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from tocsin.collect.eights import WORDS, Eights, cut
from tocsin.collect.lines import Lines, Mask
from tocsin.model.event import Longs

_LONGEST_KEY: Final = 8 * WORDS - 1  # one byte is for what stands before it
_MOST_PAIRS: Final = 1_024  # of a line
_MOST_LAID: Final = 16  # lines of a block that are laid over others
_MOST_MISFITS: Final = 3  # of these may fit less than a quarter of the lines
_FEW: Final = 16  # lines that are not worth it
_FACTORS: Final = np.random.default_rng(1).integers(1, 2**63, _MOST_PAIRS + WORDS, np.uint64) | np.uint64(1)

# What the values of a layout's keys are called, for each key one name or more; None: read such lines one by one.
NamesOf: TypeAlias = Callable[[tuple[str, ...]], tuple[tuple[str, ...], ...] | None]


class Keys(NamedTuple):
    """The keys of a block's lines, in order. `usual` marks the lines whose keys were all understood.

    Args:
        line: of each key, as a number in the block.
        first: of each line, the number of its first key; and at the end the number of all.
        name: of each key, as a number in `names`; anything in lines that are not usual.
    """

    usual: Mask
    begins: Longs
    equals: Longs
    line: Longs
    first: Longs
    name: Longs
    names: tuple[tuple[str, ...], ...]


def find(block: Lines, starts: Longs, between: str, letters: Mask, names_of: NamesOf) -> Keys:
    """The keys in each line from `starts` on.

    Args:
        between: the byte that stands before each key, but for one at the beginning.
        letters: of each byte, whether keys are made of it.
    """
    equals = np.flatnonzero(block.octets == ord("="))
    ahead = np.searchsorted(equals, starts)
    counts = np.maximum(np.searchsorted(equals, block.stops) - ahead, 0)
    first = np.append(0, np.cumsum(counts))
    if first[-1] < len(equals):
        equals = equals[np.arange(first[-1]) + np.repeat(ahead - first[:-1], counts)]
    sought = _Sought(
        block.eights, starts, ord(between), letters, equals, np.repeat(np.arange(len(block)), counts), first
    )
    usual: Mask = (counts > 0) & (counts <= _MOST_PAIRS)
    begins, name = np.full(len(equals), -1, np.int64), np.zeros(len(equals), np.int64)
    told = _Told(names_of, {}, usual, begins, name)
    left = usual.copy()
    _lay(sought, left, told)
    if left.any():
        _seek(sought, left, told)
    line = sought.line
    there = begins >= 0
    if not there.all():
        begins, equals, line, name = begins[there], equals[there], line[there], name[there]
        first = np.append(0, np.cumsum(np.bincount(line, minlength=len(block))))
    usual &= np.diff(first) > 0
    return Keys(usual, begins, equals, line, first, name, tuple(told.known))


class _Sought(NamedTuple):
    """What may be keys: the equals signs of lines, and which of them are those of a line."""

    eights: Eights
    starts: Longs
    between: int
    letters: Mask
    equals: Longs
    line: Longs
    first: Longs

    def begins(self, numbers: Longs) -> tuple[Longs, Mask]:
        """Where the keys before some equals signs begin, -1 where none stands; and which are too long."""
        begins = self.equals[numbers]
        going = np.arange(len(numbers))
        for _ in range(_LONGEST_KEY + 1):
            going = going[self.letters[self.eights.octets[begins[going] - 1]]]
            if not len(going):
                break
            begins[going] -= 1
        long = np.zeros(len(numbers), bool)
        long[going] = True
        line = self.line[numbers]
        leads = (numbers == self.first[line]) & (begins == self.starts[line])
        follows = (self.eights.octets[begins - 1] == self.between) & (begins > self.starts[line])
        good = (leads | follows) & (begins < self.equals[numbers])
        return np.where(good | long, begins, -1), long


class _Told(NamedTuple):
    """What is told of each equals sign: where its key begins and the number of its name; and of which lines."""

    names_of: NamesOf
    known: dict[tuple[str, ...], int]
    usual: Mask
    begins: Longs
    name: Longs

    def numbers(self, text: bytes, begins: Longs, equals: Longs) -> list[int] | None:
        """The numbers of the names that one line's keys have; None if it must be read one by one."""
        spans = zip(begins.tolist(), equals.tolist(), strict=True)
        names = self.names_of(tuple(text[start:stop].decode("ascii", "replace") for start, stop in spans))
        return None if names is None else [self.known.setdefault(one, len(self.known)) for one in names]


def _lay(sought: _Sought, left: Mask, told: _Told) -> None:
    """Lay the keys of one line after the other over all that are left and may have the same; take these from `left`."""
    counts = np.diff(sought.first)
    misfits, tried = 0, np.zeros(len(left), bool)
    for _ in range(_MOST_LAID):
        rows = np.flatnonzero(left & ~tried)
        if len(rows) < _FEW or misfits > _MOST_MISFITS:
            return
        count = int(np.bincount(counts[rows]).argmax())
        rows = rows[counts[rows] == count]
        if len(rows) < _FEW:
            return
        tried[rows[0]] = True
        each = np.arange(count)
        begun, long = sought.begins(sought.first[rows[0]] + each)
        fit = np.zeros(len(rows), bool)
        if (begun >= 0).all() and not long.any():
            numbers = sought.first[rows].reshape(-1, 1) + each
            equals, sizes = sought.equals[numbers], sought.equals[numbers[0]] - begun
            fit = _fits(sought, rows, equals, sizes)
            rows, numbers, equals = rows[fit], numbers[fit], equals[fit]
            left[rows] = False
            names = told.numbers(sought.eights.data, begun, equals[0])
            if names is None:
                told.usual[rows] = False
            else:
                told.begins[numbers], told.name[numbers] = equals - sizes, names
        misfits += 4 * fit.sum() < len(fit)


def _fits(sought: _Sought, rows: Longs, equals: Longs, sizes: Longs) -> Mask:
    """In which lines keys stand as in the first of them: before all their equals signs, and behind what is between."""
    begun = equals[:, 0] - sizes[0]
    leads = begun[0] == sought.starts[rows[0]]
    fit: Mask = (begun == sought.starts[rows]) if leads else (begun > sought.starts[rows])
    wanted = sizes + 1
    wanted[0] -= leads
    for word in range(WORDS):
        taken = np.clip(wanted - 8 * word, 0, 8)
        columns = np.flatnonzero(taken)
        if not len(columns):
            break
        places = equals if len(columns) == len(sizes) else equals[:, columns]
        held = sought.eights.before(places, word) >> (8 * (8 - taken[columns])).astype(np.uint64)
        fit &= (held == held[0]).all(axis=1)
    return fit


def _seek(sought: _Sought, left: Mask, told: _Told) -> None:
    """Look for the keys of the lines that are left; those that are not understood are taken from `usual`."""
    numbers = np.flatnonzero(left[sought.line])
    begun, long = sought.begins(numbers)
    left[sought.line[numbers[long]]] = False
    there = begun >= 0
    numbers, begun = numbers[there], begun[there]
    line, equals = sought.line[numbers], sought.equals[numbers]
    counts = np.bincount(line, minlength=len(left))
    first = np.append(0, np.cumsum(counts))
    lines = np.flatnonzero(left & (counts > 0))
    told.usual[left | (counts > 0)] = False
    told.begins[numbers] = begun
    if not len(lines):
        return
    parts = _words(sought.eights, begun, equals - begun)
    total = sum((part * _FACTORS[_MOST_PAIRS + at] for at, part in enumerate(parts)), np.uint64(0))
    order = np.arange(len(line)) - np.repeat(first[:-1], counts)
    total = (total ^ (total >> np.uint64(29))) * _FACTORS[np.minimum(order, _MOST_PAIRS - 1)]
    sums = np.append(0, np.cumsum(total, dtype=np.uint64))
    _, models, layout = np.unique(sums[first[lines + 1]] - sums[first[lines]], return_index=True, return_inverse=True)
    model = np.zeros(len(left), np.int64)  # of each line: a line that seems to have its layout
    model[lines] = lines[models[layout]]
    same: Mask = np.zeros(len(left), bool)
    same[lines] = counts[lines] == counts[model[lines]]
    twin = np.arange(len(line)) + np.repeat(np.where(same, first[model] - first[:-1], 0), counts)
    for part in parts:
        same[line[part[twin] != part]] = False

    number = np.zeros(len(line), np.int64)
    for kind, at in enumerate(lines[models].tolist()):
        of_line = slice(first[at], first[at + 1])
        names = told.numbers(sought.eights.data, begun[of_line], equals[of_line])
        if names is None:
            same[lines[layout == kind]] = False
        else:
            number[of_line] = names
    told.name[numbers] = number[twin]
    told.usual[:] |= same


def _words(eights: Eights, begins: Longs, sizes: Longs) -> list[Any]:
    """Keys as numbers of eight bytes each."""
    parts = [cut(eights.behind(begins), sizes)]
    longer = np.flatnonzero(sizes > 8)
    for word in range(1, WORDS):
        if not len(longer):
            break
        part = np.zeros(len(sizes), np.uint64)
        rest = sizes[longer] - 8 * word
        part[longer] = cut(eights.behind(begins[longer], word), rest)
        parts.append(part)
        longer = longer[rest > 8]
    return parts
