"""What somebody else told in one bundle or event: in our nouns as far as these go, and every object as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.campaign import Campaign
from tocsin.model.cluster import Cluster
from tocsin.model.indicator import Indicator, LeftOut, Observable
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.mitigation import Mitigation

Opined: TypeAlias = Literal["strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"]
OPINED: tuple[Opined, ...] = get_args(Opined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One object as it came.

    Args:
        id: as its maker calls it, '' where it has none; `kind` is their type of it.
        content: its bytes, for whoever must check a signature or read what we could not.
        tlp: the strictest marking of any part of it, '' where it has none; `terms` say what may be done with it.
        because: why it is in none of our nouns; '' where it is.
    """

    id: str
    kind: str
    content: bytes
    tlp: str = ""
    terms: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An incident of somebody else's, as they tell it."""

    id: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """That somebody saw something, how often, when and where. Times are UTC microseconds.

    Args:
        of: a technique, or the id of what was seen.
        hosts: the machines, as they call them.
        observables: the values that were seen.
    """

    id: str
    of: str
    count: int = 1
    first_us: int | None = None
    last_us: int | None = None
    hosts: tuple[str, ...] = ()
    observables: tuple[Observable, ...] = ()
    text: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """That somebody holds something to be of a group. What they say, and no finding of ours.

    Args:
        what: id of an incident, a cluster or a campaign; `to` that of a group.
        confidence: 0 to 100, None where nobody tells.
    """

    id: str
    what: str
    to: str
    confidence: int | None = None
    text: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What somebody thinks of what was said; `about` are ids."""

    id: str
    about: tuple[str, ...]
    opinion: Opined
    confidence: int | None = None
    text: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """All of one bundle or event.

    Args:
        courses: of action, by their number at ATT&CK or else the id that they came with.
        techniques: all that it names, by number; `software` likewise.
        left_out: indicators in it that cannot be looked for.
    """

    path: str = ""
    held: tuple[Held, ...] = ()
    incidents: tuple[Reported, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    groups: tuple[IntrusionSet, ...] = ()
    attributed: tuple[Attributed, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    courses: tuple[Mitigation, ...] = ()
    techniques: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    vulnerabilities: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def not_understood(self) -> tuple[Held, ...]:
        return tuple(one for one in self.held if one.because)
