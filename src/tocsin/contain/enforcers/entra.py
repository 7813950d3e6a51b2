"""Accounts, sessions, grants and inbox rules of a cloud in, a fixed script and its values out.

The script is for PowerShell, and is not executed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.contain import elsewhere
from tocsin.model.action import Block, Place, Probed, Step, Text, Verb

NAME: Final = "entra"
VERBS: Final[frozenset[Verb]] = frozenset({"disable account", "revoke sessions", "remove grant", "remove inbox rule"})
CARRIED_OUT: Final = False

_SCRIPT: Final = "entra.ps1"


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    return elsewhere.script(_SCRIPT), Text(name="entra.json", content=elsewhere.values(blocks, VERBS))


def steps(before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
    return ()


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    return ()


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    return ()
