"""An incident in, a picture of its machines, accounts and addresses out: from where they came, and where they went.

Columns from left to right: addresses outside, then machines by how many moves away from the first they are. Accounts
stand below the machines on which they first appear. Everything is placed by counting, so that equal input gives an
equal picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tocsin.model.incident import Incident

Shape = Literal["address", "host", "first host"]

_COLUMN: Final = 230
_ROW: Final = 56
_BOX: Final = (180, 36)
_MOST: Final = 40  # boxes
_MOST_COLUMNS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    name: str
    shape: Shape
    x: int
    y: int
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """`because` is the first reason of `count`."""

    x1: int
    y1: int
    x2: int
    y2: int
    count: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    left_out: int
    width: int
    height: int
    box: tuple[int, int] = _BOX


def draw(incident: Incident) -> Graph | None:
    """None where there is nothing to draw arrows between."""
    findings = {seen.name: seen.findings for seen in (*incident.addresses, *incident.hosts)}
    names = list(dict.fromkeys([*(seen.name for seen in incident.hosts), *_ends(incident)]))
    if len(names) < 2 or not incident.moves:
        return None
    kept, left_out = names[:_MOST], len(names) - min(len(names), _MOST)
    columns = _columns(incident, kept)
    rows: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    hosts = {seen.name for seen in incident.hosts}
    for name in sorted(kept, key=lambda one: (columns[one], kept.index(one))):
        column = columns[name]
        row = rows[column] = rows.get(column, -1) + 1
        shape: Shape = "address" if name not in hosts else "first host" if name == incident.patient_zero else "host"
        boxes[name] = Box(
            name=name, shape=shape, x=10 + column * _COLUMN, y=10 + row * _ROW, findings=findings.get(name, 0)
        )
    return Graph(
        boxes=tuple(boxes.values()),
        arrows=_arrows(incident, boxes),
        left_out=left_out,
        width=20 + _BOX[0] + _COLUMN * max(columns.values()),
        height=20 + _ROW * (max(rows.values()) + 1),
    )


def _ends(incident: Incident) -> list[str]:
    return [end for move in incident.moves for end in (move.source, move.target) if end]


def _columns(incident: Incident, names: list[str]) -> dict[str, int]:
    """How many moves away from where it began; the rest stand by themselves in the last column but one."""
    after: dict[str, list[str]] = {}
    for move in incident.moves:
        after.setdefault(move.source, []).append(move.target)
    targets = {move.target for move in incident.moves}
    depth = {name: 0 for name in names if name in after and name not in targets}
    if incident.patient_zero in names and not depth:
        depth[incident.patient_zero] = 0
    wave = list(depth)
    while wave:
        reached = [
            target for source in wave for target in after.get(source, ()) if target in names and target not in depth
        ]
        for target in reached:
            parent = min(depth[source] for source in wave if target in after.get(source, ()))
            depth.setdefault(target, min(parent + 1, _MOST_COLUMNS - 1))
        wave = list(dict.fromkeys(reached))
    return {name: depth.get(name, 1) for name in names}


def _arrows(incident: Incident, boxes: dict[str, Box]) -> tuple[Arrow, ...]:
    moves: dict[tuple[str, str], list[str]] = {}
    for move in incident.moves:
        if move.source in boxes and move.target in boxes and move.source != move.target:
            moves.setdefault((move.source, move.target), []).append(move.because)
    arrows = []
    for (source, target), reasons in moves.items():
        one, other = boxes[source], boxes[target]
        rightwards = one.x <= other.x
        arrows.append(
            Arrow(
                x1=one.x + (_BOX[0] if rightwards else 0),
                y1=one.y + _BOX[1] // 2 - 4,
                x2=other.x if one.x < other.x else other.x + _BOX[0],
                y2=other.y + _BOX[1] // 2 + 4,
                count=len(reasons),
                because=reasons[0],
            )
        )
    return tuple(arrows)
