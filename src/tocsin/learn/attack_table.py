"""Facts about releases of ATT&CK in, the lines of a table of them out, and back: the same facts, the same bytes.

JSON lines: a head, then entries (one line for all releases in which an entry is the same), reports by
number, and for each source of links one line of all it links to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final, Literal, TypeAlias

import msgspec

from tocsin.errors import TocsinError
from tocsin.model.attack import Entry, Facts, Kind, Link, Release, State

NOTICE: Final = (
    "© 2026 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE "
    "Corporation. MITRE ATT&CK and ATT&CK are registered trademarks of The MITRE Corporation. "
    "Terms of use: https://attack.mitre.org/resources/legal-and-branding/terms-of-use/"
)


class _Head(msgspec.Struct, frozen=True, array_like=True, tag="ATT&CK facts"):
    form: Literal[1]
    releases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # name, and of each source its name and SHA-256
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
    targets: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  # id, releases, reports by number


_Line: TypeAlias = _Head | _Entry | _Report | _Links
_LATER: Final = re.compile(rb'^\["(?:report|links)"', re.MULTILINE)
_decoder = msgspec.json.Decoder(_Line)


def encoded(facts: Facts) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in _lines(facts))


def _lines(facts: Facts) -> Iterator[_Line]:
    place = {one.name: number for number, one in enumerate(facts.releases)}
    yield _Head(form=1, releases=tuple((one.name, one.sources) for one in facts.releases), notice=NOTICE)
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
                )
                for link in links
            ),
        )


def _source(link: Link) -> str:
    return link.source


def decoded(content: bytes, called: str, *, with_links: bool) -> Facts:
    """The facts of a table; without links only the lines before them are looked at.

    Raises:
        TocsinError: it is no table of facts, or one of another form, or contradicts itself.
    """
    later = None if with_links else _LATER.search(content)
    lines = content[: later.start() if later else len(content)].splitlines()
    try:
        head, *rest = map(_decoder.decode, lines)
        return _facts(msgspec.convert(head, _Head), rest)
    except (ValueError, IndexError) as fault:  # msgspec's errors are ValueErrors
        raise TocsinError(
            f"{called}: not a table of facts about ATT&CK that this version can read",
            hint="Make it again with `tocsin learn attack FILE...`, or delete it: the package ships one.",
        ) from fault


def _facts(head: _Head, lines: list[_Line]) -> Facts:
    entries: list[dict[str, Entry]] = [{} for _ in head.releases]
    links: list[Link] = []
    reports: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        if isinstance(line, _Entry):
            entry = _entry(line)
            for number in line.releases:
                entries[number][entry.id] = entry
        elif isinstance(line, _Report):
            reports[line.name] = line.address
            names.append(line.name)
        elif isinstance(line, _Links):
            links += (
                Link(
                    source=line.source,
                    target=target,
                    citations=tuple(names[number] for number in cited),
                    releases=tuple(head.releases[number][0] for number in numbers),
                )
                for target, numbers, cited in line.targets
            )
    return Facts(
        releases=tuple(
            Release(name=name, entries=own, sources=sources)
            for (name, sources), own in zip(head.releases, entries, strict=True)
        ),
        links=tuple(links),
        reports=reports,
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
