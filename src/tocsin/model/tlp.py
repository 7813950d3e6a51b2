"""Markings of the Traffic Light Protocol 2.0, strictest last; version 1 called clear white."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

TLP: Final = ("clear", "green", "amber", "amber+strict", "red")


def tlp_of(text: str) -> str:
    """The marking that a text such as `TLP:AMBER+STRICT` names, '' where it names none."""
    word = text.strip().lower().removeprefix("tlp:").strip().replace("_", "+").replace(" ", "+")
    word = {"white": "clear", "amber-strict": "amber+strict"}.get(word, word)
    return word if word in TLP else ""


def strictest(markings: Iterable[str]) -> str:
    """Of several markings the one that allows least; '' where there is none."""
    return max((one for one in markings if one in TLP), key=TLP.index, default="")
