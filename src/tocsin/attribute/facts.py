"""A list that is known of some groups in, what it says for each of them that a value is on it out.

What is not from reports with techniques has no cases to learn from: half of the rarity, and the caps, are conventions.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tocsin.attribute.scale import ratio, share
from tocsin.attribute.scene import Scene

HALF: Final = 500  # thousandths
NOT_TOLD: Final = -500  # millidecibans, for a group that has a list without this


def weigh_told(name: str, value: str, scene: Scene) -> list[int]:
    lists = [_listed(profile.facts.get(name)) for profile in scene.profiles.groups]
    wanted = value.casefold()
    holders = sum(wanted in listed for listed in lists)
    kept = sum(bool(listed) for listed in lists)
    speaks = share(ratio(kept + 1, holders), HALF, 1000) if holders else 0
    return [speaks if wanted in listed else NOT_TOLD if listed and holders else 0 for listed in lists]


def _listed(told: object) -> Collection[str]:
    if isinstance(told, str):
        return {told.casefold()} if told else ()
    return {str(one).casefold() for one in told} if isinstance(told, Collection) else ()


def because(name: str, value: str, scene: Scene, group: int) -> str:
    profile = scene.profiles.groups[group]
    listed = _listed(profile.facts.get(name))
    if not listed:
        return f"nothing of this kind is known of {profile.name}"
    return f"{value} is {'' if value.casefold() in listed else 'not '}among what is told of {profile.name}"
