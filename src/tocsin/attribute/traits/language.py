"""A language of texts and of what is written in code in, whether a group is told to have it out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.facts import because as said
from tocsin.attribute.facts import weigh_told
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "language"
VERTEX: Final[Vertex] = "adversary"
INDEPENDENCE: Final[Independence] = "toolchain"


def forgeability(value: str, scene: Scene) -> Forgeability:
    """Words in another language are the oldest false flag there is."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    return weigh_told("languages", value, scene)


def because(value: str, scene: Scene, group: int) -> str:
    return said("languages", value, scene, group)
