"""Facts about ATT&CK, threat actors and a team's own intrusion sets in, what is known of groups out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tocsin.errors import TocsinError
from tocsin.learn import attack, countries, own, vendors
from tocsin.learn.joins import Joined, join
from tocsin.learn.names import plain
from tocsin.learn.own import OwnSets
from tocsin.learn.placed import Places
from tocsin.model.actor import Actor
from tocsin.model.attack import Entry, Facts, Kind, Release
from tocsin.model.campaign import Campaign
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.knowledge import Knowledge
from tocsin.model.software import Software
from tocsin.model.use import Use

GALAXY: Final = "MISP threat actors"
OF_GALAXY: Final = "misp:"  # before the UUID of a group that ATT&CK does not know

_SOFTWARE: Final[tuple[Kind, ...]] = ("malware", "tool")
_NO_USES: Final[Mapping[str, Use]] = {}


def known(*, release: str = "") -> Knowledge:
    """What this user knows: what was learned, else what the package ships, and the team's own sets."""
    return of(attack.known(with_links=True), own.kept(), release=release)


def of(facts: Facts, sets: OwnSets | None = None, *, release: str = "") -> Knowledge:
    """What is known, with the techniques of one release: by default the newest, to which the most can be translated.

    Raises:
        TocsinError: there is no such release in the facts, or none that the own sets are written for.
    """
    if not facts.releases:
        return Knowledge()
    telling = [one for one in facts.releases if "technique" in one.kinds] or facts.releases
    target = facts.release(release) if release else telling[-1]
    if target is None:
        there = ", ".join(one.name for one in facts.releases)
        raise TocsinError(f"release {release} of ATT&CK is not known", hint=f"There are {there}.")
    places = Places(facts, target)
    uses = places.uses()
    seen = _entries(facts, places)
    campaigns = _campaigns(facts, seen, uses)
    groups = _groups(facts, seen, uses, campaigns)
    groups = _with_actors(groups, facts.actors)
    groups |= own.groups(sets, places) if sets else {}
    return Knowledge(
        release=target.name,
        releases=tuple(one.name for one in facts.releases),
        groups=groups,
        software=_with_users(_software(facts, seen, uses) | (own.software(sets) if sets else {}), groups),
        campaigns=campaigns,
        reports=facts.reports,
        untranslated=places.untranslated(),
    )


@dataclass(slots=True)
class _Seen:
    """One object over all releases: its newest entry, and its names with the releases that tell them."""

    entry: Entry
    first: str
    names: dict[str, list[str]] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)  # of the names, those that the newest release tells


def _entries(facts: Facts, places: Places) -> dict[str, _Seen]:
    """Groups, software and campaigns by their id now; what was revoked is in what it became, with its names."""
    found: dict[str, _Seen] = {}
    for release in reversed(facts.releases):
        for entry in release.entries.values():
            if entry.kind not in ("technique", "tactic"):
                _see(found, entry, release, places)
    return found


def _see(found: dict[str, _Seen], entry: Entry, release: Release, places: Places) -> None:
    number = places.of(entry.id, release.name)
    one = found.setdefault(number, _Seen(entry, release.major))
    if number == entry.id and one.entry.id != number:  # one that became it came first
        one.entry = entry
    one.first = release.major
    is_newest = places.newest[entry.kind] is release
    for name in (entry.name, *entry.aliases, *([entry.id] if entry.id != number else [])):
        one.names.setdefault(name, []).append(f"ATT&CK {release.name}")
        if is_newest:
            one.sure.add(name)


def _since(facts: Facts, one: _Seen) -> str:
    return min((told for told in (facts.since.get(one.entry.id), one.first) if told), key=int)


