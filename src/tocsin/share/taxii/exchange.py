"""A message of a guest's node in, that of ours for them out.

It is no part of TAXII: one resource beside the collections, behind the same proofs of who asks. What makes a message
true is in the message, and is checked as if it had come on a stick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import select

from tocsin.errors import NodeBusyError, ShareError
from tocsin.model.guest import Guest
from tocsin.model.node import MOST_PAYLOADS
from tocsin.seal import decisions, durable, keys
from tocsin.share.nodes import acting, known, messages, payloads, received, receiving, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes.folder import Folder
from tocsin.share.nodes.known import Message
from tocsin.share.taxii import store
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.refused import Refused, nowhere
from tocsin.share.taxii.tables import objects, shown

ROOM: Final = 16 << 20  # bytes of payloads in a message: in its JSON they are up to twice as many
_AT_ONCE: Final = 100  # rows: of a megabyte at most
_WAIT_S: Final = 5.0  # for a person who holds the node meanwhile
_SERVED: Final = "served.json"  # in the node's folder: up to which place of each reader our log tells what is served


def take(place: Place, guest: Guest, content: bytes) -> bytes:
    """Take a message of a guest's node, and give what ours has for it.

    Raises:
        Refused: we have no node, or they have none; it is no message, is not theirs, or somebody holds our node.
    """
    ours, theirs = place.node, guest.peer.node if guest.peer else ""
    if ours is None or not theirs:
        raise nowhere()
    told = _read(content)
    if told.head.place.node != theirs:
        raise Refused(403, "The message is of another node", "The agreement names the node that you speak for.")
    try:
        with kept.held(ours.root, wait_s=_WAIT_S) as here:
            return _answered(place, guest, here, told)
    except NodeBusyError as busy:
        raise Refused(503, "This node is busy", "Try again soon.", {"Retry-After": "5"}) from busy


def _read(content: bytes) -> Message:
    try:
        return messages.read(content)
    except ShareError as why:
        raise Refused(400, "This is no message of a node", why.message[:300]) from why


def _answered(place: Place, guest: Guest, here: Folder, told: Message) -> bytes:
    assert place.node
    mark, sender, at = place.node.mark, told.head.place.node, decisions.now()
    if sender not in here.trusted:
        raise Refused(403, "Nobody here trusts your node", "Say its fingerprint to our people, by telephone.")
    try:
        known.check(told, here.node)
    except ShareError as why:
        raise Refused(400, "The message does not hold", why.message[:300]) from why
    one = receiving.receive(here, told, at=at, mark=mark)
    received.keep(here)
    key = acting.speaking(here, place.node.ask)
    if _may_write(here, mark):
        _tell_served(place, guest, here, key, at)
    # A token is not a node's key: who has the one alone, or an old message, is given what everybody may see of logs.
    room = ROOM if one.signed and not one.old else 0
    answer = receiving.answer(here, key, sender, at=decisions.now(), mark=mark, most_bytes=room)
    return messages.written(answer)


def _may_write(here: Folder, mark: Path) -> bool:
    book = here.known.books[here.node]
    return book.fork is None and book.after[here.own[-1].digest] is not None and not acting.is_behind(here, mark)


def _tell_served(place: Place, guest: Guest, here: Folder, key: keys.Signing, at: str) -> None:
    """Enter in our log what of ours this guest may fetch by now: what is in the log can be taken back.

    The journal had its entry when it was released. What others posted is not ours to tell, nor to take back.
    """
    assert place.node
    assert guest.peer
    told = _served(here)
    for collection in sorted(name for name, rights in guest.rights.items() if "read" in rights):
        name = f"{guest.id} {collection}"
        theirs = [sent for _, sent in here.sent() if sent.node == guest.peer.node]
        said = {(one, there): digest for sent in theirs for one, there, digest in sent.objects}
        while found := _shown(place, guest, collection, told.get(name, 0)):
            new = [
                (named, there, content)
                for _, named, there, content in found
                if not _is_told(here, said.get((named, there), ""), content)
            ]
            telling.tell(here, key, new, peer=guest.peer.id, node=guest.peer.node, at=at, mark=place.node.mark)
            told[name] = found[-1][0]
            durable.replace(here.root / _SERVED, msgspec.json.encode(told) + b"\n", mode=0o600)
            if new:  # the rest is for the next message; of nothing new they would not ask for one
                break


def _served(here: Folder) -> dict[str, int]:
    path = here.root / _SERVED
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int]) if path.exists() else {}
    except msgspec.MsgspecError as error:
        raise ShareError(f"{path}: {error}", hint="Move it away: what is served is told again then.") from error


def _shown(place: Place, guest: Guest, collection: str, after_us: int) -> list[tuple[int, str, str, bytes]]:
    """Rows of ours that a guest is shown, as many as one entry tells: place in time, id here, id there, bytes."""
    found: list[tuple[int, str, str, bytes]] = []
    room = ROOM
    mine = ["", *(one.id for one in place.site.guests if one.peer is None)]
    columns = (shown.c.added_us, objects.c.object_id, shown.c.object_id.label("there"))
    asked = select(*columns, shown.c.content.label("changed"), objects.c.content)
    asked = asked.join(objects, objects.c.seq == shown.c.seq).where(objects.c.poster.in_(mine))
    asked = asked.where(shown.c.reader == guest.id, shown.c.collection == collection, shown.c.added_us > after_us)
    with store.reading(place.engine) as connection:
        asked = asked.order_by(shown.c.added_us).limit(MOST_PAYLOADS).execution_options(yield_per=_AT_ONCE)
        with connection.execute(asked) as rows:
            for row in rows:
                content = bytes(row.content if row.changed is None else row.changed)
                found.append((row.added_us, row.object_id, row.there, content))
                room -= len(content)
                if room < 0:
                    break
    return found


def _is_told(here: Folder, digest: str, content: bytes) -> bool:
    found = payloads.read(here.root, here.node, digest) if digest else None
    return found is not None and found[1] == content
