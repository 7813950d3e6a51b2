"""An observation and what is known of groups in, an Attribution out: all rooms of the reasoning in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tocsin.attribute import answers, matrix, survival
from tocsin.attribute.checks import usable
from tocsin.attribute.hypotheses import tell
from tocsin.attribute.ledger import BESIDE, Ledger, keep
from tocsin.attribute.profiles import Profiles
from tocsin.attribute.scene import see
from tocsin.attribute.weights import Weights, shipped
from tocsin.model.attribution import CERTAIN, UNKNOWN, Attribution, Hypothesis
from tocsin.model.observation import Observation

LEVEL = 900  # thousandths of cases in which a set is meant to hold the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The numbers, without the words. `survived` is of the leading group, None where nobody leads."""

    observation: Observation
    ledger: Ledger
    leader: int
    survived: survival.Survival | None
    notes: tuple[str, ...]


def judge(observation: Observation, profiles: Profiles, weights: Weights) -> Judged:
    """Weigh, and try the leading group."""
    observation, notes = usable(observation, profiles)
    ledger = keep(see(observation, profiles, weights))
    leader = max(
        range(len(ledger.weights)), key=lambda one: (ledger.weights[one], ledger.evidence[one], -one), default=-1
    )
    compares = leader >= 0 and bool(observation.traits)
    return Judged(
        observation=observation,
        ledger=ledger,
        leader=leader,
        survived=survival.examine(ledger, leader) if compares else None,
        notes=notes,
    )


def weigh(
    observation: Observation, profiles: Profiles, *, against: Sequence[str] = (), weights: Weights | None = None
) -> Attribution:
    """Weigh what was seen against everybody known, and nobody known.

    Args:
        against: ids of groups that the matrix compares; they are weighed as all others are.
    """
    judged = judge(observation, profiles, weights or shipped())
    observation, ledger, notes = judged.observation, judged.ledger, judged.notes
    numbers = {profile.id: number for number, profile in enumerate(profiles.groups)}
    asked = tuple(numbers[group] for group in against if group in numbers)
    if judged.survived is None:
        return _nothing(observation, ledger, notes)
    hypotheses, leader, survived = tell(ledger, asked), judged.leader, judged.survived
    compared = matrix.columns(ledger, asked)
    return Attribution(
        observation=observation.id,
        hypotheses=hypotheses,
        answer=answers.answer(ledger, leader, survived),
        confidence=_confidence(ledger, survived),
        fragile=_fragile(ledger, survived),
        within=_within(hypotheses, ledger),
        columns=tuple(profiles.groups[one].id for one in compared),
        matrix=matrix.rows(ledger, compared),
        against=matrix.against(ledger, leader),
        gaps=matrix.gaps(ledger, leader),
        would_change=matrix.would_change(ledger, leader),
        notes=notes,
    )


def _nothing(observation: Observation, ledger: Ledger, notes: tuple[str, ...]) -> Attribution:
    """Without traits there is nothing to tell groups apart by, whatever the prior says."""
    nobody = Hypothesis(id=UNKNOWN, name="nobody known", kind="unknown", billionths=CERTAIN, millidecibans=0)
    why = "Nothing that can be weighed was seen." if ledger.evidence else "No group is known to compare with."
    return Attribution(
        observation=observation.id,
        hypotheses=(nobody,),
        answer=replace(answers.answer(ledger, None, None), text=why),
        confidence="There is no evidence to be confident in.",
        within=(LEVEL, (UNKNOWN,)),
        notes=notes,
    )


def _confidence(ledger: Ledger, survived: survival.Survival) -> str:
    """In the evidence, which is another thing than likelihood (ICD 203, D.6.e.(2).(b))."""
    number = sum(one.trait.kind not in BESIDE for one in ledger.traits)
    classes = len(survived.speaking)
    seen = f"{number} trait{'s' if number != 1 else ''} of {classes} independent class{'es' if classes != 1 else ''}"
    if classes >= 2 and survived.hard and not survived.classes and not survived.traits:
        return f"Confidence in the evidence is moderate: {seen}, and no single one decides."
    if classes >= 2 and survived.hard:
        return f"Confidence in the evidence is low to moderate: {seen}, but the order of groups hangs on few of them."
    return f"Confidence in the evidence is low: {seen}, and little of it would be hard to forge."


def _fragile(ledger: Ledger, survived: survival.Survival) -> tuple[str, ...]:
    if not survived.speaking:
        return ("Nothing that was seen speaks for the group that leads; it leads by how much is told of it.",)
    traits = [ledger.traits[number].trait for number in survived.traits]
    return (
        *(
            f"Without {trait.kind} {ledger.scene.profiles.called(trait.value)}, another group would lead."
            for trait in traits
        ),
        *(f"Without all that comes from the {one}, another group would lead." for one in survived.classes),
    )


def _within(hypotheses: tuple[Hypothesis, ...], ledger: Ledger) -> tuple[int, tuple[str, ...]]:
    """The smallest set of hypotheses that held the answer in nine of ten cases (conformal; Romano et al., 2020)."""
    needed = dict(ledger.scene.weights.rule.largest).get(LEVEL, 1000)
    gathered, found = 0, []
    for one in hypotheses:
        found.append(one.id)
        gathered += one.billionths
        if gathered * 1000 >= needed * CERTAIN:
            break
    return LEVEL, tuple(found)
