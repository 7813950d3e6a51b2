"""A ledger in, hypotheses with their lines out: each line an integer, all of them add up exactly."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tocsin.attribute.answers import AMBIGUOUS
from tocsin.attribute.ledger import Ledger
from tocsin.attribute.scale import ratio
from tocsin.model.attribution import CERTAIN, UNKNOWN, Ground, Hypothesis, Line

TOLD: Final = 12  # groups that are told with their grounds; of the others the sum is enough

# A tenth of what is unknown is set apart for new groups of sponsors that other groups are suspected of. A convention:
# no public figures tell how often a group that appears belongs to a sponsor that is known.
KIN: Final = 10
NARROW: Final = "too little that is hard to forge, or of one class only"
_APART: Final = ratio(KIN, KIN - 1)


def tell(ledger: Ledger, also: tuple[int, ...] = ()) -> tuple[Hypothesis, ...]:
    """The likeliest first; groups that get no billionth are left out unless they were asked for."""
    sponsors = _sponsors(ledger)
    kin = _kin(ledger, sponsors)
    unknown = CERTAIN - sum(ledger.billionths) - sum(one.billionths for one in kin)
    order = sorted(range(len(ledger.weights)), key=lambda one: (-ledger.weights[one], -ledger.evidence[one], one))
    told = [
        _group(ledger, one, set_apart=bool(kin), grounds=place < TOLD or one in also)
        for place, one in enumerate(order)
        if ledger.billionths[one] or one in also
    ]
    nobody = Hypothesis(id=UNKNOWN, name="nobody known", kind="unknown", billionths=unknown, millidecibans=0)
    return tuple(
        sorted(
            [*told, *kin, nobody], key=lambda one: (-one.billionths, one.kind != "unknown", -one.millidecibans, one.id)
        )
    )


def _group(ledger: Ledger, number: int, *, set_apart: bool, grounds: bool) -> Hypothesis:
    profile = ledger.scene.profiles.groups[number]
    lines = [Line(kind="prior", what=f"{profile.sources} sources on it", millidecibans=ledger.prior[number])]
    told: list[Ground] = []
    for weighed in ledger.traits:
        trait, value = weighed.trait, weighed.capped[number]
        uncapped = weighed.uncapped[number]
        what = f"{trait.kind} {trait.value}"
        lines.append(Line(kind="grounds", what=what, millidecibans=uncapped, ground=len(told) if grounds else -1))
        if value != uncapped:
            lines.append(Line(kind="cap", what=f"cap of {what}", millidecibans=value - uncapped))
        if grounds:
            told.append(
                Ground(
                    kind=trait.kind,
                    value=trait.value,
                    vertex=weighed.kind.VERTEX,
                    grade=trait.grade,
                    forgeability=weighed.forgeability,
                    independence=weighed.kind.INDEPENDENCE,
                    uncapped=uncapped,
                    millidecibans=value,
                    because=weighed.kind.because(trait.value, ledger.scene, number),
                    sources=trait.sources,
                    name=ledger.scene.profiles.names.get(trait.value, ""),
                )
            )
    lines += [
        Line(kind="cap", what=f"cap of all from the {independence}", millidecibans=by_group[number])
        for independence, by_group in ledger.classes.items()
        if by_group[number]
    ]
    lines.append(Line(kind="calibration", what="calibration", millidecibans=ledger.calibration[number]))
    if ledger.narrow[number]:
        lines.append(Line(kind="cap", what=NARROW, millidecibans=ledger.narrow[number]))
    if set_apart:
        lines.append(Line(kind="calibration", what="new groups of a sponsor set apart", millidecibans=_APART))
    return Hypothesis(
        id=profile.id,
        name=profile.name,
        kind="group",
        billionths=ledger.billionths[number],
        millidecibans=sum(line.millidecibans for line in lines),
        lines=tuple(lines),
        grounds=tuple(told),
    )


def _sponsors(ledger: Ledger) -> dict[str, list[int]]:
    sponsors: dict[str, list[int]] = defaultdict(list)
    for number, profile in enumerate(ledger.scene.profiles.groups):
        sponsor = str(profile.facts.get("sponsor") or "")
        if sponsor and sponsor != AMBIGUOUS:
            sponsors[sponsor].append(number)
    return {sponsor: groups for sponsor, groups in sorted(sponsors.items()) if len(groups) > 1}


def _kin(ledger: Ledger, sponsors: dict[str, list[int]]) -> list[Hypothesis]:
    """New groups of the sponsors, each by how likely its known groups are together. No sponsor is called by name."""
    masses = {sponsor: sum(ledger.billionths[one] for one in groups) for sponsor, groups in sponsors.items()}
    whole = sum(masses.values())
    if not whole:
        return []
    found = []
    for sponsor, mass in masses.items():
        billionths = ledger.unknown * mass // (KIN * whole)
        if billionths:
            likeliest = max(sponsors[sponsor], key=lambda one: (ledger.evidence[one], -one))
            weight = ratio(mass, (KIN - 1) * whole)
            profile = ledger.scene.profiles.groups[likeliest]
            found.append(
                Hypothesis(
                    id=f"kin:{profile.id}",
                    name=f"a group nobody knows, of the same kin as {profile.name}",
                    kind="kin",
                    billionths=billionths,
                    millidecibans=weight,
                    lines=(Line(kind="prior", what="a share of what is unknown", millidecibans=weight),),
                )
            )
    return found
