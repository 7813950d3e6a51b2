"""Logs of MikroTik RouterOS in, Events out: the packets of its firewall, logins, and what else it says under topics.

MikroTik's manual, "Log" (topics, remote logging in its own form and as BSD syslog, `disk` files of versions 6 and 7)
and "Filter" (`action=log`). A line is `topic[,topic] message`, behind a stamp, a header of syslog, or nothing; `log` is
the first topic. A packet has the names of Sigma's firewall category; RouterOS does not say what became of it, so there
is no `action` but what `log-prefix` tells people. Lines without a time have none.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import documents, framed
from tocsin.collect.clock import NO_TIME_TOLD, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "mikrotik"
KIND = "firewall"

_NO_RECORD: Final = "not a line of a RouterOS log"
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_PATTERNS: Final = (
    later(rf"(?P<month>[A-Za-z]{{3}})/(?P<day>\d\d)(?:/(?P<year>\d{{4}}))? {_CLOCK} (?=[a-z]+[ ,])", re.ASCII),
    later(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d) {_CLOCK} (?=[a-z]+[ ,])", re.ASCII),
)
_TOPIC: Final = (
    *("firewall", "system", "info", "error", "warning", "critical", "account", "dhcp", "dns", "ipsec", "ppp", "pptp"),
    *(
        "l2tp",
        "sstp",
        "ovpn",
        "wireless",
        "interface",
        "route",
        "script",
        "web-proxy",
        "hotspot",
        "ntp",
        "ssh",
        "debug",
    ),
    *("wireguard", "bridge", "certificate", "upnp", "snmp", "radius", "manager", "caps", "backup", "packet", "raw"),
    *("pppoe", "ospf", "bgp", "tftp", "ssl", "poe-out", "watchdog", "event", "async", "calc", "store", "container"),
)
_NAMED: Final = "|".join(_TOPIC)
_TOPICS: Final = later(rf"((?:{_NAMED})(?:,!?(?:{_NAMED})){{1,5}}) ", re.ASCII)
_PACKET: Final = later(
    r"(?:(?P<prefix>.{0,120}?) )?(?P<chain>[^\s:]{1,64}): in:(?P<in>\([^()]{0,64}\)|[^\s]{1,64}) "
    r"out:(?P<out>\([^()]{0,64}\)|[^\s,]{1,64}),"
    r"(?: connection-state:(?P<connection_state>[a-z,]{1,40}?))?(?: connection-mark:(?P<connection_mark>[^\s,]{1,64}))?"
    r"(?: packet-mark:(?P<packet_mark>[^\s,]{1,64}))?(?: src-mac (?P<src_mac>[0-9A-Fa-f:]{17}),)?"
    r" proto (?P<protocol>[^\s,()]{1,20})(?: \((?P<flags>[^()]{1,40})\))?, "
    r"(?P<source>[^\s>]{2,60})->(?P<target>[^\s,>]{2,60})"
    r"(?:, NAT (?P<nat>[^,]{2,200}))?(?:, prio (?P<prio>[^,]{1,20}))?(?:, len (?P<len>\d{1,9}))?(?:,.*)?",
    re.ASCII,
)
_FAILED: Final = later(
    r"login failure for user (?P<username>.{0,256}?)(?: from (?P<src_ip>[0-9A-Fa-f.:]{2,45}))?"
    r"(?: via (?P<service>[a-z\-]{1,20}))?"
)
_LOGGED: Final = later(
    r"user (?P<username>.{0,256}?) logged (?P<way>in|out)(?: from (?P<src_ip>[0-9A-Fa-f.:]{2,45}))?"
    r"(?: via (?P<service>[a-z\-]{1,20}))?"
)
_SNIFFED: Final = later(
    rb"^(?:<\d{1,3}>)?(?:(?:[a-z]{3}/\d\d(?:/\d{4})?|\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d "
    rb"|(?:[A-Z][a-z]{2} [ \d]\d|\d{4}-\d\d-\d\dT)[^\n ]{0,40} ?(?:[^\n ]{1,40} ){1,2})?"
    rb"(?:" + _NAMED.encode() + rb")(?:,!?(?:" + _NAMED.encode() + rb")){1,5} ",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return documents.mostly(head.removeprefix(b"\xef\xbb\xbf"), _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    if text.startswith("#"):  # what `/log print file` writes first
        return None
    begun = framed.beginning(_month_first(text), _PATTERNS, clock)
    if begun is None:
        head = _untimed(text)
        if head is None:
            return _NO_RECORD
        begun = framed.Beginning(NO_TIME, NO_TIME_TOLD, head, {})
    topics = _TOPICS.match(text, begun.message)
    if topics is None:  # a header of which the topics were taken for the tag
        return Parsed(begun.ts, {"log": "message", **begun.fields, "message": text[begun.message :]}, begun.mended)
    message = text[topics.end() :]
    values: dict[str, str | tuple[str, ...] | None] = dict(begun.fields)
    values |= {"log": topics[1].partition(",")[0], "topics": tuple(topics[1].split(",")), "message": message}
    return Parsed(begun.ts, values | _told(message), begun.mended)


def _untimed(text: str) -> int | None:
    """Where a line without a time goes on: behind a priority, or at its beginning."""
    at = text.find(">") + 1 if text.startswith("<") else 0
    return at if _TOPICS.match(text, at) else None


def _month_first(text: str) -> str:
    """`nov/28` as `Nov/28`, which is how months are called elsewhere; nothing else of a line is changed."""
    return text[:1].upper() + text[1:] if text[3:4] == "/" else text


def _told(message: str) -> dict[str, str]:
    if found := _PACKET.fullmatch(message):
        values = {name: value for name, value in found.groupdict().items() if value}
        for side, end in (("src", values.pop("source")), ("dst", values.pop("target"))):
            address, port = _ends(end)
            values[f"{side}_ip"] = address
            if port:
                values[f"{side}_port"] = port
        return values | {"protocol": values["protocol"].lower()}
    if found := _FAILED.fullmatch(message):
        return {name: value for name, value in found.groupdict().items() if value} | {"status": "failure"}
    if found := _LOGGED.fullmatch(message):
        values = {name: value for name, value in found.groupdict().items() if value}
        return values | {"status": "success" if values.pop("way") == "in" else "logged out"}
    return {}


def _ends(text: str) -> tuple[str, str]:
    """Address and port of `address:port`, `[address]:port`, or an address alone."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        return address, rest.removeprefix(":")
    address, colon, port = text.partition(":")
    return (address, port) if colon and port.isdigit() and "." in address else (text, "")


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
