"""Mail logs of Postfix in, Events out: syslog lines of its programs, and of those that work beside it.

Postfix `postlogd(8)`, `smtpd(8)`, `cleanup(8)`, `qmgr(8)`, `smtp(8)`, `bounce(8)`, `postscreen(8)`, `header_checks(5)`;
amavis `README.customize`; rspamd `rspamd_task_log`. Values have the names that Postfix gives them (`from`, `to`,
`message-id`, `relay`), and those that all mail logs share: `sender`, `recipient`, `message_id`, `client_ip`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tocsin.collect import documents
from tocsin.collect.clock import Clock
from tocsin.collect.lines import LineDecoder, Parsed
from tocsin.collect.mail_texts import Fields, address_in, alone_or_all, decoded, with_others
from tocsin.collect.syslog import BEFORE_TAG, header

NAME = "postfix"
KIND = "mail"
cut = documents.cut_line_range

_NO_RECORD: Final = "not a line of syslog"
_LEAST: Final = 0.5  # of a file's lines: in others Postfix is a guest
_POSTFIX: Final = re.compile(BEFORE_TAG + rb"postfix[^ /\n]{0,40}/[a-z]", re.MULTILINE)
_ANY: Final = re.compile(BEFORE_TAG + rb"[^ \n]", re.MULTILINE)
_QUEUE_ID: Final = re.compile(r"(NOQUEUE|[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,30}): ")
_PAIR: Final = re.compile(r"([A-Za-z][A-Za-z0-9_\-]{0,31})=(?:<([^<>]*)>|([^\s,;<>]*))(?:, |[,;]? ?)")
_CLIENT: Final = r"(?:[^\s\[\]]{0,255}\[[0-9A-Fa-f.:]{2,45}\](?::\d{1,5})?|\[IPv6:[0-9A-Fa-f.:]{2,45}\]|local)"
_PEER: Final = re.compile(rf"(?:^|\b(?:from|for|of|PASS (?:OLD|NEW)|warning:) )({_CLIENT})(?=[:; ,]|\Z)")
_SERVER: Final = re.compile(rf"\bto ({_CLIENT})(?=[:; ,]|\Z)")
# `reject: RCPT from host[address]: 554 5.7.1 <to>: text; from=<a> to=<b> proto=ESMTP helo=<c>`
_DECIDED: Final = re.compile(
    r"((?:milter-)?(?:reject|discard|hold|redirect|filter|warn|warning|info|prepend|replace|bcc|quarantine|delay|strip|pass"
    r"|permit|client|reject_warning)): ((?:end of )?[A-Za-z\-]+(?: [A-Z]+)?|message content) (?=from )"
)
_HEADER: Final = re.compile(rf"(\w+): ((?:mime |nested )?header|body) (.*) from ({_CLIENT})(?:; |: |\Z)", re.DOTALL)
_REPLY: Final = re.compile(r": (?:(\d{3}) )?(\d\.\d{1,3}\.\d{1,3}) ")
_LOGIN: Final = re.compile(r"SASL (\S{1,40}) authentication failed")
_QUEUED: Final = re.compile(r"queued as ([0-9A-Za-z]{5,30})")
_ENCLOSED: Final = re.compile(r"\((.*)\)", re.DOTALL)
_AMAVIS: Final = re.compile(
    r"\(([\w\-]{1,40})\) (Passed|Blocked) ([A-Z0-9\-]{1,40})(?: \(([^()]*)\))?,?(?: \{([^{}]*)\},?)?"
    r"([^<>]*) <([^<>]*)> -> (<[^>]*>(?:,<[^>]*>)*)(?:, (.*))?",
    re.DOTALL,
)
_AMAVIS_PAIR: Final = re.compile(r'([A-Z][A-Za-z\-]{1,30}|[a-z_]{2,30}): ("[^"]*"|<[^<>]*>|[^,]*)(?:, |,|\Z)')
_RSPAMD_PAIR: Final = re.compile(r"\b(id|qid|ip|from|rcpts?|user|len): (?:<([^<>]*)>|([^,;<>\s]+))")
_RSPAMD: Final = re.compile(r"\(default: ([FT]) \(([^()]*)\): \[([^\]]*)\]")
_OTHERS: Final[Mapping[str, Sequence[str]]] = {
    "sender": ("from",),
    "recipient": ("to",),
    "message_id": ("message-id", "resent-message-id"),
    "server_ip": ("relay_ip",),
}


def sniff(head: bytes) -> bool:
    ours = sum(1 for _ in _POSTFIX.finditer(head))
    return ours > 0 and ours >= _LEAST * sum(1 for _ in _ANY.finditer(head))


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return documents.line_ranges(size, unit_bytes)


def decoder(projection: frozenset[str] | None) -> LineDecoder:
    return LineDecoder(_parse, projection)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    parsed = _parse(record.decode("utf-8", "replace"), header, Clock())
    return parsed.fields if isinstance(parsed, Parsed) else {}


def _parse(text: str, head: bytes, clock: Clock) -> Parsed | str | None:
    opened = header(text, clock)
    if opened is None:
        return _NO_RECORD
    message = text[opened.message :]
    values: Fields = {"log": "postfix", **opened.fields(), "message": message}
    name = opened.program or ""
    told: Fields = {}
    if name.startswith("postfix"):
        values["component"] = name.rpartition("/")[2]
        told = _postfix(message)
    elif name.startswith("amavis"):
        told = _amavis(message)
    elif name.startswith("rspamd"):
        told = _rspamd(message)
    else:
        for pair in _PAIR.finditer(message):
            told.setdefault(pair[1].lower(), pair[3] if pair[2] is None else pair[2])
    with_others(told, _OTHERS)
    if "rip" in told:  # the remote address of a Dovecot login
        told.setdefault("client_ip", told["rip"])
    client = told.get("client")
    if isinstance(client, str) and (address := address_in(client)):
        told.setdefault("client_ip", address)
    while clash := told.keys() & values.keys():  # `host` is what the header says
        told = {f"{key}_" if key in clash else key: value for key, value in told.items()}
    return Parsed(opened.ts, values | told, opened.mended)


def _postfix(message: str) -> Fields:
    values: Fields = {}
    at = 0
    if queued := _QUEUE_ID.match(message):
        values["queue_id"], at = queued[1], queued.end()
    rest = message[at:]
    if shown := _HEADER.match(rest):
        values |= {"action": shown[1], "part": shown[2], "client": shown[4]}
        name, colon, content = shown[3].partition(": ")
        if shown[2] != "body" and colon:
            values |= {"header": shown[3], "header_name": name}
            if name.lower() == "subject":
                values["subject"] = decoded(content)
        return values | _pairs(rest, shown.end())[0]
    if decision := _DECIDED.match(rest):
        return values | _decided(rest, decision)
    pairs, end = _pairs(rest, 0)
    values |= pairs
    if not pairs:
        values |= _said(rest)
    elif enclosed := _ENCLOSED.match(rest, end):
        values["reason"] = enclosed[1]
        if passed_on := _QUEUED.search(enclosed[1]):
            values["queued_as"] = passed_on[1]
    relay = values.get("relay")
    if isinstance(relay, str) and (address := address_in(relay)):
        values["relay_ip"] = address
    return values


def _decided(rest: str, decision: re.Match[str]) -> Fields:
    """What a server decided about a client's command."""
    values: Fields = {"action": decision[1], "stage": decision[2], "status": decision[1]}
    if peer := _PEER.match(rest, decision.end()):
        values["client"] = peer[1]
    tail = rest.rfind("; from=<")
    stop = tail if tail >= 0 else len(rest)
    if reply := _REPLY.search(rest, decision.end(), stop):
        values |= {"code": reply[1], "dsn": reply[2]} if reply[1] else {"dsn": reply[2]}
    said = rest[peer.end() + 2 if peer else decision.end() : stop]
    if said:
        values["reason"] = said
    return values | (_pairs(rest, tail + 2)[0] if tail >= 0 else {})


