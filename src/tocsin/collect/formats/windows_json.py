"""Windows events exported as JSON in, Events out: lines, arrays and documents of every tool that people use."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.layouts import Layouts
from tocsin.collect.one_record import Reading, fields_of, reading_of
from tocsin.collect.records import JsonDecoder, decode
from tocsin.collect.windows import WindowsNaming

NAME = "windows_json"
KIND = "windows"

_EVENT_ID = re.compile(rb'"(?:EventID|EventId|event_id|Id|event\.code)"\s*:')
_PROVIDER = re.compile(
    rb'"(?:Channel|LogName|log_name|channel|Provider|ProviderName|provider_name|SourceName|source_name'
    rb'|EventSourceName|event_data|EventData|winlog|ProviderGuid)"\s*:'
)
_FOLDED = "EventData"  # Azure Log Analytics keeps it as text: JSON in one table, XML in another
_XML_FIELD = re.compile(r'<Data(?:\s+Name="([^"]*)")?\s*(?:/>|>([^<]*)</Data>)')


def sniff(head: bytes) -> bool:
    return bool(documents.may_be_records(head) and _EVENT_ID.search(head) and _PROVIDER.search(head))


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return documents.ranges(head, size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    return documents.cut(file, start, stop, block_bytes)


def decoder(projection: frozenset[str] | None) -> JsonDecoder:
    return JsonDecoder(Layouts(WindowsNaming(), projection, _reading), _unfold, folded=_FOLDED)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    return fields_of(_unfolded(record), WindowsNaming())


def _reading(record: bytes) -> Reading:
    return reading_of(_unfolded(record), WindowsNaming())


def _unfolded(record: bytes) -> dict[str, Any]:
    values = decode(record)
    if isinstance(values.get(_FOLDED), str):
        _unfold(values)
    return values


def _unfold(record: dict[str, Any]) -> None:
    text = record[_FOLDED]
    if text.startswith("{"):
        try:
            inner = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        if isinstance(inner, dict) and inner:
            record[_FOLDED] = inner
    elif text.startswith("<"):
        found = [(html.unescape(name), html.unescape(value)) for name, value in _XML_FIELD.findall(text)]
        named: dict[str, Any] = {name: value for name, value in found if name}
        unnamed = [value for name, value in found if not name]
        if unnamed:
            named["Data"] = unnamed
        if named:
            record[_FOLDED] = named
