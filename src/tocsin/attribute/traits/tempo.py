"""The year in which they were last seen in, how much of what is told of each group falls into that time out.

Groups come and go: of what is told of a group, most falls into a few years. Against it stands a group whose sources
fall evenly into ten. The years are those in the names of the sources, which is when something was published and not
when it happened; so neighbouring years count as well.
"""

from __future__ import annotations

from typing import Final

from tocsin.attribute.scale import ratio, share
from tocsin.attribute.scene import Scene
from tocsin.model.attribution import Forgeability, Independence, Vertex
from tocsin.model.observation import TraitKind

NAME: Final[TraitKind] = "tempo"
VERTEX: Final[Vertex] = "adversary"
INDEPENDENCE: Final[Independence] = "source"

# exp(-distance / 1.5 years), in thousandths; further away counts nothing.
NEAR: Final = (1000, 513, 264, 135, 69, 36, 18, 9, 5, 2, 1)
LEAST: Final = 300  # what a group without any source near is given
FLAT: Final = 310  # what each source of a group would give whose sources fall evenly into ten years
LONGEST: Final = 6  # years of silence; after that it makes no difference
UNDATED: Final = 3  # years of silence, of a group none of whose sources tells a year


def forgeability(value: str, scene: Scene) -> Forgeability:
    """A report that is not written yet cannot be forged, but clocks can."""
    return "cheap"


def weigh(value: str, scene: Scene) -> list[int]:
    learned, year = scene.weights.groups, int(value)
    weights = []
    for profile in scene.profiles.groups:
        near = sum(NEAR[abs(year - told)] for told in profile.years if abs(year - told) < len(NEAR))
        density = ratio(near + LEAST, FLAT * (len(profile.years) + 1))
        silent = max(0, min(LONGEST, year - profile.years[-1])) if profile.years else UNDATED
        weights.append(share(learned.years, density, 1000) - learned.silence * silent)
    return weights


def because(value: str, scene: Scene, group: int) -> str:
    profile = scene.profiles.groups[group]
    if not profile.years:
        return f"no source on {profile.name} tells a year"
    near = sum(abs(int(value) - told) <= 1 for told in profile.years)
    return f"{near} of {len(profile.years)} dated sources on {profile.name} are of {value} or a year beside it"
