"""A threat group in, what is publicly said of it out, each thing with whom it is said by.

STIX 2.1 §4.7. Nothing here is a finding of ours: a country or a sponsor is what a list suspects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tocsin.model.use import Use

Origin: TypeAlias = Literal["attack", "galaxy", "own"]

AMBIGUOUS: Final = "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name of a group. `vendors` call it so, as a list says; `form` is whose way of naming groups it follows.

    `sources` say that it is this group's: "ATT&CK 19".
    It `is_sure` where ATT&CK or the team itself says so, and not a list of many hands, or a release that gave the
    name to another group since. `perhaps` are other groups that such a list does not tell from this one.
    """

    text: str
    vendors: tuple[str, ...] = ()
    form: str = ""
    sources: tuple[str, ...] = ()
    is_sure: bool = True
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrusionSet:
    """`id` is ATT&CK's ("G0065"), or starts with "misp:" or "own:" for groups that ATT&CK does not know.

    What is told of a group by several entries of a list is here as all of them tell it: where they disagree,
    none is preferred, and `doubts` says so.
    """

    id: str
    name: str
    origin: Origin = "attack"
    state: Literal["live", "deprecated"] = "live"
    since: str = ""
    vendors: tuple[str, ...] = ()  # that call it by its name
    aliases: tuple[Name, ...] = ()  # without the name itself
    disputed: tuple[Name, ...] = ()  # names that a list has for it, and a surer source for another group
    techniques: Mapping[str, Use] = field(default_factory=dict)
    software: Mapping[str, Use] = field(default_factory=dict)
    campaigns: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # where it is suspected to work from, ISO 3166-1 alpha-2
    sponsors: tuple[str, ...] = ()  # the states suspected behind it, as countries or as told
    victims: tuple[str, ...] = ()  # countries
    other_victims: tuple[str, ...] = ()  # regions and organisations, as told
    sectors: tuple[str, ...] = ()
    motives: tuple[str, ...] = ()
    infrastructure: tuple[str, ...] = ()  # in the form of `observe.infrastructure`
    vulnerabilities: tuple[str, ...] = ()  # "CVE-2021-44228"
    languages: tuple[str, ...] = ()  # of texts and code: "zh"
    code: tuple[str, ...] = ()  # what they leave in programs: "mutex:Heron"
    hours: tuple[str, ...] = ()  # time zones: "UTC+8"
    confidence: tuple[int, ...] = ()  # of 100, that the list puts on what it suspects
    told_by: tuple[str, ...] = ()  # the lists and their entries
    doubts: tuple[str, ...] = ()

    @property
    def country(self) -> str:
        """The one suspected country, none, or that they do not agree."""
        return _one(self.countries)

    @property
    def sponsor(self) -> str:
        return _one(self.sponsors)


def _one(told: tuple[str, ...]) -> str:
    return told[0] if len(told) == 1 else AMBIGUOUS if told else ""
