"""The benchmark's report cases in, the weights of `attribute/weights.json` out.

    python bench/attribution_fit.py            # learns from all report cases and writes the file, five minutes
    python bench/attribution_fit.py --rule     # only when names may be given, two minutes

Beside it attribution_folds.json, the weights learned without each fold in turn, for figures out of fold.

First a conditional logit over the groups of cases whose true group is known (ridge, by Newton's method), then
(attribution_unknown.py) another over the same cases with and without their true group, with "unknown" among the
choices, on evidence out of fold.
Knowledge bases are strict (see attribution_cases.py). Full and noisy partial observations count alike.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from attribution import FOLD_WEIGHTS, fold_weights, look
from attribution_cases import FOLDS, Cases, Task, bounds
from attribution_unknown import NONE, Asked, decide
from numpy.typing import NDArray

import tocsin.attribute
from tocsin.attribute.answers import refusals
from tocsin.attribute.caps import ONE_CLASS, cap, cap_class
from tocsin.attribute.checks import usable
from tocsin.attribute.ledger import distinct
from tocsin.attribute.plain import observation
from tocsin.attribute.profiles import Profiles, prepare
from tocsin.attribute.scale import NAT, ratio
from tocsin.attribute.scene import Scene, see
from tocsin.attribute.traits import software, technique, tempo
from tocsin.attribute.weighing import Judged
from tocsin.attribute.weights import ForGroups, Rule, Weights, shipped
from tocsin.model.attribution import CERTAIN
from tocsin.model.observation import Observation, Trait

Floats = NDArray[np.float64]
Columns = NDArray[np.float32]  # there are many

FILE = Path(tocsin.attribute.__file__).parent / "weights.json"
SEEN = ("full", "p50n", "p30n")
RIDGE = 3.0
UNIT = float(NAT)  # millidecibans in a natural unit
NOTHING = ForGroups(
    likelihood=0, overlap=0, software=0, exclusive=0, reports=0, reports_by_length=0, years=0, silence=0
)
NEVER = Rule(name=1001, sponsor=1001, largest=())
FEATURES = ForGroups.__struct_fields__
ABOUT = (
    "bench/attribution_fit.py makes this of the report cases of the benchmark; attribute/weights.py says what it means"
)
FINE = 1_000_000  # what a feature is multiplied by while it is measured, where rounding would tell
KINDS = {kind.NAME: kind for kind in (technique, software, tempo)}
RATIOS = {"likelihood", "software", "reports", "reports_by_length", "years"}
# By kind of trait: the weights that it reads, what each is set to while it is measured, and what one is then.
MEASURED: dict[str, tuple[tuple[str, int, float], ...]] = {
    "technique": (("likelihood", 1000, UNIT), ("overlap", FINE, FINE)),
    "software": (("overlap", FINE, FINE), ("software", 1000, UNIT), ("exclusive", FINE, FINE)),
    "tempo": (("years", 1000, UNIT), ("silence", FINE, FINE)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A task as numbers.

    Args:
        parts: for each trait, with the prior as the last, a row for each group: what a weight of one would count.
        most: for each trait, what its cap allows; in natural units, as all here.
        classes: the indices of traits by independence class, and what its cap allows.
        truth: the row of the true group, None where it is not there.
    """

    task: Task
    scene: Scene
    parts: Floats
    most: Floats
    classes: tuple[tuple[tuple[int, ...], float], ...]
    truth: int | None

    @property
    def rows(self) -> Floats:
        """Without caps."""
        rows: Floats = self.parts.sum(axis=0)
        return rows


def examples(cases: Cases, seen: str) -> list[Example]:
    """Report cases with and without their true group, on strict knowledge."""
    return [example(task) for task in cases.tasks("report", seen=seen, strict=True)]


def example(task: Task) -> Example:
    scene = see(*_both(task), _with(NOTHING))
    traits = distinct(scene.observation.traits)
    kinds = [KINDS[trait.kind] for trait in traits]
    huge = 10**9
    most = [
        cap(huge, kind=trait.kind, grade=trait.grade, forgeability=kind.forgeability(trait.value, scene)) / UNIT
        for trait, kind in zip(traits, kinds, strict=True)
    ]
    ids = [profile.id for profile in scene.profiles.groups]
    return Example(
        task=task,
        scene=scene,
        parts=np.stack([*(_part(trait, scene) for trait in traits), _prior(scene)]),
        most=np.array([*most, huge]),
        classes=tuple(
            (
                tuple(number for number, kind in enumerate(kinds) if independence == kind.INDEPENDENCE),
                cap_class(huge, independence) / UNIT,
            )
            for independence in ONE_CLASS
        ),
        truth=ids.index(task.answer[0]) if task.answer else None,
    )


