"""An incident's processes in, trees of them out: which program started which, and on which of them rules fired."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tocsin.model.incident import Incident, Process

_MOST: Final = 400  # processes on a page
_DEEPEST: Final = 40


@dataclass(slots=True)
class Branch:
    process: Process
    level: str = ""
    children: list[Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Hosts and the trees on them; `left_out` processes are not shown: rules fired on none of them or their kin."""

    hosts: tuple[tuple[str, tuple[Branch, ...]], ...]
    left_out: int


def grow(incident: Incident) -> Forest:
    """Trees with findings first in time; a parent that is missing, or that would make a circle, leaves a root."""
    processes = incident.processes
    wanted: dict[int, None] = {}
    for number, process in enumerate(processes):
        if process.findings:
            line = _ancestors(processes, number)
            if len(wanted.keys() | set(line)) > _MOST:
                break
            wanted.update(dict.fromkeys(line))
    branches = {
        number: Branch(processes[number], incident.worst(processes[number].findings) or "") for number in sorted(wanted)
    }
    roots: dict[str, list[Branch]] = {}
    for number, branch in branches.items():
        parent = branches.get(branch.process.parent)
        if parent is None or number in _ancestors(processes, branch.process.parent):
            roots.setdefault(branch.process.host, []).append(branch)
        else:
            parent.children.append(branch)
    hosts = tuple((host, tuple(grown)) for host, grown in sorted(roots.items()))
    return Forest(hosts=hosts, left_out=len(processes) - len(branches))


def _ancestors(processes: tuple[Process, ...], number: int) -> list[int]:
    """A process and those above it."""
    line: list[int] = []
    while 0 <= number < len(processes) and number not in line and len(line) < _DEEPEST:
        line.append(number)
        number = processes[number].parent
    return line
