"""An observation and profiles in, what all kinds of traits ask of both out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tocsin.attribute.profiles import Profiles
from tocsin.attribute.scale import ratio
from tocsin.attribute.weights import Weights
from tocsin.model.observation import Observation, Trait

USUAL_LENGTH = 10  # techniques, of the reports that weights were learned from
SHORTEST, LONGEST = 5, 64  # of these; what they say of lengths says nothing of shorter and longer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is weighed, against what.

    Args:
        norm: length of the vector of rarities of what was seen, in millidecibans.
        temper: thousandths of what a technique would count alone. Techniques of one intrusion are not independent:
            forty of them are worth twice as much as ten, and not four times.
        length: the decimal logarithm of a tenth of the number of techniques, in millidecibans.
    """

    observation: Observation
    profiles: Profiles
    weights: Weights
    techniques: tuple[str, ...]
    software: tuple[str, ...]
    norm: int
    temper: int
    length: int


def see(observation: Observation, profiles: Profiles, weights: Weights) -> Scene:
    techniques = _values(observation.traits, "technique")
    software = _values(observation.traits, "software")
    rarity = profiles.rarity
    number = max(1, len(techniques))
    return Scene(
        observation=observation,
        profiles=profiles,
        weights=weights,
        techniques=techniques,
        software=software,
        norm=max(1, math.isqrt(sum(rarity.get(name, 0) ** 2 for name in (*techniques, *software)))),
        temper=math.isqrt(USUAL_LENGTH * 1_000_000 // number),
        length=ratio(min(LONGEST, max(SHORTEST, number)), USUAL_LENGTH),
    )


def _values(traits: tuple[Trait, ...], kind: str) -> tuple[str, ...]:
    return tuple(sorted({trait.value for trait in traits if trait.kind == kind}))
