"""An incident in numbers in; who and what it touches, how they came and went on, what is open and what is dark, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.investigate.board import Board, Group
from tocsin.investigate.normal import is_public
from tocsin.investigate.roles import Act, Role
from tocsin.investigate.timeline import way
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.incident import Entry, Move, Seen
from tocsin.model.rule import LEVELS

_HOUR_US: Final = 3_600_000_000
_WHO: Final[tuple[Role, ...]] = ("account", "subject", "principal")
_WHERE: Final[tuple[Role, ...]] = ("peer_address", "address", "own_address")
_MOST: Final = 200  # sentences of one sort; the count of the others is told

# What must be in the logs of a machine to answer a question, and the question.
_ANSWERS: Final[tuple[tuple[tuple[Act, ...], str], ...]] = (
    (("start",), "which process started which"),
    (("logon",), "who logged on, and from where"),
    (("contact", "refused"), "which other machines it dealt with"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lit:
    """What the evidence as a whole shows: for each act the machines that tell of it; sessions that ended; its end."""

    tells: Mapping[Act, frozenset[int]]
    ended: frozenset[int]
    last_us: int


def lit(board: Board) -> Lit:
    traces = board.traces
    of = board.machines.of
    acts: tuple[Act, ...] = ("start", "logon", "contact", "refused")
    timed = traces.ts[traces.ts != NO_TIME]
    return Lit(
        tells={act: frozenset(np.unique(of[traces.acts(act)]).tolist()) for act in acts},
        ended=frozenset(np.unique(board.lines.opened[traces.acts("logoff")]).tolist()),
        last_us=int(timed[-1]) if len(timed) else NO_TIME,
    )


def machines(board: Board, group: Group, last: Longs, count: Longs) -> tuple[Seen, ...]:
    numbers = board.machines.of[board.table.row[group.shown]].tolist()
    names, shown = board.machines.names, board.machines.shown
    named = ((names[one], shown[one], at) for at, one in zip(group.shown.tolist(), numbers, strict=True) if one)
    return _seen(board, named, last, count)


def accounts(board: Board, group: Group, last: Longs, count: Longs) -> tuple[Seen, ...]:
    return _seen(board, _named(board, group, _WHO), last, count)


def addresses(board: Board, group: Group, last: Longs, count: Longs) -> tuple[Seen, ...]:
    return _seen(board, _named(board, group, _WHERE), last, count)


def _named(board: Board, group: Group, roles: Sequence[Role]) -> Iterable[tuple[str, str, int]]:
    rows = board.table.row[group.shown]
    places = group.shown.tolist()
    texts, shown = board.traces.texts, board.traces.shown
    given: set[tuple[int, int]] = set()
    for role in roles:
        column = board.traces.roles.get(role)
        if column is None:
            continue
        for at, code in zip(places, column[rows].tolist(), strict=True):
            if code and (at, code) not in given:
                given.add((at, code))
                yield texts[code], shown[code], at


def _seen(board: Board, named: Iterable[tuple[str, str, int]], last: Longs, count: Longs) -> tuple[Seen, ...]:
    """Each name with its first and last time and the number of findings; the ones seen first stand first."""
    known: dict[str, list[int | str]] = {}
    for name, shown, at in named:
        first, until = board.table.ts.item(at), last.item(at)
        one = known.get(name)
        if one is None:
            known[name] = [shown, first, until, count.item(at)]
            continue
        if first != NO_TIME:
            one[1] = min(int(one[1]), first) if one[1] != NO_TIME else first
        one[2] = max(int(one[2]), until)
        one[3] = int(one[3]) + count.item(at)
    return tuple(
        Seen(
            name=str(shown),
            first_us=None if first == NO_TIME else int(first),
            last_us=None if until == NO_TIME else int(until),
            findings=int(number),
        )
        for _, (shown, first, until, number) in sorted(
            known.items(), key=lambda one: (one[1][1] == NO_TIME, one[1][1], one[0])
        )
    )


def ways(board: Board, group: Group) -> list[int]:
    """Traces that led to an incident's findings or from one to another: what its links went by, and its logons."""
    rows = {int(via) for via in board.links.via[group.links].tolist() if via >= 0}
    for at in group.shown.tolist():
        session = int(board.lines.session[board.table.row[at]])
        logon = board.indexes.logon.get(session, -1) if session else -1
        if logon >= 0 and (board.machines.source[logon] or board.text(logon, "peer_address")):
            rows.add(logon)
    return sorted(rows)


