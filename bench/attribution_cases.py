"""The attribution benchmark's cases in, observations, knowledge bases and folds out.

Report cases are judged out of fold: folds are made of groups, so that no group is in two, joined where reports share a
source. `strict` knowledge bases also lack the case's own sources where a link has others besides: the benchmark leaves
their names beside such links, so that the true group's links that the case shares have two sources each, and a system
that counts sources could learn that.
"""

from __future__ import annotations

import importlib.util
import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "attribution"

FOLDS = 10
SEED = 20261128


def benchmark(folder: Path = CORPUS) -> Any:
    """The benchmark's own module, which makes the tasks and gives the scores."""
    spec = importlib.util.spec_from_file_location("attribution_benchmark", folder / "bench.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder / "bench.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question of the benchmark, with what a system may see (`observation`, `kb`) and its key."""

    id: str
    case: str
    fold: int
    observation: Mapping[str, Any]
    kb: Mapping[str, Mapping[str, Any]]
    pair: tuple[Mapping[str, Any], Mapping[str, Any]]

    @property
    def answer(self) -> Sequence[str]:
        answer: Sequence[str] = self.pair[1]["answer"]
        return answer


class Cases:
    """Reads once, makes tasks as often as asked."""

    def __init__(self, which: str = "dev") -> None:
        self.bench = benchmark()
        self.which = which
        self.now = self.bench.read("profiles.json")["groups"]
        self.prior = self.bench.read("profiles_prior.json")
        self.software = self.bench.read("profiles.json")["software"]
        self.cases = {case["id"]: case for case in self.bench.cases_of(which)}
        self.folds = folds(list(self.cases.values()))

    def tasks(self, kind: str, *, kb: str = "sd", seen: str = "full", strict: bool = False) -> Iterator[Task]:
        for asked, key in self.bench.tasks(self.which, kb, seen, [kind]):
            case = asked["task"].rstrip("!")
            filtered = self.bench.filtered(asked, self.now, self.prior)
            if strict:
                filtered = without_sources(filtered, self.cases[case]["sources"])
            yield Task(
                id=asked["task"],
                case=case,
                fold=self.folds[case],
                observation={name: asked[name] for name in self.bench.OBS},
                kb=filtered,
                pair=(asked, key),
            )

    def score(self, tasks: Sequence[Task], predictions: Mapping[str, Any]) -> dict[str, Any]:
        scored: dict[str, Any] = self.bench.score([task.pair for task in tasks], predictions)
        return scored


def folds(cases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """A fold for each case: those of one group, or with one source, are together."""
    joined: dict[str, str] = {}

    def root(name: str) -> str:
        while joined.setdefault(name, name) != name:
            name = joined[name]
        return name

    for case in cases:
        for other in (*(f"group {one}" for one in case["answer"] or ()), *(f"source {one}" for one in case["sources"])):
            joined[root(other)] = root(case["id"])
    parts: dict[str, list[str]] = {}
    for case in cases:
        parts.setdefault(root(case["id"]), []).append(case["id"])
    dealt = sorted(parts.values())
    random.Random(SEED).shuffle(dealt)
    sizes = [0] * FOLDS
    found = {}
    for part in sorted(dealt, key=len, reverse=True):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(part)
        found.update(dict.fromkeys(part, fold))
    return found


def without_sources(kb: Mapping[str, Mapping[str, Any]], sources: Sequence[str]) -> dict[str, dict[str, Any]]:
    mine = set(sources)
    return {
        group: {
            **known,
            **{
                part: {name: [one for one in told if one not in mine] for name, told in known[part].items()}
                for part in ("techniques", "software")
            },
        }
        for group, known in kb.items()
    }


def bounds(wrong: int, of: int) -> tuple[float, float]:
    """The exact 95 % interval of a proportion (Clopper and Pearson, Biometrika 26, 1934), by bisection."""

    def at_most(count: int, chance: float) -> float:
        return sum(math.comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(count + 1))

    def solve(is_below: Callable[[float], bool]) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if is_below(middle) else (low, middle)
        return low

    lower = solve(lambda chance: 1 - at_most(wrong - 1, chance) < 0.025) if wrong else 0.0
    upper = solve(lambda chance: at_most(wrong, chance) > 0.025) if wrong < of else 1.0
    return lower, upper
