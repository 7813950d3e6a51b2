"""Squid's access logs in, Events out: the native format, also as it comes through syslog.

Squid wiki `Features/LogFormat` and `squid.conf` `logformat squid`: `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru
%[un %Sh/%<a %mt`. What is added behind is in `extra`; one or two quoted texts there are the user agent, and the
referer before it. Cisco's Secure Web Appliance writes the same, with more behind. (Squid's `common` and `combined` are
access logs as web servers write them.)
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import framed
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_dash, is_number, unless
from tocsin.collect.stamps import Stamp
from tocsin.collect.syslog import BEFORE_TAG, header
from tocsin.collect.text_lines import TextLog
from tocsin.collect.urls import BROWSING, extension_of, host_of, parts, path_of, port_of, query_of

NAME = "squid"
KIND = "proxy"

_NO_RECORD: Final = "not a line of Squid's access log"
_TIME: Final = Stamp("%s.%f")
_TIME_BYTES: Final = 14
_LONGEST: Final = 60  # of the words before a slash
_LINE: Final = later(
    r"(\d{9,11})\.(\d{3}) +(-?\d{1,12}) (\S+) ([^\s/]{1,60})/(-|\d{1,3}) (-|\d{1,20}) (\S+) (.+?) (\S+) "
    r"([^\s/]{1,60})/(\S+) (\S+)(?: (.*))?",
    re.ASCII | re.DOTALL,
)
_RECORD: Final = rb"\d{9,11}\.\d{3} +-?\d{1,12} [^ \n]{1,255} [A-Z_]{1,60}/(?:-|\d{1,3}) (?:-|\d{1,20}) [^ \n]{1,40} "
_SNIFFED: Final = later(rb"^(?:\xef\xbb\xbf)?" + _RECORD, re.MULTILINE)
_TAGGED: Final = later(BEFORE_TAG + rb"\(?squid[^ \n]{0,40}: " + _RECORD, re.MULTILINE)
_QUOTED: Final = later(r'(?:"((?:[^"\\]|\\.)*+)" )?"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_DIRECT: Final = ("HIER_DIRECT", "DIRECT", "ORIGINAL_DST", "HIER_ORIGINAL_DST", "TIMEOUT_DIRECT", "TIMEOUT_HIER_DIRECT")
_ADDRESS: Final = later(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", re.ASCII)


def sniff(head: bytes) -> bool:
    return _SNIFFED.search(head) is not None or framed.mostly(head, _TAGGED)


def _parse(text: str, head: bytes, clock: Clock) -> Parsed | str | None:
    values: dict[str, str | tuple[str, ...] | None] = {"log": "access"}
    found = _LINE.fullmatch(text)
    if found is None:
        opened = header(text, clock)
        if opened is None or not (found := _LINE.fullmatch(text, opened.message)):
            return _NO_RECORD
        values |= {name: value for name, value in opened.fields().items() if name != "time"}
        values["s-computername"] = opened.host
    second, part, elapsed, client, action, status, size, method, url, user, hierarchy, peer, kind, extra = (
        found.groups()
    )
    values |= {"time-taken": elapsed, "c-ip": client, "src_ip": client, "s-action": action, "sc-status": status}
    values |= {"sc-bytes": size, "cs-method": method, "c-uri": url, "cs-uri": url, "cs-username": user}
    values |= {"cs-host": host_of(url), "r-dns": host_of(url), "cs-uri-port": port_of(url)}
    if len(user) > 2 and user[0] == user[-1] == '"':  # as Cisco's AsyncOS writes it
        values["cs-username"] = user[1:-1]
    path = path_of(url) or None
    values |= {"cs-uri-path": path, "c-uri-stem": path, "cs-uri-stem": path}
    query = query_of(url) if path else None
    values |= {"c-uri-query": query, "cs-uri-query": query, "c-uri-extension": extension_of(path or "")}
    values |= {"s-hierarchy": hierarchy, "s-supplier-name": peer, "dst_ip": _direct(f"{hierarchy}/{peer}")}
    values |= {"rs-content-type": kind, "extra": extra, **_added(extra or "")}
    if values.get("c-useragent") == "-" and method in BROWSING:
        values["c-useragent"] = ""
    ts = (int(second) * 1_000 + int(part)) * 1_000
    return Parsed(ts, {name: value for name, value in values.items() if value not in (None, "-")})


def _direct(text: str) -> str | None:
    """The address of the server, where no other proxy was asked."""
    hierarchy, _, peer = text.partition("/")
    return peer if hierarchy in _DIRECT and _ADDRESS.fullmatch(peer) else None


def _added(extra: str) -> dict[str, str]:
    """What installations add most often: the user agent, and the referer before it."""
    found = _QUOTED.fullmatch(extra)
    if found is None:
        return {}
    referer, agent = found.groups()
    named = {"cs-referer": referer, "cs-referrer": referer, "c-useragent": agent, "cs-user-agent": agent}
    return {name: text for name, text in named.items() if text is not None}


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines of ten fields, the second of them padded with spaces."""
    spaces = Marks(block, " ")
    times = _TIME.read(block.octets, block.starts, clock)
    padding = spaces.count - 8
    usual = times.good & (padding > 0) & holds(block, block.starts + _TIME_BYTES, " ")
    usual &= spaces.at(padding - 1) == block.starts + _TIME_BYTES + padding - 1
    padding = np.maximum(padding, 1)
    starts = [spaces.at(padding - 1 + at) + 1 for at in range(9)]
    stops = [*(start - 1 for start in starts[1:]), block.stops]
    cells = [Spans(*pair) for pair in zip(starts, stops, strict=True)]
    for start, stop in cells:
        usual &= stop > start
    for letter in "\t\v\f\r":
        if letter.encode() in block.data:
            usual &= Marks(block, letter).count == 0
    elapsed, client, result, size, method, url, user, source, kind = cells
    usual &= is_number(block, *elapsed) & (elapsed.stops - elapsed.starts <= 12)
    usual &= is_dash(block, *size) | is_number(block, *size)
    usual &= byte(block, user.starts) != ord('"')
    slashes = Marks(block, "/")
    action_stop = slashes.at(slashes.before(result.starts))
    hierarchy_stop = slashes.at(slashes.before(source.starts))
    usual &= (action_stop > result.starts) & (action_stop < result.stops)
    usual &= is_number(block, action_stop + 1, result.stops) & (result.stops - action_stop <= 4)
    usual &= (hierarchy_stop > source.starts) & (hierarchy_stop < source.stops - 1)
    usual &= (action_stop - result.starts <= _LONGEST) & (hierarchy_stop - source.starts <= _LONGEST)
    asked = parts(block, url)
    usual &= asked.good & ~is_dash(block, *url)
    path, peer = asked.path, Spans(hierarchy_stop + 1, source.stops)
    spans = {"time-taken": elapsed, "c-ip": client, "src_ip": client, "s-action": Spans(result.starts, action_stop)}
    spans |= {"sc-status": Spans(action_stop + 1, result.stops), "sc-bytes": size, "cs-method": method, "c-uri": url}
    spans |= {"cs-uri": url, "cs-username": user, "cs-host": asked.host, "r-dns": asked.host, "cs-uri-port": asked.port}
    spans |= {"cs-uri-path": path, "c-uri-stem": path, "cs-uri-stem": path, "c-uri-query": asked.query}
    spans |= {"cs-uri-query": asked.query, "s-hierarchy": Spans(source.starts, hierarchy_stop)}
    spans |= {"s-supplier-name": peer, "rs-content-type": kind}
    known = {id(span): _there(block, usual, span) for span in spans.values()}
    told: dict[str, Spans | Told | str] = {"log": "access", "dst_ip": Told(chosen(usual, source), _direct)}
    told["c-uri-extension"] = Told(chosen(usual, asked.segment), extension_of)
    return Split(
        usual=usual, ts=times.ts[usual], fields={**{name: known[id(span)] for name, span in spans.items()}, **told}
    )


def _there(block: Lines, usual: Mask, span: Spans) -> Spans:
    return chosen(usual, unless(is_dash(block, *span) | (span.starts < 0), *span))


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
