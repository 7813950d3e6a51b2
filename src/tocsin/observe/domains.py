"""Text of a domain name in, its normal form out: lower-case ASCII, IDNA 2008 (RFC 5891) for what is beyond ASCII.

The names in evidence are whatever somebody sent: underscores and labels that no registry would take are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import idna

MOST: Final = 253  # characters (RFC 1035 §2.3.4)

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_DOTS: Final = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # IDNA's other full stops


def domain(text: str) -> str | None:
    """The name, None where the text is none. A name has two labels at least, and its last is no number.

    A name beyond ASCII that IDNA 2008 refuses (emoji, mixed directions) is None too: what cannot be registered
    cannot be matched by its registered form.
    """
    text = text.strip().rstrip(".")
    if not 3 <= len(text) <= MOST or not ("." in text or not text.isascii()):
        return None
    name = text.lower() if text.isascii() else _ascii(text.translate(_DOTS))
    if name is None or len(name) > MOST:
        return None
    labels = name.split(".")
    if len(labels) < 2 or _NUMERIC.fullmatch(labels[-1]) or not all(map(_LABEL.fullmatch, labels)):
        return None
    return name


def _ascii(text: str) -> str | None:
    try:
        return idna.encode(text.lower(), uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError, ValueError):
        return None


def parents(name: str) -> Iterator[str]:
    """The name itself and each domain that it is below."""
    while name:
        yield name
        name = name.partition(".")[2]
