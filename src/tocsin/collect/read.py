"""Files in, Events out, with what became of every record on the way."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from tocsin.collect import containers, relayed, sources, triage, zeek_headless
from tocsin.collect import mapped as mapped_readers
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import READERS
from tocsin.collect.reader import Decoder, Reader
from tocsin.collect.records import Tally
from tocsin.collect.streams import HEAD_BYTES, Digesting
from tocsin.collect.units import Unit, json_reader, plan, sniffed
from tocsin.errors import EvidenceError
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME, Events, Longs, Source

TABLE_BYTES = 128 << 20  # of records in one Events: large enough to spread the fixed cost of matching a table
_TABLE_ROWS = 131_072
_BLOCK_BYTES = 1 << 20  # small enough to stay near the processor while it is decoded
_KNOWN_FORMATS = "Known formats: " + ", ".join(reader.NAME for reader in READERS) + "."
_NO_READER = "no reader knows this format"
_BY_NAME = {reader.NAME: reader for reader in READERS}

Done = Callable[[Custody], None]
Progress = Callable[[str, int], None]


@dataclass(slots=True, kw_only=True)
class _Account:
    """A source while it is read.

    Args:
        guests: other formats of which it holds lines.
        kinds: of the tables that wait with records of it.
    """

    path: str
    file: str
    host: str = ""
    format: str = ""
    guests: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    size: int = 0
    sha256: str = ""
    read: int = 0
    tally: Tally = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)
    first: int | None = None
    last: int | None = None
    changed_us: int | None = None

    def take(self, ts: Longs) -> None:
        """Count records that went into a table."""
        self.read += len(ts)
        known = ts[ts != NO_TIME]
        if len(known):
            first, last = int(known.min()), int(known.max())
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)

    def close(self) -> Custody:
        return Custody(
            path=self.path,
            file=self.file,
            size_bytes=self.size,
            sha256=self.sha256,
            format=", ".join((self.format, *sorted(self.guests))),
            read=self.read,
            damaged=dict(sorted(self.tally.damaged.items())),
            mended=dict(sorted(self.tally.mended.items())),
            problems=tuple(self.problems),
            first_us=self.first,
            last_us=self.last,
        )


def read_units(
    units: Iterable[Unit],
    projection: frozenset[str] | None,
    done: Done,
    progress: Progress = lambda path, size: None,
    zone: tzinfo = UTC,
    mapped: Sequence[Reader] = (),
) -> Iterator[Events]:
    """Read units one after another; small sources of one kind share an Events.

    Args:
        zone: of times that name none.
        done: told of each source, or part of one, when all its events were given out; of files that hold others, too.
        progress: told the source, and how many bytes of it were read since the last time.
    """
    reading = _Reading(projection, done, progress, zone, mapped)
    for unit in units:
        if unit.fault:
            done(Custody(path=unit.label, file=unit.label, size_bytes=0, problems=(unit.fault,)))
            continue
        if unit.same_as:
            name = f"{unit.label}!{unit.member}" if unit.member else unit.label
            done(Custody(path=name, file=unit.label, size_bytes=unit.weight, sha256=unit.sha256, same_as=unit.same_as))
            continue
        with sources.open_path(unit.path) as file:
            if unit.digest_only:
                done(_digest(unit.label, file))
            elif unit.stop is not None:
                yield from _read_range(unit, file, reading)
            else:
                yield from _read_whole(unit, file, reading)
    yield from reading.finish_all()


def read(
    logs: str | Path | Iterable[str | Path], projection: frozenset[str] | None = None, zone: tzinfo = UTC
) -> Iterator[Events]:
    """Read logs with every field, or those of the projection; the digests of their files are known (but for `-`).

    Args:
        logs: files, folders, globs, archives; `-` is standard input.
        zone: of times that name none.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:  # hashing lets other threads run
        digests: dict[str, Future[str]] = {}
        for unit in plan([logs] if isinstance(logs, str | Path) else logs):
            if unit.digest_only or unit.same_as:
                continue
            if unit.path not in digests:
                digests[unit.path] = beside.submit(_sha256, unit.path)
            for events in read_units([unit], projection, lambda custody: None, zone=zone):
                known = tuple(replace(source, sha256=digests[unit.path].result()) for source in events.sources)
                yield replace(events, sources=known)


