"""A lake in, its records as lines of JSON out: every field, the record as it stood in its log, and where it came from.

Lists are lists again, and null is null; what no field tells begins with `_`, as the columns of the tables do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np

from tocsin.lake import asking
from tocsin.lake.names import column_of
from tocsin.lake.parts import Part
from tocsin.lake.reading import Opened
from tocsin.lake.store import Lake
from tocsin.model.event import NO_TIME, NULL, Events


def write(
    lake: Lake,
    file: BinaryIO,
    *,
    kind: str = "",
    host: str = "",
    since_us: int | None = None,
    until_us: int | None = None,
    told: Callable[[str, int, int], None] = lambda what, at, of: None,
) -> int:
    """Write the records of a kind ('': of all), of a host and of a time, by day; gives how many."""
    parts = asking.window(lake.state.parts.values(), since_us, until_us).values()
    chosen = sorted(
        (part for part in parts if kind in ("", part.kind)), key=lambda part: (part.day, part.kind, part.path)
    )
    encode, count = msgspec.json.Encoder().encode, 0
    for at, part in enumerate(chosen):
        told(f"{part.kind} {part.day}", at, len(chosen))
        for record in _records(lake, part, host, since_us, until_us):
            file.write(encode(record) + b"\n")
            count += 1
    return count


def _records(lake: Lake, part: Part, host: str, since_us: int | None, until_us: int | None) -> Iterator[dict[str, Any]]:
    for _, events in Opened(part, lake.part_path(part)).events(None):
        hosts = events.hosts()
        for row in range(len(events)):
            ts = int(events.ts[row])
            where = hosts.text(row) if hosts else None
            outside = ts != NO_TIME and (
                (since_us is not None and ts < since_us) or (until_us is not None and ts >= until_us)
            )
            if not outside and host in ("", where):
                yield _record(events, row, where, ts)


def _record(events: Events, row: int, host: str | None, ts: int) -> dict[str, Any]:
    source = events.sources[int(events.src[row])]
    told: dict[str, Any] = {
        "_ts": None if ts == NO_TIME else f"{np.datetime64(ts, 'us')}Z",
        "_host": host,
        "_kind": events.kind,
        "_src": source.sha256,
        "_path": source.path,
        "_rec": int(events.rec[row]),
        "_raw": events.raw[row].decode("utf-8", "backslashreplace"),
    }
    for name, column in events.columns.items():
        code = int(column.codes[row])
        if code:
            value = None if code == NULL else column.lists.get(code, column.values[code])
            told[column_of(name, {})] = value
    return told
