"""Lines of `key=value` in, where each value stands and what it is called out; for all lines of a block at once.

Where the keys stand is told in `collect/keys.py`; here is what pairs are, one by one and by columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from tocsin.collect import keys
from tocsin.collect.keys import NamesOf
from tocsin.collect.lines import Keyed, Lines, Mask, Spans, Told, by_name
from tocsin.collect.marks import chosen
from tocsin.model.event import Longs

_KEY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-[]"
_LONGEST_KEY: Final = 64
_MOST_LAYOUTS: Final = 4_096
_MOST_SPACES: Final = 8  # behind a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How pairs are written.

    Args:
        between: the byte between two pairs. What looks like a pair is one where its key begins behind that byte.
        quoted: whether values may stand in quotes, with a backslash before a quote that belongs to them.
    """

    between: str = " "
    quoted: bool = False
    letters: Mask = field(init=False, compare=False)
    _key: re.Pattern[str] = field(init=False)
    _closing: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        known = _KEY_LETTERS.replace(self.between, "").encode()
        object.__setattr__(self, "letters", np.array([code in known for code in range(256)]))
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
        order: the pairs of one name after those of another, from `bounds` on.
    """

    usual: Mask
    begins: Longs
    line: Longs
    name: Longs
    values: Spans
    names: tuple[tuple[str, ...], ...]
    order: Longs
    bounds: Longs

    def of(self, name: str) -> Spans:
        """Where the values of one name stand in each line, -1 where they do not."""
        starts, stops = np.full(len(self.usual), -1, np.int64), np.full(len(self.usual), -1, np.int64)
        for number, names in enumerate(self.names):
            if name in names:
                chosen = self.order[self.bounds[number] : self.bounds[number + 1]]
                line = self.line[chosen]
                starts[line], stops[line] = self.values.starts[chosen], self.values.stops[chosen]
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


def find(block: Lines, starts: Longs, style: Style, names_of: NamesOf) -> Found:
    """The pairs that stand in each line from `starts` on."""
    octets = block.eights.octets
    usual, keyed, equals, line, first, name, names = keys.find(block, starts, style.between, style.letters, names_of)
    stops = np.append(keyed[1:] - 1, 0)
    filled = np.diff(first) > 0
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
    begun = np.append(keyed, 0)[first[:-1]]
    if not usual.all():
        keep = usual[line]
        line, name, begins, stops = line[keep], name[keep], begins[keep], stops[keep]
    return Found(usual, begun, line, name, Spans(begins, stops), names, *by_name(name, len(names)))


def _lines_of(starts: Longs, places: Longs) -> Longs:
    """The line in which each place stands, the first where it stands before all."""
    return np.maximum(np.searchsorted(starts, places, side="right") - 1, 0)
