"""What shall stand in, the values of a script that people run elsewhere out: canonical JSON (RFC 8785), nothing else.

The script is fixed and reviewed; what evidence says reaches it as values in a file that it reads, never as its text.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import Final

from tocsin.model.action import Block, Place, Probed, Step, Text, Verb
from tocsin.seal.canonical import canonical

CARRIED_OUT: Final = False

_SCRIPTS: Final = "tocsin.contain.enforcers.scripts"


def values(blocks: Sequence[Block], verbs: Collection[Verb]) -> str:
    wanted = [
        {
            "verb": block.verb,
            "kind": block.target.kind,
            "value": _unicode(block.target.value),
            "host": _unicode(block.target.host),
            "until": block.until_us // 1_000_000,
            "cases": [_unicode(case) for case in block.cases],
        }
        for block in sorted(blocks, key=lambda one: (one.verb, one.target.value, one.target.host))
        if block.verb in verbs
    ]
    return canonical({"version": 1, "standing": wanted}).decode() + "\n"


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def script(name: str) -> Text:
    return Text(name=name, content=(files(_SCRIPTS) / name).read_text(encoding="utf-8"))


def steps(before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
    """None: people do them elsewhere."""
    return ()


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    return ()


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    return ()
