"""Error logs of web servers in, Events out: nginx, and Apache httpd 2.2 and 2.4.

nginx `ngx_core_module` `error_log` (the form is in the source of `ngx_log_error_core`), Apache `core`
`ErrorLogFormat` and its default. A line without a time belongs to the message above it and is an event of its own, so
that what it says can be found.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Final

from tocsin.collect import syslog
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.mail_texts import Fields
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "web_error"
KIND = "application"

_NGINX: Final = later(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w{1,16})\] (\d{1,10})#(\d{1,10}): (?:\*(\d{1,20}) )?(.*)",
    re.ASCII | re.DOTALL,
)
# What nginx appends, in this order.
_CONTEXT: Final = later(
    r", (client|server|login|request|subrequest|upstream|host|referrer|session|ssl_session): "
    r'(?:"((?:[^"\\]|\\.)*+)"|([^,"]*+))(?=, |\Z)',
    re.DOTALL,
)
_CONTEXT_BEGINS: Final = later(r", client: [0-9A-Fa-f.:\[\]]{2,60}(?=, |\Z)|, client: unix:")
_CUT_OFF: Final = 1_900  # characters: nginx ends lines at 2,048 bytes, wherever it is
_MOST_CLIENTS: Final = 16  # of one message: the rest is left to its text
_APACHE: Final = later(
    r"\[((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4}"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)\] "
    r"\[(?:([\w\-]{0,40}):)?(\w{1,16})\] (.*)",
    re.ASCII | re.DOTALL,
)
_PROCESS: Final = later(r"\[pid (\d{1,10})(?::tid (\d{1,20}))?\] ", re.ASCII)
_CLIENT: Final = later(r"\[(?:remote|client) ([^\]\s]{1,255}?)(?::(\d{1,5}))?\] ?", re.ASCII)
_FILE: Final = later(r"([\w.\-]{1,64}\.c)\((\d{1,6})\): ", re.ASCII)
_STATUS: Final = later(r"\((-?\d{1,10})\)([^:\[]{1,200}): ", re.ASCII)
_CODE: Final = later(r"(AH\d{5}): ", re.ASCII)
_REFERER: Final = later(r", referer: (.*)\Z", re.DOTALL)
_LEVEL: Final = rb"(?:emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])"
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[" + _LEVEL + rb"\] \d{1,10}#\d{1,10}: "
    rb"|\[(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4}\] "
    rb"\[(?:[\w\-]{0,40}:)?" + _LEVEL + rb"\] "
    rb"|\[\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?\] \[[\w\-]{0,40}:" + _LEVEL + rb"\] \[pid \d)",
    re.MULTILINE,
)


# A line of an access log: containers often write both logs into one.
_ACCESS: Final = later(rb'" \d{3} (?:\d{1,20}|-)(?: |$)', re.MULTILINE)
_LEAST: Final = 0.2  # of a file's lines: an error may bring a long trace


def sniff(head: bytes) -> bool:
    ours = sum(1 for _ in _SNIFFED.finditer(head))
    if not ours:
        return False
    return ours >= _LEAST * head.count(b"\n") and ours >= sum(1 for _ in _ACCESS.finditer(head))


def _parse(text: str, head: bytes, clock: Clock) -> Parsed | str | None:
    relay = syslog.header(text, clock)
    if relay is None:
        return _told(text, clock)
    told = _told(text[relay.message :], clock)
    if told is None or not told.fields:
        return told
    named = {name: value for name, value in (("host", relay.host), ("program", relay.program)) if value}
    if told.ts == NO_TIME:
        return Parsed(relay.ts, {**named, **told.fields}, relay.mended)
    return Parsed(told.ts, {**named, **told.fields}, told.mended)


def _told(text: str, clock: Clock) -> Parsed | None:
    """What a line says, behind the header of syslog if there is one."""
    if found := _NGINX.fullmatch(text):
        values = _nginx(found)
        ts = _ts(found[1], ("%Y/%m/%d %H:%M:%S",), clock)
    elif found := _APACHE.fullmatch(text):
        values = _apache(found)
        day = found[1].partition(" ")[2] if found[1][3:4] == " " and found[1][4].isalpha() else found[1]
        ts = _ts(day.replace("T", " ", 1) if day[0].isdigit() else day, _APACHE_FORMS, clock)
    elif text.strip():
        return Parsed(NO_TIME, {"log": "continued", "message": text})
    else:
        return None
    if ts == NO_TIME:
        values["time"] = found[1]
    return Parsed(ts, values, "" if ts == NO_TIME else ZONE_ASSUMED)


_APACHE_FORMS: Final = ("%b %d %H:%M:%S.%f %Y", "%b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")


def _ts(text: str, forms: tuple[str, ...], clock: Clock) -> int:
    for form in forms:
        try:
            return clock.local(datetime.strptime(text, form))  # noqa: DTZ007  # the clock knows the zone
        except ValueError:
            continue
    return NO_TIME


def _nginx(found: re.Match[str]) -> Fields:
    values: Fields = {"log": "nginx", "level": found[2], "pid": found[3], "tid": found[4], "message": found[6]}
    if found[5]:
        values["connection"] = found[5]
    first: Fields = {}
    for begins in islice(_CONTEXT_BEGINS.finditer(found[6]), _MOST_CLIENTS):
        told, end = _context(found[6], begins.start())
        if end == len(found[6]):  # else it is what a client said
            return values | told
        first = first or told
    return values | first if len(found[6]) >= _CUT_OFF else values


def _context(message: str, at: int) -> tuple[Fields, int]:
    """What nginx appended from a place on, and where that ends."""
    told: Fields = {}
    while part := _CONTEXT.match(message, at):
        name = {"host": "cs-host", "referrer": "cs-referer"}.get(part[1], part[1])
        told.setdefault(name, part[3] if part[2] is None else part[2])
        at = part.end()
    return told, at


def _apache(found: re.Match[str]) -> Fields:
    values: Fields = {"log": "apache", "level": found[3]}
    if found[2]:
        values["module"] = found[2]
    rest, at = found[4], 0
    told = ((_PROCESS, "pid", "tid"), (_FILE, "file", "line"), (_STATUS, "os_error", "os_error_text"))
    for pattern, *names in (*told, (_CLIENT, "client", "client_port"), (_CODE, "code")):
        if part := pattern.match(rest, at):
            values |= {name: text for name, text in zip(names, part.groups(), strict=True) if text is not None}
            at = part.end()
    if "pid" not in values and "client_port" in values and ":" in str(values["client"]):
        values["client"] = f"{values['client']}:{values.pop('client_port')}"  # httpd 2.2 logs no port
    values["message"] = rest[at:]
    if referer := _REFERER.search(rest, at):
        values["cs-referer"] = referer[1]
    return values


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
