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
    "application": Kind(log="log", host="host"),
    "auditd": Kind(log="type", host="node"),
    "aws": Kind(log="eventSource"),
    "azure": Kind(log="log"),
    "bitbucket": Kind(log="auditType.category"),
    "cisco": Kind(log="log", host="host"),
    "defender": Kind(log="log", host="Computer"),
    "dns": Kind(log="log", host="host"),
    "duo": Kind(log="event_type"),
    "firewall": Kind(log="log", host="host"),
    "gcp": Kind(log="gcp.audit.service_name"),
    "github": Kind(log="action"),
    "google_workspace": Kind(log="eventService"),
    "guardduty": Kind(log="type"),
    "kubernetes": Kind(log="objectRef.resource"),
    "linux": Kind(log="program", host="host"),
    "m365": Kind(log="Workload"),
    "macos": Kind(log="log", host="Computer"),
    "mail": Kind(log="log", host="host"),
    "okta": Kind(log="eventType"),
    "onelogin": Kind(log="event_type_id"),
    "opencanary": Kind(log="logtype", host="node_id"),
    "proxy": Kind(log="log", host="s-computername"),
    "suricata": Kind(log="event_type", host="host"),
    "sysmon_linux": Kind(log="Channel", host="Computer"),
    "velociraptor": Kind(log="log", host="Fqdn"),
    "webserver": Kind(log="log", host="s-computername"),
    "windows": Kind(log="Channel", host="Computer"),
    "zeek": Kind(log="_path", host="_system_name"),
}

_OWN: Final = Kind(log="log", host="host")  # of a kind that a mapping file makes


def kind_of(name: str) -> Kind:
    """What tells records of a kind apart, also of one that only a mapping file knows."""
    return KINDS.get(name, _OWN)


# Read whatever the rules read: what was seen of each log of each host is told with every result.
ENVELOPE: Final = frozenset(name for kind in KINDS.values() for name in (kind.log, kind.host) if name)
