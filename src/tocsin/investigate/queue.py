"""Incidents in, the queue that people read and the background behind it out: equal things are one entry.

What stands in the queue costs somebody's minutes, whatever its rank (FIRST, "CSIRT Services Framework" 2.1, 5.2.1: to
categorise and set priorities comes before to analyse). Nothing is lost: an entry tells what was folded into it and why,
and the background counts the rest. Whoever gathers with `quieten=False` gets every incident as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tocsin.investigate.gather import gather
from tocsin.investigate.normal import address, is_public
from tocsin.investigate.routine import asked_only, reasons
from tocsin.investigate.traces import Traces
from tocsin.model.asset import Assets
from tocsin.model.background import Background
from tocsin.model.citation import Citation
from tocsin.model.finding import Finding
from tocsin.model.incident import Cited, Folded, Incident
from tocsin.model.permit import Permit
from tocsin.model.rule import LEVELS, Level, Rule

_DAY_US: Final = 86_400_000_000
_MOST: Final = 5  # of places to look at, and of names
_MEDIUM: Final = LEVELS.index("medium")
_ALIKE: Final = "the same rules elsewhere or on another day: a list, which is not to say that it is one doing"
_ALONE: Final = "of low level, and near nothing of weight"
_ONCE: Final = (
    "one rule of level medium on one machine, which names nobody outside, and nothing else of weight beside it"
)
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Incidents to act on now, then those to review, equal ones folded; and what stands behind them."""

    incidents: tuple[Incident, ...]
    background: tuple[Background, ...]


def queued(
    findings: Iterable[Finding],
    rules: Sequence[Rule],
    traces: Traces,
    *,
    digests: Mapping[str, str],
    assets: Assets | None = None,
    permits: Sequence[Permit] = (),
    quieten: bool = True,
) -> Queue:
    """Gather findings as in `gather`, and order what comes of it for people: for logs and for a lake in one way."""
    found = gather(findings, rules, traces, digests=digests, assets=assets, permits=permits, quieten=quieten)
    return queue(found) if quieten else Queue(incidents=found, background=())


def queue(incidents: Iterable[Incident]) -> Queue:
    """Fold what is equal among those to review; the order stays."""
    read: list[Incident] = []
    equal: list[tuple[Level, frozenset[str], int]] = []
    alike: defaultdict[int, list[Incident]] = defaultdict(list)
    behind: list[Incident] = []
    for one in incidents:
        if one.rank == "background" or _once(one):
            behind.append(one)
            continue
        if one.rank == "review":
            level, rules = _key(one)
            # The worst come first: what has fewer of the same rules is no other thing to look at.
            like = next((at for worst, all_, at in equal if worst == level and _alike(level, rules, all_)), None)
            if like is not None:
                alike[like].append(one)
                continue
            equal.append((level, rules, len(read)))
        read.append(one)
    folded = (_listed(one, alike[number]) if number in alike else one for number, one in enumerate(read))
    return Queue(incidents=tuple(folded), background=_background(behind))


def _of_weight(one: Incident) -> list[Cited]:
    lowered = reasons(one)
    return [
        finding
        for number, finding in enumerate(one.findings)
        if LEVELS.index(finding.level) >= _MEDIUM and number not in lowered
    ]


def _once(one: Incident) -> bool:
    """Whether somebody who triages would set it beside: SigmaHQ's medium is for review in bulk, not one by one.

    What names somebody outside, or no machine, can be asked about by itself; what intelligence told of always is.
    """
    of_weight = _of_weight(one)
    if one.rank != "review" or not of_weight or len({finding.rule_id for finding in of_weight}) > 1:
        return False
    if len(one.hosts) != 1 or any(finding.level != "medium" or finding.terms is not None for finding in of_weight):
        return False
    return not any(is_public(address(seen.name)) for seen in one.addresses)


def _alike(level: Level, rules: frozenset[str], others: frozenset[str]) -> bool:
    """Of level medium, whoever has half of it in common has it: administrators combine the same steps ever anew."""
    if level == "medium":
        return bool(rules) and len(rules & others) >= _HALF * len(rules)
    return rules <= others


def _key(one: Incident) -> tuple[Level, frozenset[str]]:
    """What makes two the same to whoever reviews them: the rules of weight; of attempts, that they are."""
    of_weight = _of_weight(one)
    if of_weight and not all(asked_only(finding) for finding in of_weight):
        worst = max((finding.level for finding in of_weight), key=LEVELS.index)
        return worst, frozenset(finding.rule_id for finding in of_weight)
    return "informational", frozenset()


def _listed(one: Incident, others: Sequence[Incident]) -> Incident:
    """An incident that stands for others, which it tells of rule by rule and machine by machine."""
    places: defaultdict[tuple[str, str, str, Level], _Counted] = defaultdict(_Counted)
    for other in others:
        for finding in other.findings:
            places[finding.rule_id, finding.title, finding.host, finding.level].add(finding)
    told = tuple(
        Folded(
            index=-1,
            rule_id=rule,
            title=title,
            level=level,
            host=host,
            count=counted.count,
            first_us=counted.first_us,
            last_us=counted.last_us,
            because=_ALIKE,
            citations=tuple(counted.citations),
        )
        for (rule, title, host, level), counted in sorted(places.items(), key=lambda place: place[0])
    )
    hosts = {seen.name for each in (one, *others) for seen in each.hosts}
    days = {each.first_us // _DAY_US for each in (one, *others) if each.first_us is not None}
    on = f"{len(hosts):,} {'machine' if len(hosts) == 1 else 'machines'}"
    because = (
        f"a list of {len(others) + 1:,} that are alike, on {on} and {len(days):,} {'day' if len(days) == 1 else 'days'}"
    )
    return replace(one, folded=(*one.folded, *told), because=(*one.because, because))


@dataclass(slots=True)
class _Counted:
    count: int = 0
    hosts: set[str] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    first_us: int | None = None
    last_us: int | None = None
    citations: list[Citation] = field(default_factory=list)

    def add(self, finding: Cited, last_us: int | None = None) -> None:
        self.count += 1 + finding.repeats
        if finding.host:
            self.hosts.add(finding.host)
        if len(self.citations) < _MOST:
            self.citations.append(finding.at)
        for ts in (finding.at.ts_us, last_us):
            if ts is not None:
                self.days.add(ts // _DAY_US)
                self.first_us = ts if self.first_us is None else min(self.first_us, ts)
                self.last_us = ts if self.last_us is None else max(self.last_us, ts)


def _background(behind: Sequence[Incident]) -> tuple[Background, ...]:
    counts: defaultdict[tuple[str, str, Level, str], _Counted] = defaultdict(_Counted)
    for one in behind:
        lowered = reasons(one)
        ends = {folded.index: folded.last_us for folded in one.folded}
        for number, finding in enumerate(one.findings):
            alone = _ALONE if LEVELS.index(finding.level) < _MEDIUM else _ONCE
            key = finding.rule_id, finding.title, finding.level, lowered.get(number, alone)
            counts[key].add(finding, ends.get(number))
    return tuple(
        Background(
            rule_id=rule,
            title=title,
            level=level,
            because=because,
            count=counted.count,
            hosts=len(counted.hosts),
            days=len(counted.days),
            first_us=counted.first_us,
            last_us=counted.last_us,
            on=tuple(sorted(counted.hosts)[:_MOST]),
            citations=tuple(counted.citations),
        )
        for (rule, title, level, because), counted in sorted(
            counts.items(), key=lambda one: (-LEVELS.index(one[0][2]), -one[1].count, one[0])
        )
    )
