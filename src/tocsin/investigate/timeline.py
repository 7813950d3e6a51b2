"""An incident in numbers in; what happened in order of time, process trees, and how far clocks differ, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import numpy as np

from tocsin.investigate import routine
from tocsin.investigate.board import Board, Group
from tocsin.investigate.explain import told
from tocsin.investigate.machines import Machines
from tocsin.investigate.traces import Traces
from tocsin.model.incident import Entry, Process, Skew

_LONGEST: Final = 160  # of a command on a line of the timeline; the record has the rest
_LOW: Final = "of low level, and earlier than anything of weight"
_FEWEST: Final = 3  # connections seen from both sides before a clock is said to differ
_LEAST_US: Final = 1_000_000  # logs of one connection on two machines differ by some of this anyway


def entries(board: Board, group: Group, ways: Sequence[int]) -> tuple[Entry, ...]:
    """A line for each event that rules found something in, and for each record that led from one to another."""
    by_row: dict[int, list[int]] = {}
    of_rule = board.table.rule[group.shown].tolist()
    for number, row in enumerate(board.table.row[group.shown].tolist()):
        by_row.setdefault(row, []).append(number)
    rows = np.array(list(by_row), np.int64)
    done = board.texts(rows, "command", "file", "domain", "image")
    who = board.texts(rows, "account", "principal")
    lines = []
    solid = board.solid[group.shown].tolist()
    lowered = board.lowered[group.shown].tolist()
    for at, numbers in enumerate(by_row.values()):
        place = group.places[numbers[0]]
        rules = [board.rules[of_rule[number]] for number in numbers]
        lines.append(
            Entry(
                ts_us=place.ts_us,
                host=group.hosts[numbers[0]],
                what=_what([rule.title for rule in rules], done[at], who[at]),
                at=place,
                findings=tuple(numbers),
                tactic=next((tactic for rule in rules for tactic in rule.tactics), ""),
                perhaps="" if any(solid[number] for number in numbers) else _perhaps(lowered[numbers[0]]),
            )
        )
    lines += [
        Entry(ts_us=board.time(row), host=board.host(row), what=way(board, row), at=board.citation(row))
        for row in sorted(set(ways) - set(by_row))
    ]
    return tuple(sorted(lines, key=lambda line: (told(line.ts_us), line.host, line.at.path, line.at.rec)))


def _perhaps(lowered: int) -> str:
    """Why an event need not be of the incident, none of whose findings says that it is."""
    return _LOW if lowered == routine.NOTHING else routine.BECAUSE[lowered]


def _what(titles: Sequence[str], done: str, who: str) -> str:
    text = "; ".join(dict.fromkeys(titles)) + (f": {done[:_LONGEST]}" if done else "")
    return text + (f" ({who})" if who else "")


def way(board: Board, row: int) -> str:
    """A logon or a contact as a sentence."""
    source = board.machines.shown[board.machines.source[row]] or board.text(row, "peer_address", "peer")
    target = board.machines.shown[board.machines.target[row]] or board.host(row)
    who, how = board.text(row, "account"), board.text(row, "how")
    return f"{source or 'somewhere'} to {target}" + (f" as {who}" if who else "") + (f" ({how})" if how else "")


def processes(board: Board, group: Group) -> tuple[Process, ...]:
    """The processes that rules found something in, and those that they come from, parents first."""
    starts, lines = board.indexes.start, board.lines
    found: dict[int, list[int]] = {}
    for number, process in enumerate(lines.process[board.table.row[group.shown]].tolist()):
        if process:
            found.setdefault(process, []).append(number)
    chains: dict[int, int] = {}  # process -> parent
    for process in sorted(found):
        child = process
        while child not in chains:
            row = starts.get(child, -1)
            chains[child] = int(lines.parent[row]) if row >= 0 else 0
            if not chains[child]:
                break
            child = chains[child]
    rows_of = {process: _begun(board, group, process, found) for process in chains}
    known = np.array(list(rows_of.values()), np.int64)
    begun = np.where(known >= 0, board.traces.ts[known], 0).tolist() if len(known) else []
    order = _parents_first(chains, dict(zip(chains, zip(begun, chains, strict=True), strict=True)))
    place = {process: number for number, process in enumerate(order)}
    children = {parent: child for child, parent in reversed(chains.items()) if parent}
    born = [rows_of[process] for process in order]
    told_by = [starts.get(children.get(one, 0), -1) if row < 0 else row for one, row in zip(order, born, strict=True)]
    rows = np.array(told_by, np.int64)
    parts = zip(
        order,
        born,
        board.hosts(rows),
        board.texts(rows, "image"),
        board.texts(rows, "command"),
        board.texts(rows, "account"),
        board.texts(rows, "parent_image"),
        board.citations(rows),
        strict=True,
    )
    # A process whose start is not in the logs may be known by a child's start alone, which names its program.
    return tuple(
        Process(
            parent=place.get(chains.get(one, 0), -1),
            host=host,
            image=image if row >= 0 else above,
            command=command if row >= 0 else "",
            account=account if row >= 0 else "",
            first_us=at.ts_us if row >= 0 else None,
            findings=tuple(found.get(one, ())),
            at=at,
        )
        for one, row, host, image, command, account, above, at in parts
    )


def _begun(board: Board, group: Group, process: int, found: Mapping[int, Sequence[int]]) -> int:
    """The record of its start, or the first finding that names it; -1 if it is known by its children alone."""
    row = board.indexes.start.get(process, -1)
    return int(board.table.row[group.shown[found[process][0]]]) if row < 0 and process in found else row


def _parents_first(chains: Mapping[int, int], begun: Mapping[int, tuple[int, int]]) -> list[int]:
    children: dict[int, list[int]] = {}
    roots = []
    for process, parent in chains.items():
        if parent and parent in chains and parent != process:
            children.setdefault(parent, []).append(process)
        else:
            roots.append(process)
    order: list[int] = []
    left = sorted(roots, key=begun.__getitem__, reverse=True)
    seen: set[int] = set()
    while left:
        process = left.pop()
        if process in seen:
            continue
        seen.add(process)
        order.append(process)
        left += sorted(children.get(process, []), key=begun.__getitem__, reverse=True)
    return order


def clocks(traces: Traces, machines: Machines) -> dict[tuple[int, int], tuple[int, int]]:
    """How far one machine's clock is ahead of another's, by the connections that both wrote down, and their number.

    The client writes before the server, but by less than what is told: a second and more.
    """
    met, of, ts = machines.met, machines.of, traces.ts
    apart: dict[tuple[int, int], list[int]] = {}
    ends = (of[met.client].tolist(), of[met.server].tolist(), (ts[met.client] - ts[met.server]).tolist())
    for client, server, ahead in zip(*ends, strict=True):
        if machines.names[client] <= machines.names[server]:
            apart.setdefault((client, server), []).append(ahead)
        else:
            apart.setdefault((server, client), []).append(-ahead)
    return {
        pair: (int(median(gaps)), len(gaps))
        for pair, gaps in apart.items()
        if len(gaps) >= _FEWEST and abs(median(gaps)) >= _LEAST_US
    }


def skews(board: Board, hosts: frozenset[int]) -> tuple[Skew, ...]:
    """Clocks of an incident's machines that differ."""
    names, known = board.machines.names, board.indexes.clocks
    here = [pair for pair in known if hosts.issuperset(pair)] if len(hosts) > 1 else []
    here.sort(key=lambda pair: [names[side] for side in pair])
    shown = board.machines.shown
    return tuple(
        Skew(host=shown[one], against=shown[other], ahead_us=known[one, other][0], events=known[one, other][1])
        for one, other in here
    )
