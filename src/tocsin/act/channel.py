"""What a kind of channel offers: a message in, whether it went out, did not, or may have, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from tocsin.model.letter import Message
from tocsin.model.notification import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`said` is what the other side told. What is "uncertain" is never sent again by itself."""

    went: Literal["sent", "failed", "uncertain"]
    said: str = ""


class Sender(Protocol):
    """`REPEATS` says whether sending the same message once more leaves one message."""

    NAME: str
    REPEATS: bool

    def send(self, channel: Channel, message: Message) -> Outcome:
        """Whatever goes wrong is told, never raised."""
        ...
