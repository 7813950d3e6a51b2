"""A country or a sector that was hit in, whether a group is told to go for it out.

Lists of victims are long and hold what somebody happened to publish, so they say little, and that a victim is not on
one says less.
"""

from __future__ import annotations

from typing import Final

from tocsin.attribute.facts import because as said
from tocsin.attribute.facts import weigh_told
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "victim"
VERTEX: Final[Vertex] = "victim"
INDEPENDENCE: Final[Independence] = "source"

LISTS: Final = {"country": "victims", "sector": "sectors"}


def forgeability(value: str, scene: Scene) -> Forgeability:
    """One victim more is attacked as easily as another."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    kind, _, name = value.partition(":")
    if kind not in LISTS:
        return [0] * len(scene.profiles.groups)
    return weigh_told(LISTS[kind], name, scene)


def because(value: str, scene: Scene, group: int) -> str:
    kind, _, name = value.partition(":")
    return said(LISTS.get(kind, kind), name, scene, group)
