"""Logs of Cisco routers and switches in, Events out: IOS, IOS XE, IOS XR and NX-OS, and TACACS+ accounting of commands.

Cisco, *System Message Guide*, "How to read system messages": `%FACILITY-SEVERITY-MNEMONIC: text`, behind a sequence
number, an origin and the device's time (`service timestamps log`), each of them if it was asked for, and behind the
header of a relay. The device's own time is taken where it says the day; a star before it says that its clock was not
set. `message` begins with the facility, for rules look for it there. Accounting is as tac_plus and TACACS.net write it,
with tabs (RFC 8907 §8.3 names the arguments).
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import documents, firewall, syslog
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "cisco"
KIND = "cisco"

_NO_RECORD: Final = "no message of a router or switch"
_LEAD: Final = later(
    r"%(?P<facility>[A-Z][A-Z0-9_]{1,40}(?:-[A-Z][A-Z0-9_]{0,40}){0,3})-(?P<level>[0-7])"
    r"-(?P<mnemonic>[A-Z][A-Z0-9_]{0,60}) ?: *",
    re.ASCII,
)
_PRIORITY: Final = later(r"<(\d{1,3})>", re.ASCII)
_TIME: Final = later(
    r"[*.]?(?:\d{4} )?[A-Z][a-z]{2} {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?: \d{4})?"
    r"(?: (?:UTC|GMT|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_SEQUENCE: Final = later(r"(?:^|(?<=[ >]))(\d{1,10}): ", re.ASCII)
_ORIGIN: Final = later(r"(?:^|(?<=[ >]))([A-Za-z][\w.\-]{0,254}): ", re.ASCII)
_UPTIME: Final = later(r"(?:^|(?<=[ >]))(\d\d:\d\d:\d\d|\d+y\d+w|\d+w\d+d|\d+d\d+h): $", re.ASCII)
_RELAYED: Final = later(r"([^\s:<>%]{1,255}) (?=\d{1,10}: |[*.]?[A-Z][a-z]{2} )", re.ASCII)  # host, no time
_NODE: Final = later(r"(?:^|(?<=[ >:]))((?:RP|LC|[0-9]+)/[\w/]{1,40}(?:CPU\d+)?) ?:", re.ASCII)
_ADDRESS: Final = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,44})"
_BRACKETED: Final = later(r"\[([A-Za-z][A-Za-z ]{0,30}): ?([^\]]{0,512})\]", re.ASCII)
_BRACKETED_NAMES: Final = {"user": "username", "Source": "src_ip", "Reason": "reason"}
# What is told in so many words.
_WORDS: Final = tuple(
    later(pattern, re.ASCII)
    for pattern in (
        r"\b[Uu]ser ?(?::| = )? ?'?(?P<username>[^\s':]{1,128})'? +(?:logged|executed|authentication|has)\b",
        r"\blogged command: ?(?P<command>.*)",
        r"\bby (?:user )?'?(?P<username>[^\s',.]{1,128})'? on ",
        r"\bUser: (?P<username>[^\s,]{1,128})",
        r"\bas (?P<username>\S{1,128}) on ",
        r"\bcommitted by user '(?P<username>[^']{1,128})'",
        r"\b(?:from|on vty\d+) \(?(?P<src_ip>ADDRESS)(?:[(:](?P<src_port>\d{1,5})\)?)?",
        r"\bon (?P<src_ip>ADDRESS)@",
        r"\bto (?P<dst_ip>ADDRESS)(?:[(:](?P<dst_port>\d{1,5})\)?)?",
        (
            r"\blist (?P<acl>\S{1,128}) (?P<action>permitted|denied) (?P<protocol>\S{1,32})"
            r"(?: \S{1,64})?? (?P<src_ip>ADDRESS)(?:\((?P<src_port>\d{1,5})\))?"
            r"(?: \([^)]{0,128}\))? -> (?P<dst_ip>ADDRESS)(?:\((?P<dst_port>\d{1,5})\))?"
        ),
    )
    for pattern in (pattern.replace("ADDRESS", _ADDRESS),)
)
_ACCOUNT: Final = later(
    r"(?P<time>[^\t]{8,40})\t(?P<host>[^\t]*)\t(?P<username>[^\t]*)\t(?P<port>[^\t]*)\t(?P<src_ip>[^\t]*)\t"
    r"(?P<record>start|stop|update|[^\t]{0,32})\t(?P<arguments>.*\b(?:task_id|service|cmd)=.*)"
)
_WEEKDAY: Final = later(r"[A-Z][a-z]{2} (?=[A-Z][a-z]{2} )")
_SNIFFED: Final = later(
    rb"^(?:[^\n%]{0,200}%[A-Z][A-Z0-9_]{1,40}(?:-[A-Z][A-Z0-9_]{0,40}){0,3}-[0-7]-[A-Z][A-Z0-9_]{0,60} ?:"
    rb"|[^\t\n]{8,40}(?:\t[^\t\n]*){4}\t(?:start|stop|update)\t[^\n]*\btask_id=)",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    lead = _LEAD.search(text)
    if lead is None:
        return _account(text, clock)
    before = text[: lead.start()]
    head = syslog.header(f"{before}x: ", clock)
    values: dict[str, str | tuple[str, ...] | None] = {}
    ts, mended, rest = NO_TIME, "", before
    if head:
        ts, mended, rest = head.ts, head.mended, before[head.tag :]
        values |= {"host": head.host, "priority": head.priority}
    elif priority := _PRIORITY.match(text):
        values["priority"], rest = priority[1], before[priority.end() :]
    times = list(_TIME.finditer(rest))
    if times and (own := syslog.header(f"{times[-1][0]}: x: ", clock)) and own.ts != NO_TIME:
        ts, mended = own.ts, own.mended
    outside = rest[: times[-1].start()] if times else rest
    for name, pattern in (("sequence", _SEQUENCE), ("origin", _ORIGIN), ("uptime", _UPTIME), ("node", _NODE)):
        if found := pattern.search(outside):
            values[name] = found[1]
    relayed = _RELAYED.match(rest) if head is None else None
    values.setdefault("host", None)
    values["host"] = values["host"] or (relayed[1] if relayed else values.get("origin"))
    message = text[lead.end() :]
    values |= {**lead.groupdict(), "log": lead["facility"], "message": text[lead.start() :], **_told(message)}
    if isinstance(action := values.get("action"), str):
        values["blocked"] = firewall.blocked(action)
    return Parsed(ts, {name: value for name, value in values.items() if value is not None}, mended)


def _told(message: str) -> dict[str, str | None]:
    """What a message says of people, addresses and commands."""
    values: dict[str, str | None] = {}
    for name, value in _BRACKETED.findall(message):
        values[_BRACKETED_NAMES.get(name, name.replace(" ", "_"))] = value.strip()
    for pattern in _WORDS:
        if found := pattern.search(message):
            values = {**found.groupdict(), **values}
    return values


def _account(text: str, clock: Clock) -> Parsed | str:
    """A record of accounting: who did what, then arguments."""
    found = _ACCOUNT.fullmatch(text)
    if found is None:
        return _NO_RECORD
    values: dict[str, str | tuple[str, ...] | None] = {"log": "accounting"}
    values |= {name: value for name, value in found.groupdict().items() if name not in ("time", "arguments") and value}
    for argument in found["arguments"].split("\t"):
        name, mark, value = argument.partition("=")
        if mark and name:
            values.setdefault(name, value)
    command = values.get("cmd")
    if isinstance(command, str):
        values["command"] = command.removesuffix("<cr>").rstrip()
    head = syslog.header(f"{_WEEKDAY.sub('', found['time'])} x x: ", clock)
    if head is None or head.ts == NO_TIME:
        return Parsed(NO_TIME, values | {"time": found["time"]})
    return Parsed(head.ts, values, head.mended)


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
