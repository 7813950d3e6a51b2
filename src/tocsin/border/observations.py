"""A file of what was seen in, an Observation out: the form is in docs/observations.md, its schema beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from tocsin.errors import ListError
from tocsin.model.observation import USUAL_GRADE, Observation, Trait, TraitKind

MOST_BYTES: Final = 4 << 20
_HINT: Final = "docs/observations.md tells the form."

_Text = Annotated[str, msgspec.Meta(max_length=400)]
_Value = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class WrittenTrait(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: TraitKind
    value: _Value
    sources: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=200)] = ()
    grade: Annotated[str, msgspec.Meta(pattern="^[A-F][1-6]$")] = USUAL_GRADE


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in the file. `techniques` and `software` are short for traits of the usual grade."""

    format: Literal["tocsin-observations-1"]
    id: _Text = ""
    name: _Text = ""
    first_seen: _Text = ""
    last_seen: _Text = ""
    release: _Text = ""
    watched: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=2000)] | None = None
    techniques: Annotated[tuple[_Value, ...], msgspec.Meta(max_length=2000)] = ()
    software: Annotated[tuple[_Value, ...], msgspec.Meta(max_length=2000)] = ()
    traits: Annotated[tuple[WrittenTrait, ...], msgspec.Meta(max_length=2000)] = ()


def read(path: Path) -> Observation:
    """Read a file.

    Raises:
        ListError: it cannot be read, or is not of that form; where in it is told.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise ListError(f"{path}: {error.strerror}", hint=_HINT) from error
    if size > MOST_BYTES:
        raise ListError(f"{path}: {size:,} bytes are too many for what was seen of one intrusion", hint=_HINT)
    try:
        written = msgspec.json.decode(content, type=Written)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ListError(f"{path}: {error}", hint=_HINT) from error
    short = [Trait(kind="technique", value=value) for value in written.techniques]
    short += [Trait(kind="software", value=value) for value in written.software]
    return Observation(
        id=written.id or path.stem,
        name=written.name,
        traits=(
            *short,
            *(Trait(kind=one.kind, value=one.value, sources=one.sources, grade=one.grade) for one in written.traits),
        ),
        first_seen=written.first_seen,
        last_seen=written.last_seen,
        watched=None if written.watched is None else frozenset(written.watched),
        release=written.release,
    )


def schema() -> dict[str, Any]:
    """The form as JSON Schema."""
    return msgspec.json.schema(Written)
