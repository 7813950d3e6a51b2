"""A lake in, all that is wrong with it out: log, parts, tables, index, and the evidence where it still lies.

An import wrote the digest of each file that it read, and the count of its records, into the log; so a record that went
missing, or one that was slipped in, shows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tocsin.errors import LakeError
from tocsin.lake import tables
from tocsin.lake.parts import Part
from tocsin.lake.reading import Opened
from tocsin.lake.runs import Run
from tocsin.lake.store import INDEX, Lake

Told: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`faults` are in words, in order. `absent` files of evidence are no longer where they were read."""

    faults: tuple[str, ...]
    parts: int
    records: int
    evidence: int
    absent: int


def verify(lake: Lake, told: Told = lambda what, at, of: None) -> Verdict:
    """Look at every byte. The lake's log was verified when it was opened."""
    faults: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    parts = sorted(lake.state.parts.values(), key=lambda part: (part.kind, part.path))
    for at, part in enumerate(parts):
        told(f"{part.kind} {part.day}", at, len(parts))
        path = lake.part_path(part)
        digest = _digest(path)
        if digest != part.sha256:
            faults.append(f"{path}: {'is not there' if digest is None else 'was changed: its digest is another one'}")
            continue
        counts.update(_sources(Opened(part, path)))
    faults += _of_tables(lake)
    for name, run in sorted(lake.state.runs.items()):
        digest = _digest(lake.folder / INDEX / name)
        if digest != run.sha256:
            faults.append(f"{INDEX}/{name}: {'is not there' if digest is None else 'was changed'}")
    faults += [f"{INDEX}/{name}: is of an earlier version; `tocsin lake mend` makes it anew" for name in lake.older]
    if not faults:
        faults += [f"{part.kind}/{part.path}: is in no index" for part in _unindexed(lake)]
        faults += _miscounted(lake, counts)
    told("evidence", len(parts), len(parts))
    seen, absent, changed = _evidence(lake)
    return Verdict(
        faults=(*faults, *changed),
        parts=len(parts),
        records=sum(part.rows for part in parts),
        evidence=seen,
        absent=absent,
    )


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _sources(opened: Opened) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for group in range(opened.groups):
        table = opened.read(group, ["_src", "_path"])
        for row in table.group_by(["_src", "_path"]).aggregate([([], "count_all")]).to_pylist():
            found[row["_src"], row["_path"]] += row["count_all"]
    return found


def _of_tables(lake: Lake) -> Iterator[str]:
    for kind, entries in sorted(lake.state.changes.items()):
        try:
            late = tables.shown(lake.folder, kind) < entries[-1].n
            there = tables.paths(lake.folder, kind)
        except LakeError as error:
            yield error.message
            continue
        named = {part.path for part in lake.state.of_kind(kind)}
        if late:
            yield f"{kind}: its table is behind the log; whoever writes next brings it up to it"
            continue
        for path in sorted(there ^ named):
            yield f"{kind}/{path}: is {'in the table, but not in the log' if path in there else 'not in the table'}"


def _unindexed(lake: Lake) -> list[Part]:
    spoken = {part for name in lake.state.runs for part in Run(lake.folder / INDEX / name).about.parts}
    return [part for key, part in sorted(lake.state.parts.items()) if key not in spoken]


def _miscounted(lake: Lake, counts: Counter[tuple[str, str]]) -> Iterator[str]:
    """Sources that have more records than were read from them; or fewer, where nothing was retired."""
    read: Counter[tuple[str, str]] = Counter()
    for source in lake.state.custody:
        read[source.file, source.path] += source.read
    found: Counter[tuple[str, str]] = Counter()
    files = {path: file for file, path in read}
    for (_, path), count in counts.items():
        found[files.get(path, ""), path] += count
    for (file, path), count in sorted(found.items()):
        if count > read[file, path]:
            yield f"{path}: {count:,} records are in the lake, {read[file, path]:,} were read from it"
    for (file, path), count in sorted(read.items()):
        if count > found[file, path] and not lake.state.retired:
            yield f"{path}: of {count:,} records that were read, {found[file, path]:,} are in the lake"


def _evidence(lake: Lake) -> tuple[int, int, list[str]]:
    seen = absent = 0
    changed: list[str] = []
    for file, sha256 in sorted(lake.state.evidence.items()):
        path = Path(file)
        if not path.is_file():
            absent += 1
        elif _digest(path) == sha256:
            seen += 1
        else:
            changed.append(f"{file}: is no longer the file that was imported")
    return seen, absent, changed
