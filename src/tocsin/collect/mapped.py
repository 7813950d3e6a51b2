"""A mapping in, a reader of the log that it is about out; readers that only one run knows are tried before others."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import orjson

from tocsin.collect import cells, documents, json_logs
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.layouts import Layouts
from tocsin.collect.mapped_csv import MappedCsv
from tocsin.collect.naming import Dotted
from tocsin.collect.reader import Reader
from tocsin.collect.records import JsonDecoder, Tally
from tocsin.collect.told_times import ToldTimes, constants_of
from tocsin.model.event import Longs
from tocsin.model.kind import kind_of
from tocsin.model.mapping import LogMapping

_JOINED = "_time"  # what a time of several fields is called
_COLUMN: Final = re.compile(r"[A-Za-z_@#$][\w@#$./:()-]{0,63}(?: [\w./:()-]{1,63}){0,3}")  # as people name one


def reader(mapping: LogMapping) -> Reader:
    """A reader that gives a log's events the kind and the names of a mapping."""
    return MappedJson(mapping) if mapping.format == "json" else MappedCsv(mapping)


class MappedJson:
    """JSON lines, documents, or an array of them."""

    def __init__(self, mapping: LogMapping) -> None:
        self.NAME, self.KIND = mapping.name, mapping.kind
        self._mapping = mapping
        self._regex = re.compile(mapping.regex.encode())
        names = dict(mapping.fields)
        if mapping.host:
            host = kind_of(mapping.kind).host
            names[mapping.host] = tuple(dict.fromkeys((*names.get(mapping.host, ()), host)))
        also: dict[str, list[str]] = {}
        for path, given in names.items():
            for name in given:
                also.setdefault(name, []).append(path)
        times: Sequence[str] = ()
        if mapping.time:
            times = (_JOINED,) if mapping.time.joined else mapping.time.fields
        self._log = JsonLog(
            # A value has the first name instead of its own, an object besides its keys: both as Sigma's rules ask.
            naming=Dotted(times=times, names={path: given[0] for path, given in names.items()}, also=also),
            keys=(),
            inner=mapping.inside,
            shape=self._shape,
        )
        self.fields = self._log.fields

    def sniff(self, head: bytes) -> bool:
        seen = json_logs.keys_of(head)
        known = all(key in seen or set(key.split(".")) <= seen for key in self._mapping.keys)
        return bool(seen) and known and self._regex.search(head.removeprefix(b"\xef\xbb\xbf")) is not None

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return self._log.ranges(head, size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        return self._log.cut(file, start, stop, block_bytes)

    def decoder(self, projection: frozenset[str] | None) -> _Decoder:
        return _Decoder(self._mapping, self._log, projection)

    def _shape(self, record: Record) -> None:
        for name, value in constants_of(self._mapping).items():
            record.setdefault(name, value)
        time = self._mapping.time
        if time and time.joined:
            parts = [_at(record, path) for path in time.fields]
            if all(type(part) in (str, int) for part in parts):
                record.setdefault(_JOINED, " ".join(map(str, parts)))


class _Decoder:
    """A decoder of JSON that reads times as the mapping tells, and counts those without a zone."""

    def __init__(self, mapping: LogMapping, log: JsonLog, projection: frozenset[str] | None) -> None:
        self._told = ToldTimes(mapping.time) if mapping.time else None
        self._tally = Tally()
        layouts = Layouts(log.naming, projection, log.reading, times=self._times)
        self._inner = JsonDecoder(layouts, log.shape)

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        self._tally = tally  # of the one source whose records wait
        self._inner.read(block, table, tally)

    def flush(self, table: TableBuilder) -> None:
        self._inner.flush(table)

    def _times(self, values: Sequence[Any], clock: Clock) -> Longs:
        assert self._told  # without one no record is timed
        ts, assumed = self._told.read(values, clock)
        if assumed:
            self._tally.mended[ZONE_ASSUMED] += assumed
        return ts


def _at(record: Any, path: str) -> Any:
    if type(record) is dict and path in record:
        return record[path]
    for key in path.split("."):
        record = record.get(key) if type(record) is dict else None
    return record


def wanted_by_a_mapping(head: bytes) -> str:
    """The format that a mapping could tell how to read; '' if this is neither JSON nor CSV."""
    if documents.may_be_records(head):
        first = next((line for line in head.split(b"\n") if line.lstrip().startswith((b"{", b"["))), b"")
        return "JSON" if _is_json(first) or first.strip() in (b"[", b"{", b"[{") else ""
    return "CSV" if _is_table(head) else ""


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return line.rstrip().endswith((b",", b"{", b"[")) or len(line) > documents.MAX_RECORD_BYTES >> 10
    return True


def _is_table(head: bytes) -> bool:
    """Whether the first lines have as many cells each, or names of columns stand above the first of few rows."""
    if b"\0" in head:
        return False
    lines = [line.decode("utf-8", "replace") for line in head.removeprefix(BOM_UTF8).split(b"\n")[:6] if line.strip()][
        :5
    ]
    for mark in (",", ";", "\t"):
        first, *rest = ([cell.strip() for cell in cells.cells_of(line.rstrip("\r"), mark)] for line in lines)
        alike = sum(len(row) == len(first) for row in rest)
        if len(first) > 2 and len(rest) > 1 and alike == len(rest):
            return True
        named = len(set(first)) == len(first) > 1 and all(_COLUMN.fullmatch(cell) for cell in first)
        if named and (alike or (len(first) > 2 and not rest)):
            return True
    return False
