"""An indicator whose STIX pattern only compares values in, the same with its observables out.

`[ipv4-addr:value = '192.0.2.1']`, also several with OR: nine in ten of all patterns that are shared, and they need no
parser. A domain or an address in such a pattern is looked for wherever it may stand; one in CIDR notation is a network.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tocsin.detect.terms import Unusable
from tocsin.model.indicator import HASHES, Indicator, Observable, ObservableType
from tocsin.observe.what import normal, what_is

MOST_ALTERNATIVES: Final = 10_000

_COMPARISON: Final = (
    r"(?P<path>[a-z0-9-]+:[a-z_]+(?:\.(?:'[A-Za-z0-9-]+'|[A-Za-z0-9_-]+))?)\s*=\s*'(?P<text>(?:[^'\\]|\\['\\])*+)'"
)
_ONE: Final = re.compile(rf"\s*+{_COMPARISON}\s*+")
_OPEN: Final = re.compile(r"\s*+\[")
_OR: Final = re.compile(r"OR\b")
_CLOSE: Final = re.compile(r"\]\s*+")
_ESCAPED: Final = re.compile(r"\\(['\\])")

_PATHS: Final[dict[str, tuple[ObservableType, ...]]] = {
    "ipv4-addr:value": ("network", "address"),
    "ipv6-addr:value": ("network", "address"),
    "domain-name:value": ("domain",),
    "url:value": ("url",),
    "email-addr:value": ("mail",),
    "file:name": ("file",),
    "mutex:name": ("mutex",),
    "windows-registry-key:key": ("key",),
    **{
        f"file:hashes.{written}": (kind,)
        for kind in HASHES
        for name in {kind, kind.upper(), kind.upper().replace("SHA", "SHA-")}
        for written in (name, f"'{name}'")
    },
    **{f"file:hashes.{written}": ("ssdeep",) for written in ("SSDEEP", "ssdeep", "'SSDEEP'", "'ssdeep'")},
    **{f"file:hashes.{written}": ("imphash",) for written in ("IMPHASH", "imphash", "'IMPHASH'", "'imphash'")},
}
_LOOSE: Final = ("ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value")
_PLACES: Final = ("address", "network", "domain", "url")


def plain(one: Indicator) -> Indicator:
    """The indicator with its observables, or as it is where its pattern says more than they could.

    Raises:
        Unusable: it compares an observable with what is none.
    """
    if not one.pattern or (found := _values(one.pattern)) is None:
        return one
    observables: dict[Observable, None] = {}
    for path, text in found:
        seen = next((each for kind in _PATHS[path] if (each := normal(kind, text))), None)
        if seen is None and path in _LOOSE:  # without a scheme, with a port, defanged: as people write them
            seen = what_is(text)
        if seen is None or (path in _LOOSE and seen.type not in _PLACES):
            raise Unusable("unsupported", f"{text[:80]!r} is nothing that {path} can be")
        observables[seen] = None
    return replace(one, observables=tuple(observables))


def _values(pattern: str) -> list[tuple[str, str]] | None:
    """Path and text of each comparison, None where the pattern is of another form."""
    opened = _OPEN.match(pattern)
    found: list[tuple[str, str]] = []
    at = opened.end() if opened else 0
    while opened and len(found) < MOST_ALTERNATIVES and (one := _ONE.match(pattern, at)) and one["path"] in _PATHS:
        found.append((one["path"], _ESCAPED.sub(r"\1", one["text"])))
        closed = _CLOSE.match(pattern, one.end())
        if closed:
            return found if closed.end() == len(pattern) else None
        again = _OR.match(pattern, one.end())
        if again is None:
            return None
        at = again.end()
    return None
