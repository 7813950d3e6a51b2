"""Every regression case of SigmaHQ fires its rule, from its EVTX and from its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import SHARED
from corpus.pack import Pack
from tocsin import collect

CASES = SHARED / "corpus" / "sigma-regression"

# Case -> (events its rule fires on, why these and not as many as the case says).
OTHER_COUNTS = {
    "file_event_win_cred_dump_tools_dropped_files": (
        3,
        (
            "the case says 1, but its log has three files written whose names the rule lists as endings: "
            "procdump64.exe, procdump64a.exe and procdump.exe (and three Zone.Identifier streams, which end otherwise)"
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`events`: on how many the rule fires; None where the case does not say."""

    name: str
    log: Path
    rules: frozenset[str]
    events: int | None


def cases() -> Iterator[Case]:
    for info in sorted(CASES.rglob("info.yml")):
        told = yaml.CSafeLoader(info.read_text("utf-8")).get_single_data()
        [test] = told.get("regression_tests_info") or [{}]
        for log in sorted(info.parent.iterdir()):
            if log != info:
                yield Case(
                    name=info.parent.name,
                    log=log,
                    rules=frozenset(rule["id"] for rule in told["rule_metadata"]),
                    events=test.get("match_count"),
                )


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.name}{case.log.suffix}")
def test_case(case: Case, pack: Pack) -> None:
    found: set[tuple[int, int]] = set()
    for number, events in enumerate(collect.read(case.log, pack.projection)):
        for place, rows in pack.detector.scan(events).rows:
            if pack.detector.rules.rules[pack.detector.rules.variants[place].rule].id in case.rules:
                found.update((number, row) for row in rows.tolist())
    wanted = OTHER_COUNTS[case.name][0] if case.name in OTHER_COUNTS else case.events
    assert found, "the rule does not fire"
    assert wanted is None or len(found) == wanted


def test_the_corpus_is_all_there(shared: Path) -> None:
    """So that a corpus that cannot be listed does not pass for one without failures."""
    names = {case.name for case in cases()}
    assert len(names) > 90
    assert names >= OTHER_COUNTS.keys()
    assert {case.events for case in cases() if case.name in OTHER_COUNTS}.isdisjoint(
        count for count, _ in OTHER_COUNTS.values()
    )
