"""The protocol of a kind of trait: a value that was seen in, for each group how much it speaks for it out.

`traits/` is the drawer, one file a kind, and its tuple says in which order they are told. Weights are millidecibans
against a group of which nothing is known; caps come after, in `caps.py`, and are the same for all.
"""

from __future__ import annotations

from typing import Protocol

from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind


class Kind(Protocol):
    """A module of the drawer."""

    @property
    def NAME(self) -> TraitKind: ...  # noqa: N802 (a module's constant)

    @property
    def VERTEX(self) -> Vertex: ...  # noqa: N802

    @property
    def INDEPENDENCE(self) -> Independence: ...  # noqa: N802

    def forgeability(self, value: str, scene: Scene) -> Forgeability:
        """What it would cost an intruder to leave this on purpose so that it points at somebody else."""
        ...

    def weigh(self, value: str, scene: Scene) -> list[int]:
        """For each group of the scene, in its order."""
        ...

    def because(self, value: str, scene: Scene, group: int) -> str:
        """Why it weighs what it weighs for one group, as a sentence without a full stop."""
        ...
