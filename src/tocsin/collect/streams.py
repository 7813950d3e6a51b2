"""A file-like in, another file-like out: look ahead, decompress, decode, digest."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO, cast

HEAD_BYTES = 64 << 10


class _Ahead(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = 1 << 62
        if not self._head:
            return self._rest.read(size)
        part, self._head = self._head[:size], self._head[size:]
        if len(part) < size:
            part += self._rest.read(size - len(part))
        return part


def peek(file: BinaryIO, size: int = HEAD_BYTES) -> tuple[BinaryIO, bytes]:
    """The first bytes, and a stream that still gives them."""
    head = b""
    while len(head) < size and (part := file.read(size - len(head))):
        head += part
    return cast(BinaryIO, _Ahead(head, file)), head


class Digesting(io.RawIOBase):
    """A stream that takes the SHA-256 of what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sha256 = file, hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self._sha256.update(part)
        self.size += len(part)
        return part

    def drain(self) -> None:
        """Read what is left, so that the digest is of all of it."""
        while self.read(1 << 20):
            continue

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()
