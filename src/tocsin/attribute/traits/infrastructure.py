"""An address, a domain, a certificate, a network or a kind of them in, whether a group is told to have used it out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.facts import because as said
from tocsin.attribute.facts import weigh_told
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "infrastructure"
VERTEX: Final[Vertex] = "infrastructure"
INDEPENDENCE: Final[Independence] = "source"


def forgeability(value: str, scene: Scene) -> Forgeability:
    """Servers are rented again, seized, and hijacked from others on purpose; a network is nobody's, nor is its kind."""
    return "cheap" if value.startswith(("kind:", "asn:")) else "fair"


def weigh(value: str, scene: Scene) -> list[int]:
    return weigh_told("infrastructure", value, scene)


def because(value: str, scene: Scene, group: int) -> str:
    return said("infrastructure", value, scene, group)
