"""The routes in, their description in the words of OpenAPI 3.1 out: for those who write clients, and who test ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from tocsin.share.taxii.reading import FILTERS
from tocsin.share.taxii.routes import MEDIA, ROUTES, Route

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_TIME: Final[Mapping[str, Any]] = {"type": "string", "format": "date-time"}
_FAULT: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"title": _TEXT, "description": _TEXT, "http_status": _TEXT},
    "required": ["title", "http_status"],
}
_ENVELOPE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"objects": {"type": "array", "items": {"type": "object"}}},
    "required": ["objects"],
    "additionalProperties": False,
}
_PAGED: Final = ("_objects", "_manifest", "_object", "_versions")
_SUCCESS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "_discovery": ("200", {"title": _TEXT, "api_roots": {"type": "array", "items": _TEXT}}),
    "_root": ("200", {"title": _TEXT, "max_content_length": {"type": "integer"}}),
    "_status": ("200", {"id": _TEXT, "status": {"enum": ["complete", "pending"]}}),
    "_collections": ("200", {"collections": {"type": "array", "items": {"type": "object"}}}),
    "_collection": ("200", {"id": _TEXT, "can_read": {"type": "boolean"}, "can_write": {"type": "boolean"}}),
    "_manifest": ("200", {"more": {"type": "boolean"}, "objects": {"type": "array", "items": {"type": "object"}}}),
    "_objects": ("200", {"more": {"type": "boolean"}, "objects": {"type": "array", "items": {"type": "object"}}}),
    "_object": ("200", {"more": {"type": "boolean"}, "objects": {"type": "array", "items": {"type": "object"}}}),
    "_versions": ("200", {"more": {"type": "boolean"}, "versions": {"type": "array", "items": _TIME}}),
    "_add": ("202", {"id": _TEXT, "status": {"const": "complete"}, "total_count": {"type": "integer"}}),
    "_remove": ("200", {}),
    "_node": ("200", {"what": {"const": "node message"}, "version": {"const": 1}, "to": _TEXT, "head": _TEXT}),
}


@cache
def described() -> bytes:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    told = {
        "openapi": "3.1.0",
        "info": {"title": "TAXII 2.1, as Tocsin serves it", "version": "2.1"},
        "paths": paths,
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    return orjson.dumps(told)


def _operation(route: Route) -> dict[str, Any]:
    name = route.work.__name__
    status, properties = _SUCCESS[name]
    body = {"type": "object", "properties": properties}
    faults = ["400", "401", "404", "406", "429"]
    faults += ["403"] if "{collection}" in route.path else []
    faults += ["413", "415"] if route.method == "POST" else []
    faults += ["403", "503"] if name == "_node" else []
    told: dict[str, Any] = {
        "operationId": name.strip("_"),
        "summary": route.says,
        "parameters": [_of_path(part) for part in re.findall(r"{(\w+)}", route.path)] + _filters(name),
        "responses": {status: {"description": "done", "content": {route.speaks: {"schema": body}}}}
        | {fault: {"description": "refused", "content": {MEDIA: {"schema": _FAULT}}} for fault in sorted(faults)},
    }
    if route.method == "POST":
        sent = body if name == "_node" else _ENVELOPE
        told["requestBody"] = {"required": True, "content": {route.speaks: {"schema": sent}}}
    return told


def _of_path(part: str) -> dict[str, Any]:
    return {"name": part, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _filters(name: str) -> list[dict[str, Any]]:
    kind = {"_remove": "delete"}.get(name, name.strip("_"))
    named = [*FILTERS.get(kind, ())]
    schema = {"added_after": _TIME}
    found = [{"name": one, "in": "query", "schema": schema.get(one, _TEXT)} for one in named]
    if name in _PAGED:
        found.append({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}})
        found.append({"name": "next", "in": "query", "schema": _TEXT})
    return found