def _campaigns(facts: Facts, seen: Mapping[str, _Seen], uses: Mapping[str, Mapping[str, Use]]) -> dict[str, Campaign]:
    found: dict[str, Campaign] = {}
    for number, one in sorted(seen.items()):
        if one.entry.kind == "campaign":
            used = uses.get(number, _NO_USES)
            first, last = facts.seen.get(number, ("", ""))
            found[number] = Campaign(
                id=number,
                name=one.entry.name,
                aliases=tuple(sorted(name for name in one.names if name != one.entry.name)),
                state="deprecated" if one.entry.state == "deprecated" else "live",
                since=_since(facts, one),
                first_seen=first,
                last_seen=last,
                groups=_only(used, "G"),
                techniques=_only(used, "T"),
                software=_only(used, "S"),
            )
    return found


def _only(used: Mapping[str, Use], letter: str) -> dict[str, Use]:
    return {number: use for number, use in used.items() if number.startswith(letter)}


def _with_users(software: Mapping[str, Software], groups: Mapping[str, IntrusionSet]) -> dict[str, Software]:
    users: dict[str, list[str]] = {}
    for group in groups.values():
        for number in group.software:
            users.setdefault(number, []).append(group.id)
    return {number: replace(one, users=tuple(sorted(users.get(number, ())))) for number, one in software.items()}


def _software(facts: Facts, seen: Mapping[str, _Seen], uses: Mapping[str, Mapping[str, Use]]) -> dict[str, Software]:
    return {
        number: Software(
            id=number,
            name=one.entry.name,
            kind="tool" if one.entry.kind == "tool" else "malware",
            aliases=tuple(sorted(name for name in one.names if name != one.entry.name)),
            state="deprecated" if one.entry.state == "deprecated" else "live",
            since=_since(facts, one),
            techniques=_only(uses.get(number, _NO_USES), "T"),
        )
        for number, one in sorted(seen.items())
        if one.entry.kind in _SOFTWARE
    }


def _groups(
    facts: Facts,
    seen: Mapping[str, _Seen],
    uses: Mapping[str, Mapping[str, Use]],
    campaigns: Mapping[str, Campaign],
) -> dict[str, IntrusionSet]:
    of_group: dict[str, list[str]] = {}
    for campaign in campaigns.values():
        for group in campaign.groups:
            of_group.setdefault(group, []).append(campaign.id)
    now: dict[str, set[str]] = {}
    for number, one in seen.items():
        for name in one.sure if one.entry.kind == "group" else ():
            now.setdefault(plain(name), set()).add(number)
    found: dict[str, IntrusionSet] = {}
    for number, one in sorted(seen.items()):
        if one.entry.kind != "group":
            continue
        used = uses.get(number, _NO_USES)
        found[number] = IntrusionSet(
            id=number,
            name=one.entry.name,
            state="deprecated" if one.entry.state == "deprecated" else "live",
            since=_since(facts, one),
            aliases=_aliases(number, one, now),
            techniques=_only(used, "T"),
            software=_only(used, "S"),
            campaigns=tuple(of_group.get(number, ())),
            told_by=tuple(sorted({source for told in one.names.values() for source in told})),
        )
    return found


def _aliases(number: str, one: _Seen, now: Mapping[str, set[str]]) -> tuple[Name, ...]:
    """A name that only an older release has is as sure, unless the newest gives it to another group."""
    own, spelt = plain(one.entry.name), dict[str, Name]()
    for text in sorted(one.names, key=lambda name: (name not in one.sure, name.casefold(), name)):
        word = plain(text)
        if word != own and word not in spelt:
            spelt[word] = Name(
                text=text,
                form=vendors.by_form(text),
                sources=tuple(sorted(one.names[text])),
                is_sure=text in one.sure or not now.get(word, set()) - {number},
            )
    return _in_order(spelt.values())


# --------------------------------------------------------------------------------- what a list of actors tells


