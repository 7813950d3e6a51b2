"""Entries in, a log that says all a lake holds out: a hash chain, one writer at a time, every entry safe on the disk.

The log is written ahead (as in Mohan and others, ARIES, 1992, but only forward): once an entry is whole the lake holds
what it says, and tables that do not show it yet are brought up to it by whoever opens the lake next.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocsin.errors import LakeError
from tocsin.seal import chain, durable

LOG: Final = "lake.jsonl"
HUNTS: Final = "hunts.jsonl"
LOCK: Final = "lock"
WAIT_S: Final = 120.0
LONGEST: Final = chain.LONGEST - 4096

_LOOK_AGAIN_S: Final = 0.02
_DRAWN: Final = re.compile(r"\x1b\[[0-9;]*m|\u21b3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A log as it was read; `torn_bytes` stand behind its last whole line."""

    links: tuple[chain.Link, ...]
    head: str
    ends: int
    torn_bytes: int


NOTHING: Final = Read(links=(), head=chain.ROOT, ends=0, torn_bytes=0)


def read(path: Path, known: Read = NOTHING) -> Read:
    """Read a log, from behind what is known of it.

    Raises:
        LakeError: a line of it was changed, or does not follow from what is known, or it cannot be read.
    """
    text = b""
    try:
        with path.open("rb") as file:
            file.seek(known.ends)
            text = file.read()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LakeError(f"{path}: cannot be read: {error.strerror}", hint="Check its permissions.") from error
    found = chain.read(text, len(known.links), known.head)
    if found.breaks:
        line, what = found.breaks[0]
        raise LakeError(
            f"{path}: line {line} {what}",
            hint="Nothing is added to it. docs/lake.md says how to go on from a copy.",
        )
    links = (*known.links, *found.links)
    head = found.head if found.links else known.head
    return Read(links=links, head=head, ends=known.ends + found.ends, torn_bytes=len(found.torn))


def append(path: Path, known: Read, *bodies: Mapping[str, Any]) -> Read:
    """Write entries behind those that are known; the caller holds the lock. A torn end is cut off first.

    A torn line was never finished, and nobody was told that what it says was done.
    """
    with troubles_told(path):
        links = list(known.links)
        text, head = b"", known.head
        for body in bodies:
            line, link = chain.line(body, len(links), head)
            links.append(link)
            text, head = text + line, link.digest
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            if known.torn_bytes:
                os.ftruncate(number, known.ends)
            os.lseek(number, known.ends, os.SEEK_SET)
            try:
                durable.write_all(number, text)
                os.fsync(number)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(number, known.ends)
                raise
        finally:
            os.close(number)
        if not known.ends:
            durable.settle(path.parent)
        return Read(links=tuple(links), head=head, ends=known.ends + len(text), torn_bytes=0)


@contextmanager
def locked(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Be the one who writes, for as long as the context lasts. Not to be held while workers are forked."""
    with troubles_told(folder):
        # `flock` goes with the open file: the system lets go of it when its holder dies, however that happens.
        number = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        ends = time.monotonic() + wait_s
        while not _taken(number):
            if time.monotonic() >= ends:
                raise LakeError(
                    f"{folder}: somebody else is writing in this lake",
                    hint=f"Waited {wait_s:g} s for them to finish. Try again.",
                )
            time.sleep(random.uniform(0, _LOOK_AGAIN_S))  # noqa: S311 - no secret hangs on it
        yield
    finally:
        os.close(number)


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def troubles_told(place: Path) -> Iterator[None]:
    """A disk that is full or may not be written to, in words."""
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"{place}: cannot be written in: {error.strerror or _cause(error)}",
            hint="See to its permissions and free space; what the lake acknowledged is safe, and a new try goes on.",
        ) from error


def _cause(error: OSError) -> str:
    """What the system said, out of the tree of causes that delta-rs draws for a terminal, in colours."""
    said = _DRAWN.sub(" ", str(error)).split("\n")
    return next((line for line in map(str.strip, reversed(said)) if line), type(error).__name__)
