"""What a reader of ATT&CK files found in, one release with its links out; what does not fit is counted.

Files are hostile: every value is looked at before it is taken, and a name has an end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeGuard

from tocsin.errors import TocsinError
from tocsin.learn import attack_dates
from tocsin.model.attack import Entry, Kind, Release, is_live
from tocsin.model.mitigation import Mitigation

MOST_NAME: Final = 200
MOST_ALIASES: Final = 500  # of one entry; the most there are is 15
MOST_ADDRESS: Final = 2000
MOST_ENTRIES: Final = (
    20_000  # of a kind in one release; there are some 850 techniques, and each is compared with others
)
MOST_TACTICS: Final = 200
MOST_MITIGATIONS: Final = 2000

_ID: Final[Mapping[Kind, re.Pattern[str]]] = {
    "tactic": re.compile(r"TA\d{4}", re.ASCII),
    "technique": re.compile(r"T\d{4}(\.\d{3})?", re.ASCII),
    "group": re.compile(r"G\d{4}", re.ASCII),
    "malware": re.compile(r"S\d{4}", re.ASCII),
    "tool": re.compile(r"S\d{4}", re.ASCII),
    "campaign": re.compile(r"C\d{4}", re.ASCII),
}
_MITIGATION: Final = re.compile(r"M\d{4}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_FIRST: Final = {"live": 0, "deprecated": 1, "revoked": 2}

# What links may lead from and to.
_LINKED: Final = {
    ("group", "technique"),
    ("group", "malware"),
    ("group", "tool"),
    ("malware", "technique"),
    ("tool", "technique"),
    ("campaign", "technique"),
    ("campaign", "malware"),
    ("campaign", "tool"),
    ("campaign", "group"),
}


@dataclass(slots=True, kw_only=True)
class Parts:
    """A release as it is being read, by UUID: entries, (old, new) of what was revoked, (source, target) of links."""

    entries: dict[str, Entry] = field(default_factory=dict)
    revoked: set[tuple[str, str]] = field(default_factory=set)
    links: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # the citations of each
    reports: dict[str, str] = field(default_factory=dict)  # citation -> address
    made: dict[str | tuple[str, str], str] = field(default_factory=dict)  # the day of an entry, or of a link
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)  # the first and the last day of a campaign
    mitigations: dict[str, tuple[str, str]] = field(default_factory=dict)  # id and name
    mitigates: set[tuple[str, str]] = field(default_factory=set)  # a mitigation and a technique
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        if entry.uuid in self.entries and self.entries[entry.uuid] != entry:
            self.left_out["an object that stands there twice"] += 1
        self.entries.setdefault(entry.uuid, entry)

    def merge(self, more: Parts) -> None:
        for entry in more.entries.values():
            self.add(entry)
        self.revoked |= more.revoked
        for ends, citations in more.links.items():
            self.links.setdefault(ends, set()).update(citations)
        for name, address in more.reports.items():
            self.cite(name, address)
        for what, day in more.made.items():
            self.date(what, day)
        self.seen |= more.seen
        self.mitigations |= more.mitigations
        self.mitigates |= more.mitigates
        self.left_out += more.left_out

    def mitigation(self, *, number: object, uuid: object, name: object) -> None:
        """One that is in use: what releases before 2019 called so, one a technique, goes by the technique's id."""
        if not isinstance(number, str) or not _MITIGATION.fullmatch(number):
            return
        if is_uuid(uuid) and isinstance(name, str) and name.strip():
            self.mitigations[uuid] = (number, name.strip()[:MOST_NAME])

    def date(self, what: str | tuple[str, str], moment: object) -> None:
        """That something was made at a moment; the earliest of several stays."""
        if day := attack_dates.day(moment):
            self.made[what] = min(day, self.made.get(what, day))

    def cite(self, name: str, address: str) -> None:
        """Of two addresses for one name the one that sorts first stays, whatever came first."""
        known = self.reports.get(name, "")
        self.reports[name] = min(known, address) if known and address else known or address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A release, what it links with which citations, and how much of its files was left out, by reason."""

    release: Release
    links: Mapping[tuple[str, str], frozenset[str]]
    reports: Mapping[str, str]
    link_since: Mapping[tuple[str, str], str]
    since: Mapping[str, str]
    seen: Mapping[str, tuple[str, str]]
    mitigations: tuple[Mitigation, ...]
    left_out: Mapping[str, int]


def entry_of(kind: Kind, *, number: object, uuid: object, name: object, **more: Any) -> Entry | str:
    """An entry, or why there is none."""
    if not isinstance(number, str) or not _ID[kind].fullmatch(number):
        return f"a {kind} without an id of ATT&CK"
    if not is_uuid(uuid):
        return f"a {kind} without a UUID"
    if not isinstance(name, str) or not name.strip():
        return f"a {kind} without a name"
    if len(more.get("aliases", ())) > MOST_ALIASES:
        return f"a {kind} with more than {MOST_ALIASES} aliases"
    return Entry(kind=kind, id=number, uuid=uuid, name=name.strip()[:MOST_NAME], **more)


def is_uuid(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def texts(value: object) -> list[str]:
    """The texts of a list; anything else is passed over."""
    return [one.strip()[:MOST_NAME] for one in value if isinstance(one, str)] if isinstance(value, list) else []


def mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def aliases(kind: Kind, name: object, others: Iterable[str]) -> tuple[str, ...]:
    """The other names of a group, a piece of software or a campaign."""
    if kind in ("tactic", "technique"):
        return ()
    return tuple(sorted({one for one in others if one and one != name}))


def _bound(name: str, entries: Iterable[Entry]) -> None:
    for kind, count in Counter(entry.kind for entry in entries).items():
        most = MOST_TACTICS if kind == "tactic" else MOST_ENTRIES
        if count > most:
            raise TocsinError(
                f"release {name} of ATT&CK: more than {most:,} of the kind {kind}", hint="No release is that large."
            )


def assembled(name: str, parts: Parts, sources: tuple[tuple[str, str], ...] = ()) -> Reading:
    """The release: ids instead of UUIDs, and of two objects with one id the one that is more alive."""
    left_out = Counter(parts.left_out)
    by_id: dict[str, Entry] = {}
    for entry in sorted(parts.entries.values(), key=lambda one: (one.id, _FIRST[one.state], one.uuid)):
        if entry.id in by_id:
            left_out["an object with the id of another"] += 1
        else:
            by_id[entry.id] = entry
    _bound(name, by_id.values())
    place = {entry.uuid: entry for entry in by_id.values()}
    became: dict[str, set[str]] = {}
    for old, new in parts.revoked:
        if old in place and new in place:
            became.setdefault(place[old].id, set()).add(place[new].id)
        else:
            left_out["a revoked-by link with an end that is not there"] += 1
    entries = {
        number: replace(entry, became=tuple(sorted(became.get(number, ())))) if entry.state == "revoked" else entry
        for number, entry in by_id.items()
    }
    links: dict[tuple[str, str], frozenset[str]] = {}
    link_since: dict[tuple[str, str], str] = {}
    for (source, target), citations in parts.links.items():
        if source not in place or target not in place:
            left_out["a link with an end that is not there"] += 1
        elif (place[source].kind, place[target].kind) in _LINKED:
            links[place[source].id, place[target].id] = frozenset(citations)
            if day := parts.made.get((source, target)):
                link_since[place[source].id, place[target].id] = attack_dates.first(day, name)
    cited = {one for citations in links.values() for one in citations}
    return Reading(
        release=Release(name=name, entries=entries, sources=sources),
        links=links,
        reports={one: parts.reports.get(one, "") for one in cited},
        link_since=link_since,
        since={one.id: attack_dates.first(parts.made[uuid], name) for uuid, one in place.items() if uuid in parts.made},
        seen={one.id: parts.seen[uuid] for uuid, one in place.items() if uuid in parts.seen},
        mitigations=_mitigations(name, parts, place),
        left_out=dict(sorted(left_out.items())),
    )


def _mitigations(release: str, parts: Parts, place: Mapping[str, Entry]) -> tuple[Mitigation, ...]:
    """Those against something that lives; of two with one id the one whose UUID sorts first."""
    against: dict[str, set[str]] = {}
    for source, target in parts.mitigates:
        entry = place.get(target)
        if source in parts.mitigations and entry is not None and entry.kind == "technique" and is_live(entry):
            against.setdefault(source, set()).add(entry.id)
    found: dict[str, Mitigation] = {}
    for uuid in sorted(against):
        number, called = parts.mitigations[uuid]
        one = Mitigation(id=number, name=called, release=release, techniques=tuple(sorted(against[uuid])))
        found.setdefault(number, one)
    if len(found) > MOST_MITIGATIONS:
        raise TocsinError(
            f"release {release} of ATT&CK: more than {MOST_MITIGATIONS:,} mitigations", hint="No release is that large."
        )
    return tuple(found[number] for number in sorted(found))
