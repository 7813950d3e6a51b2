"""systemd's journal in, Events out, under its own names and those of syslog: its export format, or its JSON.

After "Journal Export Formats" of systemd (`journalctl -o export`, `-o json`, `-o json-pretty`, and what
systemd-journal-upload sends) and systemd.journal-fields(7). `program`, `pid`, `host`, `message`, `facility` and
`severity` are what the journal calls `SYSLOG_IDENTIFIER`, `_PID`, `_HOSTNAME`, `MESSAGE`, `SYSLOG_FACILITY` and
`PRIORITY`. A field that comes twice is a list; what is not text is read as far as it is. Messages of sudo, of the
packet filter, of the audit system and of Sysmon for Linux hold fields of their own (`collect/messages.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from tocsin.collect import documents, messages, syslog
from tocsin.collect.block import Block
from tocsin.collect.columns import TableBuilder
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.layouts import Layouts
from tocsin.collect.naming import Dotted
from tocsin.collect.one_record import fields_of, reading_of
from tocsin.collect.records import FLUSH_ROWS, JsonDecoder, Tally, decode
from tocsin.collect.slices import Slices
from tocsin.collect.streams import peek

NAME = "journald"
KIND = "linux"

_TIMES: Final = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
_EXPORT: Final = re.compile(rb"\n*__CURSOR=[^\n]*\n__REALTIME_TIMESTAMP=\d{1,20}\n")
_NAME: Final = re.compile(rb"[A-Z0-9_]{1,128}")
_END: Final = "entry that is cut off"
_NO_FIELD: Final = "line that is no field"
_TOO_MANY: Final = "entry of more than 1,024 fields, read so far"
_MOST_FIELDS: Final = 1_024  # of an entry; systemd's own limit


def _shape(record: Record) -> None:
    for name, value in record.items():
        if type(value) is list:
            record[name] = _as_text(value)
    for name in _TIMES:
        text = record.get(name)
        if type(text) is str and text.isascii() and text.isdigit() and len(text) < 19:  # a long
            record[name] = int(text)
    named = {
        "program": _first(record, "SYSLOG_IDENTIFIER", "_COMM"),
        "pid": _first(record, "SYSLOG_PID", "_PID"),
        "host": _first(record, "_HOSTNAME"),
        "message": _first(record, "MESSAGE"),
        "facility": _keyword(syslog.FACILITIES, _first(record, "SYSLOG_FACILITY")),
        "severity": _keyword(syslog.SEVERITIES, _first(record, "PRIORITY")),
    }
    told = messages.told(named["program"], named["message"] or "")
    for name, value in (*told.fields.items(), *named.items()):
        if value is None:
            continue
        while name in record:
            name += "_"
        record[name] = list(value) if isinstance(value, tuple) else value


def _as_text(value: list[Any]) -> Any:
    """What is not text comes as a list of bytes; fields that come twice as a list of texts or of such lists."""
    if value and all(type(code) is int and 0 <= code < 256 for code in value):  # bytes
        return bytes(value).decode("utf-8", "replace")
    return [_as_text(one) if type(one) is list else one for one in value]


def _first(record: Record, *names: str) -> str | None:
    for name in names:
        value = record.get(name)
        value = value[0] if type(value) is list and value else value
        if type(value) is str:
            return value
    return None


def _keyword(words: tuple[str, ...], number: str | None) -> str | None:
    known = number is not None and number.isascii() and number.isdigit() and int(number[:4]) < len(words)
    return words[int(number)] if known and number else number


_LOG: Final = JsonLog(
    naming=Dotted(times=_TIMES),
    keys=(
        frozenset({"__REALTIME_TIMESTAMP", "__CURSOR"}),
        frozenset({"__REALTIME_TIMESTAMP", "_BOOT_ID"}),
        frozenset({"_SYSTEMD_UNIT", "_BOOT_ID", "MESSAGE"}),
    ),
    shape=_shape,
)


def sniff(head: bytes) -> bool:
    return _EXPORT.match(head) is not None or _LOG.sniff(head)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return [(0, size)] if _EXPORT.match(head) else _LOG.ranges(head, size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start or stop is not None:
        return _LOG.cut(file, start, stop, block_bytes)
    again, head = peek(file)
    return _cut_entries(again, block_bytes) if _EXPORT.match(head) else _LOG.cut(again, 0, None, block_bytes)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    return fields_of(_record(record), _LOG.naming)


def _record(raw: bytes) -> Record:
    record = decode(raw) if raw.lstrip().startswith(b"{") else _entry(raw)[0]
    _shape(record)
    return record


class _Decoder:
    """Reads blocks of JSON as others do, and blocks of entries."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._layouts = Layouts(_LOG.naming, projection, lambda raw: reading_of(_record(raw), _LOG.naming))
        self._json = JsonDecoder(self._layouts, _shape)
        self._waiting = 0

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        if block.head != _ENTRIES:
            self._json.read(block, table, tally)
            return
        spans = np.array(block.spans, np.int64).reshape(-1, 2)
        if not len(spans):
            return
        records = []
        for start, stop in spans.tolist():
            record, mended = _entry(block.data[start:stop])
            _shape(record)
            records.append(record)
            if mended:
                tally.mended[mended] += 1
        slices = Slices(block.data, spans[:, 0], spans[:, 1], block.head)
        first = table.extend(spans[:, 0] + block.offset, np.full(len(spans), -1, np.int64), slices)
        self._layouts.add(records, range(first, first + len(records)))
        self._waiting += len(records)
        if self._waiting >= FLUSH_ROWS or self._layouts.is_crowded:
            self.flush(table)

    def flush(self, table: TableBuilder) -> None:
        self._json.flush(table)
        self._waiting = 0


