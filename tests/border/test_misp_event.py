"""What may leave as an event of MISP: public readers take it, markings bind it, and our own reader finds it again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allies import US, identity, indicator, named, relationship
from output.incidents import HOSTILE, incident
from tocsin.border import misp, stix
from tocsin.border.markings import ID_OF, definition
from tocsin.border.misp_event import event, written
from tocsin.border.misp_galaxies import GALAXIES, of_tag
from tocsin.border.misp_values import CATEGORIES, TEMPLATES
from tocsin.border.stix_incident import bundle
from tocsin.model.attack import NO_FACTS

AT = "2026-03-01T00:00:00.000Z"
STAMP = {"spec_version": "2.1", "created": AT, "modified": AT}
PAP = {**STAMP, "type": "marking-definition", "id": named("marking-definition", 9), "name": "PAP:AMBER"}
GROUP = {**STAMP, "type": "marking-definition", "id": named("marking-definition", 8), "name": "group:five"}


def told(*objects: Any) -> dict[str, Any]:
    return json.loads(written(event(list(objects))[0]))["Event"]  # type: ignore[no-any-return] - as a reader gets it


def marked(one: dict[str, Any], *refs: str) -> dict[str, Any]:
    return one | {"object_marking_refs": list(refs)}


def tags(one: dict[str, Any]) -> list[str]:
    return [each["name"] for each in one.get("Tag", [])]


# In a process of its own: libraries that it imports warn when they are loaded, and warnings are errors here.
THERE_AND_BACK = """
import json, sys
from pymisp import MISPEvent
from misp_stix_converter import MISPtoSTIX21Parser
for text in json.load(sys.stdin):
    event = MISPEvent()
    event.load(text, validate=True)
    parser = MISPtoSTIX21Parser()
    parser.parse_misp_event(event)
    print(json.dumps([dict(parser.errors), parser.bundle.serialize(), len(event.attributes), len(event.objects)]))
