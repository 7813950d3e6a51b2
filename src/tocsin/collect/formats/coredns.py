"""Logs of CoreDNS in, Events out: the queries of its plugin `log`, and what it says of errors.

CoreDNS' manual, plugins `log` (the formats `common` and `combined`) and `errors`. CoreDNS writes no time: that is
told by what stands before a line, such as the entry of a container's log, a header of syslog, or the stamp of
`kubectl logs --timestamps`. `src_ip` asked for `query` of `record_type`; `log` is `query`, or else the line's level.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import containers, documents, framed
from tocsin.collect.clock import NO_TIME_TOLD, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import one
from tocsin.model.event import NO_TIME

NAME = "coredns"
KIND = "dns"

_NO_RECORD: Final = "not a line of CoreDNS' log"
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<part>\d{1,9}))?"
_PATTERNS: Final = (
    later(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)T{_CLOCK}(?P<zone>Z|[+-]\d\d:\d\d) (?=\[)", re.ASCII),
    later(rf"(?P<year>\d{{4}})/(?P<month>\d\d)/(?P<day>\d\d) {_CLOCK} (?=\[)", re.ASCII),
)
_LEVEL: Final = r"\[(?P<level>INFO|ERROR|WARNING|DEBUG|FATAL|PANIC|NOTICE)\] "
_LEVELLED: Final = later(_LEVEL)
_ASKED: Final = later(
    r"(?P<src_ip>\[[0-9A-Fa-f:.%\w]{2,64}\]|[\d.]{7,15}):(?P<src_port>\d{1,5}) - (?P<id>\d{1,5}) "
    r'"(?P<record_type>[^ "]{1,16}) (?P<record_class>[^ "]{1,16}) (?P<query>(?:[^ "\\]|\\.){1,1100}) '
    r'(?P<protocol>[a-z]{2,5}) (?P<size>\d{1,9}) (?P<do>true|false) (?P<bufsize>\d{1,9})"'
    r" (?P<rcode>[^ ]{1,24}) (?P<flags>[^ ]{1,40}) (?P<response_size>\d{1,9}) (?P<duration>[^ ]{1,40})"
    r"(?: (?P<extra>.+))?",
    re.ASCII,
)
_FAILED: Final = later(
    r"plugin/(?P<plugin>[a-z_0-9]{1,32}): (?:(?P<rcode>\d{1,5}|[A-Z]{4,16}) (?P<query>\S{1,1100}) "
    r"(?P<record_type>[A-Z0-9]{1,16}): )?(?P<reason>.*)",
    re.DOTALL,
)
_SAID: Final = (
    rb"\[(?:INFO|ERROR|WARNING)\] (?:(?:\[[^\]\n]{2,64}\]|[\d.]{7,15}):\d{1,5} - \d{1,5} \\?\"[A-Z]"
    rb"|plugin/[a-z_0-9]+[: ])"
)
_BEFORE: Final = (
    rb'\{"log":"|[^\n\["]{0,40}(?:stdout|stderr) [FP] '
    rb"|\d{4}[-/]\d\d[-/]\d\d[T ][\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)? "
)
_SNIFFED: Final = later(rb"^(?:" + _BEFORE + rb")?" + _SAID, re.MULTILINE)
_TAGGED: Final = framed.tagged("coredns")


def sniff(head: bytes) -> bool:
    return documents.mostly(head.removeprefix(b"\xef\xbb\xbf"), _SNIFFED) or framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    entry = containers.entry(text.encode("utf-8", "replace"))
    if entry is not None:
        time, stream, said = entry
        begun = framed.Beginning(one(time), "", 0, {"stream": stream} if stream else {})
        text = said.decode("utf-8", "replace")
    else:
        begun = framed.beginning(text, _PATTERNS, clock) or framed.Beginning(NO_TIME, NO_TIME_TOLD, 0, {})
    level = _LEVELLED.match(text, begun.message)
    if level is None:
        if begun.ts == NO_TIME and not begun.fields:
            return _NO_RECORD
        return Parsed(begun.ts, {**begun.fields, "log": "message", "message": text[begun.message :]}, begun.mended)
    return Parsed(begun.ts, {**begun.fields, **_message(text[level.end() :], level["level"])}, begun.mended)


def _message(text: str, level: str) -> dict[str, str]:
    values = {"level": level.lower()}
    if found := _ASKED.fullmatch(text):
        values |= {name: value for name, value in found.groupdict().items() if value}
        values["src_ip"] = values["src_ip"].strip("[]")
        return values | {"log": "query", "query": _dotless(values["query"])}
    values |= {"log": level.lower(), "message": text}
    if found := _FAILED.fullmatch(text):
        values |= {name: value for name, value in found.groupdict().items() if value}
        if "query" in values:
            values["query"] = _dotless(values["query"])
    return values


def _dotless(name: str) -> str:
    return name.removesuffix(".") if len(name) > 1 else name


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
