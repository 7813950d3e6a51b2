"""A mitigation of ATT&CK in, the techniques of one release that it is listed against out (STIX 2.1 §4.3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """`techniques` are the live ones of `release`, sorted. That it is against them says not how well it helps."""

    id: str  # "M1032"
    name: str
    release: str
    techniques: tuple[str, ...]
