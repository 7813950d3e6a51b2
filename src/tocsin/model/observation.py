"""What was seen of an intruder, before anybody is thought of: traits, each with its sources and its grade.

Grades are NATO's (STANAG 2511, the "Admiralty" system): A-F for the source, 1-6 for what it says. F and 6 mean that it
cannot be judged, which is not the same as bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

TraitKind: TypeAlias = Literal[
    "technique",  # an ATT&CK id
    "software",  # an ATT&CK id, or a team's own
    "infrastructure",  # an address, a domain, a certificate, or a kind of network
    "victim",  # "country:DE" or "sector:energy"
    "hours",  # "UTC+8": the time zone in which the work would fall into office hours
    "language",  # of texts and code: "zh"
    "code",  # what somebody left in a program: "pdb:d:\\work\\heron.pdb"
    "vulnerability",  # a CVE that was exploited
    "absence",  # a technique that a sensor would have shown, and did not
    "tempo",  # the year in which they were last seen: groups come and go
]
TRAIT_KINDS: tuple[TraitKind, ...] = get_args(TraitKind)

USUAL_GRADE: Final = "B2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One thing that was seen. `sources` are the names of what shows it; the same name twice is one source."""

    kind: TraitKind
    value: str
    sources: tuple[str, ...] = ()
    grade: str = USUAL_GRADE


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that was seen of one intrusion.

    Args:
        first_seen: a date as in ISO 8601, or a year, or '' where none is known; `last_seen` likewise.
        watched: techniques that the sensors would have shown. What is not in it says nothing by its absence; None:
            nobody knows what the sensors could show, and no absence counts.
        sensors: of techniques that they would not have shown, the logs that would.
        release: of ATT&CK, that the ids are from; '' where it is not told.
        doubts: what was wrong with it as it was read, as sentences.
    """

    id: str
    name: str = ""
    traits: tuple[Trait, ...] = ()
    first_seen: str = ""
    last_seen: str = ""
    watched: frozenset[str] | None = None
    sensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    release: str = ""
    doubts: tuple[str, ...] = ()
