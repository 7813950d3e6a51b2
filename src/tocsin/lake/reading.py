"""A Parquet file of the lake in, the Events that were put into it out, as they came from the log.

Only the columns that somebody asks for are read. What is asked of whole records (keywords, long messages) is answered
from all columns of the rows it is about, and the raw record is read when somebody looks into it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tocsin.errors import LakeError
from tocsin.lake.names import DAY, OWN, field_of
from tocsin.lake.parts import PLAIN, Part
from tocsin.model.event import NO_TIME, NULL, Codes, Column, Events, Longs, RawRecords, Source, Texts
from tocsin.model.kind import kind_of
from tocsin.model.raw import Place

_ALWAYS: Final = ("_ts", "_host", "_src", "_file", "_path", "_rec", "_chunk", "_shape")
_decode_shape = msgspec.json.Decoder(tuple[tuple[str, ...], tuple[str, ...]]).decode
_decode_list = msgspec.json.Decoder(list[Any]).decode
_encode = msgspec.json.Encoder().encode


class Opened:
    """A file that is open. `names` is field -> column."""

    def __init__(self, part: Part, path: Path) -> None:
        self.kind, self.path = part.kind, path
        # What is a dictionary in the file stays one, and is not made anew from its texts. The part names its columns:
        # to ask the file first would be half of what it costs to open it.
        texts = [name for name in (*OWN, *part.columns) if name not in (DAY, "_shape", *PLAIN)]
        try:
            self.file = pq.ParquetFile(path, memory_map=True, read_dictionary=texts, page_checksum_verification=True)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise LakeError(
                f"{path}: cannot be read: {error}",
                hint="`tocsin lake verify` tells what is damaged; docs/lake.md says how to mend it.",
            ) from error
        self.names = {field_of(name): name for name in part.columns}
        self.groups = self.file.num_row_groups
        counts = [self.file.metadata.row_group(at).num_rows for at in range(self.groups)]
        self.starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def read(self, group: int, columns: list[str]) -> pa.Table:
        try:
            # Threads cost more than they bring where a few columns are read, and workers are many already.
            return _sound(self.file.read_row_group(group, columns=columns, use_threads=False))
        except (OSError, pa.ArrowException) as error:
            raise LakeError(
                f"{self.path}: its rows {self.starts[group]:,} to {self.starts[group + 1]:,} cannot be read: {error}",
                hint="`tocsin lake verify` tells what is damaged; docs/lake.md says how to mend it.",
            ) from error

    def events(self, projection: frozenset[str] | None, among: Longs | None = None) -> Iterator[tuple[Longs, Events]]:
        """Tables of events, each with the rows of the file that it holds.

        Args:
            projection: fields to read; None for all.
            among: only these rows (in order).
        """
        fields = [name for name in sorted(self.names) if projection is None or name in projection]
        for group in range(self.groups):
            first, stop = int(self.starts[group]), int(self.starts[group + 1])
            if among is None:
                rows = np.arange(stop - first)
            else:
                rows = among[np.searchsorted(among, first) : np.searchsorted(among, stop)] - first
            if len(rows):
                yield rows + first, self._events(group, fields, rows, whole=among is None)

    def placed(self, places: Collection[Place]) -> Iterator[tuple[Place, bytes]]:
        """The raw records of those of these places that are here."""
        paths = {path for path, _, _ in places}
        numbers = np.unique(np.array([rec for _, _, rec in places], np.int64))
        for group in range(self.groups):
            table = self.read(group, ["_path", "_chunk", "_rec"])
            path, rec, chunk = _coded(table.column("_path")), table.column("_rec"), table.column("_chunk")
            texts = path.dictionary.to_pylist()
            if paths.isdisjoint(texts):
                continue
            at = _indices(path)
            known = np.array([text in paths for text in texts], bool)[at] & np.isin(rec.to_numpy(), numbers)
            rows = np.flatnonzero(known)
            named = [(texts[at[row]], chunk[row].as_py(), rec[row].as_py()) for row in rows.tolist()]
            here = [(row, place) for row, place in zip(rows.tolist(), named, strict=True) if place in places]
            if here:
                raw = self.read(group, ["_raw"]).column(0)
                yield from ((place, raw[row].as_py() or b"") for row, place in here)

    def scans(self) -> Iterator[tuple[int, Events]]:
        """Tables of all events for a first look, each with its first row: columns are read when they are asked for.

        Where an event is from is not told: whoever finds something reads its rows with `events`.
        """
        for group in range(self.groups):
            first, stop = int(self.starts[group]), int(self.starts[group + 1])
            rows = np.arange(stop - first)
            records = Records(self, group, rows)
            nowhere = np.zeros(len(rows), np.int64)
            own = self.read(group, ["_ts", "_shape"])
            yield (
                first,
                Events(
                    kind=self.kind,
                    sources=(Source(path=str(self.path)),),
                    ts=_times(own),
                    src=np.zeros(len(rows), np.int32),
                    rec=nowhere,
                    chunk=nowhere,
                    raw=records,
                    columns=_OnDemand(self, group, _shapes(own)),
                    fields_of=(records.fields,),
                ),
            )

    def _events(self, group: int, fields: list[str], rows: Longs, *, whole: bool) -> Events:
        table = self.read(group, [*_ALWAYS, *(self.names[field] for field in fields)])
        if not whole:
            table = table.take(pa.array(rows))
        shapes = _shapes(table)
        columns = {}
        for field in fields:
            name = self.names[field]
            columns[field] = _column(table.column(name), shapes.get(name, (_NONE, _NONE)))
        for name, (_, null) in shapes.items():  # fields that hold nothing but null have no column
            field = field_of(name)
            if name not in self.names.values() and len(null):
                codes = np.zeros(len(rows), np.int32)
                codes[null] = NULL
                columns[field] = Column(codes=codes, values=[None, None])
        records = Records(self, group, rows)
        sources, src = _sources(table, columns.get(kind_of(self.kind).host))
        return Events(
            kind=self.kind,
            sources=sources,
            ts=_times(table),
            src=src,
            rec=table.column("_rec").to_numpy(),
            chunk=table.column("_chunk").to_numpy(),
            raw=records,
            columns=columns,
            fields_of=(records.fields,) * len(sources),
        )


class _OnDemand(Mapping[str, Column]):
    """The columns of a row group, each read when it is first asked for."""

    def __init__(self, opened: Opened, group: int, shapes: Mapping[str, tuple[Longs, Longs]]) -> None:
        self._from, self._group, self._shapes = opened, group, shapes
        self._rows = int(opened.starts[group + 1] - opened.starts[group])
        self._known: dict[str, Column] = {}
        names = {field_of(name): name for name, (_, null) in self._shapes.items() if len(null)}
        self._names = {**names, **opened.names}

    def __getitem__(self, field: str) -> Column:
        if field not in self._known:
            name = self._names[field]
            shape = self._shapes.get(name, (_NONE, _NONE))
            if field in self._from.names:
                self._known[field] = _column(self._from.read(self._group, [name]).column(0), shape)
            else:
                codes = np.zeros(self._rows, np.int32)
                codes[shape[1]] = NULL
                self._known[field] = Column(codes=codes, values=[None, None])
        return self._known[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _sound(table: pa.Table) -> pa.Table:
    """The table, if all its texts are in its dictionaries: of damaged pages some are read without a word."""
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            last = pc.max(chunk.indices).as_py()
            if last is not None and last >= len(chunk.dictionary):
                raise pa.ArrowInvalid("a text that its dictionary does not have")
    return table


def _times(table: pa.Table) -> Longs:
    ts = table.column("_ts").cast(pa.int64())
    return np.asarray((pc.fill_null(ts, NO_TIME) if ts.null_count else ts).to_numpy(), np.int64)


_NONE: Final = np.zeros(0, np.int64)


def _shapes(table: pa.Table) -> dict[str, tuple[Longs, Longs]]:
    """By column: rows that hold a list, and rows that hold null."""
    if "_shape" not in table.column_names or table.column("_shape").null_count == len(table):
        return {}
    coded = _coded(table.column("_shape"))
    at = _indices(coded)
    lists: dict[str, list[Longs]] = {}
    nulls: dict[str, list[Longs]] = {}
    for code, text in enumerate(coded.dictionary.to_pylist()):
        rows = np.flatnonzero(at == code)
        for kept, names in zip((lists, nulls), _decode_shape(text), strict=True):
            for name in names:
                kept.setdefault(name, []).append(rows)
    return {
        name: tuple(np.sort(np.concatenate([_NONE, *kept.get(name, ())])) for kept in (lists, nulls))  # type: ignore[misc]
        for name in {*lists, *nulls}
    }


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _indices(coded: pa.DictionaryArray) -> Codes:
    at = coded.indices
    return np.asarray((pc.fill_null(at, -1) if at.null_count else at).to_numpy(zero_copy_only=False), np.int32)


def _column(column: pa.ChunkedArray, shape: tuple[Longs, Longs]) -> Column:
    coded = _coded(column)
    codes = (_indices(coded) + 2).astype(np.int32)
    codes[codes == 1] = 0
    lists, null = shape
    codes[null] = NULL
    if not len(lists):
        return Column(codes=codes, values=Texts(coded.dictionary))
    values: list[str | None] = [None, None, *coded.dictionary.to_pylist()]
    elements: dict[int, tuple[str, ...]] = {}
    for code in np.unique(codes[lists]).tolist():
        text = values[code] or "[]"
        rows = lists[codes[lists] == code]
        codes[rows] = len(values)
        elements[len(values)] = elements_of(text)
        values.append(text)
    return Column(codes=codes, values=values, lists=elements)


def elements_of(text: str) -> tuple[str, ...]:
    """The texts of a list's elements, as `collect` gives them: numbers as they are written, null left out."""
    try:
        return tuple(one if isinstance(one, str) else _text(one) for one in _decode_list(text) if one is not None)
    except msgspec.DecodeError:  # nested deeper than anybody reads
        return (text,)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else _encode(value).decode()


