"""A STIX bundle in, its objects out as JSON holds them, and back: for those who pass objects on as they are."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tocsin.errors import IndicatorError

MOST_BYTES: Final = 256 << 20
MOST_OBJECTS: Final = 2_000_000
_HINT: Final = "Name a bundle of STIX 2.1, such as `tocsin respond --out` writes."


def read_objects(path: Path) -> tuple[list[dict[str, Any]], str]:
    """The objects of a bundle, and the SHA-256 of its file.

    Raises:
        IndicatorError: it cannot be read, is no bundle, or is one that readers of JSON take in different ways.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise IndicatorError(f"{path}: {error.strerror or error}", hint=_HINT) from error
    if len(content) > MOST_BYTES:
        raise IndicatorError(f"{path}: larger than {MOST_BYTES >> 20} MiB", hint=_HINT)
    try:
        whole = json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise IndicatorError(f"{path}: is not JSON that can be passed on: {error}", hint=_HINT) from error
    objects = whole.get("objects") if isinstance(whole, dict) and whole.get("type") == "bundle" else None
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise IndicatorError(f"{path}: is no bundle of STIX objects", hint=_HINT)
    if len(objects) > MOST_OBJECTS:
        raise IndicatorError(f"{path}: more than {MOST_OBJECTS:,} objects", hint=_HINT)
    return objects, hashlib.sha256(content).hexdigest()


def read_object(content: bytes) -> dict[str, Any]:
    """One object of STIX from its bytes.

    Raises:
        ValueError: it is none, or readers of JSON take it in different ways.
    """
    found = read_json(content)
    if isinstance(found, dict) and isinstance(found.get("id"), str) and isinstance(found.get("type"), str):
        return found
    raise ValueError("no object with a type and an id")


def read_json(content: bytes) -> Any:
    """JSON of which all readers take the same.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("too deeply nested") from error


def as_bundle(objects: Sequence[Mapping[str, Any]]) -> str:
    """A bundle of objects as text; the same objects give the same bytes."""
    told = [as_object(one) for one in objects]
    named = made_id(hashlib.sha256("\n".join(told).encode()).digest())
    lines = ",\n".join(told)
    return f'{{"type":"bundle","id":"bundle--{named}","objects":[\n{lines}\n]}}\n'


def as_object(one: Mapping[str, Any]) -> str:
    """One object as it stands in a bundle of ours."""
    return json.dumps(one, ensure_ascii=True, separators=(",", ":"))


def made_id(digest: bytes) -> uuid.UUID:
    """A digest in the form of a random id, which STIX 2.1 (section 2.9) wants of all that is no observable."""
    return uuid.UUID(bytes=digest[:16], version=4)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that is there twice is read by one as the first, by another as the last: one would hide behind it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")
