"""Events in, the distinct values of each field and which parts hold them out; blocks of these for the index and back.

Whoever matches rules asks these values first: a part none of whose values a rule can hold for need not be opened. A
field of a part is left out where its values are most of what there is of the part, or where nearly each record has its
own (numbers of records, times): of such a field the part says only that it has it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.lake.packing import Array, Packed, loosened, packed, squeezed, unpacked
from tocsin.lake.parts import Part
from tocsin.model.event import NULL, Events, Longs, Texts

Field: TypeAlias = tuple[str, str]  # kind of log, name

_SHARE: Final = 8  # values of a field are kept that are less than an eighth of the part (unpacked; packed a tenth)
_LEAST_BYTES: Final = 1 << 10  # or less than this
_FEW: Final = 64  # values are kept, however short and whatever the records
_SHORT: Final = 40  # bytes of a value on average: what nearly each record has its own of, and is longer, says something


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Distinct values of a field: those of value n are in the parts `parts[starts[n]:starts[n + 1]]`.

    Args:
        unheld: parts that have the field, and of which its values are not here.
    """

    texts: pa.StringArray
    starts: Longs
    parts: Longs
    unheld: Longs

    def where(self, values: Longs, count: int) -> Array:
        """Of so many parts, those that hold one of these values."""
        wanted = np.zeros(len(self.texts), bool)
        wanted[values] = True
        found = np.zeros(count, bool)
        found[self.parts[np.repeat(wanted, np.diff(self.starts))]] = True
        return found

    def spoken(self, count: int) -> Array:
        """Of so many parts, those whose values are here."""
        return self.where(np.arange(len(self.texts)), count)


class _Block(msgspec.Struct, frozen=True, array_like=True):
    """As a run of the index keeps them: texts, their sizes, how many parts each has, these, and those left out."""

    size: int
    texts: bytes
    sizes: Packed
    counts: Packed
    parts: Packed
    unheld: Packed


def read(content: bytes) -> Words:
    """Words of a block.

    Raises:
        ValueError, OSError, msgspec.MsgspecError: it is damaged.
    """
    block = msgspec.msgpack.decode(content, type=_Block)
    sizes, counts = unpacked(*block.sizes), unpacked(*block.counts)
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))
    parts = unpacked(*block.parts).astype(np.int64)
    if len(sizes) != len(counts) or starts[-1] != len(parts) or ends[-1] != block.size:
        raise ValueError("its vocabulary is damaged")
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(loosened(block.texts, block.size))]
    texts = pa.Array.from_buffers(pa.large_string(), len(sizes), buffers)
    texts.validate(full=True)
    return Words(texts=texts, starts=starts, parts=parts, unheld=unpacked(*block.unheld).astype(np.int64))


def _written(texts: pa.ChunkedArray, text: Longs, part: Longs, unheld: Collection[int]) -> bytes:
    """A block: pairs of a text (by its place among `texts`, where one may stand twice) and a part that has it."""
    kept = ~np.isin(part, np.array(sorted(unheld), np.int64))
    text, part = text[kept], part[kept]
    coded = texts.combine_chunks().dictionary_encode()
    distinct = coded.dictionary
    order = pc.sort_indices(distinct).to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    pairs = np.unique(place[coded.indices.to_numpy()[text]] << 32 | part)
    used, counts = np.unique(pairs >> 32, return_counts=True)
    found = distinct.take(pa.array(order[used]))
    sizes = pc.binary_length(found).to_numpy()
    content = found.buffers()[2].to_pybytes()[: int(sizes.sum())] if len(found) else b""
    return msgspec.msgpack.encode(
        _Block(
            len(content),
            squeezed(content),
            packed(sizes),
            packed(counts),
            packed(pairs & 0xFFFFFFFF),
            packed(np.array(sorted(unheld), np.int64)),
        )
    )


def _texts(values: Sequence[str | None]) -> pa.LargeStringArray:
    return (values.arrow if isinstance(values, Texts) else pa.array(values[2:])).cast(pa.large_string())


@dataclass(slots=True)
class _Column:
    """A field in the making."""

    texts: list[pa.Array] = field(default_factory=list)
    pairs: list[tuple[Longs, Longs]] = field(default_factory=list)
    rows: dict[int, int] = field(default_factory=dict)  # that have a value, by part
    unheld: set[int] = field(default_factory=set)
    count: int = 0


