"""Incidents as STIX bundles: public readers take them whole; the same each time, and no more told than is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import stix2
from stix2validator import ValidationOptions, validate_string

from output.incidents import HOSTILE, START, incident
from tocsin.border.stix_incident import MOST_PROCESSES, bundle
from tocsin.model.attack import NO_FACTS, Entry, Facts, Release
from tocsin.model.citation import Citation
from tocsin.model.incident import Entity, Incident, Join, Process, Seen
from tocsin.model.indicator import Indicator
from tocsin.model.tlp import TLP

FACTS = Facts(
    releases=(
        Release(
            name="18.1",
            entries={
                "T1003.001": Entry(
                    kind="technique", id="T1003.001", uuid="-", name="LSASS Memory", tactics=("credential-access",)
                )
            },
        ),
    )
)
ODD = ("-", "10.0.0.1x", "::1", "\ud800")
KNOWN = "indicator--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"


def made(one: Incident, tlp: str = "amber", indicators: Mapping[str, Indicator] | None = None) -> dict[str, Any]:
    told = bundle(one, author="tocsin 1", tlp=tlp, attack=FACTS, indicators=indicators or {})
    return json.loads(json.dumps(told))  # type: ignore[no-any-return] - as a reader gets it


def of(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in told["objects"] if one["type"] == kind]


def joined(one: Incident) -> Incident:
    """With a join over each kind of thing."""
    names: list[tuple[Any, str]] = [
        ("address", "2001:db8::7"),
        ("domain", "evil.example"),
        ("hash", "ab" * 32),
        ("hash", "cd" * 16),
        ("file", "C:\\ProgramData\\n.dll"),
        ("file", "n.dll"),
        ("account", "S-1-5-21-1-2-3-1105"),
        ("account", "ASSEMBLY\\m.tane"),
        ("mail", "<1@example>"),
        ("process", "{guid}"),
    ]
    joins = [
        Join(
            one=0,
            other=1 + number,
            entity=Entity(kind=kind, name=name.lower(), shown=name),
            weight=9.0,
            gap_us=0,
            because="",
        )
        for number, (kind, name) in enumerate(names)
    ]
    return replace(one, joins=(*one.joins, *joins))


@pytest.mark.parametrize("words", [(), HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("tlp", TLP)
def test_public_readers_take_it(words: tuple[str, ...], tlp: str) -> None:
    told = made(joined(incident(60, words=words)), tlp)
    result = validate_string(json.dumps(told), ValidationOptions(version="2.1"))
    assert result.is_valid, result.errors
    read = stix2.parse(told, allow_custom=False)
    assert len(read.objects) == len(told["objects"])
    refs = {named for one in told["objects"] for named in _refs(one)}
    assert refs <= {one["id"] for one in told["objects"]}


def _refs(one: Mapping[str, Any]) -> list[str]:
    singles = [value for key, value in one.items() if key.endswith("_ref")]
    return singles + [value for key, values in one.items() if key.endswith("_refs") for value in values]


def test_observables_have_the_ids_of_the_standard() -> None:
    kinds = ("ipv4-addr", "ipv6-addr", "domain-name", "file", "directory", "user-account")
    told = made(joined(incident(60)))
    found = [one for kind in kinds for one in of(told, kind)]
    assert {one["type"] for one in found} == set(kinds)
    for one in found:
        bare = {key: value for key, value in one.items() if key not in ("id", "object_marking_refs")}
        assert stix2.parse(bare).id == one["id"]


# In a process of its own: libraries that it imports warn when they are loaded, and warnings are errors here.
INTO_MISP = """
import json, sys, stix2
from misp_stix_converter import ExternalSTIX2toMISPParser
parser = ExternalSTIX2toMISPParser()
parser.load_stix_bundle(stix2.parse(json.load(sys.stdin), allow_custom=False))
parser.parse_stix_bundle()
event = parser.misp_event
print(json.dumps([str(one.value) for one in event.attributes]
                 + [str(one.value) for each in event.objects for one in each.attributes]))
