"""Mail logs of Postfix in, Events out: syslog lines of its programs, and of those that work beside it.

Postfix `postlogd(8)`, `smtpd(8)`, `cleanup(8)`, `qmgr(8)`, `smtp(8)`, `bounce(8)`, `postscreen(8)`, `header_checks(5)`;
amavis `README.customize`; rspamd `rspamd_task_log`. Values have the names that Postfix gives them (`from`, `to`,
`message-id`, `relay`), and those that all mail logs share: `sender`, `recipient`, `message_id`, `client_ip`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.mail_texts import Fields, address_in, alone_or_all, decoded, with_others
from tocsin.collect.marks import Marks, byte, chosen, holds, unless
from tocsin.collect.syslog import BEFORE_TAG, header, headers
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import Longs

NAME = "postfix"
KIND = "mail"

_NO_RECORD: Final = "not a line of syslog"
_LEAST: Final = 0.5  # of a file's lines: in others Postfix is a guest
_POSTFIX: Final = later(BEFORE_TAG + rb"postfix[^ /\n]{0,40}/[a-z]", re.MULTILINE)
_ANY: Final = later(BEFORE_TAG + rb"[^ \n]", re.MULTILINE)
_QUEUE_ID: Final = later(r"(NOQUEUE|[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,30}): ")
_PAIR: Final = later(r"([A-Za-z][A-Za-z0-9_\-]{0,31})=(?:<([^<>]*)>|([^\s,;<>]*))(?:, |[,;]? ?)", re.ASCII)
_CLIENT: Final = r"(?:[^\s\[\]]{0,255}\[[0-9A-Fa-f.:]{2,45}\](?::\d{1,5})?|\[IPv6:[0-9A-Fa-f.:]{2,45}\]|local)"
_PEER: Final = later(rf"(?:^|\b(?:from|for|of|PASS (?:OLD|NEW)|warning:) )({_CLIENT})(?=[:; ,]|\Z)", re.ASCII)
_SERVER: Final = later(rf"\bto ({_CLIENT})(?=[:; ,]|\Z)", re.ASCII)
# `reject: RCPT from host[address]: 554 5.7.1 <to>: text; from=<a> to=<b> proto=ESMTP helo=<c>`
_DECIDED: Final = later(
    r"((?:milter-)?(?:reject|discard|hold|redirect|filter|warn|warning|info|prepend|replace|bcc|quarantine|delay|strip|pass"
    r"|permit|client|reject_warning)): ((?:end of )?[A-Za-z\-]+(?: [A-Z]+)?|message content) (?=from )"
)
_HEADER: Final = later(
    rf"(\w+): ((?:mime |nested )?header|body) (.*) from ({_CLIENT})(?:; |: |\Z)", re.ASCII | re.DOTALL
)
_REPLY: Final = later(r": (?:(\d{3}) )?(\d\.\d{1,3}\.\d{1,3}) ")
_LOGIN: Final = later(r"SASL (\S{1,40}) authentication failed")
_QUEUED: Final = later(r"queued as ([0-9A-Za-z]{5,30})")
_ENCLOSED: Final = later(r"\((.*)\)", re.DOTALL)
_AMAVIS: Final = later(
    r"\(([\w\-]{1,40})\) (Passed|Blocked) ([A-Z0-9\-]{1,40})(?: \(([^()]*)\))?,?(?: \{([^{}]*)\},?)?"
    r"([^<>]*) <([^<>]*)> -> (<[^>]*>(?:,<[^>]*>)*)(?:, (.*))?",
    re.DOTALL,
)
_AMAVIS_PAIR: Final = later(r'([A-Z][A-Za-z\-]{1,30}|[a-z_]{2,30}): ("[^"]*"|<[^<>]*>|[^,]*)(?:, |,|\Z)')
_RSPAMD_PAIR: Final = later(r"\b(id|qid|ip|from|rcpts?|user|len): (?:<([^<>]*)>|([^,;<>\s]+))")
_RSPAMD: Final = later(r"\(default: ([FT]) \(([^()]*)\): \[([^\]]*)\]")
# What lines that are read by columns may hold, and how often.
_KEYS: Final = (
    *("to", "from", "orig_to", "relay", "delay", "delays", "dsn", "status", "size", "nrcpt", "message-id", "client"),
    *("sasl_method", "sasl_username", "uid", "conn_use"),
)
_MOST_PAIRS: Final = 9
_REACH: Final = 2_000  # characters of a sentence in which its client is looked for
_MOST_ID, _MOST_ADDRESS = 30, 45  # characters
_OTHERS: Final[Mapping[str, Sequence[str]]] = {
    "sender": ("from",),
    "recipient": ("to",),
    "message_id": ("message-id", "resent-message-id"),
    "server_ip": ("relay_ip",),
}


def sniff(head: bytes) -> bool:
    ours = sum(1 for _ in _POSTFIX.finditer(head))
    return ours > 0 and ours >= _LEAST * sum(1 for _ in _ANY.finditer(head))


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
    if peer := _PEER.search(rest, 0, _REACH):
        values["client"] = peer[1]
    elif server := _SERVER.search(rest, 0, _REACH):
        values |= {"server": server[1], "server_ip": address_in(server[1])}
    if login := _LOGIN.search(rest, 0, _REACH):
        values |= {"action": "authentication failed", "status": "authentication failed", "sasl_method": login[1]}
        if user := re.search(r"sasl_username=([^\s,]+)", rest):
            values["sasl_username"] = user[1]
        return values
    peer = peer or _SERVER.search(rest, 0, _REACH)
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


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Postfix's lines of `ID: key=value, key=<value> (reason)`, removed messages, connections that begin and end."""
    heads = headers(block, clock)
    program, start = heads.spans["program"], heads.message
    colons, spaces = Marks(block, ":"), Marks(block, " ")
    end = _next(block, colons, start)
    said = end + 2
    queued = holds(block, end, ": ") & _is_queue_id(block, start, end) & (said < block.stops)
    pairs, spans = _split_pairs(block, said)
    removed = holds(block, said, "removed") & (block.stops == said + 7)
    begins = holds(block, start, "connect from ") & (end > start)
    peers = np.where(begins, start + 13, start + 16)
    stops = _next(block, spaces, peers)
    met, address_good = begins | holds(block, start, "disconnect from "), _is_client(block, peers, stops)
    alone = stops == block.stops
    more = ~begins & ~alone & ~_is_trimmed(block, stops + 1) & ~_is_trimmed(block, block.stops - 1)
    met &= address_good & (stops <= block.stops) & (alone | more)
    usual = heads.usual & (program.starts >= 0) & holds(block, program.starts, "postfix")
    usual &= (queued & (pairs | removed) & ~met) | met
    paired = queued & pairs & ~removed
    given = {
        name: Spans(np.where(paired, one.starts, -1), np.where(paired, one.stops, -1)) for name, one in spans.items()
    }
    client = given["client"]
    client = Spans(np.where(met, peers, client.starts), np.where(met, stops, client.stops))
    given |= {"client": client, "queue_id": unless(~queued | met, start, end)}
    given["action"] = Spans(
        np.where(met, start, np.where(removed, said, -1)), np.where(met, peers - 6, np.where(removed, said + 7, -1))
    )
    reason = given["reason"]
    given["reason"] = Spans(
        np.where(met & more, stops + 1, reason.starts), np.where(met & more, block.stops, reason.stops)
    )
    given["message"] = unless(start >= block.stops, start, block.stops)
    for name, natives in _OTHERS.items():
        if name != "server_ip":
            native = given[natives[0]]
            given[name] = unless(native.stops <= native.starts, *native)
    return Split(
        usual=usual,
        ts=heads.ts[usual],
        fields={
            **heads.fields(usual),
            **_told({name: chosen(usual, one) for name, one in given.items()}, usual, program),
        },
        mended=heads.mended(usual),
    )


