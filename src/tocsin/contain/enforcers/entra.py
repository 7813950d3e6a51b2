"""Accounts, sessions, grants and inbox rules of a cloud in, a fixed script and its values out.

The script is for PowerShell, and is not executed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.contain.elsewhere import CARRIED_OUT, probes, script, seen, steps, values
from tocsin.model.action import Block, Place, Text, Verb

NAME: Final = "entra"
VERBS: Final[frozenset[Verb]] = frozenset({"disable account", "revoke sessions", "remove grant", "remove inbox rule"})
__all__ = ["CARRIED_OUT", "NAME", "VERBS", "probes", "render", "seen", "steps"]

_SCRIPT: Final = "entra.ps1"


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    return script(_SCRIPT), Text(name="entra.json", content=values(blocks, VERBS))
