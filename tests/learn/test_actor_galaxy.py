"""The cluster of threat actors: what is kept of it, and what it must not be able to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learn.attack_files import cluster, uuid_of, write
from tocsin.learn import actor_galaxy, attack_build, attack_table, countries, sectors
from tocsin.model.actor import Actor


def actor(name: str, *synonyms: str, **meta: Any) -> dict[str, Any]:
    return {"uuid": uuid_of(name), "value": name, "description": "NOT KEPT", "meta": {"synonyms": [*synonyms], **meta}}


def only(**meta: Any) -> Actor:
    found, left_out = actor_galaxy.read(cluster("threat-actor", actor("APT0", **meta)))
    assert not left_out
    return found[uuid_of("APT0")]


def test_what_is_told() -> None:
    found, left_out = actor_galaxy.read(
        cluster(
            "threat-actor",
            {
                **actor("APT0", "Zeta", "Alpha", "APT0"),
                "meta": {
                    "synonyms": ["Zeta", "Alpha", "APT0"],
                    "name-attribution": [
                        "Alpha:d0c33595-b684-45ef-91c3-e2f5ce1a8191",
                        "Zeta:00000000-0000-4000-8000-000000000000",
                    ],
                    "origin:Zeta": "Some Vendor",
                    "country": "CN",
                    "cfr-suspected-state-sponsor": "Iran (Islamic Republic of)",
                    "cfr-suspected-victims": ["The Philippines", "Philippines", "Middle East", "Unknown"],
                    "cfr-target-category": ["Government", "Private Sector"],
                    "targeted-sector": ["Government, Administration", "Bank"],
                    "cfr-type-of-incident": ["Espionage", "Sabotage"],
                    "attribution-confidence": "75",
                },
            },
        )
    )
    assert not left_out
    assert found[uuid_of("APT0")] == Actor(
        uuid=uuid_of("APT0"),
        name="APT0",
        names=(("Alpha", ("Microsoft",)), ("Zeta", ("Some Vendor",))),
        countries=("CN",),
        sponsors=("IR",),
        victims=("PH",),
        other_victims=("Middle East",),
        sectors=("finance", "government", "private sector"),
        motives=("espionage", "sabotage"),
        confidence=75,
    )


@pytest.mark.parametrize(
    ("told", "wanted"),
    [("75", 75), (75, 75), ("100000", None), (100000, 100), (True, None), (-1, None), ("", None), (None, None)],
)
def test_confidence(told: object, wanted: int | None) -> None:
    assert only(**{"attribution-confidence": told}).confidence == wanted


@pytest.mark.parametrize("sponsor", ["Unknown", "", None, 5, {"a": 1}, [], [None], ["  "]], ids=json.dumps)
def test_a_sponsor_that_is_none(sponsor: object) -> None:
    assert only(**{"cfr-suspected-state-sponsor": sponsor}).sponsors == ()


def test_what_is_left_out_is_counted() -> None:
    document = cluster(
        "threat-actor", actor("A"), actor("A", "B"), {"value": "C"}, {"uuid": uuid_of("D"), "value": " "}
    )
    found, left_out = actor_galaxy.read(document)
    assert [one.name for one in found.values()] == ["A"]
    assert left_out == {
        "a threat actor that stands there twice": 1,
        "a threat actor without a UUID": 1,
        "a threat actor without a name": 1,
    }


def test_names_have_an_end() -> None:
    found, left_out = actor_galaxy.read(cluster("threat-actor", actor("A", *(f"name {one}" for one in range(600)))))
    assert len(found[uuid_of("A")].names) == actor_galaxy.MOST_NAMES
    assert sum(left_out.values()) == 100


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    *("synonyms", "name-attribution", "country", "cfr-suspected-state-sponsor", "cfr-suspected-victims"),
    *("cfr-target-category", "targeted-sector", "cfr-type-of-incident", "attribution-confidence", "origin:X"),
)


@given(st.dictionaries(st.sampled_from(KEYS), anything), anything, anything)
def test_values_of_any_type(meta: dict[str, Any], name: Any, beside: Any) -> None:
    document = cluster("threat-actor", {"uuid": uuid_of("x"), "value": name, "meta": meta}, beside)
    found, left_out = actor_galaxy.read(document)
    assert len(found) + sum(left_out.values()) >= 1
    for one in found.values():
        assert all(len(code) == 2 for code in (*one.countries, *one.victims))


def test_a_list_in_a_table_and_back(tmp_path: Path) -> None:
    path = write(tmp_path / "threat-actor.json", cluster("threat-actor", actor("b", country="CN"), actor("A", "C")))
    facts = attack_build.build([path]).facts
    assert [one.name for one in facts.actors] == ["A", "b"]
    assert not facts.releases
    content = attack_table.encoded(facts)
    assert b"NOT KEPT" not in content
    assert attack_table.decoded(content, "x", with_links=True) == facts


def test_a_list_takes_the_place_of_another(tmp_path: Path) -> None:
    known, more = (
        attack_build.build([write(tmp_path / f"{name}.json", cluster("threat-actor", actor(name)))]).facts
        for name in "AB"
    )
    assert [one.name for one in attack_build.added(known, more).actors] == ["B"]
    assert attack_build.added(known, attack_build.Facts()).actors == known.actors


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("china", "CN"),
        ("cn", "CN"),
        ("People's Republic of China", "CN"),
        ("Korea (Democratic People's Republic of)", "KP"),
        ("Korea (Republic of)", "KR"),
        ("Viet Nam", "VN"),
        ("Côte d'Ivoire", "CI"),
        ("The Netherlands", "NL"),
        ("Middle East", ""),
        ("", ""),
        ("XX", ""),
    ],
)
def test_countries(name: str, code: str) -> None:
    assert countries.code(name) == code
    assert not code or countries.code(countries.name(code)) == code


@pytest.mark.parametrize(
    ("told", "sector"),
    [
        ("Government, Administration", "government"),
        ("Telecomms", "telecom"),
        ("Civil Society", "ngo"),
        ("High tech", "technology"),
        ("Moon bases", "moon bases"),
    ],
)
def test_sectors(told: str, sector: str) -> None:
    assert sectors.sector(told) == sector
