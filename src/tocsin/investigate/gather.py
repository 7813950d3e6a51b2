"""Findings, their rules and their traces in, Incidents out: each finding is in exactly one.

Findings of level medium or above are joined where they share something that few machines share. The others, and
those that are routine, or attempts that nothing came of, are then put beside the nearest of these, and lead no further.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate import (
    attached,
    cite,
    explain,
    links,
    noise,
    rank,
    routine,
    scope,
    signs,
    strangers,
    timeline,
    ways,
)
from tocsin.investigate.accounts import accounts
from tocsin.investigate.board import Board, Group, Indexes
from tocsin.investigate.from_fields import traces_of
from tocsin.investigate.links import Links, Shared
from tocsin.investigate.machines import COMMON, Machines, machines
from tocsin.investigate.nearest import components, grouped
from tocsin.investigate.onward import onward
from tocsin.investigate.permits import covered
from tocsin.investigate.processes import Lineage, lineage
from tocsin.investigate.roles import Role
from tocsin.investigate.table import Table, table
from tocsin.investigate.traces import Traces
from tocsin.model.asset import Assets
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.finding import Finding
from tocsin.model.incident import RANKS, Incident
from tocsin.model.permit import Permit
from tocsin.model.rule import LEVELS, Rule

# What must be equal in findings of one rule, besides machine and process, for one to stand for the others.
_SAME: Final[tuple[Role, ...]] = ("account", "subject", "principal", "peer_address", "address")
_BEARING: Final = LEVELS.index("medium")
_HEAVY: Final = LEVELS.index("high")
_USUAL: Final = (routine.EVERYWHERE, routine.RECURRING)
_Rows = npt.NDArray[np.bool_]


def gather(
    findings: Iterable[Finding],
    rules: Sequence[Rule],
    traces: Traces | None = None,
    *,
    digests: Mapping[str, str] | None = None,
    assets: Assets | None = None,
    permits: Sequence[Permit] = (),
    quieten: bool = True,
) -> tuple[Incident, ...]:
    """Join findings.

    Args:
        findings: can be gone through again and again.
        traces: of their events and those around them; made of the findings' own fields if there are none.
        digests: SHA-256 by file on disk, for records that no finding cites.
        assets: of the organisation: machines go by all the names and addresses that they have there.
        permits: of tests: what they cover is kept apart, each finding by itself.
        quieten: repeats are folded, and what happens everywhere every day is lowered.

    Returns:
        Those to act on now first, then those to review, then the background, each in order of score.
    """
    if traces is None:
        traces = traces_of(findings)
    known = table(findings, traces, rules)
    with _at_rest():
        incidents = []
        if len(known):
            incidents = list(_gathered(findings, rules, traces, known, digests or {}, assets, permits, quieten=quieten))
        if len(known.lost):
            lost = set(known.lost.tolist())
            rest = [finding for number, finding in enumerate(findings) if number in lost]
            incidents += gather(rest, rules, digests=digests, assets=assets, quieten=quieten)
        return tuple(sorted(incidents, key=_urgency))


@contextmanager
def _at_rest() -> Iterator[None]:
    """Let the garbage collector rest: it would walk the incidents again and again while they are made.

    That took half of the time for 250,000 findings, and there is nothing among them that it could free.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _urgency(one: Incident) -> tuple[int, float, int, str]:
    return RANKS.index(one.rank), -one.score, explain.told(one.first_us), one.id


def _gathered(  # noqa: PLR0917 - what was found, what is known, and what was allowed
    findings: Iterable[Finding],
    rules: Sequence[Rule],
    traces: Traces,
    known: Table,
    digests: Mapping[str, str],
    assets: Assets | None,
    permits: Sequence[Permit],
    *,
    quieten: bool,
) -> Iterable[Incident]:
    board = drawn(traces, known, rules, digests, assets, permits, quieten=quieten)
    shown = np.flatnonzero(board.stands == np.arange(len(known)))
    wanted = {int(known.number[at]): at for at in shown.tolist()}
    cited = {wanted[number]: finding for number, finding in enumerate(findings) if number in wanted}
    last = board.table.ts.copy()
    np.maximum.at(last, board.stands, board.table.ts)
    count = np.bincount(board.stands, minlength=len(known))
    board.citations(known.row[board.again])  # all at once: that costs half of one by one
    all_ = cite.All(
        cited=cited, last=last, count=count, lit=scope.lit(board), touched=scope.touched(board, shown, last, count)
    )
    for group in _groups(board):
        yield _incident(board, group, all_)


