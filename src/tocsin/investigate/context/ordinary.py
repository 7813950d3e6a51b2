"""Beads and what was looked for in; which of them tell of ordinary life, though they name a thing of weight, out.

An address outside is many people's in turn, an application that was let in may be the house's own, and a server's
program runs for everybody. Whoever looks into it tells them by when, by whom and for how long they were there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.investigate.context.beads import Bead
from tocsin.investigate.context.leads import Lead, Leads
from tocsin.investigate.links import REACH_US
from tocsin.investigate.machines import COMMON
from tocsin.investigate.noise import EVERY_DAY
from tocsin.model.event import NO_TIME

DAY_US: Final = 86_400_000_000
# Logs of what anybody may ask of us: that an address of somebody who does harm is in them says little by itself.
_OPEN_TO_ALL: Final = frozenset({"webserver", "zeek", "suricata", "firewall"})
_PAUSE_US: Final = REACH_US["host"]  # hands on a keyboard pause for less

_Stay = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """What tells of nobody.

    Args:
        common: what more than a few machines or people of ours have to do with, and programs that ran before anything
            was found in what they do.
        in_service: applications that several people use day after day.
        stays: of records whose asker must have been there at the time of something of weight, from when until when.
        weighed_us: when something of weight was found, by the addresses outside that lead from it, and by the machine.
    """

    common: frozenset[Lead]
    in_service: frozenset[Lead]
    stays: dict[tuple[str, int, int], _Stay]
    weighed_us: Mapping[str, list[int]]

    def tells(self, bead: Bead, lead: Lead, leads: Leads) -> bool:
        """Whether a record that names a thing which is looked for says something of this incident."""
        if lead in self.common or not (bead.ts == NO_TIME or leads.since_us <= bead.ts <= leads.until_us):
            return False
        stay = self.stays.get(place(bead)) if lead == ("address", bead.asker) else None
        return stay is None or any(_near(self.weighed_us.get(name, ()), stay) for name in (bead.asker, bead.who))


def place(bead: Bead) -> tuple[str, int, int]:
    return bead.path, bead.chunk, bead.rec


def ordinary(beads: Sequence[Bead], leads: Iterable[Leads]) -> Ordinary:
    weighed_us = _weighed(leads)
    return Ordinary(
        common=_common(beads) | _ran_before(beads),
        in_service=_in_service(beads),
        stays=_stays(beads, weighed_us),
        weighed_us=weighed_us,
    )


def _weighed(leads: Iterable[Leads]) -> Mapping[str, list[int]]:
    times: defaultdict[str, set[int]] = defaultdict(set)
    for one in leads:
        for name, some in one.weighed_us.items():
            if name:
                times[name] |= some
        for kind, name in one.why:
            if kind == "address":
                times[name].update(*one.weighed_us.values())
    return {name: sorted(some) for name, some in times.items()}


def _common(beads: Iterable[Bead]) -> frozenset[Lead]:
    whose: defaultdict[Lead, set[str]] = defaultdict(set)
    for bead in beads:
        for lead in bead.names:
            if len(whose[lead]) <= COMMON:
                whose[lead].add(bead.who)
    return frozenset(lead for lead, some in whose.items() if len(some) > COMMON)


def _ran_before(beads: Iterable[Bead]) -> frozenset[Lead]:
    """Programs that had been on their machine for a day before the first of the processes that lead to them."""
    first, came = dict[Lead, int](), dict[Lead, int]()
    for bead in beads:
        found = any(kind == "process" for kind, _ in bead.names)
        for lead in bead.names:
            if lead[0] == "program" and bead.ts != NO_TIME:
                first[lead] = min(bead.ts, first.get(lead, bead.ts))
                if found:
                    came[lead] = min(bead.ts, came.get(lead, bead.ts))
    return frozenset(lead for lead, ts in came.items() if first[lead] < ts - DAY_US)


def _in_service(beads: Iterable[Bead]) -> frozenset[Lead]:
    who: defaultdict[Lead, set[str]] = defaultdict(set)
    days: defaultdict[Lead, set[int]] = defaultdict(set)
    for bead in beads:
        for lead in bead.names:
            if lead[0] == "application" and bead.person:
                who[lead].add(bead.person)
                days[lead].add(bead.ts // DAY_US)
    return frozenset(lead for lead, some in who.items() if len(some) > 1 and len(days[lead]) >= EVERY_DAY)


def _stays(beads: Sequence[Bead], weighed_us: Mapping[str, Sequence[int]]) -> dict[tuple[str, int, int], _Stay]:
    """Records of one asker that follow on each other within the hour; of clouds, where somebody is at home there."""
    home = _homes(beads, weighed_us)
    by_asker: defaultdict[str, list[Bead]] = defaultdict(list)
    for bead in beads:
        if bead.asker and bead.ts != NO_TIME and (bead.kind in _OPEN_TO_ALL or (bead.person and bead.asker in home)):
            by_asker[bead.asker].append(bead)
    told: dict[tuple[str, int, int], _Stay] = {}
    for some in by_asker.values():
        some.sort(key=lambda bead: bead.ts)
        start = 0
        for end, bead in enumerate(some):
            if end + 1 == len(some) or some[end + 1].ts - bead.ts > _PAUSE_US:
                told |= dict.fromkeys(map(place, some[start : end + 1]), (some[start].ts, bead.ts))
                start = end + 1
    return told


def _homes(beads: Iterable[Bead], weighed_us: Mapping[str, Sequence[int]]) -> frozenset[str]:
    """Addresses from which one person alone comes to a cloud, and did day after day before anything was found of them.

    Whoever took an account reads in it day after day, too, and alone: only what was there before tells of a home.
    """
    people: defaultdict[str, set[str]] = defaultdict(set)
    days: defaultdict[str, set[int]] = defaultdict(set)
    for bead in beads:
        if bead.person and bead.asker:
            people[bead.asker].add(bead.person)
            found = weighed_us.get(bead.asker, ())
            if bead.ts != NO_TIME and (not found or bead.ts < found[0]):
                days[bead.asker].add(bead.ts // DAY_US)
    return frozenset(one for one, some in people.items() if len(some) == 1 and len(days[one]) >= EVERY_DAY)


def _near(weighed_us: Sequence[int], stay: _Stay) -> bool:
    at = bisect_left(weighed_us, stay[0] - _PAUSE_US)
    return at < len(weighed_us) and weighed_us[at] <= stay[1] + _PAUSE_US
