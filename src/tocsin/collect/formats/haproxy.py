"""Logs of HAProxy in, Events out, through syslog or bare: HTTP, HTTPS, TCP, its default form, errors, and what it says.

HAProxy Configuration Manual §8.2 (`option httplog`, `httpslog`, `tcplog`, none, error log format). Requests have the
names that Sigma gives web servers; `frontend`, `backend` and `server` are HAProxy's own, and so is what it counted.
Captured headers stand in `captured` as they were logged, since nothing names them. `log` is `access`, `tcp`, `connect`,
`error`, or else `message`. The time is when the request came, in the machine's zone.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import numpy as np

from tocsin.collect import framed, syslog
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split
from tocsin.collect.marks import Marks, byte, chosen, holds, is_dash, is_number, unless
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.collect.urls import host_of, path_of
from tocsin.collect.words import Words, parted
from tocsin.model.event import NO_TIME, Longs

NAME = "haproxy"
KIND = "webserver"

_NO_RECORD: Final = "not a line of HAProxy's log"
_TIME: Final = Stamp("%d/%b/%Y:%H:%M:%S.%f")
_CLIENT: Final = r"(?P<client>[^ \[\]]{2,60}) \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] "
_WHERE: Final = r"(?P<frontend>[^ /]{1,255}) (?P<backend>[^ /]{1,255})/(?P<server>[^ /]{1,255}) "
_COUNTS: Final = r"(?P<connections>\+?\d+(?:/\+?\d+){4}) (?P<queues>\d+/\d+)"
_HTTP: Final = later(
    _CLIENT + _WHERE + r"(?P<timers>[+\-\d]+(?:/[+\-\d]+){4}) (?P<status>-1|\d{3}) (?P<bytes>\+?\d+) "
    r"(?P<request_cookie>[^ ]+) (?P<response_cookie>[^ ]+) (?P<termination_state>[A-Za-z\-]{4}) " + _COUNTS + r" "
    r"(?:(?P<captured>\{.*\}) )?\"(?P<request>[^\"]*)\"?(?: (?P<extra>.*))?",
    re.ASCII | re.DOTALL,
)
_TCP: Final = later(
    _CLIENT + _WHERE + r"(?P<timers>[+\-\d]+(?:/[+\-\d]+){2}) (?P<bytes>\+?\d+) (?P<termination_state>[A-Za-z\-]{2}) "
    rf"{_COUNTS}(?: (?P<extra>.*))?",
    re.ASCII | re.DOTALL,
)
_ERROR: Final = later(
    _CLIENT + r"(?P<frontend>[^ /]{1,255})/(?P<bind>[^ ]{1,255}): (?P<message>.*)", re.ASCII | re.DOTALL
)
_CONNECT: Final = later(
    r"Connect from (?P<client>[^ ]{2,60}) to (?P<target>[^ ]{2,60}) \((?P<frontend>[^/)]{1,255})/(?P<mode>[A-Z]+)\)",
    re.ASCII,
)
_FORMS: Final = (("access", _HTTP), ("tcp", _TCP), ("error", _ERROR), ("connect", _CONNECT))
_REQUEST: Final = later(r"([^ ]+) (.+) (HTTP/[^ ]*)", re.DOTALL)
_TAGGED: Final = framed.tagged("haproxy")
_BARE: Final = later(
    rb"^(?:\xef\xbb\xbf)?[^ \n]{2,60}:\d{1,5} \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] [^ \n/]{1,255}"
    rb"(?: [^ \n/]{1,255}/[^ \n/]{1,255} [+\-\d]+/|/[^ \n]{1,255}: )",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return framed.mostly(head, _TAGGED) or framed.mostly(head, _BARE)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    text = text.removeprefix("\ufeff")
    head = syslog.header(text, clock)
    message = text[head.message if head else 0 :]
    told = _told(message)
    if told is None and (head is None or head.program is None):
        return _NO_RECORD
    named = head.fields() if head else {}
    if "host" in named:
        named["s-computername"] = named.pop("host")
    time, values = told or ("", {"log": "message", "message": message})
    ts = _ts(time, clock)
    if ts != NO_TIME:
        return Parsed(ts, {**named, **values}, ZONE_ASSUMED)
    return Parsed(head.ts if head else NO_TIME, {**named, **values}, head.mended if head else "")


def _ts(text: str, clock: Clock) -> int:
    try:
        return clock.local(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S.%f"))  # noqa: DTZ007  # the clock knows the zone
    except ValueError:
        return NO_TIME


def _told(message: str) -> tuple[str, dict[str, str]] | None:
    """The time of a message and its fields; None where it is of no form of HAProxy's."""
    tried = ((log, form.fullmatch(message)) for log, form in _FORMS)
    log, found = next(((log, found) for log, found in tried if found), ("", None))
    if found is None:
        return None
    values = {name: value for name, value in found.groupdict().items() if value not in (None, "-")}
    told = {"log": log}
    told |= _place(values.pop("client"), "c") | (_place(values.pop("target"), "s") if "target" in values else {})
    if "status" in values:
        told["sc-status"] = values.pop("status")
    if "bytes" in values:
        told["sc-bytes"] = values.pop("bytes").removeprefix("+")
    told |= _request(values.pop("request")) if "request" in values else {}
    time = values.pop("time", "")
    return time, told | values


def _place(text: str, side: str) -> dict[str, str]:
    address, mark, port = text.rpartition(":")
    return {f"{side}-ip": address, f"{side}-port": port} if mark and port.isdecimal() else {f"{side}-ip": text}


