"""Names of ours and a text in, the text out with a pseudonym for each: machines, accounts, people, internal addresses.

A name is found in any letters, with its accents or without, where it stands by itself: between signs that are neither
letters nor digits. Domains are taken with what stands before them, so that no subdomain and no mailbox is left. Text
that hides text (Base64 as PowerShell takes it, hexadecimal, percent signs, escapes of JSON and HTML) is looked into;
where a name is inside, all of it goes, since a part of an encoding cannot be replaced. Compressed or encrypted text is
not: nobody can look through that.

A pseudonym is a keyed digest (HMAC-SHA256, RFC 2104) under a key of the peer's own: the same name is the same word to
one peer for ever, and nothing that two peers have can be compared. It cannot be undone by trying names out, as a plain
digest could.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import ahocorasick_rs

NameKind: TypeAlias = Literal["host", "account", "person", "domain", "address", "sid"]

ENCODED: Final = "[encoded text with a name in it is left out]"
SHORTEST: Final = 3  # characters of a name that is looked for
_MOST_KNOWN: Final = 20_000

_ADDRESS_4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_ADDRESS_6: Final = re.compile(r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,8}")
_SID: Final = re.compile(r"S-1-5-21(?:-\d+){3,4}", re.IGNORECASE)
_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_ESCAPED: Final = re.compile(r"%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#x?[0-9a-fA-F]+;")
_PERCENT: Final = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_CODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|&#x([0-9a-fA-F]{1,6});|&#([0-9]{1,7});")
_LABEL: Final = re.compile(r"[\w.+@-]")
# RFC 1918, 6598, 3927, 4193, 4291: addresses that mean something only inside.
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    )
)

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name of ours. `of` is what it is a name of, where that has several: they get one pseudonym."""

    kind: NameKind
    text: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    kind: NameKind
    of: str


class Hidden:
    """Names that a peer is not told.

    Args:
        key: of the peer.
        networks: ours, beside those that are internal everywhere.
    """

    def __init__(self, names: Iterable[Name], key: bytes, networks: Iterable[_Network] = ()) -> None:
        self._key = key
        self._networks = (*_INSIDE, *networks)
        known: dict[str, tuple[NameKind, str]] = {}
        for name in names:
            folded = _folded(name.text.strip())[0]
            if len(folded) >= SHORTEST:
                known.setdefault(folded, (name.kind, _folded(name.of or name.text)[0]))
        self._names = list(known.values())
        self._known: dict[str, str] = {}  # bundles say the same again and again
        self._words = ahocorasick_rs.AhoCorasick(list(known), matchkind=ahocorasick_rs.MatchKind.Standard)

    def pseudonym(self, kind: NameKind, of: str) -> str:
        """What stands for a name; a word that may also stand in a path, a URL or a domain."""
        digest = hmac.new(self._key, f"{kind}\0{of}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{kind}-{digest[:10]}"

    def is_inside(self, address: str) -> bool:
        """Whether an address, or a network in CIDR notation, is ours or means something only inside."""
        try:
            found = ipaddress.ip_network(address.strip(), strict=False)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Network) and found.network_address.ipv4_mapped:
            bits = max(found.prefixlen - 96, 0)
            found = ipaddress.ip_network((found.network_address.ipv4_mapped, bits), strict=False)
        return any(found.version == one.version and found.overlaps(one) for one in self._networks)

    def holds(self, text: str) -> bool:
        return self.replaced(text) != text

    def replaced(self, text: str) -> str:
        """The text with pseudonyms; the very same where there is nothing to hide."""
        if (known := self._known.get(text)) is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            known = self._known[text] = self._replaced(text)
        return known

    def _replaced(self, text: str) -> str:
        text = self._encoded(text)
        places = sorted(self._places(text), key=lambda one: (one.start, -one.end))
        told, ends = [], 0
        for place in places:
            if place.start >= ends:
                told += [text[ends : place.start], self.pseudonym(place.kind, place.of)]
                ends = place.end
        return "".join((*told, text[ends:]))

    def _places(self, text: str) -> Iterator[_Place]:
        yield from self._named(text)
        for pattern in (_ADDRESS_4, _ADDRESS_6):
            for found in pattern.finditer(text):
                if self.is_inside(found[0]):
                    yield _Place(*found.span(), "address", found[0].lower())
        for found in _SID.finditer(text):
            yield _Place(*found.span(), "sid", found[0].upper())

    def _named(self, text: str) -> Iterator[_Place]:
        folded, starts = _folded(text)
        for number, first, end in self._words.find_matches_as_indexes(folded, overlapping=True):
            kind, of = self._names[number]
            start, stop = starts[first], starts[end - 1] + 1
            while stop < len(text) and unicodedata.combining(text[stop]):
                stop += 1
            if kind == "domain":
                before = start
                while before and _LABEL.match(text[before - 1]):
                    before -= 1
                # Only whole labels, and mailboxes: `notours.example` is somebody else's.
                if before < start and text[start - 1] not in ".@":
                    continue
                start, of = before, _folded(text[before:stop])[0]
            if not (_joins(text, start - 1) or _joins(text, stop)):
                yield _Place(start, stop, kind, of)

    def _encoded(self, text: str) -> str:
        """Without what hides a name, and be it twice."""
        if _ESCAPED.search(text):
            plain = _CODE.sub(_character, _PERCENT.sub(_bytes_of, text))
            if plain != text and len(list(self._places(plain))) > len(list(self._places(text))):
                return ENCODED
        return _RUN.sub(lambda found: ENCODED if self._hides(found[0]) else found[0], text)

    def _hides(self, text: str) -> bool:
        for content in _decoded(text):
            if _is_text(content):  # which may itself hide text
                if any(self._replaced(plain) != plain for plain in _readings(content)):
                    return True
            elif any(True for plain in _readings(content.translate(_ASCII)) for _ in self._named(plain)):
                return True
        return False