def _told(given: dict[str, Spans], usual: Mask, program: Spans) -> dict[str, Spans | Told | str]:
    """The fields with those that are parts of others."""
    address = Told(given["relay"], address_in)
    told = {"component": Told(chosen(usual, program), _component), "client_ip": Told(given["client"], address_in)}
    told |= {"relay_ip": address, "server_ip": address, "queued_as": Told(given["reason"], _queued_as)}
    return {**given, **told, "log": "postfix"}


def _component(program: str) -> str:
    return program.rpartition("/")[2]


def _queued_as(reason: str) -> str | None:
    found = _QUEUED.search(reason)
    return found[1] if found else None


def _split_pairs(block: Lines, starts: Longs) -> tuple[Mask, dict[str, Spans]]:
    """Where the values of known keys stand, and which lines have nothing else but a reason in brackets at their end."""
    commas, equals, spaces, angles = (Marks(block, letters) for letters in (",", "=", " ", "<>"))
    brackets, semicolons = Marks(block, "("), Marks(block, ";")
    bracket = _next(block, brackets, starts)
    reasoned = (bracket < block.stops) & holds(block, bracket - 1, " (") & (byte(block, block.stops - 1) == ord(")"))
    reasoned &= block.stops > bracket + 1
    ends = np.where(reasoned, bracket - 1, block.stops)
    good: Mask = (bracket == block.stops) | reasoned
    good &= (semicolons.before(ends) == semicolons.before(starts)) & (ends > starts)
    spans = {name: Spans(np.full(len(block), -1), np.full(len(block), -1)) for name in (*_KEYS, "reason")}
    start, left = starts, ends > starts
    for _ in range(_MOST_PAIRS):
        stop = np.minimum(_next(block, commas, start), ends)
        sign = _next(block, equals, start)
        enclosed = byte(block, sign + 1) == ord("<")
        inside = angles.before(stop) - angles.before(start)
        bare = (inside == 0) & (spaces.before(stop) == spaces.before(start))
        closed = enclosed & (inside == 2) & (byte(block, stop - 1) == ord(">")) & (stop > sign + 2)
        good &= ~left | ((sign < stop) & (bare | (closed & (spaces.before(sign) == spaces.before(start)))))
        good &= ~left | (stop == ends) | holds(block, stop, ", ")
        known = np.zeros(len(block), bool)
        for name in _KEYS:
            here = left & (sign - start == len(name)) & holds(block, start, name)
            if here.any():
                known |= here
                good &= ~here | (spans[name].starts < 0)
                spans[name].starts[here] = (sign + 1 + enclosed)[here]
                spans[name].stops[here] = (stop - enclosed)[here]
        good &= ~left | known
        left = left & (stop < ends)
        start = stop + 2
        good &= ~left | (start < ends)
        if not (left & good).any():
            break
    spans["reason"] = unless(~reasoned, bracket + 1, block.stops - 1)
    return good & ~left, spans


