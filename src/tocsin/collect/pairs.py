"""Lines of `key=value` in, where each value stands and what it is called out; for all lines of a block at once.

A device writes few layouts: the same keys in the same order, line after line. So keys are compared as numbers, lines
with the same keys are told by one sum, and only one line of each layout is ever looked at as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from tocsin.collect.lines import Keyed, Lines, Mask, Spans, Told
from tocsin.collect.marks import chosen
from tocsin.model.event import Longs

_KEY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-[]"
_LONGEST_KEY: Final = 64
_WORDS: Final = 4  # of eight bytes: longer keys are left to the slow way
_MOST_LAYOUTS: Final = 4_096
_MOST_PAIRS: Final = 1_024  # of a line
_MOST_SPACES: Final = 8  # behind a value
_BELOW: Final = np.array([0] + [(1 << 8 * n) - 1 for n in range(1, 9)], np.uint64)  # masks of so many bytes
_FACTORS: Final = np.random.default_rng(1).integers(1, 2**63, _MOST_PAIRS + _WORDS, np.uint64) | np.uint64(1)

# What the values of a layout's keys are called, for each key one name or more; None: read such lines one by one.
NamesOf: TypeAlias = Callable[[tuple[str, ...]], tuple[tuple[str, ...], ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How pairs are written.

    Args:
        between: the byte between two pairs. What looks like a pair is one where its key begins behind that byte.
        quoted: whether values may stand in quotes, with a backslash before a quote that belongs to them.
    """

    between: str = " "
    quoted: bool = False
    table: bytes = field(init=False)
    _key: re.Pattern[str] = field(init=False)
    _closing: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        known = _KEY_LETTERS.replace(self.between, "").encode()
        object.__setattr__(self, "table", bytes(code not in known for code in range(256)))
        letters = f"[{re.escape(known.decode())}]"
        key = f"({letters}{{1,{_LONGEST_KEY}}}+)="
        object.__setattr__(self, "_key", re.compile(f"(?:^|(?<={re.escape(self.between)})){key}"))
        # a quote inside a value need not be escaped: what ends the value is the one behind which a pair begins
        object.__setattr__(self, "_closing", re.compile(f'"(?={re.escape(self.between)} *{key}| *$)'))

    def pairs(self, text: str) -> Iterator[tuple[str, str]]:
        """Key and value of each pair of a line, one by one."""
        found = self._key.search(text)
        while found:
            at = found.end()
            closing = self._closing.search(text, at + 1) if self.quoted and text.startswith('"', at) else None
            following = self._key.search(text, closing.end() if closing else at)
            if closing:
                value = text[at + 1 : closing.start()].replace('\\"', '"')
            else:
                value = text[at : following.start() - 1 if following else len(text)].rstrip(" ")
            yield found[1], value
            found = following


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Under which names the values of keys are given.

    Args:
        more: of a key, besides its own, unless the line has keys called so or an earlier key took the name.
        told: fields made from the value of a key, unless the line has a key called so.
        set_apart: names that the format gives to what is no pair.
    """

    more: Mapping[str, tuple[str, ...]]
    told: Mapping[str, tuple[str, Callable[[str], str | None]]]
    set_apart: frozenset[str] = frozenset()
    _known: dict[tuple[str, ...], tuple[tuple[str, ...], ...] | None] = field(default_factory=dict, init=False)

    def of(self, keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...] | None:
        """The names for each key; None for what must be read one by one."""
        if keys not in self._known:
            if len(self._known) >= _MOST_LAYOUTS:
                self._known.clear()
            self._known[keys] = self._named(keys)
        return self._known[keys]

    def _named(self, keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...] | None:
        taken = set(keys)
        if len(taken) < len(keys) or taken & self.told.keys() or taken & self.set_apart:
            return None
        named = []
        for key in keys:
            fresh = tuple(name for name in self.more.get(key, ()) if name not in taken)
            taken.update(fresh)
            named.append((key, *fresh))
        return tuple(named)

    def values(self, pairs: Iterable[tuple[str, str]]) -> dict[str, str | tuple[str, ...] | None]:
        """The fields of one line; a key that it has several times gives a list."""
        found: dict[str, list[str]] = {}
        for key, value in pairs:
            found.setdefault(key, []).append(value)
        values: dict[str, str | tuple[str, ...] | None]
        values = {key: some[0] if len(some) == 1 else tuple(some) for key, some in found.items()}
        for key in found:
            for name in self.more.get(key, ()):
                values.setdefault(name, values[key])
        for name, (key, tell) in self.told.items():
            if key in found and name not in values and (text := tell(found[key][0])) is not None:
                values[name] = text
        return values

    def fields(
        self, found: Found, usual: Mask, meant: Callable[[str], str] | None = None
    ) -> dict[str, Spans | Told | str]:
        """What is told of the values of usual lines, for `Split.fields`; `meant` undoes escapes in them."""
        spans = {key: chosen(usual, found.of(key)) for key in {key for key, _ in self.told.values()}}
        return {
            name: Told(spans[key], (lambda text, tell=tell: tell(meant(text))) if meant else tell)  # type: ignore[misc]
            for name, (key, tell) in self.told.items()
        }


class Found(NamedTuple):
    """The pairs of a block's lines, in order. `usual` marks the lines whose pairs were all understood.

    Args:
        begins: where the first pair of each line begins.
        line: of each pair, as a number in the block.
        name: of each pair, as a number in `names`.
    """

    usual: Mask
    begins: Longs
    line: Longs
    name: Longs
    values: Spans
    names: tuple[tuple[str, ...], ...]

    def of(self, name: str) -> Spans:
        """Where the values of one name stand in each line, -1 where they do not."""
        starts, stops = np.full(len(self.usual), -1, np.int64), np.full(len(self.usual), -1, np.int64)
        for number, names in enumerate(self.names):
            if name in names:
                chosen = np.flatnonzero(self.name == number)
                starts[self.line[chosen]] = self.values.starts[chosen]
                stops[self.line[chosen]] = self.values.stops[chosen]
        return Spans(starts, stops)

    def keyed(
        self,
        usual: Mask,
        projection: frozenset[str] | None,
        escapes: Longs | None = None,
        meant: Callable[[str], str] | None = None,
    ) -> Keyed:
        """The values that somebody wants, of usual lines; `meant` undoes escapes that stand at these places."""
        names = [tuple(n for n in names if projection is None or n in projection) for names in self.names]
        keep = usual[self.line]
        if not all(names):
            keep &= np.array([bool(one) for one in names], bool)[self.name]
        line, name, values = self.line, self.name, self.values
        if not keep.all():
            line, name, values = line[keep], name[keep], Spans(values.starts[keep], values.stops[keep])
        written = None
        if meant and escapes is not None and len(escapes):
            held = np.searchsorted(escapes, values.starts) < np.searchsorted(escapes, values.stops)
            written = np.flatnonzero(held), meant
        return Keyed(names, name, line, values, written)


class _Marks(NamedTuple):
    """Where pairs begin: their keys, their equals signs, their lines and their numbers in these."""

    keys: Longs
    equals: Longs
    line: Longs
    first: Longs  # of each line, and their number at the end
    order: Longs  # of each in its line


def find(block: Lines, starts: Longs, style: Style, names_of: NamesOf) -> Found:
    """The pairs that stand in each line from `starts` on."""
    octets: Any = np.frombuffer(block.data + bytes(8 * _WORDS), np.uint8)
    usual: Mask = np.ones(len(block), bool)
    marks = _marks(block, octets, starts, style)
    keys, equals, line, first = marks.keys, marks.equals, marks.line, marks.first
    counts = np.diff(first)
    usual &= (counts > 0) & (counts <= _MOST_PAIRS)
    name, names = _named(block, octets, marks, usual, names_of)

    stops = np.append(keys[1:] - 1, 0)
    filled = counts > 0
    stops[first[1:][filled] - 1] = block.stops[filled]
    begins = equals + 1
    last = octets[stops - 1]
    for _ in range(_MOST_SPACES):
        blank = (last == ord(" ")) & (stops > begins)
        if not blank.any():
            break
        stops = stops - blank
        last = octets[stops - 1]
    usual[line[(last == ord(" ")) & (stops > begins)]] = False
    if style.quoted:
        quoted = octets[begins] == ord('"')
        usual[line[quoted & ((last != ord('"')) | (stops - begins < 2))]] = False
        begins, stops = begins + quoted, stops - quoted
        if b"\\" in block.data:
            escaped = np.flatnonzero((octets[:-1] == ord("\\")) & (octets[1:] == ord('"')))
            usual[_lines_of(block.starts, escaped)] = False
    begun = np.append(keys, 0)[first[:-1]]
    if not usual.all():
        keep = usual[line]
        line, name, begins, stops = line[keep], name[keep], begins[keep], stops[keep]
    return Found(usual, begun, line, name, Spans(begins, stops), names)


def _marks(block: Lines, octets: Any, starts: Longs, style: Style) -> _Marks:
    """Where pairs begin."""
    places = np.flatnonzero(np.frombuffer(block.data.translate(style.table), np.bool_))
    kinds = octets[places]
    ordinals = np.flatnonzero(kinds == ord("="))
    equals = places[ordinals]
    skipped = int(np.searchsorted(equals, starts[0]))
    if skipped:
        ordinals, equals = ordinals[skipped:], equals[skipped:]
    keys = places[ordinals - 1] + 1
    good = kinds[ordinals - 1] == ord(style.between)
    if len(ordinals) and not ordinals[0]:
        keys[0], good[0] = 0, False
    good &= keys < equals
    firsts = np.searchsorted(equals, starts)
    counts = np.diff(firsts, append=len(equals))
    line = np.repeat(np.arange(len(starts)), counts)
    first, begun = firsts[counts > 0], starts[counts > 0]
    good[first] = ((keys[first] == begun) | (good[first] & (keys[first] > begun))) & (keys[first] < equals[first])
    if (starts != block.starts).any():  # there may be equals signs before the pairs of the next line
        good &= equals < block.stops[line]
    if not good.all():
        keys, equals, line = keys[good], equals[good], line[good]
        counts = np.bincount(line, minlength=len(starts))
    first = np.append(0, np.cumsum(counts))
    return _Marks(keys, equals, line, first, np.arange(len(line)) - np.repeat(first[:-1], counts))


def _lines_of(starts: Longs, places: Longs) -> Longs:
    """The line in which each place stands, the first where it stands before all."""
    return np.maximum(np.searchsorted(starts, places, side="right") - 1, 0)


def _named(
    block: Lines, octets: Any, marks: _Marks, usual: Mask, names_of: NamesOf
) -> tuple[Longs, tuple[tuple[str, ...], ...]]:
    """The number of each pair's name, and the names; lines that are not understood are taken from `usual`."""
    number = np.zeros(len(marks.line), np.int64)
    if not usual.any():
        return number, ()
    parts = _words(octets, marks, usual)
    total = sum((part * _FACTORS[_MOST_PAIRS + at] for at, part in enumerate(parts)), np.uint64(0))
    total = (total ^ (total >> np.uint64(29))) * _FACTORS[np.minimum(marks.order, _MOST_PAIRS - 1)]
    sums = np.append(0, np.cumsum(total, dtype=np.uint64))

    lines = np.flatnonzero(usual)
    counts = np.diff(marks.first)
    of_line = sums[marks.first[lines + 1]] - sums[marks.first[lines]]
    _, models, layout = np.unique(of_line, return_index=True, return_inverse=True)
    model = np.zeros(len(usual), np.int64)  # of each line: a line that seems to have its layout
    model[lines] = lines[models[layout]]
    same = usual & (counts == counts[model])
    shift = np.where(same, marks.first[model] - marks.first[:-1], 0)
    twin = np.arange(len(marks.line)) + np.repeat(shift, counts)
    for part in parts:
        same[marks.line[part[twin] != part]] = False
    usual &= same

    known: dict[tuple[str, ...], int] = {}
    for kind, at in enumerate(lines[models].tolist()):
        first, last = int(marks.first[at]), int(marks.first[at + 1])
        spans = zip(marks.keys[first:last].tolist(), marks.equals[first:last].tolist(), strict=True)
        names = names_of(tuple(block.data[start:stop].decode("ascii", "replace") for start, stop in spans))
        if names is None:
            usual[lines[layout == kind]] = False
        else:
            number[first:last] = [known.setdefault(name, len(known)) for name in names]
    return number[twin], tuple(known)


def _words(octets: Any, marks: _Marks, usual: Mask) -> list[Any]:
    """The keys as numbers of eight bytes each; lines with longer keys are taken from `usual`."""
    sizes = marks.equals - marks.keys
    words = np.ndarray((len(octets) - 7,), "<u8", octets.data, strides=(1,))
    parts = [words[marks.keys] & _BELOW[np.minimum(sizes, 8)]]
    longer = np.flatnonzero(sizes > 8)
    for word in range(1, _WORDS):
        if not len(longer):
            return parts
        part = np.zeros(len(sizes), np.uint64)
        left = sizes[longer] - 8 * word
        part[longer] = words[marks.keys[longer] + 8 * word] & _BELOW[np.minimum(left, 8)]
        parts.append(part)
        longer = longer[left > 8]
    usual[marks.line[longer]] = False
    return parts