"""


def test_misp_takes_its_values() -> None:
    told = json.dumps(made(joined(incident(60))))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTO_MISP], input=told, capture_output=True, text=True, check=True
    )
    values = set(json.loads(done.stdout))
    assert {"evil.example", "2001:db8::7", "ab" * 32} <= values, values


def test_findings_are_counted_and_timed() -> None:
    one = incident(40)
    told = made(one)
    counts: Counter[str] = Counter()
    names = {each["id"]: each["external_references"][0]["external_id"] for each in of(told, "attack-pattern")}
    for each in of(told, "sighting"):
        counts[names[each["sighting_of_ref"]]] += each["count"]
    wanted: Counter[str] = Counter()
    for finding in one.findings:
        wanted.update(dict.fromkeys(finding.techniques, 1 + finding.repeats))
    assert counts == wanted
    assert min(each["first_seen"] for each in of(told, "sighting")) == "2026-02-25T06:13:20.000000Z"
    named = {each["external_references"][0]["external_id"]: each for each in of(told, "attack-pattern")}
    assert named["T1003.001"]["name"] == "LSASS Memory"
    assert named["T1003.001"]["kill_chain_phases"][0]["phase_name"] == "credential-access"
    assert named["T1505.003"]["name"] == "T1505.003"


def test_findings_without_a_time_are_told_and_not_dated() -> None:
    one = incident(8)
    bare = tuple(replace(each, at=replace(each.at, ts_us=None)) for each in one.findings)
    told = made(replace(one, findings=bare, first_us=None, last_us=None))
    assert not [each for each in of(told, "sighting") if "first_seen" in each]
    assert not of(told, "observed-data")
    assert "8 findings have no time" in of(told, "incident")[0]["description"]


def test_the_same_incident_gives_the_same_and_another_marking_other_ids() -> None:
    one = joined(incident(60))
    assert made(one) == made(one)
    ids = {each["id"] for each in made(one)["objects"] if each["type"] in ("incident", "sighting", "grouping")}
    assert not ids & {each["id"] for each in made(one, "red")["objects"]}


def test_fields_of_records_are_not_told() -> None:
    """A subject of a member's mail may stand in them."""
    one = incident(8)
    secret = tuple(replace(each, fields={"Subject": "canary-7731"}) for each in one.findings)
    assert "canary-7731" not in json.dumps(made(replace(one, findings=secret)))


def test_a_sighting_of_an_indicator_names_it_and_is_marked_as_strictly() -> None:
    one = incident(4)
    rule = one.findings[0].rule_id
    known = Indicator(id=KNOWN, title="told under RED", tlp="red", description="their words")
    told = made(one, "green", {rule: known})
    (seen,) = [each for each in of(told, "sighting") if each["sighting_of_ref"] == KNOWN]
    red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
    assert seen["object_marking_refs"] == [red]
    assert of(told, "grouping")[0]["object_marking_refs"] == [red]
    assert not of(told, "indicator")
    assert "their words" not in json.dumps(told)


def test_processes_of_two_hosts_are_two() -> None:
    def process(host: str) -> Process:
        at = Citation(src="ab" * 32, path="a.evtx", rec=7, chunk=0, ts_us=START)
        return Process(
            parent=-1, host=host, image="/bin/sh", command="id", account="", first_us=START, findings=(0,), at=at
        )

    told = made(replace(incident(4), processes=(process("web-01"), process("web-02"))))
    assert len(of(told, "process")) == 2
    many = made(replace(incident(4), processes=tuple(process(f"h{number}") for number in range(MOST_PROCESSES + 3))))
    assert len(of(many, "process")) == MOST_PROCESSES
    assert "3 processes are left out" in of(many, "incident")[0]["description"]


def test_what_is_no_address_is_no_address() -> None:
    odd = tuple(
        Seen(name=name, first_us=None, last_us=None, findings=1) for name in ("-", "10.0.0.1x", "::1", "\ud800")
    )
    told = bundle(
        replace(incident(4), addresses=odd, accounts=odd), author="t", tlp="clear", attack=NO_FACTS, indicators={}
    )
    assert [one["value"] for one in of(told, "ipv6-addr")] == ["::1"]
    json.dumps(told, ensure_ascii=False).encode()