def drawn(
    traces: Traces,
    known: Table,
    rules: Sequence[Rule],
    digests: Mapping[str, str],
    assets: Assets | None = None,
    permits: Sequence[Permit] = (),
    *,
    quieten: bool = True,
) -> Board:
    """Draw the links, and say which findings hang together."""
    around = machines(traces, assets)
    named = accounts(traces, around.of)
    traces = named.traces
    lines = lineage(traces, around.of)
    everyday = noise.everyday(known.rule, around.of[known.row], known.ts, len(rules))
    told = np.array([rule.indicator is not None for rule in rules] or [False], bool)[known.rule]
    lowered, familiar = routine.lowered(traces, around, lines, known, everyday, told)
    lowered[covered(traces, around, known, permits)] = routine.PERMITTED
    if not quieten:
        lowered[:], familiar[:] = routine.NOTHING, False
    bearing = (known.level >= _BEARING) & (lowered == routine.NOTHING)
    halves = bearing, ~bearing & (lowered != routine.PERMITTED), _usual(known, lowered, bearing), familiar
    drawn_links, label, refused = _labels(traces, known, rules, around, lines, halves)
    solid = noise.solid(known.ts, label, lowered == routine.NOTHING, bearing) if quieten else np.ones(len(known), bool)
    who = [traces.role(role)[known.row] for role in _SAME]
    same: list[npt.NDArray[np.integer]] = [
        label,
        known.rule,
        around.of[known.row],
        np.where(np.isin(lowered, _USUAL), 0, lines.process[known.row]),  # each day's is another, and the same thing
        lowered,
        solid.astype(np.int8),
        *who,
    ]
    stands = noise.folds(same) if quieten else np.arange(len(known))
    again = _again(stands)
    return Board(
        traces=traces,
        also=named.also,
        machines=around,
        lines=lines,
        table=known,
        rules=rules,
        links=drawn_links,
        strangers=strangers.told(refused, label, around.of[known.row]),
        weight=links.weights(drawn_links, known.ts),
        label=label,
        stands=stands,
        again=again,
        again_from=np.searchsorted(stands[again], np.arange(len(known))),
        lowered=lowered,
        solid=solid,
        familiar=familiar,
        quieten=quieten,
        elsewhere=signs.from_elsewhere(traces, around, lines, known),
        digests=digests,
        indexes=_indexes(traces, around, lines),
    )


def _usual(known: Table, lowered: Codes, bearing: _Rows) -> _Rows:
    """What happens day after day, but for records that a rule of weight saw, too: these are not only daily work."""
    daily: _Rows = np.isin(lowered, _USUAL) & ~np.isin(known.row, known.row[bearing])
    return daily


def _again(stands: Longs) -> Longs:
    """Of those that say the same as an earlier one the first few of each."""
    later = np.flatnonzero(stands != np.arange(len(stands)))
    later = later[np.argsort(stands[later], kind="stable")]
    begins = np.flatnonzero(np.diff(stands[later], prepend=-1))
    place = np.arange(len(later)) - np.repeat(begins, np.diff(begins, append=len(later)))
    return later[place < cite.CITED_REPEATS]


