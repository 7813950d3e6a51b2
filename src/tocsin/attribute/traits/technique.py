"""A technique in, how much likelier each group is to use it than groups are in general out.

The likelihood is a hierarchical mixture (Dirichlet smoothing; Zhai and Lafferty, SIGIR 2001): what is told of the group
itself, then its software and its sponsor's other groups, then all groups. The fewer sources there are on a group, the
more it is taken to be like all. What is not seen is no evidence here: a profile's length is paid for by each technique
that is seen.
"""

from __future__ import annotations

from typing import Final

from tocsin.attribute.profiles import BILLION, Profile
from tocsin.attribute.scale import ratio, share
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "technique"
VERTEX: Final[Vertex] = "capability"
INDEPENDENCE: Final[Independence] = "host"

PRIOR: Final = 100  # counts that what is told of all groups is worth
KIN: Final = 15  # hundredths of it that come from software and sponsor, where these are known


def forgeability(value: str, scene: Scene) -> Forgeability:
    """Anybody can do what a report describes."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    profiles, learned = scene.profiles, scene.weights.groups
    usual = profiles.share.get(value)
    if usual is None:
        near = [profiles.share[other] for other in profiles.relatives.get(value, ()) if other in profiles.share]
        if not near:
            return [0] * len(profiles.groups)
        usual = max(near)
    rarity = profiles.rarity.get(value, 0)
    scaled = learned.likelihood * scene.temper
    weights = []
    for profile in profiles.groups:
        count = profile.techniques.get(value, 0)
        expected = usual
        if profile.kin:
            expected = ((100 - KIN) * usual + KIN * profile.kin.get(value, 0)) // 100
        likelihood = ratio(count * BILLION + PRIOR * expected, (profile.size + PRIOR) * usual)
        weight = share(likelihood, scaled, 1_000_000)
        if count:
            weight += share(learned.overlap, rarity * rarity, scene.norm * profile.norm)
        weights.append(weight)
    return weights


def because(value: str, scene: Scene, group: int) -> str:
    profile = scene.profiles.groups[group]
    holders = f"{scene.profiles.holders.get(value, 0)} of {len(scene.profiles.groups)} groups"
    if count := profile.techniques.get(value, 0):
        return f"{_sources(count, profile)} on {profile.name} tell of it; so is it of {holders}"
    return f"none of the {profile.sources} sources on {profile.name} tells of it; it is told of {holders}"


def _sources(count: int, profile: Profile) -> str:
    return f"{count} of {profile.sources} sources" if profile.sources > 1 else "the one source"
