"""Mail logs of Exim in, Events out: its main log and its reject log, from files or through syslog.

*Specification of the Exim Mail Transfer Agent*, chapter "Log files": flags (`<=` arrival, `=>` `->` `>>` deliveries,
`*>` one that was suppressed, `**` a bounce, `==` one put off, `Completed`), fields, and sentences of rejected commands
and failed logins; the headers below a line of the reject log are its own. Values have the letters that Exim gives them
(`H`, `P`, `T`) under words, and the names that all mail logs share: `sender`, `recipient`, `message_id`, `subject`,
`client_ip`, `server_ip`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from tocsin.collect import documents, framed, stanzas, syslog
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.mail_texts import Fields, alone_or_all, decoded
from tocsin.collect.streams import peek
from tocsin.collect.text_lines import TextLog

NAME = "exim"
KIND = "mail"

_NO_RECORD: Final = "not a line of Exim's log"
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<part>\d{1,6}))?"
_STAMP: Final = later(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d) {_CLOCK}(?: (?P<zone>[+-]\d{{4}}))? ", re.ASCII
)
_PID: Final = later(r"\[(\d{1,10})\] ", re.ASCII)
_ID: Final = later(r"([0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}) ")
_FLAG: Final = later(r"(<=|\(=|=>|->|>>|\*>|\*\*|==) ")
_ACTIONS: Final[Mapping[str, str]] = {
    "<=": "received",
    "(=": "received, rejection faked",
    "=>": "delivered",
    "->": "delivered",
    ">>": "delivered while it came in",
    "*>": "delivery suppressed",
    "**": "bounced",
    "==": "deferred",
}
_ADDRESS: Final = later(
    r'(?P<address>(?:"(?:[^"\\]|\\.){0,256}"|[^\s<>"])*)(?: \([^()]{0,400}\))?(?: <(?P<asked>[^<>]{0,400})>)? ?'
)
_FIELD: Final = later(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]{0,15})="
    r'(?:"(?P<quoted>(?:[^"\\]|\\.){0,4000})"|(?P<bare>(?:[^\s"][^\s]{0,2000})?))(?: |\Z)'
)
_HOST: Final = later(
    r"(?:^|(?<= ))H=(?P<host>[^\s()\[\]=]{1,255})?(?: ?\((?P<helo>[^()\s]{0,255})\))?"
    r"(?: ?\[(?P<address>[0-9A-Fa-f.:]{2,45})\](?::(?P<port>\d{1,5}))?)?",
    re.ASCII,
)
_NAMES: Final[Mapping[str, str]] = {
    "A": "authenticator", "C": "confirmation", "CV": "certificate_verified", "D": "duration", "DN": "certificate",
    "DT": "delivery_time", "F": "from", "I": "interface", "id": "message_id", "P": "protocol", "Q": "queue",
    "QT": "queue_time", "R": "router", "S": "size", "SNI": "server_name", "ST": "shadow_transport", "T": "T",
    "U": "ident", "X": "tls", "RT": "receive_time", "K": "chunking", "L": "long_lines", "M8S": "eight_bit",
    "set_id": "username", "PRX": "proxy", "TFO": "fast_open",
}  # fmt: skip
_SENT_TO: Final = later(r' for ([^"]+)\Z')  # behind the last quote: a subject may hold any words
_ENVELOPE: Final = later(r" from <[^<>\"]{0,400}>\Z")
_REJECTED: Final = later(
    r"(?P<action>(?:temporarily )?rejected) (?P<stage>after DATA|by local_scan\(\)|[A-Z]{4}(?: command)?|connection"
    r"|[A-Za-z ()_]{0,30}?)(?: <(?P<recipient>[^<>]{0,400})>)?(?::? (?P<reason>.*))?",
    re.DOTALL,
)
_DECISION: Final = later(r"(?<= )(?=(?:temporarily )?rejected )")
_LOGIN: Final = later(
    r"(?P<authenticator>[\w\-]{1,64}) authenticator failed for (?P<peer>.{0,600}?): (?P<code>\d{3}) (?P<reason>.*)",
    re.DOTALL,
)
_ADDRESS_IN: Final = later(r"\[([0-9A-Fa-f.:]{2,45})\]", re.ASCII)
_SET_ID: Final = later(r"\(set_id=([^()]{0,256})\)")
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})? (?:\[\d{1,10}\] )?"
    rb"(?:[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}) "
    rb"(?:<=|\(=|=>|->|>>|\*>|\*\*|==|Completed|[A-Za-z])"
    rb"|Start queue run|End queue run|exim \d|no host name found|no IP address found|SMTP |H=[^\n]{0,600} rejected "
    rb"|[\w-]{1,64} authenticator failed for |TLS error on connection)",
    re.MULTILINE,
)
_STAMPED: Final = later(rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.MULTILINE)
_TAGGED: Final = framed.tagged("exim", "exim4")
_MARKED: Final = 4  # bytes: a byte order mark, and one more


def sniff(head: bytes) -> bool:
    """Whether half of the lines with a stamp are of this form: below those of a reject log stand headers."""
    if _SNIFFED.match(head):
        return sum(1 for _ in _STAMPED.finditer(head)) <= 2 * sum(1 for _ in _SNIFFED.finditer(head))
    return documents.mostly(head, _SNIFFED) or framed.mostly(head, _TAGGED)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    again, head = peek(file) if not start and stop is None else (file, _head(file))
    if again is file:
        file.seek(start)
    if head.removeprefix(codecs.BOM_UTF8)[:1].isdigit():
        return stanzas.cut(again, start, stop, block_bytes, b"")
    return documents.cut_line_range(again, start, stop, block_bytes)


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_MARKED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = framed.beginning(text, (_STAMP,), clock) if _STAMP.match(text) else None
    if begun is None:
        head = syslog.header(text, clock)
        if head is None:
            return _NO_RECORD
        begun = framed.Beginning(head.ts, head.mended, head.message, head.fields())
        if own := _STAMP.match(text, begun.message):  # `syslog_timestamp`
            ts, mended = framed.time_of(own, clock)
            begun = begun._replace(ts=ts, mended=mended, message=own.end())
    values: Fields = {"log": "exim", **begun.fields}
    at = begun.message
    if pid := _PID.match(text, at):
        values["pid"], at = pid[1], pid.end()
    if queued := _ID.match(text, at):
        values["queue_id"], at = queued[1], queued.end()
    message = text[at:]
    values["message"] = message
    told = _told(message.partition("\n")[0])
    while clash := told.keys() & values.keys():
        told = {f"{key}_" if key in clash else key: value for key, value in told.items()}
    return Parsed(begun.ts, values | told, begun.mended)


def _told(message: str) -> Fields:
    if flag := _FLAG.match(message):
        return _moved(message[flag.end() :], flag[1])
    if message.startswith("Completed"):
        return {"action": "completed", **_fields(message[len("Completed") :].lstrip())}
    if login := _LOGIN.match(message):
        values: Fields = {"action": "authentication failed", "status": "authentication failed"}
        values |= {name: login[name] for name in ("authenticator", "code", "reason")}
        if peer := _ADDRESS_IN.search(login["peer"]):
            values["client_ip"] = peer[1]
        if user := _SET_ID.search(login["reason"]):
            values["username"] = user[1]
        return values
    decision = _DECISION.search(message) if " rejected " in message else None
    if decision is None:
        return _peer(message, "client_ip")
    values = {**_fields(message[: decision.start()].rstrip()), **_peer(message[: decision.start()], "client_ip")}
    if found := _REJECTED.fullmatch(message[decision.end() :]):
        values |= {name: value for name, value in found.groupdict().items() if value}
    if isinstance(sender := values.pop("from", None), str):
        values["sender"] = sender.strip("<>")
    return values | {"status": str(values.get("action", "rejected"))}


def _moved(text: str, flag: str) -> Fields:
    """A message that came in, or a delivery of one."""
    coming = flag in ("<=", "(=")
    address = _ADDRESS.match(text)
    assert address
    rest = text[address.end() :]
    values: Fields = {"flag": flag, "action": _ACTIONS[flag], "status": _ACTIONS[flag]}
    named, asked = address["address"], address["asked"] or ""
    if coming:
        values["sender"] = named
        if to := _SENT_TO.search(rest):
            values["recipient"] = alone_or_all(to[1].split())
            rest = rest[: to.start()]
        if envelope := _ENVELOPE.search(rest):
            rest = rest[: envelope.start()]
    else:
        local = "@" not in named and asked  # a mailbox of the machine's own
        values["recipient"] = asked if local else named
        if asked:
            values["mailbox" if local else "recipient_asked"] = named if local else asked
    if flag in ("**", "=="):
        parts = rest.split(": ", 1)
        if len(parts) > 1:
            values["reason"] = parts[1]
    told = _fields(rest)
    if coming and "router" in told:
        told["bounce_of"] = told.pop("router")
    topic = told.pop("T", None)
    if topic is not None:
        values["subject" if coming else "transport"] = decoded(str(topic)) if coming else topic
    if not coming and isinstance(sender := told.pop("from", None), str):
        values["sender"] = sender.strip("<>")
    return values | told | _peer(rest, "client_ip" if coming else "server_ip")


def _fields(text: str) -> Fields:
    """The fields of a line under words, of two with one name the first."""
    values: Fields = {}
    for found in _FIELD.finditer(text):
        name = _NAMES.get(found["name"])
        if name is not None and (found.start() == 0 or text[found.start() - 1] == " "):
            quoted = found["quoted"]
            values.setdefault(name, found["bare"] if quoted is None else quoted.replace('\\"', '"'))
    return values


def _peer(text: str, called: str) -> Fields:
    found = _HOST.search(text)
    if found is None or not found[0].removeprefix("H="):
        return {}
    side = called.removesuffix("_ip")
    told = {f"{side}": found["host"], "helo": found["helo"], called: found["address"], f"{side}_port": found["port"]}
    return {name: value for name, value in told.items() if value}


_LOG: Final = TextLog(parse=_parse)
ranges, decoder, fields = _LOG.ranges, _LOG.decoder, _LOG.fields
