"""A finding in, what of it an intruder left, holds or talks to out: values of its fields, by technique (ATT&CK).

Values are the intruder's own words. They are kept as they stand and only ever handed on as values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tocsin.contain.guard import is_outside
from tocsin.model.incident import Cited
from tocsin.model.rule import LEVELS
from tocsin.observe.addresses import address, without_port
from tocsin.observe.domains import domain
from tocsin.observe.names import digest

MOST: Final = 400  # characters of a value: what is longer is cut, and is found again by its record

# How something stays, by technique: what it is called, and the fields that may name it.
_STAYS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("T1505.003", "web shell", ("TargetFilename", "cs-uri-stem", "FileName")),
    ("T1505", "server extension", ("TargetFilename", "ImageLoaded")),
    ("T1543.003", "service", ("ServiceName", "ImagePath", "ServiceFileName")),
    ("T1543.002", "service", ("name", "exe")),
    ("T1053", "scheduled task", ("TaskName", "TaskContent", "CommandLine")),
    ("T1547", "start of a session", ("TargetObject", "TargetFilename")),
    ("T1546", "trigger", ("TargetObject", "Consumer", "Destination", "TargetFilename")),
    ("T1037", "logon script", ("TargetObject", "TargetFilename")),
    ("T1136", "account that was made", ("TargetUserName", "SamAccountName")),
    ("T1574", "library in a place of its own", ("ImageLoaded", "TargetFilename")),
    ("T1556", "change of how people log on", ("TargetObject", "TargetFilename")),
    ("T1219", "remote control program", ("Image", "ImagePath", "TargetFilename", "NewProcessName")),
)
_DIRECTORY: Final = ("T1003.003", "T1003.006", "T1558.001")  # the secrets of a whole directory
_SIGNING: Final = ("T1606.002",)
_GRANTS: Final = ("T1528", "T1550.001", "T1098.003")
_RULES: Final = ("T1114.003", "T1564.008")
_WAY_IN: Final = ("T1190", "T1133", "T1189", "T1195", "T1199")
_CHANNEL: Final = ("T1071", "T1095", "T1102", "T1105", "T1132", "T1567", "T1568", "T1571", "T1572", "T1573", "T1048")
_ADDRESSES: Final = ("DestinationIp", "dest_ip", "dst_ip", "id.resp_h", "DestAddress", "r-ip")
_DOMAINS: Final = ("QueryName", "DestinationHostname", "query", "dns.question.name", "cs-host", "TargetHost")
_GRANT_NAMES: Final = ("AppId", "ApplicationId", "ClientAppId", "ObjectId", "AppDisplayName")
_MAILBOXES: Final = ("MailboxOwnerUPN", "UserId", "UserKey", "Identity")
_COMMAND: Final = re.compile(r"<Command>([^<]{1,1000})</Command>")
_HASHES: Final = re.compile(r"(?i)\b(?:SHA256=)?([0-9a-f]{64})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """`kind` is what it is in words, `value` as the log writes it."""

    kind: str
    value: str


def _has(finding: Cited, techniques: tuple[str, ...]) -> bool:
    return any(one == known or one.startswith(f"{known}.") for one in finding.techniques for known in techniques)


def stays(finding: Cited) -> Thing | None:
    """What was left behind so that they come back; None where no field names it."""
    for technique, kind, names in _STAYS:
        if _has(finding, (technique,)) and (value := _first(finding.fields, names)):
            return Thing(kind=kind, value=_command(value)[:MOST])
    return None


def _command(value: str) -> str:
    """Of a task that is told as XML what it starts; other values as they are."""
    found = _COMMAND.search(value[:20_000]) if value.startswith("<?xml") else None
    return f"that starts {found[1].strip()}" if found else " ".join(value.split())


def programs(finding: Cited) -> Iterator[str]:
    """SHA-256 of programs, of findings that are at least high: a hash of the system's own would stop everybody."""
    if LEVELS.index(finding.level) >= LEVELS.index("high"):
        for name in ("Hashes", "SHA256", "sha256", "Hash"):
            for found in _HASHES.findall(finding.fields.get(name) or ""):
                if read := digest(found):
                    yield read[1]


def far_ends(finding: Cited) -> Iterator[Thing]:
    """Where the intruder's side of a channel is, as far as the rule looked at it."""
    if not _has(finding, _CHANNEL) and finding.terms is None:
        return
    for name in _ADDRESSES:
        found = address(without_port(finding.fields.get(name) or ""))
        if found and is_outside(found):
            yield Thing(kind="address", value=found)
    for name in _DOMAINS:
        if found := domain(finding.fields.get(name) or ""):
            yield Thing(kind="domain", value=found)


def opens(finding: Cited) -> bool:
    """Whether it shows how they may have come in from outside."""
    return _has(finding, _WAY_IN) or "initial-access" in finding.tactics


def of_directory(finding: Cited) -> bool:
    return _has(finding, _DIRECTORY)


def of_signing(finding: Cited) -> bool:
    return _has(finding, _SIGNING)


def grant(finding: Cited) -> str:
    return _first(finding.fields, _GRANT_NAMES)[:MOST] if _has(finding, _GRANTS) else ""


def mailbox_rule(finding: Cited) -> str:
    return _first(finding.fields, _MAILBOXES)[:MOST] if _has(finding, _RULES) else ""


def _first(fields: Mapping[str, str | None], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := (fields.get(name) or "").strip())), "")
