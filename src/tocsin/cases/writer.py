"""A case and what was done in, entries at the end of its log out: one writer at a time, every entry safe on the disk.

What a kill at any moment can leave: a last line that is not whole, or a case.json that is an entry or two behind. Both
are recognised by `folder.load`, told, and mended by the next writer.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tocsin.cases import derive, entries
from tocsin.cases.folder import LOCK, LOG, STATE, TORN, keep, keep_torn, load, names, read
from tocsin.errors import BusyError, CaseError
from tocsin.model.case import Case, Entry, Mended, What
from tocsin.seal import chain, decisions, durable

WAIT_S: Final = 10.0
BY_ITSELF: Final = "tocsin"  # who wrote an entry that no person asked for
_LOOK_AGAIN_S: Final = 0.01  # at most: a writer in a tight loop leaves gaps of some 0.1 ms, and is met by chance


class Writer:
    """Whoever holds the lock of a case. `notes` are what was found when it was opened, and should be told."""

    def __init__(self, folder: Path) -> None:
        stored = load(folder)
        if stored.faults:
            raise CaseError(
                f"{folder}: was changed behind our back, so nothing is added: {stored.faults[0]}",
                hint="`tocsin case verify` tells all; go on from a copy that verifies.",
            )
        self.folder = folder
        self.notes = stored.notes
        self.entries: list[Entry] = list(stored.entries)
        self.case: Case = derive.derive(self.entries)
        self._ends = stored.chain.ends
        self._torn = stored.chain.torn

    def add(self, *whats: What, by: str, at: str = "") -> Sequence[Entry]:
        """Write entries: all of them, or, should the machine stop, the first of them."""
        with _disk_troubles_told(self.folder):
            self._mend()
            return self._append(whats, by, at)

    def keep(self, content: bytes) -> str:
        with _disk_troubles_told(self.folder):
            return keep(self.folder, content)

    def _mend(self) -> None:
        """Cut off the end of the log that is no line, but keep it; and tell of it, also where a kill came between."""
        if self._torn:
            keep_torn(self.folder, self._torn, self._ends)
            os.truncate(self.folder / LOG, self._ends)
            self._torn = b""
        for mended in untold(self.folder, self.entries):
            self._append([mended], BY_ITSELF, "")

    def _append(self, whats: Sequence[What], by: str, at: str) -> Sequence[Entry]:
        at = at or decisions.now()
        case, text, added = self.case, b"", []
        for what in whats:
            line, link = chain.line(entries.body(what, by=by, at=at), case.count, case.head)
            entry = entries.read(link)
            case = derive.follow(case, entry)
            text += line
            added.append(entry)
        self._write(text)
        self._ends += len(text)
        self.entries += added
        self.case = case
        durable.replace(self.folder / STATE, derive.rendered(case))
        return added

    def _write(self, text: bytes) -> None:
        number = os.open(self.folder / LOG, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            durable.write_all(number, text)
            os.fsync(number)
        except OSError:
            with suppress(OSError):  # a full disk: what was written of it goes again, and if not, is found as torn
                os.ftruncate(number, self._ends)
            raise
        finally:
            os.close(number)


def untold(folder: Path, known: Sequence[Entry]) -> Iterator[Mended]:
    """Ends of the log that were cut off, and of which no entry tells yet."""
    told = {f"{entry.what.at_byte}-{entry.what.sha256}" for entry in known if isinstance(entry.what, Mended)}
    for name in names(folder, TORN):
        place, _, digest = name.partition("-")
        if name not in told and place.isdecimal():
            size = len(read(folder / TORN / name) or b"")
            yield Mended(at_byte=int(place), cut_bytes=size, sha256=digest)


@contextmanager
def writing(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[Writer]:
    """Be the one who writes, for as long as the context lasts. Whoever else does is waited for, up to a time.

    Not to be held while workers are forked: the lock would be theirs too, until the last of them ends.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder}: there is no such case", hint="`tocsin case list` shows those that there are.")
    with _disk_troubles_told(folder):
        # `flock` goes with the open file: the system lets go of it when its holder dies, however that happens.
        number = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        with _disk_troubles_told(folder):
            _take(number, folder, wait_s)
        yield Writer(folder)
    finally:
        os.close(number)


def _take(number: int, folder: Path, wait_s: float) -> None:
    """Take the lock, and write into it whose it is."""
    ends = time.monotonic() + wait_s
    while not _taken(number):
        if time.monotonic() >= ends:
            holder = os.pread(number, 20, 0).decode("ascii", "replace").strip()
            raise BusyError(
                f"{folder}: somebody else is writing in it{f' (process {holder})' if holder.isdigit() else ''}",
                hint=f"Waited {wait_s:g} s for them to finish. Try again.",
            )
        time.sleep(random.uniform(0, _LOOK_AGAIN_S))  # noqa: S311 - no secret hangs on it
    os.ftruncate(number, 0)
    os.pwrite(number, f"{os.getpid()}\n".encode("ascii"), 0)


@contextmanager
def _disk_troubles_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "See to its permissions and free space; what was written before is safe."
        raise CaseError(f"{folder}: cannot be written in: {error.strerror or error}", hint=hint) from error


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
