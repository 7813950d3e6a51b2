"""A kill at any moment, and whoever comes next: the same end, and nothing half done in silence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from containing.making import OWN, PEOPLE, allow, case, planned, talking
from containing.nets import Net
from tocsin import cases, enforce, watched
from tocsin.act import journal
from tocsin.act import run as world
from tocsin.errors import ActError, BusyError
from tocsin.model.action import Place, Step
from tocsin.seal import durable

KNOWN = tuple(PEOPLE.values())
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


class Killed(BaseException):
    pass


@contextmanager
def _killed_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """End at the n-th moment: before, within or after a line of the journal, before or after a step."""
    passed = [0]

    def here(before: Callable[[], None] = lambda: None) -> None:
        passed[0] += 1
        if passed[0] == moment:
            before()
            raise Killed

    write, do = durable.write_all, world.run

    def write_all(number: int, content: bytes) -> None:
        journals = Path(f"/proc/self/fd/{number}").readlink().name == journal.LOG
        if journals:
            here()
            here(lambda: write(number, content[: len(content) // 2]))
        write(number, content)
        if journals:
            here()

    def run(step: Step) -> world.Done:
        here()
        done = do(step)
        here()
        return done

    with monkeypatch.context() as patched:
        patched.setattr(durable, "write_all", write_all)
        patched.setattr(world, "run", run)
        yield passed


def _places(folder: Path, net: Net | None) -> list[Place]:
    zone = Place(enforcer="unbound", zone_file=str(folder / "zone"), control=("true",))
    return [*([Place(enforcer="nftables", run=net.within("router"))] if net else []), zone]


def _names(folder: Path) -> list[str]:
    """What the zone holds, without its serial."""
    return [line for line in (folder / "zone").read_text().splitlines() if "SOA" not in line]


def _every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: Net | None, look: Callable[[], object], *, stride: int = 1
) -> None:
    places = _places(tmp_path, net)
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)

    def apply() -> None:
        enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")

    def undo() -> None:
        enforce.undo(folder, places, "Ben")

    apply()
    whole = look()
    undo()
    nothing = look()
    assert whole != nothing
    for do, other, end in ((apply, undo, whole), (undo, apply, nothing)):
        moment, moments = 0, 1
        while moment < moments:
            moment += stride
            if look() == end:
                other()
            with _killed_at(moment, monkeypatch) as passed:
                try:
                    do()
                except Killed:
                    pass
                else:
                    break
            moments = max(moments, passed[0] + 1)
            do()
            assert look() == end, f"killed at {moment}"
            assert journal.read(enforce.enforced(folder)).pending is None
            other()
            if net:
                assert look() == (nothing if end == whole else whole)
        assert moment > 10  # that many there are


def test_a_kill_at_every_moment_resumes_to_the_same_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _every_moment(tmp_path, monkeypatch, None, lambda: _names(tmp_path))


def test_and_so_it_does_in_a_real_ruleset(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> tuple[list[str], bool]:
        return _names(tmp_path), "203.0.113.9" in net.ruleset("router")

    # Each of them wants a minute or two; the soak takes all, else every fourth is.
    _every_moment(tmp_path, monkeypatch, net, look, stride=1 if SOAK else 4)


def test_what_was_left_half_done_can_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = _places(tmp_path, None)
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    with _killed_at(9, monkeypatch), pytest.raises(Killed):
        enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    assert journal.read(enforce.enforced(folder)).pending is not None
    assert enforce.undo(folder, places, "Ben") == ()
    assert not [line for line in _names(tmp_path) if "evil" in line]
    assert journal.read(enforce.enforced(folder)).pending is None


def test_somebody_elses_half_done_go_is_finished_and_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = _places(tmp_path, None)
    one, other = case(tmp_path / "cases", talking("inc1")), case(tmp_path / "cases", talking("inc2"))
    plans = [planned(one), planned(other)]
    for folder, kept in zip((one, other), plans, strict=True):
        allow(folder, kept)
    with _killed_at(9, monkeypatch), pytest.raises(Killed):
        enforce.apply(one, plans[0], places, OWN, KNOWN, "Ben")
    told: list[str] = []
    enforce.apply(other, plans[1], places, OWN, KNOWN, "Chen", told=told.append)
    assert "left half done" in told[0]
    assert [block.cases for block in enforce.standing_of(one)[0]["unbound"]] == [("inc1", "inc2")]


def test_a_block_goes_with_the_last_case_also_where_cases_became_one(tmp_path: Path) -> None:
    places = _places(tmp_path, None)
    one, other = case(tmp_path / "cases", talking("inc1")), case(tmp_path / "cases", talking("inc2"))
    for folder in (one, other):
        kept = planned(folder)
        allow(folder, kept)
        enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    cases.merge(one, other, by="Ben", reason="They are one.")
    assert enforce.undo(one, places, "Ben") == ()
    assert not [line for line in _names(tmp_path) if "evil" in line]


def test_a_revoked_indicator_only_proposes(tmp_path: Path) -> None:
    places = _places(tmp_path, None)
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    feed = tmp_path / "feed.json"
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-02T00:00:00.000Z",
        "name": "a name",
        "pattern": "[domain-name:value = 'updates.evil.example']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        "revoked": True,
    }
    feed.write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": [indicator]}))
    (told,) = watched.proposals(folder, [str(feed)])
    assert "updates.evil.example" in told
    assert "proposed" in told
    ended = indicator | {"revoked": False, "valid_until": "2026-02-01T00:00:00Z"}
    other = indicator | {"id": indicator["id"].replace("8e2e", "9e2e"), "revoked": False}
    for objects, wanted in (
        ([ended], "has ended; lifting it is proposed"),
        ([indicator, other], "still calls it bad"),
        ([other], ""),
    ):
        feed.write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}))
        found = watched.proposals(folder, [str(feed)])
        assert (wanted in found[0] and len(found) == 1) if wanted else not found
    assert [line for line in _names(tmp_path) if "evil" in line]


def test_one_acts_at_a_time(tmp_path: Path) -> None:
    with journal.acting(tmp_path / "x"), pytest.raises(BusyError), journal.acting(tmp_path / "x"):
        pass


def test_a_journal_that_was_changed_is_not_acted_on(tmp_path: Path) -> None:
    places = _places(tmp_path, None)
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    log = enforce.enforced(folder) / journal.LOG
    log.write_bytes(log.read_bytes().replace(b'"by":"Ben"', b'"by":"Bob"', 1))
    with pytest.raises(ActError, match=r"changed|digest"):
        enforce.undo(folder, places, "Ben")
    (kept_file,) = list((enforce.enforced(folder) / journal.KEPT).iterdir())
    kept_file.write_bytes(b"{}")
    with pytest.raises(ActError):
        enforce.standing_of(folder)


def test_what_has_run_out_is_lifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = _places(tmp_path, None)
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    root = tmp_path / "cases"
    assert enforce.expire(root, places, "timer") == 0
    later = enforce.now_us() + 15 * 86_400_000_000
    monkeypatch.setattr(enforce, "now_us", lambda: later)
    assert enforce.expire(root, places, "timer") == 1
    assert not [line for line in _names(tmp_path) if "evil" in line]
