"""The time zone that the work would be office hours in, whether a group is told to keep these hours out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.facts import because as said
from tocsin.attribute.facts import weigh_told
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "hours"
VERTEX: Final[Vertex] = "adversary"
INDEPENDENCE: Final[Independence] = "host"


def forgeability(value: str, scene: Scene) -> Forgeability:
    """Whoever wants to seem to work elsewhere gets up at another hour."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    return weigh_told("hours", value, scene)


def because(value: str, scene: Scene, group: int) -> str:
    return said("hours", value, scene, group)
