"""A file that says what somebody told the public was taken in (docs/schemas/claim-1.schema.json), the claim out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.errors import ListError
from tocsin.model.press import Part, PressClaim, What

_MOST_BYTES: Final = 1 << 20
_HINT: Final = "docs/impact.md shows one, and docs/schemas/claim-1.schema.json says what it may hold."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
_Text = Annotated[str, msgspec.Meta(max_length=2_000)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    id: _Text
    says: _Text
    what: What
    mailboxes: _Count | None
    bytes: _Count | None
    host: _Text | None
    from_: _Moment | None
    until: _Moment | None


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    id: _Text
    claimed_at: _Moment
    by: _Text
    where: _Text
    authority: _Text
    parts: Annotated[list[_Part], msgspec.Meta(min_length=1, max_length=100)]


def read_claim(path: Path) -> PressClaim:
    """The claim of a file.

    Raises:
        ListError: it cannot be read, or is not such a claim.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ListError(f"{path}: larger than {_MOST_BYTES >> 20} MB", hint=_HINT)
        told = msgspec.json.decode(content, type=_Claim)
        parts = tuple(map(_part, told.parts))
        claimed_us = _us(told.claimed_at)
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ListError(f"{path}: {error}", hint=_HINT) from error
    for part in parts:
        if part.from_us is not None and part.until_us is not None and part.until_us < part.from_us:
            raise ListError(f"{path}: part {part.id!r} ends before it begins", hint=_HINT)
    if len({part.id for part in parts}) < len(parts):
        raise ListError(f"{path}: two parts have one id", hint="Give each part an id of its own.")
    return PressClaim(
        id=told.id,
        claimed_us=claimed_us,
        by=told.by,
        where=told.where,
        authority=told.authority,
        parts=parts,
    )


def _part(part: _Part) -> Part:
    return Part(
        id=part.id,
        says=part.says,
        what=part.what,
        mailboxes=part.mailboxes,
        bytes=part.bytes,
        host=part.host or "",
        from_us=None if part.from_ is None else _us(part.from_),
        until_us=None if part.until is None else _us(part.until),
    )


def _us(moment: str) -> int:
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)
