"""A probability in, the word of ICD 203 for it out.

Intelligence Community Directive 203 (2015), table in section D.6.e.(2).(a): likelihood has words of its own, and
confidence in what one has seen is another sentence.
"""

from __future__ import annotations

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


def word(billionths: int) -> str:
    return next(text for percent, text in _WORDS if billionths * 100 <= percent * CERTAIN)
