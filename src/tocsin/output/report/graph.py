"""An incident in, a picture of its machines, accounts and addresses out: from where they came, and where they went.

Columns from left to right: where moves begin, then machines by how many moves away they are. Accounts stand in the
machines that name them, addresses outside below where they came from. Moves are numbered in order of time.
Everything is placed by counting, so that equal input gives an equal picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal

from tocsin.model.incident import Incident, Move, Seen
from tocsin.output.plain import clock

Shape = Literal["address", "host", "first host"]

_WIDE: Final = 180  # a box
_HEAD: Final = 36  # of a box, with its name
_LINE: Final = 18  # of a box, for each account
_BETWEEN: Final = (110, 26)  # boxes, sideways and downwards: room for what stands on an arrow
_MARGIN: Final = 10
_MOST: Final = 24  # boxes: more cannot be read by anybody
_MOST_COLUMNS: Final = 4
_MOST_ACCOUNTS: Final = 4  # in one box
_MOST_OUTSIDE: Final = 6  # addresses that no move comes from


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """`label` is the name as there is room for it, without its domain where that says no less.

    `accounts` are those that findings on it name, the busiest first; `more` are not shown.
    """

    name: str
    label: str
    shape: Shape
    x: int
    y: int
    height: int
    findings: int
    accounts: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """`path` as SVG writes it. Of a move `label` stands at (x, y); of a dealing, which has no direction, it is ''.

    `because` is the first reason of `count`.
    """

    path: str
    x: int
    y: int
    label: str
    count: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """`alone` says that no record shows a move; `left_out` that so many boxes are not drawn."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    left_out: int
    alone: bool
    width: int
    height: int
    wide: int = _WIDE
    line: int = _LINE
    head: int = _HEAD


def draw(incident: Incident) -> Graph | None:
    """None where there is nothing to draw beside one machine."""
    hosts = {seen.name: seen for seen in incident.hosts}
    ends = [end for move in incident.moves for end in (move.source, move.target) if end]
    outside = [one for one in incident.addresses if one.name not in ends and _is_outside(one.name) and one.on]
    outside.sort(key=lambda one: -one.findings)
    names = list(dict.fromkeys([*ends, *hosts]))
    kept = names[:_MOST]
    further = [one for one in outside if set(one.on) & set(kept)][: min(_MOST_OUTSIDE, _MOST - len(kept))]
    boxes = _placed(incident, kept, further)
    if not boxes or (len(boxes) == 1 and not any(box.accounts for box in boxes.values())):
        return None
    arrows = (*_dealings(further, boxes), *_moves(incident.moves, boxes))
    return Graph(
        boxes=tuple(boxes.values()),
        arrows=arrows,
        left_out=len(names) + len(outside) - len(boxes),
        alone=not incident.moves,
        width=max(box.x for box in boxes.values()) + _WIDE + _MARGIN,
        height=max(box.y + box.height for box in boxes.values()) + _MARGIN,
    )


def _is_outside(text: str) -> bool:
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def _short(name: str) -> str:
    """A machine's name without its domain; an address stays as it is."""
    return name if name.replace(".", "").isdigit() or ":" in name else name.partition(".")[0]


def _placed(incident: Incident, names: Sequence[str], outside: Sequence[Seen]) -> dict[str, Box]:
    columns = _columns(incident, names)
    if outside:
        # Addresses outside have the first column, beside whoever came from outside.
        shift = 0 if any(_is_outside(name) for name in names if columns[name] == 0) else 1
        columns = {name: min(column + shift, _MOST_COLUMNS - 1) for name, column in columns.items()}
    columns |= {one.name: 0 for one in outside}
    findings = {seen.name: seen.findings for seen in (*incident.addresses, *incident.hosts)}
    hosts = {seen.name for seen in incident.hosts}
    short = Counter(_short(name) for name in names)
    below: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    order = [*names, *(one.name for one in outside)]
    for name in sorted(order, key=lambda one: (columns[one], order.index(one))):
        here = sorted((one for one in incident.accounts if name in one.on), key=lambda one: -one.findings)
        shown = tuple(one.name for one in here[:_MOST_ACCOUNTS])
        more = len(here) - len(shown)
        height = _HEAD + _LINE * (len(shown) + bool(more)) + (8 if shown else 0)
        shape: Shape = "address" if name not in hosts else "first host" if name == incident.patient_zero else "host"
        y = below.get(columns[name], _MARGIN)
        below[columns[name]] = y + height + _BETWEEN[1]
        boxes[name] = Box(
            name=name,
            label=_short(name) if short[_short(name)] == 1 else name,
            shape=shape,
            x=_MARGIN + columns[name] * (_WIDE + _BETWEEN[0]),
            y=y,
            height=height,
            findings=findings.get(name, 0),
            accounts=shown,
            more=more,
        )
    return boxes


def _columns(incident: Incident, names: Sequence[str]) -> dict[str, int]:
    """How many moves away from where it began; what no move reaches stands where it begins."""
    after: dict[str, list[str]] = {}
    for move in incident.moves:
        after.setdefault(move.source, []).append(move.target)
    targets = {move.target for move in incident.moves}
    depth = {name: 0 for name in names if name in after and name not in targets}
    if incident.patient_zero in names and not depth:
        depth[incident.patient_zero] = 0
    wave = list(depth)
    while wave:
        reached: list[str] = []
        for source in wave:
            for target in after.get(source, ()):
                if target in names and target not in depth:
                    depth[target] = min(depth[source] + 1, _MOST_COLUMNS - 1)
                    reached.append(target)
        wave = reached
    return {name: depth.get(name, 0) for name in names}


def _moves(moves: Sequence[Move], boxes: Mapping[str, Box]) -> tuple[Arrow, ...]:
    drawn: dict[tuple[str, str], list[Move]] = {}
    for move in sorted(moves, key=lambda one: (one.ts_us is None, one.ts_us)):
        if move.source in boxes and move.target in boxes and move.source != move.target:
            drawn.setdefault((move.source, move.target), []).append(move)
    arrows = []
    for number, ((source, target), every) in enumerate(drawn.items(), 1):
        path, x, y = _curve(boxes[source], boxes[target])
        first = every[0]
        when = clock(first.ts_us)[11:16] if first.ts_us is not None else ""
        arrows.append(
            Arrow(
                path=path,
                x=x,
                y=y,
                label=" ".join(part for part in (f"{number}.", when) if part),
                count=len(every),
                because=first.because,
            )
        )
    return tuple(arrows)


def _dealings(outside: Sequence[Seen], boxes: Mapping[str, Box]) -> tuple[Arrow, ...]:
    arrows = []
    for one in outside:
        for host in one.on:
            if host in boxes:
                path, x, y = _curve(boxes[one.name], boxes[host])
                because = f"findings on {host} name {one.name}"
                arrows.append(Arrow(path=path, x=x, y=y, label="", count=1, because=because))
    return tuple(arrows)


def _curve(one: Box, other: Box) -> tuple[str, int, int]:
    """From the side of one box to that of another; what leads back, or stays in its column, swings out to the right."""
    forth = one.x < other.x
    x1, y1 = one.x + _WIDE, one.y + _HEAD // 2
    x2, y2 = (other.x if forth else other.x + _WIDE), other.y + _HEAD // 2
    bend = _BETWEEN[0] // 2
    if forth:
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        return path, x2 - bend, (y1 + 3 * y2) // 4 - 5
    out = max(x1, x2) + bend
    path = f"M{x1} {y1 + 6}C{out} {y1 + 6} {out} {y2 + 6} {x2} {y2 + 6}"
    return path, out - 20, (y1 + y2) // 2 + 6