_ENTRIES: Final = b"export"


def decoder(projection: frozenset[str] | None) -> _Decoder:
    return _Decoder(projection)


def _cut_entries(file: BinaryIO, block_bytes: int) -> Iterator[Block]:
    """Blocks with the span of each entry: entries end with an empty line that stands in no field's bytes."""
    data, offset = b"", 0
    while True:
        fresh = file.read(block_bytes)
        data += fresh
        spans, rest = _spans(data)
        damaged: Counter[str] = Counter()
        if not fresh and rest < len(data) and data[rest:].strip():
            spans.append((rest, len(data)))
            rest = len(data)
        elif len(data) - rest > documents.MAX_RECORD_BYTES:
            damaged["entry longer than 16 MiB"] += 1
            rest = len(data)
        if spans or damaged:
            yield Block(data=data[:rest], offset=offset, head=_ENTRIES, spans=tuple(spans), damaged=damaged)
        if not fresh:
            return
        offset, data = offset + rest, data[rest:]


def _spans(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """Spans of whole entries, and where the first that is not whole begins."""
    spans, begin, at = list[tuple[int, int]](), 0, 0
    while (end := data.find(b"\n", at)) >= 0:
        if end == at:
            if at > begin:
                spans.append((begin, at - 1))
            begin = at = end + 1
        elif data.find(b"=", at, end) >= 0 or not _NAME.fullmatch(data, at, end):
            at = end + 1
        else:  # the field's size follows, and its bytes
            at = end + 9 + int.from_bytes(data[end + 1 : end + 9], "little") + 1
            if at > len(data):
                break
    return spans, begin


def _entry(raw: bytes) -> tuple[Record, str]:
    """The fields of an entry, and what is amiss."""
    several: dict[str, list[str]] = {}
    at, mended = 0, ""
    while at < len(raw):
        if len(several) >= _MOST_FIELDS:
            return _told_once(several), _TOO_MANY
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end
        name, mark, value = raw[at:end].partition(b"=")
        at = end + 1
        if not mark and _NAME.fullmatch(name):
            size = int.from_bytes(raw[at : at + 8], "little")
            value = raw[at + 8 : at + 8 + size]
            mended = mended or (_END if len(value) < size else "")
            at += 8 + size + 1
        elif not mark:
            mended = mended or (_NO_FIELD if name else "")
            continue
        several.setdefault(name.decode("utf-8", "replace"), []).append(value.decode("utf-8", "replace"))
    return _told_once(several), mended


def _told_once(several: dict[str, list[str]]) -> Record:
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in several.items()}
