"""An incident in numbers in; who and what it touches, how they came and went on, what is open and what is dark, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from tocsin.investigate.board import Board, Group
from tocsin.investigate.nearest import grouped
from tocsin.investigate.normal import is_public
from tocsin.investigate.roles import Act, Role
from tocsin.investigate.timeline import way
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.incident import Entry, Move, Seen
from tocsin.model.rule import LEVELS

_HOUR_US: Final = 3_600_000_000
_MOST_HOSTS: Final = 8  # that are told of one account or address
_NEVER: Final = np.iinfo(np.int64).max  # stands for no time where the earliest is looked for
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


class Touched(NamedTuple):
    """By incident, which is the number of its first finding; each name with whether a finding that counts names it."""

    hosts: Mapping[int, tuple[tuple[Seen, bool], ...]]
    accounts: Mapping[int, tuple[tuple[Seen, bool], ...]]
    addresses: Mapping[int, tuple[tuple[Seen, bool], ...]]


class Apart(NamedTuple):
    sure: tuple[Seen, ...]
    perhaps: tuple[Seen, ...]


def apart(seen: Sequence[tuple[Seen, bool]]) -> Apart:
    return Apart(tuple(one for one, sure in seen if sure), tuple(one for one, sure in seen if not sure))


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


def touched(board: Board, shown: Longs, last: Longs, count: Longs) -> Touched:
    """What all incidents touch, worked out together: one by one took a tenth of all the time."""
    rows = board.table.row[shown]

    def every(
        called: tuple[Sequence[str], Sequence[str]], *columns: Codes, also: Mapping[int, tuple[str, ...]] | None = None
    ) -> Mapping[int, tuple[tuple[Seen, bool], ...]]:
        code = np.concatenate([column[rows] for column in columns])
        at = np.tile(shown, len(columns))[code > 0]
        code = code[code > 0]
        if not len(code):
            return {}
        _, once = np.unique(grouped([at, code]), return_index=True)
        return _seen(board, (at[once], code[once]), called, also or {}, (last, count))

    machines_, traces = board.machines, board.traces
    who, where = ([traces.role(role) for role in roles] for roles in (_WHO, _WHERE))
    return Touched(
        hosts=every((machines_.names, machines_.shown), machines_.of),
        accounts=every((traces.texts, traces.shown), *who, also=board.also),
        addresses=every((traces.texts, traces.shown), *where),
    )


def _seen(
    board: Board,
    pairs: tuple[Longs, Codes],
    called: tuple[Sequence[str], Sequence[str]],
    also: Mapping[int, tuple[str, ...]],
    sums: tuple[Longs, Longs],
) -> Mapping[int, tuple[tuple[Seen, bool], ...]]:
    """By incident each name with its first and last time and the number of findings; those seen first stand first.

    Where findings count that name it, the times are theirs.
    """
    (at, code), (names, shown), (last, count) = pairs, called, sums
    label = board.label[at]
    of = grouped([label, code])
    order = np.argsort(of, kind="stable")
    begins = np.flatnonzero(np.diff(of[order], prepend=-1))
    at, label, code = at[order], label[order][begins], code[order][begins]
    sure = np.logical_or.reduceat(board.solid[at], begins)
    counts = board.solid[at] | ~np.repeat(sure, np.diff(begins, append=len(at)))
    ts = board.table.ts[at]
    first = np.minimum.reduceat(np.where((ts == NO_TIME) | ~counts, _NEVER, ts), begins)
    until = np.maximum.reduceat(np.where(counts, last[at], NO_TIME), begins)
    number = np.add.reduceat(count[at], begins)
    on = _hosts_of(board, of[order], at)
    used = np.unique(code)
    place = np.empty(int(used[-1]) + 1, np.int64)
    place[sorted(used.tolist(), key=names.__getitem__)] = np.arange(len(used))
    order = np.lexsort((place[code], first, label))
    told: dict[int, list[tuple[Seen, bool]]] = {}
    columns = (label, code, first, until, number, np.arange(len(code)), sure)
    for incident, name, since, to, findings, group, counted in zip(
        *(column[order].tolist() for column in columns), strict=True
    ):
        one = Seen(
            name=shown[name],
            first_us=None if since == _NEVER else since,
            last_us=None if to == NO_TIME else to,
            findings=findings,
            also=also.get(name, ()),
            on=() if called[0] is board.machines.names else on[group],
        )
        told.setdefault(incident, []).append((one, counted))
    return {incident: tuple(seen) for incident, seen in told.items()}


def _hosts_of(board: Board, group: Longs, at: Longs) -> list[tuple[str, ...]]:
    """For each group of findings, which stand one after another, the first machines that they are of."""
    machine = board.machines.of[board.table.row[at]]
    _, firsts = np.unique(grouped([group, machine]), return_index=True)
    firsts = np.sort(firsts[machine[firsts] > 0])
    told: list[tuple[str, ...]] = [()] * (int(group[-1]) + 1)
    for number, of in zip(group[firsts].tolist(), machine[firsts].tolist(), strict=True):
        if len(told[number]) < _MOST_HOSTS:
            told[number] = (*told[number], board.machines.shown[of])
    return told


def ways(board: Board, group: Group) -> list[int]:
    """Traces that led to an incident's findings or from one to another: what its links went by, and its logons."""
    links = group.links[board.solid[board.links.one[group.links]] & board.solid[board.links.other[group.links]]]
    rows = {int(via) for via in board.links.via[links].tolist() if via >= 0}
    for at in group.shown[board.solid[group.shown]].tolist():
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
            if entry.perhaps:
                continue
            if "initial-access" in board.rules[board.table.rule[group.shown[number]]].tactics:
                return entry
    return None


def patient_zero(board: Board, group: Group, moves_: Sequence[Move]) -> str:
    """The machine of the first finding of weight; or the one from which they had come to it by then, and so on."""
    level = np.where(board.solid[group.shown], board.table.level[group.shown], -1)
    weighty = np.flatnonzero(level >= min(int(level.max(initial=0)), LEVELS.index("medium"))).tolist()
    at = next((number for number in weighty if group.hosts[number]), -1)
    if at < 0:
        return ""
    host, moment = group.hosts[at], group.places[at].ts_us
    here = set(group.hosts)
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
