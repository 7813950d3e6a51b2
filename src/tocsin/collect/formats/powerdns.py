"""Logs of PowerDNS in, Events out: the queries and answers of the Recursor and of the authoritative server.

PowerDNS' manual: Recursor `quiet=no`, `log.quiet`, structured logging (`msg="..." subsystem="..."`); authoritative
server `log-dns-queries`, `log-dns-details`; through syslog, or with the stamp of the daemon's own. `src_ip` asked for
`query` of `record_type`; `log` is `query`, `response`, or else `message`. Names come without the dot at their end.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import framed, pairs
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import one
from tocsin.model.event import NO_TIME

NAME = "powerdns"
KIND = "dns"

_NO_RECORD: Final = "not a line of PowerDNS' log"
_STYLE: Final = pairs.Style(quoted=True)
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
# What the daemons write to a terminal; a header of syslog has a host there.
_PATTERNS: Final = (
    later(
        rf"(?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) {_CLOCK} "
        r"(?=Remote \S+ wants '|(?:\d{1,4} )?\[\d{1,9}(?:/\d{1,9})?\] |msg=\"|\[\w{1,16}\] )",
        re.ASCII,
    ),
)
_NAME: Final = r"'(?P<query>[^'|]{0,1100})\|(?P<record_type>[A-Z0-9]{1,16})'"
_THREAD: Final = r"(?:\[\w{1,16}\] )?(?:(?P<thread>\d{1,4}) )?(?:\[(?P<task>\d{1,9}(?:/\d{1,9})?)\] )?"
_ASKED: Final = later(
    rf"{_THREAD}(?P<protocol>TCP )?question for {_NAME} from "
    r"(?P<src_ip>\[[^\]\s]{2,64}\]|[\d.]{7,15}|[0-9A-Fa-f:]{2,45}?)(?::(?P<src_port>\d{1,5}))?(?: .*)?",
    re.ASCII,
)
_ANSWERED: Final = later(
    rf"{_THREAD}answer to (?P<protocol>TCP )?question {_NAME}: (?P<said>(?:(?!, rcode=).)*)"
    r"(?:, rcode=(?P<rcode>[^,\s]{1,24}).*)?",
    re.ASCII,
)
_WANTED: Final = later(
    rf"Remote (?P<src_ip>\[[^\]\s]{{2,64}}\]|[0-9A-Fa-f.:]{{2,64}}?)(?:<-[^\s]{{2,64}})? wants {_NAME}"
    r"(?:, do = (?P<do>\d), bufsize = (?P<bufsize>\d{1,6})(?: \([^()]{0,40}\))?)?(?:: (?P<cache>.*))?",
    re.ASCII,
)
_KINDS: Final = ((_ASKED, "query"), (_WANTED, "query"), (_ANSWERED, "response"))
_STRUCTURED: Final = later(r'msg="(?P<msg>[^"]{0,400})" subsystem=', re.ASCII)
_OF_STRUCTURED: Final = {"Question": "query", "Answer": "response"}
_TAGGED: Final = framed.tagged("pdns", "pdns_server", "pdns_recursor", "pdns-recursor", "pdns_server-instance")
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:[^ \n]{1,64} )?"
    rb"(?:Remote [^ \n]{2,64} wants '|(?:\d{1,4} )?\[\d{1,9}(?:/\d{1,9})?\] (?:TCP )?(?:question for|answer to)"
    rb'|msg="[^"\n]{0,400}" subsystem=)',
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return framed.mostly(head, _SNIFFED) or framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = framed.beginning(text, _PATTERNS, clock)
    if begun is None:
        return _NO_RECORD
    message = text[begun.message :]
    if _STRUCTURED.match(message):
        told = _structured(message)
        since = one(float(str(told["ts"]))) if _is_since(told.get("ts")) else NO_TIME
        while clash := told.keys() & begun.fields.keys():
            told = {f"{key}_" if key in clash else key: value for key, value in told.items()}
        if since != NO_TIME:
            return Parsed(since, begun.fields | told)
        return Parsed(begun.ts, begun.fields | told, begun.mended)
    return Parsed(begun.ts, begun.fields | _message(message), begun.mended)


def _is_since(text: str | tuple[str, ...] | None) -> bool:
    return isinstance(text, str) and re.fullmatch(r"\d{10}(?:\.\d{1,9})?", text, re.ASCII) is not None


def _structured(message: str) -> dict[str, str | tuple[str, ...] | None]:
    values: dict[str, str | tuple[str, ...] | None] = {}
    for key, value in _STYLE.pairs(message):
        values.setdefault(key, value)
    remote = values.get("remote")
    if isinstance(remote, str):
        address, port = _ends(remote)
        values |= {"src_ip": address, "src_port": port} if port else {"src_ip": address}
    name, kind = values.get("qname"), values.get("qtype")
    if isinstance(name, str):
        values["query"] = _dotless(name)
    if isinstance(kind, str):
        values["record_type"] = kind
    return values | {"log": _OF_STRUCTURED.get(str(values.get("msg")), "message"), "message": message}


def _message(text: str) -> dict[str, str | tuple[str, ...] | None]:
    for form, log in _KINDS:
        if found := form.fullmatch(text):
            values = {name: value for name, value in found.groupdict().items() if value}
            if "src_ip" in values:
                values["src_ip"] = values["src_ip"].strip("[]")
            values["query"] = _dotless(values.get("query", ""))
            if log == "query" and values.get("protocol"):
                values["protocol"] = "tcp"
            else:
                values.pop("protocol", None)
            return {**values, "log": log}
    return {"log": "message", "message": text}


def _ends(text: str) -> tuple[str, str]:
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        return address, rest.removeprefix(":")
    address, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    return address, port


def _dotless(name: str) -> str:
    return name.removesuffix(".") if len(name) > 1 else name


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