"""


def everything() -> list[dict[str, Any]]:
    """One of each that an event has a place for."""
    group = {**STAMP, "type": "intrusion-set", "id": named("intrusion-set", 11), "name": "A group"}
    known = group | {"id": named("intrusion-set", 12), "name": "APT-X"}
    known["external_references"] = [{"source_name": "mitre-attack", "external_id": "G0065"}]
    course = {**STAMP, "type": "course-of-action", "id": named("course-of-action", 13), "name": "Turn it off"}
    note = {**STAMP, "type": "note", "id": named("note", 14), "content": "![x](http://evil.example)"}
    opinion = {**STAMP, "type": "opinion", "id": named("opinion", 15), "opinion": "disagree", "confidence": 60}
    address = {"type": "ipv4-addr", "id": named("ipv4-addr", 1), "value": "198.51.100.7", "spec_version": "2.1"}
    flow = {
        "type": "network-traffic",
        "id": named("network-traffic", 16),
        "protocols": ["ipv4", "tcp"],
        "dst_port": 443,
    }
    key = {"type": "windows-registry-key", "id": named("windows-registry-key", 17), "key": "HKLM\\Software\\X"}
    campaign = {**STAMP, "type": "campaign", "id": named("campaign", 18), "name": "A campaign"}
    flaw = {**STAMP, "type": "vulnerability", "id": named("vulnerability", 19), "name": "CVE-2026-0001"}
    seen = {**STAMP, "type": "sighting", "id": named("sighting", 20), "sighting_of_ref": indicator(1)["id"], "count": 3}
    return [
        identity(),
        indicator(1),
        group,
        known,
        course,
        note | {"object_refs": [group["id"]]},
        opinion | {"object_refs": [group["id"]], "explanation": "Too little"},
        address,
        flow | {"dst_ref": address["id"]},
        key | {"values": [{"name": "Run", "data": "x.exe"}]},
        campaign,
        flaw,
        relationship(3, campaign["id"], group["id"]) | {"relationship_type": "attributed-to", "confidence": 40},
        seen,
    ]


def test_public_readers_take_it_and_give_it_back() -> None:
    incidents = [
        bundle(incident(60, words=words), author="tocsin 1", tlp="amber", attack=NO_FACTS, indicators={})["objects"]
        for words in ((), HOSTILE)
    ]
    given_ = [written(event(objects)[0]) for objects in (*incidents, everything())]
    argv = [sys.executable, "-W", "ignore", "-c", THERE_AND_BACK]
    done = subprocess.run(argv, input=json.dumps(given_), capture_output=True, text=True, check=True)
    read = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one[0] for one in read] == [{}, {}, {}]
    for text, (_, back, attributes, things) in zip(given_, read, strict=True):
        one = json.loads(text)["Event"]
        assert (len(one["Attribute"]), len(one["Object"])) == (attributes, things)
        assert all(value in back for value in ("T1003.001",) if value in text)
    assert {"CVE-2026-0001", "198.51.100.7", "APT-X"} <= {
        value for value in ("CVE-2026-0001", "198.51.100.7", "APT-X") if value in read[2][1]
    }


def test_templates_types_and_categories_are_those_of_the_project() -> None:
    spec = importlib.util.find_spec("pymisp")
    assert spec
    assert spec.submodule_search_locations
    data = Path(spec.submodule_search_locations[0], "data")
    for name, (template, version, category) in TEMPLATES.items():
        theirs = json.loads((data / "misp-objects" / "objects" / name / "definition.json").read_text())
        assert (theirs["uuid"], str(theirs["version"]), theirs["meta-category"]) == (template, version, category)
    types = json.loads((data / "describeTypes.json").read_text())["result"]["category_type_mappings"]
    assert [kind for kind, category in CATEGORIES.items() if kind not in types[category]] == []
    one = told(*everything())
    for thing in one["Object"]:
        theirs = json.loads((data / "misp-objects" / "objects" / thing["name"] / "definition.json").read_text())
        for each in thing["Attribute"]:
            assert theirs["attributes"][each["object_relation"]]["misp-attribute"] == each["type"]


@pytest.mark.parametrize(
    ("markings", "tlp", "distribution"),
    [
        (["clear"], "clear", "3"),
        (["green", "clear"], "green", "1"),
        (["amber", "clear"], "amber", "0"),
        (["amber+strict"], "amber+strict", "0"),
        (["red", "green"], "red", "0"),
    ],
)
def test_an_event_has_one_marking_and_goes_no_further(markings: list[str], tlp: str, distribution: str) -> None:
    objects = [marked(indicator(number), ID_OF[each]) for number, each in enumerate(markings)]
    one = told(*objects, *map(definition, markings))
    assert [tag for tag in tags(one) if tag.startswith("tlp:")] == [f"tlp:{tlp}"]
    assert one["distribution"] == distribution
    assert one["published"] is False
    assert {each["distribution"] for each in one["Attribute"]} == {"5"}
    # What may go further by itself still says so, for whoever takes it out of the event.
    assert [tags(each) for each in one["Attribute"]] == [[f"tlp:{each}"] if each != tlp else [] for each in markings]
    read = misp.read(json.dumps({"Event": one}).encode(), "e").indicators
    assert [each.tlp for each in read] == markings


def test_pap_groups_and_what_has_no_marking() -> None:
    one = told(marked(indicator(1), ID_OF["clear"], PAP["id"], GROUP["id"]), definition("clear"), PAP, GROUP)
    assert {"tlp:clear", "PAP:AMBER", "group:five"} <= set(tags(one))
    assert one["distribution"] == "0"  # of a sharing group nobody knows there who is in it
    bare = {key: value for key, value in indicator(1).items() if key != "object_marking_refs"}
    assert "tlp:amber+strict" in tags(told(bare))


def test_a_part_that_is_marked_more_strictly_marks_the_event() -> None:
    part = {"marking_ref": ID_OF["red"], "selectors": ["name"]}
    one = told(marked(indicator(1), ID_OF["clear"]) | {"granular_markings": [part]}, definition("red"))
    assert "tlp:red" in tags(one)


def test_a_label_loosens_no_marking() -> None:
    """An event amber, its attribute labelled tlp:clear by whoever made it: it was read as clear."""
    for labels in (["tlp:clear", "phish"], ["TLP:WHITE"], ["clear"]):
        one = told(marked(indicator(1) | {"labels": labels}, ID_OF["amber"]), definition("amber"))
        assert "tlp:amber" in tags(one)
        assert not {"tlp:clear", "TLP:WHITE"} & set(tags(one["Attribute"][0]))
        [read] = misp.read(json.dumps({"Event": one}).encode(), "e").indicators
        assert read.tlp == "amber"
    one = told(marked(indicator(1) | {"labels": ["tlp:red"]}, ID_OF["clear"]), definition("clear"))
    assert (tags(one), one["distribution"]) == (["tlp:red"], "0")


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value = '198.51.100.7']",
        "[mutex:name = 'it\\'s']",
        "[file:hashes.'SHA-256' = '" + "a" * 64 + "']",
        "[file:hashes.MD5 = '" + "b" * 32 + "']",
        "[url:value = 'http://evil.example/a?b=c']",
        "[domain-name:value = 'a.example'] FOLLOWEDBY [file:name = 'x.exe' AND file:size > 5]",
    ],
)
def test_an_indicator_that_went_over_is_the_same_indicator(pattern: str) -> None:
    one = indicator(1) | {"pattern": pattern, "valid_until": "2027-01-01T00:00:00.000Z"}
    [there] = misp.read(written(event([one])[0]).encode(), "e").indicators or [None]
    [here] = stix.read(json.dumps({"type": "bundle", "objects": [one]}).encode(), "s").indicators
    assert there
    assert here.id.endswith(there.id)
    if there.observables:
        assert there.observables[0].value in pattern.replace("\\'", "'")
    else:
        assert there.pattern == here.pattern
    assert "valid until 2027-01-01" in there.description


def test_what_was_taken_back_is_deleted_there() -> None:
    one = told(indicator(1) | {"revoked": True})
    assert one["Attribute"][0]["deleted"] is True
    assert one["Attribute"][0]["to_ids"] is False
    read = misp.read(json.dumps({"Event": one}).encode(), "e")
    assert not read.indicators
    assert read.left_out[0].text == "it was deleted"


def test_what_was_taken_back_is_said_no_more() -> None:
    """Only attributes can be deleted there: that a group did it was told on after it had been taken back."""
    group = {**STAMP, "type": "intrusion-set", "id": named("intrusion-set", 11), "name": "A group"}
    campaign = {**STAMP, "type": "campaign", "id": named("campaign", 12), "name": "A campaign"}
    ends = {"source_ref": campaign["id"], "target_ref": group["id"], "relationship_type": "attributed-to"}
    said = {**STAMP, "type": "relationship", "id": named("relationship", 13), **ends}
    doubt = {**STAMP, "type": "opinion", "id": named("opinion", 14), "opinion": "agree", "object_refs": [group["id"]]}
    report = {**STAMP, "type": "report", "id": named("report", 15), "name": "Wrong", "description": "All of it"}
    gone = [one | {"revoked": True} for one in (group, said, doubt, report)]
    whole, left = event([campaign, *gone])
    assert [one["value"] for one in whole["Event"]["Attribute"]] == ["A campaign"]
    assert "A group" not in written(whole)
    assert "Wrong" not in written(whole)
    assert [one.id for one in left] == [one["id"] for one in gone]


def test_a_doubt_is_of_who_made_it() -> None:
    """Not of who made what the event is about."""
    ally = identity() | {"id": named("identity", 7), "name": "An ally"}
    incident_ = {**STAMP, "type": "incident", "id": named("incident", 1), "name": "x", "created_by_ref": US}
    doubt = {**STAMP, "type": "opinion", "id": named("opinion", 2), "opinion": "disagree", "created_by_ref": ally["id"]}
    one = told(identity(), ally, incident_, doubt | {"object_refs": [incident_["id"]]})
    assert [each["authors"] for each in one["Opinion"]] == ["An ally"]


def test_an_event_is_of_nobody_whose_it_is_not() -> None:
    """The maker of what it is about was kept back: the event was another's, who made some indicator in it."""
    ally = identity() | {"id": named("identity", 7), "name": "An ally"}
    incident_ = {**STAMP, "type": "incident", "id": named("incident", 1), "name": "x"}
    theirs = indicator(1) | {"created_by_ref": ally["id"]}
    assert "Orgc" not in told(incident_, ally, theirs)
    assert "Orgc" not in told(identity(), ally, theirs, indicator(2))  # of two makers none is that of all
    assert told(ally, theirs)["Orgc"]["name"] == "An ally"