def _with_actors(groups: Mapping[str, IntrusionSet], actors: Iterable[Actor]) -> dict[str, IntrusionSet]:
    live = {one.id: (one.name, *(name.text for name in one.aliases)) for one in groups.values() if one.state == "live"}
    told: dict[str, list[Joined]] = {}
    for one in join(live, actors):
        told.setdefault(one.group or f"{OF_GALAXY}{one.actor.uuid}", []).append(one)
    surely = {
        plain(word): number
        for number in live
        for word in (groups[number].name, *(name.text for name in groups[number].aliases if name.is_sure))
    }
    found = dict(groups)
    for number, entries in told.items():
        bare = IntrusionSet(id=number, name=entries[0].actor.name, origin="galaxy")
        found[number] = _told(found.get(number, bare), entries, surely)
    return found


def _told(group: IntrusionSet, entries: Sequence[Joined], surely: Mapping[str, str]) -> IntrusionSet:
    """A group with what entries tell of it; what is suspected, only those tell that go by its very name, if any do."""
    close = [one for one in entries if one.is_close] or entries

    def all_of(told: Callable[[Actor], Iterable[str]]) -> tuple[str, ...]:
        return tuple(sorted({each for one in close for each in told(one.actor)}))

    callers, aliases, disputed = _names(group, entries, surely)
    return replace(
        group,
        vendors=callers,
        aliases=aliases,
        disputed=disputed,
        confidence=tuple(sorted({one.actor.confidence for one in close if one.actor.confidence is not None})),
        told_by=(*group.told_by, *sorted(f"{GALAXY}: {one.actor.name}" for one in entries)),
        doubts=tuple(_doubts(group, entries)),
        countries=all_of(lambda one: one.countries),
        sponsors=all_of(lambda one: one.sponsors),
        victims=all_of(lambda one: one.victims),
        other_victims=all_of(lambda one: one.other_victims),
        sectors=all_of(lambda one: one.sectors),
        motives=all_of(lambda one: one.motives),
    )


def _names(
    group: IntrusionSet, entries: Sequence[Joined], surely: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[Name, ...], tuple[Name, ...]]:
    """Who calls a group by its name, its aliases, and names that a surer source has for another."""
    names = {plain(group.name): Name(text=group.name), **{plain(one.text): one for one in group.aliases}}
    disputed: dict[str, Name] = {}
    for one in entries:
        for text, by in ((one.actor.name, ()), *one.actor.names):
            word = plain(text)
            if _is_number(text):
                continue
            is_elsewhere = word not in names and surely.get(word, group.id) != group.id
            into = disputed if is_elsewhere else names
            before = into.get(word) or Name(text=text, form=vendors.by_form(text), is_sure=False, perhaps=one.lumped)
            into[word] = Name(
                text=before.text,
                vendors=tuple(sorted({*before.vendors, *by})),
                form=before.form or vendors.by_form(text),
                sources=before.sources if GALAXY in before.sources else (*before.sources, GALAXY),
                is_sure=before.is_sure,
                perhaps=before.perhaps,
            )
    own = names.pop(plain(group.name))
    return own.vendors, _in_order(names.values()), _in_order(disputed.values())


def _in_order(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(sorted(names, key=lambda one: (one.text.casefold(), one.text)))


def _is_number(text: str) -> bool:
    """Whether it is a number of ATT&CK, which the list has among the names."""
    return len(text) == 5 and text[0] in "Gg" and text[1:].isdigit()


def _doubts(group: IntrusionSet, entries: Sequence[Joined]) -> list[str]:
    found: list[str] = []
    for word, name in (("country", "countries"), ("sponsor", "sponsors")):
        each = [(one.actor.name, getattr(one.actor, name)) for one in entries if getattr(one.actor, name)]
        if len({told for _, told in each}) > 1:
            listed = "; ".join(f"{', '.join(map(countries.name, told))} ({called})" for called, told in each)
            found.append(f"the entries of the list that may be this group disagree about its {word}: {listed}")
    for one in entries:
        if one.lumped:
            verb = "has" if group.origin == "galaxy" else "also has"
            found.append(f"the list's entry {one.actor.name} {verb} the names of {', '.join(one.lumped)}")
    return found
