"""What may be done with intelligence: the Permissible Actions Protocol, and whether its originator must be asked.

RED and AMBER bind whoever holds it to actions that an intruder cannot see, so neither allows a block; GREEN does. Where
nobody says, the rule is that of passing on: what is for all or for the community may be acted on, what is amber or
stricter, or has no marking, only once its originator agreed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tocsin.model.tlp import strictest, tlp_of

PAP: Final = ("clear", "green", "amber", "red")
ASK_FIRST: Final = "orcon"  # originator control: nothing is done on it before the originator agreed
UNNAMED: Final = "nobody who is named"
_ASKING: Final = frozenset({"originator control", "originator controlled"})
_SOURCE: Final = "source:"


def pap_of(labels: Iterable[str]) -> str:
    """The strictest that labels such as `PAP:AMBER` name, '' where none does. What cannot be read counts as red."""
    found = [_word(label) for label in labels if label.strip().lower().startswith("pap:")]
    return max(found, key=PAP.index, default="")


def _word(label: str) -> str:
    word = label.strip().lower().removeprefix("pap:").strip().strip('"')
    word = {"white": "clear"}.get(word, word)
    return word if word in PAP else "red"


def asks_first(label: str) -> bool:
    """Whether a label is one of originator control: ORCON and its kinds, alone or as the value of a tag."""
    word = label.strip().lower()
    value = word.replace("=", ":").rpartition(":")[2].strip().strip('"')
    if word.startswith("dni-ism:") and value in {"oc", "oc-usgov"}:  # how its portion marks write it
        return True
    return value.startswith(ASK_FIRST) or value.replace("-", " ").replace("_", " ") in _ASKING


def binding(labels: Iterable[str], source: str, tlp: str = "") -> tuple[str, ...]:
    """Of an indicator's labels and its marking those that say what may be done with it, and who told it."""
    labels = [one.strip().lower() for one in labels]
    kept = [one for one in labels if one.startswith(("pap:", "tlp:"))]
    kept += [ASK_FIRST] if any(map(asks_first, labels)) else []
    kept += [f"tlp:{tlp}"] if tlp else []
    return (*dict.fromkeys(kept), *((f"{_SOURCE}{source}",) if source else ()))


def source_of(terms: Iterable[str]) -> str:
    return next((one.removeprefix(_SOURCE) for one in terms if one.startswith(_SOURCE)), "") or UNNAMED


def forbids(terms: Iterable[str], agreed: Iterable[str] = ()) -> str:
    """Why nothing may be done on it that an intruder could see; '' where it may. `agreed` are originators who did."""
    terms = tuple(terms)
    rests, pap = f"it rests on intelligence of {source_of(terms)}", pap_of(terms)
    if pap and PAP.index(pap) > PAP.index("green"):
        return f"{rests} marked PAP:{pap.upper()}, which allows no block"
    if source_of(terms) in tuple(agreed):
        return ""
    if ASK_FIRST in terms:
        return f"{rests}, who must agree first"
    tlp = strictest(tlp_of(one) for one in terms if one.startswith("tlp:"))
    if not pap and tlp not in {"clear", "green"}:
        marked = f"TLP:{tlp.upper()} and" if tlp else "without a marking,"
        return f"{rests}, {marked} without a word on what may be done with it (PAP): they must agree first"
    return ""
