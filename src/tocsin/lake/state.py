"""Entries of a lake's log in, what the lake holds out: parts, runs of the index, what was imported, what is on hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

from tocsin.errors import LakeError
from tocsin.lake.parts import Part
from tocsin.model.custody import Custody
from tocsin.seal.chain import Link

VERSION: Final = 1

What: TypeAlias = Literal["made", "added", "merged", "compacted", "retired", "held", "released"]


class RunFile(msgspec.Struct, frozen=True):
    """A run of the index, by its name below `index/`."""

    name: str
    size_bytes: int
    sha256: str


class Hold(msgspec.Struct, frozen=True):
    """Nothing of these days (ISO, both within) is retired. `kind` is '' for all."""

    name: str
    kind: str
    since: str
    until: str
    reason: str
    by: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the log. What it takes away and what it adds belong together."""

    what: What
    n: int
    prev: str
    at: str
    version: int = VERSION
    batch: str = ""
    parts: list[Part] = []
    gone: list[tuple[str, str]] = []  # parts that are no longer there, as kind and path
    runs: list[RunFile] = []
    runs_gone: list[str] = []
    done: list[str] = []  # what was imported: the digest of a file, and which part of it
    evidence: dict[str, str] = {}  # SHA-256 of the files that it was imported from, by what they are called
    custody: list[Custody] = []
    hold: Hold | None = None
    name: str = ""  # of a hold that is released
    by: str = ""
    reason: str = ""


@dataclass(slots=True)
class State:
    """What the entries so far come to."""

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    runs: dict[str, RunFile] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    custody: list[Custody] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    changes: dict[str, list[Entry]] = field(default_factory=dict)  # by kind, the entries that change its table
    evidence: dict[str, str] = field(default_factory=dict)
    batches: int = 0
    retired: int = 0
    count: int = 0

    def follow(self, links: Iterable[Link]) -> None:
        """Take in entries; each must be one that this version understands."""
        for link in links:
            entry = read(link)
            for key in entry.gone:
                self.parts.pop(key, None)
            for part in entry.parts:
                self.parts[part.kind, part.path] = part
            for kind in {kind for kind, _ in entry.gone} | {part.kind for part in entry.parts}:
                self.changes.setdefault(kind, []).append(entry)
            for name in entry.runs_gone:
                self.runs.pop(name, None)
            for run in entry.runs:
                self.runs[run.name] = run
            self.done.update(entry.done)
            self.custody += entry.custody
            self.evidence.update(entry.evidence)
            self.retired += entry.what == "retired"
            if entry.hold is not None:
                self.holds[entry.hold.name] = entry.hold
            if entry.what == "released":
                self.holds.pop(entry.name, None)
            self.batches += entry.what == "added"
            self.count += 1

    def of_kind(self, kind: str) -> list[Part]:
        return [part for part in self.parts.values() if part.kind == kind]

    @property
    def kinds(self) -> list[str]:
        return sorted({part.kind for part in self.parts.values()})

    def columns(self, kind: str) -> list[str]:
        """All columns that a kind's table was ever given."""
        every = self.changes.get(kind, ())
        parts = (part for entry in every for part in entry.parts if part.kind == kind)
        return list(dict.fromkeys(name for part in parts for name in part.columns))


def read(link: Link) -> Entry:
    try:
        entry = msgspec.convert(link.body, Entry)
    except msgspec.ValidationError as error:
        raise LakeError(
            f"entry {link.n} of the lake's log says what this version does not understand: {error}",
            hint="Use the version of tocsin that wrote it, or a newer one.",
        ) from error
    if entry.version > VERSION:
        raise LakeError("the lake was written by a newer version of tocsin", hint="Use that version, or a newer one.")
    return entry
