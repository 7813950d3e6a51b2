"""A file about a group in, its habits out: techniques, software, hours, infrastructure.

The built-in one follows public facts about APT40: ATT&CK's group G0065 and the joint advisory of July 2024
("PRC MSS Tradecraft in Action"). Facts only; names of domains and addresses are made up.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from tocsin.errors import SettingsError

BUILT_IN: Final = "apt40.toml"
_HINT: Final = "docs/drill.md shows a whole profile; docs/schemas/profile-1.schema.json says what may stand in one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Habits of a group.

    Args:
        techniques: ids of ATT&CK v19; a step of the story happens if its first technique is among them or `lent`.
        lent: what is not known of the group, and is done all the same.
        software: by what it is for: web_shell, implant, dumper, tunnel, archiver, remote.
        zone_h: hours ahead of UTC of the place they work in; `from_h` to `to_h` are their working hours there.
        domains: of their command and control; `relays` is how many addresses stand before it.
        decoy: whose tool they plant to mislead: group, software, name of the detection, file; empty if they do not.
    """

    group: str
    id: str
    aliases: tuple[str, ...]
    techniques: frozenset[str]
    lent: frozenset[str]
    software: dict[str, str]
    zone_h: int
    from_h: float
    to_h: float
    domains: tuple[str, ...]
    relays: int
    decoy: dict[str, str]

    def does(self, techniques: str) -> bool:
        """True if all of these are their habits; a sub-technique is when its parent is."""
        own = self.techniques | self.lent
        return all(one in own or one.partition(".")[0] in own for one in techniques.split())


def built_in() -> Profile:
    text = (files("tocsin.rehearse.stories") / BUILT_IN).read_text(encoding="utf-8")
    return _profile(tomllib.loads(text), BUILT_IN)


def read_profile(path: Path) -> Profile:
    """A profile from TOML or JSON.

    Raises:
        SettingsError: it cannot be read, or is not as it should be; all faults are told at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
        told = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read as a profile: {error}", hint=_HINT) from error
    return _profile(told, str(path))


def _profile(told: Any, name: str) -> Profile:
    faults: list[str] = []

    def take(table: Any, key: str, kind: type, default: Any = None) -> Any:
        value = table.get(key, default) if isinstance(table, dict) else default
        if not isinstance(value, kind) or isinstance(value, bool):
            faults.append(f"{key} is missing or not {kind.__name__}")
            return kind()
        return value

    group = take(told, "group", dict)
    hours = take(told, "hours", dict)
    infrastructure = take(told, "infrastructure", dict)
    habits = take(told, "techniques", dict)
    techniques, lent = take(habits, "ids", list), take(habits, "lent", list, [])
    software = take(told, "software", dict, {})
    decoy = take(told, "decoy", dict, {})
    texts = [*techniques, *lent, *software.values(), *decoy.values(), *take(infrastructure, "domains", list)]
    if not all(isinstance(text, str) and text.isprintable() and len(text) < 200 for text in texts):
        faults.append("names and ids are short texts")
    profile = {
        "group": take(group, "name", str),
        "id": take(group, "id", str, ""),
        "aliases": tuple(map(str, take(group, "aliases", list, []))),
        "techniques": frozenset(map(str, techniques)),
        "lent": frozenset(map(str, lent)),
        "software": {str(key): str(value) for key, value in software.items()},
        "zone_h": take(hours, "zone", int),
        "from_h": float(take(hours, "from", int)),
        "to_h": float(take(hours, "to", int)),
        "domains": tuple(map(str, infrastructure.get("domains", ()))),
        "relays": take(infrastructure, "relays", int, 3),
        "decoy": {str(key): str(value) for key, value in decoy.items()},
    }
    if not profile["domains"] or not all(_reserved(domain) for domain in profile["domains"]):
        faults.append("infrastructure.domains holds names under .example, .test or .invalid, at least one")
    if "T1190" not in profile["techniques"]:
        faults.append("techniques.ids holds T1190: the way in of this story")
    if not 0 <= profile["from_h"] < profile["to_h"] <= 24 or not -12 <= profile["zone_h"] <= 14:
        faults.append("hours: zone is -12 to 14, from comes before to")
    if not 1 <= profile["relays"] <= 12:
        faults.append("infrastructure.relays is 1 to 12")
    if faults:
        raise SettingsError(f"{name}: " + "; ".join(faults), hint=_HINT)
    return Profile(**profile)


def _reserved(domain: str) -> bool:
    # Nobody's real domain may end up in made-up evidence.
    return domain.rpartition(".")[2] in {"example", "test", "invalid"} and domain.isascii() and " " not in domain
