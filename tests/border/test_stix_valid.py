"""What is held to be STIX 2.1: by the schemas, by what they miss, and by the validator of OASIS."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2patterns.v21.pattern import Pattern
from stix2validator import ValidationOptions, validate_instance

from allies import identity, indicator, named, relationship
from output.incidents import incident
from tocsin.border import stix_valid
from tocsin.border.stix_incident import bundle
from tocsin.border.stix_valid import fault, pattern_fault, time_us
from tocsin.model.attack import NO_FACTS

QUOTED = st.text(st.sampled_from("ab' \\[]:=.é"), max_size=6).map(
    lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
)
WORDS = st.sampled_from(
    ["value", "hashes", "MD5", "AND", "IN", "true", "false", "truest", "x_a", "'SHA-256'", "a-b", "_x"]
)
TESTS = st.builds(
    lambda kind, path, sign, value: f"{kind}:{'.'.join(path)} {sign} {value}",
    st.sampled_from(["file", "domain-name", "x-a", "true", "false", "a", "0a", "-a", "a--b"]),
    st.lists(WORDS, min_size=1, max_size=3),
    st.sampled_from(["=", "!=", "LIKE", "MATCHES", ">"]),
    QUOTED,
)
SEEN = st.lists(TESTS, min_size=1, max_size=3).flatmap(
    lambda tests: st.sampled_from([" AND ", " OR ", " and ", " "]).map(lambda word: f"[{word.join(tests)}]")
)
PATTERNS = st.lists(SEEN, min_size=1, max_size=3).flatmap(
    lambda seen: st.sampled_from([" AND ", " OR ", " FOLLOWEDBY ", " "]).map(lambda word: word.join(seen))
)


@given(PATTERNS)
@settings(max_examples=300)
def test_what_is_taken_at_a_glance_is_what_the_parser_takes(pattern: str) -> None:
    if stix_valid._PLAIN.fullmatch(pattern):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "glance"),
    [
        ("[domain-name:value = 'a.example']", True),
        ("[file:hashes.'SHA-256' = 'ab' OR file:name LIKE 'a%'] FOLLOWEDBY [url:value='x']", True),
        ("[domain-name:value = 'it\\'s']", True),
        ("([a:b = 1] AND [a:b IN (1, 2)]) WITHIN 5 SECONDS", False),
        ("[file:size > 5 AND (file:name = 'a' OR file:name = 'b')]", False),
    ],
)
def test_patterns_that_are_right(pattern: str, glance: bool) -> None:
    assert pattern_fault(pattern) == ""
    assert bool(stix_valid._PLAIN.fullmatch(pattern)) == glance


@pytest.mark.parametrize("pattern", ["", "a", "[a]", "[a:b = 'c]", "[a:b = 'c'", "[file:true = 'c']"])
def test_patterns_that_are_not(pattern: str) -> None:
    assert pattern_fault(pattern)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("2026-02-31T00:00:00Z", None),
        ("2026-03-01T00:00:00", None),
        ("2026-03-01 00:00:00Z", None),
        ("2026-03-01T00:00:00+01:00", None),
        ("x" * 1000, None),
        (5, None),
        (None, None),
    ],
)
def test_times(text: Any, us: int | None) -> None:
    assert time_us(text) == us


def test_what_we_write_ourselves_is_right() -> None:
    found = bundle(incident(20), author="tocsin 1", tlp="amber", attack=NO_FACTS, indicators={})["objects"]
    assert {fault(one) for one in found} == {""}


CHANGES = st.sampled_from(
    [
        {},
        {"id": "garbage"},
        {"id": named("malware", 1)},
        {"type": "Indicator"},
        {"spec_version": "2.0"},
        {"pattern": None},
        {"pattern": "[x"},
        {"pattern_type": 5},
        {"valid_from": "today"},
        {"valid_until": "2020-01-01T00:00:00Z"},
        {"valid_until": "2026-03-01T00:00:00Z"},
        {"modified": "2020-01-01T00:00:00.000Z"},
        {"confidence": 101},
        {"labels": []},
        {"object_marking_refs": ["garbage"]},
        {"external_references": [{}]},
        {"revoked": "yes"},
        {"granular_markings": [{"selectors": ["name"]}]},
    ]
)


@given(st.sampled_from([indicator(1), relationship(1, named("tool", 1), named("tool", 2)), identity()]), CHANGES)
def test_what_the_validator_of_oasis_refuses_is_refused(one: dict[str, Any], change: dict[str, Any]) -> None:
    told = one | change
    theirs = validate_instance(told, ValidationOptions(version="2.1", strict=False, disabled=["all"]))
    if not theirs.is_valid:
        assert fault(told)
    elif not change:
        assert fault(told) == ""
