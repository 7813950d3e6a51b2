"""Objects of STIX that may leave in, a MISP event that says the same out, and what no event can say.

It is made of what was released to a peer, and of nothing else. The event is marked as strictly as the strictest thing
in it, and goes no further there than that marking allows; it arrives unpublished. A thing has the UUID that it has in
STIX. The same objects give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin.border import markings, misp_galaxies
from tocsin.border.bundles import made_id
from tocsin.border.misp_values import (
    MOST_REFS,
    attribute,
    bare,
    moment,
    references,
    seconds,
    seen,
    thing,
    wanted,
    within,
)
from tocsin.border.stix_valid import time_us
from tocsin.border.tally import text, texts
from tocsin.model.pap import ASK_FIRST, PAP, pap_of
from tocsin.model.tlp import strictest, tlp_of

UNMARKED: Final = "amber+strict"  # as in a release: what has no marking stays among those who made it

# How far MISP passes things on by itself: 0 stays with who gets it, 1 their community, 3 everybody. Between them are
# communities that nobody here can know.
_DISTRIBUTION: Final = {"clear": "3", "green": "1"}
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ABOUT: Final = ("report", "grouping", "incident")  # what an event is, the first that there is
_OPINIONS: Final = {"strongly-disagree": 0, "disagree": 25, "neutral": 50, "agree": 75, "strongly-agree": 100}
_TARGETS: Final = {"system": "target-machine", "organization": "target-org", "individual": "target-user"}
_NAMED: Final = {"campaign": "campaign-name", "intrusion-set": "threat-actor", "threat-actor": "threat-actor"}
_GONE: Final = "it was taken back, and an event can say so of indicators alone"
_TOLD: Final = frozenset({"marking-definition", "relationship", "observed-data", "sighting", "directory", *_ABOUT})


@dataclass(frozen=True, slots=True)
class Left:
    """An object that no event can hold."""

    id: str
    why: str


def event(objects: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], tuple[Left, ...]]:
    """The event as JSON holds it, and what is not in it."""
    latest: dict[str, Mapping[str, Any]] = {}
    for one in sorted(objects, key=lambda one: time_us(one.get("modified")) or 0):
        latest[str(one.get("id"))] = one
    made = _Event([one for one in objects if latest[str(one.get("id"))] is one])
    for one in made.all:
        made.take(one)
    made.relate()
    return {"Event": made.whole()}, tuple(made.left)


def _is_gone(one: Mapping[str, Any]) -> bool:
    return one.get("revoked") is True and one.get("type") != "indicator"


def _is_tlp(label: str) -> bool:
    return label.lower().startswith("tlp:") and tlp_of(label) != ""


def written(told: Mapping[str, Any]) -> str:
    """An event as text."""
    return json.dumps(told, ensure_ascii=True, indent=1) + "\n"


class _Event:
    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        # What was taken back is said of by its name where others refer to it, and by nothing else.
        self.all = [one for one in objects if not _is_gone(one)]
        self.by_id = {str(one.get("id")): one for one in objects}
        self.attributes: dict[str, dict[str, Any]] = {}  # by the id of STIX
        self.things: dict[str, dict[str, Any]] = {}
        self.galaxies: dict[str, misp_galaxies.Cluster] = {}
        self.reports: list[dict[str, Any]] = []
        self.opinions: list[dict[str, Any]] = []
        self.left = [Left(str(one.get("id")), _GONE) for one in objects if _is_gone(one)]
        self.used: set[str] = set()
        self.observed: dict[str, list[Mapping[str, Any]]] = {}
        for one in self.all:
            for named in texts(one.get("object_refs"), MOST_REFS) if one.get("type") == "observed-data" else ():
                self.observed.setdefault(named, []).append(one)
        self.makers = dict.fromkeys(str(one["created_by_ref"]) for one in objects if "created_by_ref" in one)
        marked = [one for one in objects if one.get("type") != "marking-definition"]
        self.tlp = strictest(map(self.marking, marked)) or UNMARKED
        terms = {term for one in marked for term in self.terms(one)}
        self.pap = pap_of(terms)
        self.others = sorted(term for term in terms if term == ASK_FIRST or term.startswith("group:"))
        about = next((one for kind in _ABOUT for one in self.all if one.get("type") == kind), None)
        self.about: Mapping[str, Any] = about or {}
        self.at = max((seconds(one.get("modified")) for one in objects), key=int, default="0")
        self.is_widest = self.tlp in _DISTRIBUTION and not self.others

    # ----------------------------------------------------------------------------- markings

    def _definitions(self, one: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        granular = one.get("granular_markings")
        parts = granular if isinstance(granular, list) else []
        inside = [str(each["marking_ref"]) for each in parts if isinstance(each, dict) and "marking_ref" in each]
        for named in (*texts(one.get("object_marking_refs")), *inside):
            yield named, self.by_id.get(named, {})

    def marking(self, one: Mapping[str, Any]) -> str:
        found = [markings.TLP_OF.get(named) or markings.tlp_in(told) for named, told in self._definitions(one)]
        said = [label for label in texts(one.get("labels")) if _is_tlp(label)]
        return strictest([strictest(found) or UNMARKED, *map(tlp_of, said)])  # a label may bind, and never loosen

    def terms(self, one: Mapping[str, Any]) -> set[str]:
        found: set[str] = set()
        for _, told in self._definitions(one):
            group = markings.group_in(told)
            found |= {*markings.terms_in(told), *([f"group:{group}"] if group else [])}
        return found

    def _tags(self, one: Mapping[str, Any]) -> list[dict[str, str]]:
        """What is said of a thing alone: a marking that is not the event's, and what an indicator indicates."""
        names = [label for label in texts(one.get("labels")) if not _is_tlp(label)]
        if (tlp := self.marking(one)) != self.tlp or any(map(tlp_of, names)):
            names.append(f"tlp:{tlp}")
        if (pap := pap_of(self.terms(one))) and pap != self.pap:
            names.append(f"PAP:{pap.upper()}")
        return [{"name": name} for name in dict.fromkeys(names)]

    # ----------------------------------------------------------------------------- objects

    def take(self, one: Mapping[str, Any]) -> None:
        kind, named = str(one.get("type")), str(one.get("id"))
        if not _UUID.fullmatch(bare(one)):
            self.left.append(Left(named, "its id holds no UUID that MISP takes"))
        elif cluster := misp_galaxies.cluster(one):
            self.galaxies[named] = cluster
        elif kind == "indicator":
            self._indicator(one)
        elif kind == "identity":
            self._identity(one)
        elif kind == "note":
            self._report(one, text(one.get("abstract")) or "Note", str(one.get("content", "")))
        elif kind == "opinion":
            self._opinion(one)
        elif (found := seen(one)) is not None:
            self.attributes[named] = attribute(self._fresh(one), *found, **self._said(one))
        elif (object_ := thing(one, self.by_id, self._fresh)) is not None:
            self.things[named] = object_ | {"comment": text(one.get("description")), **self._times(named)}
        elif kind in _NAMED and (name := text(one.get("name"))):
            self.attributes[named] = attribute(self._fresh(one), _NAMED[kind], name, **self._said(one))
        elif kind in {"malware", "tool"} and (name := text(one.get("name"))):
            self.attributes[named] = attribute(self._fresh(one), "text", name, **self._said(one, f"{kind}: "))
        elif kind not in _TOLD:
            self.left.append(Left(named, f"an event has no place for a {kind}"))
        elif kind in _ABOUT and (description := str(one.get("description", ""))):
            self._report(one, text(one.get("name")) or kind, description)

    def _fresh(self, one: Mapping[str, Any]) -> str:
        """Its UUID. Two of different types may have one and the same in STIX, and not in MISP."""
        named = bare(one)
        if named in self.used:
            named = within(named, str(one.get("type")))
        self.used.add(named)
        return named

    def _said(self, one: Mapping[str, Any], before: str = "") -> dict[str, Any]:
        comment = before + (text(one.get("description")) or text(one.get("name")))
        told = {"comment": comment, "timestamp": self._at(one), "Tag": self._tags(one)}
        return told | self._times(str(one.get("id")))

    def _at(self, one: Mapping[str, Any]) -> str:
        return seconds(one["modified"]) if "modified" in one else self.at

    def _times(self, named: str) -> dict[str, str]:
        """When something was seen, as far as observed data that goes tells."""
        data = self.observed.get(named, [])
        first = min((moment(one.get("first_observed")) for one in data), default="")
        last = max((moment(one.get("last_observed")) for one in data), default="")
        return {"first_seen": first, "last_seen": last} if first and last else {}

    def _indicator(self, one: Mapping[str, Any]) -> None:
        kind, value = wanted(one)
        if not kind:
            self.left.append(Left(str(one["id"]), f"MISP has no type for a pattern of {one.get('pattern_type')}"))
            return
        is_revoked = one.get("revoked") is True
        said = self._said(one)
        if "valid_until" in one:  # MISP knows when something was seen, and not until when it holds
            said["comment"] = f"{said['comment']} (valid until {one['valid_until']})"
        # A deleted attribute is how MISP hands on that something was taken back.
        gone = {"deleted": True} if is_revoked else {}
        self.attributes[str(one["id"])] = attribute(self._fresh(one), kind, value, to_ids=not is_revoked, **said | gone)

    def _identity(self, one: Mapping[str, Any]) -> None:
        """Who made it is the event's; others are whom it is about."""
        if one["id"] == self._author().get("id"):
            return
        kind = _TARGETS.get(str(one.get("identity_class")), "text") if one["id"] not in self.makers else "text"
        self.attributes[str(one["id"])] = attribute(self._fresh(one), kind, one.get("name", ""), **self._said(one))

    def _author(self) -> Mapping[str, Any]:
        """Who made what the event is about; where it is about nothing, who made all that says so of itself."""
        makers = [str(self.about.get("created_by_ref"))] if self.about else list(self.makers)
        by = makers[0] if len(makers) == 1 else ""
        return self.by_id.get(by, {})

    def _report(self, one: Mapping[str, Any], name: str, content: str) -> None:
        self.reports.append(
            {
                "uuid": within(bare(one), "report"),
                "name": name,
                # It is Markdown there. Behind four spaces nothing is: no image is fetched, no link followed.
                "content": "\n".join(f"    {line}" for line in content.splitlines()),
                "distribution": "5",
                "timestamp": self._at(one),
            }
        )

    def _opinion(self, one: Mapping[str, Any]) -> None:
        about = ", ".join(self._called(named) for named in texts(one.get("object_refs")))
        confidence, maker = one.get("confidence"), self.by_id.get(str(one.get("created_by_ref")), {})
        told = [str(one.get("explanation", "")), f"About: {about}"]
        told += [f"Confidence: {confidence} of 100"] if confidence is not None else []
        self.opinions.append(
            {
                "uuid": bare(one),
                "object_uuid": self._uuid(),
                "object_type": "Event",
                "authors": ", ".join(texts(one.get("authors"))) or text(maker.get("name")) or "unknown",
                "opinion": _OPINIONS.get(str(one.get("opinion")), 50),
                "comment": "\n".join(filter(None, told)),
                "language": "en",
                "created": moment(one.get("created"))[:19].replace("T", " "),
                "modified": moment(one.get("modified"))[:19].replace("T", " "),
                "distribution": "5",
            }
        )

    # ----------------------------------------------------------------------------- between them

    def relate(self) -> None:
        """What goes between objects: references, sightings, what an indicator indicates; and all of it in words."""
        made = {named: one["uuid"] for named, one in (*self.attributes.items(), *self.things.items())}
        for named in self.things:
            for word, other in references(self.by_id[named], made):
                self._reference(named, word, other, made)
        lines = []
        for one in self.all:
            source, target = str(one.get("source_ref")), str(one.get("target_ref"))
            if one.get("type") == "relationship":
                word, confidence = str(one.get("relationship_type")), one.get("confidence")
                sure = f" (confidence {confidence} of 100)" if confidence is not None else ""
                lines.append(f"{self._called(source)} {word} {self._called(target)}{sure}")
                if source in self.attributes and target in self.galaxies:
                    self.attributes[source].setdefault("Tag", []).append({"name": self.galaxies[target].tag})
                elif source in self.things and target in made:
                    self._reference(source, word, target, made)
            elif one.get("type") == "sighting":
                lines.append(self._sighting(one))
        if lines:
            about = {"id": f"event--{self._uuid()}", "modified": self.about.get("modified", "")}
            self._report(about if self.about else {"id": about["id"]}, "What is said of what", "\n".join(lines))

    def _reference(self, source: str, word: str, target: str, made: Mapping[str, str]) -> None:
        kind = "0" if target in self.attributes else "1"
        self.things[source]["ObjectReference"].append(
            {
                "uuid": within(made[source], f"{word} {made[target]}"),
                "object_uuid": made[source],
                "referenced_uuid": made[target],
                "relationship_type": word,
                "referenced_type": kind,
            }
        )

    def _sighting(self, one: Mapping[str, Any]) -> str:
        of, count = str(one.get("sighting_of_ref")), one.get("count", 1)
        where = ", ".join(self._called(named) for named in texts(one.get("where_sighted_refs")))
        last = one.get("last_seen") or one.get("created")
        if of in self.attributes:
            self.attributes[of].setdefault("Sighting", []).append(
                {"uuid": bare(one), "type": "0", "date_sighting": seconds(last), "source": where}
            )
        words = [f"{self._called(of)} was seen", f"{count} times" if count != 1 else "once"]
        words += [f"on {where}"] if where else []
        words += [f"from {one['first_seen']} to {last}"] if "first_seen" in one else []
        said = "; ".join(str(one.get("description", "")).splitlines())
        return " ".join(words) + (f": {said}" if said else "")

    def _called(self, named: str) -> str:
        one = self.by_id.get(named, {})
        found = (text(one.get(name)) for name in ("name", "value", "account_login", "command_line", "pattern"))
        return next(filter(None, found), named)

    def _uuid(self) -> str:
        if self.about and _UUID.fullmatch(bare(self.about)):
            return bare(self.about)
        return str(made_id(hashlib.sha256("\n".join(sorted(self.by_id)).encode()).digest()))

    def whole(self) -> dict[str, Any]:
        tags = [f"tlp:{self.tlp}", *([f"PAP:{self.pap.upper()}"] if self.pap in PAP else []), *self.others]
        tags += [one.tag for one in self.galaxies.values()]
        author = self._author()
        orgc = {"uuid": bare(author), "name": text(author.get("name"))} if author else None
        told = {
            "uuid": self._uuid(),
            "info": text(self.about.get("name")) or f"{len(self.all):,} objects of STIX",
            "date": (moment(self.about.get("created")) or "1970-01-01")[:10],
            "timestamp": self.at,
            "threat_level_id": "4",  # undefined: that is the receiver's to say
            "analysis": "1",  # under way
            "published": False,
            "distribution": _DISTRIBUTION[self.tlp] if self.is_widest else "0",
            **({"Orgc": orgc} if orgc else {}),
            "Tag": [{"name": name} for name in dict.fromkeys(tags)],
            "Galaxy": misp_galaxies.told(self.galaxies.values()),
            "Attribute": list(self.attributes.values()),
            "Object": list(self.things.values()),
            "EventReport": self.reports,
        }
        return told | ({"Opinion": self.opinions} if self.opinions else {})
