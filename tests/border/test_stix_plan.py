"""Plans as STIX bundles: tied to the incident's own objects, whole to public readers, no names in what is shared."""

from __future__ import annotations

import json
from typing import Any

import stix2
from stix2validator import ValidationOptions, validate_string

from containing.making import BAD, BAD_NAME, OWN, cited, incident, seen, talking
from output.incidents import HOSTILE
from tocsin import contain, share
from tocsin.border import stix_incident, stix_parcel, stix_plan
from tocsin.model.attack import NO_FACTS
from tocsin.model.incident import Incident
from tocsin.model.peer import Peer
from tocsin.model.plan import Way

HOST = "web01.agency.example"


def made(one: Incident, way: Way = "least disruptive") -> dict[str, Any]:
    chosen = contain.plan(one, of="c", digest="d", own=OWN).way(way)
    assert chosen.actions
    told = stix_plan.bundle(one, chosen, author="tocsin 1", tlp="amber", attack=NO_FACTS, digest="d1")
    return json.loads(json.dumps(told))  # type: ignore[no-any-return] - as a reader gets it


def links(told: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Of courses, by what objects are called."""
    called = {
        one["id"]: one.get("name") or one.get("value") or one.get("account_login") or one["id"]
        for one in told["objects"]
    }
    found = [one for one in told["objects"] if one["type"] == "relationship"]
    return {(one["relationship_type"], called[one["source_ref"]], called[one["target_ref"]]) for one in found}


def test_courses_are_tied_to_what_they_are_against() -> None:
    found = links(made(talking()))
    course = f"block address: {BAD}"
    assert {("mitigates", course, "T1071.001"), ("related-to", course, BAD)} <= found
    assert ("related-to", course, "An intrusion") in found
    assert ("mitigates", f"block domain: {BAD_NAME}", "T1071.004") in found
    assert ("mitigates", course, "T1071.004") not in found


def test_objects_of_the_incident_are_the_same_in_both_bundles() -> None:
    one = talking()
    whole = stix_incident.bundle(one, author="tocsin 1", tlp="amber", attack=NO_FACTS, indicators={})
    known = {each["id"] for each in whole["objects"]}
    new = {each["type"] for each in made(one)["objects"] if each["id"] not in known}
    assert new <= {"course-of-action", "relationship", "note", "grouping", "ipv4-addr", "domain-name"}
    assert "incident" not in new


def test_what_is_written_is_read_again_and_the_same_each_time() -> None:
    told = made(talking())
    assert told == made(talking())
    read = stix_parcel.read(json.dumps(told).encode(), "plan")
    assert f"block address: {BAD}" in {one.name for one in read.courses}
    assert {number for one in read.courses for number in one.techniques} == {"T1071.001", "T1071.004"}
    assert not [one for one in read.held if one.because and one.kind != "note"]


def test_public_readers_take_it_whatever_a_log_said() -> None:
    odd = [cited(number, "T1505.003", host=f"h{word}", TargetFilename=word) for number, word in enumerate(HOSTILE)]
    one = incident(*odd, cited(9, "T1071.001", DestinationIp=BAD), accounts=(seen("CORP\\\ud800", HOST),))
    text = json.dumps(made(one, "fastest"))
    assert validate_string(text, ValidationOptions(version="2.1")).is_valid
    stix2.parse(text, allow_custom=False)


def test_it_says_that_nothing_was_done() -> None:
    grouping = next(one for one in made(talking())["objects"] if one["type"] == "grouping")
    assert grouping["name"] == "Plan to contain, least disruptive: An intrusion"
    assert "does not say that it was done" in grouping["description"]
    assert "d1" in grouping["description"]


def test_shared_it_names_no_machine_or_account_of_ours() -> None:
    one = incident(
        cited(0, "T1505.003", TargetFilename="C:\\inetpub\\x.aspx"),
        cited(1, "T1071.001", DestinationIp=BAD),
        accounts=(seen("CORP\\svc-sql", HOST),),
    )
    told = made(one, "fastest")
    assert HOST in json.dumps(told)
    peer = Peer(id="au", name="Australia", tlp="amber", pap="amber")
    ours = next(each["id"] for each in told["objects"] if each.get("name") == "tocsin 1")
    hidden = share.Hidden(share.names(told["objects"], OWN.assets.all, ()), b"k" * 32, share.networks(OWN.assets.all))
    let_go = share.decide(told["objects"], peer, hidden, key=b"k" * 32, own={ours}, today="2026-01-01")
    assert any(each["type"] == "course-of-action" for each in let_go.objects)
    text = json.dumps(let_go.objects).casefold()
    assert not [name for name in ("web01", "svc-sql", "192.0.2.10", "agency.example") if name in text]
