"""What STIX saw or looks for in, the attributes and objects of MISP that say the same out (MISP core format).

Templates of objects are those of the MISP project; their ids and versions are what other MISPs know them by.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tocsin.border.stix_valid import time_us
from tocsin.border.tally import text

MOST_REFS: Final = 10_000  # of one object, as many as a server of ours takes

# Name of a template: its id, version and category.
TEMPLATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "course-of-action": ("3d1c2c06-68a9-4394-8c8d-258d115f796f", "1", "misc"),
    "file": ("688c46fb-5edb-40a3-8273-1af7923e2215", "25", "file"),
    "network-connection": ("af16764b-f8e5-4603-9de1-de34d272f80b", "7", "network"),
    "process": ("02aeef94-ac23-455c-addb-731757ceafb5", "10", "misc"),
    "registry-key": ("8b3228ad-6d82-4fe6-b2ae-05426308f1d5", "5", "file"),
    "vulnerability": ("81650945-f186-437b-8945-9f31715d32da", "12", "vulnerability"),
    "user-account": ("49606b06-22f0-4ac8-8eee-2f12ad46f3d3", "6", "misc"),
}
CATEGORIES: Final[Mapping[str, str]] = {
    "AS": "Network activity",
    "campaign-name": "Attribution",
    "domain": "Network activity",
    "email": "Social network",
    "filename": "Payload delivery",
    "hostname": "Network activity",
    "ip-dst": "Network activity",
    "ip-src": "Network activity",
    "md5": "Payload delivery",
    "mutex": "Artifacts dropped",
    "port": "Network activity",
    "regkey": "Persistence mechanism",
    "sha1": "Payload delivery",
    "sha256": "Payload delivery",
    "sha512": "Payload delivery",
    "sigma": "Payload installation",
    "snort": "Network activity",
    "ssdeep": "Payload delivery",
    "stix2-pattern": "Payload installation",
    "target-machine": "Targeting data",
    "target-org": "Targeting data",
    "target-user": "Targeting data",
    "threat-actor": "Attribution",
    "url": "Network activity",
    "vulnerability": "External analysis",
    "yara": "Payload installation",
}
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512", "SSDEEP": "ssdeep"}
_VALUES: Final[Mapping[str, tuple[str, str]]] = {  # type of STIX: property, type of MISP
    "ipv4-addr": ("value", "ip-dst"),
    "ipv6-addr": ("value", "ip-dst"),
    "domain-name": ("value", "domain"),
    "url": ("value", "url"),
    "email-addr": ("value", "email"),
    "mutex": ("name", "mutex"),
    "autonomous-system": ("number", "AS"),
}
_PATHS: Final[Mapping[str, str]] = {
    **{f"{kind}:{name}": other for kind, (name, other) in _VALUES.items() if kind != "autonomous-system"},
    **{f"file:hashes.{name}": other for name, other in _DIGESTS.items()},
    "file:name": "filename",
    "windows-registry-key:key": "regkey",
    "network-traffic:src_ref.value": "ip-src",
    "network-traffic:dst_ref.value": "ip-dst",
}
_LANGUAGES: Final = frozenset({"sigma", "snort", "yara"})
_ONE_TEST: Final = re.compile(r"\[\s*([a-z0-9-]+:[\w.'-]+)\s*=\s*'((?:[^'\\]|\\['\\])*+)'\s*\]")

Found = Mapping[str, Mapping[str, Any]]  # objects of a bundle by id


def attribute(named: str, kind: str, value: object, *, to_ids: bool = False, **more: Any) -> dict[str, Any]:
    """An attribute that gets its distribution from the event that it stands in."""
    return {
        "uuid": named,
        "type": kind,
        "category": CATEGORIES.get(kind, "Other"),
        "value": str(value),
        "to_ids": to_ids,
        "distribution": "5",
        **{key: one for key, one in more.items() if one not in ("", None, [])},
    }


def wanted(one: Mapping[str, Any]) -> tuple[str, str]:
    """The type of attribute, and its value, that asks what the pattern of an indicator asks; two '' where none does."""
    pattern, language = str(one.get("pattern", "")), str(one.get("pattern_type", "stix"))
    if language != "stix":
        return (language, pattern) if language in _LANGUAGES else ("", "")
    found = _ONE_TEST.fullmatch(pattern.strip())
    kind = _PATHS.get(found[1].replace("'", "")) if found else None
    if found is None or kind is None:
        return "stix2-pattern", pattern
    return kind, re.sub(r"\\(.)", r"\1", found[2])


def seen(one: Mapping[str, Any]) -> tuple[str, str] | None:
    """The type of attribute for an observable that is one value, and that value."""
    if (way := _VALUES.get(str(one.get("type")))) and (value := one.get(way[0])) not in ("", None):
        return way[1], f"AS{value}" if way[1] == "AS" else str(value)
    return None


def thing(one: Mapping[str, Any], found: Found, fresh: Callable[[Mapping[str, Any]], str]) -> dict[str, Any] | None:
    """An object of MISP for an observable of several values; None for what no template is for. `fresh` names it."""
    name, told = _told(one, found)
    if not told:
        return None
    named = fresh(one)
    template, version, category = TEMPLATES[name]
    return {
        "uuid": named,
        "name": name,
        "meta-category": category,
        "template_uuid": template,
        "template_version": version,
        "distribution": "5",
        "Attribute": [
            attribute(within(named, f"{relation}={value}"), kind, value, object_relation=relation)
            for relation, kind, value in dict.fromkeys(told)
        ],
        "ObjectReference": [],
    }


_Told = list[tuple[str, str, str]]


def _told(one: Mapping[str, Any], found: Found) -> tuple[str, _Told]:
    kind = str(one.get("type"))
    if kind == "file":
        hashes = one.get("hashes")
        digests = (
            [(_DIGESTS.get(key), text(value)) for key, value in hashes.items()] if isinstance(hashes, dict) else []
        )
        place = text(_of(one, "parent_directory_ref", found).get("path"))
        return "file", [
            *((way, way, value) for way, value in digests if way and value),
            *_some(one, [("name", "filename", "filename"), ("size", "size-in-bytes", "size-in-bytes")]),
            *([("path", "text", place)] if place else []),
        ]
    if kind == "process":
        return "process", [
            *_some(one, [("command_line", "command-line", "text"), ("pid", "pid", "text")]),
            *_some(one, [("created_time", "creation-time", "datetime"), ("cwd", "current-directory", "text")]),
            *_some(_of(one, "image_ref", found), [("name", "image", "filename")]),
            *_some(_of(one, "creator_user_ref", found), [("account_login", "user-creator", "text")]),
            *_some(_of(one, "parent_ref", found), [("command_line", "parent-command-line", "text")]),
        ]
    if kind == "user-account":
        names = [("account_login", "username"), ("user_id", "user-id"), ("display_name", "display-name")]
        return "user-account", _some(
            one, [(name, way, "text") for name, way in (*names, ("account_type", "account-type"))]
        )
    if kind == "windows-registry-key":
        values = one.get("values")
        first = values[0] if isinstance(values, list) and values and isinstance(values[0], dict) else {}
        return "registry-key", [
            *_some(one, [("key", "key", "regkey")]),
            *_some(first, [("name", "name", "text"), ("data", "data", "text"), ("data_type", "data-type", "text")]),
        ]
    if kind == "network-traffic":
        return "network-connection", _connection(one, found)
    if kind == "vulnerability":
        return kind, _some(one, [("name", "id", "vulnerability"), ("description", "description", "text")])
    if kind == "course-of-action":
        return kind, _some(one, [("name", "name", "text"), ("description", "description", "text")])
    return "", []


def _connection(one: Mapping[str, Any], found: Found) -> _Told:
    told: _Told = []
    for side in ("src", "dst"):
        other = _of(one, f"{side}_ref", found)
        way = "hostname" if other.get("type") == "domain-name" else "ip"
        kind = "hostname" if way == "hostname" else f"ip-{side}"
        told += _some(other, [("value", f"{way}-{side}", kind)])
        told += _some(one, [(f"{side}_port", f"{side}-port", "port")])
    protocols = one.get("protocols")
    last = text(protocols[-1]).upper() if isinstance(protocols, list) and protocols else ""
    return [*told, ("layer4-protocol", "text", last)] if told and last in {"TCP", "UDP", "SCTP"} else told


def _some(one: Mapping[str, Any], names: Sequence[tuple[str, str, str]]) -> _Told:
    return [
        (relation, kind, str(one[name]))
        for name, relation, kind in names
        if isinstance(one.get(name), (str, int)) and one[name] != ""
    ]


def _of(one: Mapping[str, Any], name: str, found: Found) -> Mapping[str, Any]:
    return found.get(str(one.get(name)), {})


def bare(one: Mapping[str, Any]) -> str:
    """The UUID in an id of STIX, so that both sides know a thing by one number."""
    return str(one.get("id", "")).partition("--")[2].lower()


def within(named: str, what: str) -> str:
    """An id for a part of a thing: the same part has the same."""
    return str(uuid.uuid5(uuid.UUID(named), what))


def seconds(told: object) -> str:
    """A time of STIX as MISP counts it."""
    us = time_us(told)
    return str((us or 0) // 1_000_000)


def moment(told: object) -> str:
    """A time of STIX as MISP writes it; '' for none."""
    us = time_us(told)
    if us is None:
        return ""
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06}+00:00"


def references(one: Mapping[str, Any], made: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What an observable refers to that stands in the event, too: how, and its id of STIX."""
    for name, word in (("parent_ref", "child-of"), ("image_ref", "executes"), ("src_ref", "from"), ("dst_ref", "to")):
        if str(one.get(name)) in made:
            yield word, str(one[name])
