"""Events in, Parquet files of one day each out, with every field, the raw record and where it came from.

A file is written whole before any table knows it. What it is called is told by the batch that wrote it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tocsin.lake.names import OWN, column_of
from tocsin.model.event import ABSENT, NO_TIME, NULL, Codes, Column, Events, Longs, Texts

UNDATED: Final = ""  # the day of records without a time that a calendar has
DAY_US: Final = 86_400_000_000
MOST_DAYS: Final = 2_000  # of one table of events: whoever makes up times makes no more files than that

_FIRST_DAY, _LAST_DAY = -134_774, 2_932_896  # 1601-01-01 and 9999-12-31, in days since 1970
_FOLDER_OF_UNDATED: Final = "__HIVE_DEFAULT_PARTITION__"  # as Hive, Spark and Delta call it
_ROWS: Final = 65_536  # of a row group: what is read to look at one record
_ZSTD: Final = 1  # level 3 takes a third longer for a twentieth less
_SMALL: Final = 2_000  # bytes of distinct values: such a column's pages are few bytes, and zstd has its fixed cost
_MOST_PLAIN: Final = 256 << 20  # bytes of the texts of all rows, that a crafted log cannot make them endless
_MOST_CELLS: Final = 16 << 20  # rows times columns, of 16 bytes each: of a wide table the others are coded day by day
PLAIN: Final = ("_raw", "_rec", "_chunk", "_ts")  # columns whose values are not worth a dictionary


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A Parquet file of one kind and day. Times are UTC microseconds, None where no record has one."""

    kind: str
    path: str  # below the folder of its table
    day: str
    rows: int
    size_bytes: int
    sha256: str
    first_us: int | None
    last_us: int | None
    columns: tuple[str, ...]  # of fields


def day_text(day: int) -> str:
    return str(np.datetime64(day, "D"))


def folder_of(day: str) -> str:
    return f"_day={day or _FOLDER_OF_UNDATED}"


def write(
    events: Events, folder: Path, batch: str, number: int, digests: Mapping[str, str], columns: Mapping[str, str]
) -> Iterator[tuple[Part, Longs]]:
    """Write one table of events; gives each file with the rows of `events` it holds, in their order.

    Args:
        folder: of the kind's table.
        number: of this table of events in its batch.
        digests: SHA-256 of files, by the name that sources give them.
        columns: of the table already, by their name in small letters -> field.
    """
    order, bounds, days = _days(events.ts)
    arrow = _Columns(events, order, bounds, batch, digests, columns)
    for at, day in enumerate(days):
        name = f"{folder_of(day)}/{batch}-{number:04}.parquet"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table = arrow.table(at)
        digest = save(path, table, small=arrow.small)
        rows = order[bounds[at] : bounds[at + 1]]
        yield part_of(events.kind, name, day, events.ts[rows], path, digest, table.column_names), rows


def save(path: Path, table: pa.Table, *, plain: Sequence[str] = PLAIN, small: Collection[str] = ()) -> str:
    """Write a file, and see that it outlasts a power cut; gives its SHA-256.

    Args:
        plain: columns without a dictionary.
        small: columns that are so little that compressing them costs more than it saves.
    """
    names = table.column_names
    whole = pa.BufferOutputStream()
    pq.write_table(
        table,
        whole,
        compression={name: "none" if name in small else "zstd" for name in names},
        compression_level={name: _ZSTD for name in names if name not in small},
        use_dictionary=[name for name in names if name not in plain],
        row_group_size=_ROWS,
        store_schema=False,
        write_statistics=["_ts"],
        dictionary_pagesize_limit=16 << 20,
        write_page_checksum=True,  # no answer may come from a page that was damaged since
    )
    content = whole.getvalue()
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def part_of(  # noqa: PLR0917 - what a part is, in the order of its fields
    kind: str, name: str, day: str, ts: Longs, path: Path, digest: str, names: Sequence[str]
) -> Part:
    known = ts[ts != NO_TIME]
    return Part(
        kind=kind,
        path=name,
        day=day,
        rows=len(ts),
        size_bytes=path.stat().st_size,
        sha256=digest,
        first_us=int(known.min()) if len(known) else None,
        last_us=int(known.max()) if len(known) else None,
        columns=tuple(one for one in names if one not in OWN),
    )


