"""A path and what to write in, a whole file out, or the old one untouched."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from tocsin.errors import OutputError

_HINT = "Choose another place with --out, or see to its permissions and free space."


def save(path: Path, write: Callable[[TextIO], None]) -> None:
    """Write beside the file, then take its place: nobody ever sees half of it, not even after a power cut."""
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        # "x": a name that somebody else prepared, perhaps as a link to elsewhere, is never written through.
        with beside.open("x", encoding="utf-8", newline="") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _settle(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}", hint=_HINT) from error
    finally:
        beside.unlink(missing_ok=True)


def prepare_folder(path: Path) -> None:
    """Make a folder, and find out before hours of work whether anything can be written there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made: {error.strerror or error}", hint=_HINT) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: nothing may be written there", hint=_HINT)


def _settle(folder: Path) -> None:
    """The file's new name, too, must outlast a power cut."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
