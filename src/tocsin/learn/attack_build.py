"""Files of ATT&CK and of threat actors in, facts about releases and groups out.

Only facts are kept: ids, names, aliases, tactics, what took the place of what, links, whom they cite, since when.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tocsin.errors import TocsinError
from tocsin.learn import actor_galaxy, attack_galaxy, attack_stix
from tocsin.learn.attack_parts import Parts, Reading, assembled
from tocsin.learn.attack_sources import Document, documents
from tocsin.model.actor import Actor
from tocsin.model.attack import Facts, Link, Release, is_live

_IN_FILE_NAME: Final = re.compile(r"attack[-_ ]v?(\d{1,3}\.\d{1,3})(?=\D|$)", re.ASCII)
MOST_BYTES: Final = 512 << 20  # of all files together, unpacked
_SAY_WHICH: Final = "Say which release it is: write 19=PATH."


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Facts, and of each release how much of its files was left out, by reason; of threat actors under ""."""

    facts: Facts
    left_out: Mapping[str, Mapping[str, int]]


def build(sources: Sequence[str]) -> Learned:
    """Read releases, each from one or more files.

    Args:
        sources: STIX bundles, clusters of MISP galaxies, or folders of them, plain or gzip, or addresses of
            such files; `19=PATH` says which release it is where neither the file nor its name does.

    Raises:
        TocsinError: a file cannot be read, is neither, or nothing says which release it is.
    """
    files = _Files()
    for source in sources:
        files.add(source)
    readings = [_reading(name, files.attack[name]) for name in sorted(files.attack, key=_order)]
    left_out = {one.release.name: one.left_out for one in readings}
    facts = _joined(readings)
    if files.actors:
        facts, left_out[""] = _with_actors(facts, files.actors)
    return Learned(facts=facts, left_out=left_out)


def added(known: Facts, more: Facts) -> Facts:
    """What was known, with releases added, or those of the same name replaced."""
    names = {one.name for one in more.releases}
    links: dict[tuple[str, str], tuple[set[str], set[str], set[str]]] = {}
    for facts, dropped in ((known, names), (more, set[str]())):
        for link in facts.links:
            if stays := set(link.releases) - dropped:
                citations, releases, since = links.setdefault((link.source, link.target), (set(), set(), set()))
                citations.update(link.citations)
                releases |= stays
                since.update([link.since] if link.since else [])
    cited = {name for citations, _, _ in links.values() for name in citations}
    reports = {**known.reports, **more.reports}
    every = [*(one for one in known.releases if one.name not in names), *more.releases]
    return Facts(
        releases=_with_deprecated(sorted(every, key=lambda one: _order(one.name))),
        links=tuple(
            Link(
                source=source,
                target=target,
                citations=tuple(sorted(citations)),
                releases=tuple(sorted(held, key=_order)),
                since=min(since, key=int, default=""),
            )
            for (source, target), (citations, held, since) in sorted(links.items())
        ),
        reports={name: reports[name] for name in sorted(cited)},
        since=_earliest(known.since, more.since),
        seen={**known.seen, **more.seen},
        actors=more.actors if more.lists else known.actors,
        lists=more.lists or known.lists,
        mitigations=tuple(
            sorted(
                [*(one for one in known.mitigations if one.release not in names), *more.mitigations],
                key=lambda one: (one.id, _order(one.release)),
            )
        ),
    )


def _with_deprecated(releases: Sequence[Release]) -> tuple[Release, ...]:
    """Where a release tells of nothing that is deprecated, as galaxies do not, what the one before told still holds."""
    found: list[Release] = []
    for release in releases:
        if found and not any(one.state == "deprecated" for one in release.entries.values()):
            before = {one.uuid for one in found[-1].entries.values() if one.state == "deprecated"}
            entries = {
                number: replace(one, state="deprecated") if is_live(one) and one.uuid in before else one
                for number, one in release.entries.items()
            }
            release = Release(name=release.name, entries=entries, sources=release.sources)
        found.append(release)
    return tuple(found)


