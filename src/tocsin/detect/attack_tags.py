"""The tags of a rule in, its ATT&CK techniques and tactics out, and the release whose names they are.

Release 19 split the tactic defense-evasion in two and moved techniques to new numbers. A rule that uses
a name only one of the releases has tells; the others of its pack are taken to be tagged alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Final

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)

_TACTICS_18: Final = frozenset({"defense-evasion"})
_TACTICS_19: Final = frozenset({"defense-impairment", "stealth"})
TACTICS: Final = (
    frozenset(
        {
            "collection",
            "command-and-control",
            "credential-access",
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
        }
    )
    | _TACTICS_18
    | _TACTICS_19
)

# Numbers, with all below them, that release 19 has and 18 had not, and those that it took back.
_NEW_IN_19: Final = ("T1027.018", *(f"T{number}" for number in range(1682, 1691)))
_GONE_IN_19: Final = ("T1562", "T1656", "T1672", "T1070.001", "T1070.002")


def techniques(tags: Iterable[str]) -> tuple[str, ...]:
    found = (_TECHNIQUE.fullmatch(tag) for tag in tags)
    return tuple(dict.fromkeys(one[1].upper() for one in found if one))


def tactics(tags: Iterable[str]) -> tuple[str, ...]:
    """Tactics by their short names; older tags write them with underscores."""
    names = (tag.lower().removeprefix("attack.").replace("_", "-") for tag in tags if tag.startswith("attack."))
    return tuple(dict.fromkeys(name for name in names if name in TACTICS))


def release(numbers: Sequence[str], names: Sequence[str]) -> str:
    """What a rule's own techniques and tactics tell: "19", "18" for any release before it, or nothing."""
    if not _TACTICS_19.isdisjoint(names) or _any_below(numbers, _NEW_IN_19):
        return "19"
    if not _TACTICS_18.isdisjoint(names) or _any_below(numbers, _GONE_IN_19):
        return "18"
    return ""


def _any_below(numbers: Iterable[str], roots: Sequence[str]) -> bool:
    return any(number == root or number.startswith(f"{root}.") for number in numbers for root in roots)


def packs(path: str) -> list[str]:
    """The packs that a rule belongs to, nearest first: its archive, or its folder and those around it."""
    archive, inside, _ = path.partition("!")
    return [archive] if inside else [str(folder) for folder in PurePath(path).parents]


def releases_of_packs(told: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The release of each pack, from (path, release) of rules that tell. One of 19 tells it of all."""
    found: dict[str, str] = {}
    for path, one in told:
        for pack in packs(path):
            found[pack] = max(one, found.get(pack, ""))
    return found


def release_nearby(path: str, packs_told: Mapping[str, str]) -> str:
    """The release of the nearest pack that tells one."""
    return next((packs_told[pack] for pack in packs(path) if pack in packs_told), "")
