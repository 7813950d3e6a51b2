"""Logs of the resolver Unbound in, Events out: queries and replies, and what it says of names that it blocked.

After unbound.conf(5): `log-queries`, `log-replies`, `log-tag-queryreply`, `log-local-actions`, `log-servfail`,
`rpz-log`, `log-time-ascii`, `log-time-iso`, `use-syslog`. `src_ip` asked for `query` of `record_type`; `log` is
`query`, `response`, `local-zone`, `rpz`, `failure`, or else the line's level. Names come without the dot at their end.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import framed
from tocsin.collect.clock import Clock
from tocsin.collect.framed import Form
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_number
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.collect.words import Words, parted, without

NAME = "unbound"
KIND = "dns"

_NO_RECORD: Final = "not a line of Unbound's log"
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_ISO: Final = rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]{_CLOCK}(?:\.(?P<part>\d{{1,6}}))?"
_NEXT: Final = r" (?=[^ \[]+\[\d+:[^ \]:]+\] )"
_FORMS: Final = (
    Form(Stamp("[%s] "), later(rf"\[(?P<epoch>\d{{10}})(?:\.(?P<part>\d{{1,9}}))?\]{_NEXT}", re.ASCII)),
    Form(Stamp("%b %d %H:%M:%S "), later(rf"(?P<month>[A-Z][a-z]{{2}}) (?P<day>\d\d) {_CLOCK}{_NEXT}", re.ASCII)),
    Form(Stamp("%Y-%m-%dT%H:%M:%S.%f%Z "), later(rf"{_ISO}(?P<zone>Z|[+-]\d\d:?\d\d)?{_NEXT}", re.ASCII)),
)
_PATTERNS: Final = tuple(form.pattern for form in _FORMS)
_DAEMON: Final = later(
    r"(?P<program>[^ \[]+)?\[(?P<pid>\d{1,18}):(?P<thread>[^ \]:]+)\] (?P<level>[a-z]+(?: error)?): ", re.ASCII
)
_RECORD: Final = r"(?P<query>[^ ]*\.) (?P<record_type>[^ ]+) (?P<record_class>IN|CH|HS|ANY|NONE|CLASS\d+)"
_ASKED: Final = later(
    rf"(?P<src_ip>[^ @]+) {_RECORD}"
    r"(?: (?P<rcode>[A-Z][^ ]*) (?P<duration>[^ ]+) (?P<cached>[^ ]+) (?P<size>\d{1,18})(?: (?P<extra>.+))?)?",
    re.ASCII,
)
_ACTED: Final = later(
    r"(?P<rpz>rpz: applied )?(?:\[(?P<rpz_log>[^\]]*)\] )?(?P<zone>[^ ]+) (?P<action>[a-z_-]+) "
    rf"(?P<src_ip>[^ @]+)@(?P<src_port>\d{{1,5}}) {_RECORD}",
    re.ASCII,
)
_FAILED: Final = later(rf"(?P<failure>SERVFAIL|validation failure) <?{_RECORD}>?(?:: .*)?", re.ASCII)
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?(?:\[\d{10}(?:\.\d{1,9})?\]|[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d"
    rb"|\d{4}-\d\d-\d\d[T ][\d:.]{8,15}[Z\d:+-]{0,6})"
    rb" [\w.-]{1,64}\[\d{1,10}:[0-9a-f]{1,8}\] [a-z]+(?: error)?: ",
    re.MULTILINE,
)
_TAGGED: Final = framed.tagged("unbound")


def sniff(head: bytes) -> bool:
    return _SNIFFED.search(head) is not None or framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = framed.beginning(text, _PATTERNS, clock)
    if begun is None:
        return _NO_RECORD
    daemon = _DAEMON.match(text, begun.message)
    told = _told(daemon) if daemon else {}
    rest = text[daemon.end() if daemon else begun.message :]
    return Parsed(begun.ts, {**begun.fields, **told, **_message(rest, told.get("level", "info"))}, begun.mended)


def _message(text: str, level: str) -> dict[str, str]:
    if found := _ASKED.fullmatch(text):
        return _told(found) | {"log": "query" if found["rcode"] is None else "response"}
    values = {"log": level, "message": text}
    if found := _ACTED.fullmatch(text):
        values |= _told(found) | {"log": "rpz" if found["rpz"] else "local-zone"}
        values.pop("rpz", None)
    elif found := _FAILED.fullmatch(text):
        values |= _told(found) | {"log": "failure"}
    return values


def _told(found: re.Match[str]) -> dict[str, str]:
    values = {name: value for name, value in found.groupdict().items() if value}
    for name in ("query", "zone"):
        if len(values.get(name, "")) > 1:
            values[name] = values[name].removesuffix(".")
    return values


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Queries and replies: `[time] unbound[1:0] info: address name. type IN[ rcode seconds cached bytes]`."""
    first = byte(block, block.starts)
    own = (first == ord("[")) | (holds(block, block.starts + 6, " ") & (byte(block, block.starts + 15) == ord(" ")))
    own |= is_number(block, block.starts, np.minimum(block.starts + 4, block.stops))
    brackets = Marks(block, "[")
    frame = framed.frame(block, _FORMS, own & _has_thread(block, brackets), clock)
    words = Words(block, frame.message)
    daemon = words.take()
    bracket = brackets.at(brackets.before(daemon.starts))
    usual: Mask = frame.usual & (bracket < daemon.stops) & (byte(block, daemon.stops - 1) == ord("]"))
    good, pid, thread = parted(Spans(bracket + 1, daemon.stops - 1), Marks(block, ":"))
    closing = Marks(block, "]")
    usual &= good & is_number(block, *pid) & (closing.at(closing.before(daemon.starts)) == daemon.stops - 1)
    usual &= brackets.before(daemon.stops) - brackets.before(daemon.starts) == 1
    ends, level = without(block, words.take(), ":")
    usual &= ends & _is_level(block, level)
    asker, query, qtype, qclass = (words.take() for _ in range(4))
    usual &= holds(block, qclass.starts, "IN") & (qclass.stops - qclass.starts == 2)
    usual &= (byte(block, query.stops - 1) == ord(".")) & (query.stops - query.starts > 1)
    if b"@" in block.data:
        usual &= Marks(block, "@").count == 0
    answered = ~words.ended()
    rcode, duration, cached, size = (words.take(answered) for _ in range(4))
    capital = byte(block, rcode.starts) - ord("A")
    usual &= ~answered | ((capital < 26) & is_number(block, *size))
    usual &= words.good & words.ended()
    said = bracket > daemon.starts
    inner = {
        "program": Spans(np.where(said, daemon.starts, -1), np.where(said, bracket, -1)),
        "pid": pid,
        "thread": thread,
        "level": level,
        "src_ip": asker,
        "query": Spans(query.starts, query.stops - 1),
        "record_type": qtype,
        "record_class": qclass,
        "rcode": rcode,
        "duration": duration,
        "cached": cached,
        "size": size,
    }
    if frame.headers:
        del inner["program"]
        usual &= ~said
    told = {**frame.fields(usual), **{name: chosen(usual, span) for name, span in inner.items()}}
    log = chosen(usual, Spans(qclass.starts, np.where(answered, rcode.stops, qclass.stops)))
    told["log"] = Told(log, lambda text: "response" if " " in text else "query")
    return Split(usual=usual, ts=frame.ts[usual], fields=told, mended=frame.mended(usual))


def _has_thread(block: Lines, brackets: Marks) -> Mask:
    """Whether `[1:0]` may stand in each line, behind a stamp in brackets or one without."""
    at = brackets.at((byte(block, block.starts) == ord("[")).astype(np.int64))
    colons = Marks(block, ":")
    closing = Marks(block, "]")
    colon, end = colons.at(colons.before(at)), closing.at(closing.before(at))
    found: Mask = (brackets.count > 0) & (colon < end) & holds(block, end, "] ") & (end < block.stops)
    found &= byte(block, at - 1) != ord(" ")  # the daemon's name stands before it; through syslog, a space
    return found


def _is_level(block: Lines, spans: Spans) -> Mask:
    """Whether a level is one word of small letters."""
    sizes = spans.stops - spans.starts
    found: Mask = (sizes > 0) & (sizes <= 8)
    for at in range(8):
        found &= byte(block, spans.starts + np.minimum(at, sizes - 1)) - ord("a") < 26
    return found


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
