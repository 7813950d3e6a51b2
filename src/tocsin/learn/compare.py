"""Two releases of ATT&CK with their links in, what changed from one to the other out.

Ids are translated before anything is compared: that a technique got another number changes nothing about who uses it.
Kinds that one of the two does not tell of are not compared, and said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from msgspec import structs

from tocsin.model.attack import Entry, Facts, Kind, Release, Translation, is_live, translate

KINDS: tuple[Kind, ...] = ("tactic", "technique", "group", "malware", "tool", "campaign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    before: Entry
    after: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What changed of one kind. `gone` are live before, with what is there instead; `moved` have another id."""

    added: tuple[Entry, ...] = ()
    gone: tuple[tuple[Entry, Translation], ...] = ()
    moved: tuple[Renamed, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    aliases: tuple[tuple[Entry, tuple[str, ...], tuple[str, ...]], ...] = ()  # names that came, and that went


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`added` and `removed` are links, as source and target; `moved` those whose ends only have other ids.

    `untold` are kinds that only one release tells of. `lost` are links of the first whose end has no one counterpart.
    """

    before: Release
    after: Release
    entries: Mapping[Kind, Entries]
    untold: tuple[Kind, ...]
    same: int
    moved: int
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...]


def compare(before: Facts, after: Facts) -> Difference:
    """What changed between the one release of `before` and the one of `after`."""
    (old,), (new,) = before.releases, after.releases
    told = old.kinds & new.kinds
    there = {one: translate(one, old, new) for one, entry in old.entries.items() if entry.kind in told}
    entries = {
        kind: _entries([one for one in there.values() if old.entries[one.id].kind == kind], kind, old, new)
        for kind in KINDS
        if kind in told
    }
    placed: dict[tuple[str, str], tuple[str, str]] = {}
    lost: list[tuple[str, str]] = []
    for link in before.links:
        if link.source not in there or link.target not in there:
            continue
        source, target = _place(there[link.source], old, new), _place(there[link.target], old, new)
        if source and target:
            placed[link.source, link.target] = (source, target)
        else:
            lost.append((link.source, link.target))
    now = {
        (link.source, link.target)
        for link in after.links
        if new.entries[link.source].kind in told and new.entries[link.target].kind in told
    }
    kept = {ends: place for ends, place in placed.items() if place in now}
    return Difference(
        before=old,
        after=new,
        entries=entries,
        untold=tuple(kind for kind in KINDS if (kind in old.kinds) != (kind in new.kinds)),
        same=sum(ends == place for ends, place in kept.items()),
        moved=sum(ends != place for ends, place in kept.items()),
        added=tuple(sorted(now.difference(placed.values()))),
        removed=tuple(sorted(ends for ends in placed if ends not in kept)),
        lost=tuple(sorted(lost)),
    )


def _place(found: Translation, old: Release, new: Release) -> str:
    """The one id that it has now; what was as withdrawn before as it is now is itself."""
    before, after = old.entries[found.id], new.entries.get(found.id)
    is_as_it_was = after is not None and after.uuid == before.uuid and after.state == before.state
    return found.id if is_as_it_was else found.within


def _entries(there: Iterable[Translation], kind: Kind, old: Release, new: Release) -> Entries:
    met: set[str] = set()
    gone: list[tuple[Entry, Translation]] = []
    pairs: list[Renamed] = []
    for found in there:
        entry = old.entries[found.id]
        met.update(found.to)
        if is_live(entry) and found.id not in found.to:
            gone.append((entry, found))
        if is_live(entry) and len(found.to) == 1:
            pairs.append(Renamed(before=entry, after=new.entries[found.to[0]]))
    same = [pair for pair in pairs if pair.before.uuid == pair.after.uuid]
    changes = [(pair.after, *_names(pair)) for pair in same]
    return Entries(
        added=tuple(
            entry
            for number, entry in sorted(new.entries.items())
            if entry.kind == kind and is_live(entry) and number not in met and not _was_there(entry, old)
        ),
        gone=tuple(sorted(gone, key=lambda one: one[0].id)),
        moved=tuple(pair for pair in same if pair.before.id != pair.after.id),
        renamed=tuple(pair for pair in same if pair.before.name != pair.after.name),
        aliases=tuple(change for change in changes if change[1] or change[2]),
    )


def _was_there(entry: Entry, old: Release) -> bool:
    before = old.by_uuid.get(entry.uuid)
    return before is not None and is_live(before)


def _names(pair: Renamed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The aliases that came and that went; a name that became an alias, or an alias the name, did neither."""
    before = {pair.before.name, *pair.before.aliases}
    after = {pair.after.name, *pair.after.aliases}
    return tuple(sorted(after - before - {pair.after.name})), tuple(sorted(before - after - {pair.before.name}))


def only(facts: Facts, name: str) -> Facts | None:
    """One release of several, with its links."""
    release = facts.release(name)
    if release is None:
        return None
    links = (structs.replace(one, releases=(release.name,)) for one in facts.links if release.name in one.releases)
    return replace(facts, releases=(release,), links=tuple(links))
