"""A TOML file that says what our TAXII server offers and who may ask in, the site out (docs/taxii.md)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.border import toml
from tocsin.border.agreement import read_agreement
from tocsin.errors import ListError
from tocsin.model.collection import Collection
from tocsin.model.guest import Guest, Right
from tocsin.model.peer import Peer
from tocsin.model.site import Site

_HINT: Final = "docs/taxii.md shows a site with all that it may hold."

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Long = Annotated[str, msgspec.Meta(max_length=4000)]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
_Identity = Annotated[str, msgspec.Meta(pattern=r"^identity--[0-9a-f-]{36}$")]
_Rate = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _Collection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    id: uuid.UUID
    title: _Text
    description: _Long = ""
    alias: _Name | Literal[""] = ""


class _Guest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    rights: dict[str, tuple[Right, ...]]
    tokens: tuple[_Digest, ...]
    agreement: _Text | None = None
    ours: _Name | None = None
    certificates: tuple[_Digest, ...] = ()
    a_minute: _Rate = 600


class _Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    version: Literal[1]
    title: _Text
    collection: tuple[_Collection, ...]
    guest: tuple[_Guest, ...]
    description: _Long = ""
    contact: _Long = ""
    own: tuple[_Identity, ...] = ()
    assets: _Text | None = None
    people: _Text | None = None


def read_site(path: Path) -> Site:
    """The site of a file; files that it names are beside it.

    Raises:
        ListError: it cannot be read, or is no site.
    """
    told, _ = toml.read(path, _Site, hint=_HINT)
    collections = [
        Collection(id=str(one.id), title=one.title, description=one.description, alias=one.alias)
        for one in told.collection
    ]
    names = [name for one in collections for name in (one.id, one.alias) if name]
    guests = [_guest(one, collections, path) for one in told.guest]
    proofs = [proof for one in guests for proof in one.tokens]
    for kind, found in (("collection", names), ("guest", [one.id for one in guests]), ("token", proofs)):
        if len(set(found)) < len(found):
            raise ListError(f"{path}: two of a {kind} are the same", hint="Give each its own.")
    return Site(
        title=told.title,
        description=told.description,
        contact=told.contact,
        own=frozenset(told.own),
        collections=collections,
        guests=guests,
        assets=path.parent / told.assets if told.assets else None,
        people=path.parent / told.people if told.people else None,
    )


def _guest(told: _Guest, collections: list[Collection], path: Path) -> Guest:
    if (told.agreement is None) == (told.ours is None):
        raise ListError(f"{path}: a guest has an agreement, or is ours: one of the two", hint=_HINT)
    if not told.tokens:
        raise ListError(f"{path}: a guest without a token", hint="`tocsin share token` makes one.")
    peer: Peer | None = None
    digest, named = "", told.ours or ""
    if told.agreement is not None:
        peer, digest = read_agreement(path.parent / told.agreement)
        named = peer.id
    by_name = {name: one.id for one in collections for name in (one.id, one.alias) if name}
    for name in told.rights:
        if name not in by_name:
            raise ListError(f"{path}: {named} has rights in {name}, which is no collection", hint=_HINT)
    return Guest(
        id=named,
        peer=peer,
        agreement=digest,
        tokens=tuple(one.removeprefix("sha256:") for one in told.tokens),
        certificates=tuple(one.removeprefix("sha256:") for one in told.certificates),
        rights={by_name[name]: frozenset(rights) for name, rights in told.rights.items()},
        a_minute=told.a_minute,
    )
