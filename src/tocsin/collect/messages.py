"""The message of a Unix program in, the fields that it holds out, for programs whose messages have a form of their own.

sudo(8) and pkexec(1) (`USER=root ; COMMAND=...`), the packet filter (`collect/netfilter.py`), the audit system
(`collect/audit.py`) and Sysmon for Linux (`collect/sysmon_xml.py`), whichever way they came: syslog, journald, or a
table that was made of syslog.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tocsin.collect import audit, netfilter, sysmon_xml
from tocsin.model.event import NO_TIME

# Bytes of which a message must hold one to be worth a closer look.
PACKET: Final = b" OUT="
MARKS: Final = (b"audit(", b" audit[", b" audit: ", b"<System>", PACKET, b"USER=")

_SUDO: Final = re.compile(r"(?: ; |(?<= : ))([A-Z_]{2,16})=")
_BRACKETED: Final = re.compile(r"\[([A-Z_]{2,16})=([^\[\]]*)\]")


class Told(NamedTuple):
    """What a message tells: its own time (`NO_TIME` if none), its fields, what is amiss."""

    ts: int
    fields: audit.Fields
    mended: str = ""


_NOTHING: Final = Told(NO_TIME, {})


def told(program: str | None, message: str) -> Told:
    """The fields of a message; `program` is who wrote it."""
    if "audit(" in message and (found := _audit(message)):
        return found
    if program == "audit" and (found := _from_journal(message)):
        return found
    if "<System>" in message and (event := sysmon_xml.event(message)):
        return Told(*event)
    if " OUT=" in message and (packet := netfilter.packet(message)):
        return Told(NO_TIME, packet)
    if "USER=" in message:
        if program == "sudo":
            return Told(NO_TIME, _sudo(message))
        if program == "pkexec":
            return Told(NO_TIME, dict(_BRACKETED.findall(message)))
    return _NOTHING


def joined(outer: audit.Fields, inner: audit.Fields) -> audit.Fields:
    """The fields of a record and those of its message; what these hide gets a `_`."""
    if not inner:
        return outer
    both = dict(inner)
    for name, value in outer.items():
        while name in both:
            name += "_"
        both[name] = value
    return both


def _audit(message: str) -> Told | None:
    """A record that auditd's plug-in passed on, or one that the kernel printed because no auditd took it."""
    at = max(message.find("type=", 0, message.find("audit(")), 0)
    node = message.rfind("node=", 0, at)
    found = audit.record(message, node if node >= 0 else at)
    if found is None:
        return None
    return Told(found.ts, found.fields | audit.started_program(found.fields))


def _from_journal(message: str) -> Told | None:
    """A record as journald takes it from the kernel: `EXECVE argc=2 a0="id"`, without time and serial."""
    kind, mark, body = message.partition(" ")
    found = audit.record(f"type={kind} msg=audit(0.0:0): {body}") if mark and audit.is_type(kind) else None
    if found is None:
        return None
    fields = {name: value for name, value in found.fields.items() if name != "serial"}
    return Told(NO_TIME, fields | audit.started_program(fields))


def _sudo(message: str) -> audit.Fields:
    """`mere : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id`; the command is the rest of the message."""
    user, mark, _ = message.partition(" : ")
    fields: audit.Fields = {"user": user.strip()} if mark else {}
    key, begin = "", 0
    for found in _SUDO.finditer(message):
        if key:
            fields[key] = message[begin : found.start()].strip()
        key, begin = found[1], found.end()
        if key == "COMMAND":
            break
    if key:
        fields[key] = message[begin:].strip()
    return fields