def _said(rest: str) -> Fields:
    """Lines that are a sentence: connections, failed logins, removed messages."""
    values: Fields = {}
    if peer := _PEER.search(rest):
        values["client"] = peer[1]
    elif server := _SERVER.search(rest):
        values |= {"server": server[1], "server_ip": address_in(server[1])}
    if login := _LOGIN.search(rest):
        values |= {"action": "authentication failed", "status": "authentication failed", "sasl_method": login[1]}
        if user := re.search(r"sasl_username=([^\s,]+)", rest):
            values["sasl_username"] = user[1]
        return values
    peer = peer or _SERVER.search(rest)
    begins = rest[: peer.start()] if peer else rest.partition(",")[0].partition(":")[0].partition(";")[0]
    action = " ".join(begins.split(" ")[:6]).strip(" :,")
    if action:
        values["action"] = action.lower()
    if peer and rest[peer.end() :].strip(" :"):
        values["reason"] = rest[peer.end() :].strip(" :")
    if (other := re.search(r"notification: ([0-9A-Za-z]{5,30})\Z", rest)) is not None:
        values["queued_as"] = other[1]
    return values


def _pairs(text: str, at: int) -> tuple[Fields, int]:
    """The pairs that begin at a place, and where they end; of two with one name the first."""
    values: Fields = {}
    while found := _PAIR.match(text, at):
        values.setdefault(found[1].lower(), found[3] if found[2] is None else found[2])
        at = found.end()
    return values, at


def _amavis(message: str) -> Fields:
    found = _AMAVIS.match(message)
    if found is None:
        return {}
    number, status, category, virus, path, peers, sender, recipients, rest = found.groups()
    values: Fields = {"amavis_id": number, "status": status, "category": category, "sender": sender}
    values |= {"signature": virus, "path": path, "client_ip": address_in(peers)}
    values["recipient"] = alone_or_all(re.findall(r"<([^<>]*)>", recipients))
    for name, text in _AMAVIS_PAIR.findall(rest or ""):
        key = {"Message-ID": "message-id", "Queue-ID": "queue_id", "Subject": "subject"}.get(name, name)
        values.setdefault(key, text[1:-1] if text[:1] in ('"', "<") and len(text) > 1 else text)
    return {name: value for name, value in values.items() if value is not None}


def _rspamd(message: str) -> Fields:
    values: Fields = {}
    for name, enclosed, bare in _RSPAMD_PAIR.findall(message):
        key = {"id": "message-id", "qid": "queue_id", "ip": "client_ip", "len": "size", "rcpt": "to", "rcpts": "to"}
        values.setdefault(key.get(name, name), enclosed or bare)
    if found := _RSPAMD.search(message):
        values |= {"is_spam": found[1], "status": found[2], "score": found[3]}
    return values
