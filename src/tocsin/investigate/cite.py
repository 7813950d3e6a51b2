"""A group of findings in; how each is cited, what is folded or lowered among them, and what they are called, out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocsin.investigate import routine, scope
from tocsin.investigate.board import Board, Group
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.finding import Finding
from tocsin.model.incident import Cited, Folded
from tocsin.model.pap import binding
from tocsin.model.rule import Rule

CITED_REPEATS: Final = 5  # of folded findings, to look at; the findings themselves stand in the run
_SITTING_US: Final = 3_600_000_000
_AGAIN: Final = "the same rule, machine, process, account and address again"


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """What is worked out for all findings together.

    Args:
        cited: those that are shown, by their place in the table.
        last: for each that stands for others the time of the last of these; `count` how many they are, with itself.
    """

    cited: Mapping[int, Finding]
    last: Longs
    count: Longs
    lit: scope.Lit
    touched: scope.Touched


def by_host(board: Board, kept: Longs) -> list[set[Rule]]:
    """Of each machine, or of each sitting of a person of a cloud, the rules of weight there.

    Somebody's account is in use all day by its owner, from wherever that is: what lies more than an hour apart need not
    be one doing, as it is on a machine.

    Where there is nothing but requests that no rule saw answered, none counts: nothing shows that any was done. What
    had been on its machine on several days before is no second thing.
    """
    asked = routine.requests(board.traces, board.table.row[kept]) & ~board.table.answered[kept]
    told = kept[:0] if board.quieten and asked.all() else kept[~board.familiar[kept]]
    hosts: dict[tuple[int, int, int], set[Rule]] = {}
    principal, sitting = board.traces.role("principal"), dict[int, tuple[int, int]]()
    told = told[np.argsort(board.table.ts[told], kind="stable")]
    columns = board.table.row[told], board.table.rule[told], board.table.ts[told]
    for row, number, ts in zip(*(column.tolist() for column in columns), strict=True):
        machine, who = int(board.machines.of[row]), int(principal[row])
        if machine or not who:
            hosts.setdefault((machine, 0, 0), set()).add(board.rules[number])
            continue
        last, begun = sitting.get(who, (ts, ts))
        sitting[who] = ts, begun if ts - last <= _SITTING_US else ts
        hosts.setdefault((0, who, sitting[who][1]), set()).add(board.rules[number])
    return list(hosts.values())


def cited(board: Board, group: Group, all_: All) -> tuple[Cited, ...]:
    known, count = all_.cited, all_.count
    parts = zip(group.shown.tolist(), group.hosts, group.places, count[group.shown].tolist(), strict=True)
    told = []
    for at, host, place, many in parts:
        finding = known[at]
        rule = board.rules[finding.rule]
        told.append(
            Cited(
                rule_id=rule.id,
                title=rule.title,
                level=rule.level,
                techniques=rule.techniques,
                tactics=rule.tactics,
                host=host or finding.host,
                kind=finding.kind,
                at=place if place.src == finding.src else replace(place, src=finding.src),
                fields=finding.fields,
                repeats=many - 1,
                terms=_terms(rule),
            )
        )
    return tuple(told)


def _terms(rule: Rule) -> tuple[str, ...] | None:
    one = rule.indicator
    return None if one is None else binding(one.labels, one.source, one.tlp)


def folded(board: Board, group: Group, all_: All) -> tuple[Folded, ...]:
    """What is kept out of sight, and what is lowered."""
    by_place, last, count = all_.cited, all_.last, all_.count
    known, shown = board.table, group.shown
    worth = np.flatnonzero((count[shown] > 1) | (board.lowered[shown] != routine.NOTHING))
    if not len(worth):
        return ()
    at = shown[worth]
    low = board.again_from[at]
    many = np.minimum(count[at] - 1, CITED_REPEATS)
    ends = np.cumsum(many)
    places = board.citations(known.row[board.again[np.repeat(low - ends + many, many) + np.arange(many.sum())]])
    parts = zip(
        worth.tolist(),
        at.tolist(),
        known.rule[at].tolist(),
        [group.hosts[number] for number in worth.tolist()],
        (count[at] - 1).tolist(),
        [(None if ts == NO_TIME else ts) for ts in known.ts[at].tolist()],
        [(None if ts == NO_TIME else ts) for ts in last[at].tolist()],
        [tuple(places[end - size : end]) for end, size in zip(ends.tolist(), many.tolist(), strict=True)],
        strict=True,
    )
    told = []
    for number, place, number_of_rule, host, others, first_us, last_us, citations in parts:
        rule = board.rules[number_of_rule]
        reasons = [_AGAIN] if others else []
        if board.lowered[place]:
            reasons.append(routine.BECAUSE[int(board.lowered[place])])
        told.append(
            Folded(
                index=number,
                rule_id=rule.id,
                title=rule.title,
                level=rule.level,
                host=host or by_place[place].host,
                count=others,
                first_us=first_us,
                last_us=last_us,
                because="; ".join(reasons),
                citations=citations,
            )
        )
    return tuple(told)


def number(findings: Sequence[Cited]) -> str:
    """Of what it is made of: the same evidence gives the same."""
    places = sorted(f"{one.at.src or one.at.path} {one.at.chunk} {one.at.rec} {one.rule_id}" for one in findings)
    return hashlib.sha256("\n".join(places).encode(errors="surrogatepass")).hexdigest()[:16]


def title(tactic: str, hosts: Sequence[str], rule: str) -> str:
    where = f" on {hosts[0]}" if hosts else ""
    more = f" and {len(hosts) - 1} more" if len(hosts) > 1 else ""
    return f"{tactic.replace('-', ' ').capitalize() or 'Findings'}{where}{more}: {rule}"
