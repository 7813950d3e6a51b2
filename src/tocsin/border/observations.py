"""A file of what was seen in, an Observation out: the form is in docs/observations.md, its schema beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from tocsin.errors import ListError
from tocsin.model.observation import USUAL_GRADE, Observation, Trait, TraitKind
from tocsin.observe import infrastructure

MOST_BYTES: Final = 4 << 20
_HINT: Final = "docs/observations.md tells the form."

LONGEST: Final = 400
MOST: Final = 2000
MOST_SOURCES: Final = 200
_MANY: Final = msgspec.Meta(max_length=MOST)

_Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]
_Value = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class WrittenTrait(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: TraitKind
    value: _Value
    sources: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=MOST_SOURCES)] = ()
    grade: Annotated[str, msgspec.Meta(pattern="^[A-F][1-6]$")] = USUAL_GRADE


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in the file. `techniques` and `software` are short for traits of the usual grade."""

    format: Literal["tocsin-observations-1"]
    id: _Text = ""
    name: _Text = ""
    first_seen: _Text = ""
    last_seen: _Text = ""
    release: _Text = ""
    watched: Annotated[tuple[_Text, ...], _MANY] | None = None
    sensors: Annotated[dict[_Text, Annotated[tuple[_Text, ...], msgspec.Meta(max_length=20)]], _MANY] = {}
    techniques: Annotated[tuple[_Value, ...], _MANY] = ()
    software: Annotated[tuple[_Value, ...], _MANY] = ()
    traits: Annotated[tuple[WrittenTrait, ...], _MANY] = ()


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
    return decoded(content, str(path))


def decoded(content: bytes, name: str) -> Observation:
    """The same from bytes; `name` is what they are called where something is wrong with them."""
    try:
        written = msgspec.json.decode(content, type=Written)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ListError(f"{name}: {error}", hint=_HINT) from error
    short = [Trait(kind="technique", value=value) for value in written.techniques]
    short += [Trait(kind="software", value=value) for value in written.software]
    return Observation(
        id=written.id or Path(name).stem,
        name=written.name,
        traits=(
            *short,
            *(Trait(kind=one.kind, value=_normal(one), sources=one.sources, grade=one.grade) for one in written.traits),
        ),
        first_seen=written.first_seen,
        last_seen=written.last_seen,
        watched=None if written.watched is None else frozenset(written.watched),
        sensors=written.sensors,
        release=written.release,
    )


def _normal(one: WrittenTrait) -> str:
    """What is compared letter by letter must be written in one way."""
    if one.kind == "infrastructure":
        return infrastructure.normal(one.value)
    return one.value.upper() if one.kind == "vulnerability" else one.value


def encoded(observation: Observation) -> bytes:
    """A file that `read` reads: the same observation gives the same bytes, and what is too long for the form is cut."""
    written = Written(
        format="tocsin-observations-1",
        id=_text(observation.id),
        name=_text(observation.name),
        first_seen=_text(observation.first_seen),
        last_seen=_text(observation.last_seen),
        release=observation.release,
        watched=None if observation.watched is None else tuple(sorted(observation.watched)[:MOST]),
        sensors=dict(sorted(observation.sensors.items())[:MOST]),
        traits=tuple(
            WrittenTrait(
                kind=one.kind,
                value=_text(one.value),
                sources=tuple(map(_text, one.sources[:MOST_SOURCES])),
                grade=one.grade,
            )
            for one in observation.traits[:MOST]
        ),
    )
    return msgspec.json.format(msgspec.json.encode(written)) + b"\n"


def _text(text: str) -> str:
    """Names of files and hosts may hold halves of surrogate pairs, which no JSON can."""
    return text.encode("utf-8", "backslashreplace").decode()[:LONGEST]


def schema() -> dict[str, Any]:
    """The form as JSON Schema."""
    return msgspec.json.schema(Written)
