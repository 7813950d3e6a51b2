"""Small releases of ATT&CK in, the files that they would come in out: STIX bundles and clusters of a galaxy."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

_TYPES = {
    "TA": "x-mitre-tactic",
    "T": "attack-pattern",
    "G": "intrusion-set",
    "S": "malware",
    "C": "campaign",
    "M": "course-of-action",
}


def uuid_of(number: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, number))


def ref(number: str) -> str:
    kind = next(_TYPES[start] for start in _TYPES if number.startswith(start))
    return f"{kind}--{uuid_of(number)}"


def stix_object(number: str, *tactics: str, **more: Any) -> dict[str, Any]:
    return {
        "type": ref(number).partition("--")[0],
        "id": ref(number),
        "modified": "2025-01-01T00:00:00.000Z",
        "name": f"Name of {number}",
        "external_references": [
            {"source_name": "mitre-attack", "external_id": number, "url": f"https://example.org/{number}"},
            {"source_name": "A report", "url": "https://example.org/report"},
        ],
        "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": tactic} for tactic in tactics],
        "x_mitre_domains": ["enterprise-attack"],
        "description": "NO DESCRIPTION IS KEPT",
        **more,
    }


def stix_link(kind: str, source: str, target: str, *cited: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "relationship",
        "id": f"relationship--{uuid_of(kind + source + target)}",
        "relationship_type": kind,
        "source_ref": ref(source),
        "target_ref": ref(target),
        "external_references": [{"source_name": name, "url": f"https://example.org/{name}"} for name in cited],
        "description": "NO DESCRIPTION IS KEPT",
        **more,
    }


def bundle(*objects: Any, version: str = "") -> dict[str, Any]:
    """With a version it says which release it is, as MITRE's bundles of STIX 2.1 do."""
    collection = {"type": "x-mitre-collection", "id": "x-mitre-collection--1", "name": "Enterprise ATT&CK"}
    known = [{**collection, "x_mitre_version": version}] if version else []
    return {"type": "bundle", "id": "bundle--1", "objects": [*known, *objects]}


def cluster(kind: str, *values: Any) -> dict[str, Any]:
    return {"type": kind, "version": 1, "values": list(values)}


def value(number: str, *chains: str, related: list[tuple[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    meta = {"external_id": number, **({"kill_chain": list(chains)} if chains else {}), **more.pop("meta", {})}
    return {
        "uuid": uuid_of(number),
        "value": f"Name of {number} - {number}",
        "description": "NO DESCRIPTION IS KEPT",
        "meta": meta,
        "related": [{"type": kind, "dest-uuid": uuid_of(other)} for kind, other in related or []],
        **more,
    }


def write(path: Path, document: Any) -> str:
    content = json.dumps(document).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)
