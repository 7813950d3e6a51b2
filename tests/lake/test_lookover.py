"""What is found in a lake is what is found in the logs that went into it: findings, incidents, and what was taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin import looking, pipeline
from tocsin import respond as story
from tocsin.engine import local
from tocsin.engine.protocol import Done, Message, Work
from tocsin.intake import take_in
from tocsin.lake.parts import DAY_US
from tocsin.lake.store import open_lake
from tocsin.learn import packs
from tocsin.model.rule import RuleSet
from tocsin.rehearse.sample import make
from tocsin.respond import Response


@dataclass(frozen=True)
class Both:
    logs: Path
    lake: Path
    rules: RuleSet


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    home = tmp_path_factory.mktemp("lookover")
    make(home / "sample")
    take_in([home / "sample" / "logs"], home / "lake", jobs=1)
    rules = pipeline.compile_rules(packs.resolve([str(home / "sample" / "rules"), packs.OWN]))
    return Both(logs=home / "sample" / "logs", lake=home / "lake", rules=rules)


def _plain(response: Response) -> dict[str, Any]:
    """What does not depend on the order in which evidence is read."""
    findings = sorted(
        json.dumps([one.rule, one.variant, one.ts_us, one.host, one.src, one.rec, one.path, dict(one.fields)])
        for one in response.run.findings
    )
    incidents = {one.id: msgspec.to_builtins(one) for one in response.incidents}
    return {"findings": findings, "incidents": incidents}


def _respond(both: Both, evidence: Any, **how: Any) -> tuple[dict[str, Any], dict[Any, Any]]:
    with story.respond(evidence, both.rules, jobs=1, **how) as response:
        raws = story.raws(response, response.incidents[:3])
        return _plain(response), {place: (raw.content, raw.size_bytes, raw.missing) for place, raw in raws.items()}


@pytest.fixture(scope="module")
def of_lake(both: Both) -> tuple[dict[str, Any], dict[Any, Any]]:
    return _respond(both, open_lake(both.lake))


def test_a_lake_gives_the_incidents_of_its_logs(both: Both, of_lake: tuple[dict[str, Any], dict[Any, Any]]) -> None:
    of_logs, raw_of_logs = _respond(both, [both.logs])
    told, raw = of_lake
    assert told["findings"] == of_logs["findings"]
    assert len(of_logs["findings"]) > 10
    assert told["incidents"].keys() == of_logs["incidents"].keys()
    for name, one in of_logs["incidents"].items():
        other = told["incidents"][name]
        # Of several records that join two findings equally well, the first that was read is named.
        pairs = [{(join["one"], join["other"]) for join in each["joins"]} for each in (one, other)]
        assert pairs[0] == pairs[1]
        for key in one.keys() - {"joins"}:
            assert other[key] == one[key], key
    assert raw == raw_of_logs


def test_a_window_is_that_of_the_events(both: Both, of_lake: tuple[dict[str, Any], dict[Any, Any]]) -> None:
    every = [(json.loads(one)[2], one) for one in of_lake[0]["findings"]]
    times = sorted(us for us, _ in every if us)
    since, until = times[len(times) // 3], times[2 * len(times) // 3]
    inside = [one for us, one in every if us is None or since <= us < until]
    within, _ = _respond(both, open_lake(both.lake), since_us=since, until_us=until)
    assert 0 < len(inside) < len(every)
    assert [one for one in within["findings"] if one in inside] == inside  # correlations may see less


def test_no_more_is_said_to_have_been_looked_at_than_was(both: Both) -> None:
    with story.respond(open_lake(both.lake), both.rules, jobs=1) as response:
        whole = {(one.kind, one.channel, one.host): one for one in response.run.coverage.seen}
        first = min(one.first_us for one in whole.values() if one.first_us is not None)
    with story.respond([both.logs], both.rules, jobs=1) as response:
        for one in response.run.coverage.seen:
            told = whole[one.kind, one.channel, one.host]
            assert told.records == one.records
            for us, other in ((one.first_us, told.first_us), (one.last_us, told.last_us)):
                assert (us is None) == (other is None)
                assert us is None or other is None or us // DAY_US == other // DAY_US
    hour = 3_600_000_000
    window = {"since_us": first + 11 * hour, "until_us": first + 12 * hour}
    with story.respond(open_lake(both.lake), both.rules, jobs=1, **window) as response:
        for one in response.run.coverage.seen:
            assert one.first_us is None or one.first_us >= window["since_us"]
            assert one.last_us is None or one.last_us < window["until_us"]


class _Twice:
    """An engine that does each task twice, as one does whose worker was thought dead."""

    __name__ = "twice"

    def default_jobs(self) -> int:
        return 1

    def run(self, tasks: Any, work: Work[Any], *, jobs: int) -> Iterator[Message | Done]:
        for _ in local.run(tasks, work, jobs=jobs):
            pass
        yield from local.run(tasks, work, jobs=jobs)


def test_tasks_that_are_done_twice_give_the_same(both: Both, of_lake: tuple[dict[str, Any], dict[Any, Any]]) -> None:
    twice, _ = _respond(both, open_lake(both.lake), engine=_Twice())
    assert twice == of_lake[0]


@given(st.lists(st.integers(0, 40 << 20), max_size=60), st.integers(1, 8))
def test_bundles_are_neighbours_of_some_seconds_and_enough_for_all_workers(sizes: list[int], jobs: int) -> None:
    bundles = looking.bundled(sizes, lambda size: size, jobs)
    assert [one for _, some in bundles for one in some] == sizes
    assert [name for name, _ in bundles] == sorted({name for name, _ in bundles})
    most = min(16 << 20, sum(sizes) // (4 * jobs))
    assert all(len(some) == 1 or sum(some) <= most for _, some in bundles)
