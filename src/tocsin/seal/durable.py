"""Bytes in, a file that outlasts a power cut out: whole, or not there at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

PART: Final = ".part"  # ends the name of what is still being written, or never was


def replace(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write beside the file and take its place: nobody ever sees half of it."""
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}{PART}")
    try:
        create(beside, content, mode=mode)
        beside.replace(path)
        settle(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def create(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file that is not there yet. What stands at its name, and be it a link to elsewhere, is never touched."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    number = os.open(path, flags, mode)
    try:
        write_all(number, content)
        os.fsync(number)
    finally:
        os.close(number)


def write_all(number: int, content: bytes) -> None:
    """`os.write` may take less than it is given."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(number, rest) :]


def settle(folder: Path) -> None:
    """A new name must outlast a power cut as well as what it names."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