def test_sightings_groups_and_doubts() -> None:
    one = told(*everything())
    assert one["Orgc"] == {"uuid": US.partition("--")[2], "name": identity()["name"]}
    [seen] = [each for each in one["Attribute"] if each["uuid"] == indicator(1)["id"].partition("--")[2]]
    assert seen["Sighting"][0]["type"] == "0"
    assert 'misp-galaxy:mitre-intrusion-set="APT-X - G0065"' in tags(one)
    assert [(each["opinion"], each["comment"]) for each in one["Opinion"]] == [
        (25, "Too little\nAbout: A group\nConfidence: 60 of 100")
    ]
    said = next(each["content"] for each in one["EventReport"] if each["name"] == "What is said of what")
    assert "A campaign attributed-to A group (confidence 40 of 100)" in said
    assert "was seen 3 times" in said
    for each in one["EventReport"]:  # no Markdown of anybody's is rendered
        assert all(line.startswith("    ") for line in each["content"].splitlines())


def test_what_no_event_can_say_is_told() -> None:
    place = {**STAMP, "type": "location", "id": named("location", 1), "region": "oceania"}
    pcre = indicator(2) | {"pattern_type": "pcre", "pattern": "/a/"}
    odd = indicator(1) | {"id": "indicator--x"}
    _, left = event([place, pcre, odd])
    assert [(one.id, one.why) for one in left] == [
        (place["id"], "an event has no place for a location"),
        (pcre["id"], "MISP has no type for a pattern of pcre"),
        ("indicator--x", "its id holds no UUID that MISP takes"),
    ]


