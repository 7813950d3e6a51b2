"""Links in, joins that say why out: the entity, what it is worth in bits, and a sentence."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocsin.investigate.board import Board, Group
from tocsin.investigate.links import KINDS, REACH_US, Links
from tocsin.investigate.machines import COMMON
from tocsin.investigate.roles import ACTS
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.incident import Entity, Join

_SECOND_US: Final = 1_000_000
_REACHES: Final = np.array([REACH_US[kind] for kind in KINDS], np.float64)
# Windows calls the types of logons by number (4624, "Logon Type").
_HOW: Final = {
    "2": "at the keyboard",
    "3": "over the network",
    "8": "over the network in clear text",
    "9": "with other credentials",
    "10": "by remote desktop",
    "11": "with cached credentials",
}


def weights(links: Links, ts: Longs) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Bits: how few machines have the thing of those that may, and how near in time the two are within its reach."""
    gap = np.maximum((ts[links.other] - ts[links.one]) / _SECOND_US, 1.0)
    rarity = np.log2((COMMON + 1) / np.maximum(links.held, 1))
    return rarity + np.log2(1 + _REACHES[links.kind] / _SECOND_US / gap) / 2


def joins(board: Board, group: Group) -> tuple[Join, ...]:
    """The strongest links that hold the findings together: one for each finding but the first."""
    links, stands, every = board.links, board.stands, group.links
    if not len(every):
        return ()
    one, other = (np.searchsorted(group.shown, stands[end[every]]) for end in (links.one, links.other))
    low, high = np.minimum(one, other), np.maximum(one, other)
    # The heaviest first; of equals the kind that says most, then the earliest.
    order = np.lexsort((high, low, links.kind[every], -np.round(board.weight[every], 6)))
    order = order[low[order] != high[order]]
    above = list(range(len(group.shown)))

    def root(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    chosen = []
    for first, second, link in zip(low[order].tolist(), high[order].tolist(), every[order].tolist(), strict=True):
        here, there = root(first), root(second)
        if here != there:
            above[max(here, there)] = min(here, there)
            chosen.append((first, second, link))
    return tuple(_join(board, *parts) for parts in sorted(chosen))


def _join(board: Board, one: int, other: int, link: int) -> Join:
    links = board.links
    rows = [int(board.table.row[end[link]]) for end in (links.one, links.other)]
    via = int(links.via[link])
    entity, because = _met(board, links, link, via) if via >= 0 else _shared(board, links, link, rows)
    times = [board.time(row) for row in rows]
    gap = abs(times[1] - times[0]) if times[0] is not None and times[1] is not None else None
    return Join(
        one=one,
        other=other,
        entity=entity,
        weight=round(float(board.weight[link]), 2),
        gap_us=gap,
        because=because + (f", {_apart(gap)} apart" if gap is not None else ""),
        via=(board.citation(via),) if via >= 0 else (),
    )


def _met(board: Board, links: Links, link: int, via: int) -> tuple[Entity, str]:
    source, target = (board.machines.shown[side[via]] for side in (board.machines.source, board.machines.target))
    who = board.text(via, "account") or "somebody"
    how = board.text(via, "how")
    if KINDS[links.kind[link]] in {"logon", "account"}:
        name = board.text(via, "new_logon")
        sentence = f"{who} came from {source} to {target} {_HOW.get(how, '')}".rstrip()
        if not name:
            return Entity(
                kind="account", name=board.traces.texts[board.traces.role("account")[via]], shown=who
            ), sentence
        return Entity(kind="logon", name=f"{target} {name}".lower(), shown=name), f"{sentence}: logon session {name}"
    did = "asked to be let in at" if ACTS[board.traces.act[via]] == "refused" else "reached"
    entity = Entity(kind="host", name=board.machines.names[board.machines.target[via]], shown=target)
    return entity, f"{source} {did} {target}" + (f" ({how})" if how else "")


def _shared(board: Board, links: Links, link: int, rows: list[int]) -> tuple[Entity, str]:
    kind, code = KINDS[links.kind[link]], int(links.code[link])
    host = board.host(rows[0])
    if kind == "process":
        start = board.indexes.start.get(code, rows[0])
        program = board.program(start) or "a process"
        return (
            Entity(kind=kind, name=f"{host} {board.text(start, 'guid', 'pid')}".lower(), shown=program),
            f"one tree of processes on {host}, from {program}",
        )
    if kind == "logon":
        start = board.indexes.logon.get(code, rows[0])
        name = board.text(start, "new_logon", "logon")
        who = board.text(start, "account") or board.text(rows[0], "account")
        return (
            Entity(kind=kind, name=f"{host} {name}".lower(), shown=name),
            f"one logon session on {host}" + (f" of {who}" if who else ""),
        )
    if kind == "account":
        who = board.text(rows[0], "account")
        return Entity(kind=kind, name=f"{host} {who}".lower(), shown=who), f"{who} on {host}"
    if kind == "host":
        return Entity(kind=kind, name=board.machines.names[code], shown=board.machines.shown[code]), f"both on {host}"
    shown = board.traces.shown[code]
    held = int(links.held[link])
    on = f", which is on {held} machines here" if held > 1 else ""
    return Entity(kind=kind, name=board.traces.texts[code], shown=shown), f"the same {kind} {shown}{on}"


def _apart(gap_us: int) -> str:
    seconds = gap_us / _SECOND_US
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} seconds"


def told(ts: int | None) -> int:
    """For sorting: what has no time stands last."""
    return ts if ts is not None else -NO_TIME - 1
