"""A technique that was not seen although a sensor would have shown it in, what that says against each group out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.scale import ratio
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "absence"
VERTEX: Final[Vertex] = "capability"
INDEPENDENCE: Final[Independence] = "host"

# That a sensor is on does not mean that it sees everything, nor that a habit is kept each time: half of half.
SHOWN: Final = 25  # hundredths
DOUBT: Final = 2  # sources more, none of which tells of it


def forgeability(value: str, scene: Scene) -> Forgeability:
    """Nothing is cheaper than not to do a thing."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    return [
        -ratio(100 * (profile.sources + DOUBT), 100 * (profile.sources + DOUBT) - SHOWN * min(count, profile.sources))
        if (count := profile.techniques.get(value, 0))
        else 0
        for profile in scene.profiles.groups
    ]


def because(value: str, scene: Scene, group: int) -> str:
    profile = scene.profiles.groups[group]
    count = profile.techniques.get(value, 0)
    return f"a sensor would have shown it; {count} of {profile.sources} sources on {profile.name} tell of it"
