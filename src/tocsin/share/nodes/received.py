"""What a peer's log tells in, what of it is in force out: as a bundle that hunts and containment read as any other.

What its teller took back is in it as revoked, so that lakes still answer for it and say so, nothing live is found by
it, and lifting is proposed of what is blocked for its sake. What stands behind a proof of a fork is not in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocsin.border.bundles import as_bundle, read_object
from tocsin.model.node import Entry, Objects, Revocation
from tocsin.seal import durable
from tocsin.share.nodes import payloads, telling
from tocsin.share.nodes.folder import Folder

# STIX 2.1, section 3.2: observables, markings and the like are not revoked; those that were taken back are left out.
_NEVER_REVOKED: Final = frozenset(
    "artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex "
    "network-traffic process software url user-account windows-registry-key x509-certificate marking-definition".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Objects of one node, of several told under one id the last.

    Args:
        revoked: ids of those that were taken back.
        unread: payloads that are no object.
        quarantined: payloads that came, and stand behind a proof of a fork or in a branch that does not count.
    """

    node: str
    objects: tuple[Mapping[str, Any], ...]
    revoked: tuple[str, ...]
    unread: int
    quarantined: int


def in_force(folder: Folder, node: str) -> InForce:
    book = folder.known.books[node]
    standing = book.standing()
    gone = {digest for one in standing if isinstance(one.body, Revocation) for digest in one.body.takes_back}
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    unread = 0
    for entry in standing:
        for digest in entry.body.payloads if isinstance(entry.body, Objects) else ():
            kept = payloads.read(folder.root, node, digest)
            if kept is None:
                continue
            try:
                one = read_object(kept[1])
            except ValueError:
                unread += 1
                continue
            found[one["id"]] = (one, digest in gone)
    objects = [
        one | {"revoked": True} if taken_back else one
        for one, taken_back in found.values()
        if not taken_back or one["type"] not in _NEVER_REVOKED
    ]
    counted = {one.digest for one in standing}
    return InForce(
        node=node,
        objects=tuple(objects),
        revoked=tuple(sorted(name for name, (_, taken_back) in found.items() if taken_back)),
        unread=unread,
        quarantined=sum(_came(folder, one) for digest, one in book.entries.items() if digest not in counted),
    )


def _came(folder: Folder, entry: Entry) -> int:
    return sum(payloads.is_kept(folder.root, entry.node, digest) for digest in telling.named_in(entry))


def seen_of_ours(folder: Folder, force: InForce) -> dict[str, int]:
    """Of what we told a node, by its id here, how many sightings it told us of. It knows what we told by other ids."""
    ours = {there: here for _, sent in folder.sent() if sent.node == force.node for here, there, _ in sent.objects}
    found: dict[str, int] = {}
    for one in force.objects:
        named = one.get("sighting_of_ref")
        if one["type"] == "sighting" and isinstance(named, str) and named in ours and one.get("revoked") is not True:
            found[ours[named]] = found.get(ours[named], 0) + 1
    return found


def place(folder: Folder, node: str) -> Path:
    """Where the bundle of a node's objects is kept."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.trusted[node].name.lower()).strip("-")[:40] or "node"
    return folder.root / "received" / f"{plain}-{hashlib.sha256(node.encode()).hexdigest()[:8]}.json"


def keep(folder: Folder) -> dict[str, InForce]:
    """Write the bundle of each node that told anything; by the node's name."""
    found = {}
    for node in sorted(folder.trusted):
        one = in_force(folder, node)
        path = place(folder, node)
        if one.objects or path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            durable.replace(path, as_bundle(one.objects).encode(), mode=0o600)
        found[node] = one
    return found
