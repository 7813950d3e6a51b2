"""A TOML file that says what was agreed with a peer in, the peer out (docs/sharing.md)."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.border import toml
from tocsin.model.peer import Consent, Naming, Peer

_HINT: Final = "docs/sharing.md shows an agreement with all that it may hold."

_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Creator = Annotated[str, msgspec.Meta(pattern=r"^identity--[0-9a-f-]{36}$")]
_Property = Annotated[str, msgspec.Meta(pattern=r"^(\*|[a-z0-9-]+)\.[a-z0-9_]+$")]
_Node = Annotated[str, msgspec.Meta(pattern=r"^(SHA256:[A-Za-z0-9+/]{43})?$")]


class _Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    version: Literal[1]
    id: _Id
    name: _Text
    tlp: Literal["clear", "green", "amber", "amber+strict"]
    pap: Literal["clear", "green", "amber", "red"]
    groups: tuple[_Text, ...] = ()
    pass_on: tuple[_Creator, ...] = ()
    sightings: Consent = "ask"
    victims: Naming = "pseudonyms"
    withhold: tuple[_Property, ...] = ()
    node: _Node = ""
    until: date | None = None


def read_agreement(path: Path) -> tuple[Peer, str]:
    """The peer of a file, and the SHA-256 of the file.

    Raises:
        ListError: it cannot be read, or is no agreement.
    """
    told, content = toml.read(path, _Agreement, hint=_HINT)
    peer = Peer(
        id=told.id,
        name=told.name,
        tlp=told.tlp,
        pap=told.pap,
        groups=told.groups,
        pass_on=told.pass_on,
        sightings=told.sightings,
        victims=told.victims,
        withhold=told.withhold,
        node=told.node,
        until=told.until.isoformat() if told.until else "",
    )
    return peer, hashlib.sha256(content).hexdigest()