def _both(task: Task) -> tuple[Observation, Profiles]:
    profiles = prepare(task.kb)
    return usable(observation(task.observation), profiles)[0], profiles


def _part(trait: Trait, scene: Scene) -> Columns:
    """For each group, what a weight of one would make of a trait, in natural units."""
    columns = np.zeros((len(scene.profiles.groups), len(FEATURES)), dtype=np.float32)
    for name, unit, by in MEASURED[trait.kind]:
        asked = replace(scene, weights=_with(msgspec.structs.replace(NOTHING, **{name: unit})))
        columns[:, FEATURES.index(name)] = np.array(KINDS[trait.kind].weigh(trait.value, asked)) / by
    return columns


def _prior(scene: Scene) -> Columns:
    columns = np.zeros((len(scene.profiles.groups), len(FEATURES)), dtype=np.float32)
    reports = np.array([ratio(profile.sources, 1) for profile in scene.profiles.groups]) / UNIT
    columns[:, FEATURES.index("reports")] = reports
    columns[:, FEATURES.index("reports_by_length")] = reports * scene.length / 10_000
    return columns


def _with(groups: ForGroups) -> Weights:
    return Weights(about="", groups=groups, unknown=NONE, rule=NEVER)


def rank(examples: Sequence[Example]) -> ForGroups:
    """Weights for groups, by conditional logit."""
    told = [example for example in examples if example.truth is not None]
    scale = np.vstack([example.rows for example in told]).std(axis=0) + 1e-9
    rows = np.zeros((len(told), max(len(example.rows) for example in told), len(FEATURES)))
    there = np.zeros(rows.shape[:2], dtype=bool)
    for number, example in enumerate(told):
        rows[number, : len(example.rows)] = example.rows / scale
        there[number, : len(example.rows)] = True
    weights = _newton(rows, there, np.array([example.truth for example in told], dtype=np.int64)) / scale
    return ForGroups(
        **{
            name: round(float(weight) * (1000 if name in RATIOS else UNIT))
            for name, weight in zip(FEATURES, weights, strict=True)
        }
    )


def _newton(rows: Floats, there: NDArray[np.bool_], truth: NDArray[np.int64]) -> Floats:
    """Weights under which the true groups are likeliest; `there` is false where a case has fewer groups than others."""
    weights = np.zeros(rows.shape[2])
    true = rows[np.arange(len(truth)), truth]

    def quality(weights: Floats) -> tuple[float, Floats]:
        scores = np.where(there, rows @ weights, -np.inf)
        whole = np.logaddexp.reduce(scores, axis=1)
        gain = float((true @ weights - whole).sum() - 0.5 * RIDGE * weights @ weights)
        return gain, np.exp(scores - whole[:, None])

    now, shares = quality(weights)
    for _ in range(50):
        mean = np.einsum("tg,tgf->tf", shares, rows)
        slope = (true - mean).sum(axis=0) - RIDGE * weights
        bend = np.einsum("tg,tgf,tgh->fh", shares, rows, rows, optimize=True) - mean.T @ mean
        step, size = np.linalg.solve(bend + RIDGE * np.eye(len(weights)), slope), 1.0
        while (tried := quality(weights + size * step))[0] < now and size > 1e-4:
            size /= 2
        weights = weights + size * step
        if tried[0] - now < 1e-6:
            return weights
        now, shares = tried
    return weights


def evidence(example: Example, groups: ForGroups) -> Floats:
    """The weight of each group under these weights, with caps, in natural units."""
    weights = np.array([getattr(groups, name) / (1000 if name in RATIOS else UNIT) for name in FEATURES])
    parts = np.clip(example.parts @ weights, -example.most[:, None], example.most[:, None])
    whole: Floats = parts[-1].copy()
    for traits, most in example.classes:
        whole += np.clip(parts[list(traits)].sum(axis=0), -most, most)
    return whole


