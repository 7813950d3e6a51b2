"""Sysmon events in, what they are as STIX objects out, and the reference matcher's word on a pattern over them.

Written from the standard alone, so that it shares nothing with the table of the engine.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from stix2matcher.matcher import match

Bundle = dict[str, Any]


def bundle(event: Mapping[str, Any]) -> Bundle:
    """One observation: an `observed-data` object and the objects it refers to."""
    objects: list[dict[str, Any]] = []

    def made(kind: str, **fields: Any) -> str:
        identity = f"{kind}--{uuid.uuid4()}"  # the reference matcher merges bundles that share some
        kept = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
        if kept:
            objects.append({"type": kind, "id": identity, **kept})
        return identity if kept else ""

    def file(path: str, hashes: Mapping[str, str]) -> str:
        folder, slash, name = path.rpartition("\\")
        return made(
            "file",
            name=name,
            hashes=dict(hashes),
            parent_directory_ref=made("directory", path=folder) if slash else "",
        )

    if event["EventID"] == 1:
        digests = dict(one.split("=") for one in event.get("Hashes", "").split(",") if one)
        names = {"SHA256": "SHA-256", "MD5": "MD5", "SHA1": "SHA-1"}
        hashes = {names[name]: value.lower() for name, value in digests.items()}
        user = event.get("User", "")
        parent = made(
            "process",
            command_line=event.get("ParentCommandLine"),
            image_ref=file(event["ParentImage"], {}) if "ParentImage" in event else "",
        )
        made(
            "process",
            command_line=event.get("CommandLine"),
            pid=int(event["ProcessId"]) if "ProcessId" in event else None,
            image_ref=file(event.get("Image", ""), hashes),
            parent_ref=parent,
            creator_user_ref=made("user-account", user_id=user, account_login=user.rpartition("\\")[2]),
        )
    else:
        ends = {}
        for side, name in (("src", "SourceIp"), ("dst", "DestinationIp")):
            value = event.get(name, "")
            ends[f"{side}_ref"] = made("ipv6-addr" if ":" in value else "ipv4-addr", value=value)
        made(
            "network-traffic",
            **ends,
            src_port=event.get("SourcePort"),
            dst_port=event.get("DestinationPort"),
            protocols=[event["Protocol"]] if event.get("Protocol") else [],
        )
    moment = datetime.fromtimestamp(event["second"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seen = {
        "type": "observed-data",
        "id": f"observed-data--{uuid.uuid4()}",
        "number_observed": 1,
        "first_observed": moment,
        "last_observed": moment,
        "object_refs": [one["id"] for one in objects],
    }
    return {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [seen, *objects]}


def matches(pattern: str, events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the reference matcher finds the pattern in these events together."""
    return bool(events) and bool(match(pattern, [bundle(one) for one in events], stix_version="2.1"))
