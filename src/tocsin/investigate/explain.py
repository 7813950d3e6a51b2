"""Links in, joins that say why out: the entity, what it is worth in bits, and a sentence."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocsin.investigate.board import Board, Group
from tocsin.investigate.links import KINDS, Links
from tocsin.investigate.nearest import forest
from tocsin.investigate.roles import ACTS
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.incident import Entity, EntityKind, Join

_SECOND_US: Final = 1_000_000
# Windows calls the types of logons by number (4624, "Logon Type").
_HOW: Final = {
    "2": "at the keyboard",
    "3": "over the network",
    "8": "over the network in clear text",
    "9": "with other credentials",
    "10": "by remote desktop",
    "11": "with cached credentials",
}


def holding(links: Links, weight: np.ndarray[tuple[int], np.dtype[np.float64]], stands: Longs, label: Longs) -> Longs:
    """The strongest links that hold incidents together, one for each finding shown but the first, by incident."""
    ends = np.stack([stands[links.one], stands[links.other]])
    low, high = ends.min(axis=0), ends.max(axis=0)
    # The heaviest first; of equals the kind that says most, then the earliest.
    order = np.lexsort((high, low, links.kind, -np.round(weight, 6)))
    kept = order[forest(len(stands), low[order], high[order])]
    return kept[np.lexsort((kept, high[kept], low[kept], label[low[kept]]))]


def joins(board: Board, group: Group) -> tuple[Join, ...]:
    """Those links of an incident that hold it together, as sentences."""
    links, kept = board.links, group.joins
    ends = np.searchsorted(group.shown, np.sort(board.stands[[links.one[kept], links.other[kept]]], axis=0))
    rows = board.table.row[[links.one[kept], links.other[kept]]]
    times = board.traces.ts[rows]
    gaps = np.where((times == NO_TIME).any(axis=0), -1, np.abs(times[1] - times[0]))
    known: dict[tuple[int, int, int], tuple[Entity, str]] = {}
    columns = (*ends, rows[0], kept, links.kind[kept], links.code[kept], links.held[kept], links.via[kept], gaps)
    told = []
    for (one, other, row, link, kind, code, held, via, gap), weight in zip(
        zip(*(column.tolist() for column in columns), strict=True), board.weight[kept].tolist(), strict=True
    ):
        shared = known.get((kind, code, held))
        if via >= 0:
            shared = _met(board, links, link, via)
        elif shared is None:
            shared = _shared(board, KINDS[kind], code, held, row)
            if _is_told_alike(board, KINDS[kind], code):
                known[kind, code, held] = shared
        told.append(
            Join(
                one=one,
                other=other,
                entity=shared[0],
                weight=round(weight, 2),
                gap_us=gap if gap >= 0 else None,
                because=f"{shared[1]}, {_apart(gap)} apart" if gap >= 0 else shared[1],
                via=(board.citation(via),) if via >= 0 else (),
            )
        )
    return tuple(told)


def _is_told_alike(board: Board, kind: EntityKind, code: int) -> bool:
    """Whether a thing is told in the same words whichever findings share it: what began it is in the logs."""
    if kind == "process":
        return code in board.indexes.start
    return code in board.indexes.logon if kind == "logon" else kind != "account"


def _met(board: Board, links: Links, link: int, via: int) -> tuple[Entity, str]:
    if KINDS[links.kind[link]] == "principal":
        return _used(board, via)
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


def _used(board: Board, via: int) -> tuple[Entity, str]:
    who, whence, what = (board.text(via, role) for role in ("principal", "address", "application"))
    entity = Entity(kind="principal", name=board.traces.texts[board.traces.role("principal")[via]], shown=who)
    by = f" by application {what}" if what else ""
    return entity, f"{who} was used{by} from {whence}, an address that is in what took a machine"


def _shared(board: Board, kind: EntityKind, code: int, held: int, row: int) -> tuple[Entity, str]:
    host = board.host(row)
    if kind == "process":
        start = board.indexes.start.get(code, row)
        program = board.program(start) or "a process"
        return (
            Entity(kind=kind, name=f"{host} {board.text(start, 'guid', 'pid')}".lower(), shown=program),
            f"one tree of processes on {host}, from {program}",
        )
    if kind == "logon":
        start = board.indexes.logon.get(code, row)
        name = board.text(start, "new_logon", "logon")
        who = board.text(start, "account") or board.text(row, "account")
        return (
            Entity(kind=kind, name=f"{host} {name}".lower(), shown=name),
            f"one logon session on {host}" + (f" of {who}" if who else ""),
        )
    if kind == "account":
        who = board.text(row, "account")
        return Entity(kind=kind, name=f"{host} {who}".lower(), shown=who), f"{who} on {host}"
    if kind == "host":
        return Entity(kind=kind, name=board.machines.names[code], shown=board.machines.shown[code]), f"both on {host}"
    shown = board.traces.shown[code]
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
