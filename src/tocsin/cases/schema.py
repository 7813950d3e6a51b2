"""The nouns of a case in, JSON Schemas (draft 2020-12) of case.json and of a line of log.jsonl out."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from tocsin.cases.derive import WHEN_THERE
from tocsin.model.case import VERBS, VERSION, Case

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_HERE: Final = "#/$defs/{name}"
_DIGEST: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MOMENT: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}


def of_case() -> dict[str, Any]:
    """Of case.json."""
    (top,), parts = msgspec.json.schema_components((Case,), ref_template=_HERE)
    parts["Case"]["properties"]["version"] = {"const": VERSION}
    title = "case.json of a Tocsin case: where it stands, derived from log.jsonl"
    made = _closed({"$schema": _DRAFT, "title": title, **top, "$defs": parts})
    required = made["$defs"]["Case"]["required"]
    made["$defs"]["Case"]["required"] = [name for name in required if name not in WHEN_THERE]
    return made


def of_line() -> dict[str, Any]:
    """Of one line of log.jsonl."""
    tops, parts = msgspec.json.schema_components(tuple(VERBS.values()), ref_template=_HERE)
    kinds = [{"properties": {"verb": {"const": verb}, "what": top}} for verb, top in zip(VERBS, tops, strict=True)]
    properties = {
        "at": _MOMENT,
        "by": {"type": "string", "minLength": 1},
        "n": {"type": "integer", "minimum": 0},
        "prev": _DIGEST,
        "verb": {"enum": list(VERBS)},
        "version": {"const": VERSION},
        "what": {},
    }
    entry = {"type": "object", "properties": properties, "oneOf": kinds}
    line = {"type": "object", "properties": {"digest": _DIGEST, "entry": entry}}
    title = "A line of log.jsonl of a Tocsin case: who did, saw or decided what, when"
    return _closed({"$schema": _DRAFT, "title": title, **line, "$defs": parts})


def written(schema: dict[str, Any]) -> str:
    """As it is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _strict(schema)
    return found


def _strict(schema: Any) -> Any:
    """Objects hold what is named and nothing else; sentences on one line."""
    if isinstance(schema, list):
        return [_strict(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _strict(inner) for name, inner in schema.items()}
    if isinstance(found.get("description"), str):
        found["description"] = re.sub(r"\s+", " ", found["description"])
    if found.get("type") == "object" and "properties" in found:  # what may be left out is written as '' or []
        found |= {"required": sorted(found["properties"]), "additionalProperties": False}
    return found