def _labels(
    traces: Traces,
    known: Table,
    rules: Sequence[Rule],
    around: Machines,
    lines: Lineage,
    halves: tuple[_Rows, _Rows, _Rows, _Rows],
) -> tuple[Links, Longs, Links]:
    """The links, the incident of each finding, and the links that would have made one of two.

    Args:
        halves: those that may be joined, those that are put beside them, which of these happen day after day, and what
            is old news on its machine.
    """
    bearing, quiet, usual, familiar = halves

    def shared(at: Longs) -> Shared:
        return Shared(row=known.row[at], ts=known.ts[at], machine=around.of[known.row[at]])

    def renumbered(part: Links, at: Longs) -> Links:
        return links.between(part, at[part.one], at[part.other], known.ts)

    strong, weak = np.flatnonzero(bearing), np.flatnonzero(quiet)
    further = _further(known, around, bearing, usual)
    strong = np.concatenate([strong, known.further[0][further]])
    rows = np.concatenate([known.row[strong[: len(strong) - len(further)]], known.further[1][further]])
    held, rest = Shared(row=rows, ts=traces.ts[rows], machine=around.of[rows]), shared(weak)
    heavy, asked = (known.level[strong] >= _HEAVY) & ~familiar[strong], routine.requests(traces, rows)
    sure = links.joined(
        [
            *links.within(traces, around, lines, held),
            *links.across(traces, around, lines, held),
            *ways.ways(traces, around, lines, held, heavy, asked),
        ]
    )
    loose = links.joined([links.nearby(around, held), ways.at_once(around, held, heavy)])
    aims = rank.aims(rules)[known.rule]
    whose = strangers.whose(traces, around, lines, held, asked, np.where(heavy, aims[strong], -1))
    dropped = strangers.apart(components(len(strong), sure.one, sure.other), loose, held, whose)
    kept, refused = (renumbered(links.picked(loose, np.flatnonzero(some)), strong) for some in (~dropped, dropped))
    parts = [renumbered(sure, strong), kept]
    near, kinds, codes = attached.attached(traces, around, lines, held, rest, usual[weak])
    beside = np.flatnonzero(near >= 0)
    parts.append(attached.beside(strong[near[beside]], weak[beside], kinds[beside], codes[beside], known.ts))
    alone = weak[near < 0]
    left = shared(alone)
    parts += [
        renumbered(part, alone) for part in (*links.within(traces, around, lines, left), links.nearby(around, left))
    ]
    every = links.joined(parts)
    whole = shared(np.arange(len(known)))
    heavy = (known.level >= _HEAVY) & bearing & ~familiar & ~routine.requests(traces, known.row)
    every = onward(traces, around, lines, whole, every, (aims, heavy, bearing))
    return every, components(len(known), every.one, every.other), refused


def _further(known: Table, around: Machines, bearing: _Rows, usual: _Rows) -> Longs:
    """Which further events of correlations join as well.

    Not where a correlation is of more machines than may join, nor what happens day after day: that a script of the
    house ran before and after the intruder's own makes it none of his.
    """
    at, rows = known.further
    pairs = grouped([at, around.of[rows]]) if len(at) else at
    _, firsts = np.unique(pairs, return_index=True)
    machines_of = np.bincount(at[firsts], minlength=len(known))
    daily = np.setdiff1d(known.row[usual], known.row[~usual])
    return np.flatnonzero(bearing[at] & (machines_of[at] <= COMMON) & ~np.isin(rows, daily))


def _indexes(traces: Traces, around: Machines, lines: Lineage) -> Indexes:
    starts = np.flatnonzero(traces.acts("start") & (lines.process > 0))
    logons = np.flatnonzero(traces.acts("logon") & (lines.opened > 0))
    # Sysmon's record of a start says more than the security log's, where there are both.
    fuller = starts[np.lexsort((starts, traces.role("guid")[starts] == 0, lines.process[starts]))]
    process, at = np.unique(lines.process[fuller], return_index=True)
    session, first = np.unique(lines.opened[logons], return_index=True)
    return Indexes(
        start=dict(zip(process.tolist(), fuller[at].tolist(), strict=True)),
        logon=dict(zip(session.tolist(), logons[first].tolist(), strict=True)),
        clocks=timeline.clocks(traces, around),
    )


