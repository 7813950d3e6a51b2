"""Two observations in, what they share that others do not out: rare things, weighed by what it costs to forge them.

Techniques are shared by everybody, so they add a little to what is there already and start nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tocsin.attribute.caps import ONE_TRAIT, worth
from tocsin.attribute.scale import ratio
from tocsin.model.attribution import Forgeability
from tocsin.model.cluster import Likeness
from tocsin.model.observation import Observation, Trait, TraitKind

ALIKE: Final = 10_000  # millidecibans: ten to one against chance
ALONE: Final = 1  # public groups: what more of them have is for sale, or was given away
TOGETHER: Final = 6_000  # what all cheap things may add up to
ODDS: Final = 9  # how many incidents of others there are beside each of one's own: nobody sees them all

_COST: Final[Mapping[TraitKind, Forgeability]] = {"software": "hard", "infrastructure": "fair"}


def alike(observations: Sequence[Observation], holders: Mapping[str, int], groups: int) -> tuple[Likeness, ...]:
    """All pairs that are alike, in order.

    Args:
        holders: how many public groups have a technique or a piece of software; `groups` is how many there are.
    """
    by_id = {one.id: one for one in observations}
    traits = {name: _traits(by_id[name]) for name in sorted(by_id)}
    seen = Counter(key for found in traits.values() for key in found)
    who: dict[tuple[TraitKind, str], list[str]] = {}
    for name, found in traits.items():
        for key in found:
            if _COST.get(key[0], "cheap") != "cheap":
                who.setdefault(key, []).append(name)
    pairs = sorted({(one, other) for names in who.values() for one in names for other in names if one < other})
    return tuple(
        likeness
        for one, other in pairs
        if (likeness := _compare(one, other, traits, seen, holders, groups)).millidecibans >= ALIKE
    )


def _traits(observation: Observation) -> dict[tuple[TraitKind, str], Trait]:
    return {(one.kind, one.value): one for one in observation.traits if one.kind not in ("tempo", "absence")}


def _compare(
    one: str,
    other: str,
    traits: Mapping[str, Mapping[tuple[TraitKind, str], Trait]],
    seen: Mapping[tuple[TraitKind, str], int],
    holders: Mapping[str, int],
    groups: int,
) -> Likeness:
    dear: list[tuple[int, str]] = []
    cheap: list[tuple[int, str]] = []
    for key in sorted(traits[one].keys() & traits[other].keys()):
        kind, value = key
        cost = _COST.get(kind, "cheap")
        if cost == "hard" and holders.get(value, 0) > ALONE:
            cost = "cheap"
        rarity = min(
            ratio((ODDS + 1) * len(traits) + 1, seen[key]), ratio(2 * groups + 2, 2 * holders.get(value, 0) + 1)
        )
        grade = min(worth(traits[one][key].grade), worth(traits[other][key].grade))
        weight = min(rarity, ONE_TRAIT[cost] * grade // 1000)
        more = f"as do {seen[key] - 2} more" if seen[key] > 2 else "as does no other"
        told = f"both show {kind} {value}, {more} of {len(traits)} incidents"
        if kind in ("software", "technique") and groups:
            told += f" and {holders.get(value, 0)} of {groups} groups that are known"
        (cheap if cost == "cheap" else dear).append((weight, told))
    whole = sum(weight for weight, _ in dear) + min(TOGETHER, sum(weight for weight, _ in cheap))
    return Likeness(
        one=one, other=other, millidecibans=whole if dear else 0, because=tuple(_told(dear)) + tuple(_told(cheap)[:3])
    )


def _told(weighed: Iterable[tuple[int, str]]) -> list[str]:
    return [text for _, text in sorted(weighed, key=lambda pair: (-pair[0], pair[1]))]