def _next(block: Lines, marks: Marks, starts: Longs) -> Longs:
    """Where the first mark at `starts` or behind it stands; the end of the line if there is none."""
    before = np.maximum(marks.before(starts), 0)
    return np.where(before < marks.count, np.maximum(marks.at(before), starts), block.stops)


def _is_queue_id(block: Lines, starts: Longs, stops: Longs) -> Mask:
    sizes = stops - starts
    short: Mask = (sizes >= 5) & (sizes <= 20)
    long: Mask = (sizes >= 10) & (sizes <= _MOST_ID)
    for at in range(_MOST_ID):
        letter, past = byte(block, starts + at), at >= sizes
        short &= past | _HEXADECIMAL[letter]
        long &= past | _BASE_52[letter]
    return short | long


def _is_client(block: Lines, starts: Longs, stops: Longs) -> Mask:
    """Whether `host[address]` stands there."""
    opens, closes = Marks(block, "["), Marks(block, "]")
    bracket = _next(block, opens, starts)
    sizes = stops - 2 - bracket
    good: Mask = (byte(block, stops - 1) == ord("]")) & (bracket < stops) & (sizes >= 2) & (sizes < _MOST_ADDRESS)
    good &= (opens.before(stops) - opens.before(starts) == 1) & (closes.before(stops) - closes.before(starts) == 1)
    good &= bracket - starts <= 255
    for at in range(_MOST_ADDRESS):
        good &= (at >= sizes) | _ADDRESS[byte(block, bracket + 1 + at)]
    return good


def _is_trimmed(block: Lines, places: Longs) -> Mask:
    letter = byte(block, places)
    blank: Mask = (letter == ord(" ")) | (letter == ord(":"))
    return blank


def _letters(text: str) -> Mask:
    found = np.zeros(256, bool)
    found[list(text.encode())] = True
    return found


_HEXADECIMAL: Final = _letters("0123456789ABCDEF")
_BASE_52: Final = _letters("0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz")
_ADDRESS: Final = _letters("0123456789abcdefABCDEF.:")


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
