"""A piece of software in, how much its rarity speaks for each group that is told to use it out."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.scale import share
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "software"
VERTEX: Final[Vertex] = "capability"
INDEPENDENCE: Final[Independence] = "toolchain"

FEW: Final = 5  # groups: what so few have is seldom for sale
SMALL: Final = 25  # and no more than one in so many


def forgeability(value: str, scene: Scene) -> Forgeability:
    """What few groups have must be stolen or built before it can be planted; what many have is for everybody."""
    most = max(1, min(FEW, len(scene.profiles.groups) // SMALL))
    return "hard" if 0 < scene.profiles.holders.get(value, 0) <= most else "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    profiles, learned = scene.profiles, scene.weights.groups
    holders = profiles.holders.get(value, 0)
    rarity = profiles.rarity.get(value, 0)
    alone = share(learned.software, rarity, 1000) + (learned.exclusive if holders == 1 else 0)
    return [
        alone + share(learned.overlap, rarity * rarity, scene.norm * profile.norm) if value in profile.software else 0
        for profile in profiles.groups
    ]


def because(value: str, scene: Scene, group: int) -> str:
    profile = scene.profiles.groups[group]
    holders = scene.profiles.holders.get(value, 0)
    if value not in profile.software:
        return f"{profile.name} is not told to use it; {_others(holders)}"
    others = "no other group is" if holders == 1 else f"{_others(holders - 1, other=True)}"
    return f"{profile.name} is told to use it; {others}"


def _others(holders: int, *, other: bool = False) -> str:
    word = "other group" if other else "group"
    return f"{holders} {word}{'s are' if holders != 1 else ' is'}"
