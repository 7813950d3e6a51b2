"""The benchmark of attribution: folds do not leak, intervals are exact, and `predict` reads only what it gets."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attribution
import attribution_cases as cases
import pytest

from tocsin.attribute.weights import shipped

KB: dict[str, dict[str, Any]] = {
    "G1": {
        "name": "One",
        "aliases": [],
        "techniques": {f"T10{n:02}": [f"A {2018 + n % 3}"] for n in range(20)},
        "software": {"S1001": ["A 2018"]},
    },
    "G2": {
        "name": "Two",
        "aliases": [],
        "techniques": {f"T10{n:02}": ["B 2011"] for n in range(15, 40)},
        "software": {"S1002": ["B 2011"]},
    },
}
SEEN: dict[str, Any] = {
    "techniques": [f"T10{n:02}" for n in range(12)],
    "software": ["S1001"],
    "victim_countries": [],
    "victim_sectors": [],
    "first_seen": "",
    "last_seen": "2019",
}


def test_predict_gives_probabilities_of_the_groups_it_was_given() -> None:
    found = attribution.predict(SEEN, KB)
    assert set(found["ranked"]) == {"G1", "G2"}
    assert sum(found["ranked"].values()) + found["unknown"] == pytest.approx(1, abs=1e-8)
    assert found["ranked"]["G1"] > found["ranked"]["G2"]


def test_an_empty_kb_is_unknown_for_certain() -> None:
    assert attribution.predict(SEEN, {}) == {"ranked": {}, "unknown": 1.0}


def test_techniques_alone_name_nobody() -> None:
    found = attribution.predict({**SEEN, "software": []}, KB)
    assert found["unknown"] > max(found["ranked"].values())


def test_nothing_is_read_but_the_kb() -> None:
    """Group ids of the real world with the knowledge of none: what a shipped table says of them must not show."""
    renamed = {"G0007": KB["G1"], "G0016": KB["G2"]}
    first, second = attribution.predict(SEEN, KB), attribution.predict(SEEN, renamed)
    assert first["unknown"] == second["unknown"]
    assert sorted(first["ranked"].values()) == sorted(second["ranked"].values())


@pytest.mark.parametrize(
    ("wrong", "of", "lower", "upper"),
    # from the table of Clopper and Pearson's intervals in any book: exact to three digits
    [(0, 20, 0.0, 0.1684), (1, 20, 0.0013, 0.2487), (10, 20, 0.2720, 0.7280), (20, 20, 0.8316, 1.0)],
)
def test_intervals_are_exact(wrong: int, of: int, lower: float, upper: float) -> None:
    assert cases.bounds(wrong, of) == pytest.approx((lower, upper), abs=5e-4)


def _case(name: str, answer: Sequence[str], sources: Sequence[str]) -> dict[str, Any]:
    return {"id": name, "answer": list(answer), "sources": list(sources)}


def test_no_group_and_no_source_is_in_two_folds() -> None:
    made = [_case(f"R{n}", [f"G{n % 17}"], [f"s{n % 23}", f"t{n}"]) for n in range(60)]
    made += [_case("C1", [], ["alone"])]
    dealt = cases.folds(made)
    for one, other in itertools.combinations(made, 2):
        if set(one["answer"]) & set(other["answer"]) or set(one["sources"]) & set(other["sources"]):
            assert dealt[one["id"]] == dealt[other["id"]]


def test_the_cases_dev_are_dealt_so_too(shared: Path) -> None:
    if not cases.CORPUS.is_dir():
        pytest.skip("the attribution benchmark is not here")
    read = cases.Cases()
    groups: dict[str, set[int]] = {}
    for name, case in read.cases.items():
        for key in (*(case["answer"] or ()), *case["sources"]):
            groups.setdefault(key, set()).add(read.folds[name])
    assert all(len(found) == 1 for found in groups.values())
    assert len(set(read.folds.values())) == cases.FOLDS


def test_every_fold_has_weights_of_its_own_and_the_rule_of_all() -> None:
    folds = attribution.fold_weights()
    assert sorted(folds) == list(range(cases.FOLDS))
    assert len({one.groups for one in folds.values()}) == cases.FOLDS
    assert {one.rule for one in folds.values()} == {shipped().rule}


def test_a_sample_of_the_benchmark_comes_out_as_promised(shared: Path) -> None:
    """A fifth of the cases, out of fold, with room for chance: that the model works, not how well."""
    if not cases.CORPUS.is_dir():
        pytest.skip("the attribution benchmark is not here")
    read, folds = cases.Cases(), attribution.fold_weights()
    tasks = [task for task in read.tasks("report") if int(task.case[1:]) % 5 == 0]
    judged = attribution.judged_all(tasks, lambda task: folds[task.fold])
    found = attribution.figures(read, tasks, judged)
    assert found["top1"] >= 0.6
    assert found["unknown_auroc"] >= 0.7
    assert found["product"]["wrong"] <= 2
    assert attribution.removed(tasks, judged)["share"] >= 0.5


ALONE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import attribution
seen, kb = json.loads(sys.stdin.read())
first = attribution.predict(seen, kb)  # once, so that what Python itself reads for its modules is read
opened = []
sys.addaudithook(lambda name, given: opened.append((name, given)) if name in ("open", "socket.connect") else None)
again = attribution.predict(seen, kb)
shipped = [one for one in sys.modules if one.startswith("tocsin.learn") or one == "tocsin.attribution"]
print(json.dumps([first == again, [str(one) for one in opened], shipped]))
"""


def test_predict_opens_no_file_and_knows_no_table() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps([one for one in sys.path if one])],
        input=json.dumps([SEEN, KB]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout) == [True, [], []]
