"""What is told in, a salted digest for the log out: nobody can try guesses against it, and whoever has both can check.

A payload is the bytes of one object as they were sent, or a letter about a revocation. Its digest is HMAC-SHA256 under
a salt of its own that travels with it: as a commitment it hides what it is of, and binds to it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tocsin.errors import ShareError
from tocsin.seal import durable

SALT: Final = 32
MOST_BYTES: Final = 16 << 20  # of one object
_FOLDER: Final = "payloads"
_FEW: Final = 32  # up to so many each file is synced by itself; beyond, the disk once: 10,000 one by one took minutes


def salted(content: bytes) -> tuple[str, bytes, bytes]:
    """The digest, the salt and the content."""
    salt = secrets.token_bytes(SALT)
    return digest_of(salt, content), salt, content


def digest_of(salt: bytes, content: bytes) -> str:
    return hmac.digest(salt, content, "sha256").hex()


def fault_of(digest: str, salt: bytes, content: bytes) -> str:
    """Why something is not what the log has the digest of; '' where it is."""
    if len(content) > MOST_BYTES:
        return f"it has {len(content):,} bytes, at most {MOST_BYTES:,} are kept"
    return "" if len(salt) == SALT and digest_of(salt, content) == digest else "its digest is another one"


def keep(root: Path, node: str, given: Sequence[tuple[str, bytes, bytes]]) -> int:
    """Keep what a node told, each once; how many of them are new. All are on the disk when this returns.

    Kept by teller: a digest in somebody's log is seen by others, who could name it in theirs, and take it back to find
    out from a receipt whether it was told here.
    """
    new = 0
    for digest, salt, content in given:
        path = _place(root, node, digest)
        if path.exists() and not fault_of(digest, *_parts(path)):
            continue
        new += 1
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if len(given) <= _FEW:
            durable.replace(path, salt + content, mode=0o600)
        else:
            _quickly(path, salt + content)
    if new and len(given) > _FEW:
        os.sync()
    return new


def _quickly(path: Path, content: bytes) -> None:
    """Not yet safe from a power cut. What one leaves half written is found by its digest, and written again."""
    beside = path.with_name(f".{path.name}{durable.PART}")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        durable.write_all(number, content)
    finally:
        os.close(number)
    beside.replace(path)


def is_kept(root: Path, node: str, digest: str) -> bool:
    return _place(root, node, digest).exists()


def read(root: Path, node: str, digest: str) -> tuple[bytes, bytes] | None:
    """The salt and the content; None where it is not here.

    Raises:
        ShareError: it was changed.
    """
    path = _place(root, node, digest)
    try:
        salt, content = _parts(path)
    except FileNotFoundError:
        return None
    if why := fault_of(digest, salt, content):
        raise ShareError(f"{path}: {why}", hint="Remove it; whoever told it can send it again.")
    return salt, content


def _parts(path: Path) -> tuple[bytes, bytes]:
    whole = path.read_bytes()
    return whole[:SALT], whole[SALT:]


def _place(root: Path, node: str, digest: str) -> Path:
    return root / _FOLDER / hashlib.sha256(node.encode()).hexdigest()[:16] / digest[:2] / digest
