"""A message in, one POST of it as JSON over HTTPS out, to a gateway that people set up for it."""

from __future__ import annotations

import base64
import json
from typing import Final

from tocsin.act import post
from tocsin.act.channel import Outcome
from tocsin.model.action import Step
from tocsin.model.letter import Message
from tocsin.model.notification import Channel

NAME: Final = "webhook"
REPEATS: Final = False


def send(channel: Channel, message: Message) -> Outcome:
    """Whether the other side took it is known only from its answer; without one it may have."""
    content = {
        "id": message.id,
        "to": message.to,
        "title": message.title,
        "text": message.text,
        "html": message.html,
        "pdf": base64.b64encode(message.pdf).decode(),
    }
    text = json.dumps(content, ensure_ascii=True)
    well, said = post.post(Step(what="letter", url=channel.url, text=text, once=message.id))
    if well:
        return Outcome(went="sent", said=said)
    refused = said[:3].isdigit() and said[:1] == "4"  # it answered, and took nothing (RFC 9110 §15.5)
    return Outcome(went="failed" if refused else "uncertain", said=said)
