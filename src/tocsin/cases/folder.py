"""The folder of a case in, its files out, read with care: it may come from elsewhere, and somebody may write in it.

CASE/log.jsonl     what happened, a hash chain: the truth, only ever added to
CASE/case.json     where the case stands, derived from the log and replaced as a whole; its head shows a log cut short
CASE/kept/DIGEST   documents by the SHA-256 of their bytes
CASE/torn/         ends of the log that were cut off because they were no whole line
CASE/lock          whoever writes holds it
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.cases import derive, entries
from tocsin.errors import CaseError
from tocsin.model.case import VERSION, Entry
from tocsin.seal import chain, durable

LOG: Final = "log.jsonl"
STATE: Final = "case.json"
LOCK: Final = "lock"
KEPT: Final = "kept"
TORN: Final = "torn"

_LARGEST: Final = 512 << 20  # of a log, in bytes: some hundred thousand entries have a tenth of it
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NEWER: Final = "It was written by a newer Tocsin: use that one, or a newer one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A case as it lies on the disk.

    Args:
        chain: the log; `entries` are those of its links that could be read.
        head: what case.json tells of how far the log goes; `count` likewise, -1 where it tells nothing.
        faults: what must not be so; `notes` what may be so, and should be known.
    """

    chain: chain.Chain
    entries: tuple[Entry, ...]
    head: str
    count: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def load(folder: Path) -> Stored:
    """Read case.json first: a log that grows meanwhile is only ever longer than what it tells."""
    state = read(folder / STATE)
    log = read(folder / LOG)
    if state is None and log is None:
        raise CaseError(f"{folder}: holds no case", hint="A case is a folder with log.jsonl and case.json in it.")
    found = chain.read(log or b"")
    faults = [f"{LOG}, line {number}: {word}" for number, word in found.breaks]
    notes: list[str] = []
    known: list[Entry] = []
    case = derive.derive(())
    head, count = _told(folder, state, faults)
    for link in found.links:
        try:
            entry = entries.read(link)
            case = derive.follow(case, entry)
        except CaseError as error:
            if error.hint:  # nothing is wrong, but it is not for this version
                raise CaseError(f"{folder}: {error.message}", hint=error.hint) from error
            faults.append(f"{LOG}, line {link.n + 1}: {error.message}")
            break
        known.append(entry)
        if count == len(known) and derive.rendered(case) != state:
            faults.append(f"{STATE}: is not what follows from the log")
    faults += _end(found, head, count)
    if log is None:
        faults.append(f"{LOG}: is not there")
    if 0 <= count < len(found.links):
        notes.append(f"{STATE} is behind the log, as after a kill: it tells of {count} of {len(found.links)} entries")
    if found.torn:
        notes.append(
            f"{LOG} ends with {len(found.torn)} bytes that are no whole line: somebody is writing, or was stopped while"
            f" writing; the next entry moves them to {TORN}/"
        )
    return Stored(chain=found, entries=tuple(known), head=head, count=count, faults=tuple(faults), notes=tuple(notes))


def _told(folder: Path, state: bytes | None, faults: list[str]) -> tuple[str, int]:
    """Head and count that case.json tells; '' and -1 if nothing."""
    if state is None:
        faults.append(f"{STATE}: is not there, so whether the end of the log is missing cannot be told")
        return "", -1
    try:
        plain: Any = msgspec.json.decode(state)
        head, count, version = plain["head"], plain["count"], plain["version"]
    except (ValueError, KeyError, TypeError):
        plain = head = count = version = None
    known = type(version) is int and version >= VERSION  # there never was an older one
    if not (isinstance(head, str) and type(count) is int and count > 0 and known):
        faults.append(f"{STATE}: cannot be read")
        return "", -1
    if version > VERSION:
        raise CaseError(f"{folder}: {STATE} is of version {version}, and {VERSION} is known here", hint=_NEWER)
    return head, count


def _end(found: chain.Chain, head: str, count: int) -> list[str]:
    """Whether the log goes as far as case.json knows it went."""
    if count < 0 or found.breaks:
        return []
    if count > len(found.links):
        missing = count - len(found.links)
        return [f"{LOG}: {missing} of {count} entries are missing at its end; the last had the digest {head}"]
    if found.links[count - 1].digest != head:
        return [f"{LOG}: entry {count - 1} is another one than {STATE} tells of"]
    return []


def read(path: Path, most: int = _LARGEST) -> bytes | None:
    """A regular file that is no link, or None where there is nothing of that name."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        hint = "See to its permissions; a link in a case is not followed."
        raise CaseError(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error
    with os.fdopen(number, "rb") as file:
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode) or about.st_size > most:
            raise CaseError(f"{path}: is not a file, or larger than {most:,} bytes", hint="Is this folder a case?")
        return file.read(most)


def keep(folder: Path, content: bytes) -> str:
    """Store a document under its digest. It is there, whole, before any entry names it."""
    digest = hashlib.sha256(content).hexdigest()
    _put(folder / KEPT / digest, content)
    return digest


def keep_torn(folder: Path, content: bytes, at_byte: int) -> None:
    _put(folder / TORN / f"{at_byte}-{hashlib.sha256(content).hexdigest()}", content)


def _put(path: Path, content: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
        durable.settle(path.parent.parent)
    if read(path) != content:
        durable.replace(path, content)


def kept(folder: Path, digest: str) -> bytes:
    """A document by its digest, checked."""
    content = read(folder / KEPT / digest) if _DIGEST.fullmatch(digest) else None
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise CaseError(f"{folder}: {KEPT}/{digest[:80]} is not there, or was changed", hint="Verify the case.")
    return content


def torn(folder: Path, at_byte: int, digest: str) -> bytes:
    """An end of the log that was cut off, checked."""
    content = read(folder / TORN / f"{at_byte}-{digest}") if _DIGEST.fullmatch(digest) else None
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise CaseError(f"{folder}: {TORN}/{at_byte}-{digest[:80]} is not there, or was changed", hint="Verify it.")
    return content


def names(folder: Path, within: str) -> tuple[str, ...]:
    """What lies in `kept` or `torn`, without what was being written when somebody was stopped."""
    place = folder / within
    if not place.is_dir() or place.is_symlink():
        return ()
    return tuple(sorted(path.name for path in place.iterdir() if not path.name.endswith(durable.PART)))
