"""What a peer was told in, entries and payloads out; what is taken back of it, and who has said that they know.

A node takes back only what it told itself. A revocation names salted digests, so whoever was not told cannot see of what;
to each peer that it had reached goes a letter with the reason, what of theirs it is about and how many others had it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocsin.errors import ShareError
from tocsin.model.node import MOST_PAYLOADS, Body, Entry, Objects, Receipt, Revocation
from tocsin.seal import keys
from tocsin.seal.canonical import canonical
from tocsin.share.nodes import acting, payloads
from tocsin.share.nodes.folder import Folder, Sent

LETTER: Final = "revocation"


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
    before: Callable[[Sequence[str]], None] = lambda digests: None,
) -> list[Entry]:
    """Enter what goes to a peer. Payloads are kept first, then what went to whom, then the entry.

    Args:
        objects: the id here, the id as it is sent, and the bytes.
        peer: the id of the agreement; `node` is '' where that names none.
        before: told the digests before anything is entered, as a journal wants it.
    """
    salted = [(here, sent, *payloads.salted(content)) for here, sent, content in objects]
    for _, _, digest, salt, content in salted:
        payloads.keep(folder.root, digest, salt, content)
    before([digest for _, _, digest, _, _ in salted])
    parts = [salted[start : start + MOST_PAYLOADS] for start in range(0, len(salted), MOST_PAYLOADS)]
    entries: list[Entry] = []
    for part in parts:
        said = acting.say(folder, key, [Objects(payloads=tuple(digest for _, _, digest, _, _ in part))], at=at, mark=mark)
        ids = tuple((here, sent, digest) for here, sent, digest, _, _ in part)
        folder.keep_sent(said[0].digest, Sent(peer=peer, node=node, objects=ids))
        entries += said
    return entries


def take_back(
    folder: Folder, key: keys.Signing, named: Iterable[str], reason: str, *, by: str, at: str, mark: Path | None = None
) -> TakenBack:
    """Take back objects by their ids, as they are here or as they were sent; from everybody who was told.

    Raises:
        ShareError: one of them was told to nobody, or was taken back from everybody already.
    """
    wanted, found, gone = set(named), set(), _gone(folder)
    reached: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for _, sent in folder.sent():
        for here, there, digest in sent.objects:
            if wanted & {here, there} and digest not in gone:
                found |= wanted & {here, there}
                reached.setdefault((sent.peer, sent.node), []).append((here, there, digest))
    if lost := sorted(wanted - found):
        hint = "`tocsin share log --of here` lists what was told, and what was taken back."
        raise ShareError(f"{lost[0]}: was told to nobody through the log, or was taken back already", hint=hint)
    letters = []
    for (_, node), told in sorted(reached.items()):
        content = canonical(
            {
                "at": at,
                "by": by,
                "objects": [{"id": there, "payload": digest} for _, there, digest in told],
                "reached": {"nodes": len(reached), "you": node},
                "reason": reason,
                "version": 1,
                "what": LETTER,
            }
        )
        letters.append((node, *payloads.salted(content)))
    takes_back = sorted({digest for told in reached.values() for _, _, digest in told})
    for _, digest, salt, content in letters:
        payloads.keep(folder.root, digest, salt, content)
    bodies: list[Body] = [
        Revocation(
            takes_back=tuple(takes_back[start : start + MOST_PAYLOADS]),
            letters=tuple(digest for _, digest, _, _ in letters) if not start else (),
        )
        for start in range(0, len(takes_back), MOST_PAYLOADS)
    ]
    entries = acting.say(folder, key, bodies, at=at, mark=mark)
    ids = tuple(sorted({(here, "", "") for told in reached.values() for here, _, _ in told}))
    sent_letters = tuple((node, digest) for node, digest, _, _ in letters)
    folder.keep_sent(entries[0].digest, Sent(peer=reason, node="", objects=ids, letters=sent_letters))
    return next(one for one in taken_back(folder) if one.entry.digest == entries[0].digest)


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
            if isinstance(entry.body, Receipt) and entry.body.node == folder.node:
                found.setdefault(node, set()).update(entry.body.of)
    return found


def for_peer(folder: Folder, node: str) -> list[tuple[str, bytes, bytes]]:
    """Payloads that were told to a node, without those of which it said that they came."""
    peered = folder.peers.get(node)
    got = set(peered.got) if peered is not None else set()
    found = []
    for entry, sent in folder.sent():
        if entry.digest in got:
            continue
        digests = [digest for to, digest in sent.letters if to == node]
        digests += [digest for _, _, digest in sent.objects if sent.node == node and digest]
        for digest in digests:
            kept = payloads.read(folder.root, digest)
            if kept is None:
                hint = "Bring the folder `payloads` back; what it held cannot be told again under its entry."
                raise ShareError(f"the payload {digest[:16]} is not here any more", hint=hint)
            found.append((digest, *kept))
    return found


def came_from(folder: Folder, node: str) -> list[str]:
    """Entries of a node of which payloads have come."""
    book = folder.known.books[node]
    return [one.digest for one in book.standing() if any(payloads.is_kept(folder.root, each) for each in named_in(one))]


def named_in(entry: Entry) -> tuple[str, ...]:
    """The payloads that an entry names."""
    body = entry.body
    return body.payloads if isinstance(body, Objects) else body.letters if isinstance(body, Revocation) else ()


def receipts_due(folder: Folder) -> list[Body]:
    """Receipts for revocations of others that are about something we were told, and that we have not confirmed."""
    given = {one for entry in folder.own if isinstance(entry.body, Receipt) for one in entry.body.of}
    found: list[Body] = []
    for node, book in sorted(folder.known.books.items()):
        due = [
            entry.digest
            for entry in book.standing()
            if node != folder.node
            and isinstance(entry.body, Revocation)
            and entry.digest not in given
            and any(payloads.is_kept(folder.root, one) for one in (*entry.body.takes_back, *entry.body.letters))
        ]
        if due:
            found.append(Receipt(node=node, of=tuple(due[:MOST_PAYLOADS])))
    return found


def letters_of(folder: Folder, entry: Entry) -> list[Mapping[str, Any]]:
    """What a revocation says to us, where its letter has come."""
    assert isinstance(entry.body, Revocation)
    found = []
    for digest in entry.body.letters:
        kept = payloads.read(folder.root, digest)
        if kept is not None:
            try:
                told = json.loads(kept[1])
            except (ValueError, RecursionError):
                continue
            if isinstance(told, dict) and told.get("what") == LETTER:
                found.append(told)
    return found
