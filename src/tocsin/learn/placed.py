"""Ids and links of several releases of ATT&CK in, the same in one release out; what has no counterpart is kept apart.

Techniques go to the release that is asked for. Groups, software and campaigns go to the newest release that tells of
them: what is known of a group does not end with an older catalogue, and its number is not given away again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tocsin.model.attack import Facts, Grounds, Kind, Link, Release, translate
from tocsin.model.attribution import OWN_SET
from tocsin.model.knowledge import Untranslated
from tocsin.model.use import Use

OF_TEAM: Final = OWN_SET  # software that only the team has a name for has it as well


@dataclass(slots=True)
class Places:
    """Where an id of a release is now; each is worked out once."""

    facts: Facts
    target: Release
    newest: dict[Kind, Release] = field(init=False)
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    lost: dict[tuple[str, str], tuple[Grounds, tuple[str, ...], set[str]]] = field(default_factory=dict)
    releases: dict[str, Release] = field(init=False)

    def __post_init__(self) -> None:
        self.newest = {kind: release for release in self.facts.releases for kind in release.kinds}
        self.releases = {release.name: release for release in self.facts.releases}

    def of(self, number: str, release: str) -> str:
        """Its id now; empty if nothing, or more than one thing, corresponds to it."""
        if (found := self.known.get((number, release))) is None:
            found = self.known[number, release] = self._find(number, self.releases[release])
        return found

    def _find(self, number: str, source: Release) -> str:
        entry = source.entries.get(number)
        if entry is not None and entry.kind in ("technique", "tactic"):
            told = translate(number, source, self.target)
            if not told.within:
                self.lost[number, source.name] = (told.grounds, told.to, set())
            return told.within
        if entry is None:  # a table made by others may say anything
            return ""
        told = translate(number, source, self.newest[entry.kind])
        return told.to[0] if len(told.to) == 1 else number

    def uses(self) -> dict[str, dict[str, Use]]:
        """By what uses, and what is used; `attributed-to` is among them, with a group as what is "used"."""
        found: defaultdict[str, dict[str, Use]] = defaultdict(dict)
        stable = self._stable()
        for link in self.facts.links:
            if link.source in stable and link.target in stable:  # most are, and need no look at each release
                placed = [(link.source, link.target, link.releases)]
            else:
                placed = [(*ends, releases) for ends, releases in self._placed(link).items()]
            for source, target, releases in placed:
                use = Use(
                    id=target,
                    citations=link.citations,
                    releases=releases,
                    since=link.since or self.releases[releases[0]].major,
                    told_as=(link.target,) if link.target != target else (),
                )
                used = found[source]
                used[target] = self._both(used[target], use) if target in used else use
        return {source: dict(sorted(found[source].items())) for source in sorted(found)}

    def _stable(self) -> set[str]:
        """Ids that are themselves in every release that has them."""
        having = ((number, release.name) for release in self.facts.releases for number in release.entries)
        moved = {number for number, name in having if self.of(number, name) != number}
        return {number for release in self.facts.releases for number in release.entries} - moved

    def _placed(self, link: Link) -> dict[tuple[str, str], tuple[str, ...]]:
        """The ends of a link now, with the releases that they come from."""
        placed: dict[tuple[str, str], tuple[str, ...]] = {}
        for release in link.releases:
            source, target = self.of(link.source, release), self.of(link.target, release)
            if source and target:
                placed[source, target] = (*placed.get((source, target), ()), release)
            elif (link.target, release) in self.lost:
                self.lost[link.target, release][2].add(source or link.source)
        return placed

    def own(self, user: str, told: Mapping[str, tuple[str, ...]], release: str) -> dict[str, Use]:
        """What a team says that its own set uses, with the names of its sources; ids of its own stay as they are."""
        found: dict[str, Use] = {}
        for number, sources in told.items():
            target = number if number.startswith(OF_TEAM) else self.of(number, release)
            if not target:
                self.lost.setdefault((number, release), ("unknown", (), set()))[2].add(user)
                continue
            told_as = (number,) if number != target else ()
            use = Use(id=target, citations=tuple(sorted(set(sources))), told_as=told_as)
            found[target] = self._both(found[target], use) if target in found else use
        return dict(sorted(found.items()))

    def _both(self, one: Use, other: Use) -> Use:
        releases = {*one.releases, *other.releases}
        return Use(
            id=one.id,
            citations=tuple(sorted({*one.citations, *other.citations})),
            releases=tuple(name for name in self.releases if name in releases),
            since=min((since for since in (one.since, other.since) if since), key=int, default=""),
            told_as=tuple(sorted({*one.told_as, *other.told_as})),
        )

    def untranslated(self) -> tuple[Untranslated, ...]:
        """After `uses`: the ids that links lead to and that have no place, with whom they belong to."""
        return tuple(
            Untranslated(id=number, release=release, grounds=grounds, candidates=to, users=tuple(sorted(users)))
            for (number, release), (grounds, to, users) in sorted(self.lost.items())
            if users
        )
