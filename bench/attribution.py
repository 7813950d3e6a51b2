"""How often attribution is right, how sure it says it is, and how easily it is fooled.

    python bench/attribution.py                       # all tables, ten minutes; the last line is one JSON object
    python bench/attribution.py --only report plants
    python ../shared/corpus/attribution/bench.py run --kb sd --obs p50n attribution:predict     # in this folder

Report cases are judged out of fold, by weights learned without the case's group and sources (attribution_folds.json).
What is in-sample says so. "strict" takes the case's own sources out of the knowledge altogether; the benchmark leaves
their names beside links that have other sources too. Campaigns are judged by the shipped weights, which no campaign was
used for.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from attribution_cases import Cases, Task, bounds

from tocsin.attribute.answers import answer
from tocsin.attribute.plain import observation
from tocsin.attribute.profiles import prepare
from tocsin.attribute.weighing import Judged, judge
from tocsin.attribute.weights import Weights, shipped
from tocsin.model.attribution import CERTAIN

FOLD_WEIGHTS = Path(__file__).with_name("attribution_folds.json")
PARTS = ("report", "campaign", "plants", "removal", "speed")
PLANTS = 165
COLUMNS = ("top1", "top5", "unknown_auroc", "ece", "brier", "named_precision", "named_share", "wrong_per_100")


def predict(seen: Mapping[str, Any], kb: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """For the benchmark's `run`: nothing is read but what is given, and the weights."""
    return as_prediction(look(seen, kb, shipped()))


def look(seen: Mapping[str, Any], kb: Mapping[str, Mapping[str, Any]], weights: Weights) -> Judged:
    return judge(observation(seen), prepare(kb), weights)


def as_prediction(judged: Judged) -> dict[str, Any]:
    ledger = judged.ledger
    if judged.survived is None:
        return {"ranked": {}, "unknown": 1.0}
    groups = [profile.id for profile in ledger.scene.profiles.groups]
    ranked = {group: chance / CERTAIN for group, chance in zip(groups, ledger.billionths, strict=True)}
    return {"ranked": ranked, "unknown": ledger.unknown / CERTAIN}


def fold_weights() -> dict[int, Weights]:
    told = json.loads(FOLD_WEIGHTS.read_text(encoding="utf-8"))
    return {int(fold): msgspec.convert(weights, Weights) for fold, weights in told.items()}


def judged_all(tasks: Sequence[Task], weights: Callable[[Task], Weights]) -> dict[str, Judged]:
    return {task.id: look(task.observation, task.kb, weights(task)) for task in tasks}


def figures(cases: Cases, tasks: Sequence[Task], judged: Mapping[str, Judged]) -> dict[str, Any]:
    """The benchmark's scores, and how often and how rightly somebody was named, by `predict` and by the product."""
    predictions = {name: as_prediction(one) for name, one in judged.items()}
    scored = cases.score(tasks, predictions)
    known = sum(bool(task.answer) for task in tasks if not task.pair[1]["hinted"])
    wrong = scored["named"] - round(scored["named_precision"] * scored["named"])
    named = {task.id: _name(judged[task.id]) for task in tasks if not task.pair[1]["hinted"]}
    answers = {task.id: task.answer for task in tasks}
    false = sum(name is not None and name not in answers[task] for task, name in named.items())
    right = sum(name is not None and name in answers[task] for task, name in named.items())
    return scored | {
        "named_share": (scored["named"] - wrong) / max(1, known),
        "wrong_per_100": 100 * wrong / max(1, len(named)),
        "wrong_bounds": [round(100 * bound, 2) for bound in bounds(wrong, len(named))],
        "product": {
            "right": right,
            "wrong": false,
            "of": len(named),
            "known": known,
            "wrong_bounds": [round(100 * bound, 2) for bound in bounds(false, len(named))],
        },
    }


def _name(judged: Judged) -> str | None:
    given = answer(judged.ledger, judged.leader if judged.survived else None, judged.survived)
    return given.hypotheses[0] if given.level == "group" else None


def report(cases: Cases, folds: Mapping[int, Weights]) -> dict[str, Any]:
    print("\nReport cases, source-disjoint. Out of fold unless said.\n")
    found = {}
    rows: list[tuple[str, str, bool, bool]] = [(f"{seen}, out of fold", seen, False, False) for seen in SEEN]
    rows += [(f"{seen}, strict, out of fold", seen, True, False) for seen in ("full", "p50n")]
    rows += [(f"{seen}, IN-SAMPLE", seen, False, True) for seen in ("full", "p50n")]
    head()
    for name, seen, strict, in_sample in rows:
        tasks = list(cases.tasks("report", seen=seen, strict=strict))
        of_task = (lambda task: shipped()) if in_sample else (lambda task: folds[task.fold])
        found[name] = figures(cases, tasks, judged_all(tasks, of_task))
        row(name, found[name])
    return found


SEEN = ("full", "p50n", "p30n")


