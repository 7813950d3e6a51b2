"""Observations of a team's closed cases in, what these tell of its own clusters out, in the form of a knowledge base.

A closed case is somebody's finished work, so what it saw is knowledge; an open one may still turn out to be two. Each
case is one source. What is asked about must not be among them: it would find itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tocsin.attribute.cluster import gather
from tocsin.attribute.profiles import Profiles
from tocsin.model.cluster import Clusters
from tocsin.model.observation import Observation, TraitKind

_USED: Final[Mapping[TraitKind, str]] = {"technique": "techniques", "software": "software"}
_LISTS: Final[Mapping[TraitKind, str]] = {
    "infrastructure": "infrastructure",
    "vulnerability": "vulnerabilities",
    "language": "languages",
    "code": "code",
    "hours": "hours",
}
_VICTIMS: Final = {"country": "victims", "sector": "sectors"}


def entries(
    closed: Iterable[Observation], kept: Clusters, profiles: Profiles | None = None
) -> dict[str, dict[str, Any]]:
    """By id of a cluster.

    Args:
        closed: what closed cases saw, the ids of techniques in one release.
        kept: clusters as the team keeps them, for their names.
        profiles: of public groups, by which one tells what is rare elsewhere too.
    """
    observations = {one.id: one for one in closed}
    found: dict[str, dict[str, Any]] = {}
    for cluster in gather(observations.values(), Clusters(), profiles).clusters:
        known = next((own for one in cluster.incidents if (own := kept.of(one)) is not None), cluster)
        told = _entry(known.name, [observations[one] for one in cluster.incidents])
        if told["techniques"] or told["software"]:
            found[known.id if known.id not in found else cluster.id] = told
    return found


def _entry(name: str, seen: Iterable[Observation]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "aliases": [name], "techniques": {}, "software": {}}
    told |= {listed: [] for listed in (*_LISTS.values(), *_VICTIMS.values())}
    for one in seen:
        year = (one.last_seen or one.first_seen)[:4]
        source = f"case {one.id} ({year})" if year else f"case {one.id}"
        for trait in one.traits:
            kind, _, value = trait.value.partition(":")
            if trait.kind in _USED:
                told[_USED[trait.kind]].setdefault(trait.value, []).append(source)
            elif trait.kind in _LISTS:
                told[_LISTS[trait.kind]].append(trait.value)
            elif trait.kind == "victim" and kind in _VICTIMS:
                told[_VICTIMS[kind]].append(value)
    return told
