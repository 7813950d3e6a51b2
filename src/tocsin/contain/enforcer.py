"""The protocol of an enforcer: what stands and what shall stand in, text and steps out. Nothing is run here.

`enforcers/` is the drawer, one file each. An enforcer says what it may be asked for (`VERBS`) and whether its steps are
carried out from here (`CARRIED_OUT`) or rendered for people elsewhere. To apply is to go from what stands to what
shall; to lift is to go back, so undo is `steps` with its two sides exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tocsin.model.action import Block, Place, Probed, Step, Text, Verb


class Enforcer(Protocol):
    """A module of the drawer."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 (a module's constant)

    @property
    def VERBS(self) -> frozenset[Verb]: ...  # noqa: N802

    @property
    def CARRIED_OUT(self) -> bool: ...  # noqa: N802

    def render(self, blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
        """All that shall stand, as files for whoever runs that machine."""
        ...

    def steps(self, before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
        """From what stands to what shall stand. Each may be done twice without harm."""
        ...

    def probes(self, blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
        """What to ask whether it stands; none where nobody can be asked from here."""
        ...

    def seen(self, said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
        """What the probes' answers say of each block."""
        ...