def campaign(cases: Cases, folds: Mapping[int, Weights]) -> dict[str, Any]:  # noqa: ARG001 (as all parts)
    print("\nCampaigns, shipped weights (learned from report cases only).\n")
    found = {}
    head()
    for kb in ("sd", "prior_sd"):
        for seen in SEEN:
            tasks = list(cases.tasks("campaign", kb=kb, seen=seen))
            name = f"campaign, {kb}, {seen}"
            found[name] = figures(cases, tasks, judged_all(tasks, lambda task: shipped()))
            row(name, found[name])
    return found


def head() -> None:
    print(f"{'':32}" + "".join(f"{name[:13]:>14}" for name in COLUMNS) + "   product: right wrong of [95 %]")


def row(name: str, told: Mapping[str, Any]) -> None:
    product = told["product"]
    print(
        f"{name:32}"
        + "".join(f"{told[column]:14.3f}" for column in COLUMNS)
        + f"   {product['right']:3} {product['wrong']:3} {product['of']:3} {product['wrong_bounds']} per 100",
        flush=True,
    )


def plants(cases: Cases, folds: Mapping[int, Weights]) -> dict[str, Any]:
    """Two families of malware that only a decoy has are planted in a case of somebody else."""
    kinds = {name: known["type"] for name, known in cases.software.items()}
    counts = {"plants": 0, "decoy_leads": 0, "decoy_named": 0, "decoy_named_by_product": 0, "top1": 0, "top1_before": 0}
    for task in cases.tasks("report"):
        if not task.answer or counts["plants"] == PLANTS:
            continue
        decoy, planted = _decoy(task, kinds)
        seen = {**task.observation, "software": sorted({*task.observation["software"], *planted})}
        judged = look(seen, task.kb, folds[task.fold])
        prediction = as_prediction(judged)
        leader = judged.ledger.scene.profiles.groups[judged.leader].id
        before = look(task.observation, task.kb, folds[task.fold])
        counts["plants"] += 1
        counts["decoy_leads"] += leader == decoy
        counts["decoy_named"] += leader == decoy and prediction["ranked"][decoy] > prediction["unknown"]
        counts["decoy_named_by_product"] += _name(judged) == decoy
        counts["top1"] += leader in task.answer
        counts["top1_before"] += before.ledger.scene.profiles.groups[before.leader].id in task.answer
    print("\nFalse flags: two families planted that only the decoy has.\n")
    print(json.dumps(counts), flush=True)
    return counts


def _decoy(task: Task, kinds: Mapping[str, str]) -> tuple[str, list[str]]:
    holders: dict[str, list[str]] = {}
    for group, known in task.kb.items():
        for name in known["software"]:
            holders.setdefault(name, []).append(group)
    alone: dict[str, list[str]] = {}
    for name, groups in holders.items():
        if len(groups) == 1 and kinds.get(name) == "malware" and groups[0] not in task.answer:
            alone.setdefault(groups[0], []).append(name)
    chosen = random.Random(task.id)
    decoy = chosen.choice(sorted(group for group, names in alone.items() if len(names) >= 2))
    return decoy, chosen.sample(sorted(alone[decoy]), 2)


def removal(cases: Cases, folds: Mapping[int, Weights]) -> dict[str, Any]:
    """The true group is taken away: whether more of its probability goes to "unknown" than to all other groups."""
    found = {}
    for seen in ("full", "p50n"):
        tasks = list(cases.tasks("report", seen=seen))
        found[seen] = removed(tasks, judged_all(tasks, lambda task: folds[task.fold]))
    print('\nRemoval of the true group: share of cases in which more went to "unknown" than to all others.\n')
    print(json.dumps(found), flush=True)
    return found


def removed(tasks: Sequence[Task], judged: Mapping[str, Judged]) -> dict[str, float]:
    moved, moved_with_half = [], []
    for task in tasks:
        if not task.answer:
            continue
        before, after = judged[task.id].ledger, judged[f"{task.id}!"].ledger
        ids = [profile.id for profile in before.scene.profiles.groups]
        true = sum(before.billionths[ids.index(group)] for group in task.answer)
        to_unknown = after.unknown - before.unknown
        to_others = sum(after.billionths) - (sum(before.billionths) - true)
        moved.append(to_unknown > to_others)
        if true * 2 > CERTAIN:
            moved_with_half.append(to_unknown > to_others)
    return {
        "cases": len(moved),
        "share": sum(moved) / max(1, len(moved)),
        "share_where_it_had_half": sum(moved_with_half) / max(1, len(moved_with_half)),
    }


def speed(cases: Cases, folds: Mapping[int, Weights]) -> dict[str, Any]:  # noqa: ARG001 (as all parts)
    from tocsin.attribute.weighing import weigh

    tasks = list(cases.tasks("report"))[:40:2]
    profiles = prepare(cases.now)
    took = []
    for task in tasks * 2:
        began = time.perf_counter()
        weigh(observation(task.observation), profiles)
        took.append(1000 * (time.perf_counter() - began))
    warm = sorted(took[len(tasks) :])
    found = {"median_ms": warm[len(warm) // 2], "slowest_ms": warm[-1]}
    print("\nOne attribution, warm, in milliseconds.\n")
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    cases, folds = Cases(), fold_weights()
    parts = {"report": report, "campaign": campaign, "plants": plants, "removal": removal, "speed": speed}
    found = {name: parts[name](cases, folds) for name in PARTS if name in options.only}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
