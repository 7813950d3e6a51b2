"""A TOML file of what authors say in an advisory in, that out (docs/advisories.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.border import toml
from tocsin.errors import ListError
from tocsin.model.tlp import TLP, tlp_of

_MOST_BYTES: Final = 4 << 20
_HINT: Final = "docs/advisories.md shows such a file with all that it may hold."

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Marking = Annotated[str, msgspec.Meta(max_length=40)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of the authors. Without evidence it is refused, but for the disclaimer."""

    text: _Text
    evidence: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=50)] = ()
    marking: _Marking = "clear"
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class By(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    nation: _Name
    name: _Name
    contact: _Text


class Of(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case: what it is called, how its facts are marked, who of those whose intelligence is in it agreed."""

    id: _Name
    called: _Name
    marking: _Marking = "amber+strict"
    agreed: tuple[_Name, ...] = ()


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    number: _Name
    title: _Name
    date: date
    marking: _Marking
    author: Annotated[tuple[By, ...], msgspec.Meta(min_length=1, max_length=100)]
    revision: Annotated[int, msgspec.Meta(ge=1)] = 1
    background: tuple[Said, ...] = ()
    summary: tuple[Said, ...] = ()
    tradecraft: tuple[Said, ...] = ()
    tooling: tuple[Said, ...] = ()
    disclaimer: tuple[Said, ...] = ()
    case: tuple[Of, ...] = ()


def read(path: Path) -> Written:
    """What the authors wrote.

    Raises:
        ListError: it cannot be read, or a marking in it is none.
    """
    told, _ = toml.read(path, Written, hint=_HINT, most_bytes=_MOST_BYTES)
    parts = (told.background, told.summary, told.tradecraft, told.tooling, told.disclaimer)
    markings = [told.marking, *(one.marking for one in told.case)]
    for marking in (*markings, *(one.marking for part in parts for one in part)):
        if not tlp_of(marking):
            raise ListError(f"{path}: {marking[:40]!r} is no TLP marking", hint=f"There are {', '.join(TLP)}.")
    if len({one.id for one in told.case}) != len(told.case):
        raise ListError(f"{path}: a case stands there twice", hint="Say what it is called once.")
    return told
