"""Samples of single techniques in, how often the main tactic of the foremost incident is that of the folder, out.

Half of the files, drawn by the digest of their name, are told apart: whoever changes how a tactic is chosen looks at
the first half only, and reads the figure of the other when the choice is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tocsin.model.rule import RuleSet
from tocsin.respond import respond

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "evtx-attack-samples"
# The catalogue's release 19 divided one tactic in two.
SAME = {"stealth": "defense-evasion", "defense-impairment": "defense-evasion"}
LEFT_OUT = {"Other", "AutomatedTestingTools"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One file. `possible`: some rule that found something in it names the folder's tactic."""

    right: bool
    possible: bool
    held_back: bool


def tactics(rules: RuleSet) -> dict[str, float]:
    print("\nmain tactic of the foremost incident against the folder of its file\n")
    told = [one for path in sorted(CORPUS.rglob("*.evtx")) if (one := _told(path, rules)) is not None]
    looked_at = [one for one in told if not one.held_back]
    held_back = [one for one in told if one.held_back]
    print(f"\n  {sum(one.right for one in told)} of {len(told)}, of the half that is held back", end=" ")
    print(f"{sum(one.right for one in held_back)} of {len(held_back)};", end=" ")
    print(f"in {sum(one.possible for one in told)} any rule with findings names the folder's tactic")
    return {
        "tactic_files": len(told),
        "tactic_right": _share([one.right for one in told]),
        "tactic_right_looked_at": _share([one.right for one in looked_at]),
        "tactic_right_held_back": _share([one.right for one in held_back]),
        "tactic_named_by_any_rule": _share([one.possible for one in told]),
    }


def _told(path: Path, rules: RuleSet) -> Told | None:
    """None for what is left out, or has no findings."""
    folder = path.relative_to(CORPUS).parts[0]
    if folder in LEFT_OUT:
        return None
    with respond([path], rules, jobs=1) as response:
        if not response.incidents:
            return None
        wanted = folder.lower().replace(" ", "-")
        got = SAME.get(response.incidents[0].tactic, response.incidents[0].tactic)
        named = {SAME.get(name, name) for one in response.incidents for name in one.tactics}
    if got != wanted:
        print(f"  {got or 'none':22} {'' if wanted in named else '(no rule names it) '}{folder}/{path.name}")
    return Told(right=got == wanted, possible=wanted in named, held_back=is_held_back(path))


def is_held_back(path: Path) -> bool:
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 1


def _share(values: list[bool]) -> float:
    return sum(values) / max(len(values), 1)
