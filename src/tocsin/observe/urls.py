"""Text of a URL in, its normal form out: RFC 3986 §6.2.2 and §6.2.3, as far as no server could tell the difference.

Scheme and host lower-case, the host as IDNA, no port that the scheme implies, no fragment, percent-encodings of
unreserved characters written out and the others in upper case, `/` for no path. User names and queries are kept;
dots in a path are kept too, since servers differ about them and attackers know it.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.observe.addresses import address
from tocsin.observe.domains import domain

MOST: Final = 8192  # characters

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20})://([^/?#\s\\]*)([^?#\s]*)(\?[^#\s]*)?(?:#\S*)?")
_PORTS: Final = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443"}
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def url(text: str) -> str | None:
    """The URL, None where the text is none: it needs a scheme, `://` and a host."""
    parts = _parts(text)
    if parts is None:
        return None
    scheme, user, host, port, path, query = parts
    port = "" if port == _PORTS.get(scheme) else port
    told = f"[{host}]" if ":" in host else host
    at = f"{user}@" if user else ""
    return f"{scheme}://{at}{told}{f':{port}' if port else ''}{_decoded(path) or '/'}{_decoded(query)}"


def host_of(text: str) -> str | None:
    """The host of a URL: a domain or an address in its normal form."""
    parts = _parts(text)
    return parts[2] if parts else None


def _parts(text: str) -> tuple[str, str, str, str, str, str] | None:
    text = text.strip()
    found = _URL.fullmatch(text) if len(text) <= MOST else None
    if found is None:
        return None
    user, _, place = found[2].rpartition("@")
    host, port = place, ""
    head, colon, tail = place.rpartition(":")
    if colon and not place.endswith("]"):
        host, port = head, tail
        if port and not (port.isascii() and port.isdecimal() and int(port) < 65536):
            return None
    host = address(host) or domain(host) or _single(host)
    if not host:
        return None
    return found[1].lower(), user, host, port.lstrip("0"), found[3], found[4] or ""


def _single(host: str) -> str:
    """A host of one label, as inside a network."""
    return host.lower() if re.fullmatch(r"[A-Za-z0-9_-]{1,63}", host) and not host.isdecimal() else ""


def _decoded(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0].upper()

    return _ENCODED.sub(one, text) if "%" in text else text
