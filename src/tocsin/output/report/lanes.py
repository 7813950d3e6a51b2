"""An incident's timeline in, a lane for each host out: marks from left to right in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tocsin.model.incident import Entry, Incident
from tocsin.output.plain import clock

WIDTH: Final = 1000
_LANE: Final = 30
_MARGIN: Final = 150
_MOST_LANES: Final = 16
_TICKS: Final = 4
OTHER: Final = "other machines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`share` of the way from the first to the last moment; entries at one place share a mark."""

    share: float
    y: int
    level: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """`names` are (host, y); `ticks` are (share, text)."""

    names: tuple[tuple[str, int], ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    height: int
    left: int = _MARGIN
    width: int = WIDTH


def draw(incident: Incident) -> Lanes | None:
    """None where no entry has a time. What may not be of it stands in the table alone."""
    timed = [entry for entry in incident.timeline if entry.ts_us is not None and not entry.perhaps]
    if not timed:
        return None
    first = min(entry.ts_us or 0 for entry in timed)
    length = max(max(entry.ts_us or 0 for entry in timed) - first, 1)
    hosts = list(dict.fromkeys(entry.host for entry in timed))
    shown = hosts if len(hosts) <= _MOST_LANES else [*hosts[: _MOST_LANES - 1], OTHER]
    y_of = {host: 24 + _LANE * at for at, host in enumerate(shown)}
    places: dict[tuple[int, int], list[Entry]] = {}
    for entry in timed:
        y = y_of.get(entry.host, y_of.get(OTHER, 24))
        x = round(
            ((entry.ts_us or 0) - first) / length * (WIDTH - _MARGIN) / 3
        )  # marks nearer than three points are one
        places.setdefault((y, x), []).append(entry)
    marks = tuple(
        Mark(
            share=((entries[0].ts_us or 0) - first) / length,
            y=y,
            level=incident.worst(at for entry in entries for at in entry.findings) or "context",
            entries=tuple(entries),
        )
        for (y, _), entries in sorted(places.items(), key=lambda place: place[0])
    )
    ticks = tuple((at / _TICKS, clock(first + length * at // _TICKS, seconds=False)) for at in range(_TICKS + 1))
    return Lanes(names=tuple(y_of.items()), marks=marks, ticks=ticks, height=24 + _LANE * len(shown) + 14)
