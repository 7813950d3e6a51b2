"""A node's folder in, how it stands with each of its peers out: for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.model.node import Objects, Revocation
from tocsin.share.nodes import payloads, receiving, telling
from tocsin.share.nodes.folder import Folder, Peered


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with one node.

    Args:
        calls_itself: its own word for itself.
        entries: that stand; `quarantined` are known and do not count.
        furthest: the last number that anybody has shown of its log, `shown` the last that it has shown itself.
        heard_at: when something last came from it, '' for never; `behind_since` is '' where it shows all of its log.
        forked_at: the number from which on its key signed two logs.
        restored: how often it said that it came back from a backup; `aside` are branches under a key handed on since.
        told: of its objects those that came here; `taken_back` of them it took back.
        revocations: of ours that reached it; `knows` are those that it confirmed.
    """

    name: str
    node: str
    calls_itself: str
    follows: str
    signs: str
    entries: int
    quarantined: int
    furthest: int
    shown: int
    heard_at: str
    behind_since: str
    forked_at: int | None
    restored: int
    aside: int
    told: int
    taken_back: int
    revocations: int
    knows: int


def peers(folder: Folder) -> list[Standing]:
    """All nodes that are trusted, by name."""
    ours = telling.taken_back(folder)
    found = []
    for one in sorted(folder.trusted.values(), key=lambda trusted: (trusted.name.casefold(), trusted.node)):
        book = folder.known.books[one.node]
        peered, stands, tips = folder.peers.get(one.node, Peered()), book.standing(), book.tips()
        branch = peered.branch if peered.at else ""
        gone = {each for entry in stands if isinstance(entry.body, Revocation) for each in entry.body.takes_back}
        came = [
            digest
            for entry in stands
            if isinstance(entry.body, Objects)
            for digest in entry.body.payloads
            if payloads.is_kept(folder.root, one.node, digest)
        ]
        found.append(
            Standing(
                name=one.name,
                node=one.node,
                calls_itself=book.name(),
                follows=one.follows,
                signs=next((book.after[tip.digest] or "" for tip in tips if tip.branch == branch), ""),
                entries=len(stands),
                quarantined=len(book.entries) - len(stands),
                furthest=receiving.furthest(book, branch),
                shown=peered.sequence,
                heard_at=peered.heard_at,
                behind_since=peered.behind_since,
                forked_at=book.fork.sequence if book.fork is not None else None,
                restored=len(book.restorations()),
                aside=len(book.aside()),
                told=len(came),
                taken_back=sum(digest in gone for digest in came),
                revocations=sum(one.node in each.reached for each in ours),
                knows=sum(one.node in each.knows for each in ours),
            )
        )
    return found


def revocations(folder: Folder) -> list[dict[str, Any]]:
    """Ours, with who has it and who does not yet."""
    names: Mapping[str, str] = {one.node: one.name for one in folder.trusted.values()}

    def named(nodes: Sequence[str]) -> list[str]:
        return [names.get(node, node or "a peer without a node") for node in nodes]

    return [
        {
            "entry": one.entry.digest,
            "sequence": one.entry.sequence,
            "at": one.entry.at,
            "reason": one.reason,
            "objects": list(one.objects),
            "reached": named(one.reached),
            "knows": named(one.knows),
            "does_not_yet": named([node for node in one.reached if node not in one.knows]),
        }
        for one in telling.taken_back(folder)
    ]
