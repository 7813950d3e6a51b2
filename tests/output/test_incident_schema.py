"""The published JSON Schema of incidents.json is that of the code, and incidents are valid under it."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path

from jsonschema import Draft202012Validator

from output import incidents
from tocsin.output import incident_schema
from tocsin.output import incidents as pages

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas" / "incidents.schema.json"


def test_what_is_published_is_what_holds() -> None:
    made = incident_schema.of_incidents()
    Draft202012Validator.check_schema(made)
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        PUBLISHED.write_text(incident_schema.written(made), encoding="utf-8")
    assert PUBLISHED.read_text(encoding="utf-8") == incident_schema.written(made)


def test_incidents_are_valid_and_others_are_not() -> None:
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    file = io.StringIO()
    bare = replace(incidents.incident(), impact=None, assets=(), people=())
    pages.write([incidents.incident(), incidents.incident(words=incidents.HOSTILE), bare], file)
    told = json.loads(file.getvalue())
    validator.validate(told)
    claim = told[0]["impact"]["claims"][0]
    for name, value in (
        ("stage", "gone"),
        ("amount", {"lower": "1", "upper": None}),
        ("confidence", "sure"),
        ("more", 1),
    ):
        wrong = [{**told[0], "impact": {**told[0]["impact"], "claims": [{**claim, name: value}]}}]
        assert not validator.is_valid(wrong), name
