"""Writers, readers, deletions and restarts at random over two workers: nothing is lost, nothing comes twice.

What each reader is shown is compared with the release of the whole collection, decided at once by `share.decide`: the
server decides only what is new and what hangs on it.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from allies import FIVE, US, Ally, ally, indicator, named, opened, relationship, written
from tocsin.border.agreement import read_agreement
from tocsin.border.stix_valid import time_us
from tocsin.share import Hidden, decide, journal
from tocsin.share.taxii import store

THEM = named("identity", 7)
TLPS = st.sampled_from(["clear", "green", "amber", "red"])
VERSIONS = st.sampled_from([f"2026-03-0{day}T00:00:00.000Z" for day in (1, 2, 3)])
INDICATORS = st.builds(
    lambda number, tlp, version, by, word: indicator(number, tlp=tlp, modified=version, by=by, name=word),
    st.integers(0, 5),
    TLPS,
    VERSIONS,
    st.sampled_from([US, THEM]),
    st.sampled_from(["a", "b"]),
)
RELATIONS = st.builds(
    lambda number, one, other, tlp: relationship(number, named("indicator", one), named("indicator", other), tlp=tlp),
    st.integers(0, 3),
    st.integers(0, 5),
    st.integers(0, 5),
    TLPS,
)
OBSERVED = st.builds(
    lambda number, what, tlp: {
        "type": "report",
        "spec_version": "2.1",
        "id": named("report", number),
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "created_by_ref": US,
        "object_marking_refs": indicator(0, tlp=tlp)["object_marking_refs"],
        "name": "of",
        "published": "2026-03-01T00:00:00Z",
        "object_refs": [named("domain-name", what), named("indicator", what)],
    },
    st.integers(0, 2),
    st.integers(0, 2),
    TLPS,
)
DOMAINS = st.builds(
    lambda number, tlp: {
        "type": "domain-name",
        "spec_version": "2.1",
        "id": named("domain-name", number),
        "value": f"d{number}.example",
        "object_marking_refs": indicator(0, tlp=tlp)["object_marking_refs"],
    },
    st.integers(0, 2),
    TLPS,
)
OBJECTS = st.lists(INDICATORS | RELATIONS | DOMAINS | OBSERVED, min_size=1, max_size=6)


class Machine(RuleBasedStateMachine):
    fresh: Callable[[], str]

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        written(self.folder)
        self.url = self.fresh()
        self.workers = [opened(self.folder, self.url) for _ in range(2)]
        self.allies = {
            (name, at): ally(place, name) for at, place in enumerate(self.workers) for name in ("siem", "au")
        }
        self.read: dict[str, list[Any]] = {"siem": [], "au": []}
        self.led: dict[str, str] = {}
        self.clock = itertools.repeat(10**15)  # it never moves: all is in one microsecond
        store.now_us = lambda: next(self.clock)

    @rule(objects=OBJECTS, at=st.integers(0, 1), who=st.sampled_from(["siem", "au"]))
    def post(self, objects: list[Any], at: int, who: str) -> None:
        if who == "au":
            objects = [one | {"created_by_ref": THEM} for one in objects if one["type"] != "domain-name"]
        told = self.allies[who, at].post(*objects)
        assert told["total_count"] == told["success_count"] + told["failure_count"] == len(objects)

    @rule(left=OBJECTS, right=OBJECTS)
    def post_at_once(self, left: list[Any], right: list[Any]) -> None:
        threads = [
            threading.Thread(target=self.allies["siem", at].post, args=objects)
            for at, objects in enumerate((left, right))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @rule(who=st.sampled_from(["siem", "au"]), at=st.integers(0, 1), limit=st.integers(1, 4), again=st.booleans())
    def read_on(self, who: str, at: int, limit: int, again: bool) -> None:
        path = f"/allies/collections/{FIVE}/objects/?limit={limit}&match[version]=all"
        led = f"&next={self.led[who]}" if who in self.led else ""
        page = self.allies[who, at].get(path + led)
        if again:
            assert self.allies[who, 1 - at].get(path + led).content == page.content
        if "next" in page.json():
            self.led[who] = page.json()["next"]
            self.read[who] += page.json()["objects"]

    @rule(number=st.integers(0, 5), at=st.integers(0, 1), word=st.sampled_from(["all", "last", "first"]))
    def delete(self, number: int, at: int, word: str) -> None:
        path = f"/allies/collections/{FIVE}/objects/{named('indicator', number)}/"
        there = self.allies["siem", at].get(path).status_code
        assert self.allies["siem", at].ask("DELETE", f"{path}?match[version]={word}").status_code == there

    @rule(at=st.integers(0, 1))
    def restart(self, at: int) -> None:
        self.workers[at].engine.dispose()
        self.workers[at] = opened(self.folder, self.url)
        for name in ("siem", "au"):
            self.allies[name, at] = ally(self.workers[at], name)

    @invariant()
    def all_are_shown_what_they_may_have(self) -> None:
        with store.reading(self.workers[0].engine) as connection:
            stored = connection.exec_driver_sql(
                "SELECT poster, object_id, version_us, content FROM objects WHERE gone_us IS NULL ORDER BY seq"
            ).all()
        bodies = [(poster, named, version, orjson.loads(bytes(content))) for poster, named, version, content in stored]
        for who, expected in (("siem", _all(bodies)), ("au", self._released(bodies))):
            assert _by_text(self.allies[who, 0].every()) == _by_text(expected)
            last = {}
            for one in self.allies[who, 1].every(asked=""):
                assert last.setdefault(one["id"], one) is one
            assert last.keys() == {one["id"] for one in expected}

    @invariant()
    def what_was_read_piece_by_piece_is_all_there_is(self) -> None:
        for who, begun in self.read.items():
            led = f"match[version]=all&next={self.led[who]}" if who in self.led else "match[version]=all"
            rest = self.allies[who, 0].every(asked=led)
            there = _by_text(self.allies[who, 0].every())
            assert there <= _by_text(begun + rest)
            assert len(_texts(rest)) == len(_by_text(rest))

    def _released(self, bodies: list[tuple[str, str, int, dict[str, Any]]]) -> list[Any]:
        peer, _ = read_agreement(self.folder / "au.toml")
        key = journal.key_for(self.folder, "au")
        every = [body for _, _, _, body in bodies]
        release = decide(every, peer, Hidden((), key), key=key, own={US}, today="2026-01-01")
        going = iter(release.objects)
        told_of = [None if one.outcome == "withheld" else next(going) for one in release.verdicts]
        spoken = {
            ref
            for (poster, *_), one in zip(bodies, told_of, strict=True)
            if one and poster != "au"
            for ref in one.get("object_refs", [])
        }
        found: dict[tuple[str, int], Any] = {}
        for (poster, told, version, body), one in zip(bodies, told_of, strict=True):
            if one and one["type"] == "domain-name" and one["id"] not in spoken:
                one = None
            shown = body if poster == "au" else one
            if shown is not None:
                found.setdefault((told if poster == "au" else str(shown["id"]), version), shown)
        return list(found.values())

    def teardown(self) -> None:
        for one in self.workers:
            one.engine.dispose()
        shutil.rmtree(self.folder)


def _all(bodies: list[tuple[str, str, int, dict[str, Any]]]) -> list[Any]:
    found: dict[tuple[str, int], Any] = {}
    for _, told, version, body in bodies:
        found.setdefault((told, version), body)
    return list(found.values())


def _texts(objects: list[Any]) -> list[bytes]:
    return [orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in objects]


def _by_text(objects: list[Any]) -> set[bytes]:
    return set(_texts(objects))


@pytest.mark.timeout(1200)  # half a minute where nothing else runs
def test_nothing_is_lost_and_nothing_comes_twice(fresh: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "now_us", store.now_us)  # the machine stops the clock; this sets it going again
    machine = type("Machine_", (Machine,), {"fresh": staticmethod(fresh)})
    # Without making a failing example small: each takes a second, and what it printed is small enough to read.
    few = settings(
        max_examples=12, stateful_step_count=15, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=few)


def test_a_reader_never_passes_a_place_that_is_filled_later(fresh: Callable[[], str], tmp_path: Path) -> None:
    """Four writers on two workers, and a reader that follows them as they write."""
    written(tmp_path)
    url = fresh()
    workers = [opened(tmp_path, url) for _ in range(2)]
    writers = [ally(workers[at % 2], "siem") for at in range(4)]

    def write(at: int) -> None:
        for number in range(12):
            writers[at].post(indicator(at * 1000 + number * 2), indicator(at * 1000 + number * 2 + 1))

    threads = [threading.Thread(target=write, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    reader: Ally = ally(workers[0], "siem")
    seen: list[str] = []
    last = "1970-01-01T00:00:00Z"
    finished = False
    while not finished:
        finished = not any(thread.is_alive() for thread in threads)
        while True:
            page = reader.get(f"/allies/collections/{FIVE}/objects/?limit=7&added_after={last}")
            seen += [one["id"] for one in page.json().get("objects", [])]
            last = page.headers.get("x-taxii-date-added-last", last)
            if not page.json().get("more"):
                break
    expected = [named("indicator", at * 1000 + number) for at in range(4) for number in range(24)]
    assert sorted(seen) == sorted(expected)
    for one in workers:
        one.engine.dispose()


def test_versions_are_times(fresh: Callable[[], str], tmp_path: Path) -> None:
    found = opened(tmp_path, fresh())
    siem = ally(found, "siem")
    fine = indicator(1, modified="2026-03-01T00:00:00.123456Z")
    siem.post(fine)
    exact = "match[version]=2026-03-01T00:00:00.123456Z"
    assert siem.every(asked=exact) == [fine]
    assert time_us(
        siem.get(f"/allies/collections/{FIVE}/objects/{fine['id']}/versions/").json()["versions"][0]
    ) == time_us(fine["modified"])
    found.engine.dispose()
