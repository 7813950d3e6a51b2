"""Actions and what people signed in, what must be collected first out: evidence goes when a machine does.

Most volatile first (RFC 3227 §2.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tocsin.model.action import Action
from tocsin.model.plan import Preserve

_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "host": (
        "memory, while it runs",
        "connections, sessions and processes as they are now",
        "logs that are written over or that live in memory only",
        "the disk, or at least the triage collection of it",
    ),
    "account": (
        "its sessions, tokens and devices as they are now",
        "the cloud's audit and sign-in logs of it, before their time runs out",
        "its groups, grants and delegates",
    ),
    "mailbox": ("its rules, forwardings, delegates and grants", "the audit log of it, before its time runs out"),
    "grant": ("what it may do, who gave it and when", "the audit log of the application"),
}


def preserve(actions: Iterable[Action], settled: Mapping[str, str]) -> tuple[Preserve, ...]:
    """For each host and account that something is done to, in the order of the plan.

    Args:
        settled: of those that were collected, or waived, who said so and how.
    """
    names = dict.fromkeys(name for action in actions for name in action.preserve)
    return tuple(
        Preserve(what=name, collect=_OF[name.partition(" ")[0]], settled=settled.get(name, "")) for name in names
    )


def missing(action: Action, settled: Mapping[str, str]) -> tuple[str, ...]:
    """What must be collected or waived before this may be done."""
    return tuple(name for name in action.preserve if name not in settled)
