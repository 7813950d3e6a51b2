"""Bombs and nonsense: each is refused, the object beside it is taken, and no answer is a fault of ours."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from allies import FIVE, TOKENS, Ally, ally, indicator, named, opened
from tocsin.share.taxii import cursors, envelope, openapi, rights
from tocsin.share.taxii.app import app
from tocsin.share.taxii.refused import Refused

OBJECTS = f"/allies/collections/{FIVE}/objects/"
GOOD = json.dumps(indicator(1)).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def _with(**more: Any) -> bytes:
    return json.dumps(indicator(1) | more).encode()


BAD: dict[str, bytes] = {
    "nothing": b"null",
    "a list": b"[]",
    "garbage id": _with(id="garbage"),
    "id of another type": _with(id=named("malware", 1)),
    "null pattern": _with(pattern=None),
    "pattern": _with(pattern="[domain-name:value = "),
    "pattern bomb": _with(pattern="[" + "(" * 5000 + "a:b = 1" + ")" * 5000 + "]"),
    "wide pattern bomb": _with(pattern="[" + " OR ".join(["(a:b = 1)"] * 3000) + "]"),
    "long pattern": _with(pattern="[a:b = '" + "x" * 100_000 + "']"),
    "quotes": _with(pattern="[a:b = '" + "\\" * 20_001 + "]"),
    "modified before created": _with(modified="2020-01-01T00:00:00.000Z"),
    "valid until before from": _with(valid_until="2020-01-01T00:00:00Z"),
    "no such day": _with(created="2026-02-31T00:00:00.000Z"),
    "deep": _with(x_deep=json.loads("[" * 200 + "]" * 200)),
    "huge integer": GOOD[:-1] + b', "confidence": ' + b"9" * 10_000 + b"}",
    "large integer": GOOD[:-1] + b', "confidence": 101}',
    "huge float": GOOD[:-1] + b', "x_float": 1e999}',
    "key twice": GOOD[:-1] + b', "name": "a", "name": "b"}',
    "key twice, with a space": GOOD[:-1] + b', "name" : "a", "name": "b"}',
    "key twice, deep": GOOD[:-1] + b', "x_a": {"b": 1, "b": 2}}',
    "key twice, escaped": GOOD[:-1] + b', "name": "a", "n\\u0061me": "b"}',
    "key twice, with backslashes": GOOD[:-1] + b', "x_a": {"b\\\\": 1, "b\\\\": 2}}',
    "no UTF-8": GOOD[:-1] + b', "name": "\xff\xc0\x80"}',
    "large": _with(x_large="x" * (2 << 20)),
    "many references": _with(type="report", id=named("report", 1), name="x", published="2026-03-01T00:00:00Z")[:-1]
    + b', "object_refs": '
    + json.dumps([named("indicator", number) for number in range(10_001)]).encode()
    + b"}",
    "version 2.0": _with(spec_version="2.0"),
    "no version": json.dumps({key: value for key, value in indicator(1).items() if key != "spec_version"}).encode(),
    "a bundle": json.dumps({"type": "bundle", "id": named("bundle", 1), "objects": []}).encode(),
}


@pytest.fixture(scope="module")
def siem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ally]:
    here = opened(tmp_path_factory.mktemp("hostile"))
    yield ally(here, "siem")
    here.engine.dispose()


@pytest.mark.parametrize("what", BAD)
def test_each_is_refused_and_the_next_one_taken(siem: Ally, what: str) -> None:
    began = time.process_time()
    good = json.dumps(indicator(2)).encode()
    answer = siem.ask("POST", OBJECTS, b'{"objects": [' + BAD[what] + b"," + good + b"]}")
    assert answer.status_code == 202, answer.text[:300]
    status = answer.json()
    assert (status["failure_count"], status["success_count"]) == (1, 1), status
    assert status["failures"][0]["message"]
    assert time.process_time() - began < 60  # a hang, not a measurement


def test_circles_of_references_end(siem: Ally) -> None:
    ring = [
        {**indicator(300 + number), "x_next_ref": named("indicator", 300 + (number + 1) % 50), "name": "ring"}
        for number in range(50)
    ]
    assert siem.post(*ring)["failure_count"] == 0
    assert siem.post({**ring[0], "modified": "2026-03-02T00:00:00.000Z"})["failure_count"] == 0


def test_memory_is_bounded_by_the_body() -> None:
    body = b'{"objects": [' + b",".join([b"[" * 30 + b"]" * 30] * 20_000) + b"]}"
    tracemalloc.start()
    try:
        for content in envelope.divided(body):
            envelope.read(content)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(body)
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_divided_or_refused(body: bytes) -> None:
    for whole in (body, b'{"objects": [' + body + b"]}"):
        with suppress(Refused):
            for content in envelope.divided(whole):
                found = envelope.read(content)
                assert found.fault or found.body is not None


@given(JSON, st.sampled_from(sorted(indicator(1))))
def test_any_value_of_any_property_is_taken_or_refused(value: Any, name: str) -> None:
    envelope.read(json.dumps(indicator(1) | {name: value}).encode())


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5), st.text(max_size=8), st.data())
def test_keys_that_are_there_twice_are_found(inside: dict[str, Any], name: str, data: st.DataObject) -> None:
    plain = indicator(1) | {"x_in": inside}
    style = data.draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,", " : "), (",\n", "\t: ")]))
    text = json.dumps(plain, separators=style, ensure_ascii=data.draw(st.booleans()))
    assert envelope.read(text.encode()).fault == ""
    twice = json.dumps({name: 1}, separators=style)[1:-1]
    doubled = text[:-1] + style[0] + json.dumps("x_t") + style[1] + "{" + twice + style[0] + twice + "}}"
    assert "twice" in envelope.read(doubled.encode()).fault


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_no_word_but_ours_leads_on(word: str) -> None:
    with pytest.raises(Refused):
        cursors.read(b"k" * 32, "siem", OBJECTS, word)


@given(st.integers(0, 2**60), st.integers(0, 10_000), st.characters(categories=["L", "N"]))
def test_a_word_that_was_changed_is_none(after: int, at: int, letter: str) -> None:
    word = cursors.made(b"k" * 32, "au", OBJECTS, {"match[type]": "indicator"}, after)
    assert cursors.read(b"k" * 32, "au", OBJECTS, word) == (after, {"match[type]": "indicator"})
    changed = word[: at % len(word)] + letter + word[at % len(word) + 1 :]
    if changed != word:
        with pytest.raises(Refused):
            cursors.read(b"k" * 32, "au", OBJECTS, changed)


def test_schemathesis_finds_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_STRANGERS_A_MINUTE", 10**6)
    here = opened(tmp_path)
    served = app(here, pytest.fail)
    schema = schemathesis.openapi.from_dict(json.loads(openapi.described()))
    schema.app = served
    token = {"Authorization": f"Bearer {TOKENS['siem']}"}
    # Not every value that a schema lets through is one that is there, or that fits what a cursor was given for.
    loose = schemathesis.checks.CHECKS.get_by_names(["positive_data_acceptance"])
    few = settings(max_examples=20, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @few
        def asked(case: Any) -> None:
            if "collection" in case.path_parameters:
                case.path_parameters["collection"] = FIVE
            answer = case.call(headers=token, app=served)
            assert answer.status_code < 500
            case.validate_response(answer, excluded_checks=loose)

        asked()
    here.engine.dispose()
