"""Names of evidence in, parts that can be read by themselves out: files, members of zips, ranges of large files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tocsin.collect import containers, json_logs, relayed, sources, triage
from tocsin.collect.formats import READERS
from tocsin.collect.reader import Reader
from tocsin.collect.streams import HEAD_BYTES
from tocsin.errors import EvidenceError

_UNIT_BYTES: Final = 128 << 20
_LEAST_UNIT_BYTES: Final = 16 << 20
_MOST_KEYS: Final = 4_096  # sets of keys: logs of many programs have some hundred, hostile ones any number
_OF_KEYS: Final[dict[frozenset[str], str | None]] = {}
_MOST_HEADS: Final = 16_384
_OF_HEADS: Final[dict[tuple[bytes, tuple[Reader, ...]], Reader | None]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A part of the evidence that can be read by itself. `weight` is about its size in bytes.

    `digest_only` takes the digest of a file whose parts are read elsewhere. `fault` says why it cannot be read.
    `same_as` is another source of the same content (`sha256`), which is read in its place. `host` is the machine that
    a collection says it is from.
    """

    path: str
    weight: int
    member: str | None = None
    start: int = 0
    stop: int | None = None
    digest_only: bool = False
    fault: str = ""
    same_as: str = ""
    sha256: str = ""
    host: str = ""

    @property
    def is_whole_file(self) -> bool:
        """Whether it reads a file on disk, of which no other unit takes the digest."""
        whole = self.member is None and self.stop is None and not self.digest_only and not self.same_as
        return whole and self.path != sources.STDIN and not self.fault

    @property
    def label(self) -> str:
        """The path as text: a file's name may hold bytes that are not UTF-8."""
        return sources.label(self.path)


def plan(
    logs: Iterable[str | Path], jobs: int = 1, mapped: Sequence[Reader] = (), unit_bytes: int | None = None
) -> list[Unit]:
    """Divide the evidence into units, in the order of their paths; large files become ranges.

    Args:
        jobs: how many will read at once: each should find something to do.
        mapped: readers that only this run has; they are asked before all others.
        unit_bytes: about how large units of a large file are, whatever else there is to read.

    Raises:
        EvidenceError: a name stands for nothing, or nothing of it can be opened.
    """
    found = sources.find(logs)
    units = [Unit(path=path, weight=0, fault=fault) for path, fault in found.closed.items()]
    units += [Unit(path=path, weight=0, same_as=sources.label(first)) for path, first in found.twice.items()]
    hosts = triage.hosts(path for path, _ in found.files)
    if unit_bytes is None:
        unit_bytes = max(min(_UNIT_BYTES, sum(size for _, size in found.files) // (2 * jobs)), _LEAST_UNIT_BYTES)
    for path, size in found.files:
        units += [replace(one, host=hosts.get(path, "")) for one in _parts(path, size, unit_bytes, mapped)]
    if units and all(unit.fault for unit in units):
        raise EvidenceError(units[0].fault, hint="Check its permissions: nothing that was named can be read.")
    return sorted(units, key=lambda unit: unit.path)


def _parts(path: str, size: int, unit_bytes: int, mapped: Sequence[Reader]) -> Iterator[Unit]:
    """The units of one file."""
    if path == sources.STDIN:
        yield Unit(path=path, weight=_UNIT_BYTES)
        return
    try:
        with sources.open_path(path) as file:
            head = file.read(HEAD_BYTES)
    except EvidenceError as error:
        yield Unit(path=path, weight=0, fault=str(error))
        return
    packed = triage.survey(path) if head.startswith(b"PK") else None
    if packed is not None:
        for name, weight in packed.members:
            first, digest = packed.same.get(name, ("", ""))
            same_as = f"{sources.label(path)}!{first}" if first else ""
            yield Unit(path=path, weight=weight, member=name, same_as=same_as, sha256=digest)
        yield Unit(path=path, weight=size // 4, digest_only=True)
        return
    reader = None if containers.is_wrapped(head) else sniffed(head, mapped)  # unwrapped from the beginning on
    ranges = reader.ranges(head, size, unit_bytes) if reader and size > unit_bytes else []
    if len(ranges) < 2:
        yield Unit(path=path, weight=size)
        return
    for start, stop in ranges:
        yield Unit(path=path, weight=stop - start, start=start, stop=stop)
    yield Unit(path=path, weight=size // 4, digest_only=True)


def sniffed(head: bytes, mapped: Sequence[Reader] = ()) -> Reader | None:
    """Who reads a file that begins so.

    A file is asked for when it is planned and when it is read, in each look at the evidence: who was found is kept by
    the digest of the head, also for workers, which are forked behind the plan.
    """
    key = hashlib.blake2b(head, digest_size=32).digest(), tuple(mapped)
    if key not in _OF_HEADS:
        if len(_OF_HEADS) >= _MOST_HEADS:
            _OF_HEADS.clear()
        _OF_HEADS[key] = next((reader for reader in (*mapped, *READERS) if reader.sniff(head)), None)
    return _OF_HEADS[key]


def json_reader(record: bytes) -> str | None:
    """Who reads a record of JSON that stands among the lines of syslog; records with the same keys are alike."""
    if len(record) > HEAD_BYTES:
        return None
    keys = json_logs.keys_of(record)
    if keys not in _OF_KEYS:
        if len(_OF_KEYS) >= _MOST_KEYS:
            _OF_KEYS.clear()
        reader = sniffed(record)
        _OF_KEYS[keys] = None if reader is None or relayed.is_relayed(reader.NAME) else reader.NAME
    return _OF_KEYS[keys]
