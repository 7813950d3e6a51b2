"""What an id of one release of ATT&CK is in another."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.attack import (
    Entry,
    Facts,
    Release,
    Translation,
    ends,
    is_live,
    resolve,
    telltales,
    translate,
)


def release(name: str, *entries: Entry) -> Release:
    return Release(name=name, entries={one.id: one for one in entries})


def technique(number: str, of: str | int = "", **more: Any) -> Entry:
    """A technique; `of` is what it is known by from release to release."""
    kind = more.pop("kind", "technique")
    name = more.pop("name", f"Name of {number}")
    return Entry(kind=kind, id=number, uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, str(of or number))), name=name, **more)


def revoked(number: str, *became: str, of: str = "") -> Entry:
    return technique(number, of, state="revoked", became=became)


def became(name: str, source: Release, target: Release) -> tuple[tuple[str, ...], str, str]:
    found = translate(name, source, target)
    assert found.id == name
    return found.to, found.grounds, found.within


OLD = release(
    "18.1",
    technique("T1000"),
    technique("T1001", name="Old Name"),
    technique("T1002"),
    technique("T1002.001"),
    technique("T1002.002"),
    technique("T1003"),
    technique("T1004", name="Only By Name", of="a"),
    technique("T1005", state="deprecated"),
    technique("T1006"),
    technique("T1007"),
    revoked("T1008", "T1000"),
    technique("T1009"),
    technique("T1010"),
    technique("C0001", kind="campaign"),
    technique("S0001", kind="malware", name="Tool Of Old", of="b"),
)
NEW = release(
    "19",
    technique("T1000"),
    technique("T1001", name="New Name"),
    revoked("T1002", "T1100"),
    revoked("T1002.001", "T1100"),
    revoked("T1002.002", "T1101"),
    revoked("T1003", "T1102"),
    revoked("T1102", "T1103"),  # in two steps
    technique("T1103"),
    technique("T1100"),
    technique("T1101"),
    technique("T1104", name="only by name", of="c"),
    technique("T1005", state="deprecated"),
    revoked("T1006", "T1105"),
    revoked("T1105", "T1006"),  # in a circle
    revoked("T1007", "T1000"),  # merged into what was there before
    revoked("T1008", "T1000"),
    revoked("T1009", "T9998"),  # which is not there
    technique("T1000.001"),
    technique("T1106"),
    technique("S0002", kind="tool", name="Tool of old", of="d"),
)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("T1000", (("T1000",), "same object", "T1000")),
        ("T1001", (("T1001",), "same object", "T1001")),
        ("T1002", (("T1100",), "revoked-by", "T1100")),
        ("T1003", (("T1103",), "revoked-by", "T1103")),
        ("T1004", (("T1104",), "name", "T1104")),
        ("T1005", ((), "deprecated", "")),
        ("T1006", ((), "lost", "")),
        ("T1007", (("T1000",), "revoked-by", "T1000")),
        ("T1008", (("T1000",), "revoked-by", "T1000")),
        ("T1009", ((), "lost", "")),
        ("T1010", ((), "none", "")),
        ("T9999", ((), "unknown", "")),
        ("C0001", ((), "not told", "")),
        ("S0001", ((), "not told", "")),  # malware there is not told of
    ],
)
def test_forward(name: str, wanted: tuple[tuple[str, ...], str, str]) -> None:
    assert became(name, OLD, NEW) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("T1000", (("T1000", "T1007"), "same object", "")),  # what was merged into it may be meant
        ("T1001", (("T1001",), "same object", "T1001")),
        ("T1002", (("T1002",), "same object", "T1002")),
        ("T1100", (("T1002", "T1002.001"), "became it", "T1002")),  # all within one technique
        ("T1101", (("T1002.002",), "became it", "T1002.002")),
        ("T1103", (("T1003",), "became it", "T1003")),
        ("T1104", (("T1004",), "name", "T1004")),
        ("T1000.001", (("T1000", "T1007"), "parent", "")),
        ("T1105", ((), "lost", "")),  # in a circle nothing takes another's place for good
        ("T1106", ((), "none", "")),
    ],
)
def test_backward(name: str, wanted: tuple[tuple[str, ...], str, str]) -> None:
    assert became(name, NEW, OLD) == wanted


def test_only_what_attack_says_of_one_is_certain() -> None:
    certain = {one for one in OLD.entries if translate(one, OLD, NEW).is_certain}
    assert certain == {"T1000", "T1001", "T1002", "T1002.001", "T1002.002", "T1003", "T1007", "T1008"}


def test_a_tactic_that_was_divided() -> None:
    old = release(
        "18",
        technique("TA0005", kind="tactic", name="Defense Evasion"),
        technique("TA0003", kind="tactic", name="Persistence"),
        technique("T1001", tactics=("defense-evasion",)),
        technique("T1002", tactics=("defense-evasion", "persistence")),
        technique("T1003", tactics=("persistence",)),
    )
    new = release(
        "19",
        technique("TA0005", kind="tactic", name="Stealth"),
        technique("TA0112", kind="tactic", name="Defense Impairment"),
        technique("TA0003", kind="tactic", name="Persistence"),
        technique("T1001", tactics=("defense-impairment",)),
        technique("T1002", tactics=("persistence", "stealth")),
        technique("T1003", tactics=("persistence",)),
    )
    assert became("TA0005", old, new) == (("TA0005", "TA0112"), "techniques", "")
    assert became("TA0005", new, old) == (("TA0005",), "same object", "TA0005")
    assert became("TA0112", new, old) == (("TA0005",), "techniques", "TA0005")
    # What else its techniques are under is not what became of it.
    assert became("TA0003", old, new) == (("TA0003",), "same object", "TA0003")
    assert telltales(Facts(releases=(old, new))) == (
        ("19", frozenset({"stealth", "defense-impairment"})),
        ("18", frozenset({"defense-evasion"})),
    )


def test_telltales_of_three_releases_ask_for_the_newest_first() -> None:
    three = [release("1", technique("T1001")), release("2.1", technique("T1002")), release("3", technique("T1003"))]
    assert telltales(Facts(releases=tuple(three))) == (
        ("3", frozenset({"T1003"})),
        ("2", frozenset({"T1002"})),
        ("1", frozenset({"T1001"})),
        ("2", frozenset({"T1002"})),
    )
    assert telltales(Facts(releases=tuple(three[:1]))) == ()


def test_releases_by_name() -> None:
    facts = Facts(releases=(release("18.0"), release("18.1"), release("19")))
    names = {name: facts.release(name) for name in ("18", "18.0", "19", "20", "")}
    assert {name: one.name if one else None for name, one in names.items()} == {
        "18": "18.1",
        "18.0": "18.0",
        "19": "19",
        "20": None,
        "": None,
    }


def test_words_that_people_say() -> None:
    group = technique("G0016", kind="group", name="APT29", aliases=("Cozy Bear",))
    other = technique("G0017", kind="group", name="Other", aliases=("cozy bear",))
    tactic = technique("TA0005", kind="tactic", name="Defense Evasion")
    releases = [release("18", group, tactic), release("19", group, other, replace(tactic, name="Stealth"))]
    assert resolve("g0016", releases) == ("G0016",)
    assert resolve("apt29", releases) == ("G0016",)
    assert resolve("COZY BEAR", releases) == ("G0016", "G0017")
    assert resolve("defense-evasion", releases) == resolve("stealth", releases) == ("TA0005",)
    assert resolve("Cozy", releases) == ()


# ------------------------------------------------------------------------------- against a naive walk

NUMBERS = [f"T10{number:02}{part}" for number in range(6) for part in ("", ".001")]


@st.composite
def _releases(draw: st.DrawFn) -> tuple[Release, Release]:
    """Two releases of few objects: any of them may be there or not, live or not, and become any others."""
    made = []
    for name in ("1", "2"):
        entries = []
        for number in draw(st.sets(st.sampled_from(NUMBERS))):
            state = draw(st.sampled_from(["live", "live", "revoked", "deprecated"]))
            after = tuple(sorted(draw(st.sets(st.sampled_from(NUMBERS), max_size=3)))) if state == "revoked" else ()
            # Some numbers stand for another object in the second release.
            entries.append(
                technique(number, f"{number}{draw(st.sampled_from(['', '', name]))}", state=state, became=after)
            )
        made.append(release(name, *entries))
    return made[0], made[1]


def _naive_ends(entries: dict[str, Entry], start: str, steps: int = 30) -> set[str]:
    """Every live id that some way along `became` leads to."""
    level, found = {start}, set()
    for _ in range(steps):
        level = {after for one in level if one in entries for after in entries[one].became}
        found |= {one for one in level if one in entries and is_live(entries[one])}
        level -= found
    return found - {start}


@given(_releases())
def test_chains_end_in_what_is_live(pair: tuple[Release, Release]) -> None:
    for one in pair:
        for entry in one.entries.values():
            assert set(ends(one.entries, entry)) == _naive_ends(dict(one.entries), entry.id)


@given(_releases())
def test_every_id_has_an_answer(pair: tuple[Release, Release]) -> None:
    for source, target in (pair, pair[::-1], (pair[0], pair[0])):
        for name, entry in source.entries.items():
            found = translate(name, source, target)
            assert all(is_live(target.entries[one]) for one in found.to)
            assert len(set(found.to)) == len(found.to)
            assert bool(found.to) == (
                found.grounds in ("same object", "revoked-by", "became it", "techniques", "name", "parent")
            )
            if found.within:
                assert all(one.partition(".")[0] == found.within or one == found.within for one in found.to)
            twin = target.by_uuid.get(entry.uuid)
            if twin is not None and is_live(twin):
                assert found.to[0] == twin.id
                assert found.grounds == "same object"


@given(_releases())
def test_there_and_back_comes_home(pair: tuple[Release, Release]) -> None:
    """What is live and certainly is one thing there is among what that thing was here."""
    source, target = pair
    for name, entry in source.entries.items():
        there: Translation = translate(name, source, target)
        if is_live(entry) and there.is_certain and there.grounds in ("same object", "revoked-by"):
            back = translate(there.to[0], target, source)
            assert name in back.to
