"""A lake in, the same lake in better order out: small parts joined, days past their time retired, what broke made anew.

Nothing here is in the way of an import: parts are read and written without the lock, and exchanged in one entry of the
log. What an exchange leaves behind stays a day for those who read it yet, but for what was retired, which goes at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.errors import LakeError
from tocsin.lake import log, tables
from tocsin.lake.indexing import Index, Looks
from tocsin.lake.parts import UNDATED, Part, folder_of, part_of, save
from tocsin.lake.reading import Opened
from tocsin.lake.runs import Run
from tocsin.lake.state import RunFile
from tocsin.lake.store import INDEX, Lake, writable
from tocsin.model.event import NO_TIME

SMALL_BYTES: Final = 64 << 20  # parts below are joined with others of their day
_MOST_ROWS: Final = 1_000_000  # that are sorted at once
_KEPT_S: Final = 86_400  # files that nobody names any more

_ORDER: Final = [("_host", "ascending"), ("_ts", "ascending"), ("_src", "ascending"), ("_rec", "ascending")]

Told = Callable[[str, int, int], None]  # what is done, how far, of how many


def compact(lake: Lake, looks: Looks, told: Told = lambda what, at, of: None) -> int:
    """Join the small parts of each day, then the runs of the index; gives how many parts went."""
    with lake.writing():
        days = list(_small_days(lake))
    gone = 0
    for at, some in enumerate(days):
        told(f"{some[0].kind} {some[0].day or 'without a day'}", at, len(days))
        gone += _join(lake, looks, some)
    reindex(lake, looks)
    lake.merge(everything=True)
    sweep(lake)
    return gone


def _small_days(lake: Lake) -> Iterator[list[Part]]:
    days: dict[tuple[str, str], list[Part]] = {}
    for part in lake.state.parts.values():
        if part.size_bytes < SMALL_BYTES:
            days.setdefault((part.kind, part.day), []).append(part)
    for _, parts in sorted(days.items()):
        some: list[Part] = []
        for part in sorted(parts, key=lambda one: one.path):
            if some and sum(one.rows for one in some) + part.rows > _MOST_ROWS:
                if len(some) > 1:
                    yield some
                some = []
            some.append(part)
        if len(some) > 1:
            yield some


def _join(lake: Lake, looks: Looks, some: Sequence[Part]) -> int:
    """Write some parts of a day as one, and exchange them for it."""
    kind, day = some[0].kind, some[0].day
    name = f"{folder_of(day)}/joined-{secrets.token_hex(8)}.parquet"
    path = tables.folder_of(lake.folder, kind) / name
    with log.troubles_told(path):
        table = _sorted(lake, some)
        digest = save(path, table)
    ts = pc.fill_null(table.column("_ts").cast(pa.int64()), NO_TIME).to_numpy()
    part = part_of(kind, name, day, ts, path, digest, table.column_names)
    if part.rows != sum(one.rows for one in some):
        raise LakeError(f"{path}: joining lost records", hint="Nothing was changed. `tocsin lake verify` tells more.")
    run = index(lake, looks, [part])
    with lake.writing():
        if all((one.kind, one.path) in lake.state.parts for one in some):
            lake.append(
                what="compacted", parts=[writable(part)], gone=[(one.kind, one.path) for one in some], runs=[run]
            )
            return len(some)
    lake.drop([run.name], [part])  # somebody else was faster
    return 0


def _sorted(lake: Lake, parts: Iterable[Part]) -> pa.Table:
    read = []
    for part in parts:
        opened = Opened(part, lake.part_path(part))
        read += [_plain(opened.read(group, opened.file.schema_arrow.names)) for group in range(opened.groups)]
    # Each row group has a dictionary of its own: as plain text they can be sorted, and are coded anew when written.
    return pa.concat_tables(read, promote_options="permissive").sort_by(_ORDER)


def _plain(table: pa.Table) -> pa.Table:
    kinds = (one.type for one in table.schema)
    plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    return table.cast(pa.schema(zip(table.column_names, plain, strict=True)))


def index(lake: Lake, looks: Looks, parts: Sequence[Part]) -> RunFile:
    """Write a run over parts; nobody names it yet."""
    made = Index(looks)
    for part in parts:
        opened = Opened(part, lake.part_path(part))
        for rows, events in opened.events(None):
            made.add(events, [(part, np.arange(len(events)))], first=int(rows[0]))
    name = f"{secrets.token_hex(8)}.run"
    with log.troubles_told(lake.folder):
        size, digest = made.write(lake.folder / INDEX / name)
    return RunFile(name=name, size_bytes=size, sha256=digest)


def reindex(lake: Lake, looks: Looks, *, every_byte: bool = False) -> int:
    """Write runs for parts of which none speaks, and in place of those that cannot be read or are of another version.

    Gives how many parts were indexed.

    Args:
        every_byte: look whether runs are as they were written, too.
    """
    with lake.writing():
        sound, damaged = _sorted_out(lake, looks, every_byte=every_byte)
        spoken = {part for run in sound for part in run.about.parts}
        left = [part for key, part in sorted(lake.state.parts.items()) if key not in spoken]
    if not left and not damaged:
        return 0
    fresh = [index(lake, looks, some) for some in _lots(left)]  # importers go on meanwhile
    with lake.writing():
        lake.append(what="merged", runs=fresh, runs_gone=damaged)
        lake.drop(damaged)
    return len(left)


def _sorted_out(lake: Lake, looks: Looks, *, every_byte: bool) -> tuple[list[Run], list[str]]:
    """Runs that can be asked, and the names of the others."""
    sound: list[Run] = []
    others: list[str] = []
    for name in lake.state.runs:
        try:
            run = lake.run(name, every_byte=every_byte)
        except LakeError:
            others.append(name)
            continue
        if run.about.version == looks.version:
            sound.append(run)
        else:
            others.append(name)
    return sound, others


def _lots(parts: Sequence[Part]) -> Iterator[list[Part]]:
    some: list[Part] = []
    for part in parts:
        if some and sum(one.rows for one in some) + part.rows > 4 * _MOST_ROWS:
            yield some
            some = []
        some.append(part)
    if some:
        yield some


def retire(lake: Lake, before: date, *, kind: str, by: str, reason: str) -> tuple[list[Part], list[Part]]:
    """Delete the days before one, of a kind or ('') of all, also from the index.

    Gives the parts that went, and those that a hold kept. Records without a day stay, unless all those beside them
    in their part have a time before it.
    """
    if kind and kind not in lake.state.kinds:
        raise LakeError(f"there are no {kind} logs in this lake", hint=f"There are: {', '.join(lake.state.kinds)}.")
    limit = int(datetime(before.year, before.month, before.day, tzinfo=UTC).timestamp()) * 1_000_000
    with lake.writing():
        if lake.older:  # it holds words of the events, and cannot be written anew without those that go
            raise LakeError(
                f"{lake.folder}: its index is of an earlier version, from which nothing can be taken out",
                hint="`tocsin lake mend` makes it anew; then retire.",
            )
        old = [
            part
            for part in lake.state.parts.values()
            if kind in ("", part.kind)
            and (part.day < before.isoformat() if part.day != UNDATED else (part.last_us or limit) < limit)
        ]
        kept = [part for part in old if _held(lake, part)]
        gone = [part for part in old if part not in kept]
        for some in (gone[at : at + 5_000] for at in range(0, len(gone), 5_000)):
            lake.append(what="retired", gone=[(part.kind, part.path) for part in some], by=by, reason=reason)
            lake.drop(parts=some)
    lake.merge(everything=True)  # also where nothing went: one that was killed may have left it in the index
    return gone, kept


def _held(lake: Lake, part: Part) -> bool:
    return any(
        hold.kind in ("", part.kind) and (part.day == UNDATED or hold.since <= part.day <= hold.until)
        for hold in lake.state.holds.values()
    )


def mend(lake: Lake, looks: Looks) -> list[str]:
    """Make anew what can be: tables from the log, the index from the parts. Gives what was done, in words."""
    done: list[str] = []
    with log.locked(lake.folder):
        lake.look()
        for kind, entries in sorted(lake.state.changes.items()):
            parts = lake.state.of_kind(kind)
            try:
                if late := tables.show(lake.folder, kind, entries):
                    done.append(f"{kind}: its table was brought up to the log, which was {late:,} entries ahead")
                sound = tables.paths(lake.folder, kind) == {part.path for part in parts}
            except LakeError:
                sound = False
            if not sound:
                tables.make_anew(lake.folder, kind, parts, entries[-1].n)
                done.append(f"{kind}: its table was made anew, of {len(parts):,} parts")
        named = {tables.folder_of(lake.folder, kind) for kind in lake.state.changes}
        others = sorted(set((lake.folder / tables.EVENTS).glob("*")) - named)
        gone = [folder.name for folder in others if tables.set_aside(folder)]
        done += [f"{name}: its table was set aside, for the log knows nothing of it" for name in gone]
    again = reindex(lake, looks, every_byte=True)
    return [*done, f"the index was made anew for {again:,} parts"] if again else done


def sweep(lake: Lake, *, older_s: float = _KEPT_S) -> int:
    """Delete files that no entry names: what a kill or an exchange left, a day ago at least."""
    with lake.writing():
        named = {lake.part_path(part) for part in lake.state.parts.values()}
        named |= {lake.folder / INDEX / name for name in lake.state.runs}
        limit = time.time() - older_s
        swept = 0
        for path in [*(lake.folder / INDEX).glob("*.run"), *(lake.folder / tables.EVENTS).glob("*/_day=*/*.parquet")]:
            if path not in named:
                with suppress(OSError):
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        swept += 1
    return swept
