"""A site and a folder in, what answers requests out: the store, who may ask, what is kept from them, and keys."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from sqlalchemy import Engine

from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.model.site import Site
from tocsin.seal import keys
from tocsin.share import journal, ours
from tocsin.share.hidden import Name
from tocsin.share.taxii import store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our node, as a server has it.

    Args:
        mark: kept apart from the folder (`share.nodes.acting.remember`).
        ask: gives the passphrase of its key, where it has one. Nobody sits there to be asked.
    """

    root: Path
    mark: Path
    ask: keys.Ask = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every answer needs.

    Args:
        folder: where the journal and the secret of pseudonyms are.
        names: of ours, from the lists.
        decided_by: digest of all that decides beside a guest's agreement.
        cursor_key: under which cursors are signed; the same for all who serve this store from this folder.
        node: None where we have none; then no messages of nodes are taken.
    """

    site: Site
    engine: Engine
    folder: Path
    names: Sequence[Name]
    networks: Sequence[IPv4Network | IPv6Network]
    decided_by: str
    cursor_key: bytes
    node: Ours | None = None


def opened(site: Site, folder: Path, url: str, node: Ours | None = None) -> Place:
    """Open the store of a site.

    Raises:
        ShareError: it cannot be opened, or the secret cannot be read.
        ListError: a list cannot be read.
    """
    machines = read_assets(site.assets)[0].all if site.assets else ()
    people = read_people(site.people)[0].all if site.people else ()
    lists = [path.read_bytes() for path in (site.assets, site.people) if path]
    digest = hashlib.sha256("\0".join(sorted(site.own)).encode())
    for content in lists:
        digest.update(hashlib.sha256(content).digest())
    return Place(
        site=site,
        engine=store.connect(url),
        folder=folder,
        names=ours.names((), machines, people),
        networks=ours.networks(machines),
        decided_by=digest.hexdigest(),
        cursor_key=journal.key_for(folder, "\0cursors"),  # no peer can be called that
        node=node,
    )
