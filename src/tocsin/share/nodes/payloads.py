"""What is told in, a salted digest for the log out: nobody can try guesses against it, and whoever has both can check.

A payload is the bytes of one object as they were sent, or a letter about a revocation. Its digest is HMAC-SHA256 under
a salt of its own that travels with it: as a commitment it hides what it is of, and binds to it.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import Final

from tocsin.errors import ShareError
from tocsin.seal import durable

SALT: Final = 32
MOST_BYTES: Final = 16 << 20  # of one object
_FOLDER: Final = "payloads"


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


def keep(root: Path, digest: str, salt: bytes, content: bytes) -> bool:
    """Keep one, once; whether it is new. Whole or not there at all."""
    path = _place(root, digest)
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable.replace(path, salt + content, mode=0o600)
    return True


def is_kept(root: Path, digest: str) -> bool:
    return _place(root, digest).exists()


def read(root: Path, digest: str) -> tuple[bytes, bytes] | None:
    """The salt and the content; None where it is not here.

    Raises:
        ShareError: it was changed.
    """
    path = _place(root, digest)
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    salt, content = whole[:SALT], whole[SALT:]
    if why := fault_of(digest, salt, content):
        raise ShareError(f"{path}: {why}", hint="Remove it; whoever told it can send it again.")
    return salt, content


def _place(root: Path, digest: str) -> Path:
    return root / _FOLDER / digest[:2] / digest
