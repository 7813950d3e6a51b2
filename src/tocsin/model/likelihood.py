"""A probability in, the word of ICD 203 for it out; and a text in, the words of likelihood that it uses.

Intelligence Community Directive 203 (2015), table in section D.6.e.(2).(a): likelihood has words of its own, and
confidence in what one has seen is another sentence.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.model.attribution import CERTAIN

_WORDS: Final = (
    (5, "almost no chance"),
    (20, "very unlikely"),
    (45, "unlikely"),
    (55, "roughly even chance"),
    (80, "likely"),
    (95, "very likely"),
    (100, "almost certain"),
)


# What people say who mean a likelihood, and which no scale tells the figure of.
_LOOSE: Final = ("probably possibly perhaps presumably conceivably undoubtedly certainly maybe").split()
_LONGEST_FIRST: Final = sorted((text for _, text in _WORDS), key=len, reverse=True)
_SPOKEN: Final = re.compile(rf"\b(?:{'|'.join([*_LONGEST_FIRST, *_LOOSE])})\b", re.IGNORECASE)


def spoken(text: str) -> tuple[str, ...]:
    """The words of likelihood in a text, each as the scale writes it, or as it stands where the scale has none."""
    return tuple(dict.fromkeys(found[0].lower() for found in _SPOKEN.finditer(text)))


def misspoken(text: str, percent: int | None) -> str:
    """Why a text does not say its figure in the words of the scale; '' where it does, or speaks of no likelihood."""
    found = spoken(text)
    if loose := [one for one in found if one in _LOOSE]:
        return f"says {loose[0]!r}, which is no word of ICD 203"
    if percent is None:
        return f"says {found[0]!r} without a figure" if found else ""
    wanted = word(percent * CERTAIN // 100)
    if found != (wanted,):
        said = " and ".join(map(repr, found)) or "no likelihood"
        return f"says {said}, and {percent} in a hundred is {wanted!r}"
    return ""


def word(billionths: int) -> str:
    return next(text for percent, text in _WORDS if billionths * 100 <= percent * CERTAIN)
