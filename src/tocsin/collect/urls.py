"""What a client asked for in, its parts out: of one text, or of all lines of a block at once.

RFC 3986 §3; a CONNECT asks for a host and a port (RFC 9110 §9.3.6).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import numpy as np

from tocsin.collect.lines import Lines, Mask, Spans
from tocsin.collect.marks import Marks, byte, holds, is_number, unless
from tocsin.model.event import Longs

USUAL_PORTS: Final = {"http": "80", "https": "443", "ftp": "21"}
BROWSING: Final = ("GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PROPFIND")  # with these a client says who it is
_AUTHORITY: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30})://([^/?#]*)")
_HOST: Final = re.compile(r"(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d{1,5})\Z)?", re.ASCII)
_LONE: Final = re.compile(r"([^/?#@:\[\]]+|\[[^\]]*\]):(\d{1,5})", re.ASCII)
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9_\-]{1,16})\Z")


def path_of(url: str) -> str:
    """The path of an URL or of what an HTTP request asks for; '' for a CONNECT's host and port."""
    found = _AUTHORITY.match(url)
    if found is None and not url.startswith("/"):
        return ""
    path = url[found.end() if found else 0 :].partition("?")[0].partition("#")[0]
    return path if found is None or path else "/"


def host_of(url: str) -> str | None:
    """The host of an URL, or of a CONNECT's host and port."""
    found = _authority(url)
    return found[1] or None if found else None


def port_of(url: str) -> str | None:
    """The port of an URL that names one, or of a CONNECT's host and port."""
    found = _authority(url)
    return found[2] if found else None


def _authority(url: str) -> re.Match[str] | None:
    found = _AUTHORITY.match(url)
    return _HOST.match(found[2]) if found else _LONE.fullmatch(url)


def query_of(url: str) -> str | None:
    _, mark, query = url.partition("?")
    return query if mark else None


def extension_of(path: str) -> str | None:
    found = _EXTENSION.search(path.rpartition("/")[2])
    return found[1] if found else None


class Parts(NamedTuple):
    """Where the parts of URLs stand; absent where there are none. `segment` is what follows the path's last slash."""

    good: Mask
    host: Spans
    port: Spans
    path: Spans
    query: Spans
    segment: Spans


def parts(block: Lines, urls: Spans) -> Parts:
    """The parts of URLs of the usual schemes, of paths, and of a CONNECT's hosts and ports; others are not good."""
    starts, stops = urls
    slashes, colons, questions = (Marks(block, letter) for letter in "/:?")
    begins = np.select([holds(block, starts, f"{scheme}://") for scheme in USUAL_PORTS], [7, 8, 6], 0)
    authority = starts + begins
    rooted = byte(block, starts) == ord("/")
    slash, question, colon = (_first(marks, authority, stops) for marks in (slashes, questions, colons))
    full, lone = (begins > 0) & (slash < stops), (begins == 0) & (slash == stops)
    good: Mask = (stops > starts) & (full | lone | rooted)
    for letter in "#@[":
        if letter.encode() in block.data:
            good &= _first(Marks(block, letter), starts, stops) == stops
    host_stop = np.minimum(colon, slash)
    ported = colon < slash
    good &= rooted | (host_stop > authority)
    good &= rooted | ~ported | (is_number(block, colon + 1, slash) & (slash - colon <= 6))
    good &= rooted | (question > slash) | (question == stops)
    good &= ~lone | (ported & (question == stops))
    asked = (question < stops) & ~lone
    path_stop = np.where(asked, question, stops)
    segment = slashes.at(slashes.before(path_stop) - 1) + 1
    return Parts(
        good,
        unless(rooted, authority, host_stop),
        unless(rooted | ~ported, colon + 1, slash),
        unless(lone, slash, path_stop),
        unless(~asked, question + 1, stops),
        unless(lone, segment, path_stop),
    )


def _first(marks: Marks, starts: Longs, stops: Longs) -> Longs:
    """Where the first mark at `starts` or behind it stands; `stops` if none is before that."""
    before = marks.before(starts)
    places = marks.at(before)
    return np.where((before < marks.count) & (places >= starts) & (places < stops), places, stops)
