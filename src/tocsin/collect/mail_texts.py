"""Texts of mail logs in, the names that all mail logs share out: sender, recipient, subject, message_id, client_ip.

What several readers of mail flow need. Encoded words in subjects are RFC 2047 §2.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final

_ENCODED: Final = re.compile(r"=\?([A-Za-z0-9_.\-]{1,40})(?:\*[A-Za-z\-]{1,20})?\?([BbQq])\?([^? ]{0,400})\?=")
_BETWEEN: Final = re.compile(r"(\?=)[ \t]+(?==\?)")
_UNDERLINE: Final = re.compile(rb"_")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_IN_BRACKETS: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]")

Fields = dict[str, str | tuple[str, ...] | None]


def decoded(subject: str) -> str:
    """A header's text with its encoded words in clear; those that cannot be read stay as they are."""
    return _ENCODED.sub(_word, _BETWEEN.sub(r"\1", subject)) if "=?" in subject else subject


def _word(found: re.Match[str]) -> str:
    charset, way, text = found.groups()
    try:
        octets = text.encode("ascii")
        if way in "Bb":
            octets = binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))
        else:
            octets = _HEX.sub(lambda byte: bytes([int(byte[1], 16)]), _UNDERLINE.sub(b" ", octets))
        return octets.decode(charset, "replace")
    except (binascii.Error, LookupError, UnicodeError, ValueError):
        return found[0]


def address_in(text: str) -> str | None:
    """The address in `host[address]:port`, or in `[address]`."""
    found = _IN_BRACKETS.search(text)
    return found[1] if found else None


def bare(text: str | None) -> str | None:
    """A message's id without the angle brackets around it."""
    return text[1:-1] if text and text[0] == "<" and text[-1] == ">" else text


def alone_or_all(texts: Sequence[str]) -> str | tuple[str, ...] | None:
    """One text as itself, several as a list, none as nothing."""
    return (texts[0] if len(texts) == 1 else tuple(texts)) if texts else None


def with_others(values: Fields, others: Mapping[str, Sequence[str]]) -> Fields:
    """Values, and the names that they have besides: of each the first that is there and no address of nobody."""
    for name, natives in others.items():
        if name not in values:
            found = next((values[native] for native in natives if values.get(native)), None)
            if found is not None:
                values[name] = found
    return values