def _earliest(known: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    return {**known, **{one: min(told, known.get(one, told), key=int) for one, told in more.items()}}


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


# --------------------------------------------------------------------------------- from files


@dataclass(slots=True, kw_only=True)
class _Files:
    """Documents by what they are; releases and clusters of ATT&CK by the release they belong to."""

    attack: dict[str, list[Document]] = field(default_factory=dict)
    actors: list[Document] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, source: str) -> None:
        found = 0
        for one in documents(source):
            if actor_galaxy.fits(one.content):
                self.actors.append(one)
            elif attack_stix.fits(one.content) or attack_galaxy.fits(one.content):
                self.attack.setdefault(_release_of(one), []).append(one)
            elif one.by_chance:
                continue  # a galaxy holds much else
            else:
                raise TocsinError(
                    f"{one.place}: neither a STIX bundle nor a cluster of a MISP galaxy of ATT&CK or of threat actors",
                    hint="MITRE's bundles are called enterprise-attack.json, the clusters mitre-attack-pattern.json.",
                )
            found += 1
            self.size_bytes += one.size_bytes
            if self.size_bytes > MOST_BYTES:
                raise TocsinError(
                    f"{source}: with it more than {MOST_BYTES >> 20} MiB", hint="Learn one after another."
                )
        if not found:
            raise TocsinError(f"{source}: no file of ATT&CK in it", hint="Name a STIX bundle, or a folder of clusters.")


def _release_of(one: Document) -> str:
    name = one.told or (attack_stix.version(one.content) if attack_stix.fits(one.content) else "")
    if not name and (match := _IN_FILE_NAME.search(one.name)):
        name = match[1]
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", name, re.ASCII):
        raise TocsinError(f"{one.place}: nothing says which release of ATT&CK this is", hint=_SAY_WHICH)
    return name


def _with_actors(facts: Facts, files: Sequence[Document]) -> tuple[Facts, Mapping[str, int]]:
    """Of entries with one UUID in several files the one of the file whose digest sorts first."""
    found: dict[str, Actor] = {}
    left_out: Counter[str] = Counter()
    for file in sorted(files, key=lambda one: one.sha256):
        actors, beside = actor_galaxy.read(file.content)
        found = actors | found
        left_out += beside
    if not found:
        raise TocsinError(f"{files[0].place}: no threat actor in it", hint="The cluster is called threat-actor.json.")
    actors_in_order = sorted(found.values(), key=lambda one: (one.name.casefold(), one.name, one.uuid))
    return replace(facts, actors=tuple(actors_in_order), lists=_told_by(files)), dict(sorted(left_out.items()))


def _told_by(files: Sequence[Document]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(file.name, file.sha256) for file in files}))


def _reading(name: str, files: Sequence[Document]) -> Reading:
    parts = Parts()
    for file in files:
        if attack_stix.fits(file.content):
            parts.merge(attack_stix.read(file.content))
    if clusters := [file.content for file in files if attack_galaxy.fits(file.content)]:
        parts.merge(attack_galaxy.read(clusters))
    reading = assembled(name, parts, _told_by(files))
    if not reading.release.entries:
        raise TocsinError(f"{files[0].place}: holds nothing of Enterprise ATT&CK", hint="Name an Enterprise bundle.")
    return reading


def _joined(readings: Sequence[Reading]) -> Facts:
    facts = Facts()
    for reading in readings:
        links = tuple(
            Link(
                source=source,
                target=target,
                citations=tuple(sorted(cited)),
                releases=(reading.release.name,),
                since=reading.link_since.get((source, target), ""),
            )
            for (source, target), cited in sorted(reading.links.items())
        )
        more = Facts(
            releases=(reading.release,),
            links=links,
            reports=reading.reports,
            since=reading.since,
            seen=reading.seen,
            mitigations=reading.mitigations,
        )
        facts = added(facts, more)
    return facts
