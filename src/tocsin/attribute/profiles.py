"""A knowledge base as plain dictionaries in, counts over groups out: what weighing reads, and nothing else is read.

The form is that of the benchmark: `{group: {"name", "aliases", "techniques": {id: [sources]}, "software": {id:
[sources]}}}`, with "sponsor", "victims", "sectors" and others where they are known.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin.attribute.scale import ratio

BILLION: Final = 10**9
NO_SOURCE: Final = "(none)"  # the name of a source that nobody tells

_YEAR = re.compile(r"(?<!\d)20[0-2]\d(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One group. Counts are of sources, at least 1.

    Args:
        size: all counts of techniques together.
        norm: length of the vector of rarities, in millidecibans.
        years: of its sources, as far as their names tell.
        kin: what else its techniques would be expected from: its software and groups of the same sponsor, in
            billionths.
        facts: what else is known, as it came: sponsor, victims, sectors.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    techniques: Mapping[str, int]
    software: Mapping[str, int]
    sources: int
    size: int
    norm: int
    years: tuple[int, ...]
    kin: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """All groups, in the order of their ids, and over all of them how rare things are.

    Args:
        rarity: of a technique or a piece of software: how few groups have it, in millidecibans.
        holders: how many groups have it.
        share: of a technique, among all that is told of techniques, in billionths.
        relatives: of a technique: those above and below it that some group is told to use.
        names: of techniques and software, by id, as far as they were given; `called` tells both.
    """

    groups: tuple[Profile, ...]
    rarity: Mapping[str, int]
    holders: Mapping[str, int]
    share: Mapping[str, int]
    relatives: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, value: str) -> str:
        name = self.names.get(value, "")
        return f"{value} ({name})" if name else value


def prepare(
    kb: Mapping[str, Mapping[str, Any]],
    *,
    software: Mapping[str, Mapping[str, Any]] | None = None,
    names: Mapping[str, str] | None = None,
) -> Profiles:
    """Counts of a knowledge base.

    Args:
        kb: by group.
        software: what pieces of software do and are called, by id: {"name", "techniques": {id: [sources]}}.
        names: of techniques, by id.
    """
    ids = sorted(group for group in kb if kb[group].get("techniques") or kb[group].get("software"))
    holders: dict[str, int] = defaultdict(int)
    told: dict[str, int] = defaultdict(int)
    for group in ids:
        for technique, sources in kb[group].get("techniques", {}).items():
            holders[technique] += 1
            told[technique] += _count(sources)
        for name in kb[group].get("software", {}):
            holders[name] += 1
    rarity = {name: ratio(2 * len(ids) + 2, 2 * count + 1) for name, count in holders.items()}
    # A fifth of a source more for each technique, so that none has a share of nothing.
    whole = 5 * sum(told.values()) + len(told)
    share = {name: (5 * count + 1) * BILLION // whole for name, count in told.items()}
    kin = _kin(kb, ids, software or {})
    return Profiles(
        groups=tuple(_profile(group, kb[group], rarity, kin.get(group, {})) for group in ids),
        rarity=rarity,
        holders=dict(holders),
        share=share,
        relatives=_relatives(told),
        names={**(names or {}), **{name: str(known.get("name", "")) for name, known in (software or {}).items()}},
    )


def _count(sources: Sequence[str]) -> int:
    return max(1, len(set(sources)))


def _profile(group: str, known: Mapping[str, Any], rarity: Mapping[str, int], kin: Mapping[str, int]) -> Profile:
    techniques = {name: _count(told) for name, told in known.get("techniques", {}).items()}
    software = {name: _count(told) for name, told in known.get("software", {}).items()}
    sources = {
        source
        for part in ("techniques", "software")
        for told in known.get(part, {}).values()
        for source in told
        if source != NO_SOURCE
    }
    years = sorted(int(year) for source in sources for year in _YEAR.findall(source))
    return Profile(
        id=group,
        name=str(known.get("name", "") or group),
        aliases=tuple(known.get("aliases", ())),
        techniques=techniques,
        software=software,
        sources=max(1, len(sources)),
        size=sum(techniques.values()),
        norm=max(1, math.isqrt(sum(rarity[name] ** 2 for name in (*techniques, *software)))),
        years=tuple(years),
        kin=kin,
        facts={
            name: value for name, value in known.items() if name not in {"name", "aliases", "techniques", "software"}
        },
    )


def _relatives(techniques: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """A sub-technique and the technique it is part of, both ways; siblings are no relatives."""
    relatives: dict[str, list[str]] = defaultdict(list)
    for name in sorted(techniques):
        if "." in name:
            parent = name.partition(".")[0]
            relatives[name].append(parent)
            relatives[parent].append(name)
    return {name: tuple(others) for name, others in relatives.items()}


def _kin(
    kb: Mapping[str, Mapping[str, Any]], ids: Sequence[str], software: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, int]]:
    """By group, what its software does and what groups of the same sponsor use, each half, in billionths."""
    pools: dict[str, list[str]] = defaultdict(list)
    for group in ids:
        sponsor = kb[group].get("sponsor") or ""
        if sponsor and sponsor != "ambiguous":
            pools[sponsor].append(group)
    kin: dict[str, dict[str, int]] = {}
    for group in ids:
        others = pools.get(kb[group].get("sponsor") or "", [])
        parts = [
            [
                software[name].get("techniques", {})
                for name in sorted(kb[group].get("software", {}))
                if name in software
            ],
            [kb[other].get("techniques", {}) for other in others if other != group],
        ]
        spread: dict[str, int] = defaultdict(int)
        told = [part for part in parts if any(part)]
        for part in told:
            whole = sum(len(techniques) for techniques in part)
            for techniques in part:
                for technique in techniques:
                    spread[technique] += BILLION // (whole * len(told))
        if spread:
            kin[group] = dict(spread)
    return kin
