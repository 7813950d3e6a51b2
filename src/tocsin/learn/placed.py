"""Ids and links of several releases of ATT&CK in, the same in one release out; what has no counterpart is kept apart.

Techniques go to the release that is asked for. Groups, software and campaigns go to the newest release that tells of
them: what is known of a group does not end with an older catalogue, and its number is not given away again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin.model.attack import Facts, Grounds, Kind, Release, translate
from tocsin.model.knowledge import Untranslated
from tocsin.model.use import Use


@dataclass(slots=True)
class _Gathered:
    """One use as it is put together from links of several releases."""

    citations: set[str] = field(default_factory=set)
    releases: set[str] = field(default_factory=set)
    since: set[str] = field(default_factory=set)
    told_as: set[str] = field(default_factory=set)


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
        gathered: dict[str, dict[str, _Gathered]] = {}
        for link in self.facts.links:
            for release in link.releases:
                source, target = self.of(link.source, release), self.of(link.target, release)
                if not source or not target:
                    if (link.target, release) in self.lost:
                        self.lost[link.target, release][2].add(source or link.source)
                    continue
                use = gathered.setdefault(source, {}).setdefault(target, _Gathered())
                use.citations.update(link.citations)
                use.releases.add(release)
                use.since.add(link.since or self.releases[release].major)
                if link.target != target:
                    use.told_as.add(link.target)
        order = {release.name: number for number, release in enumerate(self.facts.releases)}
        return {
            source: {target: _use(target, used[target], order) for target in sorted(used)}
            for source, used in sorted(gathered.items())
        }

    def untranslated(self) -> tuple[Untranslated, ...]:
        """After `uses`: the ids that links lead to and that have no place, with whom they belong to."""
        return tuple(
            Untranslated(id=number, release=release, grounds=grounds, candidates=to, users=tuple(sorted(users)))
            for (number, release), (grounds, to, users) in sorted(self.lost.items())
            if users
        )


def _use(target: str, gathered: _Gathered, order: Mapping[str, int]) -> Use:
    return Use(
        id=target,
        citations=tuple(sorted(gathered.citations)),
        releases=tuple(sorted(gathered.releases, key=order.__getitem__)),
        since=min(gathered.since, key=int),
        told_as=tuple(sorted(gathered.told_as)),
    )