def _groups(board: Board) -> Iterable[Group]:
    order = np.argsort(board.label, kind="stable")
    stands = board.stands[order] == order
    shown = order[stands]
    label = board.label[order]
    begins = np.flatnonzero(np.diff(label, prepend=-1))
    of_link = board.label[board.links.one]
    by_link = np.argsort(of_link, kind="stable")
    holding = explain.holding(board.links, board.weight, board.stands, board.label)
    rows = board.table.row[shown]
    hosts, places = board.hosts(rows), board.citations(rows)
    numbers = label[begins]
    members = [*begins.tolist(), len(order)]
    shows = [*np.searchsorted(board.label[shown], numbers).tolist(), len(shown)]
    links, joins = ([*np.searchsorted(of_link[kept], numbers).tolist(), len(kept)] for kept in (by_link, holding))
    for at in range(len(begins)):
        here = slice(shows[at], shows[at + 1])
        yield Group(
            members=order[members[at] : members[at + 1]],
            shown=shown[here],
            hosts=hosts[here],
            places=places[here],
            links=by_link[links[at] : links[at + 1]],
            joins=holding[joins[at] : joins[at + 1]],
        )


def _incident(board: Board, group: Group, all_: cite.All) -> Incident:
    known, rules = board.table, board.rules
    named = [rules[number] for number in dict.fromkeys(known.rule[group.shown].tolist())]
    kept = group.shown[board.lowered[group.shown] == routine.NOTHING]
    telling = [rules[number] for number in dict.fromkeys(known.rule[kept].tolist())]
    attempted = bool((board.lowered[group.shown] == routine.ATTEMPT).any())
    number = int(group.members[0])
    hosts, accounts_of, addresses = (scope.apart(seen.get(number, ())) for seen in all_.touched)
    points, because = rank.score(telling, len(hosts.sure))
    findings = cite.cited(board, group, all_)
    why = rank.weighty(cite.by_host(board, kept))
    rows = scope.ways(board, group)
    moves = scope.moves(board, rows)
    line = timeline.entries(board, group, rows)
    solid = group.members[board.solid[group.members]]
    timed = known.ts[solid]
    timed = timed[timed != NO_TIME]
    first_us, last_us = (int(timed.min()), int(timed.max())) if len(timed) else (None, None)
    tactic = rank.main_tactic(telling or named, int(board.elsewhere[group.shown].max()))
    worst = max(telling or named, key=lambda rule: LEVELS.index(rule.level))
    counting = [rules[one] for one in dict.fromkeys(known.rule[group.shown[board.solid[group.shown]]].tolist())]
    folded = cite.folded(board, group, all_)
    return Incident(
        id=cite.number(findings),
        title=cite.title(tactic, [seen.name for seen in hosts.sure], worst.title),
        rank=rank.rank(points, telling, why, attempt=attempted, quieten=board.quieten),
        score=points,
        because=(*because, *((why,) if why else ()), *strangers.sentences(board, number)),
        level=worst.level,
        first_us=first_us,
        last_us=last_us,
        findings=findings,
        hosts=hosts.sure,
        accounts=accounts_of.sure,
        addresses=addresses.sure,
        perhaps_hosts=hosts.perhaps,
        perhaps_accounts=accounts_of.perhaps,
        perhaps_addresses=addresses.perhaps,
        techniques=tuple(dict.fromkeys(name for rule in counting for name in rule.techniques)),
        tactics=tuple(dict.fromkeys(name for rule in counting for name in rule.tactics)),
        tactic=tactic,
        joins=explain.joins(board, group),
        timeline=line,
        processes=timeline.processes(board, group),
        folded=folded,
        skews=timeline.skews(board, frozenset(board.machines.of[known.row[group.members]].tolist())),
        way_in=scope.way_in(board, group, line, rows),
        patient_zero=scope.patient_zero(board, group, moves),
        moves=moves,
        dwell_us=last_us - first_us if first_us is not None and last_us is not None else None,
        still_open=scope.still_open(board, group, all_.lit, last_us),
        not_seen=scope.not_seen(board, group, all_.lit),
    )