def moves(board: Board, rows: Sequence[int]) -> tuple[Move, ...]:
    """From one machine to another, once for each pair and account, the first time."""
    known: dict[tuple[str, str, str], Move] = {}
    for row in rows:
        source = board.machines.shown[board.machines.source[row]] or board.text(row, "peer_address")
        target = board.machines.shown[board.machines.target[row]] or board.host(row)
        who = board.text(row, "account")
        if source and target and source != target:
            move = Move(
                ts_us=board.time(row),
                source=source,
                target=target,
                account=who,
                because=way(board, row),
                at=board.citation(row),
            )
            known.setdefault((source, target, who), move)
    return tuple(known.values())


def way_in(board: Board, group: Group, timeline: Sequence[Entry], rows: Sequence[int]) -> Entry | None:
    """The earliest of: a finding of initial access, a logon from outside, one from a machine without findings."""
    here = set(board.machines.of[board.table.row[group.shown]].tolist())
    outside = {
        board.citation(row)
        for row in rows
        if is_public(board.traces.texts[board.traces.role("peer_address")[row]])
        or (board.machines.source[row] and int(board.machines.source[row]) not in here)
    }
    for entry in timeline:
        if entry.at in outside:
            return entry
        for number in entry.findings:
            if "initial-access" in board.rules[board.table.rule[group.shown[number]]].tactics:
                return entry
    return None


def patient_zero(board: Board, group: Group, moves_: Sequence[Move]) -> str:
    """The machine of the first finding of weight; or the one from which they had come to it by then, and so on."""
    level = board.table.level[group.shown]
    weighty = group.shown[level >= min(int(level.max(initial=0)), LEVELS.index("medium"))]
    rows = board.table.row[weighty]
    hosts = board.hosts(rows)
    at = next((number for number, host in enumerate(hosts) if host), -1)
    if at < 0:
        return ""
    host, moment = hosts[at], board.time(int(rows[at]))
    here = set(board.hosts(board.table.row[group.shown]))
    passed = {host}
    while True:
        came = [
            move
            for move in moves_
            if move.target == host and move.source in here - passed and (moment is None or (move.ts_us or 0) <= moment)
        ]
        if not came:
            return host
        host, moment = came[0].source, came[0].ts_us
        passed.add(host)


def still_open(board: Board, group: Group, known: Lit, last_us: int | None) -> tuple[str, ...]:
    sentences: dict[str, None] = {}
    for at in group.shown.tolist():
        session = int(board.lines.session[board.table.row[at]])
        logon = board.indexes.logon.get(session, -1) if session else -1
        if logon >= 0 and session not in known.ended:
            who = board.text(logon, "account") or "somebody"
            name = board.text(logon, "new_logon", "logon")
            sentences[f"logon session {name} of {who} on {board.host(logon)}: its end is not in the logs"] = None
    if last_us is not None and known.last_us - last_us < _HOUR_US:
        left = (known.last_us - last_us) // 60_000_000
        until = f"{left} minutes before the logs end" if left else "the logs end"
        sentences[f"findings go on until {until}"] = None
    return _few(list(sentences))


def not_seen(board: Board, group: Group, known: Lit) -> tuple[str, ...]:
    """What nobody can tell from these logs, because the machines concerned did not write it down."""
    of = board.machines.of[board.table.row[group.members]]
    numbers = [number for number in np.unique(of).tolist() if number]
    sentences = []
    for acts, question in _ANSWERS:
        dark = [board.machines.shown[one] for one in numbers if not any(one in known.tells[act] for act in acts)]
        if dark:
            more = f" and {len(dark) - 5} more" if len(dark) > 5 else ""
            sentences.append(f"{', '.join(dark[:5])}{more}: the logs do not say {question}")
    untimed = int((board.table.ts[group.members] == NO_TIME).sum())
    if untimed:
        sentences.append(f"{untimed} findings have no time that can be read: they may belong elsewhere")
    if board.traces.left_out:
        sentences.append(
            f"{board.traces.left_out} records that show how things hang together were more than could be looked at"
        )
    return _few(sentences)


def _few(sentences: Sequence[str]) -> tuple[str, ...]:
    if len(sentences) <= _MOST:
        return tuple(sentences)
    return (*sentences[:_MOST], f"and {len(sentences) - _MOST} more")
