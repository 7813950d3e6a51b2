"""A MISP event of somebody else's in, what it says in our nouns out, with every attribute and object as it came.

What is for detection becomes an indicator; other values were seen, and no more is said of them. A tag of a galaxy names
a group, a technique, software or a course of action; that it stands at an event is what its maker says, not we.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from tocsin.border import misp, misp_galaxies
from tocsin.border.bundles import read_json
from tocsin.border.tally import MOST_TITLE, moment, text
from tocsin.model.campaign import Campaign
from tocsin.model.indicator import Observable
from tocsin.model.intrusion_set import IntrusionSet, Origin
from tocsin.model.mitigation import Mitigation
from tocsin.model.pap import ASK_FIRST, asks_first, pap_of
from tocsin.model.parcel import Attributed, Held, Opined, Opinion, Parcel, Reported, Sighting
from tocsin.model.tlp import strictest, tlp_of

MOST_TEXT: Final = 20_000

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}")
_SURE: Final[tuple[tuple[int, Opined], ...]] = (
    (12, "strongly-disagree"),
    (37, "disagree"),
    (62, "neutral"),
    (87, "agree"),
    (100, "strongly-agree"),
)
_TOLD: Final = frozenset({"threat-actor", "campaign-name", "vulnerability"})
_One = Mapping[str, Any]


class _Wrapped(msgspec.Struct):
    Event: msgspec.Raw = msgspec.Raw(b"")


class _Answer(msgspec.Struct):
    response: list[_Wrapped] | None = None
    Event: msgspec.Raw = msgspec.Raw(b"")


class _Event(msgspec.Struct):
    """Its parts stay bytes until each has its turn."""

    uuid: Any = ""
    info: Any = ""
    Orgc: Any = None
    Tag: Any = None
    Galaxy: Any = None
    Attribute: list[msgspec.Raw] | None = None
    Object: list[msgspec.Raw] | None = None
    EventReport: list[msgspec.Raw] | None = None
    Opinion: list[msgspec.Raw] | None = None


_answer = msgspec.json.Decoder(_Answer | list[_Wrapped]).decode
_event = msgspec.json.Decoder(_Event).decode


def read(content: bytes, path: str) -> Parcel:
    """Read an event, or several.

    Raises:
        ValueError: it is none, or one larger than is read.
    """
    said = misp.read(content, path)
    try:
        answer = _answer(content)
        wrapped = answer if isinstance(answer, list) else [answer, *(answer.response or ())]
        raws = [one.Event for one in wrapped if bytes(one.Event) not in (b"", b"null")]
        events = [(raw, _event(raw)) for raw in raws]
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise ValueError(f"not a MISP event: {fault}") from None
    read_ = _Reader()
    for raw, event in events:
        read_.event(raw, event)
    return Parcel(
        path=path,
        held=tuple(read_.held),
        indicators=said.indicators,
        left_out=said.left_out,
        incidents=tuple(read_.incidents),
        sightings=tuple(read_.sightings),
        campaigns=tuple(read_.campaigns),
        groups=tuple(read_.groups.values()),
        attributed=tuple(read_.attributed.values()),
        opinions=tuple(read_.opinions),
        courses=tuple(read_.courses.values()),
        techniques=tuple(sorted(read_.techniques)),
        software=tuple(sorted(read_.software)),
        vulnerabilities=tuple(sorted(read_.vulnerabilities)),
    )


@dataclass(frozen=True, slots=True)
class _Marked:
    """What an event says of all that is in it: looked for once, however many tags it has."""

    tlp: str
    terms: tuple[str, ...]


def _marked(tags: Iterable[str]) -> _Marked:
    tags = tuple(tags)
    pap = pap_of(tags)
    terms = (*((f"pap:{pap}",) if pap else ()), *((ASK_FIRST,) if any(map(asks_first, tags)) else ()))
    return _Marked(strictest(map(tlp_of, tags)), terms)


class _Reader:
    def __init__(self) -> None:
        self.held: list[Held] = []
        self.incidents: list[Reported] = []
        self.sightings: list[Sighting] = []
        self.campaigns: list[Campaign] = []
        self.attributed: dict[str, Attributed] = {}
        self.opinions: list[Opinion] = []
        self.groups: dict[str, IntrusionSet] = {}
        self.courses: dict[str, Mitigation] = {}
        self.techniques: set[str] = set()
        self.software: set[str] = set()
        self.vulnerabilities: set[str] = set()

    def event(self, raw: msgspec.Raw, event: _Event) -> None:
        named = text(event.uuid, 64)
        by = text(event.Orgc.get("name"), MOST_TITLE) if isinstance(event.Orgc, dict) else ""
        tags = [*misp.tags_of(event.Tag), *_of_galaxies(event.Galaxy)]
        marked = _marked(tags)
        first = len(self.held)
        self._hold(raw, named, "event", marked)
        seen: dict[Observable, None] = {}
        for part in event.Attribute or ():
            if (one := self._read(part, "attribute", marked)) is not None:
                self._attribute(part, one, marked, by, seen)
        for part in event.Object or ():
            if (one := self._read(part, "object", marked)) is not None:
                self._object(part, one, marked, by, seen)
        reports: list[_One] = []
        for part in event.EventReport or ():
            if (one := self._read(part, "report", marked)) is not None:
                self._hold(part, text(one.get("uuid"), 64), "report", marked)
                reports.append(one)
        for part in event.Opinion or ():
            if (one := self._read(part, "opinion", marked)) is not None:
                self._opinion(part, one, marked)
        told = "\n\n".join(str(one.get("content", ""))[:MOST_TEXT] for one in reports)[:MOST_TEXT]
        self.incidents.append(Reported(id=named, title=text(event.info, MOST_TITLE), text=told))
        for tag in dict.fromkeys(tags):
            self._tag(tag, named, by)
        if seen:
            self.sightings.append(Sighting(id=named, of=named, observables=tuple(seen), by=by))
        inside = self.held[first:]  # its bytes are those of all that is in it
        terms = _marked(dict.fromkeys(term for one in inside for term in one.terms)).terms
        self.held[first] = replace(self.held[first], tlp=strictest(one.tlp for one in inside), terms=terms)

    def _read(self, raw: msgspec.Raw, kind: str, marked: _Marked) -> _One | None:
        try:
            found = read_json(bytes(raw))
        except ValueError as error:
            found = str(error)
        if isinstance(found, dict):
            return found
        why = f"it cannot be read: {found}" if isinstance(found, str) else "it is no object"
        self._hold(raw, "", kind, marked, why[:300])
        return None

    def _hold(
        self,
        raw: msgspec.Raw,
        named: str,
        kind: str,
        of_event: _Marked,
        why: str = "",
        own: Sequence[Sequence[str]] = (),
    ) -> None:
        """Keep what came. `own` are the tags of each of its parts: one that has no marking has that of the event."""
        tags = [tag for part in own for tag in part]
        terms = _marked((*tags, *of_event.terms)).terms
        tlp = strictest(strictest(map(tlp_of, part)) or of_event.tlp for part in own or ((),))
        self.held.append(Held(id=named, kind=kind, content=bytes(raw), tlp=tlp, terms=terms, because=why))

    def _attribute(self, raw: msgspec.Raw, one: _One, marked: _Marked, by: str, seen: dict[Observable, None]) -> None:
        named, kind, own = text(one.get("uuid"), 64), text(one.get("type"), 60), misp.tags_of(one.get("Tag"))
        why = self._value(one, by, seen)
        self._hold(raw, named, f"attribute {kind}", marked, why, [own])
        for tag in (*own, *_of_galaxies(one.get("Galaxy"))):
            self._tag(tag, named, by)

    def _value(self, one: _One, by: str, seen: dict[Observable, None]) -> str:
        """Why an attribute is in none of our nouns; '' where it is."""
        named, kind, value = text(one.get("uuid"), 64), text(one.get("type"), 60), text(one.get("value"), 40_000)
        if one.get("deleted") in (True, "1", 1):
            return "it was deleted"
        self._seen(one, named, by)
        if kind == "threat-actor":
            self._group(misp_galaxies.Cluster("threat-actor", value[:MOST_TITLE], ""), by)
        elif kind == "campaign-name":
            self.campaigns.append(Campaign(id=named, name=value[:MOST_TITLE]))
        elif kind == "vulnerability":
            self.vulnerabilities.update(_CVE.findall(value))
        observables, pattern = misp.meaning(kind, value)
        if one.get("to_ids") not in (True, "1", 1):
            seen.update(dict.fromkeys(observables))
        return "" if observables or pattern or kind in _TOLD else f"there is no noun here for a value of type {kind}"

    def _object(self, raw: msgspec.Raw, one: _One, marked: _Marked, by: str, seen: dict[Observable, None]) -> None:
        name, parts = text(one.get("name"), 60), one.get("Attribute")
        inside = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        own = [misp.tags_of(part.get("Tag")) for part in inside]
        unread = [self._value(part, by, seen) for part in inside]
        course = next((text(part.get("value"), MOST_TITLE) for part in inside if _is_name(part)), "")
        if name == "course-of-action" and course:
            named = text(one.get("uuid"), 64)
            self.courses[named] = Mitigation(id=named, name=course, release="", techniques=())
            unread = []
        why = f"there is no noun here for what an object {name!r} says" if unread and all(unread) else ""
        self._hold(raw, text(one.get("uuid"), 64), f"object {name}", marked, why, own)
        for part in inside:
            for tag in (*misp.tags_of(part.get("Tag")), *_of_galaxies(part.get("Galaxy"))):
                self._tag(tag, text(part.get("uuid"), 64), by)

    def _seen(self, one: _One, named: str, by: str) -> None:
        """Sightings of an attribute; a false positive is an opinion, and what expired is none of both."""
        told = one.get("Sighting")
        found = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
        times = [us for each in found if str(each.get("type", "0")) == "0" for us in [_us(each.get("date_sighting"))]]
        where = dict.fromkeys(text(each.get("source"), MOST_TITLE) for each in found)
        known = [us for us in times if us is not None]
        if times:
            self.sightings.append(
                Sighting(
                    id=text(found[0].get("uuid"), 64),
                    of=named,
                    count=len(times),
                    first_us=min(known, default=None),
                    last_us=max(known, default=None),
                    hosts=tuple(filter(None, where)),
                    by=by,
                )
            )
        for each in found:
            if str(each.get("type")) == "1":
                told_by = text(each.get("source"), MOST_TITLE) or by
                words = "told as a false positive"
                self.opinions.append(
                    Opinion(id=text(each.get("uuid"), 64), about=(named,), opinion="disagree", text=words, by=told_by)
                )

    def _opinion(self, raw: msgspec.Raw, one: _One, marked: _Marked) -> None:
        named, said = text(one.get("uuid"), 64), str(one.get("opinion", ""))
        number = int(said) if said.isascii() and said.isdecimal() and len(said) <= 3 else 101
        word = next((word for most, word in _SURE if number <= most), None)
        why = "" if word else "its opinion is no number from 0 to 100"
        self._hold(raw, named, "opinion", marked, why)
        if word:
            about, comment = text(one.get("object_uuid"), 64), text(one.get("comment"), MOST_TEXT)
            by = text(one.get("authors"), MOST_TITLE)
            self.opinions.append(Opinion(id=named, about=(about,), opinion=word, text=comment, by=by))

    def _tag(self, tag: str, about: str, by: str) -> None:
        found = misp_galaxies.of_tag(tag)
        if found is None:
            return
        if found.kind in ("intrusion-set", "threat-actor"):
            group = self._group(found, by)
            one = Attributed(id=f"{about} {group}", what=about, to=group, text=tag, by=by)
            self.attributed.setdefault(one.id, one)
        elif found.kind == "attack-pattern":
            self.techniques.update(filter(None, [found.number]))
        elif found.kind == "course-of-action":
            named = found.number or f"misp:{found.name}"
            self.courses.setdefault(named, Mitigation(id=named, name=found.name, release="", techniques=()))
        else:
            self.software.update(filter(None, [found.number]))

    def _group(self, found: misp_galaxies.Cluster, by: str) -> str:
        named = found.number or f"misp:{found.name}"
        told_by = (by,) if by else ()
        origin: Origin = "attack" if found.number else "galaxy"
        self.groups.setdefault(named, IntrusionSet(id=named, name=found.name, origin=origin, told_by=told_by))
        return named


def _is_name(part: _One) -> bool:
    return part.get("object_relation") == "name" and part.get("deleted") not in (True, "1", 1)


def _of_galaxies(told: object) -> Iterator[str]:
    """Tags of the clusters that stand at something."""
    for galaxy in told if isinstance(told, list) else ():
        clusters = galaxy.get("GalaxyCluster") if isinstance(galaxy, dict) else None
        for one in clusters if isinstance(clusters, list) else ():
            if isinstance(one, dict):
                yield text(one.get("tag_name"), MOST_TITLE)


def _us(told: object) -> int | None:
    """Seconds since 1970, as a number or a text; or a time in ISO 8601."""
    if isinstance(told, (int, str)) and not isinstance(told, bool):
        word = str(told)
        if word.isascii() and word.isdecimal() and len(word) <= 11:
            return int(word) * 1_000_000
    return moment(told)