def test_two_of_one_uuid_are_two() -> None:
    url = {
        "type": "url",
        "spec_version": "2.1",
        "id": indicator(1)["id"].replace("indicator", "url"),
        "value": "http://x",
    }
    one = told(indicator(1), url)
    assert len({each["uuid"] for each in one["Attribute"]}) == 2


def test_of_two_versions_the_last_counts_and_equal_objects_give_equal_bytes() -> None:
    later = indicator(1) | {"modified": "2026-04-01T00:00:00.000Z", "pattern": "[ipv4-addr:value = '192.0.2.9']"}
    assert [one["value"] for one in told(later, indicator(1))["Attribute"]] == ["192.0.2.9"]
    assert written(event(everything())[0]) == written(event(everything())[0])


@pytest.mark.parametrize("kind", sorted(GALAXIES))
def test_tags_of_galaxies_lead_back(kind: str) -> None:
    number = GALAXIES[kind][2] + "1003"
    reference = {"source_name": "mitre-attack", "external_id": number}
    one = {**STAMP, "type": kind, "id": named(kind, 1), "name": "Some name", "external_references": [reference]}
    [tag] = [tag for tag in tags(told(one)) if tag.startswith("misp-galaxy:")]
    found = of_tag(tag)
    assert found
    assert (found.kind, found.name, found.number) == (kind, "Some name", number)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("2026-03-01T00:00:00.000Z"),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_value_of_any_property_makes_an_event(data: st.DataObject) -> None:
    objects = everything()
    number = data.draw(st.integers(0, len(objects) - 1))
    name = data.draw(st.sampled_from(sorted({*objects[number], "granular_markings", "labels"})))
    objects[number] = objects[number] | {name: data.draw(JSON)}
    written(event(objects)[0]).encode()
