"""The nouns of an incident in, a JSON Schema (draft 2020-12) of incidents.json out."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from tocsin.model.incident import Incident

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_TITLE: Final = "incidents.json of Tocsin: what belongs together, what was taken, and whom it touches"


def of_incidents() -> dict[str, Any]:
    (top,), parts = msgspec.json.schema_components((list[Incident],), ref_template="#/$defs/{name}")
    whole: dict[str, Any] = _one_line({"$schema": _DRAFT, "title": _TITLE, **top, "$defs": parts})
    return whole


def written(schema: dict[str, Any]) -> str:
    """As it is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _one_line(schema: Any) -> Any:
    """Every part is always written, and nothing else is; sentences stand on one line."""
    if isinstance(schema, list):
        return [_one_line(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _one_line(inner) for name, inner in schema.items()}
    if isinstance(found.get("description"), str):
        found["description"] = re.sub(r"\s+", " ", found["description"])
    if found.get("type") == "object" and "properties" in found:
        found |= {"required": sorted(found["properties"]), "additionalProperties": False}
    return found
