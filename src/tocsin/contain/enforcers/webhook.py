"""What shall stand in, one message for a machine of the organisation's own out: JSON that is posted over HTTPS."""

from __future__ import annotations

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
    return (Step(what=f"post the {len(after)} actions that stand", url=place.url, text=elsewhere.values(after, VERBS)),)


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    return ()


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    return ()
