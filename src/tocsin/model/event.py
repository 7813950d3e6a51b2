"""Records of one kind of log source, as dictionary-encoded columns that lead back to bytes on disk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.model.kind import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

Codes: TypeAlias = npt.NDArray[np.int32]
Longs: TypeAlias = npt.NDArray[np.int64]

FieldsOf: TypeAlias = Callable[[bytes, bytes], Mapping[str, str | tuple[str, ...] | None]]

ABSENT = 0  # the record has no such key
NULL = 1  # the key is there and holds JSON null
_INLINE = 12  # bytes of a view that needs no buffer
NO_TIME = int(np.iinfo(np.int64).min)  # `Events.ts` of a record without a readable time


class Texts(Sequence[str | None]):
    """Values of a column that Arrow holds; Python's texts are made when the first is asked for."""

    __slots__ = ("_texts", "arrow")

    def __init__(self, arrow: pa.StringArray) -> None:
        self.arrow = arrow
        self._texts: list[str | None] = []

    def __len__(self) -> int:
        return len(self.arrow) + 2

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # a code, or a slice of codes
        return self._made()[at]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self._made())

    def _made(self) -> list[str | None]:
        if not self._texts:
            self._texts = [None, None, *self.arrow.to_pylist()]
        return self._texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of many records.

    `codes[row]` points into `values`; codes 0 and 1 mean absent and null. Nearly unique text is not
    deduplicated, so equal text may stand in `values` twice. A list in a record is one value: its
    text is JSON, and `lists` gives its elements' texts, any of which a rule may match.
    """

    codes: Codes
    values: Sequence[str | None]
    lists: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def text(self, row: int) -> str | None:
        return self.values[int(self.codes[row])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A piece of evidence: where it lies, and the SHA-256 of the file on disk ('' until all of it is read).

    `host` is the machine that a collection says it is from; '' where nothing does.
    """

    path: str
    file: str = ""  # on disk; `path` where the source is not part of another
    format: str = ""
    sha256: str = ""
    host: str = ""


class RawBlock(Protocol):
    """Records that were read together; `header` stood before them and says how to read them, or is empty."""

    @property
    def header(self) -> bytes: ...

    def record(self, at: int) -> bytes: ...

    def joined(self) -> tuple[bytes, Longs]:
        """All of them in one piece, and where in it each begins; a byte or more stands between two."""

    def sizes(self) -> Longs:
        """How many bytes each record has."""


