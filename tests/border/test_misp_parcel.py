"""Events of others in our nouns: what they say, who says it, and what is kept because nothing here is for it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allies import indicator, named
from tocsin.border import misp_parcel, parcels
from tocsin.border.misp_event import event, written
from tocsin.model.parcel import Parcel

ONE, TWO = "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0062"
GROUP = 'misp-galaxy:threat-actor="A Panda"'
PATTERN = 'misp-galaxy:mitre-attack-pattern="LSASS Memory - T1003.001"'


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"uuid": ONE, "type": kind, "value": value, "to_ids": False, **more}


def told(*attributes: Any, **more: Any) -> dict[str, Any]:
    about = {"uuid": TWO, "info": "Something", "Orgc": {"name": "A CERT"}}
    return {"Event": about | {"Attribute": list(attributes)} | more}


def read(content: Any) -> Parcel:
    return misp_parcel.read(json.dumps(content).encode(), "e.json")


def full() -> dict[str, Any]:
    sightings = [
        {"uuid": ONE, "type": "0", "date_sighting": "1772323200", "source": "siem"},
        {"uuid": TWO, "type": "0", "date_sighting": 1772323300},
        {"uuid": ONE, "type": "1", "date_sighting": "1772323300", "source": "Ana"},
    ]
    course = {"object_relation": "name", "type": "text", "value": "Turn it off", "uuid": ONE}
    process = {"object_relation": "command-line", "type": "text", "value": "x.exe", "uuid": ONE}
    return told(
        attribute("ip-dst", "198.51.100.7", to_ids=True, Sighting=sightings, Tag=[{"name": PATTERN}]),
        attribute("domain", "seen.example"),
        attribute("threat-actor", "Another"),
        attribute("campaign-name", "Operation X"),
        attribute("vulnerability", "CVE-2026-0001"),
        attribute("x-odd", "?"),
        attribute("domain", "gone.example", deleted=True),
        Tag=[{"name": GROUP}, {"name": "tlp:green"}, {"name": "PAP:AMBER"}],
        Galaxy=[{"GalaxyCluster": [{"tag_name": 'misp-galaxy:mitre-tool="Mimikatz - S0002"'}]}],
        Object=[
            {"uuid": ONE, "name": "course-of-action", "Attribute": [course]},
            {"uuid": TWO, "name": "process", "Attribute": [process]},
            {"uuid": TWO, "name": "file", "Attribute": [attribute("sha256", "a" * 64)]},
        ],
        EventReport=[{"uuid": ONE, "name": "r", "content": "What happened"}],
        Opinion=[{"uuid": ONE, "object_uuid": TWO, "opinion": 20, "comment": "No", "authors": "Ana"}],
    )


def test_what_an_event_says() -> None:
    found = read(full())
    assert [(one.id, one.title, one.text) for one in found.incidents] == [(TWO, "Something", "What happened")]
    assert {one.id: one.told_by for one in found.groups} == {"misp:A Panda": ("A CERT",), "misp:Another": ("A CERT",)}
    assert [(one.what, one.to, one.by) for one in found.attributed] == [(TWO, "misp:A Panda", "A CERT")]
    assert [one.name for one in found.campaigns] == ["Operation X"]
    assert (found.techniques, found.software, found.vulnerabilities) == (("T1003.001",), ("S0002",), ("CVE-2026-0001",))
    assert [one.name for one in found.courses] == ["Turn it off"]
    assert [one.observables[0].value for one in found.indicators] == ["198.51.100.7"]
    seen, values = found.sightings
    assert (seen.of, seen.count, seen.hosts, seen.last_us) == (ONE, 2, ("siem", "Ana"), 1_772_323_300_000_000)
    assert [one.value for one in values.observables] == ["seen.example", "a" * 64]
    assert [(one.opinion, one.text, one.by) for one in found.opinions] == [
        ("disagree", "told as a false positive", "Ana"),
        ("disagree", "No", "Ana"),
    ]
    assert {one.tlp for one in found.held} == {"green"}
    assert {one.terms for one in found.held} == {("pap:amber",)}


def test_what_is_not_understood_is_kept_and_told() -> None:
    found = read(full())
    assert [(one.kind, one.because) for one in found.not_understood] == [
        ("attribute x-odd", "there is no noun here for a value of type x-odd"),
        ("attribute domain", "it was deleted"),
        ("object process", "there is no noun here for what an object 'process' says"),
    ]
    assert json.loads(found.not_understood[0].content) == attribute("x-odd", "?")


def test_what_is_kept_is_marked_as_its_strictest_part() -> None:
    """Its bytes hold the part. A part without a marking has that of the event, whatever stands beside it."""
    red = attribute("domain", "a.example", Tag=[{"name": "tlp:red"}, {"name": "PAP:RED"}])
    parts = [attribute("sha256", "a" * 64, Tag=[{"name": "tlp:clear"}]), attribute("filename", "x.exe")]
    found = read(told(red, Tag=[{"name": "tlp:green"}], Object=[{"uuid": TWO, "name": "file", "Attribute": parts}]))
    assert [(one.kind, one.tlp, one.terms) for one in found.held] == [
        ("event", "red", ("pap:red",)),
        ("attribute domain", "red", ("pap:red",)),
        ("object file", "green", ()),
    ]


def test_a_key_that_is_there_twice_is_told() -> None:
    content = json.dumps(told(attribute("domain", "a.example"))).replace('"type"', '"type": "url", "type"').encode()
    [one] = misp_parcel.read(content, "e").not_understood
    assert "twice" in one.because


def test_what_we_write_as_an_event_is_read() -> None:
    group = {"type": "intrusion-set", "id": named("intrusion-set", 1), "name": "A group"}
    group["external_references"] = [{"source_name": "mitre-attack", "external_id": "G0065"}]  # type: ignore[assignment]
    opinion = {"type": "opinion", "id": named("opinion", 2), "opinion": "disagree", "object_refs": [group["id"]]}
    seen = {"type": "sighting", "id": named("sighting", 3), "sighting_of_ref": indicator(1)["id"]}
    seen["last_seen"] = "2026-03-01T00:00:00.000Z"
    found = misp_parcel.read(written(event([indicator(1), group, opinion, seen])[0]).encode(), "e")
    assert [(one.id, one.name) for one in found.groups] == [("G0065", "A group")]
    assert [one.opinion for one in found.opinions] == ["disagree"]
    assert [(one.of, one.last_us) for one in found.sightings] == [(found.indicators[0].id, 1_772_323_200_000_000)]


def test_who_they_say_it_was_is_no_trait() -> None:
    found = parcels.observation(read(full()), "theirs")
    assert [(one.kind, one.value) for one in found.traits] == [
        ("technique", "T1003.001"),
        ("software", "S0002"),
        ("vulnerability", "CVE-2026-0001"),
        ("infrastructure", "address:198.51.100.7"),
    ]
    assert (found.first_seen, found.last_seen) == ("2026-03-01", "2026-03-01")


@pytest.mark.parametrize("content", [b"{", b'{"Event": 5}', b"[" * 100_000, b"\xff"])
def test_what_is_no_event_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a MISP event"):
        misp_parcel.read(content, "x")


def test_many_tags_over_many_attributes_take_no_more_than_both() -> None:
    clusters = [{"tag_name": f'misp-galaxy:threat-actor="{number}"'} for number in range(3_000)]
    many = told(*[attribute("domain", f"a{number}.example") for number in range(3_000)])
    many["Event"]["Galaxy"] = [{"GalaxyCluster": clusters}]
    began = time.process_time()
    found = read(many)
    assert time.process_time() - began < 5  # 17 s for 3,400 tags over 4,000 when each looked through all
    assert (len(found.groups), len(found.attributed), len(found.held)) == (3_000, 3_000, 3_001)


@pytest.mark.parametrize(
    "inside",
    [
        b'{"type": "domain", "to_ids": true, "value": ' + b"9" * 100_000 + b"}",
        b'{"type": "stix2-pattern", "to_ids": true, "value": "' + b"[" * 30_000 + b'"}',
        b'{"type": "domain", "value": "a.example", "value": "b.example"}',
        b'{"type": "domain", "value": NaN}',
    ],
)
def test_bombs_are_kept_or_refused(inside: bytes) -> None:
    content = b'{"Event": {"uuid": "' + ONE.encode() + b'", "Attribute": [' + inside + b"]}}"
    with suppress(ValueError):
        found = misp_parcel.read(content, "x")
        assert len(found.held) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(10**400),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)


def _places(one: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
    return [found for key, inside in pairs for found in [(*way, key), *_places(inside, (*way, key))]]


PLACES = _places(full())


@given(st.sampled_from(PLACES), JSON)
def test_any_value_at_any_place_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    whole = inside = full()
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    with suppress(ValueError):  # which is how it is refused; anything else would be a fault
        parcels.observation(read(whole), "x")
