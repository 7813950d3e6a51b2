"""The server of a peer's node in, messages handed over and taken until neither side has anything new for the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tocsin.errors import ShareError
from tocsin.seal import decisions
from tocsin.share.nodes import acting, messages, receiving, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes.folder import Folder
from tocsin.share.nodes.known import Message
from tocsin.share.nodes.receiving import Received
from tocsin.share.taxii import envelope, media
from tocsin.share.taxii.asking import Ask
from tocsin.share.taxii.exchange import ROOM
from tocsin.share.taxii.place import Ours

MOST_ROUNDS: Final = 10_000  # each brings something new
_SAID: Final = 300  # characters of what a server says


def hand_over(ask: Ask, url: str, ours: Ours, node: str) -> Iterator[tuple[Folder, Received, set[str]]]:
    """Exchange messages with a node's server until neither has anything new for the other.

    Yields:
        Our node while it is held, what came of a message of theirs, and what of revocations was unconfirmed before it.

    Raises:
        ShareError: they refuse, cannot be understood, or what they say does not hold.
    """
    before: object = None
    came = True
    for _ in range(MOST_ROUNDS):
        with kept.held(ours.root) as here:
            key = acting.speaking(here, ours.ask)
            told = receiving.answer(here, key, node, at=decisions.now(), mark=ours.mark, most_bytes=ROOM)
        given = [one.digest for one in told.entries] + [digest for digest, _, _ in told.payloads]
        if not came and given in ([], before):
            return
        # Not held while they are asked: two who ask each other would wait for each other.
        theirs = _asked(ask, url, messages.written(told))
        if theirs.head.place.node != node:
            hint = "Compare the address with its fingerprint, over another way."
            raise ShareError(f"{url}: answers for another node, {theirs.head.place.node}", hint=hint)
        with kept.held(ours.root) as here:
            due = set(telling.unconfirmed(here))
            one = receiving.receive(here, theirs, at=decisions.now(), mark=ours.mark)
            yield here, one, due
        before, came = given, bool(one.new or one.given_back or one.payloads or one.forks)


def _asked(ask: Ask, url: str, content: bytes) -> Message:
    if len(content) > envelope.MOST_BYTES:
        hint = "Hand it over as a file this time: `tocsin share give PEER --out FILE`."
        raise ShareError(f"{url}: what is new is more than a message takes", hint=hint)
    found = ask("POST", media.NODE_RESOURCE, {}, content)
    if found.status == 404:
        hint = "They have no node there, or their agreement with us names none."
        raise ShareError(f"{url}: takes no messages of nodes from us", hint=hint)
    if found.status != 200:
        said = found.body[:_SAID].decode(errors="replace")
        raise ShareError(f"{url}: answers {found.status}: {said}", hint="Ask their people.")
    try:
        return messages.read(found.body)
    except ShareError as why:
        raise ShareError(f"{url}: {why.message}", hint="Ask their people.") from why
