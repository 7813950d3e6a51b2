"""A STIX bundle of somebody else's in, what it says in our nouns out, with every object's bytes as they came.

What is no STIX 2.1, or of a type that no noun of ours is for, is kept and told. An id is that of ATT&CK where an object
has one, else the one that Tocsin gave it, else that of STIX; so the same group or incident is one thing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import msgspec

from tocsin.border import stix
from tocsin.border.bundles import read_object
from tocsin.border.misp_values import MOST_REFS
from tocsin.border.stix_valid import fault, time_us
from tocsin.border.tally import MOST_TITLE, confidence, text, texts
from tocsin.model.campaign import Campaign
from tocsin.model.cluster import Cluster
from tocsin.model.indicator import Observable
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.mitigation import Mitigation
from tocsin.model.parcel import OPINED, Attributed, Held, Opined, Opinion, Parcel, Reported, Sighting
from tocsin.model.use import Use
from tocsin.observe.what import normal

OURS: Final = "tocsin"  # the source of ids that Tocsin gave
MOST_TEXT: Final = 20_000

_ATTACK: Final = re.compile(r"(?:T\d{4}(?:\.\d{3})?|[GSCM]\d{4})")
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}")
_GROUPS: Final = ("intrusion-set", "threat-actor")
_SOFTWARE: Final = ("malware", "tool")
# Types that are read here, or that others are read with.
_READ: Final = (
    frozenset(
        (
            *_GROUPS,
            *_SOFTWARE,
            *stix.OBSERVED,
            "attack-pattern",
            "campaign",
            "course-of-action",
            "directory",
            "grouping",
        )
    )
    | frozenset(
        (
            "identity",
            "incident",
            "indicator",
            "marking-definition",
            "observed-data",
            "opinion",
            "relationship",
            "report",
        )
    )
    | frozenset(("sighting", "user-account", "vulnerability", "windows-registry-key"))
)
_One = Mapping[str, Any]


def read(content: bytes, path: str) -> Parcel:
    """Read a bundle.

    Raises:
        ValueError: it is no bundle, or one larger than is read.
    """
    said = stix.read(content, path)
    found: dict[str, _One] = {}
    every: list[tuple[msgspec.Raw, _One | None, str]] = []
    for raw in stix.objects(content):
        try:
            one: _One = read_object(bytes(raw))
        except ValueError as error:
            every.append((raw, None, f"it cannot be read: {error}"))
            continue
        why = fault(one) or ("" if one["type"] in _READ else f"there is no noun here for a {one['type']}"[:200])
        every.append((raw, one, why))
        if not why and str(one.get("modified", "")) >= str(found.get(one["id"], {}).get("modified", "")):
            found[one["id"]] = one
    about = stix.About(_by_type(one for _, one, _ in every if one is not None))
    read_ = _Reader(found)
    return Parcel(
        path=path,
        held=tuple(_held(raw, one, why, about) for raw, one, why in every),
        indicators=said.indicators,
        left_out=said.left_out,
        incidents=tuple(read_.incidents()),
        sightings=tuple(read_.sightings()),
        clusters=tuple(read_.clusters()),
        campaigns=tuple(map(read_.campaign, read_.of("campaign"))),
        groups=tuple(map(read_.group, read_.of(*_GROUPS))),
        attributed=tuple(read_.attributed()),
        opinions=tuple(read_.opinions()),
        courses=tuple(map(read_.course, read_.of("course-of-action"))),
        techniques=_sorted(read_.named(one) for one in read_.of("attack-pattern")),
        software=_sorted(read_.named(one) for one in read_.of(*_SOFTWARE)),
        vulnerabilities=_sorted(name for one in read_.of("vulnerability") for name in _CVE.findall(text(one["name"]))),
    )


def _by_type(objects: Iterable[_One]) -> dict[str, list[_One]]:
    found: dict[str, list[_One]] = {}
    for one in objects:
        found.setdefault(one["type"], []).append(one)
    return found


def _held(raw: msgspec.Raw, one: _One | None, why: str, about: stix.About) -> Held:
    if one is None:
        return Held(id="", kind="", content=bytes(raw), because=why[:300])
    named, kind = text(one["id"], 320), text(one["type"], 250)
    return Held(id=named, kind=kind, content=bytes(raw), tlp=about.tlp(one), terms=about.terms(one), because=why)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))


class _Reader:
    """Valid objects, the last version of each by its id."""

    def __init__(self, found: Mapping[str, _One]) -> None:
        self.found = found
        self._ids = {named: _own_id(one) for named, one in found.items()}
        self.links: dict[tuple[str, str], list[str]] = {}  # what a relationship of a kind leads to from an object
        for one in self.of("relationship"):
            key = (one["source_ref"], one["relationship_type"])
            self.links.setdefault(key, []).append(one["target_ref"])

    def of(self, *kinds: str) -> list[_One]:
        return [one for one in self.found.values() if one["type"] in kinds and one.get("revoked") is not True]

    def called(self, named: str) -> str:
        """Our name for an id of STIX."""
        return self._ids.get(named, named)

    def named(self, one: _One) -> str:
        return self.called(one["id"])

    def by(self, one: _One) -> str:
        maker = self.found.get(str(one.get("created_by_ref")), {})
        return text(maker.get("name"), MOST_TITLE) or str(one.get("created_by_ref", ""))

    def used(self, one: _One, kinds: tuple[str, ...], how: str = "uses") -> dict[str, Use]:
        names = [ref for ref in self.links.get((one["id"], how), ()) if ref.partition("--")[0] in kinds]
        return {name: Use(id=name) for name in sorted(map(self.called, names))}

    def incidents(self) -> Iterable[Reported]:
        for one in self.of("incident"):
            yield Reported(id=self.named(one), title=text(one["name"], MOST_TITLE), text=_long(one.get("description")))

    def clusters(self) -> Iterable[Cluster]:
        """A grouping that Tocsin made of a cluster, or one of several incidents; others only hold things together."""
        for one in self.of("grouping"):
            incidents = [ref for ref in one["object_refs"] if ref.startswith("incident--")]
            if self.named(one) != one["id"] or len(incidents) > 1:
                told = tuple(map(self.called, incidents))
                yield Cluster(id=self.named(one), name=text(one.get("name"), MOST_TITLE), incidents=told, history=())

    def campaign(self, one: _One) -> Campaign:
        return Campaign(
            id=self.named(one),
            name=text(one["name"], MOST_TITLE),
            aliases=texts(one.get("aliases")),
            first_seen=text(one.get("first_seen"))[:10],
            last_seen=text(one.get("last_seen"))[:10],
            groups=self.used(one, _GROUPS, "attributed-to"),
            techniques=self.used(one, ("attack-pattern",)),
            software=self.used(one, _SOFTWARE),
        )

    def group(self, one: _One) -> IntrusionSet:
        named = self.named(one)
        motives = (text(one.get("primary_motivation")), *texts(one.get("secondary_motivations")))
        return IntrusionSet(
            id=named,
            name=text(one["name"], MOST_TITLE),
            origin="attack" if _ATTACK.fullmatch(named) else "own",
            aliases=tuple(Name(text=name) for name in texts(one.get("aliases"))),
            techniques=self.used(one, ("attack-pattern",)),
            software=self.used(one, _SOFTWARE),
            motives=tuple(filter(None, motives)),
            told_by=tuple(filter(None, (self.by(one),))),
        )

    def course(self, one: _One) -> Mitigation:
        names = self.used(one, ("attack-pattern",), "mitigates")
        return Mitigation(id=self.named(one), name=text(one["name"], MOST_TITLE), release="", techniques=tuple(names))

    def attributed(self) -> Iterable[Attributed]:
        for one in self.of("relationship"):
            if one["relationship_type"] == "attributed-to":
                yield Attributed(
                    id=one["id"],
                    what=self.called(one["source_ref"]),
                    to=self.called(one["target_ref"]),
                    confidence=confidence(one.get("confidence")),
                    text=_long(one.get("description")),
                    by=self.by(one),
                )

    def opinions(self) -> Iterable[Opinion]:
        for one in self.of("opinion"):
            if one["opinion"] in OPINED:
                yield Opinion(
                    id=one["id"],
                    about=tuple(map(self.called, one["object_refs"])),
                    opinion=cast("Opined", one["opinion"]),
                    confidence=confidence(one.get("confidence")),
                    text=_long(one.get("explanation")),
                    by=", ".join(texts(one.get("authors"))) or self.by(one),
                )

    def sightings(self) -> Iterable[Sighting]:
        for one in self.of("sighting"):
            data = [self.found.get(ref, {}) for ref in one.get("observed_data_refs", ())]
            refs = [ref for each in data for ref in texts(each.get("object_refs"), MOST_REFS)]
            seen = (_observables(self.found[ref]) for ref in refs if ref in self.found)
            hosts = (self.found.get(ref, {}) for ref in one.get("where_sighted_refs", ()))
            yield Sighting(
                id=one["id"],
                of=self.called(one["sighting_of_ref"]),
                count=one.get("count", 1),
                first_us=time_us(one.get("first_seen")),
                last_us=time_us(one.get("last_seen")),
                hosts=tuple(name for each in hosts if (name := text(each.get("name"), MOST_TITLE))),
                observables=tuple(dict.fromkeys(each for some in seen for each in some)),
                text=_long(one.get("description")),
                by=self.by(one),
            )


def _long(value: object) -> str:
    return text(value, MOST_TEXT)


def _own_id(one: _One) -> str:
    references = one.get("external_references")
    for each in references if isinstance(references, list) else ():
        if not isinstance(each, dict):  # of observables no schema says what these are
            continue
        named = text(each.get("external_id"), 200)
        if each.get("source_name") == OURS and named:
            return named
        if str(each.get("source_name")).startswith("mitre-") and _ATTACK.fullmatch(named):
            return named
    return str(one["id"])


def _observables(one: _One) -> tuple[Observable, ...]:
    kind = one["type"]
    if kind == "user-account":
        found = normal("sid", text(one.get("user_id"))) or normal("account", text(one.get("account_login")))
        return (found,) if found else ()
    if kind == "windows-registry-key":
        found = normal("key", text(one.get("key")))
        return (found,) if found else ()
    return stix.observables(kind, one) if kind in stix.OBSERVED else ()
