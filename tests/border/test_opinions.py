"""Opinions on what others told: with what they are about as it came, and no more; under its marking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stix2validator import ValidationOptions, validate_string

from tocsin.border import opinions, stix_nouns, stix_parcel
from tocsin.border.bundles import as_bundle
from tocsin.model.indicator import Indicator, Observable
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.parcel import Attributed, Held, Opinion, Parcel, Reported

AT_US = 1_772_323_200_000_000


def theirs(tlp: str = "amber") -> Parcel:
    said = Parcel(
        incidents=(Reported(id="1" * 64, title="At the mill"),),
        groups=(IntrusionSet(id="G0065", name="Leviathan"),),
        attributed=(Attributed(id="", what="1" * 64, to="G0065", confidence=55, text="likely"),),
        indicators=(Indicator(id="i", title="bad", observables=(Observable("domain", "evil.example"),)),),
    )
    made = stix_nouns.bundle(said, author="them", tlp=tlp, at_us=AT_US)
    return stix_parcel.read(as_bundle(made["objects"]).encode(), "p")


def made(told: Parcel, about: str, tlp: str = "green") -> list[dict[str, Any]]:
    opinion = Opinion(id="", about=(about,), opinion="disagree", text="The tool is anybody's", by="Aroha")
    text = opinions.written(told, opinion, author="us", tlp=tlp, at_us=AT_US + 1)
    assert validate_string(text, ValidationOptions(version="2.1")).is_valid
    return json.loads(text)["objects"]  # type: ignore[no-any-return]


def test_an_opinion_goes_with_what_it_is_about_and_that_as_it_came() -> None:
    told = theirs()
    about = told.attributed[0].id
    found = made(told, about)
    came = {one.id: json.loads(one.content) for one in told.held}
    assert [one for one in found if one["id"] in came] == [
        one for one in came.values() if one["type"] not in {"indicator", "attack-pattern"}
    ]
    new = {one["type"]: one for one in found if one["id"] not in came}
    assert set(new) == {"identity", "opinion"}
    assert new["opinion"]["object_refs"] == [about]
    assert (new["opinion"]["opinion"], new["opinion"]["authors"]) == ("disagree", ["Aroha"])
    assert new["opinion"]["explanation"] == "The tool is anybody's"


@pytest.mark.parametrize(("theirs_is", "ours_is", "then"), [("amber", "green", "amber"), ("green", "amber", "amber")])
def test_the_stricter_marking_counts(theirs_is: str, ours_is: str, then: str) -> None:
    told = theirs(theirs_is)
    text = as_bundle(made(told, told.indicators[0].id, ours_is)).encode()
    read = stix_parcel.read(text, "p")
    assert [one.tlp for one in read.held if one.kind == "opinion"] == [then]
    assert [one.tlp for one in read.held if one.kind == "indicator"] == [theirs_is]


def test_what_is_not_there_has_no_opinion_on_it() -> None:
    with pytest.raises(ValueError, match="no object"):
        made(theirs(), "indicator--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061")


def test_parts_of_an_event_of_misp_have_no_id_that_an_opinion_could_name() -> None:
    named = "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0062"
    with pytest.raises(ValueError, match="no object"):
        made(Parcel(held=(Held(id=named, kind="attribute domain", content=b"{}"),)), named)
