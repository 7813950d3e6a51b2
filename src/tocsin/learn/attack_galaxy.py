"""Clusters of the MISP project's galaxies of ATT&CK in, the parts of a release out: Enterprise, facts only.

Clusters hold all domains, tell no release and no citations, and do not tell what was deprecated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin.learn.attack_parts import Parts, aliases, entry_of, mappings, texts
from tocsin.model.attack import Entry, Kind

_KINDS: Final[Mapping[str, Kind]] = {
    "mitre-attack-pattern": "technique",  # and tactics
    "mitre-intrusion-set": "group",
    "mitre-malware": "malware",
    "mitre-tool": "tool",
    "mitre-campaign": "campaign",
}
_MITIGATIONS: Final = "mitre-course-of-action"
_MOBILE: Final = frozenset({"Android", "iOS"})

# Tactics of other domains go by the same names: PRE-ATT&CK, Mobile, ICS.
_OTHER_TACTICS: Final = frozenset(f"TA{number:04}" for number in (*range(12, 40), 41, *range(100, 112)))


def fits(document: object) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("values"), list):
        return False
    return isinstance(document.get("type"), str) and document["type"] in (*_KINDS, _MITIGATIONS)


def read(documents: Sequence[Mapping[str, Any]]) -> Parts:
    """All clusters of one release together: what a group uses decides which domain it belongs to."""
    parts = Parts()
    platforms: dict[str, frozenset[str]] = {}
    for document in documents:
        if document["type"] == _MITIGATIONS:
            _mitigate(document, parts)
            continue
        kind = _KINDS[document["type"]]
        for value in mappings(document["values"]):
            _enter(kind, value, parts, platforms)
    _keep_enterprise(parts, platforms)
    return parts


def _enter(kind: Kind, value: Mapping[str, Any], parts: Parts, platforms: dict[str, frozenset[str]]) -> None:
    meta = value.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    number, name = meta.get("external_id"), value.get("value")
    if kind == "technique" and isinstance(number, str) and number.startswith("TA"):
        kind = "tactic"
    if isinstance(name, str) and isinstance(number, str):
        name = name.removesuffix(f" - {number}")
    entry = entry_of(
        kind,
        number=number,
        uuid=value.get("uuid"),
        name=name,
        state="revoked" if value.get("revoked") is True else "live",
        tactics=_tactics(meta) if kind == "technique" else (),
        aliases=aliases(kind, name, texts(meta.get("synonyms"))),
    )
    if isinstance(entry, str):
        parts.left_out[entry] += 1
        return
    parts.add(entry)
    platforms[entry.uuid] = frozenset(texts(meta.get("mitre_platforms")))
    for related in mappings(value.get("related")):
        other = related.get("dest-uuid")
        if not isinstance(other, str):
            continue
        if related.get("type") == "revoked-by":
            parts.revoked.add((entry.uuid, other))
        elif related.get("type") in ("uses", "attributed-to"):
            parts.links.setdefault((entry.uuid, other), set())


def _mitigate(document: Mapping[str, Any], parts: Parts) -> None:
    """Those of other domains are against nothing of Enterprise, and so fall away."""
    for value in mappings(document["values"]):
        meta = value.get("meta")
        number, name = meta.get("external_id") if isinstance(meta, dict) else None, value.get("value")
        if isinstance(name, str) and isinstance(number, str):
            name = name.removesuffix(f" - {number}")
        parts.mitigation(number=number, uuid=value.get("uuid"), name=name)
        for related in mappings(value.get("related")):
            if related.get("type") == "mitigates" and isinstance(related.get("dest-uuid"), str):
                parts.mitigates.add((str(value.get("uuid")), related["dest-uuid"]))


def _tactics(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Of `attack-Windows:stealth` the tactic; other domains are `mobile-attack-...` and `pre-attack`."""
    pairs = (phase.partition(":") for phase in texts(meta.get("kill_chain")))
    return tuple(
        sorted({tactic for chain, _, tactic in pairs if chain == "mitre-attack" or chain.startswith("attack-")})
    )


def _keep_enterprise(parts: Parts, platforms: Mapping[str, frozenset[str]]) -> None:
    """Clusters do not tell the domain of an object; its tactics do, or what it became, or what software uses."""
    techniques = _enterprise_techniques(parts)
    uses: dict[str, set[bool]] = {}
    for source, target in parts.links:
        if (used := parts.entries.get(target)) is not None and used.kind == "technique":
            uses.setdefault(source, set()).add(target in techniques)

    def is_kept(entry: Entry) -> bool:
        if entry.kind == "technique":
            return entry.uuid in techniques
        if entry.kind == "tactic":
            return entry.id not in _OTHER_TACTICS
        if entry.kind == "group":
            return True  # people are in no domain
        if used := uses.get(entry.uuid):
            return True in used
        return not (platforms[entry.uuid] and platforms[entry.uuid] <= _MOBILE)

    dropped = {uuid for uuid, entry in parts.entries.items() if not is_kept(entry)}
    parts.left_out["an object of another domain"] += len(dropped)
    parts.entries = {uuid: entry for uuid, entry in parts.entries.items() if uuid not in dropped}
    parts.links = {ends: cited for ends, cited in parts.links.items() if dropped.isdisjoint(ends)}
    parts.revoked = {ends for ends in parts.revoked if dropped.isdisjoint(ends)}


def _enterprise_techniques(parts: Parts) -> set[str]:
    """Those of an Enterprise tactic, and of none those that became one of them, in however many steps."""
    found = {uuid for uuid, entry in parts.entries.items() if entry.tactics}
    before: dict[str, list[str]] = {}
    for old, new in parts.revoked:
        before.setdefault(new, []).append(old)
    ahead = list(found)
    while ahead:
        for old in before.get(ahead.pop(), ()):
            entry = parts.entries.get(old)
            if old not in found and entry is not None and entry.kind == "technique" and not entry.tactics:
                found.add(old)
                ahead.append(old)
    return found
