"""Addresses, networks and domains in, rules for Suricata out (its manual, chapter "Rules Format").

The rules are checked for their syntax by `fault`; no Suricata is run here, and the file says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from tocsin.contain.elsewhere import CARRIED_OUT, probes, seen, steps
from tocsin.contain.guard import normal
from tocsin.errors import ActError
from tocsin.model.action import Block, Place, Text, Verb

NAME: Final = "suricata"
VERBS: Final[frozenset[Verb]] = frozenset({"block address", "block network", "block domain"})
__all__ = ["CARRIED_OUT", "NAME", "VERBS", "fault", "probes", "render", "seen", "steps"]

_FIRST_SID: Final = 1_000_000  # those up to 1,999,999 are for rules of one's own
_SIDS: Final = 900_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,80}", re.ASCII)
_OPTION: Final = r'[a-z][a-z0-9_.]*(?::(?:!?"(?:[^"\\;]|\\.)*"|[^";\\]+))?;'
_RULE: Final = re.compile(
    r"(?:drop|alert|reject|pass) [a-z0-9]+ \S+ \S+ (?:->|<>) \S+ \S+ \((?:" + _OPTION + r" ?)+\)", re.ASCII
)


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    rules = _rules(blocks)
    wrong = next((f"{rule}: {why}" for rule in rules if (why := fault(rule))), "")
    if wrong:
        raise ActError(f"a rule for Suricata {wrong[:300]}", hint="Nothing was rendered. Please report it.")
    lines = ["# Checked for their syntax only: no Suricata was run on these rules.", *rules]
    return (Text(name="tocsin.rules", content="".join(f"{line}\n" for line in lines)),)


def fault(rule: str) -> str:
    """What is wrong with the form of a rule, '' if nothing is."""
    if not _RULE.fullmatch(rule):
        return "is not of the form action protocol from -> to (options)"
    missing = [name for name in ("msg:", "sid:", "rev:") if name not in rule]
    return f"has no {missing[0].rstrip(':')}" if missing else ""


def _rules(blocks: Sequence[Block]) -> list[str]:
    rules, taken = [], set[int]()
    for block in sorted(blocks, key=lambda one: (one.target.kind, one.target.value)):
        if block.verb not in VERBS:
            continue
        value = normal(block.target)
        sid = _FIRST_SID + int(hashlib.sha256(value.encode()).hexdigest()[:12], 16) % _SIDS
        while sid in taken:
            sid += 1
        taken.add(sid)
        cases = " ".join(one if _PLAIN.fullmatch(one) else "unnamed" for one in block.cases) or "none"
        tail = f"sid:{sid}; rev:1; metadata:tocsin_cases {cases};)"
        if block.target.kind == "domain":
            what = f'dns.query; dotprefix; content:".{value}"; nocase; endswith; '
            rules.append(f'drop dns any any -> any any (msg:"tocsin block domain"; {what}{tail}')
        else:
            rules.append(f'drop ip any any <> {value} any (msg:"tocsin block address"; {tail}')
    return rules
