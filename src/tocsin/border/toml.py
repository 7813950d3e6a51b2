"""A TOML file and the form that it should have in, what it says out: bounded, whole, and nothing besides (TOML 1.0)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from tocsin.errors import ListError

_Form = TypeVar("_Form", bound=msgspec.Struct)


def read(path: Path, form: type[_Form], *, hint: str, most_bytes: int = 1 << 20) -> tuple[_Form, bytes]:
    """What the file says, and its bytes.

    Raises:
        ListError: it cannot be read, is too large, or does not have the form; `hint` says where that is told.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise ListError(f"{path}: larger than {most_bytes >> 20} MB", hint=hint)
        return msgspec.convert(tomllib.loads(content.decode("utf-8-sig")), form), content
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error
    except (ValueError, RecursionError) as error:  # also of numbers that are too long for Python
        raise ListError(f"{path}: {error}", hint=hint) from error
