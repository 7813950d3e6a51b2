"""Incidents of one intent in, what is known of them together out.

STIX 2.1 §4.2: activity over a time, against some targets, that may or may not be attributed to an intrusion set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tocsin.model.use import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`groups` are those that it is attributed to by its sources; dates are days, or empty."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    state: Literal["live", "deprecated"] = "live"
    since: str = ""
    first_seen: str = ""
    last_seen: str = ""
    groups: Mapping[str, Use] = field(default_factory=dict)
    techniques: Mapping[str, Use] = field(default_factory=dict)
    software: Mapping[str, Use] = field(default_factory=dict)
