"""Playbooks out and in: as the schemas of the technical committee have them, and no more run than a plan is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from containing.making import BAD, OWN, START, cited, incident, seen
from tocsin.contain.cacao import playbooks, steps_of
from tocsin.contain.plan import plan
from tocsin.errors import SettingsError
from tocsin.model.action import Text
from tocsin.model.plan import WAYS, Alternative, Way

OF = incident(
    cited(0, "T1190", "T1505.003", TargetFilename="C:\\x.aspx; $(reboot)"),
    cited(1, "T1003.003"),
    accounts=(seen("AGENCY\\anna", "web01.agency.example"),),
    addresses=(seen(BAD, "web01.agency.example"),),
)


def _chosen(way: Way = "least disruptive") -> Alternative:
    return plan(OF, of="inc1", digest="", own=OWN).way(way)


def _made(way: Way = "least disruptive") -> tuple[Text, Text]:
    return playbooks(_chosen(way), case="inc1", plan="ab" * 32, at_us=START)


@pytest.fixture(scope="module")
def schema(shared: Path) -> Draft7Validator:
    folder = shared / "schemas" / "cacao-2.0" / "schemas"
    every = {path: json.loads(path.read_text()) for path in folder.rglob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        [(one["$id"], Resource.from_contents(one)) for one in every.values() if "$id" in one]
    )
    return Draft7Validator(every[folder / "playbook.json"], registry=registry)


@pytest.mark.parametrize("way", WAYS)
def test_they_are_as_the_schemas_say(way: Way, schema: Draft7Validator) -> None:
    for text in _made(way):
        assert [error.message for error in schema.iter_errors(json.loads(text.content))] == []


def test_the_schema_would_tell(schema: Draft7Validator) -> None:
    broken = json.loads(_made()[0].content) | {"id": "playbook--no-uuid", "spec_version": "1"}
    assert len(list(schema.iter_errors(broken))) >= 2


def test_each_names_the_other_and_nothing_is_for_a_machine() -> None:
    do, undo = (json.loads(text.content) for text in _made())
    assert do["related_to"] == [undo["id"]]
    assert undo["related_to"] == [do["id"]]
    commands = [one for book in (do, undo) for step in book["workflow"].values() for one in step.get("commands", ())]
    assert {one["type"] for one in commands} == {"manual"}


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert _made() == _made()


def test_what_was_written_is_read_again() -> None:
    chosen = _chosen()
    name, steps = steps_of(_made()[0].content.encode(), "a")
    assert name == "Contain case inc1, least disruptive"
    assert [told.splitlines()[0] for _, told in steps] == [action.steps[0] for action in chosen.actions]
    _, back = steps_of(_made()[1].content.encode(), "b")
    assert [told for _, told in back] == ["\n".join(one.undo) for one in reversed(chosen.actions) if one.reversible]


def _foreign(**step: Any) -> bytes:
    start, one, end = "start--1", "action--1", "end--1"
    workflow = {start: {"type": "start", "on_completion": one}, one: {"type": "action", **step}, end: {"type": "end"}}
    book = {"type": "playbook", "spec_version": "cacao-2.0", "id": "p", "workflow_start": start, "workflow": workflow}
    return json.dumps(book).encode()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (_foreign(commands=[{"type": "bash", "command": "reboot"}], on_completion="end--1"), "for bash"),
        (_foreign(type="if-condition", on_completion="end--1"), "if-condition"),
        (_foreign(on_completion="action--1"), "do not lead to an end"),
        (_foreign(on_completion="nowhere"), "do not lead to an end"),
        (_foreign(commands=[{"type": "manual", "command_b64": "%"}], on_completion="end--1"), "cannot be read"),
        (b'{"type": "report"}', "no CACAO"),
        (b"\xff", "no CACAO"),
        (_foreign().replace(b"cacao-2.0", b"1.0"), "of 1.0"),
    ],
)
def test_what_a_machine_would_run_is_refused_by_name(text: bytes, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        steps_of(text, "theirs.json")


def test_a_step_in_plain_words_is_read() -> None:
    text = _foreign(
        name="look",
        commands=[
            {"type": "manual", "command": "Look at it"},
            {"type": "manual", "command_b64": base64.b64encode("Größe".encode()).decode()},
        ],
        on_completion="end--1",
    )
    assert steps_of(text, "x")[1] == (("look", "Look at it"), ("look", "Größe"))
