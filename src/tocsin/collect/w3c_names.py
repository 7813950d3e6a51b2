"""Columns of logs in the W3C extended format in, the names that Sigma gives their fields out.

Sigma's taxonomy names the fields of web servers as IIS does, and those of proxies a little differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from tocsin.collect.lines import Joined, Lines, Mask, Spans
from tocsin.collect.marks import byte, holds
from tocsin.collect.urls import BROWSING, USUAL_PORTS, extension_of, host_of, path_of, query_of
from tocsin.collect.w3c import Derived, Values

_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_URLS: Final = ("c-uri", "cs-uri", "cs-url", "c-url")
_PARTS: Final = ("cs-uri-scheme", "cs-host", "cs-uri-port", "cs-uri-path", "cs-uri-stem", "cs-uri-query")


def _url(values: Values) -> str:
    return next((values[name] for name in _URLS if name in values), "")


def _asked(values: Values) -> str | None:
    """A path and a query as the first line of a request has them."""
    stem, query = values.get("cs-uri-stem"), values.get("cs-uri-query")
    return stem if stem is None or not query else f"{stem}?{query.removeprefix('?')}"


def _whole(values: Values) -> str | None:
    """The URL of which a proxy logs the parts."""
    scheme, host, port = values.get("cs-uri-scheme"), values.get("cs-host"), values.get("cs-uri-port")
    path, query = values.get("cs-uri-path", values.get("cs-uri-stem", "")), values.get("cs-uri-query", "")
    if "://" in path and not path.startswith("/"):  # some log the whole URL but for its query as the stem
        return path + _query(query)
    if host is None:
        return path + _query(query) or None
    shown = f":{port}" if port and port != "0" and port != USUAL_PORTS.get(scheme or "") else ""
    return (f"{scheme}://" if scheme else "") + host + shown + path + _query(query)


def _join_asked(block: Lines, cells: Mapping[str, Spans], usual: Mask) -> Joined:
    nowhere = Spans(np.full(len(block), -1), np.full(len(block), -1))
    stem, query = cells.get("cs-uri-stem", nowhere), cells.get("cs-uri-query", nowhere)
    marked = (query.starts >= 0) & (query.stops > query.starts)
    np.logical_and(usual, ~marked | (byte(block, query.starts) != ord("?")), out=usual)
    return Joined((stem, ("?", marked), query), stem.starts >= 0)


def _join_whole(block: Lines, cells: Mapping[str, Spans], usual: Mask) -> Joined:
    """Of lines whose path begins with a slash, if it is there, and that have a host."""
    nowhere = Spans(np.full(len(block), -1), np.full(len(block), -1))
    scheme, host, port, path, stem, query = (cells.get(name, nowhere) for name in _PARTS)
    path = Spans(*(np.where(path.starts < 0, other, own) for own, other in zip(path, stem, strict=True)))
    named = (path.starts >= 0) & (path.stops > path.starts)
    rooted = ~named | (byte(block, path.starts) == ord("/"))
    np.logical_and(usual, rooted & (host.starts >= 0), out=usual)
    shown = (port.starts >= 0) & (port.stops > port.starts) & ~_is(block, port, "0")
    for known, number in USUAL_PORTS.items():
        shown &= ~(_is(block, scheme, known) & _is(block, port, number))
    asked = (query.starts >= 0) & (query.stops > query.starts)
    schemed = (scheme.starts >= 0) & (scheme.stops > scheme.starts)
    port = Spans(np.where(shown, port.starts, -1), np.where(shown, port.stops, -1))
    marked = asked & (byte(block, query.starts) != ord("?"))
    parts = (scheme, ("://", schemed), host, (":", shown), port, path, ("?", marked), query)
    return Joined(parts, host.starts >= 0)


def _is(block: Lines, cell: Spans, text: str) -> Mask:
    found: Mask = (cell.stops - cell.starts == len(text)) & (cell.starts >= 0) & holds(block, cell.starts, text)
    return found


def _query(text: str) -> str:
    return text if not text or text.startswith("?") else f"?{text}"


def _plus(values: Values) -> str | None:
    agent = values.get("cs(user-agent)")
    return None if agent is None else agent.replace("+", " ")


def _percent(values: Values) -> str | None:
    agent = values.get("cs(user-agent)")
    if not agent or "%20" not in agent or " " in agent:
        return agent
    return _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), agent.encode()).decode("utf-8", "replace")


_WEB: Final[Mapping[str, Derived]] = {
    "cs-uri": Derived(("cs-uri-stem", "cs-uri-query"), _asked, _join_asked),
    "cs-uri-stem": Derived(("cs-uri",), lambda values: path_of(values["cs-uri"]) if "cs-uri" in values else None),
    "cs-uri-query": Derived(("cs-uri",), lambda values: query_of(values.get("cs-uri", ""))),
}
WEB_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "cs(user-agent)": ("cs(User-Agent)",),
    "x-forwarded-for": ("cs-x-forwarded-for",),
}
WEB: Final = {**_WEB, "cs-user-agent": Derived(("cs(user-agent)",), _percent)}
IIS: Final = {**_WEB, "cs-user-agent": Derived(("cs(user-agent)",), _plus)}

PROXY_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "c-agent": ("c-agent", "cs-user-agent"),
    "c-ip": ("c-ip", "src_ip"),
    "cs(referer)": ("cs-referer", "cs-referrer"),
    "cs-host": ("cs-host", "r-dns"),
    "cs-referred": ("cs-referred", "cs-referer", "cs-referrer"),
    "cs-uri": ("cs-uri", "c-uri"),
    "cs-uri-extension": ("cs-uri-extension", "c-uri-extension"),
    "cs-uri-path": ("cs-uri-path", "c-uri-stem", "cs-uri-stem"),
    "cs-uri-query": ("cs-uri-query", "c-uri-query"),
    "cs-url": ("cs-url", "c-uri", "cs-uri"),
    "r-host": ("r-host", "r-dns", "cs-host"),
    "r-ip": ("r-ip", "dst_ip"),
    "r-supplier-ip": ("r-supplier-ip", "dst_ip"),
    "s-operation": ("s-operation", "cs-method"),
    "s-supplier-ip": ("s-supplier-ip", "dst_ip"),
    "sc-http-status": ("sc-http-status", "sc-status"),
    "x-forwarded-for": ("cs-x-forwarded-for",),
}
PROXY: Final[Mapping[str, Derived]] = {
    "c-uri": Derived(_PARTS, _whole, _join_whole),
    "cs-uri": Derived(_PARTS, _whole, _join_whole),
    "cs-host": Derived(_URLS, lambda values: host_of(_url(values))),
    "r-dns": Derived(_URLS, lambda values: host_of(_url(values))),
    "cs-uri-path": Derived(_URLS, lambda values: path_of(_url(values)) or None),
    "c-uri-query": Derived(_URLS, lambda values: query_of(_url(values))),
    "c-uri-extension": Derived((*_URLS, "cs-uri-path"), lambda values: extension_of(_ending(values))),
}
PROXY_EMPTY: Final = {
    "c-useragent": (("cs(user-agent)", "c-agent", "cs-user-agent"), ("cs-method", "s-operation"), BROWSING),
}


def _ending(values: Values) -> str:
    return values.get("cs-uri-path") or path_of(_url(values))