def read_bytes(records: bytes, *, path: str = "", projection: frozenset[str] | None = None) -> Events:
    """One piece of log in memory, as one Events: lines of other formats in it are read as its own are.

    Raises:
        EvidenceError: no reader knows the format.
    """
    reader = sniffed(records[:HEAD_BYTES])
    if reader is None:
        raise EvidenceError(f"{path or 'input'}: no reader knows this format", hint=_KNOWN_FORMATS)
    table = TableBuilder(reader.KIND)
    table.begin(
        Source(path=path, file=path, format=reader.NAME, sha256=hashlib.sha256(records).hexdigest()),
        reader.fields,
        Clock(),
    )
    decoder, tally = reader.decoder(projection), Tally()
    for block in reader.cut(cast(BinaryIO, io.BytesIO(records)), 0, None, _BLOCK_BYTES):
        decoder.read(block, table, tally)
    decoder.flush(table)
    return table.finish()


class _Reading:
    """What is under way: a table for each kind, with the accounts of the sources in it."""

    def __init__(
        self,
        projection: frozenset[str] | None,
        done: Done,
        progress: Progress,
        zone: tzinfo,
        mapped: Sequence[Reader],
    ) -> None:
        self.projection, self.done, self.progress, self.zone = projection, done, progress, zone
        self.mapped = mapped
        self._open: dict[str, tuple[TableBuilder, list[tuple[_Account, Reader]]]] = {}

    def add(self, reader: Reader, account: _Account) -> TableBuilder:
        """The table that takes the next records that a reader finds in a source."""
        if reader.KIND not in self._open:
            self._open[reader.KIND] = (TableBuilder(reader.KIND), [])
        table, sources_in = self._open[reader.KIND]
        clock = Clock(zone=self.zone, latest_us=account.changed_us)
        at = len(sources_in) - 1
        while at >= 0 and sources_in[at][0] is account and sources_in[at][1] is not reader:
            at -= 1
        if at >= 0 and sources_in[at][0] is account:
            table.resume(at, clock)
            return table
        source = Source(path=account.path, file=account.file, format=reader.NAME, host=account.host)
        table.begin(source, reader.fields, clock)
        sources_in.append((account, reader))
        account.kinds.add(reader.KIND)
        if account.format != reader.NAME:
            account.guests.add(reader.NAME)
        return table

    def close(self, kind: str, unfinished: _Account | None = None) -> Events:
        """Finish a table; its sources are accounted for, but for the one that is still being read, or has others."""
        table, sources_in = self._open.pop(kind)
        events = table.finish()
        for index, (account, _) in enumerate(sources_in):
            account.take(events.ts[events.src == index])
        for account in {id(account): account for account, _ in sources_in}.values():
            account.kinds.remove(kind)
            if account is not unfinished and not account.kinds:
                self.done(account.close())
        return events

    def finish_all(self) -> Iterator[Events]:
        for kind in list(self._open):
            events = self.close(kind)
            if len(events):
                yield events


def _read_range(unit: Unit, file: BinaryIO, reading: _Reading) -> Iterator[Events]:
    reader = sniffed(file.read(HEAD_BYTES), reading.mapped)
    if reader is None:
        raise EvidenceError(f"{unit.path}: changed while it was read", hint="Copy the logs first, then read the copy.")
    file.seek(unit.start)
    changed = sources.changed_us(file)
    account = _Account(path=unit.label, file=unit.label, host=unit.host, format=reader.NAME, changed_us=changed)
    yield from _read_blocks(reader, reader.cut(file, unit.start, unit.stop, _BLOCK_BYTES), account, reading)


def _read_whole(unit: Unit, file: BinaryIO, reading: _Reading) -> Iterator[Events]:
    """Read a file, or a member of a zip, and all logs that it holds."""
    outer = cast(BinaryIO, Digesting(file)) if unit.member is None else file
    holds_others, faults = False, list[str]()
    changed = sources.changed_us(file)
    if unit.member is None:
        leaves = sources.leaves(unit.label, outer, changed, unit.host)
    else:
        leaves = sources.member_leaves(unit.path, unit.member, changed, unit.host)
    for leaf in leaves:
        holds_others |= leaf.path != unit.label
        if isinstance(leaf, sources.Fault):
            if leaf.path == unit.label:
                holds_others, faults = True, leaf.problems
            else:
                account = _Account(path=leaf.path, file=unit.label, format="archive", problems=leaf.problems)
                reading.done(account.close())
            continue
        account = _Account(
            path=leaf.path, file=unit.label, host=leaf.host, problems=leaf.problems, changed_us=leaf.changed_us
        )
        reader, stream = _opened(leaf, reading.mapped)
        if reader is not None:
            account.format = reader.NAME
            blocks = reader.cut(stream, 0, None, _BLOCK_BYTES)
            yield from _read_blocks(reader, blocks, account, reading)
        elif not leaf.problems:
            leaf.problems.append(_unknown(leaf.head) if leaf.head else "empty")
        leaf.digest.drain()
        account.size, account.sha256 = leaf.digest.size, leaf.digest.hexdigest()
        if reader is None:
            reading.done(account.close())
    if holds_others and unit.member is None:
        reading.done(replace(_digest(unit.label, outer), format="archive", problems=tuple(faults)))


