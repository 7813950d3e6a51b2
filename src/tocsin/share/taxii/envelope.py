"""The body of a request in, its objects out, each with its bytes as they came (TAXII 2.1, section 3.7).

What readers of JSON take in different ways is refused: keys that are there twice, numbers that are none or too large,
text that is no UTF-8. A body is divided before anything is built of it, so one bad object leaves the others whole.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import msgspec
import orjson

from tocsin.border import stix_valid
from tocsin.share.taxii.refused import Refused

MOST_BYTES: Final = 64 << 20  # of a body
MOST_OBJECTS: Final = 100_000
MOST_OBJECT_BYTES: Final = 1 << 20
MOST_DEPTH: Final = 40
MOST_REFS: Final = 10_000  # of one object


class _Envelope(msgspec.Struct):
    objects: list[msgspec.Raw]
    more: bool = False
    next: str = ""


class Read(msgspec.Struct, frozen=True, gc=False):
    """One object. Nothing in it can refer to it, so that nobody need look for such circles among ten thousand.

    Args:
        content: as it came.
        body: None where it cannot be read.
        fault: why it is not taken; '' where it is.
        digest: of the object whatever the order of its keys, and spaces between.
        version_us: None where it has no version of its own.
        id: '' where it has none.
        refs: ids that it refers to, where it is taken.
    """

    content: bytes
    body: dict[str, Any] | None
    fault: str
    digest: bytes = b""
    version_us: int | None = None
    id: str = ""
    refs: frozenset[str] = frozenset()


def divided(body: bytes) -> list[bytes]:
    """The objects of an envelope, unread.

    Raises:
        Refused: it is no envelope.
    """
    if len(body) > MOST_BYTES:
        raise Refused(413, "The message is too large", f"At most {MOST_BYTES:,} bytes are taken at once.")
    try:
        found = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "The message is no envelope of TAXII 2.1", str(error)[:300]) from error
    if len(found.objects) > MOST_OBJECTS:
        raise Refused(413, "The message has too many objects", f"At most {MOST_OBJECTS:,} are taken at once.")
    return [bytes(one) for one in found.objects]


def read(content: bytes) -> Read:
    """One object, read and held to the standard."""
    if len(content) > MOST_OBJECT_BYTES:
        return Read(content, None, f"it is larger than {MOST_OBJECT_BYTES:,} bytes")
    # Brackets in texts count too: that only makes the check that is slow come a little too often.
    if content.count(b"{") + content.count(b"[") > MOST_DEPTH and _depth(content) > MOST_DEPTH:
        return Read(content, None, f"it is nested more than {MOST_DEPTH} deep")
    try:
        body = orjson.loads(content)
        if not isinstance(body, dict):
            return Read(content, None, "it is no object")
        ordered = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        if _texts(content) != _texts(ordered) or (b"\\" in content and b'\\\\"' in content):
            json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        return Read(content, None, f"it cannot be read: {str(error)[:200]}")
    digest = hashlib.sha256(ordered).digest()
    fault = stix_valid.fault(body)
    refs = frozenset() if fault else frozenset(refs_of(body))
    if len(refs) > MOST_REFS:
        fault = f"it refers to more than {MOST_REFS:,} others"
    version = stix_valid.time_us(body.get("modified") or body.get("created"))
    named = body.get("id")
    return Read(content, body, fault, digest, version, named if isinstance(named, str) else "", refs)


def refs_of(body: dict[str, Any]) -> set[str]:
    """The ids that an object refers to, with its markings."""
    found: set[str] = set()
    for name, value in body.items():
        if "_ref" in name:
            if isinstance(value, str) and name.endswith("_ref"):
                found.add(value)
            elif isinstance(value, list) and name.endswith("_refs"):
                found.update(one for one in value if isinstance(one, str))
    granular = body.get("granular_markings")
    if isinstance(granular, list):
        found.update(str(one["marking_ref"]) for one in granular if isinstance(one, dict) and "marking_ref" in one)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _texts(content: bytes) -> int:
    """How many quotes begin and end texts, where none ends in a backslash. A key that is there twice makes it more."""
    return content.count(b'"') - (content.count(b'\\"') if b"\\" in content else 0)


def _depth(content: bytes) -> int:
    """How deep brackets are nested outside of texts."""
    deep = most = 0
    inside = escaped = False
    for byte in content:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"{[":
            deep += 1
            most = max(most, deep)
        elif byte in b"}]":
            deep -= 1
    return most
