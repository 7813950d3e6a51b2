"""MITRE's ATT&CK: what its releases hold, and an id of one release in, what it is in another out.

Ids of objects that a release withdrew are not reused, and an object keeps its UUID from release to release:
what shares a UUID is the same thing, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from tocsin.model.actor import Actor
from tocsin.model.mitigation import Mitigation

Kind: TypeAlias = Literal["tactic", "technique", "group", "malware", "tool", "campaign"]
State: TypeAlias = Literal["live", "deprecated", "revoked"]

# Why an id is taken to be that of another release, the surest first.
Grounds: TypeAlias = Literal[
    "same object",  # its UUID is there
    "revoked-by",  # ATT&CK says what took its place, perhaps in several steps
    "became it",  # ATT&CK says of these that it took their place
    "techniques",  # a tactic: its techniques are under these there
    "name",  # nothing but the name is the same
    "parent",  # it is not there, but the technique that it is a part of
    "deprecated",  # it is there, withdrawn, and nothing took its place
    "lost",  # what took its place is not there, or is it itself
    "none",  # nothing there corresponds to it
    "not told",  # that release was read from files that do not tell of its kind
    "unknown",  # the release it is said to come from has no such id
]

MOST_STEPS: Final = 1000

_SOFTWARE: Final = frozenset({"malware", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object of one release.

    `became` has the ids, in the same release, that a revoked one was revoked by; tactics go by their short
    names ("command-and-control"). Tactics, aliases and `became` are sorted.
    """

    kind: Kind
    id: str  # "T1059.001"
    uuid: str
    name: str
    state: State = "live"
    became: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()  # of a technique
    aliases: tuple[str, ...] = ()  # of groups, software and campaigns, without the name itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release: "18.1". `entries` by id; the rest is worked out from them.

    `sources` are the files it was read from: name, and SHA-256 of what it holds unpacked.
    """

    name: str
    entries: Mapping[str, Entry]
    sources: tuple[tuple[str, str], ...] = ()
    by_uuid: Mapping[str, Entry] = field(init=False, repr=False, compare=False)
    kinds: frozenset[Kind] = field(init=False, repr=False, compare=False)  # that it tells of
    tactics: Mapping[str, Entry] = field(init=False, repr=False, compare=False)  # live ones, by short name
    took_over: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)  # id -> UUIDs that became it
    by_name: Mapping[str, tuple[str, ...]] = field(
        init=False, repr=False, compare=False
    )  # live ids, by casefolded name

    def __post_init__(self) -> None:
        tactics = {short(one.name): one for one in self.entries.values() if one.kind == "tactic" and is_live(one)}
        named: dict[str, list[str]] = {}
        for one in self.entries.values():
            if is_live(one):
                named.setdefault(one.name.casefold(), []).append(one.id)
        took_over: dict[str, set[str]] = {}
        for one in self.entries.values():
            for end in ends(self.entries, one) if one.state == "revoked" else ():
                took_over.setdefault(end, set()).add(one.uuid)
        put = object.__setattr__  # as a frozen dataclass does it
        put(self, "by_uuid", MappingProxyType({one.uuid: one for one in self.entries.values()}))
        put(self, "by_name", MappingProxyType({word: tuple(ids) for word, ids in named.items()}))
        put(self, "kinds", frozenset(one.kind for one in self.entries.values()))
        put(self, "tactics", MappingProxyType(tactics))
        put(self, "took_over", MappingProxyType({end: frozenset(uuids) for end, uuids in took_over.items()}))

    @property
    def major(self) -> str:
        """The number that tags and other tools know it by: "18" for "18.1"."""
        return self.name.partition(".")[0]


# A struct, as `Use` is, and for the same reason.
class Link(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`source` uses `target`; of a campaign and a group, it is attributed to it.

    `citations` are the names of the reports that a release tells for it; not every source of releases does.
    `since` is the major number of the first release after it was made; empty where no file says when that was.
    """

    source: str
    target: str
    citations: tuple[str, ...]
    releases: tuple[str, ...]
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Releases, oldest first, and the links of all of them; `reports` is where a citation leads.

    `since` has of an id the first release after it was made, `seen` of a campaign the first and the last day.
    `actors` come from lists that are no release of ATT&CK; `lists` are their files, as the sources of a release.
    `mitigations` are those of each release that tells of any, by id.
    """

    releases: tuple[Release, ...] = ()
    links: tuple[Link, ...] = ()
    reports: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    actors: tuple[Actor, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    mitigations: tuple[Mitigation, ...] = ()

    def release(self, name: str) -> Release | None:
        """The release of a name; "18" stands for the newest 18.x."""
        named = [one for one in self.releases if name in (one.name, one.major)]
        return next((one for one in named if one.name == name), named[-1] if named else None)


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What an id is in another release: none, one, or several of which nobody can say which.

    `within` is the one id there that holds in any case: the only candidate, or a technique that all
    candidates are parts of; else it is empty.
    """

    id: str
    to: tuple[str, ...]
    grounds: Grounds
    within: str = ""

    @property
    def is_certain(self) -> bool:
        return len(self.to) == 1 and self.grounds in ("same object", "revoked-by", "became it")


def short(name: str) -> str:
    """A tactic's name as tags and techniques write it."""
    return name.lower().replace(" ", "-")


def is_live(entry: Entry) -> bool:
    return entry.state == "live"


