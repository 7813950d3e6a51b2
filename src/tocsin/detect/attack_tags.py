"""The tags of a rule in, its ATT&CK techniques and tactics out, and the release whose names they are.

Release 19 divided the tactic defense-evasion and moved techniques to new numbers. A rule that uses a name
only one of the releases has tells; the others of its pack are taken to be tagged alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Final, TypeAlias

from tocsin.model.rule import Rule

# What releases are told by, in the order in which to ask: `tocsin.model.attack.telltales`.
Telltales: TypeAlias = Sequence[tuple[str, frozenset[str]]]

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)

# Of release 19 and of those before it. Tags of groups and software have no place among them.
TACTICS: Final = frozenset(
    {
        "collection",
        "command-and-control",
        "credential-access",
        "defense-evasion",
        "defense-impairment",
        "discovery",
        "execution",
        "exfiltration",
        "impact",
        "initial-access",
        "lateral-movement",
        "persistence",
        "privilege-escalation",
        "reconnaissance",
        "resource-development",
        "stealth",
    }
)


def techniques(tags: Iterable[str]) -> tuple[str, ...]:
    found = (_TECHNIQUE.fullmatch(tag) for tag in tags)
    return tuple(dict.fromkeys(one[1].upper() for one in found if one))


def tactics(tags: Iterable[str]) -> tuple[str, ...]:
    """Tactics by their short names; older tags write them with underscores."""
    names = (tag.lower().removeprefix("attack.").replace("_", "-") for tag in tags if tag.startswith("attack."))
    return tuple(dict.fromkeys(name for name in names if name in TACTICS))


def dated(rules: Sequence[Rule], telltales: Telltales) -> tuple[Rule, ...]:
    """The rules, each with the release of its tags: by what it says itself, else by its nearest pack, else none."""
    own = [_release(rule, telltales) for rule in rules]
    newest = {name: place for place, (name, _) in enumerate(reversed(telltales))}
    told: dict[str, str] = {}
    for rule, one in zip(rules, own, strict=True):
        for pack in _packs(rule.path) if one else ():
            told[pack] = max(told.get(pack, one), one, key=newest.__getitem__)
    return tuple(
        replace(rule, attack_release=one or (_nearby(rule.path, told) if rule.techniques or rule.tactics else ""))
        for rule, one in zip(rules, own, strict=True)
    )


def _release(rule: Rule, telltales: Telltales) -> str:
    words = {*rule.techniques, *rule.tactics}
    return next((name for name, only in telltales if not words.isdisjoint(only)), "")


def _packs(path: str) -> list[str]:
    """The packs that a rule belongs to, nearest first: its archive, or its folder and those around it."""
    archive, inside, _ = path.partition("!")
    return [archive] if inside else [str(folder) for folder in PurePath(path).parents]


def _nearby(path: str, told: Mapping[str, str]) -> str:
    """The release of the nearest pack that tells one. One rule of a newer release tells it of all."""
    return next((told[pack] for pack in _packs(path) if pack in told), "")
