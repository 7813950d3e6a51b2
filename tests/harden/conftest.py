"""A small release of ATT&CK, made up for these tests."""

from __future__ import annotations

import uuid

from tocsin.model.attack import Entry, Facts, Release
from tocsin.model.coverage import RuleCoverage, State
from tocsin.model.rule import Rule

TACTICS = {
    "T1": ("initial-access",),
    "T2": ("initial-access", "execution"),
    "T3": ("execution",),
    "T3.001": ("execution",),
    "T4": ("exfiltration",),
    "T5": ("reconnaissance",),
    "T6": ("persistence",),
}


def numbered(name: str) -> str:
    """A short name as an id of ATT&CK: T3.001 as T1003.001."""
    return name.replace("T", "T100", 1)


def release(tactics: dict[str, tuple[str, ...]] | None = None) -> Release:
    entries = {
        numbered(name): Entry(
            kind="technique",
            id=numbered(name),
            uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            name=f"Way {name}",
            tactics=told,
        )
        for name, told in (TACTICS if tactics is None else tactics).items()
    }
    return Release(name="19", entries=entries)


def facts() -> Facts:
    return Facts(releases=(release(),))


def rule(number: int, *techniques: str, logsource: str = "windows/process_creation") -> Rule:
    return Rule(
        id=f"00000000-0000-4000-8000-{number:012}",
        title=f"Rule {number}",
        level="high",
        status="stable",
        logsource=logsource,
        techniques=tuple(map(numbered, techniques)),
        attack_release="19",
        author="",
        path="rule.yml",
        line=1,
    )


def state(number: int, told: State, detail: str = "") -> RuleCoverage:
    return RuleCoverage(rule=number, state=told, detail=detail)
