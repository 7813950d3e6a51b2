"""STIX bundles: what is taken from an indicator, from what stands around it, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tocsin.border import stix
from tocsin.model.indicator import Intelligence, Observable

AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"


def indicator(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{number}",
        "pattern": "[domain-name:value = 'evil.example']",
        "pattern_type": "stix",
        "valid_from": "2024-01-01T00:00:00Z",
        **more,
    }


def read(*objects: dict[str, Any], **options: Any) -> Intelligence:
    return stix.read(
        json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}).encode(), "b.json", **options
    )


def test_an_indicator_and_what_stands_around_it() -> None:
    told = read(
        indicator(
            name="A name",
            confidence=80,
            valid_until="2024-02-01T00:00:00.5Z",
            created_by_ref="identity--1",
            object_marking_refs=[AMBER],
            granular_markings=[{"marking_ref": STRICT, "selectors": ["pattern"]}],
            indicator_types=["malicious-activity"],
        ),
        {"type": "identity", "id": "identity--1", "name": "A CERT"},
        {
            "type": "attack-pattern",
            "id": "attack-pattern--1",
            "external_references": [{"source_name": "mitre-attack", "external_id": "T1071.001"}],
        },
        {
            "type": "relationship",
            "relationship_type": "indicates",
            "source_ref": "indicator--1",
            "target_ref": "attack-pattern--1",
        },
    )
    [one] = told.indicators
    assert (one.title, one.source, one.confidence, one.tlp) == ("A name", "A CERT", 80, "amber+strict")
    assert (one.since_us, one.until_us) == (1_704_067_200_000_000, 1_706_745_600_500_000)
    assert one.techniques == ("T1071.001",)
    assert one.labels == ("malicious-activity",)
    assert told.left_out == ()


@pytest.mark.parametrize(
    ("definition", "tlp"),
    [
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, "clear"),
        ({"name": "TLP:AMBER+STRICT"}, "amber+strict"),
        (
            {
                "extensions": {
                    "extension-definition--60a3c5c5": {"extension_type": "property-extension", "tlp_2_0": "red"}
                }
            },
            "red",
        ),
        ({"definition_type": "statement", "definition": {"statement": "mine"}}, ""),
    ],
)
def test_markings_of_the_bundle(definition: dict[str, Any], tlp: str) -> None:
    marking = {"type": "marking-definition", "id": "marking-definition--1", **definition}
    [one] = read(indicator(object_marking_refs=["marking-definition--1"]), marking).indicators
    assert one.tlp == tlp


def test_the_last_version_counts() -> None:
    old, new = indicator(modified="2024-01-01T00:00:00Z"), indicator(modified="2024-01-02T00:00:00Z", revoked=True)
    [one] = read(new, old).indicators
    assert one.revoked


@pytest.mark.parametrize(
    ("more", "reason", "text"),
    [
        ({"pattern_type": "yara"}, "cannot be used", "'yara'"),
        ({"pattern": ""}, "not an indicator", "no pattern"),
        ({"pattern": 5}, "not an indicator", "no pattern"),
        ({"valid_from": "soon"}, "cannot be used", "valid_from is no time"),
        ({"pattern": "[a:b = '" + "x" * 40_000 + "']"}, "cannot be used", "longer than"),
    ],
)
def test_what_is_left_out(more: dict[str, Any], reason: str, text: str) -> None:
    told = read(indicator(**more))
    assert told.indicators == ()
    [left] = told.left_out
    assert left.reason == reason
    assert text in left.text


def test_observables_only_if_asked_for() -> None:
    seen = [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "192.0.2.1"},
        {"type": "file", "id": "file--1", "name": "x.exe", "hashes": {"SHA-256": "A" * 64}},
        {"type": "domain-name", "id": "domain-name--1", "value": "not a domain"},
    ]
    told = read(*seen)
    assert told.indicators == ()
    assert [one.text for one in told.left_out] == ["3 observables in the bundle, which are no indicators"]
    told = read(*seen, observed=True)
    assert [one.observables for one in told.indicators] == [
        (Observable("address", "192.0.2.1"),),
        (Observable("sha256", "a" * 64),),
    ]
    assert [one.reason for one in told.left_out] == ["not an indicator"]


def test_forms_around_objects() -> None:
    for content in ([indicator()], {"more": False, "objects": [indicator()]}, indicator()):
        assert len(stix.read(json.dumps(content).encode(), "x").indicators) == 1


@pytest.mark.parametrize(
    "content",
    [b"{", b"[1, 2", b'{"type": "other"}', b"[" * 100_000, b'{"objects": 5}', b'{"objects": [' + b"[" * 100_000],
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a STIX bundle"):
        stix.read(content, "x")


def test_odd_objects_do_not_stop_the_others() -> None:
    odd: list[Any] = [5, "x", None, {"type": 7}, {"type": "indicator", "id": 5, "pattern": ["x"]}, indicator()]
    told = stix.read(json.dumps({"type": "bundle", "objects": odd}).encode(), "x")
    assert len(told.indicators) == 1
    assert {one.reason for one in told.left_out} == {"not an indicator"}


@pytest.mark.parametrize(
    ("definitions", "terms"),
    [
        ([{"name": "PAP:AMBER"}], ("pap:amber",)),
        ([{"definition_type": "statement", "definition": {"statement": "PAP:RED"}}], ("pap:red",)),
        ([{"name": "ORCON"}, {"name": "PAP:GREEN"}], ("orcon", "pap:green")),
        ([{"definition_type": "statement", "definition": {"statement": "Copyright"}}], ()),
        ([None], ("orcon",)),  # it is not in the bundle, and may say anything
    ],
)
def test_what_a_marking_says_may_be_done_is_kept_as_a_label(
    definitions: list[dict[str, Any] | None], terms: tuple[str, ...]
) -> None:
    ids = [f"marking-definition--{number}" for number in range(len(definitions))]
    made = [
        {"type": "marking-definition", "id": name, **one}
        for name, one in zip(ids, definitions, strict=True)
        if one is not None
    ]
    for where in ({"object_marking_refs": ids}, {"granular_markings": [{"marking_ref": one} for one in ids]}):
        (one,) = read(indicator(labels=["own"], **where), *made).indicators
        assert one.labels == ("own", *terms)
