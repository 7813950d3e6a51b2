"""A log in, flat events out: every leaf of a record as text under one name, for the SQLite baseline.

Written apart from Tocsin's readers on purpose, so that each can check the other. A list is its JSON text,
a boolean `true` or `false`, JSON null None. A field of EventData or UserData with the name of one in System
(`Channel` of event 104) does not overwrite it. A damaged EVTX record is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from evtx import PyEvtxParser

Event = dict[str, str | None]

REC = "_rec"  # record id (EVTX) or byte offset of the line

_MAX_DAMAGED = 10_000  # of one file: more, and the library may be going in circles
_BARE = frozenset({"event_data", "EventData", "user_data", "UserData"})
_NAMES = {  # of older and newer Winlogbeat
    "event_id": "EventID",
    "log_name": "Channel",
    "channel": "Channel",
    "computer_name": "Computer",
    "source_name": "Provider_Name",
    "provider_name": "Provider_Name",
}
_COPIES = (("Hostname", "Computer"), ("SourceName", "Provider_Name"))  # of NXLog and flattened events


def read_flat(path: Path) -> Iterator[Event]:
    """Read EVTX or JSON lines, told apart by content; every leaf of a record becomes a field.

    Raises:
        ValueError: a line is not a JSON object.
    """
    with path.open("rb") as file:
        magic = file.read(8)
    return _read_evtx(path) if magic == b"ElfFile\0" else _read_lines(path)


def _read_evtx(path: Path) -> Iterator[Event]:
    records: Iterator[Any] = PyEvtxParser(str(path), number_of_threads=1).records_json()
    damaged = 0
    while True:
        try:
            record = next(records, None)
        except RuntimeError:  # this record is damaged; the next may not be
            damaged += 1
            if damaged > _MAX_DAMAGED:
                raise
            continue
        if record is None:
            return
        event = _nested(orjson.loads(record["data"])["Event"])
        event[REC] = str(record["event_record_id"])
        yield event


def _read_lines(path: Path) -> Iterator[Event]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isspace():
                record = orjson.loads(line)
                if not isinstance(record, dict):
                    raise ValueError(f"{path}: at byte {offset}: not a JSON object")
                nested = record.get("Event")
                event = _nested(nested) if isinstance(nested, dict) else _flat(record)
                event[REC] = str(offset)
                yield event
            offset += len(line)


def _nested(record: Mapping[str, Any]) -> Event:
    """Flatten an event as the evtx library and evtx_dump write it: System, then EventData or UserData."""
    event: Event = {}
    for name, value in record.get("System", {}).items():
        if isinstance(value, dict):
            attributes = value.get("#attributes") or {}
            event.update({f"{name}_{key}": _text(leaf) for key, leaf in attributes.items()})
            if "#text" in value:
                event[name] = _text(value["#text"])
        else:
            event[name] = _text(value)
    for name, value in record.items():
        if name not in ("System", "#attributes"):
            _leaves(name, value, event)
    return event


def _leaves(name: str, value: object, event: Event) -> None:
    """Put leaves under their own names, whatever they are nested in; XML attributes are left out."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key != "#attributes":
                _leaves(name if key == "#text" else key, child, event)
    else:
        event.setdefault(name, _text(value))


def _flat(record: Mapping[str, Any]) -> Event:
    """Flatten an event of a log shipper: event data under bare names, the rest under joined names."""
    event: Event = {}
    _joined("", record, event)
    for old, new in _COPIES:
        if old in event:
            event.setdefault(new, event[old])
    return event


def _joined(prefix: str, record: Mapping[str, Any], event: Event) -> None:
    for key, value in record.items():
        if not isinstance(value, dict):
            name = prefix + key if prefix else _NAMES.get(key, key)
            event[name] = value if isinstance(value, str) else _text(value)
        elif key in _BARE:
            _leaves(key, value, event)
        else:
            _joined(prefix if key == "winlog" else f"{prefix}{key}_", value, event)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return orjson.dumps(value).decode()
    return str(value)
