"""Events and the parts they were written to in, a run of the index out: tokens, where they stand, a census, and words.

What tokens a value has is for whoever asks to say (`Looks`): the lake keeps them, and knows nothing of their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from tocsin.lake import merging
from tocsin.lake.merging import Entries
from tocsin.lake.parts import Part
from tocsin.lake.runs import MOST_ROWS, NO_SECOND, About, Census, Token
from tocsin.lake.vocabulary import Making
from tocsin.model.event import NO_TIME, NULL, Codes, Column, Events, Longs
from tocsin.model.kind import kind_of

RECORD: Final = "(record)"  # the field of what stands in the record as a whole

_KNOWN: Final = 200_000  # values whose tokens are remembered
_LONGEST_KNOWN: Final = 300
_AT_ONCE: Final = 1_000  # texts whose tokens are asked for together
_TEXT: Final = ("text",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What is looked into, and what it holds.

    Args:
        version: of all that follows: what is written under another one is written anew.
        fields: name -> what sorts of things it may hold.
        tokens: of texts in a field of these sorts; many at once cost less.
        records: kinds of logs whose records are looked into as a whole, as free text.
        spoken: kinds of logs -> the field that says a record in words, which is looked into as free text where the
            record has none of the other fields.
    """

    version: str
    fields: Mapping[str, tuple[str, ...]]
    tokens: Callable[[Any, Sequence[str]], Sequence[Collection[Token]]]
    records: Collection[str] = ()
    spoken: Mapping[str, str] = field(default_factory=dict)


class _Place(NamedTuple):
    """Of each event: its part, its row there, and its time in seconds."""

    part: Longs
    row: Longs
    second: Longs


