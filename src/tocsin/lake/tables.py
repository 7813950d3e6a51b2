"""Entries of a lake's log in, Delta tables that show what they say out: one for each kind, divided by day.

A table holds, as an application transaction ("Transaction Identifiers" in PROTOCOL.md of delta-io/delta), the number of
the last entry that it shows. delta-rs does not refuse a number that it has seen already, so it is asked for first; the
lake's lock keeps anybody from coming between.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from tocsin.errors import LakeError
from tocsin.lake.parts import Part
from tocsin.lake.state import Entry
from tocsin.seal import durable

EVENTS: Final = "events"

_ODD: Final = re.compile(r"[^A-Za-z0-9_.-]")
_APP: Final = "tocsin-lake"
_DELTA_LOG: Final = "_delta_log"
_TEXT, _LONG = PrimitiveType("string"), PrimitiveType("long")
_FIXED: Final = (
    Field("_day", PrimitiveType("date")),
    Field("_ts", PrimitiveType("timestamp")),
    Field("_host", _TEXT),
    Field("_kind", _TEXT),
    Field("_raw", PrimitiveType("binary")),
    Field("_src", _TEXT),
    Field("_file", _TEXT),
    Field("_path", _TEXT),
    Field("_rec", _LONG),
    Field("_chunk", _LONG),
    Field("_ingest", _TEXT),
    Field("_shape", _TEXT),
)


def folder_of(lake: Path, kind: str) -> Path:
    """Of a kind's table. Mapping files make up kinds; whatever they are called, the folder is below the lake."""
    name = _ODD.sub(lambda found: f"%{ord(found[0]):02X}", kind)
    return lake / EVENTS / (name if name.strip(".") else f"%{name}")


def shown(lake: Path, kind: str) -> int:
    """The number of the last entry that a kind's table shows; -1 where it shows none."""
    table = _table(lake, kind)
    version = table.transaction_version(_APP) if table is not None else None
    return -1 if version is None else int(version)


def paths(lake: Path, kind: str) -> set[str]:
    """The parts that a kind's table shows."""
    table = _table(lake, kind)
    return set(table.get_add_actions(flatten=True).column("path").to_pylist()) if table is not None else set()


def make_anew(lake: Path, kind: str, parts: Sequence[Part], last: int) -> None:
    """Make a kind's table of its parts as of entry `last`. What stood there is kept beside it."""
    set_aside(folder_of(lake, kind))
    _show(lake, kind, Entry(what="added", n=last, prev="", at="", parts=list(parts)))


def set_aside(folder: Path) -> bool:
    """Keep what was a table's log beside it, where nobody reads it; False if there was none."""
    log = folder / _DELTA_LOG
    if not log.exists():
        return False
    log.rename(log.with_name(f"{_DELTA_LOG}.replaced-{secrets.token_hex(4)}"))
    return True


def show(lake: Path, kind: str, entries: Iterable[Entry]) -> int:
    """Bring a kind's table up to its entries, in order; gives how many it did not show yet.

    The caller holds the lock.

    Raises:
        LakeError: the table cannot be used, or shows more than the log says.
    """
    entries = list(entries)
    try:
        known = shown(lake, kind)
        if known > entries[-1].n:
            raise ahead(lake, kind)
        late = [entry for entry in entries if entry.n > known]
        for entry in late:
            _show(lake, kind, entry)
    except DeltaError as error:
        raise _damaged(lake, kind, error) from error
    return len(late)


def _show(lake: Path, kind: str, entry: Entry) -> None:
    table = _table(lake, kind)
    if table is None:
        folder = folder_of(lake, kind)
        folder.mkdir(parents=True, exist_ok=True)
        table = DeltaTable.create(folder, schema=Schema(list(_FIXED)), partition_by=["_day"], name=kind)
    parts = [part for part in entry.parts if part.kind == kind]
    there = {field.name for field in table.schema().fields}
    fresh = sorted({name for part in parts for name in part.columns} - there)
    if fresh:
        table.alter.add_columns([Field(name, _TEXT) for name in fresh])
        table = DeltaTable(folder_of(lake, kind))
    gone = {path for of, path in entry.gone if of == kind}
    actions: list[Any] = [_add(part, fresh=entry.what == "added") for part in parts]
    actions += [_remove(action, data_change=entry.what == "retired") for action in _actions(table, gone)]
    properties = CommitProperties(
        app_transactions=[Transaction(_APP, entry.n)],
        custom_metadata={"tocsin": entry.what, "batch": entry.batch},
        max_commit_retries=0,
    )
    table.create_write_transaction(actions, "append", table.schema(), ["_day"], commit_properties=properties)
    _settle(folder_of(lake, kind) / _DELTA_LOG)


def _add(part: Part, *, fresh: bool) -> AddAction:
    stats = json.dumps({"numRecords": part.rows})
    return AddAction(part.path, part.size_bytes, {"_day": part.day or None}, 0, fresh, stats)


def _actions(table: DeltaTable, gone: set[str]) -> Sequence[dict[str, Any]]:
    if not gone:
        return ()
    every = table.get_add_actions(flatten=True)
    names = every.column("path").to_pylist()
    sizes, days = every.column("size_bytes").to_pylist(), every.column("partition._day").to_pylist()
    return [
        {"path": name, "size": size, "day": day}
        for name, size, day in zip(names, sizes, days, strict=True)
        if name in gone
    ]


def _remove(action: dict[str, Any], *, data_change: bool) -> RemoveAction:
    day = action["day"]
    return RemoveAction(
        action["path"],
        data_change,
        time.time_ns() // 1_000_000,
        partition_values={"_day": None if day is None else str(day)},
        size=action["size"],
    )


def _settle(folder: Path) -> None:
    """The newest commits must outlast a power cut, as the lake's log does."""
    newest = sorted(folder.glob("*.json"))[-2:]
    for path in newest:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    durable.settle(folder)


def _table(lake: Path, kind: str) -> DeltaTable | None:
    folder = folder_of(lake, kind)
    if not (folder / _DELTA_LOG).is_dir() or not any((folder / _DELTA_LOG).iterdir()):
        return None
    try:
        return DeltaTable(folder)
    except (DeltaError, OSError, ValueError) as error:
        raise _damaged(lake, kind, error) from error


def ahead(lake: Path, kind: str) -> LakeError:
    return LakeError(
        f"{folder_of(lake, kind)}: shows what the lake's log does not say: the log lost its end",
        hint="Take the log from a backup; if there is none, `tocsin lake mend`, then import the evidence again.",
    )


def _damaged(lake: Path, kind: str, error: Exception) -> LakeError:
    first = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    return LakeError(
        f"{folder_of(lake, kind)}: a table that cannot be used: {first}",
        hint="The lake's own log knows what belongs into it: docs/lake.md says how its table is made anew.",
    )
