"""Logs of Cisco ASA, FTD, PIX and FWSM in, Events out: `%ASA-6-302013: Built outbound TCP connection ...`.

Cisco, *ASA Series Syslog Messages* and *Firepower Threat Defense Syslog Messages*. Connections, translations, denials
and log-ins are taken apart, and FTD's 430001 to 430005, which are pairs; every other message keeps its text. Sigma's
names are those of its firewall category. Of a connection that was built the one that opened it is the source; where
it is torn down the message does not say, and its first address is called so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from tocsin.collect import documents, firewall, syslog
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_number
from tocsin.collect.text_lines import TextLog
from tocsin.collect.worded import Template, match
from tocsin.model.event import NO_TIME

NAME = "asa"
KIND = "firewall"

_NO_RECORD: Final = "not a message of an ASA"
_LEAD: Final = later(r"%(ASA|FTD|PIX|FWSM)-(?:[a-z_]{1,40}-)?([0-7])-(\d{6}): *", re.ASCII)
_PRIORITY: Final = later(r"<(\d{1,3})>", re.ASCII)
_ID_BYTES: Final = len("302013")
_SNIFFED: Final = later(rb"^[^\n%]{0,200}%(?:ASA|FTD|PIX|FWSM)-(?:[a-z_]{1,40}-)?[0-7]-\d{6}:", re.MULTILINE)

_SOURCE: Final = "{src_interface}:{src_ip}/{src_port}"
_TARGET: Final = "{dst_interface}:{dst_ip}/{dst_port}"
_SOURCE_MAPPED: Final = _SOURCE + " ({src_mapped_ip}/{src_mapped_port})"
_TARGET_MAPPED: Final = _TARGET + " ({dst_mapped_ip}/{dst_mapped_port})"
_BEGUN: Final = (
    "{action=Built} {direction=outbound} {protocol} connection {connection_id} for "
    + _TARGET_MAPPED
    + " to "
    + _SOURCE_MAPPED,
    "{action=Built} {direction=inbound} {protocol} connection {connection_id} for "
    + _SOURCE_MAPPED
    + " to "
    + _TARGET_MAPPED,
)
_ENDED: Final = (
    (
        f"{{action=Teardown}} {{protocol}} connection {{connection_id}} for {_SOURCE} to {_TARGET} "
        "duration {duration} bytes {bytes} {reason...}"
    ),
)
_ICMP: Final = (
    "ICMP connection for faddr {%s_ip}/{icmp_sequence} gaddr {gaddr}/{icmp_id} laddr {%s_ip}/{laddr_id} {rest...}"
)
_TRANSLATED: Final = (
    "{action} {translation} {protocol} translation from {src_interface}:{src_ip}/{src_port} to "
    "{mapped_interface}:{src_mapped_ip}/{src_mapped_port}"
)
# Texts of the messages that come in volume.
_TEXTS: Final[Mapping[int, tuple[str, ...]]] = {
    106001: (
        "Inbound {protocol} connection {action=denied} from {src_ip}/{src_port} to {dst_ip}/{dst_port} flags {rest...}",
    ),
    106015: (
        "{action=Deny} {protocol} (no connection) from {src_ip}/{src_port} to {dst_ip}/{dst_port} flags {rest...}",
    ),
    106023: (f"{{action=Deny}} {{protocol}} src {_SOURCE} dst {_TARGET} by access-group {{acl}} {{rest...}}",),
    106100: (
        (
            "access-list {acl} {action} {protocol} {src_interface}/{src_ip}({src_port}) -> "
            "{dst_interface}/{dst_ip}({dst_port}) hit-cnt {hits} {rest...}"
        ),
    ),
    302013: _BEGUN,
    302014: _ENDED,
    302015: _BEGUN,
    302016: _ENDED,
    302020: (
        "{action=Built} {direction=inbound} " + _ICMP % ("src", "dst"),
        "{action=Built} {direction=outbound} " + _ICMP % ("dst", "src"),
    ),
    302021: ("{action=Teardown} " + _ICMP % ("src", "dst"),),
    305011: (_TRANSLATED,),
    305012: (_TRANSLATED + " duration {duration}",),
    710003: (f"{{protocol}} access {{action=denied}} by ACL from {{src_ip}}/{{src_port}} to {_TARGET}",),
}
_TEMPLATES: Final = {number: tuple(map(Template, texts)) for number, texts in _TEXTS.items()}
_ADDRESS: Final = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,44})"
_END: Final = r"(?:(?P<END_interface>[^\s:/()]{1,64})[:/])?(?P<END_ip>ADDRESS)(?:[/(](?P<END_port>\w{1,32})\)?)?"
_FROM: Final = _END.replace("END", "src").replace("ADDRESS", _ADDRESS)
_TO: Final = _END.replace("END", "dst").replace("ADDRESS", _ADDRESS)
# What other messages say in so many words.
_WORDS: Final = tuple(
    later(pattern, re.ASCII)
    for pattern in (
        r"\b(?P<action>Den(?:y|ied)|denied|permitted|Built|Teardown|rejected|Rejected|discarded|Dropp?(?:ed|ing)|dropped)\b",
        r"\b(?P<protocol>TCP|UDP|ICMP|tcp|udp|icmp)\b",
        r"\b(?:from|src|for) " + _FROM,
        r"\b(?:to|dst) " + _TO,
        r"\b(?:user )?IP(?: address)?(?: = |: | )<?(?P<src_ip>" + _ADDRESS + ")",
        r"\b(?:[Uu]ser(?:name)?|Uname)(?: = |: ?| ['\"<])(?P<username>[^\s'\"<>,:;()]+)",
        r"\bGroup(?: = | )<?(?P<group>[^\s<>,]+)",
        r"\bexecuted (?:the )?'(?P<command>[^']*)'",
        r"\bby access-group (?P<acl>\S+)",
        r"\b[Rr]eason(?: = |: )(?P<reason>[^:]+?)(?= : |$)",
    )
)
_USER: Final = later(r" ?\(([^()\s\\/]{1,64}\\[^()]{1,128}|[^()\s/]{1,128}(?=\)$))\)", re.ASCII)
_PAIR: Final = later(r"([A-Za-z]\w{0,40}): (.*?)(?=, [A-Za-z]\w{0,40}: |$)", re.ASCII)
_PAIRS: Final = range(430001, 430008)
_MORE_NAMES: Final = {
    "SrcIP": "src_ip",
    "DstIP": "dst_ip",
    "SrcPort": "src_port",
    "DstPort": "dst_port",
    "AccessControlRuleAction": "action",
    "User": "username",
    "Protocol": "protocol",
}


def sniff(head: bytes) -> bool:
    return b"%" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    lead = _LEAD.search(text)
    if lead is None:
        return _NO_RECORD
    head = syslog.header(text[: lead.start()] + "x: ", clock)
    values: dict[str, str | tuple[str, ...] | None] = dict(head.fields()) if head else {}
    ts, mended = (head.ts, head.mended) if head else (NO_TIME, "")
    # a relay wrote its header before the device's
    if head and head.tag < lead.start() and (own := syslog.header(text[head.tag : lead.start()] + "x: ", clock)):
        ts, mended = own.ts, own.mended
    if head is None and (priority := _PRIORITY.match(text)):
        values |= {"priority": priority[1], "facility": syslog.facility_of(priority[1])}
        values["severity"] = syslog.severity_of(priority[1])
    values.pop("program", None)
    values |= {"log": lead[1], "level": lead[2], "message_id": lead[3]}
    values |= _told(int(lead[3]), text[lead.end() :])
    action = values.get("action")
    values["blocked"] = firewall.blocked(action) if isinstance(action, str) else None
    return Parsed(ts, {name: value for name, value in values.items() if value is not None}, mended)


def _told(number: int, message: str) -> dict[str, str | None]:
    """What a message says."""
    users = _USER.findall(message)
    plain = _USER.sub("", message) if users else message
    values: dict[str, str | None] = {}
    for template in _TEMPLATES.get(number, ()):
        if found := template.pattern.fullmatch(plain):
            values = dict(found.groupdict())
            break
    else:
        pairs = _PAIR.findall(message) if number in _PAIRS else []
        values = {} if pairs else {"message": message}
        for key, value in pairs:
            values[key] = values[_MORE_NAMES.get(key, key)] = value
        if not pairs:
            for pattern in _WORDS:
                if found := pattern.search(plain):
                    values = {**found.groupdict(), **values}
    if users:
        values.setdefault("username", users[0])
    if protocol := values.get("protocol"):
        values["protocol"] = firewall.protocol(protocol)
    if acl := values.get("acl"):
        values["acl"] = _unquoted(acl)
    return values


def _unquoted(text: str) -> str:
    return text.strip('"')


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines whose messages come in volume, with a usual header."""
    heads = syslog.headers(block, clock)
    lead, stop = heads.spans["program"]
    number = np.zeros(len(block), np.int64)
    sure = heads.usual & (lead == heads.tag) & (stop - lead == len("%ASA-6-302013")) & (byte(block, lead) == ord("%"))
    sure &= holds(block, lead + 1, "ASA-") | holds(block, lead + 1, "FTD-") | holds(block, lead + 1, "PIX-")
    level = byte(block, lead + 5) - ord("0")
    sure &= (level <= 7) & (byte(block, lead + 6) == ord("-")) & is_number(block, stop - _ID_BYTES, stop)
    for at in range(_ID_BYTES):
        number = number * 10 + byte(block, lead + 7 + at) - ord("0")
    marks = {letter: Marks(block, letter) for letter in " :/("}
    sure &= ~_names_users(block, marks)
    usual = np.zeros(len(block), bool)
    spans: dict[str, Spans] = {}
    for known, templates in _TEMPLATES.items():
        rows = np.flatnonzero(sure & (number == known))
        for template in templates if len(rows) else ():
            matched = match(block, marks, rows, heads.message[rows], template)
            usual[matched.rows] = True
            for name, span in matched.spans.items():
                whole = spans.setdefault(name, Spans(np.full(len(block), -1), np.full(len(block), -1)))
                whole.starts[matched.rows], whole.stops[matched.rows] = span
            rows = np.setdiff1d(rows, matched.rows, assume_unique=True)
    stand = {name: chosen(usual, span) for name, span in spans.items()}
    told: dict[str, Spans | Told | str] = {**heads.fields(usual), **stand}
    told.pop("program")
    told |= {
        "log": chosen(usual, Spans(lead + 1, lead + 4)),
        "level": chosen(usual, Spans(lead + 5, lead + 6)),
        "message_id": chosen(usual, Spans(stop - _ID_BYTES, stop)),
    }
    for name, source, tell in _TOLD:
        if source in stand:
            told[name] = Told(stand[source], tell)
    return Split(usual=usual, ts=heads.ts[usual], fields=told, mended=heads.mended(usual))


def _names_users(block: Lines, marks: dict[str, Marks]) -> Mask:
    """Whether a line may hold a user in brackets: of a domain, or at its end."""
    opens, slashes = marks["("], marks["/"]
    named: Mask = (byte(block, block.stops - 1) == ord(")")) & (opens.count > 0)
    named &= (slashes.count == 0) | (slashes.at(slashes.count - 1) < opens.at(opens.count - 1))
    if b"\\" in block.data:
        named |= Marks(block, "\\").count > 0
    return named


_TOLD: Final = (
    ("blocked", "action", firewall.blocked),
    ("protocol", "protocol", firewall.protocol),
    ("acl", "acl", _unquoted),
)


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