def ends(entries: Mapping[str, Entry], entry: Entry) -> tuple[str, ...]:
    """The ids that `became` leads to over all that was revoked since; none if it goes in circles or nowhere.

    Nor if it leads over more than `MOST_STEPS`: the longest way there is has two.
    """
    found: set[str] = set()
    seen = {entry.id}
    ahead = [entry]
    while ahead:
        if len(seen) > MOST_STEPS:
            return ()
        for name in ahead.pop().became:
            after = entries.get(name)
            if after is None or name in seen:
                continue
            seen.add(name)
            if after.state == "revoked":
                ahead.append(after)
            elif is_live(after):
                found.add(name)
    return tuple(sorted(found))


def translate(name: str, source: Release, target: Release) -> Translation:
    """What an id of `source` is in `target`. Live ids only come out; of tactics, ids too."""
    entry = source.entries.get(name)
    if entry is None:
        return Translation(id=name, to=(), grounds="unknown")
    if entry.kind not in target.kinds:
        return Translation(id=name, to=(), grounds="not told")
    to, grounds = _tactic(entry, source, target) if entry.kind == "tactic" else _corresponding(entry, source, target)
    return Translation(id=name, to=to, grounds=grounds, within=_within(to, target))


def in_release(technique: str, tagged: str, facts: Facts, release: Release) -> Translation:
    """A technique that a rule is tagged with, in a release.

    Read as of the release of the rule's tags, else of the newest that has it: an id never comes to mean another.
    """
    own = facts.release(tagged)
    sources = [*([own] if own else []), release, *reversed(facts.releases)]
    source = next((one for one in sources if technique in one.entries), release)
    return translate(technique, source, release)


def _corresponding(entry: Entry, source: Release, target: Release) -> tuple[tuple[str, ...], Grounds]:
    twin = target.by_uuid.get(entry.uuid)
    if twin is not None and is_live(twin):
        others = sorted(_became_it(entry, source, target) - {twin.id})
        return (twin.id, *others), "same object"
    after = ends(target.entries, twin) if twin is not None else ()
    if before := _became_it(entry, source, target):
        return tuple(sorted({*before, *after})), "became it"
    if twin is not None and twin.state == "deprecated":
        return (), "deprecated"
    if twin is not None:
        return after, "revoked-by" if after else "lost"
    if entry.state == "revoked":  # `target` never had it, or is older than it
        after = ends(source.entries, entry)
        beyond = {one for end in after for one in _corresponding(source.entries[end], source, target)[0]}
        return tuple(sorted(beyond)), "revoked-by" if beyond else "lost"
    if named := _namesakes(entry, target):
        return named, "name"
    parent = source.entries.get(entry.id.partition(".")[0]) if "." in entry.id else None
    if parent is not None and is_live(parent):
        above, _ = _corresponding(parent, source, target)
        return above, "parent" if above else "none"
    return (), "none"


def _became_it(entry: Entry, source: Release, target: Release) -> set[str]:
    """The live ids of `target` that in `source` were revoked by this entry."""
    found = (target.by_uuid.get(uuid) for uuid in source.took_over.get(entry.id, ()))
    return {one.id for one in found if one is not None and is_live(one)}


def _namesakes(entry: Entry, target: Release) -> tuple[str, ...]:
    kinds = _SOFTWARE if entry.kind in _SOFTWARE else {entry.kind}
    name = entry.name.casefold()
    return tuple(sorted(one for one in target.by_name.get(name, ()) if target.entries[one].kind in kinds))


def _tactic(entry: Entry, source: Release, target: Release) -> tuple[tuple[str, ...], Grounds]:
    """A tactic that goes by another name may have been divided: see where its techniques went."""
    twin = target.by_uuid.get(entry.uuid)
    same = (twin.id,) if twin is not None and is_live(twin) else ()
    if short(entry.name) in target.tactics:
        return (target.tactics[short(entry.name)].id,), "same object" if same else "name"
    new = {word: one.id for word, one in target.tactics.items() if word not in source.tactics}
    went = {
        new[word]
        for technique in source.entries.values()
        if is_live(technique) and short(entry.name) in technique.tactics
        for end in _corresponding(technique, source, target)[0]
        for word in target.entries[end].tactics
        if word in new
    }
    to = (*same, *sorted(went.difference(same)))
    if to == same:
        return same, "same object" if same else "none"
    return to, "techniques"


def _within(to: Sequence[str], target: Release) -> str:
    if len(to) == 1:
        return to[0]
    roots = {one.partition(".")[0] for one in to}
    root = roots.pop() if len(roots) == 1 else ""
    return root if root in target.entries and is_live(target.entries[root]) else ""


def telltales(facts: Facts) -> tuple[tuple[str, frozenset[str]], ...]:
    """What the tags of a rule tell their release by: a release, and the live ids and tactics only it can mean.

    To be asked in this order: what came with a release, the newest first ("19" and "20" tell 20), then what
    went after one, the oldest first.
    """
    words = [_words(one) for one in facts.releases]
    steps = list(zip(facts.releases, facts.releases[1:], words, words[1:], strict=False))
    came = [(new.major, after - before) for _, new, before, after in reversed(steps)]
    went = [(old.major, before - after) for old, _, before, after in steps]
    return tuple((name, frozenset(only)) for name, only in (*came, *went) if only)


def _words(release: Release) -> set[str]:
    techniques = (one.id for one in release.entries.values() if one.kind == "technique" and is_live(one))
    return {*techniques, *release.tactics}


def resolve(word: str, releases: Iterable[Release]) -> tuple[str, ...]:
    """The ids that a word stands for: an id, a name, an alias or a tactic's short name, in any letters."""
    plain = word.casefold()
    found: dict[str, None] = {}
    for release in releases:
        if word.upper() in release.entries:
            return (word.upper(),)
        for one in release.entries.values():
            names = (one.name, *one.aliases, *([short(one.name)] if one.kind == "tactic" else []))
            if any(name.casefold() == plain for name in names):
                found[one.id] = None
    return tuple(found)
