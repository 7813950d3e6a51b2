"""A scene in, the weights of every trait for every group out, capped, with the prior and one calibration.

    weight of a group = prior + traits (capped) + caps of classes + calibration (+ cap of a narrow ground)

The calibration stretches what speaks for groups by one factor, and moves all of them against "unknown" together: up
where one fits well, down where a second fits as well as it (the ratio to the nearest rival: Mendes Junior et al.,
"Nearest neighbors distance ratio open-set classifier", Machine Learning 106, 2017). So what is said to be 70 % was so
in 70 % of the cases from which it was learned. All is integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.attribute.caps import ONE_CLASS, cap, cap_class, worth
from tocsin.attribute.scale import likelihood, ratio, share
from tocsin.attribute.scene import Scene
from tocsin.attribute.trait import Kind
from tocsin.attribute.traits import TRAITS
from tocsin.model.attribution import CERTAIN, Forgeability, Independence
from tocsin.model.observation import Trait

# A deciban is about the least that people can perceive (I. J. Good, "Studies in the History of Probability and
# Statistics XXXVII", Biometrika 66, 1979): what weighs less speaks for nobody.
SPEAKS: Final = 1_000
NARROW: Final = -500  # what a group may weigh at most that only cheap things speak for, or only one class of them
NEW: Final = 3  # the weights were learned from reports, of which few hold more that nobody is told to use
# When somebody was active, and what was not seen, tell groups apart; a name cannot rest on them.
BESIDE: Final = ("tempo", "absence")

_BY_NAME = {kind.NAME: kind for kind in TRAITS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A trait with a weight for each group; several sources of one value are one trait, with the best grade."""

    trait: Trait
    kind: Kind
    forgeability: Forgeability
    uncapped: tuple[int, ...]
    capped: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything by the index of the group in `scene.profiles.groups`.

    Args:
        totals: by independence class, what all its traits weigh together.
        classes: by independence class, what its cap takes away from that or gives back.
        evidence: prior, traits and caps together.
        calibration: of each group against "unknown".
        narrow: what is taken from groups that too little speaks for, so that "unknown" is likelier than any of them.
        weights: all of it, against "unknown".
        billionths: probabilities; what is left of one is `unknown`.
    """

    scene: Scene
    traits: tuple[Weighed, ...]
    prior: tuple[int, ...]
    totals: dict[Independence, tuple[int, ...]]
    classes: dict[Independence, tuple[int, ...]]
    evidence: tuple[int, ...]
    calibration: tuple[int, ...]
    narrow: tuple[int, ...]
    weights: tuple[int, ...]
    billionths: tuple[int, ...]
    unknown: int


def keep(scene: Scene) -> Ledger:
    traits = tuple(_weigh(trait, scene) for trait in distinct(scene.observation.traits))
    prior = _prior(scene)
    totals = _totals(traits, len(prior))
    classes = {
        independence: tuple(cap_class(whole, independence) - whole for whole in weights)
        for independence, weights in totals.items()
    }
    whole = zip(prior, *(weighed.capped for weighed in traits), *classes.values(), strict=True)
    evidence = tuple(sum(weights) for weights in whole)
    calibration = calibrate(scene, evidence)
    broad = _broad(traits, len(prior))
    free = tuple(map(sum, zip(evidence, calibration, strict=True)))
    narrow = _narrow(free, broad)
    weights = tuple(map(sum, zip(free, narrow, strict=True)))
    billionths = chances(weights)
    return Ledger(
        scene=scene,
        traits=traits,
        prior=prior,
        totals=totals,
        classes=classes,
        evidence=evidence,
        calibration=calibration,
        narrow=narrow,
        weights=weights,
        billionths=billionths,
        unknown=CERTAIN - sum(billionths),
    )


def _narrow(free: Sequence[int], broad: Sequence[bool]) -> tuple[int, ...]:
    """What is taken from groups that would weigh more than they may; they stay in order, a millideciban apart."""
    order = sorted((one for one, is_broad in enumerate(broad) if not is_broad), key=lambda one: (-free[one], one))
    taken = [0] * len(free)
    for place, one in enumerate(order):
        taken[one] = min(0, NARROW - place - free[one])
    return tuple(taken)


def _broad(traits: Sequence[Weighed], groups: int) -> list[bool]:
    """Whether two independent classes speak for a group, and something that is hard to forge."""
    hard = [False] * groups
    speaking = [dict.fromkeys(ONE_CLASS, 0) for _ in range(groups)]
    for weighed in traits:
        if weighed.trait.kind in BESIDE:
            continue
        is_hard, independence = weighed.forgeability == "hard", weighed.kind.INDEPENDENCE
        for number, weight in enumerate(weighed.capped):
            speaking[number][independence] += weight
            hard[number] |= is_hard and weight >= SPEAKS
    return [
        is_hard and sum(weight >= SPEAKS for weight in weights.values()) >= 2
        for is_hard, weights in zip(hard, speaking, strict=True)
    ]


def distinct(traits: Sequence[Trait]) -> list[Trait]:
    """Each value once, whoever tells it how often, in the order of kinds and values."""
    by_value: dict[tuple[int, str], Trait] = {}
    order = {kind.NAME: number for number, kind in enumerate(TRAITS)}
    for trait in traits:
        key = order[trait.kind], trait.value
        same = by_value.get(key, trait)
        by_value[key] = Trait(
            kind=trait.kind,
            value=trait.value,
            sources=tuple(sorted({*same.sources, *trait.sources})),
            grade=max(same.grade, trait.grade, key=lambda grade: (worth(grade), _better_first(grade))),
        )
    return [by_value[key] for key in sorted(by_value)]


def _better_first(grade: str) -> tuple[int, int]:
    return -ord(grade[0]), -ord(grade[1])


def _weigh(trait: Trait, scene: Scene) -> Weighed:
    kind = _BY_NAME[trait.kind]
    forgeability = kind.forgeability(trait.value, scene)
    uncapped = tuple(kind.weigh(trait.value, scene))
    return Weighed(
        trait=trait,
        kind=kind,
        forgeability=forgeability,
        uncapped=uncapped,
        capped=tuple(cap(weight, kind=trait.kind, grade=trait.grade, forgeability=forgeability) for weight in uncapped),
    )


def _prior(scene: Scene) -> tuple[int, ...]:
    learned = scene.weights.groups
    factor = learned.reports + share(learned.reports_by_length, scene.length, 10_000)
    return tuple(share(ratio(profile.sources, 1), factor, 1000) for profile in scene.profiles.groups)


def _totals(traits: Sequence[Weighed], groups: int) -> dict[Independence, tuple[int, ...]]:
    totals: dict[Independence, tuple[int, ...]] = {}
    for independence in ONE_CLASS:
        of_class = [weighed.capped for weighed in traits if independence == weighed.kind.INDEPENDENCE]
        totals[independence] = tuple(map(sum, zip(*of_class, strict=True))) if of_class else (0,) * groups
    return totals


def calibrate(scene: Scene, evidence: Sequence[int]) -> tuple[int, ...]:
    """What moves each group against "unknown"."""
    if not evidence:
        return ()
    shift = known(scene, *ahead(evidence))
    sharpness = scene.weights.unknown.sharpness
    return tuple(share(weight, sharpness, 1000) + shift - weight for weight in evidence)


def ahead(evidence: Sequence[int]) -> tuple[int, int]:
    """What the two groups weigh that fit best; who is alone is also the second."""
    order = sorted(evidence, reverse=True)
    return order[0], order[min(1, len(order) - 1)]


def chances(weights: Sequence[int]) -> tuple[int, ...]:
    """Probabilities from weights against "unknown", which has what is left of one."""
    most = max(0, *weights) if weights else 0  # the larger side is one, so that it is never rounded away
    masses = [likelihood(weight - most) for weight in weights]
    whole = sum(masses) + likelihood(-most)
    return tuple(mass * CERTAIN // whole for mass in masses)


def known(scene: Scene, first: int, rival: int) -> int:
    """What is added to every group alike: how well the two best fit, how much was seen, and how much of it is new."""
    learned, holders = scene.weights.unknown, scene.profiles.holders
    return (
        learned.constant
        + share(learned.first, first, 1000)
        + share(learned.rival, rival, 1000)
        + share(learned.techniques, ratio(max(1, len(scene.techniques)), 1), 1000)
        + share(learned.software, ratio(1 + len(scene.software), 1), 1000)
        + learned.new_software * min(NEW, sum(name not in holders for name in scene.software))
        + learned.new_techniques * min(NEW, sum(name not in holders for name in scene.techniques))
    )
