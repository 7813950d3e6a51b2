"""Access logs of web servers in, Events out: the common and combined log formats of Apache, nginx and their likes.

Apache `mod_log_config` (common, combined, vhost_combined), nginx `ngx_http_log_module` (combined, and the `main` of
its packages), with whatever follows. Values stand as they were logged, percent signs, backslashes and all; `-` is no
value. `cs-uri` is what was asked for, `cs-uri-stem` its path, `cs-uri-query` what follows its first question mark,
`extra` what follows the user agent. A request that is none (the first bytes of TLS, say) is `cs-uri` alone. What has a
whole URL, or is a CONNECT, was asked of a forward proxy (Squid's `logformat combined`): it has the names that Sigma's
category of proxies gives, too. A header of syslog before the line tells the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import numpy as np

from tocsin.collect import syslog
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_dash, is_number, unless
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.collect.urls import extension_of, host_of, path_of, port_of
from tocsin.model.event import NO_TIME, Longs

NAME = "access_log"
KIND = "webserver"

_NO_RECORD: Final = "not a line of an access log"
_TIME: Final = Stamp("%d/%b/%Y:%H:%M:%S %z")
# Before the time stand address, identity and user, and the virtual host before these. Quotes inside quotes are
# escaped; so is the backslash that escapes them.
_LINE: Final = later(
    r'([^"]*?) \[([^\]\["]{1,64})\] "((?:[^"\\]|\\.)*+)" (\d{3}|-) (\d{1,20}|-)'
    r'(?: "((?:[^"\\]|\\.)*+)" "((?:[^"\\]|\\.)*+)")?(?:| (.*))',
    re.ASCII | re.DOTALL,
)
_REQUEST: Final = later(r"([^ ]+)(?: (.+) (HTTP/[^ ]*)| ([^ ]+))", re.DOTALL)
_AUTHORITY: Final = later(r"[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^/?#]*")
_PORT: Final = later(r"(.+):(\d{1,5})", re.ASCII | re.DOTALL)
_FORWARDED: Final = later(r'"([0-9A-Fa-f.:]{3,}(?:, ?[0-9A-Fa-f.:]{3,})*)"')
_SNIFFED: Final = later(
    rb'^[^"\n]{1,600}? \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
    rb'"(?:[^"\\\n]|\\.){0,8000}" (?:\d{3}|-) (?:\d+|-)',
    re.MULTILINE,
)
_RELAYED: Final = re.compile(syslog.BEFORE_TAG)
_REACH: Final = 512  # characters in which a header of syslog ends


def sniff(head: bytes) -> bool:
    """Whether a line is of this form; lines of it behind headers of syslog are guests in a log of that."""
    return any(not _RELAYED.match(found[0]) for found in _SNIFFED.finditer(head))


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    relay = syslog.header(text, clock) if _RELAYED.match(text[:_REACH].encode("utf-8", "replace")) else None
    found = _LINE.fullmatch(text, relay.message if relay else 0)
    if found is None:
        return _NO_RECORD
    who, time, request, status, size, referer, agent, extra = found.groups()
    values: dict[str, str | None] = {"log": "access", **_who(who), **_request(request)}
    if relay:
        values |= {"s-computername": relay.host, "program": relay.program}
    values |= {"sc-status": status, "sc-bytes": size, "cs-referer": referer, "cs-user-agent": agent, "extra": extra}
    values["cs-x-forwarded-for"] = _forwarded(extra or "")
    if "cs-method" in values and (host := host_of(values["cs-uri"] or "")):
        values = {**_asked_of_proxy(values, host), **values}
    ts = _ts(time)
    if ts == NO_TIME:
        values["time"] = time
    return Parsed(ts, {name: value for name, value in values.items() if value not in (None, "-")})


def _who(text: str) -> dict[str, str]:
    """`[host[:port] ]address identity user`: an identity is `-` since nobody asks for it; users may have spaces."""
    first, *rest = text.split(" ")
    while rest and first.endswith(","):  # more than one address was forwarded
        first += " " + rest.pop(0)
    values = {}
    if len(rest) > 2 and rest[0] != "-" and rest[1] == "-":
        values["cs-host"] = _host(first)
        if port := _port(first):
            values["s-port"] = port
        first, *rest = rest
    values["c-ip"] = first
    if rest:
        values["cs-ident"] = rest[0]
        values["cs-username"] = " ".join(rest[1:])
    return values


def _request(text: str) -> dict[str, str]:
    found = _REQUEST.fullmatch(text)
    if found is None:
        return {"cs-uri": text} if text else {}
    uri = found[2] or found[4]
    values = {"cs-method": found[1], "cs-uri": uri}
    if found[3]:
        values["cs-version"] = found[3]
    authority = _AUTHORITY.match(uri)
    stem, mark, query = uri[authority.end() if authority else 0 :].partition("?")
    values["cs-uri-stem"] = stem
    if mark:
        values["cs-uri-query"] = query
    return values


def _asked_of_proxy(values: Mapping[str, str | None], host: str) -> dict[str, str | None]:
    """What was asked of a forward proxy, which is told by a whole URL or a CONNECT, as rules for proxies call it."""
    url, agent, referer = (values.get(name) for name in ("cs-uri", "cs-user-agent", "cs-referer"))
    path = path_of(url or "") or None
    return {
        "c-uri": url,
        "cs-host": host,
        "r-dns": host,
        "cs-uri-port": port_of(url or ""),
        "cs-uri-path": path,
        "c-uri-stem": path,
        "c-uri-query": values.get("cs-uri-query"),
        "c-uri-extension": extension_of(path or ""),
        "c-useragent": agent,
        "cs-referrer": referer,
    }


def _ts(text: str) -> int:
    for form in ("%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%z", "%d/%b/%Y:%H:%M:%S.%f %z"):
        try:
            return Clock().local(datetime.strptime(text, form))  # noqa: DTZ007  # every form has a zone
        except ValueError:
            continue
    return NO_TIME


def _host(text: str) -> str:
    ported = _PORT.fullmatch(text)
    return ported[1] if ported else text


def _port(text: str) -> str | None:
    ported = _PORT.fullmatch(text)
    return ported[2] if ported else None


def _forwarded(text: str) -> str | None:
    forwarded = _FORWARDED.fullmatch(text)
    return forwarded[1] if forwarded else None


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines `[host ]address identity user [time] "METHOD /path HTTP/1.1" 200 1[ "referer" "agent"]`, and any end."""
    spaces, quotes = Marks(block, " "), Marks(block, '"')
    request, request_end = quotes.at(0), quotes.at(1)
    inside, behind = spaces.before(request), spaces.before(request_end)
    times = _TIME.read(block.octets, request - 28, clock)
    hosted, combined = inside == 6, quotes.count >= 6
    usual = times.good & (hosted | (inside == 5)) & (combined | (quotes.count == 2))
    usual &= holds(block, request - 30, " [") & holds(block, request - 2, "] ")
    usual &= spaces.at(inside - 3) == request - 30

    # address identity user, behind the host where there is one
    shift = hosted.astype(np.int64)
    host = unless(~hosted, block.starts, spaces.at(0))
    address = Spans(np.where(hosted, spaces.at(0) + 1, block.starts), spaces.at(shift))
    identity = spaces.at(shift) + 1, spaces.at(shift + 1)
    user = spaces.at(shift + 1) + 1, spaces.at(shift + 2)
    usual &= byte(block, spaces.at(0) - 1) != ord(",")
    lone = is_dash(block, *identity)
    usual &= ~hosted | (lone & ~is_dash(block, *address))

    # METHOD /path?query HTTP/1.1
    target, target_end = spaces.at(inside) + 1, spaces.at(behind - 1)
    usual &= (behind - inside >= 2) & (target > request + 2) & (byte(block, target) == ord("/"))
    usual &= holds(block, target_end + 1, "HTTP/")
    asked, question = _query(block, target, target_end)

    # status, size, and what follows
    status, size = request_end + 2, request_end + 6
    size_end = np.where(spaces.count > behind + 2, spaces.at(behind + 2), block.stops)
    usual &= holds(block, request_end + 1, " ") & (byte(block, request_end + 5) == ord(" "))
    usual &= is_number(block, status, status + 3)
    sizeless = is_dash(block, size, size_end)
    usual &= sizeless | is_number(block, size, size_end)
    referer, referer_end, agent, agent_end = (quotes.at(number) for number in (2, 3, 4, 5))
    usual &= ~combined | ((referer == size_end + 1) & (agent == referer_end + 2) & holds(block, referer_end, '" "'))
    known_end = np.where(combined, agent_end + 1, size_end)
    rest = known_end < block.stops
    usual &= (~rest | (byte(block, known_end) == ord(" "))) & ~_escaped(block, quotes)
    spans = {
        "cs-host": host,
        "c-ip": unless(is_dash(block, *address), *address),
        "cs-ident": unless(lone, *identity),
        "cs-username": unless(is_dash(block, *user), *user),
        "cs-method": Spans(request + 1, target - 1),
        "cs-uri": Spans(target, target_end),
        "cs-uri-stem": Spans(target, np.where(asked, question, target_end)),
        "cs-uri-query": unless(~asked, question + 1, target_end),
        "cs-version": Spans(target_end + 1, request_end),
        "sc-status": Spans(status, status + 3),
        "sc-bytes": unless(sizeless, size, size_end),
        "cs-referer": unless(~combined | is_dash(block, referer + 1, referer_end), referer + 1, referer_end),
        "cs-user-agent": unless(~combined | is_dash(block, agent + 1, agent_end), agent + 1, agent_end),
        "extra": unless(~rest | is_dash(block, known_end + 1, block.stops), known_end + 1, block.stops),
    }
    return Split(usual=usual, ts=times.ts[usual], fields=_told({n: chosen(usual, span) for n, span in spans.items()}))


def _query(block: Lines, start: Longs, stop: Longs) -> tuple[Mask, Longs]:
    """Whether a `?` stands at `start` or behind it, before `stop`, and where."""
    marks = Marks(block, "?")
    place = marks.at(marks.before(start))
    return (marks.count > 0) & (place >= start) & (place < stop), place


def _escaped(block: Lines, quotes: Marks) -> Mask:
    """Whether one of the first six quotes of a line is no end of a field."""
    found: Mask = np.zeros(len(block), bool)
    if b"\\" in block.data:
        for number in range(6):
            found |= (byte(block, quotes.at(number) - 1) == ord("\\")) & (quotes.count > number)
    return found


def _told(stand: dict[str, Spans]) -> dict[str, Spans | Told | str]:
    """The fields with those that are parts of others."""
    host, extra = stand["cs-host"], stand["extra"]
    told = {"cs-host": Told(host, _host), "s-port": Told(host, _port), "cs-x-forwarded-for": Told(extra, _forwarded)}
    return {**stand, **told, "log": "access"}


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
