"""Knowledge in, the rows of a table of groups out, chosen by what is told of them; and what is known at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tocsin.errors import SettingsError
from tocsin.learn import countries
from tocsin.learn.names import plain
from tocsin.model.attack import Facts, Kind, is_live
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.knowledge import Knowledge

HEADER: Final = ("ID", "GROUP", "SUSPECTED FROM", "TECHN.", "SOFTW.", "SINCE", "ALSO CALLED")
_MOST_ALSO: Final = 3
_KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("technique", "techniques"),
    ("group", "groups"),
    ("malware", "malware"),
    ("tool", "tools"),
    ("campaign", "campaigns"),
)


def known(facts: Facts, knowledge: Knowledge) -> Iterator[str]:
    """What is known: releases, the list of threat actors, a team's own sets, and what could not be translated."""
    for release in facts.releases:
        live = [one.kind for one in release.entries.values() if is_live(one)]
        links = [link for link in facts.links if release.name in link.releases]
        told = (f"{live.count(kind)} {word}" if kind in release.kinds else f"no {word} told" for kind, word in _KINDS)
        yield f"ATT&CK {release.name}: {', '.join(told)}"
        yield f"  {len(links)} links, {sum(bool(link.citations) for link in links)} of them with a citation"
    groups = knowledge.groups.values()
    alone = sum(one.origin == "galaxy" for one in groups)
    yield f"list of threat actors: {len(facts.actors)} entries, {alone} of them groups that ATT&CK does not have"
    yield f"own intrusion sets: {sum(one.origin == 'own' for one in groups)}"
    yield f"techniques are shown in the numbers of release {knowledge.release}"
    for lost in knowledge.untranslated:
        perhaps = f" (perhaps {', '.join(lost.candidates)})" if lost.candidates else ""
        yield f"  {lost.id} of {lost.release} has no one counterpart there{perhaps}: {len(lost.users)} use it"
    yield ""


def chosen(
    knowledge: Knowledge, *, country: str | None, technique: str | None, software: str | None
) -> list[IntrusionSet]:
    """Groups that everything asked for is told of; if nothing is, all but those known by name only."""
    code = _country(country) if country is not None else ""
    tool = _software(knowledge, software) if software is not None else ""
    return [
        one
        for one in sorted(knowledge.groups.values(), key=lambda one: (one.origin == "galaxy", one.id))
        if (not code or code in one.countries)
        and (technique is None or _uses(one, technique.upper()))
        and (not tool or tool in one.software)
        and (code or one.origin != "galaxy")
    ]


def _country(word: str) -> str:
    if not (code := countries.code(word)):
        raise SettingsError(f"{word}: not a country that is known", hint="Give its name or its code: China, CN.")
    return code


def _software(knowledge: Knowledge, word: str) -> str:
    if word.upper() in knowledge.software or word in knowledge.software:
        return word.upper() if word.upper() in knowledge.software else word
    asked = plain(word)
    found = [one.id for one in knowledge.software.values() if asked in map(plain, (one.name, *one.aliases)) and asked]
    if len(found) > 1:
        raise SettingsError(f"{word}: any of {', '.join(found)}", hint="Give the number of the one you mean.")
    if not found:
        raise SettingsError(f"{word}: no software that is known", hint="Give its number, or a name it goes by: S0154.")
    return found[0]


def _uses(group: IntrusionSet, number: str) -> bool:
    """Whether it uses a technique, in the numbers of any release, or a part of it."""
    told = (each for use in group.techniques.values() for each in (use.id, *use.told_as))
    return any(one == number or one.startswith(f"{number}.") for one in told)


def rows(groups: list[IntrusionSet]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for one in groups:
        names = [name.text for name in sorted(one.aliases, key=lambda name: not name.is_sure)]
        more = f" +{len(names) - _MOST_ALSO}" if len(names) > _MOST_ALSO else ""
        state = f" ({one.state})" if one.state != "live" else ""
        found.append(
            (
                one.id if one.origin != "galaxy" else "misp",  # a UUID would take half of the line; names find it
                one.name + state,
                "/".join(countries.name(code) for code in one.countries),
                str(len(one.techniques) or ""),
                str(len(one.software) or ""),
                one.since,
                ", ".join(names[:_MOST_ALSO]) + more,
            )
        )
    return found


def as_json(facts: Facts, knowledge: Knowledge, groups: list[IntrusionSet]) -> dict[str, Any]:
    return {
        "releases": [one.name for one in facts.releases],
        "release": knowledge.release,
        "threat_actors": len(facts.actors),
        "untranslated": [
            {"id": one.id, "release": one.release, "grounds": one.grounds, "groups": one.users}
            for one in knowledge.untranslated
        ],
        "groups": [
            {
                "id": one.id,
                "name": one.name,
                "origin": one.origin,
                "state": one.state,
                "aliases": [name.text for name in one.aliases],
                "suspected_country": one.country,
                "techniques": len(one.techniques),
                "software": len(one.software),
                "since": one.since,
            }
            for one in groups
        ],
    }
