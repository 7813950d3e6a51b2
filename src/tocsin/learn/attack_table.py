"""Facts about releases of ATT&CK in, the lines of a table of them out, and back: the same facts, the same bytes.

JSON lines: a head, then entries (one line for all releases in which an entry is the same), reports by
number, for each source of links one line of all it links to, what is told of times, threat actors, and for each
release the mitigations it lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, TypeAlias

import msgspec

from tocsin.errors import TocsinError
from tocsin.model.actor import Actor
from tocsin.model.attack import Entry, Facts, Kind, Link, Release, State
from tocsin.model.mitigation import Mitigation

NOTICE: Final = (
    "© 2026 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE "
    "Corporation. MITRE ATT&CK and ATT&CK are registered trademarks of The MITRE Corporation. "
    "Terms of use: https://attack.mitre.org/resources/legal-and-branding/terms-of-use/"
)


class _Head(msgspec.Struct, frozen=True, array_like=True, tag="ATT&CK facts"):
    form: Literal[2]
    releases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # name, and of each source its name and SHA-256
    lists: tuple[tuple[str, str], ...]  # where the actors are from
    notice: str


class _Entry(msgspec.Struct, frozen=True, array_like=True, tag="entry", omit_defaults=True):
    id: str
    kind: Kind
    releases: tuple[int, ...]  # by their place in the head
    uuid: str
    name: str
    words: tuple[str, ...] = ()  # tactics of a technique, aliases of others
    state: State = "live"
    became: tuple[str, ...] = ()


class _Report(msgspec.Struct, frozen=True, array_like=True, tag="report"):
    name: str
    address: str


class _Links(msgspec.Struct, frozen=True, array_like=True, tag="links"):
    source: str
    targets: tuple[tuple[str, tuple[int, ...], tuple[int, ...], str], ...]  # id, releases, reports by number, since


class _Since(msgspec.Struct, frozen=True, array_like=True, tag="since"):
    release: str
    ids: tuple[str, ...]


class _Seen(msgspec.Struct, frozen=True, array_like=True, tag="seen"):
    id: str
    first: str
    last: str


class _Actor(msgspec.Struct, frozen=True, array_like=True, tag="actor"):
    uuid: str
    name: str
    names: tuple[tuple[str, tuple[str, ...]], ...]
    countries: tuple[str, ...]
    sponsors: tuple[str, ...]
    victims: tuple[str, ...]
    other_victims: tuple[str, ...]
    sectors: tuple[str, ...]
    motives: tuple[str, ...]
    confidence: int | None


class _Mitigation(msgspec.Struct, frozen=True, array_like=True, tag="mitigation"):
    id: str
    name: str
    release: int  # by its place in the head
    techniques: tuple[str, ...]


_Line: TypeAlias = _Head | _Entry | _Report | _Links | _Since | _Seen | _Actor | _Mitigation
_LATER: Final = re.compile(rb'^\["(?:report|links|since|seen|actor|mitigation)"', re.MULTILINE)
_decoder = msgspec.json.Decoder(_Line)


def encoded(facts: Facts) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in _lines(facts))


def _lines(facts: Facts) -> Iterator[_Line]:
    place = {one.name: number for number, one in enumerate(facts.releases)}
    sources = tuple((one.name, one.sources) for one in facts.releases)
    yield _Head(form=2, releases=sources, lists=facts.lists, notice=NOTICE)
    same: dict[Entry, list[int]] = {}
    for number, release in enumerate(facts.releases):
        for entry in release.entries.values():
            same.setdefault(entry, []).append(number)
    for entry, numbers in sorted(same.items(), key=lambda pair: (pair[0].kind, pair[0].id, pair[1])):
        yield _Entry(
            id=entry.id,
            kind=entry.kind,
            releases=tuple(numbers),
            uuid=entry.uuid,
            name=entry.name,
            words=entry.tactics or entry.aliases,
            state=entry.state,
            became=entry.became,
        )
    reports = {name: number for number, name in enumerate(sorted(facts.reports))}
    for name in reports:
        yield _Report(name=name, address=facts.reports[name])
    for source, links in groupby(sorted(facts.links, key=lambda link: (link.source, link.target)), _source):
        yield _Links(
            source=source,
            targets=tuple(
                (
                    link.target,
                    tuple(place[name] for name in link.releases),
                    tuple(reports[name] for name in link.citations),
                    link.since,
                )
                for link in links
            ),
        )
    yield from _times(facts)
    for actor in facts.actors:
        yield _Actor(**{name: getattr(actor, name) for name in _Actor.__struct_fields__})
    for one in facts.mitigations:
        yield _Mitigation(id=one.id, name=one.name, release=place[one.release], techniques=one.techniques)


def _times(facts: Facts) -> Iterator[_Line]:
    same: dict[str, list[str]] = {}
    for number, release in sorted(facts.since.items()):
        same.setdefault(release, []).append(number)
    for release in sorted(same, key=int):
        yield _Since(release=release, ids=tuple(same[release]))
    for number, (first, last) in sorted(facts.seen.items()):
        yield _Seen(id=number, first=first, last=last)


def _source(link: Link) -> str:
    return link.source


def decoded(content: bytes, called: str, *, with_links: bool) -> Facts:
    """The facts of a table; without links only the lines before them are looked at.

    Raises:
        TocsinError: it is no table of facts, or one of another form, or contradicts itself.
    """
    later = None if with_links else _LATER.search(content)
    try:
        head, *rest = _decoder.decode_lines(content[: later.start()] if later else content)
        return _facts(msgspec.convert(head, _Head), rest)
    except (ValueError, IndexError) as fault:  # msgspec's errors are ValueErrors
        raise TocsinError(
            f"{called}: not a table of facts about ATT&CK that this version can read",
            hint="Make it again with `tocsin learn attack FILE...`, or delete it: the package ships one.",
        ) from fault


class _Tuples(dict[tuple[int, ...], tuple[str, ...]]):
    """Numbers in, what stands at their places out; the same for the same, made once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def __missing__(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        found = self[numbers] = tuple([self.names[number] for number in numbers])
        return found


def _facts(head: _Head, lines: list[_Line]) -> Facts:
    entries: list[dict[str, Entry]] = [{} for _ in head.releases]
    links: list[Link] = []
    reports: dict[str, str] = {}
    names: list[str] = []
    told = _Tuples(names)  # many links are told by the same reports, and nearly all by the same releases
    releases = _Tuples([name for name, _ in head.releases])
    since: dict[str, str] = {}
    seen: dict[str, tuple[str, str]] = {}
    actors: list[Actor] = []
    mitigations: list[Mitigation] = []
    for line in lines:
        if isinstance(line, _Entry):
            entry = _entry(line)
            for number in line.releases:
                entries[number][entry.id] = entry
        elif isinstance(line, _Report):
            reports[line.name] = line.address
            names.append(line.name)
        elif isinstance(line, _Links):
            links += [
                Link(
                    source=line.source,
                    target=target,
                    citations=told[cited],
                    releases=releases[numbers],
                    since=first,
                )
                for target, numbers, cited, first in line.targets
            ]
        elif isinstance(line, _Since):
            since.update(dict.fromkeys(line.ids, line.release))
        elif isinstance(line, _Seen):
            seen[line.id] = (line.first, line.last)
        elif isinstance(line, _Actor):
            actors.append(Actor(**{name: getattr(line, name) for name in _Actor.__struct_fields__}))
        elif isinstance(line, _Mitigation):
            release = head.releases[line.release][0]
            mitigations.append(Mitigation(id=line.id, name=line.name, release=release, techniques=line.techniques))
    return Facts(
        releases=tuple(
            Release(name=name, entries=own, sources=sources)
            for (name, sources), own in zip(head.releases, entries, strict=True)
        ),
        links=tuple(links),
        reports=reports,
        since=since,
        seen=seen,
        actors=tuple(actors),
        lists=head.lists,
        mitigations=tuple(mitigations),
    )


def _entry(line: _Entry) -> Entry:
    of_technique = line.kind == "technique"
    return Entry(
        kind=line.kind,
        id=line.id,
        uuid=line.uuid,
        name=line.name,
        state=line.state,
        became=line.became,
        tactics=line.words if of_technique else (),
        aliases=() if of_technique else line.words,
    )
