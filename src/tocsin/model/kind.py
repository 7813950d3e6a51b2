"""Kinds of log source: records of one kind share a table, and a rule names the kind that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tells records of a kind apart, as names of their fields; '' where no field tells it.

    Args:
        log: which of the logs of its kind a record is from: a channel, a program, an event type.
        host: the machine that wrote the record.
    """

    log: str = ""
    host: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    "antivirus": Kind(log="log", host="host"),
    "aws": Kind(log="eventSource"),
    "azure": Kind(log="log"),
    "bitbucket": Kind(log="auditType.category"),
    "cisco": Kind(log="log", host="host"),
    "duo": Kind(log="event_type"),
    "firewall": Kind(log="log", host="host"),
    "gcp": Kind(log="gcp.audit.service_name"),
    "github": Kind(log="action"),
    "google_workspace": Kind(log="eventService"),
    "kubernetes": Kind(log="objectRef.resource"),
    "m365": Kind(log="Workload"),
    "okta": Kind(log="eventType"),
    "onelogin": Kind(log="event_type_id"),
    "opencanary": Kind(log="logtype", host="node_id"),
    "suricata": Kind(log="event_type", host="host"),
    "webserver": Kind(log="log", host="s-computername"),
    "windows": Kind(log="Channel", host="Computer"),
}

# Read whatever the rules read: what was seen of each log of each host is told with every result.
ENVELOPE: Final = frozenset(name for kind in KINDS.values() for name in (kind.log, kind.host) if name)