class RawRecords(Sequence[bytes]):
    """The records verbatim, without a copy of the blocks they were read from."""

    __slots__ = ("_blocks", "_firsts", "_length")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._blocks: list[RawBlock] = []
        self._length = 0

    def extend(self, count: int, block: RawBlock) -> None:
        self._firsts.append(self._length)
        self._blocks.append(block)
        self._length += count

    def blocks(self) -> Iterator[tuple[int, bytes, Longs]]:
        """First row, bytes, and where each record begins in them."""
        for first, block in zip(self._firsts, self._blocks, strict=True):
            data, starts = block.joined()
            yield first, data, starts

    def header(self, row: int) -> bytes:
        """What must be known to read a record, such as the names of its columns."""
        return self._blocks[bisect_right(self._firsts, row) - 1].header

    def to_arrow(self) -> pa.ChunkedArray:
        """All of them; the blocks are copied in one piece each."""
        import pyarrow as pa

        parts = []
        for block in self._blocks:
            data, starts = block.joined()
            parts.append(pieces(pa.binary(), data, starts, starts + block.sizes()))
        return pa.chunked_array(parts, pa.binary())

    def views(self, order: Longs | None = None) -> pa.Array:
        """All of them as one array that points into the blocks, in this order: nothing is copied but 16 bytes each."""
        import pyarrow as pa

        buffers, parts = list[pa.Buffer](), [np.zeros((0, 4), np.int32)]
        for at, block in enumerate(self._blocks):
            data, starts = block.joined()
            buffers.append(pa.py_buffer(data))
            parts.append(_views(np.frombuffer(data, np.uint8), starts, block.sizes(), at))
        every = np.concatenate(parts)
        chosen = every if order is None else every[order]
        return pa.Array.from_buffers(pa.binary_view(), len(chosen), [None, pa.py_buffer(chosen), *buffers])

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row):  # type: ignore[no-untyped-def]  # rows only, no slices
        at = bisect_right(self._firsts, row) - 1
        return self._blocks[at].record(int(row) - self._firsts[at])

    def __iter__(self) -> Iterator[bytes]:
        return (self[row] for row in range(self._length))


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Normalised records. All per-row arrays have one length.

    Args:
        kind: the kind of log source ("windows"); fields carry the names that Sigma gives it.
        ts: UTC microseconds, `NO_TIME` where the record has none that can be read.
        src: index into `sources`.
        rec: record id (EVTX) or byte offset in the source (text).
        chunk: byte offset of the EVTX chunk the record was rendered from; -1 for text.
        columns: field name -> Column; with a projection only those asked for.
        fields_of: for each source, a raw record and its header -> every field of it as text, whatever was projected.
    """

    kind: str
    sources: tuple[Source, ...]
    ts: Longs
    src: Codes
    rec: Longs
    chunk: Longs
    raw: RawRecords
    columns: Mapping[str, Column]
    fields_of: tuple[FieldsOf, ...]

    def __len__(self) -> int:
        return len(self.ts)

    def all_fields(self, row: int) -> Mapping[str, str | tuple[str, ...] | None]:
        """Every field of one record, decoded from `raw`; a list gives its elements."""
        return self.fields_of[int(self.src[row])](self.raw[row], self.raw.header(row))

    def hosts(self) -> Column | None:
        """The machines that wrote the records: what these say, or else what the collection does that holds them."""
        told = self.columns.get(kind_of(self.kind).host)
        if not any(source.host for source in self.sources):
            return told
        codes = told.codes.copy() if told else np.zeros(len(self), np.int32)
        values: list[str | None] = list(told.values) if told else [None, None]
        silent = codes <= NULL
        for number, source in enumerate(self.sources):
            if source.host:
                codes[silent & (self.src == number)] = len(values)
                values.append(source.host)
        return Column(codes=codes, values=values, lists=told.lists if told else {})

    def to_arrow(self) -> pa.Table:
        """One wide sparse table: `_ts _host _kind _raw _src _rec`, then every field as dictionary<int32, string>.

        Absent and null are both Arrow null; `_raw` tells them apart.
        """
        import pyarrow as pa  # only here: its import costs a third of a warm start, and detection needs none of it

        made: dict[int, pa.Array] = {}  # two names of one value share a column

        def encoded(column: Column) -> pa.Array:
            if id(column) in made:
                return made[id(column)]
            codes = pa.array(column.codes - 2, mask=column.codes < 2)
            values = column.values
            texts = values.arrow if isinstance(values, Texts) else pa.array(values[2:], pa.string())
            array = made[id(column)] = pa.DictionaryArray.from_arrays(codes, texts, safe=False)
            return array

        def constant(index: Codes, values: list[str]) -> pa.Array:
            return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(values, pa.string()))

        size = len(self)
        host = self.hosts()
        table = {
            "_ts": pa.array(self.ts, mask=self.ts == NO_TIME).cast(pa.timestamp("us", "UTC")),
            "_host": encoded(host) if host else pa.nulls(size, pa.dictionary(pa.int32(), pa.string())),
            "_kind": constant(np.zeros(size, np.int32), [self.kind]),
            "_raw": self.raw.to_arrow(),
            "_src": constant(self.src, [source.sha256 for source in self.sources]),
            "_rec": pa.array(self.rec),
        }
        for name, column in sorted(self.columns.items(), key=lambda field: field[0] in table):
            while name in table:  # a log may call its own fields so
                name += "_"
            table[name] = encoded(column)
        return pa.table(table)


def _views(data: npt.NDArray[np.uint8], starts: Longs, sizes: Longs, buffer: int) -> npt.NDArray[np.int32]:
    """Views of texts, by Arrow's Columnar Format, "Variable-size Binary View Layout".

    Four numbers each: the size, then the whole of what is short, or else its first four bytes, its buffer and where
    it begins there.
    """
    made = np.zeros((len(starts), 4), np.int32)
    made[:, 0] = sizes
    long = sizes > _INLINE
    heads = starts[long, None] + np.arange(4)
    made[long, 1] = data[heads].view(np.int32).reshape(-1) if len(heads) else 0
    made[long, 2], made[long, 3] = buffer, starts[long]
    for at in np.flatnonzero(~long).tolist():
        text = data[starts[at] : starts[at] + sizes[at]].tobytes()
        made[at, 1:] = np.frombuffer(text.ljust(_INLINE, b"\0"), np.int32)
    return made


def pieces(form: pa.DataType, data: bytes, starts: Longs, stops: Longs, order: Longs | None = None) -> pa.Array:
    """What stands from each of `starts` to before its stop, as text or bytes; in order, and none overlaps another.

    Args:
        order: in which the pieces are given out, as numbers.
    """
    import pyarrow as pa

    bounds = np.empty(2 * len(starts), np.int32)
    bounds[0::2], bounds[1::2] = starts, stops
    # Every second piece between the bounds is asked for: taking these copies them in C, whatever their lengths.
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(data)]
    every = pa.Array.from_buffers(form, max(len(bounds) - 1, 0), buffers)
    return every.take(pa.array(np.arange(0, len(bounds), 2) if order is None else 2 * order))
