"""Logs of the name server BIND in, Events out: queries, and what it says of clients it refused or answered otherwise.

After the BIND 9 Administrator Reference Manual, "logging" (categories, `print-time`, `print-category`,
`print-severity`) and "Query Logging": in files of its own, or through syslog. `src_ip` asked for `query` of
`record_type`; `log` is `query`, `response`, `rpz`, `security` (denied), `failure`, or else the line's category.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import framed
from tocsin.collect.clock import Clock
from tocsin.collect.framed import Form
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split
from tocsin.collect.marks import Marks, byte, chosen, holds, is_number
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.collect.words import Words, parted, without
from tocsin.model.event import NO_TIME

NAME = "bind"
KIND = "dns"

_NO_RECORD: Final = "not a line of BIND's log"
_CATEGORIES: Final = (
    *("client", "cname", "config", "database", "default", "delegation-only", "dispatch", "dnssec", "dnstap"),
    *("edns-disabled", "general", "lame-servers", "network", "notify", "nsid", "queries", "query-errors", "rate-limit"),
    *("resolver", "responses", "rpz", "rpz-passthru", "security", "serve-stale", "spill", "sslkeylog", "tcp"),
    *("trust-anchor-telemetry", "unmatched", "update", "update-security", "xfer-in", "xfer-out", "zoneload"),
)
_CATEGORY: Final = "|".join(_CATEGORIES)
_SEVERITY: Final = r"critical|error|warning|notice|info|debug \d{1,3}"
_DAY: Final = r"(?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4})"
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\.(?P<part>\d{3})"
# No host of syslog's stands behind a stamp of BIND's own.
_NEXT: Final = rf"(?=(?:{_CATEGORY}|{_SEVERITY}): |client (?!named))"
_ISO: Final = rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)T{_CLOCK}"
_FORMS: Final = (
    Form(Stamp("%d-%b-%Y %H:%M:%S.%f "), later(rf"{_DAY} {_CLOCK} ", re.ASCII)),
    Form(Stamp("%Y-%m-%dT%H:%M:%S.%f "), later(rf"{_ISO} {_NEXT}", re.ASCII)),
    Form(Stamp("%Y-%m-%dT%H:%M:%S.%fZ "), later(rf"{_ISO}(?P<zone>Z) {_NEXT}", re.ASCII), is_utc=True),
    Form(Stamp("%Y-%m-%dT%H:%M:%S.%f%Z "), later(rf"{_ISO}(?P<zone>[+-]\d\d:\d\d) {_NEXT}", re.ASCII)),
)
_PATTERNS: Final = tuple(form.pattern for form in _FORMS)
_SAID: Final = later(rf"(?:(?P<category>{_CATEGORY}): )?(?:(?P<level>{_SEVERITY}): )?", re.ASCII)
_CLIENT: Final = later(
    r"client (?:(?P<client>@0x[^ ]*) )?(?P<src_ip>[^ #]+)#(?P<src_port>\d{1,5})(?:/key (?P<key>[^ ]+))?"
    r"(?: \((?P<asked>[^ ]*)\))?: (?:view (?P<view>[^ ]+): )?",
    re.ASCII,
)
_QUERY: Final = later(
    r"(?P<log>query|response): (?P<query>[^ ]+) (?P<record_class>[^ ]+) (?P<record_type>[^ ]+)"
    r"(?: (?P<rcode>[A-Z]{3,20}))?(?: (?P<flags>[+-][^ ]*))?(?: \((?P<dst_ip>[^ ]+)\))?(?: (?P<extra>.+))?"
)
_RPZ: Final = later(
    r"(?:disabled )?rpz (?P<rpz_trigger>[A-Z-]{1,20}) (?P<action>[^ ]+) rewrite (?P<query>[^ /]+(?:/(?!/)[^ /]+)*?)"
    r"(?:/(?P<record_type>[A-Z0-9]{1,16})/(?P<record_class>[A-Z0-9]{1,16}))? via (?P<rpz_zone>[^ ]+)"
)
_DENIED: Final = later(
    r"(?P<operation>[a-z][a-z ()]{0,60}?) '(?P<query>[^' ]*?)(?:/(?P<record_type>(?!IN'|CH'|HS')[A-Z0-9]{1,16}))?"
    r"(?:/(?P<record_class>[A-Z0-9]{1,16}))?' (?P<action>denied|approved)\b.*"
)
_FAILED: Final = later(
    r"query failed \((?P<rcode>[^)]{1,80})\) for (?P<query>[^ ]*)/(?P<record_class>[A-Z0-9]{1,16})"
    r"/(?P<record_type>[A-Z0-9]{1,16}) at .*"
)
_RESOLVING: Final = later(
    r".{0,200}?resolving '(?P<query>[^' ]*?)(?:/(?P<record_type>[A-Z0-9]{1,16})/(?P<record_class>[A-Z0-9]{1,16}))?'"
    r".{0,400}?: (?P<dst_ip>[0-9A-Fa-f.:%]{2,64})#(?P<dst_port>\d{1,5})",
    re.ASCII,
)
_MESSAGES: Final = (("rpz", _RPZ), ("failure", _FAILED), ("security", _DENIED))

_STAMP_BYTES: Final = (
    rb"(?:\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)?) "
)
_SAID_BYTES: Final = rb"(?:" + _CATEGORY.encode() + rb"): (?:" + _SEVERITY.encode() + rb"): "
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?(?:"
    + (rb"(?:" + _STAMP_BYTES + rb")?(?:[a-z][a-z-]{1,30}: )?(?:[a-z]{4,8}(?: \d{1,3})?: )?")
    + rb"client (?:@0x[0-9a-fA-F]{1,16} )?[0-9A-Fa-f.:]{2,64}(?:%[\w-]{1,16})?#\d{1,5}(?:/key [^ \n]{1,255})?"
    + (rb"(?: \([^ \n]{0,1100}\))?: |" + _STAMP_BYTES + _SAID_BYTES + rb")"),
    re.MULTILINE,
)
_TAGGED: Final = framed.tagged("named", "named-pkcs11", "bind", "bind9")


def sniff(head: bytes) -> bool:
    return _SNIFFED.search(head) is not None or framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = framed.beginning(text, _PATTERNS, clock)
    ts, mended, at, values = begun or (NO_TIME, "", 0, {})
    said = _SAID.match(text, at)
    told = {name: value for name, value in said.groupdict().items() if value} if said else {}
    at = said.end() if said else at
    if begun is None and not told and not _CLIENT.match(text):
        return _NO_RECORD
    return Parsed(ts, {**values, **told, **_message(text, at, told.get("category", "general"))}, mended)


def _message(line: str, at: int, category: str) -> dict[str, str]:
    """What a line says behind its stamp, its category and its severity.

    A message keeps the blank before it, and whom it is about: rules name its words as they stand in the line.
    """
    text = line[at:]
    client = _CLIENT.match(text)
    values = _told(client) if client else {}
    asked = values.pop("asked", "")
    rest = text[client.end() :] if client else text
    if client and (found := _QUERY.fullmatch(rest)):
        return values | _told(found)
    values |= {"log": category, "message": line[at - 1 :] if at and line[at - 1] == " " else text}
    if client and asked:
        values["query"] = asked
    for log, form in _MESSAGES:
        if found := form.fullmatch(rest):
            return values | {"log": log} | _told(found)
    if found := _RESOLVING.fullmatch(rest):
        values |= _told(found)
    return values


def _told(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """`[stamp] [queries: ][info: ]client [@0x1 ]address#port[ (name)]: [view v: ]query: name class type flags ...`."""
    own = is_number(block, block.starts, np.minimum(block.starts + 2, block.stops)) & (
        holds(block, block.starts + 24, " ")
        | holds(block, block.starts + 23, " ")
        | holds(block, block.starts + 29, " ")
    )
    bare = holds(block, block.starts, "client ") | holds(block, block.starts, "queries: ")
    bare |= holds(block, block.starts, "info: ")
    if 2 * bare.sum() >= len(block):
        frame = framed.Frame(bare, np.full(len(block), NO_TIME, np.int64), block.starts)
    else:
        frame = framed.frame(block, _FORMS, own, clock)
    words = Words(block, frame.message)
    category = words.take(words.begin("queries: "))
    level = words.take(words.begin("info: "))
    usual: Mask = frame.usual & words.begin("client ")
    words.take()
    client = words.take(words.begin("@0x"))
    asker = words.take()
    named = words.begin("(")
    asked = words.take(named)
    last = Spans(np.where(named, asked.starts, asker.starts), np.where(named, asked.stops, asker.stops))
    ends, last = without(block, last, ":")
    usual &= ends & (~named | (byte(block, last.stops - 1) == ord(")")))
    asker = Spans(asker.starts, np.where(named, asker.stops, last.stops))
    good, address, port = parted(asker, Marks(block, "#"))
    usual &= good & is_number(block, *port) & (port.stops - port.starts <= 5)
    viewed = words.begin("view ")
    words.take(viewed)
    ends, view = without(block, words.take(viewed), ":")
    usual &= ~viewed | ends
    usual &= words.begin("query: ")
    words.take()
    query, qclass, qtype, flags = (words.take() for _ in range(4))
    usual &= (byte(block, flags.starts) == ord("+")) | (byte(block, flags.starts) == ord("-"))
    server = words.take(words.begin("("))
    usual &= (server.starts < 0) | ((byte(block, server.stops - 1) == ord(")")) & (server.stops - server.starts > 2))
    usual &= words.good & words.ended()
    spans = {
        "category": _short(category),
        "level": _short(level),
        "client": client,
        "src_ip": address,
        "src_port": port,
        "view": Spans(np.where(viewed, view.starts, -1), np.where(viewed, view.stops, -1)),
        "query": query,
        "record_class": qclass,
        "record_type": qtype,
        "flags": flags,
        "dst_ip": Spans(
            np.where(server.starts < 0, -1, server.starts + 1), np.where(server.starts < 0, -1, server.stops - 1)
        ),
    }
    told = {**frame.fields(usual), **{name: chosen(usual, span) for name, span in spans.items()}, "log": "query"}
    return Split(usual=usual, ts=frame.ts[usual], fields=told, mended=frame.mended(usual))


def _short(spans: Spans) -> Spans:
    """Words without the colon at their end."""
    return Spans(spans.starts, np.where(spans.starts < 0, -1, spans.stops - 1))


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