_PLAIN: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n\0"
_ASCII: Final = bytes(one if one < 0x80 else 0x20 for one in range(256))
_URL_SAFE: Final = str.maketrans("-_", "+/")


def _decoded(text: str) -> Iterator[bytes]:
    """As Base64 (RFC 4648, both alphabets) from each of its first four signs, since others may precede it; as hex."""
    for start in range(4):
        whole = text[start:].rstrip("=").translate(_URL_SAFE)
        whole = whole[: len(whole) - (len(whole) % 4 == 1)]
        with suppress(binascii.Error, ValueError):
            yield base64.b64decode(whole + "=" * (-len(whole) % 4))
    if _HEX.fullmatch(text):
        yield bytes.fromhex(text[: len(text) // 2 * 2])
        yield bytes.fromhex(text[1 : 1 + (len(text) - 1) // 2 * 2])


def _is_text(content: bytes) -> bool:
    if len(content.translate(None, _PLAIN)) * 4 < len(content):
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _readings(content: bytes) -> Iterator[str]:
    yield content.decode("utf-8", "replace")
    if b"\0" in content:
        yield content.decode("utf-16-le", "replace")
        yield content[1:].decode("utf-16-le", "replace")


def _bytes_of(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")


def _character(found: re.Match[str]) -> str:
    code = int(found[1] or found[2] or found[3] or "0", 16) if not found[4] else int(found[4])
    return chr(code) if code < 0x110000 else found[0]


def _joins(text: str, at: int) -> bool:
    """Whether the sign at a place would make what stands beside it a part of a longer word."""
    return 0 <= at < len(text) and text[at].isalnum()


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """In small letters without accents; and of each sign the place that it comes from."""
    if text.isascii():
        return text.lower(), range(len(text))
    signs: list[str] = []
    starts: list[int] = []
    for at, sign in enumerate(text):
        plain = [one for one in unicodedata.normalize("NFKD", sign).casefold() if not unicodedata.combining(one)]
        signs += plain
        starts += [at] * len(plain)
    return "".join(signs), starts
