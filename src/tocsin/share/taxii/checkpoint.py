"""A folder of what came from one collection in, how far it was read out, and what of it is known already.

What came is on the disk before it counts as read: whoever is stopped at any moment reads on from there, and has nothing
twice. Times of a server are asked for with some overlap, since many let a late one slip in behind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from tocsin.border.stix_valid import time_us
from tocsin.errors import ShareError
from tocsin.seal import durable
from tocsin.share.taxii import times

NAME: Final = "checkpoint.json"
KNOWN: Final = "known.bin"
HUNTED: Final = "hunted.json"  # for each lake the last file that it was asked about
_DIGEST_BYTES: Final = 16
_OVERLAP_US: Final = timedelta(minutes=1) // timedelta(microseconds=1)
_HINT: Final = "See to its permissions and free space; what came is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a collection was read.

    Args:
        url: of the collection; a folder is for one.
        next: leads to the page that was not read yet, within a reading that was not finished.
        last: the latest time told in this reading, `done` that of the last one that was finished.
        pages: how many files there are.
        known: how many digests of what came count.
    """

    url: str
    next: str = ""
    last: str = ""
    done: str = ""
    pages: int = 0
    known: int = 0

    @property
    def added_after(self) -> str:
        after = time_us(self.done)
        return "" if after is None else times.told(max(0, after - _OVERLAP_US))


def load(folder: Path, url: str) -> tuple[Checkpoint, set[bytes]]:
    """How far it was read, and digests of all that came.

    Raises:
        ShareError: it cannot be read, or is of another collection.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            return Checkpoint(url=url), set()
        found = msgspec.json.decode(path.read_bytes(), type=Checkpoint)
        known = (folder / KNOWN).read_bytes() if found.known else b""
    except OSError as error:
        raise ShareError(f"{path}: {error.strerror or error}", hint=_HINT) from error
    except msgspec.MsgspecError as error:
        raise ShareError(f"{path}: is damaged: {error}", hint="Move it away to read everything anew.") from error
    if found.url != url:
        raise ShareError(f"{folder}: is of another collection, {found.url}", hint="Choose another name with --as.")
    if len(known) < found.known * _DIGEST_BYTES:
        raise ShareError(f"{folder / KNOWN}: is shorter than it was", hint="Move the folder away to read all anew.")
    ends = found.known * _DIGEST_BYTES
    return found, {known[at : at + _DIGEST_BYTES] for at in range(0, ends, _DIGEST_BYTES)}


def advance(folder: Path, before: Checkpoint, after: Checkpoint, content: str, digests: list[bytes]) -> Checkpoint:
    """Keep a page, and then that it was read. `content` is '' where nothing on it is new."""
    try:
        if content:
            after = replace(after, pages=before.pages + 1)
            durable.replace(folder / name(after.pages), content.encode(), mode=0o600)
        after = replace(after, known=before.known + len(digests))
        if digests:
            _append(folder / KNOWN, before.known * _DIGEST_BYTES, b"".join(digests))
        durable.replace(folder / NAME, msgspec.json.encode(after), mode=0o600)
    except OSError as error:
        raise ShareError(f"{folder}: cannot be written: {error.strerror or error}", hint=_HINT) from error
    return after


def name(page: int) -> str:
    return f"objects-{page:08}.json"


def not_hunted(folder: Path, lake: Path) -> list[Path]:
    """Files that a lake was not asked about yet: also those of a reading after which there was no time to ask.

    Raises:
        ShareError: what was noted cannot be read.
    """
    done = _noted(folder).get(str(lake.resolve()), "")
    return [path for path in sorted(folder.glob("objects-*.json")) if path.name > done]


def hunted(folder: Path, lake: Path, files: Sequence[Path]) -> None:
    """Note that a lake was asked about files.

    Raises:
        ShareError: it cannot be noted.
    """
    noted = _noted(folder) | {str(lake.resolve()): max(path.name for path in files)}
    try:
        durable.replace(folder / HUNTED, msgspec.json.encode(noted), mode=0o600)
    except OSError as error:
        raise ShareError(f"{folder}: cannot be written: {error.strerror or error}", hint=_HINT) from error


def _noted(folder: Path) -> dict[str, str]:
    path = folder / HUNTED
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    except (OSError, msgspec.MsgspecError) as error:
        raise ShareError(f"{path}: {error}", hint="Move it away to hunt for everything anew.") from error


def _append(path: Path, at: int, content: bytes) -> None:
    """Write behind what counts; what stands there was never counted."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(number, at)
        os.lseek(number, at, os.SEEK_SET)
        durable.write_all(number, content)
        os.fsync(number)
    finally:
        os.close(number)
