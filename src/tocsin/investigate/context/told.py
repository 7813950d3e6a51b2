"""Incidents, their Leads and the beads that were kept in; what else to look for, and their context, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tocsin.investigate.context.beads import HOUR_US, Bead
from tocsin.investigate.context.leads import MOST as MOST_LEADS
from tocsin.investigate.context.leads import Lead, Leads, is_ours
from tocsin.investigate.context.ordinary import DAY_US, ordinary, place
from tocsin.investigate.roles import WATCHERS
from tocsin.model.asset import Assets
from tocsin.model.citation import Citation
from tocsin.model.context import Context
from tocsin.model.event import NO_TIME
from tocsin.model.incident import Incident

MOST: Final = 500  # lines of context in an incident
_CITED: Final = 3  # records of a line: the first, and of the rest the one by which most was sent
_IN_SERVICE: Final = "several people use it day after day, so all days are one line"
# Whose records tell of further things: what a process of theirs spoke to is theirs; what shares a server need not be.
_LEADING: Final = frozenset({"process", "program", "domain", "record", "address"})
# What the record of a finding in a cloud leads to; of others it names enough by itself.
_OF_RECORDS: Final = frozenset({"application", "person"})


def further(leads: Sequence[Leads], beads: Iterable[Bead], assets: Assets) -> tuple[Leads, ...]:
    """Addresses outside and names that records of these processes and names tell of: looked for once."""
    beads = list(beads)
    usual = ordinary(beads, leads)
    where = _where(leads)
    found: list[dict[Lead, str]] = [{} for _ in leads]
    left: list[set[Lead]] = [set() for _ in leads]
    for bead in beads:
        for lead in bead.names:
            for number in where.get(lead, ()) if lead[0] in _LEADING else ():
                one = leads[number]
                if not usual.tells(bead, lead, one):
                    continue
                for thing in (*bead.met, *_hours(bead)):
                    if thing in one.why or thing in found[number] or not _leads(lead, thing, assets):
                        continue
                    if len(found[number]) < MOST_LEADS:
                        found[number][thing] = _because(lead)
                    else:
                        left[number].add(thing)
    return tuple(replace(one, why=more, left=len(some)) for one, more, some in zip(leads, found, left, strict=True))


def joined(first: Sequence[Leads], more: Sequence[Leads]) -> tuple[Leads, ...]:
    """Of each incident all that was looked for."""
    return tuple(
        replace(one, why={**one.why, **other.why}, left=one.left + other.left)
        for one, other in zip(first, more, strict=True)
    )


def _leads(lead: Lead, thing: Lead, assets: Assets) -> bool:
    """Whether what is named beside a lead is one itself."""
    (by, _), (kind, name) = lead, thing
    if kind in _OF_RECORDS:
        return by in {"record", "address"}
    if by in {"record", "address"}:
        return False
    return "." in name if kind == "domain" else not is_ours(name, assets)


def _because(lead: Lead) -> str:
    if lead[0] == "record":
        return "named in the record of a finding"
    return f"named beside {lead[0]} {lead[1]}"


def _hours(bead: Bead) -> list[Lead]:
    """The person of a cloud, in the hour of a record and those beside it."""
    if not bead.person or bead.ts == NO_TIME:
        return []
    return [("person", f"{bead.person}|{bead.ts // HOUR_US + beside}") for beside in (-1, 0, 1)]


@dataclass(slots=True)
class _Line:
    count: int = 0
    times: list[int] = field(default_factory=list)
    beads: list[Bead] = field(default_factory=list)


def told(
    incidents: Sequence[Incident],
    leads: Sequence[Leads],
    beads: Iterable[Bead],
    digests: Mapping[str, str],
    assets: Assets,
    cut: int = 0,
) -> tuple[Incident, ...]:
    """The incidents that have leads, in their order, each with its context.

    Args:
        cut: how many records more named something that was looked for.

    What is ordinary (`ordinary.py`) tells of nobody, and is left out.
    """
    beads = sorted(beads, key=lambda bead: (bead.ts == NO_TIME, bead.ts, bead.path, bead.chunk, bead.rec))
    usual = ordinary(beads, leads)
    where = _where(leads)
    lines: list[defaultdict[tuple[Lead, str, str, int], _Line]] = [defaultdict(_Line) for _ in leads]
    known = [{(cited.at.path, cited.at.chunk, cited.at.rec) for cited in one.findings} for one in incidents]
    for bead in beads:
        for lead in bead.names:
            if lead[0] == "record" or (lead[0] == "person" and not _from_outside(bead, assets)):
                continue
            day = 0 if lead in usual.in_service else bead.ts // DAY_US
            for number in where.get(lead, ()):
                if not usual.tells(bead, lead, leads[number]) or place(bead) in known[number]:
                    continue
                known[number].add(place(bead))
                # A sensor or a firewall writes of many machines: each of these is a line, as where each writes itself.
                machine = bead.who if bead.kind in WATCHERS else bead.host
                line = lines[number][lead, bead.kind, machine, day]
                line.count += 1
                if bead.ts != NO_TIME:
                    line.times = [line.times[0] if line.times else bead.ts, bead.ts]
                if len(line.beads) < _CITED:
                    line.beads.append(bead)
                elif bead.sent > line.beads[-1].sent:
                    line.beads[-1] = bead
    return tuple(
        replace(
            one,
            context=_told(of_it, one_leads, digests, usual.in_service),
            not_seen=(*_not_told(one_leads, [line.count for line in of_it.values()], cut), *one.not_seen),
        )
        for one, one_leads, of_it in zip(incidents, leads, lines, strict=True)
    )


def _not_told(leads: Leads, counts: Sequence[int], cut: int) -> Iterator[str]:
    """What was cut off for its number: an incident that has much around it says so."""
    if leads.left:
        yield f"context: {leads.left:,} more things that it shares with other records were not looked for"
    if len(counts) > MOST:
        yield f"context: {sum(counts[MOST:]):,} more records that share a thing with it are not listed"
    if cut and leads.why:
        yield f"context: {cut:,} records that share a thing with this or another incident were too many to be kept"


def _from_outside(bead: Bead, assets: Assets) -> bool:
    """Whether somebody came from an address that is not the house's own."""
    return any(kind == "address" and not is_ours(name, assets) for kind, name in (*bead.met, *bead.names))


def _told(
    lines: Mapping[tuple[Lead, str, str, int], _Line],
    leads: Leads,
    digests: Mapping[str, str],
    in_service: Collection[Lead],
) -> tuple[Context, ...]:
    return tuple(
        Context(
            kind=lead[0],
            name=lead[1],
            because=f"{leads.why[lead]}; {_IN_SERVICE}" if lead in in_service else leads.why[lead],
            log=log,
            count=line.count,
            first_us=line.times[0] if line.times else None,
            last_us=line.times[-1] if line.times else None,
            citations=tuple(
                Citation(
                    src=digests.get(bead.file, ""),
                    path=bead.path,
                    rec=bead.rec,
                    chunk=bead.chunk,
                    ts_us=None if bead.ts == NO_TIME else bead.ts,
                )
                for bead in line.beads
            ),
        )
        for (lead, log, _, _), line in list(lines.items())[:MOST]
    )


def _where(leads: Sequence[Leads]) -> dict[Lead, list[int]]:
    where: dict[Lead, list[int]] = {}
    for number, one in enumerate(leads):
        for lead in one.why:
            where.setdefault(lead, []).append(number)
    return where