def _sources(table: pa.Table, told: Column | None) -> tuple[tuple[Source, ...], Codes]:
    """The pieces of evidence that the rows are from, and which of them each row is from.

    A host that the record does not name itself was told by the collection that held it.
    """
    host = _coded(table.column("_host"))
    given = _indices(host) + 1
    if told is not None:
        given = np.where(told.codes > NULL, 0, given)
    parts = [_coded(table.column(name)) for name in ("_src", "_file", "_path")]
    key = np.stack([*(_indices(part) for part in parts), given])
    distinct, at = np.unique(key, axis=1, return_inverse=True)
    texts = [part.dictionary.to_pylist() for part in parts]
    hosts = ["", *host.dictionary.to_pylist()]
    sources = tuple(
        Source(sha256=texts[0][sha], file=texts[1][file], path=texts[2][path], host=hosts[where])
        for sha, file, path, where in distinct.T.tolist()
    )
    return sources, at.reshape(-1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Block:
    """Raw records in one piece, a line end between two."""

    records: list[bytes]
    header: bytes = b""

    def record(self, at: int) -> bytes:
        return self.records[at]

    def joined(self) -> tuple[bytes, Longs]:
        return b"\n".join(self.records), np.cumsum([0, *(len(one) + 1 for one in self.records)])[:-1]

    def sizes(self) -> Longs:
        return np.array([len(one) for one in self.records], np.int64)


class Records(RawRecords):
    """The raw records of some rows, read from the file when somebody asks for the first of them."""

    __slots__ = ("_all", "_block", "_from", "_group", "_rows")

    def __init__(self, opened: Opened, group: int, rows: Longs) -> None:
        super().__init__()
        self._from, self._group, self._rows = opened, group, rows
        self._length = len(rows)
        self._block: _Block | None = None
        self._all: Mapping[str, Column] | None = None

    def _read(self) -> _Block:
        if self._block is None:
            raw = self._from.read(self._group, ["_raw"]).column(0).take(pa.array(self._rows))
            self._block = _Block([one or b"" for one in raw.to_pylist()])
        return self._block

    def blocks(self) -> Iterator[tuple[int, bytes, Longs]]:
        if self._length:
            data, starts = self._read().joined()
            yield 0, data, starts

    def header(self, row: int) -> bytes:
        """The number of the row: `fields` needs no more to find a record."""
        return str(int(row)).encode("ascii")

    def to_arrow(self) -> pa.Array:
        return pa.array(self._read().records, pa.binary())

    def views(self, order: Longs | None = None) -> pa.Array:
        every = self.to_arrow()
        return every if order is None else every.take(pa.array(order))

    def __getitem__(self, row):  # type: ignore[no-untyped-def]  # rows only, no slices
        return self._read().record(int(row))

    def fields(self, _record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        """Every field of one record, from all columns of the file."""
        if self._all is None:
            fields = sorted(self._from.names)
            self._all = self._from._events(self._group, fields, self._rows, whole=False).columns  # noqa: SLF001 - of this file
        row = int(header)
        found: dict[str, str | tuple[str, ...] | None] = {}
        for name, column in self._all.items():
            code = int(column.codes[row])
            if code:
                found[name] = column.lists[code] if code in column.lists else column.values[code]
        return found
