"""An object that may go in, the same with pseudonyms for names of ours out, or why it cannot go at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tocsin.share.hidden import Hidden

# Properties without which a type is no object of STIX 2.1 (sections 4 to 6).
REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "attack-pattern": frozenset({"name"}),
    "campaign": frozenset({"name"}),
    "course-of-action": frozenset({"name"}),
    "directory": frozenset({"path"}),
    "domain-name": frozenset({"value"}),
    "email-addr": frozenset({"value"}),
    "grouping": frozenset({"context", "object_refs"}),
    "identity": frozenset({"name"}),
    "incident": frozenset({"name"}),
    "indicator": frozenset({"pattern", "pattern_type", "valid_from"}),
    "infrastructure": frozenset({"name"}),
    "intrusion-set": frozenset({"name"}),
    "ipv4-addr": frozenset({"value"}),
    "ipv6-addr": frozenset({"value"}),
    "mac-addr": frozenset({"value"}),
    "malware": frozenset({"is_family"}),
    "malware-analysis": frozenset({"product"}),
    "mutex": frozenset({"name"}),
    "network-traffic": frozenset({"protocols"}),
    "note": frozenset({"content", "object_refs"}),
    "observed-data": frozenset({"first_observed", "last_observed", "number_observed", "object_refs"}),
    "opinion": frozenset({"opinion", "object_refs"}),
    "relationship": frozenset({"relationship_type", "source_ref", "target_ref"}),
    "report": frozenset({"name", "published", "object_refs"}),
    "sighting": frozenset({"sighting_of_ref"}),
    "software": frozenset({"name"}),
    "threat-actor": frozenset({"name"}),
    "tool": frozenset({"name"}),
    "url": frozenset({"value"}),
    "vulnerability": frozenset({"name"}),
}
NEVER: Final[Mapping[str, str]] = {
    "artifact": "it is content that nobody can look through",
    "mac-addr": "it is the number of a machine of somebody's",
}
_MAIL: Final = frozenset({"subject", "body", "body_multipart", "received_lines", "additional_header_fields"})
_AS_THEY_ARE: Final = frozenset({"type", "id", "spec_version", "created", "modified", "granular_markings"})
_ADDRESSES: Final = frozenset({"ipv4-addr", "ipv6-addr"})
_WHOLE: Final[Mapping[str, tuple[str, ...]]] = {"user-account": ("user_id", "account_login", "display_name")}
_INVALID: Final = "invalid"  # RFC 2606: a name that nobody has


def renamed(one: dict[str, Any], hidden: Hidden, changes: list[str]) -> str:
    """Replace names in place, and tell what was changed; why the object cannot go, or ''."""
    kind = str(one["type"])
    if kind in _ADDRESSES and hidden.is_inside(str(one.get("value", ""))):
        return "it is an address of ours"
    if kind == "indicator" and hidden.holds(str(one.get("pattern", ""))):
        return "its pattern names something of ours"
    if kind == "email-message":
        for name in sorted(_MAIL & one.keys()):
            del one[name]
            changes.append(f"{name} is content of mail")
    for name in [name for name in one if name not in _AS_THEY_ARE and not name.endswith(("_ref", "_refs"))]:
        if hidden.holds(name):
            del one[name]
            changes.append("a property was named after something of ours")
            continue
        told = _told(one[name], hidden)
        if told == one[name]:
            continue
        if kind == "domain-name" and name == "value":
            told = f"{hidden.pseudonym('domain', str(one[name]).lower())}.{_INVALID}"
        elif kind == "email-addr" and name == "value":
            told = f"{hidden.pseudonym('account', str(one[name]).lower())}@{_INVALID}"
        elif name in _WHOLE.get(kind, ()):
            told = hidden.pseudonym("account", str(one[name]).lower())
        one[name] = told
        changes.append(f"{name} has pseudonyms")
    return ""


def _told(value: Any, hidden: Hidden) -> Any:
    if isinstance(value, str):
        return hidden.replaced(value)
    if isinstance(value, list):
        return [_told(one, hidden) for one in value]
    if isinstance(value, dict):
        return {key: _told(one, hidden) for key, one in value.items() if not hidden.holds(key)}
    return value