@dataclass(slots=True)
class Index:
    """A run in the making."""

    looks: Looks
    parts: dict[tuple[str, str], int] = field(default_factory=dict)
    census: list[list[Census]] = field(default_factory=list)
    _ids: dict[Token, int] = field(default_factory=dict)
    _fields: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[tuple[str, ...], str], tuple[int, ...]] = field(default_factory=dict)
    _pieces: list[dict[str, Any]] = field(default_factory=list)
    _words: Making = field(default_factory=Making)

    def add(self, events: Events, written: Sequence[tuple[Part, Longs]], first: int = 0) -> None:
        """Take in a table of events, some of whose rows are in each of these parts, there from row `first` on."""
        part = np.full(len(events), -1, np.int64)
        row = np.zeros(len(events), np.int64)
        for each, rows in written:
            part[rows] = self.parts.setdefault((each.kind, each.path), len(self.parts))
            row[rows] = np.arange(first, first + len(rows))
            if len(self.census) < len(self.parts):
                self.census.append([])
        seconds = np.where(events.ts == NO_TIME, NO_SECOND, np.clip(events.ts // 1_000_000, 0, NO_SECOND - 1))
        place = _Place(part, row, seconds)
        there: dict[str, Any] = {}
        for name in sorted(self.looks.fields.keys() & events.columns.keys()):
            column, sorts = events.columns[name], self.looks.fields[name]
            if len(column.values) <= 2:
                continue
            present = column.codes > NULL
            for sort in sorts:
                there[sort] = there[sort] | present if sort in there else present
            starts, counts, ids = self._of_values(column, sorts)
            self._put(name, (counts[column.codes], starts[column.codes], ids), place)
        if (spoken := events.columns.get(self.looks.spoken.get(events.kind, ""))) is not None:
            alone = (spoken.codes > NULL) & ~np.logical_or.reduce([*there.values(), np.zeros(len(events), bool)])
            self._put(self.looks.spoken[events.kind], self._of_rows(spoken, alone), place)
            there["text"] = there["text"] | alone if "text" in there else alone
        if events.kind in self.looks.records:
            self._put(RECORD, self._records(events), place)
            there["text"] = np.ones(len(events), bool)
        self._count(events, written, there)
        self._words.add(events, written, [self.parts[each.kind, each.path] for each, _ in written])

    def write(self, path: Path) -> tuple[int, str]:
        joined = {
            name: np.concatenate([np.zeros(0, np.int64), *(piece[name] for piece in self._pieces)])
            for name in ("token", "part", "field", "count", "first", "last", "row_count", "row")
        }
        about = About(version=self.looks.version, parts=list(self.parts), fields=list(self._fields), census=self.census)
        return merging.write(path, about, list(self._ids), Entries(**joined), self._words.blocks())

    def _tokens(self, sorts: tuple[str, ...], texts: Sequence[str]) -> list[tuple[int, ...]]:
        """The numbers of each text's tokens."""
        known = [self._known.get((sorts, text)) for text in texts]
        new = [at for at, ids in enumerate(known) if ids is None]
        numbers = self._ids
        for some in (new[at : at + _AT_ONCE] for at in range(0, len(new), _AT_ONCE)):
            for at, tokens in zip(some, self.looks.tokens(sorts, [texts[at] for at in some]), strict=True):
                ids = known[at] = tuple([numbers.setdefault(token, len(numbers)) for token in tokens])
                if len(texts[at]) <= _LONGEST_KNOWN and len(self._known) < _KNOWN:
                    self._known[sorts, texts[at]] = ids
        return [ids or () for ids in known]

    def _of_values(self, column: Column, sorts: tuple[str, ...]) -> tuple[Longs, Longs, Longs]:
        """For each code where its tokens begin and how many there are, and all of these."""
        used = np.zeros(len(column.values), bool)
        used[column.codes] = True
        codes = [code for code in np.flatnonzero(used).tolist() if code > NULL]
        plain = [code for code in codes if code not in column.lists]
        each = dict(zip(plain, self._tokens(sorts, [column.values[code] or "" for code in plain]), strict=True))
        for code in codes if column.lists else ():
            if code in column.lists:
                each[code] = tuple({one for ids in self._tokens(sorts, column.lists[code]) for one in ids})
        counts = np.zeros(len(used), np.int64)
        counts[codes] = [len(each[code]) for code in codes]
        found = np.array([one for code in codes for one in each[code]], np.int64)
        return np.cumsum(counts) - counts, counts, found

    def _of_rows(self, column: Column, rows: Any) -> tuple[Longs, Longs, Longs]:
        """The same of the words in a text, of some rows only: for each event how many, where they begin, and all."""
        some = Column(codes=np.where(rows, column.codes, 0), values=column.values, lists=column.lists)
        starts, counts, ids = self._of_values(some, _TEXT)
        return counts[some.codes], starts[some.codes], ids

    def _records(self, events: Events) -> tuple[Longs, Longs, Longs]:
        each: list[tuple[int, ...]] = []
        for first in range(0, len(events), _AT_ONCE):
            rows = range(first, min(first + _AT_ONCE, len(events)))
            each += self._tokens(_TEXT, [events.raw[row].decode("utf-8", "surrogateescape") for row in rows])
        counts = np.array([len(ids) for ids in each], np.int64)
        ids = np.array([one for some in each for one in some], np.int64)
        return counts, np.cumsum(counts) - counts, ids

    def _put(self, name: str, held: tuple[Longs, Longs, Longs], place: _Place) -> None:
        """Entries of one field: how many tokens each event has there, where in `ids` they begin, and these."""
        counts, starts, ids = held
        part, row, seconds = place
        total = int(counts.sum())
        if not total:
            return
        event = np.repeat(np.arange(len(counts)), counts)
        inner = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        token = ids[starts[event] + inner]
        order = np.lexsort((row[event], part[event], token))
        event, token = event[order], token[order]
        heads = np.flatnonzero(np.diff(token, prepend=-1) | np.diff(part[event], prepend=-1))
        sizes = np.diff(heads, append=total)
        when = seconds[event]
        first = np.minimum.reduceat(when, heads)
        last = np.maximum.reduceat(np.where(when == NO_SECOND, -1, when), heads)
        listed = sizes <= MOST_ROWS
        self._pieces.append(
            {
                "token": token[heads],
                "part": part[event[heads]],
                "field": np.full(len(heads), self._fields.setdefault(name, len(self._fields))),
                "count": sizes,
                "first": first,
                "last": np.where(last < 0, NO_SECOND, last),
                "row_count": np.where(listed, sizes, 0),
                "row": row[event][np.repeat(listed, sizes)],
            }
        )

    def _count(self, events: Events, written: Sequence[tuple[Part, Longs]], there: Mapping[str, Any]) -> None:
        kind = kind_of(events.kind)
        logs, hosts = _of(events.columns.get(kind.log), events), _of(events.hosts(), events)
        names = sorted(there)
        for part, rows in written:
            at = self.parts[part.kind, part.path]
            pairs = logs.codes[rows].astype(np.int64) << 32 | hosts.codes[rows]
            distinct, which, count = np.unique(pairs, return_inverse=True, return_counts=True)
            held = [np.bincount(which, there[name][rows], len(distinct)) > 0 for name in names]
            for place, pair in enumerate(distinct.tolist()):
                sorts = tuple(name for name, flags in zip(names, held, strict=True) if flags[place])
                log, host = logs.values[pair >> 32] or "", hosts.values[pair & 0xFFFFFFFF] or ""
                self.census[at].append(Census(log, host, int(count[place]), sorts))


def _of(column: Column | None, events: Events) -> Column:
    nothing: Codes = np.zeros(len(events), np.int32)
    return column if column is not None else Column(codes=nothing, values=[None, None])