@dataclass(slots=True)
class Making:
    """A vocabulary in the making. Parts are numbered by whoever adds them."""

    _columns: dict[Field, _Column] = field(default_factory=dict)
    _most: dict[int, int] = field(default_factory=dict)

    def add(self, events: Events, written: Sequence[tuple[Part, Longs]], numbers: Sequence[int]) -> None:
        """Take in a table of events, some of whose rows are in each of these parts."""
        local = np.zeros(len(events), np.int64)
        for at, (part, rows) in enumerate(written):
            local[rows] = at
            self._most[numbers[at]] = max(part.size_bytes // _SHARE, _LEAST_BYTES)
        of = np.array(numbers, np.int64)
        for name, column in events.columns.items():
            if len(column.values) <= NULL + 1:
                continue
            here = self._columns.setdefault((events.kind, name), _Column())
            # A column may have the same text twice; a file read back has not, and both must say the same.
            coded = _texts(column.values).dictionary_encode()
            texts, sizes = coded.dictionary, pc.binary_length(coded.dictionary).to_numpy()
            distinct = np.concatenate((np.full(NULL + 1, len(texts)), coded.indices.to_numpy()))
            seen = np.zeros((len(written), len(texts) + 1), bool)
            seen[local, distinct[column.codes]] = True
            seen = seen[:, :-1]
            listed = np.bincount(local[np.isin(column.codes, list(column.lists))], minlength=len(written))
            rows = np.bincount(local[column.codes > NULL], minlength=len(written))
            for at in np.flatnonzero(rows).tolist():
                number = numbers[at]
                here.rows[number] = here.rows.get(number, 0) + int(rows[at])
                if listed[at] or int(sizes[seen[at]].sum()) > self._most[number]:
                    here.unheld.add(number)
                    seen[at] = False
            which, text = np.nonzero(seen)
            if len(which):
                used, place = np.unique(text, return_inverse=True)
                here.texts.append(texts.take(pa.array(used)))
                here.pairs.append((place + here.count, of[which]))
                here.count += len(used)

    def blocks(self) -> dict[Field, bytes]:
        found = {}
        for key, column in sorted(self._columns.items()):
            texts = pa.chunked_array(column.texts, pa.large_string())
            text = np.concatenate([np.zeros(0, np.int64), *(pair[0] for pair in column.pairs)])
            part = np.concatenate([np.zeros(0, np.int64), *(pair[1] for pair in column.pairs)])
            found[key] = _written(texts, text, part, column.unheld | self._large(column, texts, text, part))
        return found

    def _large(self, column: _Column, texts: pa.ChunkedArray, text: Longs, part: Longs) -> set[int]:
        """Parts in which the values are too much, or nearly each record has its own."""
        coded = texts.combine_chunks().dictionary_encode()
        pairs = np.unique(part << 32 | coded.indices.to_numpy()[text])
        sizes = pc.binary_length(coded.dictionary).to_numpy()
        numbers, at = np.unique(pairs >> 32, return_inverse=True)
        counts = np.bincount(at, minlength=len(numbers))
        whole = np.bincount(at, sizes[pairs & 0xFFFFFFFF], minlength=len(numbers))
        rows = np.array([column.rows[number] for number in numbers.tolist()], np.int64)
        most = np.array([self._most[number] for number in numbers.tolist()], np.int64)
        own = (counts > _FEW) & (counts * 2 > rows) & (whole <= _SHORT * counts)
        return set(numbers[own | (whole > most)].tolist())


def merged(some: Sequence[tuple[Words, Array]]) -> bytes | None:
    """One block of several, each with the new numbers of its parts, -1 for those that are gone; None if all are."""
    texts, pairs, unheld, count = list[pa.Array](), list[tuple[Longs, Longs]](), set[int](), 0
    for words, of_part in some:
        part = of_part[words.parts]
        text = np.repeat(np.arange(len(words.texts)), np.diff(words.starts)) + count
        pairs.append((text[part >= 0], part[part >= 0]))
        unheld.update(number for number in of_part[words.unheld].tolist() if number >= 0)
        texts.append(words.texts)
        count += len(words.texts)
    text, part = (np.concatenate([pair[at] for pair in pairs]) for at in (0, 1))
    return _written(pa.chunked_array(texts, pa.large_string()), text, part, unheld) if len(text) or unheld else None
