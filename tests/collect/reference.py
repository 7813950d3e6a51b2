"""A second, plain reading of JSON records, to hold the real one against: no layouts, no columns, no names of Sigma."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from tocsin.model.event import ABSENT, Events

Path = tuple[str, ...]
Text = str | tuple[str, ...] | None

DEEPEST = 12  # objects under more keys than this stay one value


def parsed(raw: bytes) -> dict[str, Any]:
    """One JSON object; numbers past 64 bits are floats, as in most programs that read JSON."""
    value = json.loads(raw, parse_int=_integer)
    assert isinstance(value, dict)
    return value


def _integer(digits: str) -> int | float:
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value and len(path) <= DEEPEST:
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    else:
        yield path, value


def canonical(value: Any) -> Text:
    """A list gives a text for each element that is not null."""
    if isinstance(value, list):
        return tuple(_text(element) for element in value if element is not None)
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return repr(value)


def texts(record: Mapping[str, Any]) -> Counter[Text]:
    """How often each canonical text stands in a record, under whatever key."""
    return Counter(canonical(value) for path, value in leaves(record) if path)


def row_of(events: Events, row: int) -> dict[str, Text]:
    """One record as its columns tell it."""
    fields: dict[str, Text] = {}
    for name, column in events.columns.items():
        code = int(column.codes[row])
        if code != ABSENT:
            fields[name] = column.lists.get(code, column.values[code])
    return fields


def rows_of(tables: Iterable[Events]) -> list[dict[str, Text]]:
    return [row_of(events, row) for events in tables for row in range(len(events))]
