"""What shall stand in, one message for a machine of the organisation's own out: JSON that is posted over HTTPS."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from tocsin.contain import elsewhere
from tocsin.model.action import VERBS as ALL
from tocsin.model.action import Block, Place, Probed, Step, Text, Verb

NAME: Final = "webhook"
VERBS: Final[frozenset[Verb]] = frozenset(ALL)
CARRIED_OUT: Final = True


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    return (Text(name="tocsin.json", content=elsewhere.values(blocks, VERBS)),)


def steps(before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
    """All that shall stand, each time: whoever receives it twice or misses one is right after the last."""
    if not before and not after:
        return ()
    text = elsewhere.values(after, VERBS)
    # Of the time, too: what was so before and is so again is another post.
    once = hashlib.sha256(f"{now_us}\0{place.url}\0{text}".encode()).hexdigest()[:32]
    what = f"post the {len(after)} actions that stand"
    return (Step(what=what, url=place.url, text=text, once=once, token_file=place.token_file),)


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    return ()


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    return ()
