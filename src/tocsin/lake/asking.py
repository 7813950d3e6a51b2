"""Tokens in, where in the lake they stand out, from the index alone; and what the lake holds at all, month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from tocsin.lake.packing import Array
from tocsin.lake.parts import DAY_US, UNDATED, Part
from tocsin.lake.runs import NO_SECOND, Census, Run, Token, prints

Range: TypeAlias = tuple[int, int, int]  # IP version, first and last address as numbers
PartKey: TypeAlias = tuple[str, str]

_NO_ROWS: Final = np.zeros(0, np.int64)


@dataclass(slots=True, kw_only=True)
class Held:
    """Where tokens stand in one part. `rows` is None where they are too many to be listed."""

    rows: set[int] | None = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """By number of what was asked: how often it stands in a field, and the first and last second (UTC) it was seen."""

    asked: Array
    count: Array
    first: Array
    last: Array


def window(parts: Iterable[Part], since_us: int | None, until_us: int | None) -> dict[PartKey, Part]:
    """The parts that may hold events of a time; those without a day may."""
    first = None if since_us is None else str(np.datetime64(since_us // DAY_US, "D"))
    last = None if until_us is None else str(np.datetime64((until_us - 1) // DAY_US, "D"))
    return {
        (part.kind, part.path): part
        for part in parts
        if part.day == UNDATED or ((first is None or part.day >= first) and (last is None or part.day <= last))
    }


class Question:
    """Tokens and ranges of addresses, numbered by whoever asks: any token of a number is enough.

    A token of type 0 without a text stands for all tokens of that type: whoever asks for one of these is answered.
    """

    def __init__(self, tokens: Iterable[tuple[Token, int]], ranges: Sequence[tuple[Range, int]] = ()) -> None:
        of_text: dict[str, int] = {}
        at, kinds, numbers = list[int](), list[int](), list[int]()
        for (kind, text), number in tokens:
            at.append(of_text.setdefault(text, len(of_text)))
            kinds.append(kind)
            numbers.append(number)
        marks = prints(text.encode("utf-8", "surrogatepass") for text in of_text)
        by_mark = np.argsort(marks["print"], kind="stable")
        self._marks = marks[by_mark]
        place = np.empty(len(by_mark), np.int64)
        place[by_mark] = np.arange(len(by_mark))
        texts = place[np.array(at, np.int64)]
        by_text = np.argsort(texts, kind="stable")
        self._starts = np.searchsorted(texts[by_text], np.arange(len(by_mark) + 1))
        self._kinds, self._numbers = np.array(kinds, np.uint8)[by_text], np.array(numbers, np.int64)[by_text]
        self._ranges = ranges
        self._of = max([-1, *numbers, *(number for _, number in ranges)]) + 1

    def places(self, run: Run) -> tuple[Array, Array]:
        """Tokens of a run, and for each the number of what it answers."""
        at, found = run.find(self._marks)
        sizes = self._starts[at + 1] - self._starts[at]
        token = np.repeat(found, sizes)
        pair = np.arange(len(token)) - np.repeat(np.cumsum(sizes) - sizes - self._starts[at], sizes)
        fits = np.flatnonzero(self._kinds[pair] == run["kind"][token])
        tokens, asked = [token[fits]], [self._numbers[pair[fits]]]
        for crowd in run.crowds:
            words = np.unique(self._numbers[self._kinds == 0])
            tokens.append(np.full(len(words), crowd))
            asked.append(words)
        for (version, first, last), number in self._ranges:
            within = run.within(version, first, last)
            tokens.append(within)
            asked.append(np.full(len(within), number))
        return np.concatenate(tokens), np.concatenate(asked)

    def seen(self, runs: Sequence[Run]) -> Array:
        """Which of what was asked stands anywhere in these runs, in order."""
        found = np.zeros(self._of, bool)
        for run in runs:
            found[self.places(run)[1]] = True
        return np.flatnonzero(found)

    def summary(self, runs: Sequence[Run], living: Mapping[PartKey, Part]) -> Summary:
        """What the index alone says of all that was asked and is there."""
        pieces = []
        for run, alive, _ in _living(runs, living):
            tokens, asked = self.places(run)
            entries, which = run.entries(tokens)
            kept = alive[run["part"][entries]]
            entries, number = entries[kept], asked[which[kept]]
            pieces.append((number, run["count"][entries], run["first"][entries], run["last"][entries]))
        joined = [np.concatenate([_NO_ROWS, *(piece[at] for piece in pieces)]).astype(np.int64) for at in range(4)]
        order = np.argsort(joined[0], kind="stable")
        number, count, first, last = (column[order] for column in joined)
        heads = np.flatnonzero(np.diff(number, prepend=-1))
        if not len(heads):
            return Summary(asked=number, count=count, first=first, last=last)
        return Summary(
            asked=number[heads],
            count=np.add.reduceat(count, heads),
            first=np.minimum.reduceat(first, heads),
            last=np.maximum.reduceat(np.where(last == NO_SECOND, -1, last), heads),
        )

    def held(self, runs: Sequence[Run], living: Mapping[PartKey, Part]) -> dict[PartKey, Held]:
        """For each part the rows that are worth a look, and why."""
        found: dict[PartKey, Held] = {}
        for run, alive, parts in _living(runs, living):
            tokens, asked = self.places(run)
            entries, which = run.entries(tokens)
            kept = alive[run["part"][entries]]
            names = run.about.fields
            for entry, number in zip(entries[kept].tolist(), asked[which[kept]].tolist(), strict=True):
                here = found.setdefault(parts[int(run["part"][entry])], Held())
                here.fields.add(names[int(run["field"][entry])])
                here.asked.add(number)
                rows = run.rows(entry)
                if rows is None:
                    here.rows = None
                elif here.rows is not None:
                    here.rows.update(rows.tolist())
        return found


def _living(runs: Sequence[Run], living: Mapping[PartKey, Part]) -> Iterator[tuple[Run, Array, Sequence[PartKey]]]:
    """Runs with which of their parts count; a part that two runs speak of counts once."""
    spoken: set[PartKey] = set()
    for run in runs:
        parts = run.about.parts
        alive = np.array([part in living and part not in spoken for part in parts], bool)
        spoken.update(parts)
        if alive.any():
            yield run, alive, parts


def census(runs: Sequence[Run], living: Mapping[PartKey, Part]) -> Iterator[tuple[Part, Sequence[Census]]]:
    """What each part holds of which log of which host."""
    for run, alive, parts in _living(runs, living):
        for at in np.flatnonzero(alive).tolist():
            yield living[parts[at]], run.about.census[at]
