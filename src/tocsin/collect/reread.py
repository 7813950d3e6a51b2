"""Places of records in, the records as they stand in the evidence out; none of evidence that is not what was read.

A source is opened again and its digest taken again: only where it is that of the custody is a record given. Of large
files only the parts that hold a place are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.collect import sources
from tocsin.collect.read import read_units
from tocsin.collect.reader import Reader
from tocsin.collect.streams import HEAD_BYTES
from tocsin.collect.units import Unit, plan, sniffed
from tocsin.errors import EvidenceError
from tocsin.model.custody import Custody
from tocsin.model.event import Events, Longs
from tocsin.model.raw import Place, Raw

MOST_DECODED: Final = 512 << 20  # bytes of evidence, a quarter of a minute; what stands in more is not read again
MOST_KEPT: Final = 256 << 20  # bytes of records, all together
LONGEST: Final = 64 << 10  # bytes of one record; longer ones are script blocks, whose fields say more
_PART_BYTES: Final = 1 << 20

CHANGED: Final = "its source is no longer the one that was read: the SHA-256 differs"
_GONE: Final = "its source cannot be opened any more"
_STREAM: Final = "it was read from standard input, which is over"
_TOO_MUCH: Final = "too many records were asked for, or in too many places, to read all of them again"
_NOT_THERE: Final = "it was not found again in its source"


@dataclass(slots=True)
class _Reading:
    """What is asked for, by source; what was found; and how much was decoded and kept."""

    wanted: dict[str, set[tuple[int, int]]]
    numbers: dict[str, Longs] = field(default_factory=dict)  # of `wanted`, by source
    found: dict[Place, Raw] = field(default_factory=dict)
    decoded: int = 0
    kept: int = 0

    def take(self, events: Events) -> None:
        for number, source in enumerate(events.sources):
            asked = self.wanted.get(source.path)
            if not asked:
                continue
            if source.path not in self.numbers:
                self.numbers[source.path] = np.unique(np.array([rec for _, rec in asked], np.int64))
            for row in np.flatnonzero((events.src == number) & _among(events.rec, self.numbers[source.path])).tolist():
                place = (source.path, int(events.chunk[row]), int(events.rec[row]))
                if place[1:] in asked and place not in self.found:
                    raw = bytes(events.raw[row])
                    self.kept += min(len(raw), LONGEST)
                    full = self.kept > MOST_KEPT
                    self.found[place] = (
                        Raw(missing=_TOO_MUCH)
                        if full
                        else Raw(kind=events.kind, content=raw[:LONGEST], size_bytes=len(raw))
                    )


def _among(numbers: Longs, known: Longs) -> npt.NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    there: npt.NDArray[np.bool_] = known[at] == numbers
    return there


def again(
    places: Iterable[Place], logs: Iterable[str | Path], custody: Sequence[Custody], mapped: Sequence[Reader] = ()
) -> Mapping[Place, Raw]:
    """Read records again.

    Args:
        places: those that matter most first; each gets an answer, which may be why it has no record.
        logs: the evidence, named as it was when it was read.
        mapped: readers that only this run has.
    """
    order = list(dict.fromkeys(places))
    asked: dict[str, set[tuple[int, int]]] = {}
    for path, chunk, rec in order:
        asked.setdefault(path, set()).add((chunk, rec))
    digests = {source.path: source.sha256 for source in custody if source.sha256}
    reading = _Reading(asked)
    why = dict.fromkeys(asked, _GONE)
    try:
        units = plan(logs, mapped=mapped)
    except EvidenceError:
        units = []
    for unit in _in_order([unit for unit in units if not (unit.fault or unit.same_as)], order):
        paths = [path for path in asked if _is_of(unit, path)]
        if unit.path == sources.STDIN:
            why.update(dict.fromkeys(paths, _STREAM))
            continue
        changed = _read(unit, paths, reading, digests, mapped)
        why.update({path: changed.get(path, _NOT_THERE) for path in paths})
    return {place: reading.found.get(place) or Raw(missing=why[place[0]]) for place in order}


def _in_order(units: Sequence[Unit], order: Sequence[Place]) -> Iterator[Unit]:
    """The files, and members of archives, that hold a place, each once; what matters most first."""
    whole = {(unit.path, unit.member): replace(unit, start=0, stop=None) for unit in units if not unit.digest_only}
    by_path: dict[str, list[Unit]] = {}
    for unit in whole.values():
        by_path.setdefault(f"{unit.label}!{unit.member}" if unit.member else unit.label, []).append(unit)
    given: set[tuple[str, str | None]] = set()
    for path in dict.fromkeys(place[0] for place in order):
        parts = path.split("!")
        for at in range(len(parts), 0, -1):
            for unit in by_path.get("!".join(parts[:at]), ()):
                if (unit.path, unit.member) not in given:
                    given.add((unit.path, unit.member))
                    yield unit


def _is_of(unit: Unit, path: str) -> bool:
    base = f"{unit.label}!{unit.member}" if unit.member else unit.label
    return path == base or path.startswith(f"{base}!")


def _read(
    unit: Unit, paths: Sequence[str], reading: _Reading, digests: Mapping[str, str], mapped: Sequence[Reader]
) -> dict[str, str]:
    """Find what a file or a member holds; what is wrong with its sources, by their path."""
    before = set(reading.found)
    closed: list[Custody] = []
    try:
        parts = _parts(unit, reading.wanted.get(unit.label, set()), mapped)
        if parts:
            closed += _decoded([replace(unit, digest_only=True)], reading, mapped)
        for part in parts or [unit]:
            reading.decoded += part.weight
            if reading.decoded > MOST_DECODED:
                return dict.fromkeys(paths, _TOO_MUCH)
            closed += _decoded([part], reading, mapped)
    except (EvidenceError, OSError):
        return dict.fromkeys(paths, _GONE)
    finally:
        now = {one.path: one.sha256 for one in closed if one.sha256}
        same = {path for path in paths if digests.get(path) and digests.get(path) == now.get(path)}
        for place in [place for place in reading.found if place not in before and place[0] not in same]:
            del reading.found[place]
    return {path: CHANGED for path in paths if path not in same}


def _decoded(units: Sequence[Unit], reading: _Reading, mapped: Sequence[Reader]) -> list[Custody]:
    closed: list[Custody] = []
    for events in read_units(units, frozenset(), closed.append, mapped=mapped):
        reading.take(events)
    return closed


def _parts(unit: Unit, wanted: set[tuple[int, int]], mapped: Sequence[Reader]) -> list[Unit]:
    """The parts of a large file that hold a place; none if it is to be read as a whole."""
    if unit.member is not None:
        return []
    with sources.open_path(unit.path) as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
    reader = sniffed(head, mapped)
    ranges = reader.ranges(head, size, _PART_BYTES) if reader and not head.startswith(b"PK") else []
    if len(ranges) < 2:
        return []
    at = np.sort([rec if chunk < 0 else chunk for chunk, rec in wanted])
    return [
        replace(unit, start=start, stop=stop, weight=stop - start)
        for start, stop in ranges
        if np.searchsorted(at, start) < np.searchsorted(at, stop)
    ]
