"""What may be done with intelligence: the Permissible Actions Protocol, and whether its originator must be asked.

RED and AMBER bind whoever holds it to actions that an intruder cannot see, so neither allows a block; GREEN does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PAP: Final = ("clear", "green", "amber", "red")
ASK_FIRST: Final = "orcon"  # originator control: nothing is done on it before the originator agreed
_SOURCE: Final = "source:"


def pap_of(labels: Iterable[str]) -> str:
    """The strictest that labels such as `PAP:AMBER` name, '' where none does. What cannot be read counts as red."""
    found = [_word(label) for label in labels if label.strip().lower().startswith("pap:")]
    return max(found, key=PAP.index, default="")


def _word(label: str) -> str:
    word = label.strip().lower().removeprefix("pap:").strip().strip('"')
    word = {"white": "clear"}.get(word, word)
    return word if word in PAP else "red"


def binding(labels: Iterable[str], source: str) -> tuple[str, ...]:
    """Of an indicator's labels those that say what may be done with it, and who told it."""
    kept = [one.strip().lower() for one in labels]
    kept = [one for one in kept if one.startswith(("pap:", "tlp:")) or one == ASK_FIRST]
    return (*dict.fromkeys(kept), *((f"{_SOURCE}{source}",) if source else ()))


def source_of(terms: Iterable[str]) -> str:
    return next((one.removeprefix(_SOURCE) for one in terms if one.startswith(_SOURCE)), "")


def forbids(terms: Iterable[str], agreed: Iterable[str] = ()) -> str:
    """Why nothing may be done on it that an intruder could see; '' where it may. `agreed` are originators who did."""
    terms = tuple(terms)
    source = source_of(terms)
    pap = pap_of(terms)
    if pap and PAP.index(pap) > PAP.index("green"):
        return f"it rests on intelligence of {source or 'somebody'} marked PAP:{pap.upper()}, which allows no block"
    if ASK_FIRST in terms and source not in tuple(agreed):
        return f"it rests on intelligence of {source or 'somebody'}, who must agree first"
    return ""
