"""Events in, Parquet files of one day each out, with every field, the raw record and where it came from.

A file is written whole before any table knows it. What it is called is told by the batch that wrote it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tocsin.lake.names import OWN, column_of
from tocsin.model.event import ABSENT, NO_TIME, NULL, Column, Events, Longs, Texts

UNDATED: Final = ""  # the day of records without a time that a calendar has
DAY_US: Final = 86_400_000_000
MOST_DAYS: Final = 2_000  # of one table of events: whoever makes up times makes no more files than that

_FIRST_DAY, _LAST_DAY = -134_774, 2_932_896  # 1601-01-01 and 9999-12-31, in days since 1970
_FOLDER_OF_UNDATED: Final = "__HIVE_DEFAULT_PARTITION__"  # as Hive, Spark and Delta call it
_ROWS: Final = 65_536  # of a row group: what is read to look at one record
_ZSTD: Final = 3
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
    arrow = _Columns(events, batch, digests, columns)
    for day, rows in _days(events.ts):
        name = f"{folder_of(day)}/{batch}-{number:04}.parquet"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table = arrow.table(rows)
        digest = save(path, table)
        yield part_of(events.kind, name, day, events.ts[rows], path, digest, table.column_names), rows


def save(path: Path, table: pa.Table, plain: Sequence[str] = PLAIN) -> str:
    """Write a file, and see that it outlasts a power cut; gives its SHA-256."""
    coded = [name for name in table.column_names if name not in plain]
    with path.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            compression_level=_ZSTD,
            use_dictionary=coded,
            row_group_size=_ROWS,
            store_schema=False,
            write_statistics=["_ts"],
            dictionary_pagesize_limit=16 << 20,
        )
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def _days(ts: Longs) -> Iterator[tuple[str, Longs]]:
    """Rows of each day, days in order; the undated last."""
    days = np.where(ts == NO_TIME, _LAST_DAY + 1, ts // DAY_US)
    days = np.where((days < _FIRST_DAY) | (days > _LAST_DAY), _LAST_DAY + 1, days)
    distinct, at, count = np.unique(days, return_inverse=True, return_counts=True)
    if len(distinct) > MOST_DAYS:
        kept = np.argsort(-count, kind="stable")[:MOST_DAYS]
        days = np.where(np.isin(at, kept), days, _LAST_DAY + 1)
        distinct, at = np.unique(days, return_inverse=True)
    order = np.argsort(at, kind="stable")
    bounds = np.searchsorted(at[order], np.arange(len(distinct) + 1))
    for place, day in enumerate(distinct.tolist()):
        rows = np.sort(order[bounds[place] : bounds[place + 1]])
        yield (UNDATED if day > _LAST_DAY else day_text(day)), rows


class _Columns:
    """A table of events as columns of Arrow, for any of its rows."""

    def __init__(self, events: Events, batch: str, digests: Mapping[str, str], columns: Mapping[str, str]) -> None:
        self.events = events
        self._raw = events.raw.to_arrow()
        self._texts: dict[int, pa.Array] = {}
        taken = dict(columns)
        self._named: list[tuple[str, Column]] = []
        for field, column in sorted(events.columns.items()):
            name = column_of(field, taken)
            taken[name.lower()] = field
            self._named.append((name, column))
        files = [source.file or source.path for source in events.sources]
        self._constants = {
            "_src": [digests.get(file, "") for file in files],
            "_file": files,
            "_path": [source.path for source in events.sources],
        }
        self._batch = batch
        self._host = events.hosts()

    def table(self, rows: Longs) -> pa.Table:
        events = self.events
        ts = events.ts[rows]
        source = events.src[rows]
        one = np.zeros(len(rows), np.int32)
        made: dict[str, Any] = {
            "_ts": pa.array(ts, mask=ts == NO_TIME).cast(pa.timestamp("us", "UTC")),
            "_host": self._coded(self._host, rows) if self._host else pa.nulls(len(rows), pa.string()),
            "_kind": _dictionary(one, [events.kind]),
            "_raw": self._raw.take(pa.array(rows)),
            **{name: _dictionary(source, values) for name, values in self._constants.items()},
            "_rec": pa.array(events.rec[rows]),
            "_chunk": pa.array(events.chunk[rows]),
            "_ingest": _dictionary(one, [self._batch]),
        }
        shapes = _Shapes(len(rows))
        for name, column in self._named:
            codes = column.codes[rows]
            shapes.add(name, column, codes)
            if (codes > NULL).any():
                made[name] = self._coded(column, rows)
        made["_shape"] = shapes.column()
        return pa.table(made)

    def _coded(self, column: Column, rows: Longs) -> pa.Array:
        """With the values that these rows have, and no others."""
        texts = self._texts.get(id(column))
        if texts is None:
            values = column.values
            texts = values.arrow if isinstance(values, Texts) else pa.array(values[2:], pa.string())
            self._texts[id(column)] = texts
        codes = column.codes[rows]
        used = np.zeros(len(texts) + 2, bool)
        used[codes] = True
        used[:2] = False
        place = np.cumsum(used) - 1
        index = pa.array(place[codes].astype(np.int32), mask=codes <= NULL)
        return pa.DictionaryArray.from_arrays(index, texts.take(pa.array(np.flatnonzero(used) - 2)), safe=False)


def _dictionary(index: Any, values: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(values, pa.string()))


class _Shapes:
    """What columns of text cannot tell of a record: which of its fields are lists, and which hold JSON's null."""

    def __init__(self, size: int) -> None:
        self._at = np.zeros(size, np.int64)
        self._known: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), ())]

    def add(self, name: str, column: Column, codes: Any) -> None:
        lists = np.zeros(len(column.values), bool)
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
