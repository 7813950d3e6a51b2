"""The benchmark's report cases in, how well "peeling" would attribute them out: a trial that nothing else reads.

    python bench/attribution_peel.py            # a row of docs/decisions/0025, ten minutes; --help tells of others

The likeliest group takes a share that a logit of its own evidence says, never of its rival; the rest is shared out in
the same way without it, and what is left at the end is "unknown" (stick-breaking). In floating point, learned on strict
knowledge, out of fold. Caps are those of `attribute/caps.py`: of each trait, each class, and narrow grounds. Counts are
told by levels, each twice the one below, since they are most of what moves when a group leaves.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from attribution import PLANTS, _decoy
from attribution_cases import FOLDS, Cases, Task
from attribution_fit import NOTHING, RIDGE, SEEN, UNIT, _part, _prior, _with
from attribution_unknown import SOFT, Floats, Whole
from numpy.typing import NDArray
from scipy.optimize import minimize

from tocsin.attribute.caps import ONE_CLASS, ONE_TRAIT
from tocsin.attribute.checks import usable
from tocsin.attribute.ledger import NARROW, NEW, SPEAKS
from tocsin.attribute.plain import observation
from tocsin.attribute.profiles import prepare
from tocsin.attribute.scene import see
from tocsin.attribute.traits.software import FEW

Bools = NDArray[np.bool_]

LEVEL = float(np.log(2))
MOST = 151.0  # what nobody holds is as rare as this: no count of groups, which would tell that one has left
NOBODY = -60.0  # the weight of a place where no group is
PASSES = 2  # who comes before whom, and who is narrow, is drawn anew for each
ENOUGH = {"maxiter": 60, "ftol": 1e-6}
SPOKEN, CHEAP, HARD, HOST = (most / UNIT for most in (SPEAKS, ONE_TRAIT["cheap"], ONE_TRAIT["hard"], ONE_CLASS["host"]))
# What all groups are given alike (a constant, lengths, what is new, squares), prior, tempo; then likelihood, overlap,
# and of software rarity, one over its holders, and whether few hold it.
START = np.array([-8.0, *[0.0] * 7, 0.8, -0.6, 1.2, 0.3, 0.25, 14.0, -0.2, 9.0, -1.0])
CASE, PRIOR, TEMPO, TECHNIQUE, SOFTWARE = slice(8), slice(8, 10), slice(10, 12), slice(12, 14), slice(13, 17)


Setting = Mapping[str, float]  # by the names of HELP
Asked = tuple[Task, str, str]  # and how much was seen, and a decoy, if any
HELP = {
    "told": (5.0, "added to how often a technique is told of"),
    "held": (10.0, "added to how many hold a technique, in overlap"),
    "removal": (1.0, "natural units that a removal weighs which goes wrong"),
    "toolchain": (float(ONE_CLASS["toolchain"]), "millidecibans of the cap of its class"),
    "squares": (1.0, "0: lengths count, and their squares do not"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """Many questions at once, a row each; a place is a row times `there`'s width, plus a group's index."""

    tasks: list[Task]
    ids: list[list[str]]
    case: Floats  # what all groups are given alike
    there: Bools  # here and below, a column for each group
    beside: Floats  # prior and tempo, on a third axis
    missed: Floats  # what techniques that the group is not told to use are worth to `likelihood`
    used: tuple[Whole, Floats]  # for each technique that a group is told to use: place; likelihood, overlap
    tools: tuple[Whole, Floats]  # of software: place; overlap, rarity, one over holders, whether few hold it
    sought: Whole  # index of the true group and of the decoy, -1 where there is none
    pairs: Whole  # two lines: rows of a case with its true group, and of the same without it


def read(asked: Iterable[Asked], setting: Setting) -> Table:
    tasks, ids, case, beside, missed, used, tools, sought = [], [], [], [], [], [], [], []
    places: dict[tuple[str, str], int] = {}
    for row, (task, seen, decoy) in enumerate(asked):
        profiles = prepare(task.kb)
        scene = see(usable(observation(task.observation), profiles)[0], profiles, _with(NOTHING))
        groups, holders, number = profiles.groups, profiles.holders, len(scene.techniques)
        told = sum((Counter(profile.techniques) for profile in groups), Counter[str]())
        whole = np.round(np.log(told.total() + setting["told"] * len(told)))
        usual = np.exp(_level([told[name] for name in scene.techniques], setting["told"]) - whole)
        rare = np.log(MOST) - _level([holders.get(name, 0) for name in scene.techniques], setting["held"])
        held = np.array([holders.get(name, 0) for name in scene.software], dtype=float)
        tool = np.log(MOST) - _level(held, 0.5)
        own = [[holders[name] for name in (*profile.techniques, *profile.software)] for profile in groups]
        norms = np.array([np.linalg.norm(np.log(MOST) - _level(counts, setting["held"])) for counts in own])
        norms = norms * np.sqrt((rare**2).sum() + (tool**2).sum()) + 1e-9
        sizes, temper = np.array([float(one.size) for one in groups]), np.sqrt(10 / max(1, number))
        counts = np.array([[profile.techniques.get(name, 0) for name in scene.techniques] for profile in groups])
        g, t = np.nonzero(counts.reshape(len(groups), -1))
        likelihood = temper * np.log((counts[g, t] + 100 * usual[t]) / ((sizes[g] + 100) * usual[t]))
        used.append((row, g, np.column_stack([likelihood, rare[t] ** 2 / norms[g]])))
        missed.append(temper * (number - np.bincount(g, minlength=len(groups))) * np.log(100 / (sizes + 100)))
        has = np.array([[name in profile.software for name in scene.software] for profile in groups])
        g, s = np.nonzero(has.reshape(len(groups), -1))
        columns = [tool[s] ** 2 / norms[g], tool[s], np.exp(-_level(held[s], 0.5)), held[s] <= FEW]
        tools.append((row, g, np.column_stack(columns)))
        long, many = np.log(max(1, number)), np.log(1 + len(held))
        new = [sum(name not in holders for name in names) for names in (scene.software, scene.techniques)]
        squares = setting["squares"] * np.array([long**2, many**2, long * many])
        case.append([1.0, long, many, *np.minimum(new, NEW), *squares])
        when = (_part(trait, scene) for trait in scene.observation.traits if trait.kind == "tempo")
        beside.append(sum(when, _prior(scene))[:, 4:])
        ids.append([profile.id for profile in groups])
        sought.append([ids[-1].index(name) if name else -1 for name in ([*task.answer, ""][0], decoy)])
        tasks.append(replace(task, kb={}))  # knowledge is large
        places[seen, task.id] = row
    width = max(map(len, ids))
    pairs = [(row, places[seen, f"{name}!"]) for (seen, name), row in places.items() if (seen, f"{name}!") in places]
    return Table(
        tasks=tasks,
        ids=ids,
        case=np.array(case),
        there=np.array([np.arange(width) < len(own) for own in ids]),
        beside=np.array([np.pad(own, ((0, width - len(own)), (0, 0))) for own in beside]),
        missed=np.array([np.pad(own, (0, width - len(own))) for own in missed]),
        used=(np.concatenate([row * width + g for row, g, _ in used]), np.vstack([own for _, _, own in used])),
        tools=(np.concatenate([row * width + g for row, g, _ in tools]), np.vstack([own for _, _, own in tools])),
        sought=np.array(sought),
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2).T,
    )


def _level(counts: Floats | list[int], more: float) -> Floats:
    return LEVEL * np.round(np.log(np.asarray(counts, dtype=np.float64) + more) / LEVEL)


def sums(w: Floats, data: Table, toolchain: float) -> tuple[Floats, Bools, Callable[[Floats], Floats]]:
    """What each place weighs; whether on narrow grounds; and from a slope by these weights, that by `w`."""
    (used, hits), (tools, held), shape, size = data.used, data.tools, data.there.shape, data.there.size
    most = np.where(held[:, 3] > 0, HARD, CHEAP)
    by_hit, by_tool, when = hits @ w[TECHNIQUE], held @ w[SOFTWARE], data.beside[:, :, 2:] @ w[TEMPO]
    host = np.bincount(used, np.clip(by_hit, -CHEAP, CHEAP), size).reshape(shape) + data.missed * w[TECHNIQUE][0]
    tool = np.bincount(tools, np.clip(by_tool, -most, most), size).reshape(shape)
    whole = (data.case @ w[CASE])[:, None] + data.beside[:, :, :2] @ w[PRIOR] + np.clip(when, -CHEAP, CHEAP)
    whole = whole + np.clip(host, -HOST, HOST) + np.clip(tool, -toolchain / UNIT, toolchain / UNIT)
    hard = np.bincount(tools, (held[:, 3] > 0) & (by_tool >= SPOKEN), size).reshape(shape) > 0

    def slope(by: Floats) -> Floats:
        by_host, by_tools = by * (abs(host) < HOST), by * (abs(tool) < toolchain / UNIT)
        found = np.zeros_like(w)
        found[CASE] = by.sum(axis=1) @ data.case
        found[PRIOR] = np.einsum("qg,qgf->f", by, data.beside[:, :, :2])
        found[TEMPO] = np.einsum("qg,qgf->f", by * (abs(when) < CHEAP), data.beside[:, :, 2:])
        found[TECHNIQUE] = (by_host.ravel()[used] * (abs(by_hit) < CHEAP)) @ hits
        found[TECHNIQUE.start] += (by_host * data.missed).sum()
        found[SOFTWARE] += (by_tools.ravel()[tools] * (abs(by_tool) < most)) @ held
        return found

    return np.where(data.there, whole, NOBODY), ~(hard & (host >= SPOKEN) & (tool >= SPOKEN)), slope


def learn(data: Table, left_out: int, setting: Setting) -> Floats:
    """Weights from all folds but one; the loss is that of attribution_unknown.py, with shares by peeling."""
    kept = np.array([task.fold != left_out for task in data.tasks])
    there = data.there & kept[:, None]
    told, removed = data.pairs[:, kept[data.pairs[0]]]
    at = (np.arange(there.shape[1]) == data.sought[:, 0][:, None]) * kept[:, None] * 1.0
    (used, hits), (tools, held), size = data.used, data.tools, there.size
    parts = [np.bincount(used, hits[:, 0], size) + data.missed.ravel(), np.bincount(used, hits[:, 1], size)]
    parts[1] += np.bincount(tools, held[:, 0], size)
    parts += [np.bincount(tools, column, size) for column in held.T[1:]]
    spread = [data.case[kept].std(axis=0), data.beside[there].std(axis=0), [one[there.ravel()].std() for one in parts]]
    ridge = RIDGE * np.concatenate(spread) ** 2  # none for the constant, which does not differ
    scale = np.sqrt(ridge / RIDGE) + (ridge == 0)

    def loss(scaled: Floats, asked: Floats, is_narrow: Bools) -> tuple[float, Floats]:
        w = scaled / scale
        whole, _, slope = sums(w, data, setting["toolchain"])
        over = is_narrow & (whole > NARROW / UNIT)
        z = np.where(over, NARROW / UNIT, whole)
        rest = np.logaddexp(0.0, z) * there
        share = np.exp(z - rest) * there
        unknown, had = np.exp(-rest.sum(axis=1)), np.exp((at * z - asked * rest).sum(axis=1))[told] + 1e-12
        went = (unknown[removed] - unknown[told]) / had
        wrong = 1 / (1 + np.exp(np.clip((went - 0.5) / SOFT, -50, 50)))
        by, by_went = asked * share - at, -setting["removal"] * wrong * (1 - wrong) / SOFT
        by[removed] -= (by_went * unknown[removed] / had)[:, None] * share[removed]
        moved = (unknown[told] / had)[:, None] * share[told] - went[:, None] * (at - asked * share)[told]
        by[told] += by_went[:, None] * moved
        gained = (asked * rest - at * z).sum() + setting["removal"] * wrong.sum() + 0.5 * (ridge * w * w).sum()
        return float(gained), (slope(by * ~over) + ridge * w) / scale

    w = START
    for _ in range(PASSES):
        whole, is_narrow, _ = sums(w, data, setting["toolchain"])
        true = np.where(data.sought[:, 0] >= 0, whole[np.arange(len(whole)), data.sought[:, 0]], -np.inf)
        asked = (whole > true[:, None]) * there + at  # those that are peeled before it, and it
        w = minimize(loss, w * scale, (asked, is_narrow), "L-BFGS-B", True, options=ENOUGH).x / scale
    return w


def chances(w: Floats, data: Table, toolchain: float) -> tuple[Floats, Floats]:
    """Of each group and of "unknown"; on narrow grounds, less than what is left at the end."""
    whole, is_narrow, _ = sums(w, data, toolchain)
    order = np.argsort(-whole, axis=1, kind="stable")
    z, is_narrow = np.take_along_axis(whole, order, axis=1), np.take_along_axis(is_narrow, order, axis=1)
    behind = np.zeros(len(z))
    for place in reversed(range(z.shape[1])):
        most = np.where(is_narrow[:, place], (NARROW - place) / UNIT - behind, np.inf)  # a millideciban apart
        z[:, place] = np.minimum(z[:, place], most)
        behind += np.logaddexp(0.0, z[:, place])
    groups = np.empty_like(z)
    np.put_along_axis(groups, order, np.exp(z - np.cumsum(np.logaddexp(0.0, z), axis=1)), axis=1)
    return groups, np.exp(-behind)


def planted(cases: Cases) -> Iterator[Asked]:
    """As in attribution.py: two families that only a decoy has, in cases of others."""
    kinds = {name: known["type"] for name, known in cases.software.items()}
    for task in [task for task in cases.tasks("report") if task.answer][:PLANTS]:
        decoy, families = _decoy(task, kinds)
        seen = {**task.observation, "software": sorted({*task.observation["software"], *families})}
        yield replace(task, observation=seen), "full", decoy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (usual, about) in HELP.items():
        parser.add_argument(f"--{name}", type=float, default=usual, help=about)
    setting: Setting = vars(parser.parse_args())
    cases = Cases()
    strict = ((task, seen, "") for seen in SEEN for task in cases.tasks("report", seen=seen, strict=True))
    learned_from = read(strict, setting)
    weights = [learn(learned_from, fold, setting) for fold in range(FOLDS)]
    for seen in ("full", "p50n", "decoys"):
        plain = ((task, seen, "") for task in cases.tasks("report", seen=seen))
        data = read(planted(cases) if seen == "decoys" else plain, setting)
        by_fold = [chances(w, data, setting["toolchain"]) for w in weights]
        groups = np.array([by_fold[task.fold][0][row] for row, task in enumerate(data.tasks)])
        unknown = np.array([by_fold[task.fold][1][row] for row, task in enumerate(data.tasks)])
        if seen == "decoys":
            leads = groups.argmax(axis=1) == data.sought[:, 1]
            print(f"decoys lead {leads.sum()}, named {(leads & (groups.max(axis=1) > unknown)).sum()} of {len(leads)}")
            continue
        told, removed = data.pairs
        others = groups[removed].sum(axis=1) - groups[told].sum(axis=1) + groups[told, data.sought[told, 0]]
        ranked = [dict(zip(ids, own.tolist(), strict=False)) for ids, own in zip(data.ids, groups, strict=True)]
        answers = zip(data.tasks, ranked, unknown.tolist(), strict=True)
        scored = cases.score(data.tasks, {task.id: {"ranked": own, "unknown": left} for task, own, left in answers})
        figures = [f"{figure} {scored[figure]:.3f}" for figure in ("top1", "top5", "unknown_auroc", "brier", "ece")]
        print(seen, *figures, f"removal {(unknown[removed] - unknown[told] > others).mean():.3f}", flush=True)


if __name__ == "__main__":
    main()
