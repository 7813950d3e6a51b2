"""Facts about ATT&CK in, lines that people read out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from tocsin.model.attack import Entry, Facts, Grounds, Kind, Release, Translation, is_live, short, translate
from tocsin.output.screen import shown

_PLURAL: Final[dict[Kind, str]] = {
    "tactic": "tactics",
    "technique": "techniques",
    "group": "groups",
    "malware": "malware",
    "tool": "tools",
    "campaign": "campaigns",
}
WORDS: Final[dict[Grounds, str]] = {
    "same object": "the same",
    "revoked-by": "replaced, as ATT&CK tells",
    "became it": "whose place it took, as ATT&CK tells",
    "techniques": "told by its techniques",
    "name": "no more than the name is the same",
    "parent": "which it is a part of",
    "deprecated": "withdrawn",
    "lost": "withdrawn; what took its place is not there",
    "none": "nothing corresponds",
    "not told": "not told by the files it was read from",
}


def learned(facts: Facts, left_out: Mapping[str, Mapping[str, int]], path: Path) -> Iterator[str]:
    """What was read, what became of its techniques from release to release, and where it is kept."""
    for release in facts.releases:
        kinds = Counter(one.kind for one in release.entries.values() if is_live(one))
        yield f"release {release.name}: " + ", ".join(f"{kinds[kind]} {_PLURAL[kind]}" for kind in _PLURAL)
        links = sum(release.name in link.releases for link in facts.links)
        cited = sum(release.name in link.releases and bool(link.citations) for link in facts.links)
        yield f"  {links} links, {cited} of them with a citation"
        for reason, count in left_out.get(release.name, {}).items():
            yield f"  left out: {reason} ({count})"
    if facts.lists:
        yield f"threat actors: {len(facts.actors)}, {sum(bool(one.countries) for one in facts.actors)} with a country"
        for reason, count in left_out.get("", {}).items():
            yield f"  left out: {reason} ({count})"
    for older, newer in pairwise(facts.releases):
        for source, target in ((older, newer), (newer, older)):
            yield f"techniques of {source.name} in {target.name}: {_tally(source, target)}"
    yield f"written: {shown(str(path))}"


def _tally(source: Release, target: Release) -> str:
    """Live techniques by the grounds of their translation, the surest first."""
    techniques = [one.id for one in source.entries.values() if one.kind == "technique" and is_live(one)]
    grounds = Counter(translate(one, source, target).grounds for one in techniques)
    return ", ".join(f"{one} {grounds[one]}" for one in WORDS if grounds[one])


def entry(facts: Facts, name: str) -> Iterator[str]:
    """One id: what it is in each release that has it, what it is in the others, and how much links to it."""
    having = [release for release in facts.releases if name in release.entries]
    newest = having[-1].entries[name]
    yield f"{name}  {shown(newest.name)}  ({newest.kind})"
    for release in facts.releases:
        one = release.entries.get(name)
        first = list(_inside(release, one)) if one is not None else []
        told = _translated(release, having, name)
        if one is None or not is_live(one) or len(told.to) > 1:
            first.append(_elsewhere(told, release))
        first += _links(facts, release, name)
        for place, line in enumerate(first):
            yield f"  {f'release {release.name}' if not place else '':14}{line}"


def _translated(release: Release, having: Sequence[Release], name: str) -> Translation:
    """From the oldest other release that has it; from itself if no other does."""
    others = [one for one in having if one is not release] or list(having)
    return translate(name, others[0], release)


def _inside(release: Release, one: Entry) -> Iterator[str]:
    words = [shown(one.name)]
    if one.tactics and is_live(one):
        words.append(", ".join(shown(tactic) for tactic in one.tactics))
    if one.kind == "tactic":
        under = sum(short(one.name) in other.tactics and is_live(other) for other in release.entries.values())
        words.append(f"{under} techniques")
    yield ": ".join(words) if is_live(one) else f"{words[0]} ({one.state})"
    if one.aliases:
        yield f"also {', '.join(shown(alias) for alias in one.aliases)}"


def _elsewhere(found: Translation, release: Release) -> str:
    if not found.to:
        return WORDS.get(found.grounds, found.grounds)
    named = [f"{one} {shown(release.entries[one].name)}" for one in found.to]
    if len(named) == 1:
        tactics = ", ".join(shown(one) for one in release.entries[found.to[0]].tactics)
        return f"{named[0]}{f': {tactics}' if tactics else ''} ({WORDS[found.grounds]})"
    every = f", all within {found.within}" if found.within else ""
    return f"any of {', '.join(named)}{every} ({WORDS[found.grounds]}); which of them, the id does not tell"


def _links(facts: Facts, release: Release, name: str) -> Iterator[str]:
    """How much it uses, and how much uses it; of a technique without its parts."""
    counts: dict[str, Counter[Kind]] = {"uses": Counter(), "used by": Counter()}
    for link in facts.links:
        if release.name not in link.releases or name not in (link.source, link.target):
            continue
        source, target = release.entries[link.source], release.entries[link.target]
        if target.kind == "group":
            if link.source == name:
                yield f"attributed to {target.id} {shown(target.name)}"
            else:
                yield f"to it is attributed {source.id} {shown(source.name)}"
        else:
            counts["uses" if link.source == name else "used by"][(target if link.source == name else source).kind] += 1
    for verb, count in counts.items():
        if count:
            yield f"{verb} " + ", ".join(
                f"{count[kind]} {kind if count[kind] == 1 else words}" for kind, words in _PLURAL.items() if count[kind]
            )
