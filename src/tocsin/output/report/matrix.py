"""An incident's techniques in, columns of the ATT&CK matrix out: tactics in the order of an intrusion."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tocsin.model.attack import Facts
from tocsin.model.incident import Incident
from tocsin.output.summary import TACTICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """`name` is '' where no release of ATT&CK that we know has the id."""

    id: str
    name: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tactic:
    name: str
    techniques: tuple[Technique, ...]


def matrix(incident: Incident, facts: Facts) -> tuple[Tactic, ...]:
    """Each technique under the tactics that the rules which fired give it, else under those that ATT&CK gives."""
    counts: dict[str, Counter[str]] = {}
    for finding in incident.findings:
        for technique in finding.techniques:
            entry = _entry(technique, facts)
            possible = entry[1] if entry else ()
            tactics = [one for one in finding.tactics if one in possible] or list(possible) or list(finding.tactics)
            for tactic in tactics or ["no tactic named"]:
                counts.setdefault(tactic, Counter())[technique] += 1
    order = [*TACTICS, *sorted(set(counts) - set(TACTICS))]
    return tuple(
        Tactic(
            name=tactic.replace("-", " "),
            techniques=tuple(
                Technique(id=one, name=(_entry(one, facts) or ("", ()))[0], findings=count)
                for one, count in sorted(counts[tactic].items(), key=lambda pair: (-pair[1], pair[0]))
            ),
        )
        for tactic in order
        if tactic in counts
    )


def _entry(technique: str, facts: Facts) -> tuple[str, tuple[str, ...]] | None:
    """Name and tactics, of the newest release that has it."""
    for release in reversed(facts.releases):
        entry = release.entries.get(technique)
        if entry is not None:
            return entry.name, entry.tactics
    return None
