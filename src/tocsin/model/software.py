"""A piece of software that intruders use in, what is known of it out: malware, or a tool that others use too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tocsin.model.use import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """`users` are the groups that are told to use it; whoever is its only user may still share it tomorrow."""

    id: str
    name: str
    kind: Literal["malware", "tool"]
    aliases: tuple[str, ...] = ()
    state: Literal["live", "deprecated"] = "live"
    since: str = ""
    techniques: Mapping[str, Use] = field(default_factory=dict)
    users: tuple[str, ...] = ()
