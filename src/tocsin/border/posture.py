"""A TOML file of what a team has in place against techniques in, its posture out (docs/hardening.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.border import toml
from tocsin.errors import ListError
from tocsin.model.hardening import LEAST_EFFORT, MOST_EFFORT, Posture

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
    told, _ = toml.read(path, _Posture, hint=_HINT)
    if both := sorted({*told.in_place}.intersection(told.partly)):
        raise ListError(f"{path}: {', '.join(both)} in place, and in part", hint="Say one of the two.")
    return Posture(in_place=frozenset(told.in_place), partly=frozenset(told.partly), efforts=told.effort)
