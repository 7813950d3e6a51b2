"""What somebody left in a program (a path, a header, a name, a key) in, whether a group is told to leave it out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.facts import because as said
from tocsin.attribute.facts import weigh_told
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "code"
VERTEX: Final[Vertex] = "capability"
INDEPENDENCE: Final[Independence] = "toolchain"


def forgeability(value: str, scene: Scene) -> Forgeability:
    """It is copied from one file into another: so was the header that named the wrong group in Olympic Destroyer."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    return weigh_told("code", value, scene)


def because(value: str, scene: Scene, group: int) -> str:
    return said("code", value, scene, group)
