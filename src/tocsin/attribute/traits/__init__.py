"""Kinds of traits, in the order in which they are told: one file each, none of which knows another."""

from __future__ import annotations

from typing import Final

from tocsin.attribute.trait import Kind
from tocsin.attribute.traits import (
    absence,
    code,
    hours,
    infrastructure,
    language,
    software,
    technique,
    tempo,
    victim,
    vulnerability,
)

TRAITS: Final[tuple[Kind, ...]] = (
    software,
    technique,
    infrastructure,
    language,
    code,
    vulnerability,
    victim,
    hours,
    tempo,
    absence,
)
