"""A message and a channel in, what came of it out. In the order in which people think of them."""

from __future__ import annotations

from typing import Final

from tocsin.act.channel import Outcome, Sender
from tocsin.act.channels import drop, smtp, webhook

SENDERS: Final[tuple[Sender, ...]] = (smtp, webhook, drop)


def by_kind(kind: str) -> Sender:
    return next(one for one in SENDERS if kind == one.NAME)


__all__ = ["SENDERS", "Outcome", "Sender", "by_kind"]
