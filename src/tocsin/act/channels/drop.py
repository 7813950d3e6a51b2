"""A message in, three files in a folder out, from which people print and carry. Once more is the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tocsin.act.channel import Outcome
from tocsin.model.letter import Message
from tocsin.model.notification import Channel
from tocsin.seal import durable

NAME: Final = "drop"
REPEATS: Final = True


def send(channel: Channel, message: Message) -> Outcome:
    folder = Path(channel.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for ending, content in (
            ("txt", message.text.encode()),
            ("html", message.html.encode()),
            ("pdf", message.pdf),
        ):
            if content:
                durable.replace(folder / f"letter-{message.id[:32]}.{ending}", content, mode=0o600)
    except OSError as error:
        return Outcome(went="failed", said=f"{folder}: cannot be written in: {error.strerror or error}")
    return Outcome(went="sent", said=f"letter-{message.id[:32]}")
