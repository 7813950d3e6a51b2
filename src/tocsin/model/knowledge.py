"""What is publicly known of groups, their software and their campaigns: the ids in one release of ATT&CK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin.model.attack import Grounds
from tocsin.model.campaign import Campaign
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.software import Software


@dataclass(frozen=True, slots=True, kw_only=True)
class Untranslated:
    """An id that has no one counterpart in the release of the knowledge, and who is told to use it."""

    id: str
    release: str
    grounds: Grounds
    candidates: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything by its id. Techniques are those of `release`; `reports` is where a citation leads."""

    release: str = ""
    releases: tuple[str, ...] = ()  # that were read, the oldest first
    groups: Mapping[str, IntrusionSet] = field(default_factory=dict)
    software: Mapping[str, Software] = field(default_factory=dict)
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)
    untranslated: tuple[Untranslated, ...] = ()
