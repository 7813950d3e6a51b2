"""Entries in, lines that hold the digest of the line before them out, and back with every break told.

A line is JSON in the canonical form of RFC 8785: `{"digest":"<64 hex>","entry":{... "n":..., "prev":"<64 hex>" ...}}`.
`digest` is SHA-256 of the bytes of `entry` as they stand, `prev` the digest of the line before, 64 zeros for the first;
`n` counts from 0. So a line can be checked with a slice and a hash, without a reader of JSON, and every byte of it is
determined. What the chain alone cannot show is that its end is missing: for that its head must be known elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin.errors import SealError
from tocsin.seal.canonical import canonical, decoded

ROOT: Final = "0" * 64  # what stands before the first line
LONGEST: Final = 1 << 20  # of a line, in bytes: larger things are kept beside a log, and named in it by digest

_BEFORE: Final = b'{"digest":"'
_BETWEEN: Final = b'","entry":'
_AFTER: Final = b"}"
_START: Final = len(_BEFORE) + 64 + len(_BETWEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`body` is the whole entry, `n` and `prev` too."""

    n: int
    digest: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a log holds.

    Args:
        links: the lines that are whole and in their place, up to the first break.
        breaks: what is wrong, with the number of the line (from 1), all of them.
        torn: what stands behind the last line end: a line that was never finished.
        ends: how far in bytes the finished lines go.
    """

    links: tuple[Link, ...]
    breaks: tuple[tuple[int, str], ...]
    torn: bytes
    ends: int

    @property
    def head(self) -> str:
        return self.links[-1].digest if self.links else ROOT


def line(body: Mapping[str, Any], n: int, prev: str) -> tuple[bytes, Link]:
    """The next line, with its line end."""
    whole = {**body, "n": n, "prev": prev}
    entry = canonical(whole)
    digest = hashlib.sha256(entry).hexdigest()
    text = b"%b%b%b%b%b\n" % (_BEFORE, digest.encode("ascii"), _BETWEEN, entry, _AFTER)
    if len(text) > LONGEST:
        raise SealError(
            f"an entry of {len(text):,} bytes is too long for a log: at most {LONGEST:,}",
            hint="Keep it as a file of its own, and name that in the log.",
        )
    return text, Link(n=n, digest=digest, body=whole)


def read(text: bytes, n: int = 0, prev: str = ROOT) -> Chain:
    """Check every line. After a break the lines behind it are still looked at, so that all that is wrong is told.

    Args:
        n: of the first of these lines.
        prev: the digest of the line before it.
    """
    ends = text.rfind(b"\n") + 1
    links: list[Link] = []
    breaks: list[tuple[int, str]] = []
    for number, raw in enumerate(_lines(text[:ends]), n + 1):
        try:
            link = _link(raw, number - 1, prev)
        except SealError as error:
            breaks.append((number, error.message))
            prev = _claimed(raw)
            continue
        prev = link.digest
        if not breaks:
            links.append(link)
    return Chain(links=tuple(links), breaks=tuple(breaks), torn=text[ends:], ends=ends)


def _lines(text: bytes) -> Sequence[bytes]:
    """Without their ends. `splitlines` would also end lines at signs that JSON may hold."""
    return text[:-1].split(b"\n") if text else ()


def _link(raw: bytes, n: int, prev: str) -> Link:
    if len(raw) >= LONGEST:
        raise SealError("is longer than any line of a log")
    told, entry = _claimed(raw), raw[_START : -len(_AFTER)]
    if raw != b"%b%b%b%b%b" % (_BEFORE, told.encode("latin-1"), _BETWEEN, entry, _AFTER):
        raise SealError("does not have the form of an entry")
    if hashlib.sha256(entry).hexdigest() != told:
        raise SealError("was changed: its digest is another one")
    body = decoded(entry)
    if not isinstance(body, dict) or body.get("n") != n or isinstance(body.get("n"), bool):
        raise SealError(f"is out of its place: entry {n} is expected here")
    if body.get("prev") != prev:
        raise SealError("does not follow from the line before it")
    return Link(n=n, digest=told, body=body)


def _claimed(raw: bytes) -> str:
    return raw[len(_BEFORE) : len(_BEFORE) + 64].decode("latin-1")
