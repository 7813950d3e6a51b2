"""The name of a month, as machines of other languages abbreviate it, in; its number out.

journalctl and some appliances write times in the language of the machine (strftime(3), `%b`). The names are those of
glibc's and CLDR's locales for German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian languages and
Polish; no two of them use one name for two months. A letter that was written in Latin-1 arrives as U+FFFD, and still
tells the month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Final

ENGLISH: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OTHERS: Final = (
    "janv jän gen ene sty",
    "févr fév febr fev lut",
    "mär mrz mars märz mrt marzo",
    "avr avril abr abril kwi",
    "mai mei maj mag maggio mayo",
    "juin juni giu cze",
    "juil juli lug lip",
    "août aou ago augu sie",
    "sept set wrz",
    "okt ott out paź",
    "lis",
    "dez déc dic des gru",
)
_LOST: Final = "\ufffd"
_BEYOND: Final = re.compile(r"[^\x00-\x7f]")


def _lost(name: str) -> str:
    return _BEYOND.sub(_LOST, name)


_NUMBERS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (f"{english.lower()} {others}" for english, others in zip(ENGLISH, _OTHERS, strict=True)), 1
    )
    for name in chain.from_iterable((one, _lost(one)) for one in names.split())
}


def number_of(name: str) -> int | None:
    """1 to 12; None for what is no month. The dot of an abbreviation may stand behind it."""
    return _NUMBERS.get(name.lower().removesuffix("."))


# As parts of expressions, English first: over text, and over bytes in UTF-8 or Latin-1.
_LONGEST_FIRST: Final = sorted(_NUMBERS, key=lambda name: (-len(name), name))
_EITHER: Final = "|".join(f"[{name[0]}{name[0].upper()}]{name[1:]}" for name in _LONGEST_FIRST)
NAMES: Final = rf"(?:(?:{'|'.join(ENGLISH)})(?= )|(?:{_EITHER})\.?)"
# In bytes any short word passes: whether it is a month is seen when the line is read. All names would cost as much to
# compile, in each of the forms that lines are told by, as the rest of them together.
NAMES_BYTES: Final = rf"(?:(?:{'|'.join(ENGLISH)})(?= )|[A-Za-z][a-z\x80-\xff]{{2,5}}\.?)".encode()