def learn(known_examples: Mapping[str, Sequence[Example]], left_out: frozenset[int] = frozenset()) -> Weights:
    """Weights from all cases but those of some folds; the second step on evidence that is out of fold again."""
    used = [one for seen in SEEN for one in known_examples[seen] if one.task.fold not in left_out]
    asked: list[Asked] = []
    for fold in range(FOLDS):
        of_fold = [one for one in used if one.task.fold == fold]
        if of_fold:
            groups = rank([one for one in used if one.task.fold != fold])
            asked += [
                Asked(case=one.task.case, scene=one.scene, evidence=evidence(one, groups), truth=one.truth)
                for one in of_fold
            ]
    return Weights(about=ABOUT, groups=rank(used), unknown=decide(asked), rule=NEVER)


def ruled(judged: Mapping[str, Sequence[tuple[Task, Judged]]]) -> Rule:
    """When a name may be given, from answers out of fold.

    The lowest threshold for which, on full and on partial observations, at most 5 of 100 cases are named wrongly, at
    the upper end of the 95 % interval, and at least 95 of 100 names are right. Above 1 if none is.
    """
    name = next((one for one in range(500, 1000, 50) if all(_earned(some, one) for some in judged.values())), 1001)
    largest = []
    for level in (800, 900, 950):
        gathered = sorted(_gathered(task, one) for some in judged.values() for task, one in some)
        place = min(len(gathered) - 1, -(-level * (len(gathered) + 1) // 1000) - 1)
        largest.append((level, gathered[place]))
    return Rule(name=name, sponsor=max(name, 800), largest=tuple(largest))


def _earned(some: Sequence[tuple[Task, Judged]], threshold: int) -> bool:
    right = wrong = 0
    for task, one in some:
        if one.survived is None:
            continue
        rule = msgspec.structs.replace(one.ledger.scene.weights.rule, name=threshold)
        weights = msgspec.structs.replace(one.ledger.scene.weights, rule=rule)
        ledger = replace(one.ledger, scene=replace(one.ledger.scene, weights=weights))
        if not refusals(ledger, one.leader, one.survived):
            is_right = ledger.scene.profiles.groups[one.leader].id in task.answer
            right, wrong = right + is_right, wrong + (not is_right)
    return bounds(wrong, len(some))[1] <= 0.05 and right >= 0.95 * (right + wrong)


def _gathered(task: Task, one: Judged) -> int:
    """What the likeliest hypotheses gather until the true one is among them, in thousandths, rounded up."""
    ids = [profile.id for profile in one.ledger.scene.profiles.groups]
    chances = sorted(
        [
            *zip(one.ledger.billionths, (group in task.answer for group in ids), strict=True),
            (one.ledger.unknown, not task.answer),
        ],
        key=lambda pair: -pair[0],
    )
    gathered = 0
    for chance, is_true in chances:
        gathered += chance
        if is_true:
            break
    return -(-gathered * 1000 // CERTAIN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", action="store_true", help="learn anew only when names may be given")
    options = parser.parse_args()
    cases = Cases()
    if options.rule:
        weights, by_fold = shipped(), fold_weights()
    else:
        known_examples = {seen: examples(cases, seen) for seen in SEEN}
        weights = learn(known_examples)
        by_fold = {fold: learn(known_examples, frozenset({fold})) for fold in range(FOLDS)}
        write(weights, by_fold)
    rule = ruled(
        {
            seen: [
                (task, look(task.observation, task.kb, by_fold[task.fold])) for task in cases.tasks("report", seen=seen)
            ]
            for seen in ("full", "p50n")
        }
    )
    with_rule = {fold: msgspec.structs.replace(one, rule=rule) for fold, one in by_fold.items()}
    write(msgspec.structs.replace(weights, rule=rule), with_rule)
    print(FILE.read_text(encoding="utf-8"))


def write(weights: Weights, folds: Mapping[int, Weights]) -> None:
    FILE.write_text(json.dumps(msgspec.to_builtins(weights), indent=2) + "\n", encoding="utf-8")
    told = {str(fold): msgspec.to_builtins(one) for fold, one in folds.items()}
    FOLD_WEIGHTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
