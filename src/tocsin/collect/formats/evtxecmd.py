"""Windows events as EvtxECmd writes them in, Events out: its CSV, which KAPE leaves behind, and its JSON lines.

After the manual of EvtxECmd 1.5 and the columns of its `EventRecord`. The fields of an event stand as JSON in
`Payload`: they come out under their own names, as from the log itself. `Payload` stays where it cannot be understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, BinaryIO, Final

import orjson

from tocsin.collect import cells
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder, text_of
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.lines import LineDecoder, Parsed
from tocsin.collect.naming import Dotted
from tocsin.collect.records import JsonDecoder, Tally
from tocsin.collect.streams import peek, read_fully
from tocsin.collect.times import one

NAME = "evtxecmd"
KIND = "windows"

_HEADER: Final = re.compile(rb"(?:\xef\xbb\xbf)?(RecordNumber,EventRecordId,TimeCreated,EventId,[^\r\n]{1,2000})\r?\n")
_ENVELOPE: Final = {
    "EventId": "EventID",
    "EventRecordId": "EventRecordID",
    "Provider": "Provider_Name",
    "ProcessId": "Execution_ProcessID",
    "ThreadId": "Execution_ThreadID",
    "Channel": "Channel",
    "Computer": "Computer",
    "Level": "Level",
    "TimeCreated": "TimeCreated",
}
_LEVELS: Final = {
    "LogAlways": "0",
    "Critical": "1",
    "Error": "2",
    "Warning": "3",
    "Info": "4",
    "Information": "4",
    "Informational": "4",
    "Verbose": "5",
}


def _shape(record: Record) -> None:
    payload = record.get("Payload")
    found = _payload(payload) if type(payload) is str and payload[:1] == "{" else {}
    told = dict(record)
    if found:
        del told["Payload"]
    record.clear()
    for name, inner in _ENVELOPE.items():
        if name in told:
            record[inner] = told.pop(name)
    level = record.get("Level")
    if type(level) is str:
        record["Level"] = _LEVELS.get(level, level)
    for name, value in found.items():
        record[f"EventData.{name}" if name in record else name] = value
    for name, value in told.items():  # the columns of EvtxECmd's own
        while name in record:
            name += "_"
        record[name] = value


def _payload(text: str) -> Record:
    """The fields of an event, by their names."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    event = whole.get("EventData")
    if type(event) is dict:
        data = event.get("Data")
        found: Record = {name: value for name, value in event.items() if name != "Data" and name[:1] != "@"}
        unnamed = []
        for part in data if type(data) is list else [data]:
            if type(part) is dict and type(part.get("@Name")) is str:
                found[part["@Name"]] = part.get("#text", "")
            elif part is not None:
                unnamed.append(part.get("#text", "") if type(part) is dict else part)
        if unnamed:
            found["Data"] = unnamed if len(unnamed) > 1 else unnamed[0]
        return found
    user = whole.get("UserData")
    return dict(_leaves(user)) if type(user) is dict else {}


def _leaves(node: Record) -> Iterator[tuple[str, Any]]:
    """What stands in the one object of `UserData`, and below that with the keys on the way."""
    for inner in node.values():
        for name, value in inner.items() if type(inner) is dict else ():
            if name[:1] != "@":
                yield name, value


_LOG: Final = JsonLog(
    naming=Dotted(times=("TimeCreated",)),
    keys=(frozenset({"EventRecordId", "HiddenRecord", "ExtraDataOffset", "SourceFile", "Channel"}),),
    shape=_shape,
)


def sniff(head: bytes) -> bool:
    return _HEADER.match(head) is not None or _LOG.sniff(head)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return [(0, size)] if _HEADER.match(head) else _LOG.ranges(head, size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start or stop is not None:
        yield from _LOG.cut(file, start, stop, block_bytes)
        return
    again, head = peek(file)
    header = _HEADER.match(head)
    if header is None:
        yield from _LOG.cut(again, 0, None, block_bytes)
        return
    read_fully(again, header.end())
    for block in cells.cut(again, header.end(), block_bytes, ",", len(_columns(header[1]))):
        yield replace(block, head=header[1])


def decoder(projection: frozenset[str] | None) -> _Decoder:
    return _Decoder(projection)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    if not header:
        return _LOG.fields(record, header)
    parsed = _parse(record.decode("utf-8", "replace"), header, Clock())
    return parsed.fields if isinstance(parsed, Parsed) else {}


class _Decoder:
    """Reads either form: only blocks of CSV have a header."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._csv = LineDecoder(_parse, projection)
        self._json: JsonDecoder = _LOG.decoder(projection)

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        (self._csv if block.head else self._json).read(block, table, tally)

    def flush(self, table: TableBuilder) -> None:
        self._json.flush(table)


@lru_cache(maxsize=16)
def _columns(header: bytes) -> list[str]:
    return cells.cells_of(header.decode("utf-8", "replace"), ",")


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    columns, found = _columns(header), cells.cells_of(text, ",")
    if found == columns:
        return None  # once more, where files were joined
    if len(found) != len(columns):
        return cells.MISFIT
    record: Record = {name: cell for name, cell in zip(columns, found, strict=True) if cell}
    ts = one(record.get("TimeCreated"))
    _shape(record)
    return Parsed(ts, {name: text_of(value) for name, value in record.items()})
