"""A STIX bundle of ATT&CK (2.0 or 2.1) in, the parts of its release out: Enterprise, facts only, no descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tocsin.learn import attack_dates
from tocsin.learn.attack_parts import MOST_ADDRESS, MOST_NAME, Parts, aliases, entry_of, mappings, texts
from tocsin.model.attack import Kind, State

_KINDS: Final[Mapping[str, Kind]] = {
    "x-mitre-tactic": "tactic",
    "attack-pattern": "technique",
    "intrusion-set": "group",
    "malware": "malware",
    "tool": "tool",
    "campaign": "campaign",
}
_DOMAIN: Final = "enterprise-attack"
_NAMES_OF_SOURCE: Final = "mitre-attack"  # of external ids and of kill chains


def fits(document: object) -> bool:
    return isinstance(document, dict) and document.get("type") == "bundle" and isinstance(document.get("objects"), list)


def version(document: Mapping[str, Any]) -> str:
    """The release that a bundle says it is; those of before STIX 2.1 do not say."""
    collections = (one for one in mappings(document["objects"]) if one.get("type") == "x-mitre-collection")
    told = (one.get("x_mitre_version") for one in collections if "enterprise" in str(one.get("name")).lower())
    names = {one for one in told if isinstance(one, str)}
    return names.pop() if len(names) == 1 else ""


def read(document: Mapping[str, Any]) -> Parts:
    parts = Parts()
    for one in _newest(mappings(document["objects"])):
        if one.get("type") == "relationship":
            _relate(one, parts)
        elif one.get("type") == "course-of-action":
            _mitigate(one, parts)
        elif isinstance(one.get("type"), str) and (kind := _KINDS.get(one["type"])):
            _enter(kind, one, parts)
    return parts


def _newest(objects: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each object in its last version: a bundle may hold several (STIX 2.1 §3.6)."""
    last: dict[object, Mapping[str, Any]] = {}
    for one in objects:
        name = one.get("id")
        if not isinstance(name, str):
            continue
        if name not in last or str(last[name].get("modified")) < str(one.get("modified")):
            last[name] = one
    return list(last.values())


def _enter(kind: Kind, one: Mapping[str, Any], parts: Parts) -> None:
    domains = texts(one.get("x_mitre_domains"))
    if domains and _DOMAIN not in domains:
        parts.left_out["an object of another domain"] += 1
        return
    number = _number(one)
    state: State = "live"
    if one.get("revoked") is True:
        state = "revoked"
    elif one.get("x_mitre_deprecated") is True:
        state = "deprecated"
    phases = mappings(one.get("kill_chain_phases")) if kind == "technique" else []
    tactics = texts([phase.get("phase_name") for phase in phases if phase.get("kill_chain_name") == _NAMES_OF_SOURCE])
    others = [*texts(one.get("aliases")), *texts(one.get("x_mitre_aliases"))]
    entry = entry_of(
        kind,
        number=number,
        uuid=_uuid(one.get("id")),
        name=one.get("name"),
        state=state,
        tactics=tuple(sorted(set(tactics))),
        aliases=aliases(kind, one.get("name"), others),
    )
    if isinstance(entry, str):
        parts.left_out[entry] += 1
        return
    parts.add(entry)
    parts.date(entry.uuid, one.get("created"))
    days = (attack_dates.day(one.get("first_seen")), attack_dates.day(one.get("last_seen")))
    if kind == "campaign" and any(days):
        parts.seen[entry.uuid] = days


def _mitigate(one: Mapping[str, Any], parts: Parts) -> None:
    domains = texts(one.get("x_mitre_domains"))
    if one.get("revoked") is True or one.get("x_mitre_deprecated") is True or (domains and _DOMAIN not in domains):
        return
    parts.mitigation(number=_number(one), uuid=_uuid(one.get("id")), name=one.get("name"))


def _number(one: Mapping[str, Any]) -> object:
    refs = (ref for ref in _references(one) if ref.get("source_name") == _NAMES_OF_SOURCE)
    return next((ref.get("external_id") for ref in refs), None)


def _relate(one: Mapping[str, Any], parts: Parts) -> None:
    if one.get("revoked") is True or one.get("x_mitre_deprecated") is True:
        return
    ends = (_uuid(one.get("source_ref")), _uuid(one.get("target_ref")))
    if one.get("relationship_type") == "revoked-by":
        if _kinds_of(one) <= set(_KINDS):
            parts.revoked.add(ends)
    elif one.get("relationship_type") == "mitigates":
        parts.mitigates.add(ends)
    elif one.get("relationship_type") in ("uses", "attributed-to") and _kinds_of(one) <= set(_KINDS):
        cited = parts.links.setdefault(ends, set())
        parts.date(ends, one.get("created"))
        for ref in _references(one):
            name, address = ref.get("source_name"), ref.get("url")
            if isinstance(name, str) and name.strip() and name != _NAMES_OF_SOURCE:
                name = name.strip()[:MOST_NAME]
                cited.add(name)
                parts.cite(name, address[:MOST_ADDRESS] if isinstance(address, str) else "")


def _references(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return mappings(one.get("external_references"))


def _kinds_of(one: Mapping[str, Any]) -> set[str]:
    return {str(one.get(name)).partition("--")[0] for name in ("source_ref", "target_ref")}


def _uuid(name: object) -> str:
    """Of `attack-pattern--<uuid>` the UUID, which ATT&CK never gives to two objects."""
    return name.partition("--")[2] if isinstance(name, str) else ""
