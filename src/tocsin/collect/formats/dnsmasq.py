"""Logs of dnsmasq in, Events out, through syslog or in a file of its own: queries, answers, and what was forwarded.

After dnsmasq(8), `--log-queries` (and `--log-queries=extra`), `--log-facility`, and what Pi-hole's edition adds.
`src_ip` asked for `query` of `record_type`; `log` is `query`, `response`, `forwarded`, or else `message`.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import framed
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, chosen, is_number
from tocsin.collect.text_lines import TextLog
from tocsin.collect.words import Words, parted

NAME = "dnsmasq"
KIND = "dns"

_NO_RECORD: Final = "not a line of dnsmasq's log"
_SERIAL: Final = later(r"(?P<serial>\d{1,18}) (?:(?P<src_ip>[^ /]+)/(?P<src_port>[^ /]+) )?", re.ASCII)
_ASKED: Final = later(
    r"(?P<verb>(?:dnssec-)?query|auth)\[(?P<record_type>[^ \]]+)\] (?P<query>[^ ]+) (from|to) ([^ ]+)"
)
_SENT: Final = later(r"(?P<verb>forwarded) (?P<query>[^ ]+) to (?P<dst_ip>[^ ]+)")
_ANSWERED: Final = later(r"(?P<verb>(?:[a-z-]+ ){0,3}[a-z-]+|/[^ ]+) (?P<query>[^ ]+) is (?P<answer>.+)")
_FIRST: Final = {
    "query": "query",
    "forwarded": "forwarded",
    "reply": "response",
    "cached": "response",
    "config": "response",
}
_TAGGED: Final = framed.tagged("dnsmasq", "dnsmasq-dhcp", "dnsmasq-tftp", "dnsmasq-script")


def sniff(head: bytes) -> bool:
    return framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = framed.beginning(text, (), clock)
    if begun is None:
        return _NO_RECORD
    return Parsed(begun.ts, {**begun.fields, **_message(text[begun.message :])}, begun.mended)


def _message(text: str) -> dict[str, str]:
    serial = _SERIAL.match(text)
    values = _told(serial) if serial else {}
    rest = text[serial.end() :] if serial else text
    if found := _ASKED.fullmatch(rest):
        return values | _told(found) | {"log": "query", "src_ip" if found[4] == "from" else "dst_ip": found[5]}
    if found := _SENT.fullmatch(rest):
        return values | _told(found) | {"log": "forwarded"}
    if found := _ANSWERED.fullmatch(rest):
        return values | _told(found) | {"log": "validation" if found["verb"] == "validation" else "response"}
    return values | {"log": "message", "message": rest}


def _told(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """`[serial address/port ]query[type] name from address`, `reply name is answer`, `forwarded name to address`."""
    frame = framed.frame(block, (), np.zeros(len(block), bool), clock)
    words = Words(block, frame.message)
    numbered = is_number(block, words.at, words.end())
    serial = words.take(numbered)
    client = words.take(numbered)
    good, address, port = parted(client, Marks(block, "/"))
    usual: Mask = frame.usual & (~numbered | good)
    asks, sends = words.begin("query["), words.begin("forwarded ")
    answers = words.begin("reply ") | words.begin("cached ") | words.begin("config ")
    verb, name = words.take(), words.take()
    bracket = verb.starts + len("query[")
    brackets = Marks(block, "]")
    closed = (brackets.at(brackets.before(verb.starts)) == verb.stops - 1) & (brackets.count > 0)
    usual &= (asks & closed & (verb.stops - 1 > bracket)) | sends | answers
    usual &= (asks & words.begin("from ")) | (sends & words.begin("to ")) | (answers & words.begin("is "))
    words.take()
    last = words.take()
    usual &= words.good & words.ended()
    known = numbered & ~asks
    spans = {
        "serial": serial,
        "src_ip": Spans(
            np.select([asks, known], [last.starts, address.starts], -1),
            np.select([asks, known], [last.stops, address.stops], -1),
        ),
        "src_port": _where(numbered, port),
        "verb": Spans(verb.starts, np.where(asks, bracket - 1, verb.stops)),
        "record_type": _where(asks, Spans(bracket, verb.stops - 1)),
        "query": name,
        "dst_ip": _where(sends, last),
        "answer": _where(answers, last),
    }
    told = {**frame.fields(usual), **{field: chosen(usual, span) for field, span in spans.items()}}
    said = told["verb"]
    assert isinstance(said, Spans)
    told["log"] = Told(said, _FIRST.get)
    return Split(usual=usual, ts=frame.ts[usual], fields=told, mended=frame.mended(usual))


def _where(there: Mask, spans: Spans) -> Spans:
    return Spans(np.where(there, spans.starts, -1), np.where(there, spans.stops, -1))


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
