"""Findings in, the grade of what they rest on out, as NATO's "Admiralty" system has it (STANAG 2511), with its reason.

A letter for the source, a digit for what it says. A and 1 are for people who looked further: no record confirms itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.model.incident import Cited

# Logs that a machine writes about itself, and whoever has the machine may change.
_OF_MACHINES: Final = frozenset(
    "windows linux sysmon_linux auditd macos application webserver antivirus kubernetes".split()
)


def grade(findings: Sequence[Cited]) -> tuple[str, str]:
    """Such as "B2", and why; ("", "") of none."""
    if not findings:
        return "", ""
    seen = [one for one in findings if one.terms is None]
    if not seen:
        return "F6", "that these records mean something rests on what others told, which is not judged here"
    kinds = {one.kind for one in seen}
    apart = kinds - _OF_MACHINES
    if apart and kinds & _OF_MACHINES:
        letter, why = "B", "the machines' own logs and logs kept apart from them tell of it"
    elif apart:
        letter, why = "B", "logs kept apart from the machines tell of it"
    else:
        letter, why = "C", "only the machines' own logs tell of it, which whoever has a machine can change"
    digit, told = ("2", "more than one kind of log agrees") if len(kinds) > 1 else ("3", "no other kind of log tells")
    return letter + digit, f"{why}; {told}"