def _request(text: str) -> dict[str, str]:
    """What was asked for; with HTTP/2 it is a whole URL, of which the host and the path are told as for others."""
    found = _REQUEST.fullmatch(text)
    if found is None:
        return {"cs-uri": text}
    values = {"cs-method": found[1], "cs-uri": found[2], "cs-version": found[3]}
    host = host_of(found[2])
    if host:
        values["cs-host"] = host
    values["cs-uri-stem"] = path_of(found[2]) if host else found[2].partition("?")[0]
    if "?" in found[2]:
        values["cs-uri-query"] = found[2].partition("?")[2]
    return values


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Requests behind a header of syslog: `client [time] front back/server 0/0/1/2/3 200 7 ... "GET / HTTP/1.1"`."""
    frame = framed.frame(block, (), np.zeros(len(block), bool), clock)
    words = Words(block, frame.message)
    client, date, front, back, timers, status, size, asked, answered, state, counts, queues = (
        words.take() for _ in range(12)
    )
    quotes, slashes = Marks(block, '"'), Marks(block, "/")
    number = quotes.before(words.at)
    opened, closed = quotes.at(number), quotes.at(number + 1)
    usual: Mask = frame.usual & words.good & (quotes.count == number + 2) & (number == 0)
    times = _TIME.read(block.octets, date.starts + 1, clock)
    usual &= times.good & (date.stops - date.starts == _TIME.width + 2) & holds(block, date.starts, "[")
    usual &= holds(block, date.stops - 1, "]")
    for span, many in ((front, 0), (back, 1), (timers, 4), (counts, 4), (queues, 1)):
        usual &= slashes.before(span.stops) - slashes.before(span.starts) == many
        usual &= span.stops - span.starts <= 255
    for span in (timers, counts, queues):
        usual &= _is_counts(block, span)
    named, backend, server = parted(back, slashes)
    ported, address, port = _ported(block, client)
    usual &= named & ported & is_number(block, *status) & (status.stops - status.starts == 3) & is_number(block, *size)
    usual &= (state.stops - state.starts == 4) & (client.stops - client.starts <= 60)
    usual &= _is_state(block, state)
    captured = opened > words.at
    usual &= ~captured | ((byte(block, words.at) == ord("{")) & holds(block, opened - 2, "} "))
    rest = closed + 1 < block.stops
    usual &= ~rest | (byte(block, closed + 1) == ord(" "))
    good, request = _asked(block, opened, closed)
    usual &= good
    spans = {
        "c-ip": address,
        "c-port": port,
        "frontend": front,
        "backend": backend,
        "server": server,
        "timers": timers,
        "sc-status": status,
        "sc-bytes": size,
        "termination_state": state,
        "connections": counts,
        "queues": queues,
        "request_cookie": unless(is_dash(block, *asked), *asked),
        "response_cookie": unless(is_dash(block, *answered), *answered),
        "captured": unless(~captured, words.at, opened - 1),
        **request,
        "extra": unless(~rest | is_dash(block, closed + 2, block.stops), closed + 2, block.stops),
    }
    told = frame.fields(usual)
    if "host" in told:
        told["s-computername"] = told.pop("host")
    told |= {name: chosen(usual, span) for name, span in spans.items()}
    return Split(usual=usual, ts=times.ts[usual], fields={**told, "log": "access"}, mended=ZONE_ASSUMED)


def _asked(block: Lines, opened: Longs, closed: Longs) -> tuple[Mask, dict[str, Spans]]:
    """Whether `METHOD /path?query HTTP/1.1` stands between two quotes, and where its parts do."""
    spaces, questions = Marks(block, " "), Marks(block, "?")
    inside, behind = spaces.before(opened), spaces.before(closed)
    target, target_end = spaces.at(inside) + 1, spaces.at(behind - 1)
    good: Mask = (behind - inside >= 2) & (target > opened + 2) & (byte(block, target) == ord("/"))
    good &= holds(block, target_end + 1, "HTTP/") & (target_end > target)
    question = questions.at(questions.before(target))
    queried = (questions.count > 0) & (question >= target) & (question < target_end)
    return good, {
        "cs-method": Spans(opened + 1, target - 1),
        "cs-uri": Spans(target, target_end),
        "cs-uri-stem": Spans(target, np.where(queried, question, target_end)),
        "cs-uri-query": unless(~queried, question + 1, target_end),
        "cs-version": Spans(target_end + 1, closed),
    }


def _ported(block: Lines, client: Spans) -> tuple[Mask, Spans, Spans]:
    """Whether a port stands behind the last colon of each word, and what stands before and behind it."""
    colons = Marks(block, ":")
    last = colons.at(colons.before(client.stops) - 1)
    good: Mask = (last > client.starts) & is_number(block, last + 1, client.stops)
    return good, Spans(client.starts, last), Spans(last + 1, client.stops)


def _is_counts(block: Lines, spans: Spans) -> Mask:
    """Whether nothing but digits and slashes stands there, no two slashes together; signs are read one by one."""
    bad = ~_COUNTS_OR_SLASH[block.octets]
    bad[1:] |= (block.octets[1:] == ord("/")) & (block.octets[:-1] == ord("/"))
    before = np.append(0, np.cumsum(bad))
    starts, stops = (before.take(places, mode="clip") for places in spans)  # a line may be cut off
    good: Mask = (stops == starts) & (byte(block, spans.starts) != ord("/"))
    good &= byte(block, spans.stops - 1) != ord("/")
    return good


def _is_state(block: Lines, spans: Spans) -> Mask:
    good: Mask = np.ones(len(block), bool)
    for at in range(4):
        good &= _STATE[byte(block, spans.starts + at)]
    return good


def _set(letters: bytes) -> Mask:
    mask = np.zeros(256, bool)
    mask[list(letters)] = True
    return mask


_COUNTS_OR_SLASH: Final = _set(b"0123456789/")
_STATE: Final = _set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")
_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
