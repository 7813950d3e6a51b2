"""What a peer was told in, entries and payloads out; what is taken back of it, and who has said that they know.

A node takes back only what it told itself. A revocation names salted digests, so whoever was not told cannot see of
what; to each peer that it had reached goes a letter: the reason, what of theirs it is about, how many others had it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tocsin.errors import ShareError
from tocsin.model.node import MOST_PAYLOADS, Body, Entry, Objects, Receipt, Revocation
from tocsin.seal import keys
from tocsin.seal.canonical import canonical
from tocsin.share.nodes import acting, payloads
from tocsin.share.nodes.folder import Folder, Sent

LETTER: Final = "revocation"
MOST_ENTRY_BYTES: Final = 16 << 20  # of payloads that one entry names: they travel in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """One revocation of ours.

    Args:
        reached: nodes that had been told, and of them `knows` those whose receipt has come.
        objects: ids here of what was taken back.
    """

    entry: Entry
    reason: str
    objects: tuple[str, ...]
    reached: tuple[str, ...]
    knows: tuple[str, ...]


def tell(
    folder: Folder,
    key: keys.Signing,
    objects: Sequence[tuple[str, str, bytes]],
    *,
    peer: str,
    node: str,
    at: str,
    mark: Path | None = None,
) -> list[Entry]:
    """Enter what goes to a peer. Payloads are kept first, then what went to whom, then the entry.

    Args:
        objects: the id here, the id as it is sent, and the bytes.
        peer: the id of the agreement; `node` is '' where that names none.
    """
    salted = [(here, sent, *payloads.salted(content)) for here, sent, content in objects]
    payloads.keep(folder.root, folder.node, [(digest, salt, content) for _, _, digest, salt, content in salted])
    entries: list[Entry] = []
    for part in _parts([((here, sent, digest), len(content)) for here, sent, digest, _, content in salted]):
        ids = tuple(part)
        sent = Sent(peer=peer, node=node, objects=ids)
        body = Objects(payloads=tuple(digest for _, _, digest in ids))
        entries += acting.say(folder, key, [body], at=at, mark=mark, before=partial(_keep_sent, folder, sent))
    return entries


def _parts(told: Iterable[tuple[tuple[str, str, str], int]]) -> list[list[tuple[str, str, str]]]:
    """As many as one entry may name, and as one message has room for."""
    parts: list[list[tuple[str, str, str]]] = []
    room = 0
    for one, size in told:
        if not parts or len(parts[-1]) >= MOST_PAYLOADS or size > room:
            parts.append([])
            room = MOST_ENTRY_BYTES
        parts[-1].append(one)
        room -= size
    return parts


def take_back(
    folder: Folder, key: keys.Signing, named: Iterable[str], reason: str, *, by: str, at: str, mark: Path | None = None
) -> TakenBack:
    """Take back objects by their ids, as they are here or as they were sent; from everybody who was told.

    Raises:
        ShareError: one of them was told to nobody, or was taken back from everybody already.
    """
    told_to = reached(folder, named)
    letters = []
    for (_, node), told in sorted(told_to.items()):
        content = canonical(
            {
                "at": at,
                "by": by,
                "objects": [{"id": there, "payload": digest} for _, there, digest in told],
                "reached": {"nodes": len(told_to), "you": node},
                "reason": reason,
                "version": 1,
                "what": LETTER,
            }
        )
        letters.append((node, *payloads.salted(content)))
    takes_back = sorted({digest for told in told_to.values() for _, _, digest in told})
    payloads.keep(folder.root, folder.node, [(digest, salt, content) for _, digest, salt, content in letters])
    bodies: list[Body] = [
        Revocation(
            takes_back=tuple(takes_back[start : start + MOST_PAYLOADS]),
            letters=tuple(digest for _, digest, _, _ in letters) if not start else (),
        )
        for start in range(0, len(takes_back), MOST_PAYLOADS)
    ]
    ids = tuple(sorted({(here, "", "") for told in told_to.values() for here, _, _ in told}))
    sent_letters = tuple((node, digest) for node, digest, _, _ in letters)
    sent = Sent(peer=reason, node="", objects=ids, letters=sent_letters)
    entries = acting.say(folder, key, bodies, at=at, mark=mark, before=partial(_keep_sent, folder, sent))
    return next(one for one in taken_back(folder) if one.entry.digest == entries[0].digest)


def _keep_sent(folder: Folder, sent: Sent, entries: Sequence[Entry]) -> None:
    folder.keep_sent(entries[0].digest, sent)


def reached(folder: Folder, named: Iterable[str]) -> dict[tuple[str, str], list[tuple[str, str, str]]]:
    """Whom objects had reached: by peer and node (the id here, the id as it was sent, the digest).

    Raises:
        ShareError: one of them was told to nobody, or was taken back from everybody already.
    """
    wanted, gone = set(named), _gone(folder)
    found: set[str] = set()
    told: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for _, sent in folder.sent():
        for here, there, digest in sent.objects:
            if digest and wanted & {here, there} and digest not in gone:
                found |= wanted & {here, there}
                told.setdefault((sent.peer, sent.node), []).append((here, there, digest))
    if lost := sorted(wanted - found):
        hint = "`tocsin share log` tells what was let go; what went before there was a node is in no log."
        raise ShareError(f"{lost[0]}: was told to nobody through the log, or was taken back already", hint=hint)
    return told


def _gone(folder: Folder) -> set[str]:
    return {one for entry in folder.own if isinstance(entry.body, Revocation) for one in entry.body.takes_back}


def taken_back(folder: Folder) -> list[TakenBack]:
    """Our revocations, the oldest first."""
    receipts = _receipts(folder)
    found = []
    for entry, sent in folder.sent():
        if entry.kind == "revocation":
            reached = tuple(sorted(node for node, _ in sent.letters))
            found.append(
                TakenBack(
                    entry=entry,
                    reason=sent.peer,
                    objects=tuple(here for here, _, _ in sent.objects),
                    reached=reached,
                    knows=tuple(node for node in reached if entry.digest in receipts.get(node, ())),
                )
            )
    return found


def _receipts(folder: Folder) -> dict[str, set[str]]:
    """By node the entries of ours that it has said it heeds."""
    found: dict[str, set[str]] = {}
    for node, book in folder.known.books.items():
        for entry in book.standing():
            if isinstance(entry.body, Receipt):
                found.setdefault(node, set()).update(entry.body.of)
    return found


def for_peer(folder: Folder, node: str, *, most_bytes: int | None = None) -> list[tuple[str, bytes, bytes]]:
    """Payloads that were told to a node, without those of which it said that they came, or that were taken back.

    Args:
        most_bytes: after which the rest waits for the next time; 0 for none. What one entry names stays together: a
            node that has some of it says that it came.
    """
    if most_bytes == 0:
        return []
    gone, peered = _gone(folder), folder.peers.get(node)
    got = set(peered.got) if peered is not None else set()
    found: list[tuple[str, bytes, bytes]] = []
    size = 0
    for entry, sent in folder.sent():
        if entry.digest in got:
            continue
        digests = [digest for to, digest in sent.letters if to == node]
        digests += [digest for _, _, digest in sent.objects if sent.node == node and digest not in gone | {""}]
        before = len(found)
        for digest in digests:
            kept = payloads.read(folder.root, folder.node, digest)
            if kept is None:
                hint = "Bring the folder `payloads` back; what it held cannot be told again under its entry."
                raise ShareError(f"the payload {digest[:16]} is not here any more", hint=hint)
            found.append((digest, *kept))
            size += len(kept[1])
        if most_bytes is not None and before and size > most_bytes:
            return found[:before]
    return found


def came_from(folder: Folder, node: str) -> list[str]:
    """Entries of a node of which payloads have come."""
    book = folder.known.books[node]
    return [one.digest for one in book.standing() if _came(folder, one)]


def _came(folder: Folder, entry: Entry) -> bool:
    return any(payloads.is_kept(folder.root, entry.node, one) for one in named_in(entry))


def named_in(entry: Entry) -> tuple[str, ...]:
    """The payloads that an entry names."""
    body = entry.body
    return body.payloads if isinstance(body, Objects) else body.letters if isinstance(body, Revocation) else ()


def unconfirmed(folder: Folder) -> list[str]:
    """Revocations of others that are about something we were told, and for which no receipt of ours is in the log."""
    given = {one for entry in folder.own if isinstance(entry.body, Receipt) for one in entry.body.of}
    return [
        entry.digest
        for node, book in sorted(folder.known.books.items())
        for entry in book.standing()
        if node != folder.node
        and isinstance(entry.body, Revocation)
        and entry.digest not in given
        and (_came(folder, entry) or any(payloads.is_kept(folder.root, node, one) for one in entry.body.takes_back))
    ]


def receipts_due(folder: Folder) -> list[Body]:
    due = unconfirmed(folder)
    return [Receipt(of=tuple(due[:MOST_PAYLOADS]))] if due else []


def letters_of(folder: Folder, entry: Entry) -> list[Mapping[str, Any]]:
    """What a revocation says to us, where its letter has come."""
    assert isinstance(entry.body, Revocation)
    found: list[Mapping[str, Any]] = []
    for digest in entry.body.letters:
        kept = payloads.read(folder.root, entry.node, digest)
        if kept is not None:
            try:
                told = json.loads(kept[1])
            except (ValueError, RecursionError):
                continue
            if isinstance(told, dict) and told.get("what") == LETTER:
                found.append(told)
    return found
