"""A folder in, a lake out: opened, made, and added to, a batch at a time, each exactly once.

A batch is written beside the lake first: Parquet files below the folders of their tables, and a run of the index. The
entry in the log that names them makes them part of the lake, all at once and with the word that their evidence is in;
then the tables are brought up to the log. Whatever a kill leaves, the next who opens the lake to write finds what is in
the log, and brings the tables up to it; files that no entry names are nobody's, and are written over or swept away.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tocsin.errors import LakeError
from tocsin.lake import log, merging, runs, tables
from tocsin.lake.parts import Part
from tocsin.lake.runs import Run
from tocsin.lake.state import Hold, RunFile, State
from tocsin.model.custody import Custody

INDEX: Final = "index"
MOST_RUNS: Final = 8  # of about one size: then they are merged

T = TypeVar("T", Part, Custody)

_SAFE: Final = (1 << 53) - 1
_NOW: Final[Callable[[], datetime]] = lambda: datetime.now(UTC)  # noqa: E731 - a clock that tests can set back


class Conflict(Exception):
    """Somebody else was faster: what the batch holds is in the lake, or its columns no longer fit. Nothing was done."""


@dataclass(slots=True)
class Lake:
    """An open lake. `state` is as of the last look at its log."""

    folder: Path
    state: State = field(default_factory=State)
    _shown: dict[str, int] = field(default_factory=dict)  # by kind, the last entry that its table is known to show
    _known: log.Read = field(default=log.NOTHING)

    @property
    def path(self) -> Path:
        return self.folder / log.LOG

    @property
    def head(self) -> str:
        """The digest of the last entry of the log: whoever knows it can tell whether anything before it was changed."""
        return self._known.head

    def look(self) -> None:
        """Take in what was added to the log since."""
        size = self.path.stat().st_size if self.path.exists() else -1
        before = len(self._known.links)
        if before and size == self._known.ends and not self._known.torn_bytes:
            return
        found = self._read_on(size)
        if not found.links:
            raise LakeError(f"{self.folder}: no lake", hint="`tocsin lake add` makes one.")
        self.state.follow(found.links[before:])
        self._known = found

    def _read_on(self, size: int) -> log.Read:
        """The log, of which no more is read than what is new: its lines must follow from those that are known."""
        if not self._known.links:
            return log.read(self.path)
        try:
            if size >= self._known.ends:
                return log.read(self.path, self._known)
        except LakeError:
            log.read(self.path)  # tells what is wrong with it, unless it is another one, and sound
        raise LakeError(f"{self.path}: was replaced while it was open", hint="Begin anew.")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock, with the log as it is now and tables that show all of it."""
        with log.locked(self.folder):
            self.look()
            self.catch_up()
            yield

    def catch_up(self) -> int:
        """Bring tables up to the log; gives how many entries they did not show."""
        late = 0
        with log.troubles_told(self.folder):
            for kind, entries in sorted(self.state.changes.items()):
                if self._shown.get(kind, -1) < entries[-1].n:
                    late += tables.show(self.folder, kind, entries)
                    self._shown[kind] = entries[-1].n
        return late

    def append(self, **told: Any) -> None:
        """Write an entry, then bring the tables up to it. The caller holds the lock."""
        for kind in {part.kind for part in told.get("parts", ())} - self._shown.keys():
            if tables.shown(self.folder, kind) >= len(self._known.links):  # nobody would see what is added under it
                raise tables.ahead(self.folder, kind)
        body = {"version": 1, "at": _NOW().isoformat(timespec="seconds"), **msgspec.to_builtins(told)}
        self._known = log.append(self.path, self._known, body)
        self.state.follow(self._known.links[-1:])
        self.catch_up()

    def add(
        self,
        batch: str,
        *,
        parts: Sequence[Part],
        run: RunFile | None,
        keys: Sequence[str],
        custody: Sequence[Custody],
        evidence: Mapping[str, str],
    ) -> None:
        """Make a batch part of the lake: when this returns, it is in, and outlasts whatever happens then.

        Args:
            keys: of the pieces of evidence that it holds, none of which may be in the lake.
            evidence: SHA-256 of the files these are from.

        Raises:
            Conflict: what it holds, or a part of it, is in already.
        """
        with self.writing():
            if not self.state.done.isdisjoint(keys):
                raise Conflict
            self._refuse_other_columns(parts)
            told: dict[str, Any] = {"batch": batch, "parts": list(map(writable, parts)), "runs": [run] if run else []}
            told |= {"done": list(keys), "custody": list(map(writable, custody)), "evidence": dict(evidence)}
            if len(msgspec.json.encode(told)) > log.LONGEST:
                raise LakeError(
                    f"a batch of {len(parts):,} parts and {len(keys):,} pieces of evidence is too large for one entry",
                    hint="This is a fault of tocsin: please report it with what was imported.",
                )
            self.append(what="added", **told)

    def _refuse_other_columns(self, parts: Sequence[Part]) -> None:
        """Two batches that were written at once may have named fields that differ in case alone."""
        for kind in {part.kind for part in parts}:
            there = {name.lower(): name for name in self.state.columns(kind)}
            for part in parts:
                for name in part.columns if part.kind == kind else ():
                    if there.setdefault(name.lower(), name) != name:
                        raise Conflict

    def part_path(self, part: Part) -> Path:
        return tables.folder_of(self.folder, part.kind) / part.path

    def run(self, name: str, *, every_byte: bool) -> Run:
        """A run of the index.

        Raises:
            LakeError: it cannot be read, or with `every_byte` is not as it was written.
        """
        path = self.folder / INDEX / name
        run = Run(path)
        if every_byte and run.sha256() != self.state.runs[name].sha256:
            raise LakeError(
                f"{path}: was changed, or damaged: its digest is another one",
                hint="No answer is given from it. `tocsin lake mend` makes it anew from the events.",
            )
        return run

    def index(self, *, every_byte: bool = False, even_older: bool = False) -> list[Run]:
        """The runs of the index. A run that is merged meanwhile is looked for again.

        Args:
            even_older: pass over those of an earlier version.
        """
        for _ in range(5):
            names = list(self.state.runs)
            if even_older:
                names = [name for name in names if name not in self.older]
            try:
                return [self.run(name, every_byte=every_byte) for name in names]
            except LakeError:
                before = set(self.state.runs)
                self.look()
                if before == set(self.state.runs):
                    raise
        raise LakeError(f"{self.folder}: its index changes faster than it can be read", hint="Try again.")

    def unindexed(self, version: str) -> list[Part]:
        """Parts of which no run of this version speaks."""
        spoken = {
            part for run in self.index(even_older=True) if run.about.version == version for part in run.about.parts
        }
        return [part for key, part in self.state.parts.items() if key not in spoken]

    @property
    def older(self) -> list[str]:
        """Runs of an earlier version: they cannot be asked, and `upkeep.reindex` writes others in their place."""
        return [name for name in self.state.runs if runs.is_older(self.folder / INDEX / name)]

    def merge(self, *, everything: bool = False) -> int:
        """Merge runs of about one size into larger ones; gives how many went.

        Args:
            everything: whatever their size, those of each version into one that speaks of nothing that is gone.
        """
        gone = 0
        with self.writing():
            while not self.older and (some := self._to_merge(everything=everything)):
                name = f"{secrets.token_hex(8)}.run"
                opened = [Run(self.folder / INDEX / one.name) for one in some]
                if len({run.about.version for run in opened}) > 1:
                    break  # `upkeep.reindex` makes one version of them first
                with log.troubles_told(self.folder):
                    size, digest = merging.merge(opened, self.folder / INDEX / name, self.state.parts.values())
                self.append(
                    what="merged",
                    runs=[RunFile(name=name, size_bytes=size, sha256=digest)],
                    runs_gone=[one.name for one in some],
                )
                self.drop([one.name for one in some])
                gone += len(some)
        return gone

    def _to_merge(self, *, everything: bool) -> list[RunFile]:
        every = list(self.state.runs.values())
        if everything:
            return next(filter(self._to_join, self._by_version(every)), [])
        tiers: dict[int, list[RunFile]] = {}
        for run in every:
            tiers.setdefault(max(run.size_bytes, 1 << 16).bit_length() // 3, []).append(run)
        return next((some for _, some in sorted(tiers.items()) if len(some) >= MOST_RUNS), [])

    def _by_version(self, every: Iterable[RunFile]) -> Iterable[list[RunFile]]:
        found: dict[str, list[RunFile]] = {}
        for run in every:
            found.setdefault(Run(self.folder / INDEX / run.name).about.version, []).append(run)
        return found.values()

    def _to_join(self, some: Sequence[RunFile]) -> bool:
        return len(some) > 1 or any(self._speaks_of_the_gone(run) for run in some)

    def _speaks_of_the_gone(self, run: RunFile) -> bool:
        return any(part not in self.state.parts for part in Run(self.folder / INDEX / run.name).about.parts)

    def drop(self, names: Sequence[str] = (), parts: Sequence[Part] = ()) -> None:
        """Delete files that the log no longer names."""
        for path in [self.folder / INDEX / name for name in names] + [self.part_path(part) for part in parts]:
            with suppress(OSError):
                path.unlink()


def writable(one: T) -> T:
    """With times that canonical JSON can hold (RFC 8785: what a double holds exactly): 1684 to 2255."""
    told = {name: getattr(one, name) for name in ("first_us", "last_us")}
    kept = {name: max(min(us, _SAFE), -_SAFE) for name, us in told.items() if us is not None}
    return replace(one, **kept)


def open_lake(folder: Path) -> Lake:
    """Open a lake to look into it.

    Raises:
        LakeError: there is none, or its log was changed.
    """
    lake = Lake(folder)
    lake.look()
    if not lake.state.count:
        raise LakeError(f"{folder}: no lake", hint="`tocsin lake add LOGS --lake DIR` makes one.")
    return lake


def make(folder: Path) -> Lake:
    """Open a lake to write in it; an empty folder, or one that is not there, becomes one."""
    with log.troubles_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / log.LOG).exists() and any(path.name not in (log.LOCK, log.LOG) for path in folder.iterdir()):
            raise LakeError(f"{folder}: holds something else", hint="Name a folder that is new, empty, or a lake.")
    lake = Lake(folder)
    with log.locked(folder):
        if not log.read(lake.path).links:
            lake._known = log.append(  # noqa: SLF001 - its own maker
                lake.path,
                log.read(lake.path),
                {"what": "made", "version": 1, "at": _NOW().isoformat(timespec="seconds")},
            )
            lake.state.follow(lake._known.links)  # noqa: SLF001 - as above
        lake.look()
        lake.catch_up()
    return lake


def hold(lake: Lake, wanted: Hold) -> None:
    """Keep days from being retired, until the hold is released by name."""
    with lake.writing():
        if wanted.name in lake.state.holds:
            raise LakeError(f"there is a hold called {wanted.name} already", hint="`tocsin lake info` lists them.")
        lake.append(what="held", hold=wanted, by=wanted.by, reason=wanted.reason)


def release(lake: Lake, name: str, *, by: str, reason: str) -> None:
    with lake.writing():
        if name not in lake.state.holds:
            raise LakeError(f"there is no hold called {name}", hint="`tocsin lake info` lists them.")
        lake.append(what="released", name=name, by=by, reason=reason)