def _days(ts: Longs) -> tuple[Longs, Longs, list[str]]:
    """Rows in order of their days, those of one day as they were; where each day begins, and the days, undated last."""
    days = np.where(ts == NO_TIME, _LAST_DAY + 1, ts // DAY_US)
    days = np.where((days < _FIRST_DAY) | (days > _LAST_DAY), _LAST_DAY + 1, days)
    distinct, at, count = np.unique(days, return_inverse=True, return_counts=True)
    if len(distinct) > MOST_DAYS:
        kept = np.argsort(-count, kind="stable")[:MOST_DAYS]
        days = np.where(np.isin(at, kept), days, _LAST_DAY + 1)
        distinct, at = np.unique(days, return_inverse=True)
    order: Longs = np.argsort(at, kind="stable")
    bounds = np.searchsorted(at[order], np.arange(len(distinct) + 1))
    return order, bounds, [UNDATED if day > _LAST_DAY else day_text(day) for day in distinct.tolist()]


class _Columns:
    """A table of events as columns of Arrow, its rows in the order of their days, and day by day."""

    def __init__(
        self,
        events: Events,
        order: Longs,
        bounds: Longs,
        batch: str,
        digests: Mapping[str, str],
        columns: Mapping[str, str],
    ) -> None:
        self._kind, self._batch, self._bounds = events.kind, batch, bounds
        same = bool((order == np.arange(len(order))).all())

        def ordered(array: Any) -> Any:
            return array if same else array[order]

        self._raw = events.raw.views(None if same else order)
        self._ts, self._src = ordered(events.ts), ordered(events.src)
        self._rec, self._chunk = ordered(events.rec), ordered(events.chunk)
        files = [source.file or source.path for source in events.sources]
        self._constants = {
            "_src": [digests.get(file, "") for file in files],
            "_file": files,
            "_path": [source.path for source in events.sources],
        }
        host = events.hosts()
        self._host = _Coded(host, ordered(host.codes), bounds) if host is not None else None
        taken = dict(columns)
        self._named: list[tuple[str, _Coded]] = []
        for field, column in sorted(events.columns.items()):
            name = column_of(field, taken)
            taken[name.lower()] = field
            self._named.append((name, _Coded(column, ordered(column.codes), bounds)))
        room, cells = _MOST_PLAIN, _MOST_CELLS
        for coded in sorted((coded for _, coded in self._named), key=lambda coded: coded.plain_bytes):
            room, cells = room - coded.plain_bytes, cells - len(order)
            coded.plain = room >= 0 and cells >= 0
        self.small = frozenset(name for name, coded in self._named if coded.distinct_bytes < _SMALL)

    def table(self, at: int) -> pa.Table:
        first, stop = int(self._bounds[at]), int(self._bounds[at + 1])
        ts, source = self._ts[first:stop], self._src[first:stop]
        one = np.zeros(stop - first, np.int32)
        hosts = self._host.array(at) if self._host else None  # nor is there one where no row of a day names any
        made: dict[str, Any] = {
            "_ts": pa.array(ts, mask=ts == NO_TIME).cast(pa.timestamp("us", "UTC")),
            "_host": pa.nulls(stop - first, pa.string()) if hosts is None else hosts,
            "_kind": _dictionary(one, [self._kind]),
            "_raw": self._raw.slice(first, stop - first),
            **{name: _dictionary(source, values) for name, values in self._constants.items()},
            "_rec": pa.array(self._rec[first:stop]),
            "_chunk": pa.array(self._chunk[first:stop]),
            "_ingest": _dictionary(one, [self._batch]),
        }
        shapes = _Shapes(stop - first)
        for name, column in self._named:
            if column.odd:
                shapes.add(name, column, column.codes[first:stop])
            if (array := column.array(at)) is not None:
                made[name] = array
        made["_shape"] = shapes.column()
        return pa.table(made)


class _Coded:
    """A column whose rows are in the order of their days. `odd` if it holds lists or null.

    Where it is `plain`, each row has a view of its text, and whoever writes it codes them in C: to make the dictionary
    of each day here costs more. A long value that many rows share stays one.
    """

    def __init__(self, column: Column, codes: Codes, bounds: Longs) -> None:
        self.codes, self.lists, self.size = codes, column.lists, len(column.values)
        self.plain = False
        self._bounds = bounds
        values = column.values
        texts = values.arrow.cast(pa.string_view()) if isinstance(values, Texts) else None
        self._texts = pa.array(values[2:], pa.string_view()) if texts is None else texts
        self._held = np.add.reduceat(codes > NULL, bounds[:-1]) if len(codes) else np.zeros(len(bounds), bool)
        self.odd = bool(column.lists) or bool((codes == NULL).any())
        # As the Columnar Format of Arrow has them: "Variable-size Binary View Layout", the size first.
        self._views = np.zeros((self.size, 4), np.int32)
        self._views[2:] = np.frombuffer(
            self._texts.buffers()[1], np.int32, 4 * len(self._texts), 16 * self._texts.offset
        ).reshape(-1, 4)
        sizes = self._views[:, 0]
        self.distinct_bytes, self.plain_bytes = int(sizes.sum(dtype=np.int64)), int(sizes[codes].sum(dtype=np.int64))
        self._rows: pa.Array | None = None

    def array(self, at: int) -> pa.Array | None:
        """Of a day: with the values that its rows have, and no others; None where they have none."""
        if not self._held[at]:
            return None
        first, stop = int(self._bounds[at]), int(self._bounds[at + 1])
        if not self.plain:
            return self._coded(self.codes[first:stop])
        if self._rows is None:
            there = np.packbits(self.codes > NULL, bitorder="little")
            parts = [pa.py_buffer(there), pa.py_buffer(self._views.view("V16")[:, 0][self.codes])]
            self._rows = pa.Array.from_buffers(pa.string_view(), len(self.codes), [*parts, *self._texts.buffers()[2:]])
        return self._rows.slice(first, stop - first)

    def _coded(self, codes: Codes) -> pa.Array:
        there = codes > NULL
        used, at = np.unique(codes[there], return_inverse=True)
        place = np.zeros(len(codes), np.int32)
        place[there] = at
        parts = [None, pa.py_buffer(self._views.view("V16")[:, 0][used]), *self._texts.buffers()[2:]]
        texts = pa.Array.from_buffers(pa.string_view(), len(used), parts).cast(pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(place, mask=~there), texts, safe=False)


def _dictionary(index: Any, values: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(values, pa.string()))


class _Shapes:
    """What columns of text cannot tell of a record: which of its fields are lists, and which hold JSON's null."""

    def __init__(self, size: int) -> None:
        self._at = np.zeros(size, np.int64)
        self._known: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), ())]

    def add(self, name: str, column: _Coded, codes: Codes) -> None:
        lists = np.zeros(column.size, bool)
        lists[list(column.lists)] = True
        for which, rows in ((0, lists[codes]), (1, codes == NULL)):
            if rows.any():
                self._mark(name, which, rows)

    def _mark(self, name: str, which: int, rows: Any) -> None:
        for shape in np.unique(self._at[rows]).tolist():
            old = self._known[shape]
            new = (old[0] + (name,), old[1]) if which == 0 else (old[0], old[1] + (name,))
            self._at[rows & (self._at == shape)] = len(self._known)
            self._known.append(new)

    def column(self) -> pa.Array:
        texts = [msgspec.json.encode(one).decode() for one in self._known]
        return pa.DictionaryArray.from_arrays(
            pa.array(self._at.astype(np.int32), mask=self._at == ABSENT), pa.array(texts, pa.string())
        )
