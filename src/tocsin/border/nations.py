"""TOML of nations and their keys, or of a statement put to them, in, the nouns out (docs/joint-statements.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from tocsin.border import toml
from tocsin.errors import ListError
from tocsin.model.endorsement import Claim, JointStatement, Nation
from tocsin.model.tlp import tlp_of

_MOST_BYTES: Final = 4 << 20
_HINT: Final = "docs/joint-statements.md shows such a file with all that it may hold."

_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
_Key = Annotated[str, msgspec.Meta(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]{68}( [^\n]{0,200})?$")]


class _Nation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Id
    name: _Name
    keys: Annotated[tuple[_Key, ...], msgspec.Meta(min_length=1, max_length=50)]


class _Nations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    nation: Annotated[tuple[_Nation, ...], msgspec.Meta(min_length=1, max_length=200)]


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Id
    text: _Text
    evidence: tuple[_Name, ...] = ()


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    title: _Name
    marking: _Name
    asked: tuple[_Id, ...]
    threshold: int
    claim: Annotated[tuple[_Claim, ...], msgspec.Meta(min_length=1)]
    words: Annotated[str, msgspec.Meta(max_length=20_000)] = ""


_Form = TypeVar("_Form", _Nations, _Statement)


def read_nations(path: Path) -> tuple[Nation, ...]:
    """Nations whose keys somebody here compared with them.

    Raises:
        ListError: it cannot be read, or is no list of nations.
    """
    told = _read(path, _Nations)
    ids = [one.id for one in told.nation]
    if len(set(ids)) != len(ids):
        raise ListError(f"{path}: one nation stands there twice", hint="Put all of its keys in one place.")
    return tuple(
        Nation(id=one.id, name=one.name, keys=tuple(" ".join(key.split()[:2]) for key in one.keys))
        for one in told.nation
    )


def read_statement(path: Path, at: str) -> JointStatement:
    """A statement as somebody proposes it at a time.

    Raises:
        ListError: it cannot be read, or is no statement.
    """
    told = _read(path, _Statement)
    return JointStatement(
        title=told.title,
        claims=tuple(Claim(id=one.id, text=one.text.strip(), evidence=one.evidence) for one in told.claim),
        asked=tuple(sorted(told.asked)),
        threshold=told.threshold,
        words=told.words.strip(),
        marking=tlp_of(told.marking) or told.marking,
        at=at,
    )


def _read(path: Path, form: type[_Form]) -> _Form:
    return toml.read(path, form, hint=_HINT, most_bytes=_MOST_BYTES)[0]
