"""What is to be said in, objects of STIX 2.1 that say it out, by id, under one author, one time and one marking.

Ids of observables follow section 2.9 of the standard; those of all else are made of what the object says.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

from tocsin.border import markings
from tocsin.border.bundles import made_id
from tocsin.observe.names import base_name, folder
from tocsin.seal.canonical import canonical

MOST_TEXT: Final = 8_192  # characters of one value

_OBSERVABLES: Final = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # section 2.9
_NAMED: Final[Mapping[str, tuple[str, ...]]] = {  # section 6: what the id of each is made of
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "mutex": ("name",),
    "url": ("value",),
    "windows-registry-key": ("key", "values"),
    "directory": ("path",),
    "file": ("hashes", "name", "parent_directory_ref"),
    "user-account": ("account_type", "user_id", "account_login"),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Made:
    """Objects by id, in the order in which they were added, and what is common to all of them."""

    def __init__(self, author: str, tlp: str, at: str) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.at = at
        self.tlp = tlp
        self.author = ""
        self._mark(tlp)
        self.author = self.add("identity", name=author, identity_class="system")

    def _mark(self, tlp: str) -> str:
        one = markings.definition(tlp)
        self.objects.setdefault(one["id"], one)
        return str(one["id"])

    def add(self, kind: str, marking: str = "", **told: Any) -> str:
        """Add an object that says something; gives its id."""
        by = {"created_by_ref": self.author} if self.author else {}
        body = {
            "type": kind,
            "spec_version": "2.1",
            "created": self.at,
            "modified": self.at,
            **by,
            **clean(told),
            "object_marking_refs": [self._mark(marking or self.tlp)],
        }
        named = f"{kind}--{of_content(body)}"
        self.objects.setdefault(named, {"type": kind, "spec_version": "2.1", "id": named, **body})
        return named

    def observable(self, kind: str, place: object = None, **told: Any) -> str:
        """Add an observable; gives its id. `place` tells those apart that have no property which would."""
        told = clean(told)
        parts = {key: told[key] for key in _NAMED.get(kind, ()) if key in told}
        one = uuid.uuid5(_OBSERVABLES, canonical(parts).decode()) if parts else of_content([kind, place, told])
        named = f"{kind}--{one}"
        marks = [self._mark(self.tlp)]
        body = {"type": kind, "spec_version": "2.1", "id": named, "object_marking_refs": marks}
        self.objects.setdefault(named, body | told)
        return named

    def host(self, name: str) -> str:
        return self.add("identity", name=name, identity_class="system")

    def address(self, text: str) -> str | None:
        try:
            found = ip_address(text)
        except ValueError:
            return None
        return self.observable(f"ipv{found.version}-addr", value=str(found))

    def account(self, text: str) -> str | None:
        if text.upper().startswith("S-1-"):
            return self.observable("user-account", user_id=text)
        return self.observable("user-account", account_login=text) if text else None

    def file(self, path: str) -> str | None:
        name, place = base_name(path), folder(path)
        if not name:
            return None
        parent = {"parent_directory_ref": self.observable("directory", path=place)} if place else {}
        return self.observable("file", name=name, **parent)


def of_content(content: Any) -> uuid.UUID:
    return made_id(hashlib.sha256(canonical(content)).digest())


def clean(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty lists and texts, which STIX forbids, and texts as UTF-8 can hold them."""
    return {key: texts_of(value) for key, value in told.items() if value not in ("", [], None)}


def texts_of(value: Any) -> Any:
    if isinstance(value, str):
        whole = value.encode("utf-8", "backslashreplace").decode()
        return whole if len(whole) <= MOST_TEXT else f"{whole[:MOST_TEXT]}…"
    if isinstance(value, list):
        return [texts_of(one) for one in value]
    return {key: texts_of(one) for key, one in value.items()} if isinstance(value, dict) else value


def time_of(us: int | None) -> str:
    """Section 3.3; '' of none, and of one that no calendar has."""
    try:
        at = _EPOCH + timedelta(microseconds=us) if us is not None else None
    except OverflowError:
        return ""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z" if at else ""