def _opened(leaf: sources.Leaf, mapped: Sequence[Reader]) -> tuple[Reader | None, BinaryIO]:
    """Who reads a source, and the stream: a container's log without its wrapper, where somebody knows what is in it."""
    if containers.is_wrapped(leaf.head) and (reader := sniffed(containers.inside(leaf.head), mapped)):
        timeless = reader.NAME in containers.TIMELESS
        return reader, leaf.stream if timeless else cast(BinaryIO, containers.Unwrapped(leaf.stream))
    return sniffed(leaf.head, mapped), leaf.stream


def _read_blocks(reader: Reader, blocks: Iterable[Block], account: _Account, reading: _Reading) -> Iterator[Events]:
    """Read a source into tables: one for each kind of its records; those that are full are given out."""
    used: dict[str, tuple[Reader, Decoder]] = {}
    try:
        reading.add(reader, account)
        for block in blocks:
            account.tally.damaged.update(block.damaged)
            for part_reader, part in _parts(reader, block):
                decoder = _decoder(part_reader, reading.projection)  # type: ignore[arg-type]  # modules can be hashed
                used[part_reader.NAME] = part_reader, decoder
                table = reading.add(part_reader, account)
                decoder.read(part, table, account.tally)
                table.size_bytes += len(part.data)
                if table.size_bytes >= TABLE_BYTES or table.rows >= _TABLE_ROWS:
                    _flush(used, part_reader.KIND, table)
                    yield reading.close(part_reader.KIND, account)
            reading.progress(account.path, len(block.data))
        for user, _ in used.values():
            _flush(used, user.KIND, reading.add(user, account))
        reading.add(reader, account)  # it waits in a table until it is accounted for
    except BaseException:
        _decoder.cache_clear()  # what waits in it belongs to a table that nobody will see
        raise


def _parts(reader: Reader, block: Block) -> Iterator[tuple[Reader, Block]]:
    """What of a block each reader reads; but for syslog, all of it is for the reader of the file."""
    home, mixed = reader.NAME, block if relayed.is_relayed(reader.NAME) else block.rest
    if _BY_NAME.get(home) is not reader or mixed is None:
        yield reader, block
        return
    if mixed is block.rest:
        home = relayed.LINUX
        yield reader, block
    for name, part in relayed.parts(mixed, home, json_reader):
        yield _BY_NAME[name], part


def _flush(used: Mapping[str, tuple[Reader, Decoder]], kind: str, table: TableBuilder) -> None:
    """Put what waits for a table into it."""
    for reader, decoder in used.values():
        if kind == reader.KIND:
            decoder.flush(table)


@lru_cache(maxsize=32)
def _decoder(reader: Reader, projection: frozenset[str] | None) -> Decoder:
    """Kept for the whole process: what was learned of one file's layouts serves the next."""
    return reader.decoder(projection)


def _unknown(head: bytes) -> str:
    if what := triage.no_log(head):
        return f"no log, but {what}"
    if zeek_headless.is_headless(head):
        return f"no reader: {zeek_headless.UNSURE}"
    form = mapped_readers.wanted_by_a_mapping(head)
    return f"no reader knows this {form}; a mapping would read it (--mapping)" if form else _NO_READER


def _digest(path: str, file: BinaryIO) -> Custody:
    """The digest of a file, or of the rest of one whose beginning passed through `Digesting`."""
    stream = file if isinstance(file, Digesting) else Digesting(file)
    stream.drain()
    return Custody(path=path, file=path, size_bytes=stream.size, sha256=stream.hexdigest())


def _sha256(path: str) -> str:
    if path == sources.STDIN:
        return ""
    with sources.open_path(path) as file:
        return _digest(path, file).sha256
