"""The published JSON Schemas are those of the code, and cases are valid under them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cases.making import decide, incident
from tocsin import cases
from tocsin.cases import folder as layout
from tocsin.cases import schema
from tocsin.model.concern import Touched
from tocsin.model.impact import Bounds, Claim, Impact
from tocsin.model.incident import Incident
from tocsin.model.notification import Notification, Word

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
SCHEMAS = {"case.schema.json": schema.of_case, "case-log-line.schema.json": schema.of_line}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_published_is_what_holds(name: str) -> None:
    made = SCHEMAS[name]()
    Draft202012Validator.check_schema(made)
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        (PUBLISHED / name).write_text(schema.written(made), encoding="utf-8")
    assert (PUBLISHED / name).read_text(encoding="utf-8") == schema.written(made)


def _published(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((PUBLISHED / name).read_text(encoding="utf-8")))


def weighed(one: Incident) -> Incident:
    claim = Claim(
        stage="left",
        sort="mail",
        what="sent on",
        subject="a@b.example",
        unit="messages",
        amount=Bounds(lower=2),
        confidence="high",
        because="a rule sends it on",
    )
    person = Touched(id="7", name="Ben", how="data left", through=("a@b.example",), because=("sent on",))
    return replace(one, impact=Impact(claims=(claim,)), people=(person,))


def _busy(root: Path) -> list[Path]:
    """Cases with every kind of entry in them."""
    for name in ("one", "two"):
        cases.open_case(root, incident(name), by="Ben", documents=[("custody.json", b"{}")])
    cases.open_case(root, weighed(incident("one", "More")), by="Ben")
    with cases.writing(root / "one") as log:
        cases.note(log, "text", by="Ben")
        cases.add_task(log, "task", by="Ben", due="2026-12-01")
        cases.finish_task(log, "1", by="Ben")
        cases.add_task(log, "task", by="Ben", owner="Ben")
        cases.saw(log, "mail", by="Ben", reason="why")
        cases.hand_over(log, "Aroha Ngata", by="Ben")
        person = Notification(
            key="person:7", kind="person", name="Ben", extent="data left", because=("sent on",), id="7"
        )
        cases.register(log, [person], by="Ben", incident=log.case.incident)
        cases.say(log, Word(key="person:7", deed="delivered", by="people"), by="Ben")
    layout.keep_torn(root / "one", b"{", 7)
    cases.split(root / "one", "Part", by="Ben", reason="why", parts=["WS1"], tasks=["2"])
    cases.merge(root / "one", root / "two", by="Ben", reason="why")
    with cases.writing(root / "one") as log:
        decide(log)
        for left in cases.undecided(log.case):
            decide(log, subject=cases.subject_of(left.entry), choice="now", seen=cases.digest_of(left.entry))
        cases.close(log, by="Ben", reason="done")
        cases.reopen(log, by="Ben", reason="not done")
    return [one.folder for one in cases.everything(root)[0]]


def test_cases_are_valid(tmp_path: Path) -> None:
    of_case, of_line = _published("case.schema.json"), _published("case-log-line.schema.json")
    verbs = set()
    for folder in _busy(tmp_path):
        of_case.validate(json.loads((folder / "case.json").read_text(encoding="utf-8")))
        for line in (folder / "log.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            of_line.validate(json.loads(line))
            verbs.add(json.loads(line)["entry"]["verb"])
    assert verbs == set(schema.VERBS), "each kind of entry was looked at"


def test_what_is_no_entry_is_not_valid(tmp_path: Path) -> None:
    of_line = _published("case-log-line.schema.json")
    folder = _busy(tmp_path)[0]
    line: dict[str, Any] = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert of_line.is_valid(line)
    for name, value in (("verb", "dreamt"), ("verb", "noted"), ("what", {}), ("at", "x"), ("n", -1), ("more", 1)):
        assert not of_line.is_valid({**line, "entry": {**line["entry"], name: value}})
    assert not of_line.is_valid({**line, "digest": "x"})
    assert not of_line.is_valid({**line, "more": "x"})


def test_a_case_says_what_was_taken_and_whom_it_touches(tmp_path: Path) -> None:
    folder = tmp_path / cases.open_case(tmp_path, weighed(incident("one")), by="Ben").id
    told = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    assert [(one["lower"], one["upper"], one["stage"]) for one in told["impact"]] == [(2, None, "left")]
    assert [(one["id"], one["how"]) for one in told["touched"]] == [("7", "data left")]
    cases.open_case(tmp_path, weighed(incident("one")), by="Ben")
    assert len(json.loads((folder / "case.json").read_text(encoding="utf-8"))["impact"]) == 1, "it is not told twice"
    other = cases.open_case(tmp_path, incident("two"), by="Ben")
    merged = cases.merge(tmp_path / other.id, folder, by="Ben", reason="one intrusion")
    assert [one.id for one in merged.touched] == ["7"], "nobody is forgotten in a merge"
