"""Logs in, a lake that holds them out: read with every field, each piece of evidence exactly once.

A piece of evidence is known by the digest of its file, so a copy under another name is not imported again. Whatever
ends an import - a kill, a full disk, Ctrl-C - the next one goes on with what is not in yet.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypedDict, Unpack

import msgspec

from tocsin import collect
from tocsin.collect import sources
from tocsin.collect.reader import Reader
from tocsin.detect import tokens
from tocsin.detect.observed_fields import FIELDS, RAW_KINDS, SPOKEN_KINDS
from tocsin.engine import local
from tocsin.engine.protocol import Engine, Message, Send
from tocsin.errors import EvidenceError, LakeError
from tocsin.lake import parts as parquet
from tocsin.lake import store, tables
from tocsin.lake.indexing import Index, Looks
from tocsin.lake.names import OWN, field_of
from tocsin.lake.parts import Part
from tocsin.lake.state import RunFile
from tocsin.lake.store import Conflict, Lake
from tocsin.ledger import Progress
from tocsin.model.custody import Custody
from tocsin.model.mapping import LogMapping

_WHERE: Final = (sorted(FIELDS.items()), sorted(RAW_KINDS), sorted(SPOKEN_KINDS.items()))
_LOOKED_AT: Final = hashlib.sha256(repr(_WHERE).encode()).hexdigest()
LOOKS: Final = Looks(
    version=f"{tokens.VERSION}-{_LOOKED_AT[:16]}",
    fields=FIELDS,
    tokens=tokens.of_values,
    records=RAW_KINDS,
    spoken=SPOKEN_KINDS,
)

_UNIT_BYTES: Final = 64 << 20  # of a large file: a kill costs no more than this, and it is the same on every machine
_BUNDLE_BYTES: Final = 64 << 20
_BUNDLE_UNITS: Final = 400  # so that what is said of a batch fits into one entry of the log
_BUNDLE_FIRST_BYTES: Final = 1 << 20
_ROUNDS: Final = 20  # of what somebody else was faster at


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an import. `custody` is of what was read this time.

    Args:
        known: pieces of evidence that the lake held already.
        failed: what could not be read to its end, and why; nothing of it is in the lake.
    """

    records: int
    batches: int
    known: int
    custody: tuple[Custody, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file as it was when its digest was taken. `name` is what the lake calls it."""

    sha256: str
    size: int
    changed_ns: int
    name: str = ""


class _Batch(msgspec.Struct, frozen=True):
    """What a worker wrote."""

    parts: list[Part]
    run: RunFile | None
    keys: list[str]
    custody: list[Custody]


_Task: TypeAlias = tuple[str, tuple[collect.Unit, ...]]


@dataclass(slots=True, kw_only=True)
class _Import:
    """An import under way."""

    lake: Lake
    files: Mapping[str, _File]
    engine: Engine
    on_progress: Callable[[Progress], None]
    total: int = 0
    read: int = 0
    records: int = 0
    batches: int = 0
    known: int = 0
    custody: list[Custody] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def take_in(
    logs: Iterable[str | Path],
    folder: Path,
    *,
    jobs: int = 0,
    zone: tzinfo = UTC,
    mappings: Sequence[LogMapping] = (),
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Taken:
    """Import logs.

    Args:
        folder: of the lake, which is made if there is none.
        jobs: worker processes; 0 is one for each processor.
        zone: of times in logs that name none.
        mappings: how logs are read that no reader knows, or that should be read otherwise.
    """
    jobs = jobs or engine.default_jobs()
    names = [str(log) for log in logs]
    if sources.STDIN in names:
        raise LakeError(
            "a lake keeps no standard input: nobody could come back to it, nor tell whether it is in",
            hint="Write it to a file first.",
        )
    mapped = tuple(collect.reader(mapping) for mapping in mappings)
    units = [unit for unit in collect.plan(names, 1, mapped, _UNIT_BYTES) if not (unit.digest_only or unit.same_as)]
    lake = store.make(folder)
    files = _named(_digests(sorted({unit.path for unit in units if not unit.fault}), jobs, engine, on_progress), lake)
    doing = _Import(lake=lake, files=files, engine=engine, on_progress=on_progress)
    doing.failed += [(unit.label, unit.fault) for unit in units if unit.fault]
    doing.failed += [
        (sources.label(path), "cannot be read") for path in {u.path for u in units if not u.fault} - files.keys()
    ]
    wanted: dict[str, collect.Unit] = {}
    for unit in units:
        if unit.path in files:
            wanted.setdefault(_key(unit, files), unit)  # a second copy of a file is the first
    left = {key: unit for key, unit in wanted.items() if key not in lake.state.done}
    doing.known = len(wanted) - len(left)
    doing.total = sum(unit.weight for unit in left.values())
    for _ in range(_ROUNDS if left else 0):
        lake.look()
        there = lake.state.done & left.keys()  # by somebody else, meanwhile
        doing.known += len(there)
        left = {key: unit for key, unit in left.items() if key not in there}
        left = _round(doing, left, jobs, zone, mapped)
        if not left:
            break
    doing.failed += [(unit.label, "somebody else imported it over and over") for unit in left.values()]
    return Taken(
        records=doing.records,
        batches=doing.batches,
        known=doing.known,
        custody=tuple(sorted(doing.custody, key=lambda one: one.path)),
        failed=tuple(sorted(set(doing.failed))),
    )


def _key(unit: collect.Unit, files: Mapping[str, _File]) -> str:
    digest = files[unit.path].sha256
    if unit.member is not None:
        return f"{digest}!{unit.member.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')}"
    return digest if unit.stop is None else f"{digest}#{unit.start}-{unit.stop}"


def _round(
    doing: _Import, left: Mapping[str, collect.Unit], jobs: int, zone: tzinfo, mapped: Sequence[Reader]
) -> dict[str, collect.Unit]:
    """Read what is left; gives what must be tried again, for somebody else was faster with a part of its batch."""
    key_of = {id(unit): key for key, unit in left.items()}
    tasks = _bundles(list(left.values()))
    again: dict[str, collect.Unit] = {}
    while tasks:
        alone: list[_Task] = []
        work = partial(_examine, lake=doing.lake, files=doing.files, zone=zone, mapped=mapped)
        said: dict[int, _Batch] = {}
        for answer in doing.engine.run(tasks, work, jobs=jobs):
            name, units = tasks[answer.task]
            if isinstance(answer, Message):
                kind, content = msgspec.json.decode(answer.content)
                if kind == "bytes":
                    doing.read += content[1]
                    _progress(doing, content[0])
                else:
                    said[answer.task] = msgspec.convert(content, _Batch)
            elif answer.failure and len(units) > 1:
                alone += [(f"{name}.{at:04}", (unit,)) for at, unit in enumerate(units)]
            elif answer.failure:
                doing.failed.append((_name(units[0]), answer.failure))
            elif not _commit(doing, name, said.pop(answer.task), units):
                again |= {key_of[id(unit)]: unit for unit in units}
        tasks = alone
    return again


def _commit(doing: _Import, name: str, batch: _Batch, units: Sequence[collect.Unit]) -> bool:
    """Make a batch part of the lake; False if somebody else was faster."""
    doing.custody += batch.custody
    if not batch.keys and not batch.parts:
        return True  # nothing that any reader knows
    files = {doing.files[unit.path].name: doing.files[unit.path].sha256 for unit in units}
    try:
        doing.lake.add(name, parts=batch.parts, run=batch.run, keys=batch.keys, custody=batch.custody, evidence=files)
    except Conflict:
        doing.lake.drop([batch.run.name] if batch.run else [], batch.parts)
        del doing.custody[len(doing.custody) - len(batch.custody) :]
        return False
    doing.batches += 1
    doing.records += sum(part.rows for part in batch.parts)
    _progress(doing, name)
    doing.lake.merge()
    return True


def _progress(doing: _Import, current: str) -> None:
    doing.on_progress(
        Progress(bytes_done=doing.read, bytes_total=doing.total, events=doing.records, findings=None, current=current)
    )


def _name(unit: collect.Unit) -> str:
    return f"{unit.label}!{unit.member}" if unit.member else unit.label


def _bundles(units: Sequence[collect.Unit]) -> list[_Task]:
    """Neighbouring small units become one task; the first tasks are small, so that something is soon in."""
    whose = secrets.token_hex(6)
    bundles: list[list[collect.Unit]] = []
    room = 0
    for unit in units:
        if not bundles or unit.weight > room or len(bundles[-1]) >= _BUNDLE_UNITS or unit.stop is not None:
            bundles.append([])
            room = min(_BUNDLE_BYTES, _BUNDLE_FIRST_BYTES << len(bundles))
        bundles[-1].append(unit)
        room -= unit.weight
    return [(f"{whose}-{number:06}", tuple(bundle)) for number, bundle in enumerate(bundles)]


def _columns(lake: Lake, kind: str) -> dict[str, str]:
    return {name.lower(): field_of(name) for name in (*lake.state.columns(kind), *OWN)}


# --------------------------------------------------------------------------------- digests


def _digests(
    paths: Sequence[str], jobs: int, engine: Engine, on_progress: Callable[[Progress], None]
) -> dict[str, _File]:
    """The digest of each file, taken before anything is read: it says whether there is anything to read."""
    found: dict[str, _File] = {}
    total = sum(Path(path).stat().st_size for path in paths if Path(path).exists())
    lots = [paths[at : at + 64] for at in range(0, len(paths), 64)]
    done = 0
    for answer in engine.run(lots, _digest, jobs=jobs):
        if isinstance(answer, Message):
            at, file = msgspec.json.decode(answer.content, type=tuple[int, _File])
            path = lots[answer.task][at]
            found[path] = file
            done += file.size
            on_progress(
                Progress(bytes_done=done, bytes_total=total, events=0, findings=None, current=f"digest of {path}")
            )
    return found


def _digest(lot: Sequence[str], send: Send) -> None:
    for at, path in enumerate(lot):
        try:
            with sources.open_path(path) as file:
                before = os.fstat(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it is a file on disk
        except (OSError, EvidenceError):
            continue
        send(msgspec.json.encode((at, _File(sha256=digest, size=before.st_size, changed_ns=before.st_mtime_ns))))


def _named(files: Mapping[str, _File], lake: Lake) -> dict[str, _File]:
    """What the lake calls each file: its path, with a part of its digest where another had that path before."""
    found = {}
    for path, file in files.items():
        name = sources.label(path)
        known = lake.state.evidence.get(name, file.sha256)
        found[path] = replace(file, name=name if known == file.sha256 else f"{name}@{file.sha256[:12]}")
    return found


# --------------------------------------------------------------------------------- in a worker


def _examine(task: _Task, send: Send, *, lake: Lake, **more: Unpack[_How]) -> None:
    """Read, write the parts and the run, tell what they are; nothing of it is in the lake yet."""
    folder = lake.folder
    try:
        lake.look()  # a column that came in since this worker was born has its name, or the batch would be in vain
        columns = {kind: _columns(lake, kind) for kind in lake.state.changes}
        _written(task, send, folder=folder, columns=columns, **more)
    except BaseException:  # on a full disk what nobody will name is in the way
        for path in (*(folder / tables.EVENTS).glob(f"*/_day=*/{task[0]}-*.parquet"), folder / store.INDEX / task[0]):
            path.with_suffix(path.suffix or ".run").unlink(missing_ok=True)
        raise


class _How(TypedDict):
    files: Mapping[str, _File]
    zone: tzinfo
    mapped: Sequence[Reader]


def _written(
    task: _Task,
    send: Send,
    *,
    folder: Path,
    files: Mapping[str, _File],
    columns: Mapping[str, Mapping[str, str]],
    zone: tzinfo,
    mapped: Sequence[Reader],
) -> None:
    name, units = task
    of_label = {unit.label: files[unit.path] for unit in units}
    digests = {file.name: file.sha256 for file in of_label.values()}
    custody: list[Custody] = []
    reading = collect.read_units(
        units,
        None,
        lambda one: custody.append(_renamed(one, of_label)),
        lambda path, size: send(msgspec.json.encode(("bytes", (path, size)))),
        zone,
        mapped,
    )
    written: list[Part] = []
    index = Index(LOOKS)
    taken = {kind: dict(known) for kind, known in columns.items()}
    for number, events in enumerate(reading):
        named = tuple(
            replace(one, file=of_label[one.file].name, path=of_label[one.file].name + one.path.removeprefix(one.file))
            for one in events.sources
        )
        events = replace(events, sources=named)
        where = tables.folder_of(folder, events.kind)
        some = list(parquet.write(events, where, name, number, digests, taken.get(events.kind, {})))
        known = taken.setdefault(events.kind, {})
        known.update({column.lower(): field_of(column) for part, _ in some for column in part.columns})
        index.add(events, some)
        written += [part for part, _ in some]
    run = None
    if written:
        run_name = f"{name}.run"
        size, digest = index.write(folder / store.INDEX / run_name)
        run = RunFile(name=run_name, size_bytes=size, sha256=digest)
    _refuse_changed(units, files)
    keys = [_key(unit, files) for unit in units if _is_known(unit, files, custody)]
    send(msgspec.json.encode(("batch", _Batch(parts=written, run=run, keys=keys, custody=custody))))


def _renamed(one: Custody, of_label: Mapping[str, _File]) -> Custody:
    file = of_label[one.file]
    return replace(one, file=file.name, path=file.name + one.path.removeprefix(one.file))


def _is_known(unit: collect.Unit, files: Mapping[str, _File], custody: Sequence[Custody]) -> bool:
    """Whether some reader knew what it was given: if not, a later version or a mapping may, and it is tried again."""
    file = files[unit.path].name
    start = f"{file}!{unit.member}" if unit.member else file
    return any(one.format not in ("", "archive") for one in custody if one.file == file and one.path.startswith(start))


def _refuse_changed(units: Sequence[collect.Unit], files: Mapping[str, _File]) -> None:
    """What was read is what the digest is of, or it is not taken in."""
    for unit in units:
        status, file = Path(unit.path).stat(), files[unit.path]
        if (status.st_size, status.st_mtime_ns) != (file.size, file.changed_ns):
            raise EvidenceError(f"{unit.label}: changed while it was read", hint="Copy the logs, then import the copy.")
