"""Messages in, frames on disk out, and back: what workers keep for a later part of the same run.

A frame is a length and a message. What a worker that died left half written is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LENGTH: Final = 8  # bytes before each message


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(_LENGTH, "big") + message


def messages(path: Path) -> Iterator[bytes]:
    """The messages of a file of frames, up to one that is not whole."""
    with path.open("rb") as file:
        while len(length := file.read(_LENGTH)) == _LENGTH:
            message = file.read(size := int.from_bytes(length, "big"))
            if len(message) < size:
                return
            yield message
