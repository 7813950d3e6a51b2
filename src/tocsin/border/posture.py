"""A TOML file of what a team has in place against techniques in, its posture out (docs/hardening.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.errors import ListError
from tocsin.model.hardening import LEAST_EFFORT, MOST_EFFORT, Posture

_MOST_BYTES: Final = 1 << 20
_HINT: Final = "docs/hardening.md shows such a file with all that it may hold."

_Id = Annotated[str, msgspec.Meta(pattern=r"^M\d{4}$")]
_Effort = Annotated[int, msgspec.Meta(ge=LEAST_EFFORT, le=MOST_EFFORT)]


class _Posture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    version: Literal[1]
    in_place: tuple[_Id, ...] = ()
    partly: tuple[_Id, ...] = ()
    effort: dict[_Id, _Effort] = {}


def read_posture(path: Path) -> Posture:
    """What the file says.

    Raises:
        ListError: it cannot be read, is no posture, or contradicts itself.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ListError(f"{path}: larger than {_MOST_BYTES >> 20} MB", hint=_HINT)
        told = msgspec.convert(tomllib.loads(content.decode("utf-8-sig")), _Posture)
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error
    except (ValueError, RecursionError) as error:  # also of numbers that are too long for Python
        raise ListError(f"{path}: {error}", hint=_HINT) from error
    if both := sorted({*told.in_place}.intersection(told.partly)):
        raise ListError(f"{path}: {', '.join(both)} in place, and in part", hint="Say one of the two.")
    return Posture(in_place=frozenset(told.in_place), partly=frozenset(told.partly), efforts=told.effort)
