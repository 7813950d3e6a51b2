"""What others told in our nouns: what we write we read again, what we cannot read is kept and told, nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_string

from allies import identity, indicator, named, relationship
from output.incidents import incident
from tocsin.border import stix_nouns, stix_parcel
from tocsin.border.markings import ID_OF, definition
from tocsin.border.stix_incident import bundle
from tocsin.model.attack import NO_FACTS
from tocsin.model.campaign import Campaign
from tocsin.model.cluster import Cluster
from tocsin.model.indicator import Indicator, Observable
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.mitigation import Mitigation
from tocsin.model.parcel import OPINED, Attributed, Opinion, Parcel, Reported, Sighting
from tocsin.model.use import Use

AT_US = 1_772_323_200_000_000
STAMP = {"spec_version": "2.1", "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z"}


def packed(*objects: Any) -> bytes:
    return json.dumps({"type": "bundle", "id": named("bundle", 1), "objects": objects}).encode()


def written(parcel: Parcel) -> bytes:
    return json.dumps(stix_nouns.bundle(parcel, author="us", tlp="amber", at_us=AT_US)).encode()


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip)
NAME = TEXT.filter(bool)
NUMBERS = {"T": st.sampled_from(["T1003", "T1003.001", "T1505.003"]), "S": st.sampled_from(["S0002", "S0020"])}
MANY = {letter: st.lists(some, max_size=2, unique=True).map(sorted) for letter, some in NUMBERS.items()}
SURE = st.none() | st.integers(0, 100)
VALUES = st.sampled_from(
    [
        Observable("address", "198.51.100.7"),
        Observable("address", "2001:db8::7"),
        Observable("domain", "evil.example"),
        Observable("url", "http://evil.example/x"),
        Observable("sha256", "a" * 64),
        Observable("mail", "anna@evil.example"),
        Observable("mutex", "Global\\M"),
        Observable("sid", "s-1-5-21-1-2-3-1105"),
        Observable("account", "corp\\anna"),
        Observable("key", "hkey_local_machine\\software\\evil"),
    ]
)
TIMES = st.tuples(st.integers(AT_US, AT_US + 10**12), st.integers(0, 10**9)).map(lambda two: (two[0], sum(two)))


def uses(numbers: list[str]) -> dict[str, Use]:
    return {number: Use(id=number) for number in numbers}


@st.composite
def parcels(draw: st.DrawFn) -> Parcel:
    groups = [
        IntrusionSet(
            id=named_,
            name=draw(NAME),
            origin="attack" if named_.startswith("G") else "own",
            aliases=tuple(Name(text=text) for text in draw(st.lists(NAME, max_size=2))),
            techniques=uses(draw(MANY["T"])),
            software=uses(draw(MANY["S"])),
            motives=tuple(draw(st.lists(NAME, max_size=2))),
            told_by=("us",),
        )
        for named_ in draw(st.lists(st.sampled_from(["G0065", "own:x"]), max_size=2, unique=True))
    ]
    incidents = [
        Reported(id=f"{number:064x}", title=draw(NAME), text=draw(TEXT)) for number in range(draw(st.integers(0, 2)))
    ]
    campaigns = [
        Campaign(
            id="C0001",
            name=draw(NAME),
            aliases=("An alias",),
            first_seen="2026-03-01",
            techniques=uses(draw(MANY["T"])),
        )
    ][: draw(st.integers(0, 1))]
    attributed = [
        Attributed(id="", what=what.id, to=group.id, confidence=draw(SURE), text=draw(TEXT), by="us")
        for what in (*incidents, *campaigns)
        for group in groups[: draw(st.integers(0, 2))]
    ]
    campaigns = [
        replace(one, groups=uses(sorted(each.to for each in attributed if each.what == one.id))) for one in campaigns
    ]
    since, until = draw(TIMES)
    indicators = [
        Indicator(
            id="i",
            title=draw(NAME),
            pattern=stix_nouns.pattern([draw(VALUES)]),
            since_us=since,
            until_us=until + 1,
            source="us",
            confidence=draw(SURE),
            tlp=draw(st.sampled_from(["amber", "red"])),
            labels=tuple(draw(st.lists(NAME, max_size=2, unique=True))),
            techniques=tuple(draw(MANY["T"])),
            description=draw(TEXT),
            path="p",
        )
    ][: draw(st.integers(0, 1))]
    sightings = [
        Sighting(
            id="",
            of=draw(NUMBERS["T"]),
            count=draw(st.integers(1, 999)),
            first_us=first,
            last_us=last,
            hosts=("web-01",),
            observables=tuple(draw(st.lists(VALUES, max_size=3, unique=True))),
            text=draw(TEXT),
            by="us",
        )
        for first, last in draw(st.lists(TIMES, max_size=2))
    ]
    courses = [Mitigation(id="M1032", name=draw(NAME), release="", techniques=tuple(draw(MANY["T"])))]
    about = tuple(sorted(one.id for one in (*incidents, *groups)))
    opinions = [
        Opinion(
            id="", about=about, opinion=draw(st.sampled_from(OPINED)), confidence=draw(SURE), text=draw(TEXT), by="us"
        )
    ][: int(bool(about))]
    clusters = [Cluster(id="c-1", name=draw(NAME), incidents=tuple(one.id for one in incidents), history=())]
    return Parcel(
        path="p",
        incidents=tuple(incidents),
        groups=tuple(groups),
        campaigns=tuple(campaigns),
        attributed=tuple(attributed),
        indicators=tuple(indicators),
        sightings=tuple(sightings),
        courses=tuple(courses[: draw(st.integers(0, 1))]),
        opinions=tuple(opinions),
        clusters=tuple(clusters if incidents else ()),
        vulnerabilities=tuple(draw(st.sampled_from([(), ("CVE-2026-0001",)]))),
    )


def plain(parcel: Parcel) -> Parcel:
    """Without what STIX alone gives: ids of statements, bytes, and the sums of what is named in passing."""

    def bare(some: tuple[Any, ...]) -> tuple[Any, ...]:
        told = {repr(one): one for one in (replace(one, id="") for one in some)}
        return tuple(told[key] for key in sorted(told))

    return replace(
        parcel,
        held=(),
        techniques=(),
        software=(),
        left_out=(),
        indicators=bare(parcel.indicators),
        sightings=bare(parcel.sightings),
        attributed=bare(parcel.attributed),
        opinions=bare(parcel.opinions),
    )


@given(parcels())
@settings(max_examples=25)
def test_what_we_write_we_read_again(parcel: Parcel) -> None:
    content = written(parcel)
    read = stix_parcel.read(content, "p")
    assert plain(read) == plain(parcel)
    assert not read.not_understood
    assert content == written(parcel)


BAD = Observable("domain", "evil.example")


def example() -> Parcel:
    """One of each."""
    return Parcel(
        incidents=(Reported(id="1" * 64, title="One"), Reported(id="2" * 64, title="Two")),
        groups=(IntrusionSet(id="G0065", name="A group", techniques=uses(["T1003"]), motives=("espionage",)),),
        campaigns=(Campaign(id="c-9", name="A campaign", groups=uses(["G0065"]), software=uses(["S0002"])),),
        clusters=(Cluster(id="c-1", name="Ours", incidents=("1" * 64, "2" * 64), history=()),),
        attributed=(Attributed(id="", what="1" * 64, to="G0065", confidence=55, text="likely"),),
        opinions=(Opinion(id="", about=("G0065",), opinion="disagree", text="Too little"),),
        courses=(Mitigation(id="M1032", name="MFA", release="", techniques=("T1003",)),),
        indicators=(Indicator(id="i", title="bad", observables=(BAD,)),),
        sightings=(
            Sighting(id="", of="T1003", first_us=AT_US, last_us=AT_US, observables=(Observable("sid", "S-1-5-21-1"),)),
        ),
        vulnerabilities=("CVE-2026-0001",),
    )


def test_public_readers_take_it() -> None:
    text = written(example()).decode()
    result = validate_string(text, ValidationOptions(version="2.1"))
    assert result.is_valid, result.errors
    assert stix2.parse(text, allow_custom=False).objects


def test_incidents_that_tocsin_writes_are_read() -> None:
    one = incident(20)
    content = packed(*bundle(one, author="tocsin 1", tlp="amber", attack=NO_FACTS, indicators={})["objects"])
    read = stix_parcel.read(content, "p")
    assert [each.id for each in read.incidents] == [one.id]
    assert {each.of for each in read.sightings} == {name for each in one.findings for name in each.techniques}
    assert sum(each.count for each in read.sightings) == sum(
        (1 + each.repeats) * len(each.techniques) for each in one.findings
    )
    assert not read.clusters  # a grouping of one incident only holds it together
    assert {each.kind for each in read.not_understood} <= {"note", "process"}
    assert all(each.tlp == "amber" for each in read.held if each.kind == "sighting")


def test_what_is_not_understood_is_kept_and_told() -> None:
    odd = {**STAMP, "type": "x-odd", "id": named("x-odd", 1), "anything": [1, {"a": "b"}]}
    place = {**STAMP, "type": "location", "id": named("location", 2), "region": "oceania"}
    broken = indicator(3) | {"pattern": "[x"}
    twice = '{"type": "identity", "type": "indicator", "id": "x"}'
    content = packed(odd, place, broken, identity()).replace(b'"objects": [', f'"objects": [{twice}, '.encode())
    read = stix_parcel.read(content, "p")
    assert [(one.kind, one.because[:30]) for one in read.held] == [
        ("", "it cannot be read: a key is th"),
        ("x-odd", "there is no noun here for a x-"),
        ("location", "there is no noun here for a lo"),
        ("indicator", "its pattern cannot be read: 1:"),
        ("identity", ""),
    ]
    assert [json.loads(one.content) for one in read.held[1:]] == [odd, place, broken, identity()]
    assert read.held[0].content == twice.encode()


def test_markings_of_version_1_of_parts_and_of_pap_are_seen() -> None:
    old = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
    pap = {**STAMP, "type": "marking-definition", "id": named("marking-definition", 9), "name": "PAP:AMBER"}
    part = {"marking_ref": ID_OF["red"], "selectors": ["name"]}
    first = indicator(1) | {"object_marking_refs": [old, pap["id"]]}
    second = indicator(2) | {"granular_markings": [part]}
    read = stix_parcel.read(packed(first, second, pap, definition("red")), "p")
    assert [(one.tlp, one.terms) for one in read.held[:2]] == [("amber", ("pap:amber",)), ("red", ())]


def test_versions_and_what_was_taken_back() -> None:
    group = {**STAMP, "type": "intrusion-set", "id": named("intrusion-set", 1), "name": "Before"}
    later = group | {"name": "After", "modified": "2026-04-01T00:00:00.000Z"}
    gone = group | {"id": named("intrusion-set", 2), "revoked": True}
    read = stix_parcel.read(packed(later, group, gone), "p")
    assert [(one.id, one.name) for one in read.groups] == [(group["id"], "After")]
    assert len(read.held) == 3


def test_what_others_said_is_not_said_again_in_our_name() -> None:
    theirs = relationship(1, named("campaign", 1), named("intrusion-set", 2)) | {"relationship_type": "attributed-to"}
    campaign = {**STAMP, "type": "campaign", "id": named("campaign", 1), "name": "Theirs"}
    read = stix_parcel.read(packed(campaign, theirs), "p")
    assert [(one.what, one.to) for one in read.attributed] == [(campaign["id"], named("intrusion-set", 2))]
    ours = Parcel(campaigns=read.campaigns, opinions=(Opinion(id="", about=(campaign["id"],), opinion="agree"),))
    objects = json.loads(written(ours))["objects"]
    assert not [one for one in objects if one["type"] == "campaign"]
    assert next(one for one in objects if one["type"] == "opinion")["object_refs"] == [campaign["id"]]


def test_circles_of_references_end() -> None:
    one, other = named("campaign", 1), named("campaign", 2)
    told = [{**STAMP, "type": "campaign", "id": each, "name": each} for each in (one, other)]
    ring = [
        relationship(number, *ends) | {"relationship_type": "uses"}
        for number, ends in enumerate([(one, other), (other, one)])
    ]
    process = {"type": "process", "spec_version": "2.1", "id": named("process", 1), "command_line": "x"}
    grouping = {
        **STAMP,
        "type": "grouping",
        "id": named("grouping", 1),
        "context": "x",
        "object_refs": [named("grouping", 1)],
    }
    read = stix_parcel.read(packed(*told, *ring, process | {"parent_ref": process["id"]}, grouping), "p")
    assert len(read.campaigns) == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 100_000, b'{"type": "bundle", "objects": 5}', b"\xff\xfe{}", b"5"]
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a STIX bundle"):
        stix_parcel.read(content, "x")


@pytest.mark.parametrize(
    "inside",
    [
        b'{"type": "identity", "id": "x", "a": ' + b"9" * 100_000 + b"}",
        b'{"type": "identity", "id": "x", "id": "y"}',
        b'{"type": "identity", "id": "x", "a": NaN}',
        json.dumps(indicator(1) | {"pattern": "(" * 20_000 + "[a:b = 1]"}).encode(),
        json.dumps(indicator(1) | {"type": "a" * 100_000}).encode(),
    ],
)
def test_bombs_are_kept_or_refused(inside: bytes) -> None:
    content = packed(identity()).replace(b'"objects": [', b'"objects": [' + inside + b", ")
    try:
        read = stix_parcel.read(content, "p")
    except ValueError:
        return
    assert [bool(one.because) for one in read.held] == [True, False]
    assert read.held[0].content == inside


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just(10**400),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)
EXAMPLE = json.loads(written(example()))["objects"]


@given(st.data())
def test_any_value_of_any_property_is_read_or_told(data: st.DataObject) -> None:
    objects = list(EXAMPLE)
    number = data.draw(st.integers(0, len(objects) - 1))
    name = data.draw(st.sampled_from(sorted({*objects[number], "granular_markings", "external_references", "aliases"})))
    objects[number] = objects[number] | {name: data.draw(JSON)}
    read = stix_parcel.read(packed(*objects), "p")
    assert len(read.held) == len(objects)
    assert json.loads(read.held[number].content) == objects[number]


@given(st.binary(max_size=60))
def test_any_bytes_among_others_are_read_or_told(junk: bytes) -> None:
    content = packed(identity()).replace(b'"objects": [', b'"objects": [' + junk + b", ")
    try:
        read = stix_parcel.read(content, "p")
    except ValueError:
        return
    assert read.held
