"""A JSON log that a portal or PowerShell turned to delimited text in, Events out: the reader of both forms.

Purview, Entra's portal, Log Analytics and `Export-Csv` write records as rows below a header (RFC 4180); objects in
them are JSON text in a cell. A row is read as the record that it was, under the names of the JSON form. An empty cell
is no value. `Export-Csv` may write a `#TYPE` line first, Log Analytics ` [UTC]` behind the name of a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, NamedTuple

from tocsin.collect import cells, times
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder, text_of
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.lines import LineDecoder, Parsed
from tocsin.collect.one_record import reading_of
from tocsin.collect.records import Tally
from tocsin.collect.streams import peek, read_fully
from tocsin.model.event import NO_TIME

_HEADER: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:#TYPE [^\r\n]{0,400}\r?\n)?([^\r\n{\[][^\r\n]{8,8000})(?:\r?\n|\Z)")
_IN_UTC: Final = re.compile(r" ?\[UTC\]$")
# As Log Analytics shows times: the month first.
_SHOWN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,7}))? ([AP])M", re.ASCII)


class _Header(NamedTuple):
    delimiter: str
    columns: tuple[str, ...]
    names: tuple[str, ...]


class Exported:
    """A JSON log, also as delimited text.

    Args:
        forms: columns that tell an export by their names -> other names for its columns. What tells the JSON form
            by its keys tells an export, too.
    """

    def __init__(self, log: JsonLog, forms: Mapping[frozenset[str], Mapping[str, str]]) -> None:
        self._log = log
        self._forms: dict[frozenset[str], Mapping[str, str]] = {**forms, **{keys: {} for keys in log.keys}}
        self._header: Callable[[bytes], _Header | None] = lru_cache(maxsize=64)(self._header_of)

    def sniff(self, head: bytes) -> bool:
        return self._log.sniff(head) or self._found(head) is not None

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return [(0, size)] if self._found(head) else self._log.ranges(head, size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        if start or stop is not None:
            yield from self._log.cut(file, start, stop, block_bytes)
            return
        again, head = peek(file)
        found = self._found(head)
        header = self._header(found[1]) if found else None
        if found is None or header is None:
            yield from self._log.cut(again, 0, None, block_bytes)
            return
        read_fully(again, found.end())
        for block in cells.cut(again, found.end(), block_bytes, header.delimiter, len(header.columns)):
            yield replace(block, head=found[1])

    def decoder(self, projection: frozenset[str] | None) -> _Either:
        return _Either(self, self._log, projection)

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        if not header:
            return self._log.fields(record, header)
        parsed = self.parse(record.decode("utf-8", "replace"), header, Clock())
        return parsed.fields if isinstance(parsed, Parsed) else {}

    def parse(self, text: str, head: bytes, clock: Clock) -> Parsed | str | None:
        """Read one row below its header."""
        header = self._header(head)
        if header is None:
            return cells.MISFIT
        found = cells.cells_of(text, header.delimiter)
        if found == list(header.columns) or not any(found):
            return None  # the header once more, where files were joined
        if len(found) != len(header.columns):
            return cells.MISFIT
        record: Record = {name: cell for name, cell in zip(header.names, found, strict=True) if cell}
        self._log.mend(record)
        told, time = reading_of(record, self._log.naming)
        return Parsed(_time(time), {name: text_of(value) for name, value in told})

    def _found(self, head: bytes) -> re.Match[bytes] | None:
        found = _HEADER.match(head)
        return found if found and self._header(found[1]) else None

    def _header_of(self, line: bytes) -> _Header | None:
        text = line.decode("utf-8", "replace")
        for wanted, names in self._forms.items():
            delimiter = cells.delimiter_of(text, wanted)
            columns = cells.cells_of(text, delimiter)
            plain = [_IN_UTC.sub("", column.strip()) for column in columns]
            if wanted <= set(plain) and len(set(plain)) == len(plain):
                return _Header(delimiter, tuple(columns), tuple(names.get(name, name) for name in plain))
        return None


class _Either:
    """Reads rows and JSON: only blocks of rows have a header."""

    def __init__(self, exported: Exported, log: JsonLog, projection: frozenset[str] | None) -> None:
        self._rows, self._json = LineDecoder(exported.parse, projection), log.decoder(projection)

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        (self._rows if block.head else self._json).read(block, table, tally)

    def flush(self, table: TableBuilder) -> None:
        self._json.flush(table)


def _time(value: Any) -> int:
    ts = times.one(value)
    found = _SHOWN.fullmatch(value) if ts == NO_TIME and type(value) is str else None
    if found is None:
        return ts
    month, day, year, hour, minute, second = map(int, found.groups()[:6])
    hour = hour % 12 + (12 if found[8] == "P" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")[:6]), tzinfo=UTC)
    except ValueError:
        return NO_TIME
    return Clock().local(moment)
