"""Releases in, a journal that only grows out: what went to whom, under which agreement, and by whose decision."""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tocsin.errors import SealError, ShareError
from tocsin.seal import chain, durable

JOURNAL: Final = "releases.jsonl"
SECRET: Final = "pseudonyms.key"  # noqa: S105 - the name of a file
_BYTES: Final = 32
_HINT: Final = "See to its permissions and free space. Nothing was let go."


def key_for(folder: Path, peer: str) -> bytes:
    """The key of a peer's pseudonyms, from a secret that is made when it is first needed and never leaves.

    Raises:
        ShareError: it cannot be read or made.
    """
    path = folder / SECRET
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Whole or not at all: a second process that comes at the same time finds one or makes none.
            made = folder / f".{SECRET}.{secrets.token_hex(4)}"
            durable.create(made, secrets.token_bytes(_BYTES), mode=0o600)
            try:
                os.link(made, path)
            except FileExistsError:
                pass
            finally:
                made.unlink()
            durable.settle(folder)
        secret = path.read_bytes()
    except OSError as error:
        raise ShareError(f"{path}: {error.strerror or error}", hint=_HINT) from error
    if len(secret) != _BYTES:
        raise ShareError(f"{path}: is not the secret that was made", hint="Bring it back: pseudonyms hang on it.")
    return hmac.digest(secret, f"pseudonyms\0{peer}".encode(), "sha256")


def add(folder: Path, told: Mapping[str, Any]) -> str:
    """Write an entry, safe on the disk before anything is let go; gives its digest.

    Raises:
        ShareError: the journal cannot be written.
        SealError: it was changed.
    """
    path = folder / JOURNAL
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            known = _read(path)
            text, link = chain.line(told, len(known.links), known.head)
            os.ftruncate(number, known.ends)  # a line that was never finished was never acknowledged
            os.lseek(number, known.ends, os.SEEK_SET)
            durable.write_all(number, text)
            os.fsync(number)
        finally:
            os.close(number)
        durable.settle(folder)
    except OSError as error:
        raise ShareError(f"{path}: cannot be written: {error.strerror or error}", hint=_HINT) from error
    return link.digest


def entries(folder: Path) -> list[Mapping[str, Any]]:
    """All entries, the oldest first.

    Raises:
        SealError: one of them was changed.
    """
    return [link.body for link in _read(folder / JOURNAL).links]


def _read(path: Path) -> chain.Chain:
    try:
        found = chain.read(path.read_bytes() if path.exists() else b"")
    except OSError as error:
        raise ShareError(f"{path}: cannot be read: {error.strerror or error}", hint=_HINT) from error
    if found.breaks:
        line, what = found.breaks[0]
        raise SealError(f"{path}: line {line} {what}", hint="Nothing is let go over a journal that was changed.")
    return found
