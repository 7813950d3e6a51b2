"""Findings by what they share in, links between them out: each with what is shared, how rare, and by which record.

A link is drawn between neighbours in time only, so that there are no more links than findings for each kind of thing
they share. What more than `COMMON` machines deal with says nothing, and draws no link. Counts are absolute, never
shares of the evidence: more logs can only make a thing more common, so they take links away and add none between
findings that were there before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.machines import COMMON, Machines, counting, machines_with
from tocsin.investigate.nearest import chained, earliest, grouped, nearest
from tocsin.investigate.noise import is_everybodys
from tocsin.investigate.normal import is_public
from tocsin.investigate.processes import Lineage
from tocsin.investigate.roles import Role
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.incident import EntityKind

_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_HOUR_US: Final = 60 * _MINUTE_US
_DAY_US: Final = 24 * _HOUR_US

# How far apart in time findings may be and the thing still be the same doing.
REACH_US: Final[dict[EntityKind, int]] = {
    "process": 365 * _DAY_US,  # as long as it runs: nothing else has its number
    "logon": 8 * _HOUR_US,  # a working day: people leave sessions open
    "session": _DAY_US,
    "account": 8 * _HOUR_US,  # on one machine, as a logon
    "host": _HOUR_US,  # hands on a keyboard pause for less; what comes later has a process or a session to tell it
    "principal": _DAY_US,
    "address": 30 * _DAY_US,  # infrastructure is kept for weeks
    "domain": 30 * _DAY_US,
    "hash": 30 * _DAY_US,
    "file": 30 * _DAY_US,
    "mail": 30 * _DAY_US,
}
# Who comes from one machine to another is seen on both within minutes.
MEETING_US: Final = 15 * _MINUTE_US

# Where programs stand that come with the system or are installed for everybody; the rest of the disk says more.
INSTALLED: Final = re.compile(
    r"^(?:[a-z]:|\\\?\?\\[a-z]:|\\device\\harddiskvolume\d+)?"
    r"\\(?:windows\\(?!temp\\|tasks\\|tracing\\|debug\\)|program files)"
    r"|^/(?:usr|bin|sbin|lib|lib64|opt|etc|dev|proc|sys|run|system|library|applications)/"
)
# Files that do something; a system writes others under the same names on every machine.
_PROGRAM: Final = re.compile(
    r"\.(?:exe|dll|sys|scr|com|cpl|ps1|psm1|bat|cmd|vbs|vbe|js|jse|wsf|hta|sct|msi|lnk|iso|img|jar|py|sh|pl|php|jspx?"
    r"|aspx?|ashx|elf|so|xll|dmp|7z|rar|kirbi)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """`one` and `other` are findings, the earlier first; `code` is what they share, in a numbering of its kind.

    `via` is a trace between the two, -1 for none; `held` on how many machines the thing is.
    """

    one: Longs
    other: Longs
    kind: npt.NDArray[np.int8]
    code: Longs
    held: Longs
    via: Longs


KINDS: Final[tuple[EntityKind, ...]] = tuple(REACH_US)


_REACHES: Final = np.array([REACH_US[kind] for kind in KINDS], np.float64)
# What a thing that any two machines may share must be worth to join findings on two: what two machines have, within
# two days and a half; what eight have, within three hours and a half. In made findings of thousands of machines, where
# whatever two share is chance, 2 bits put 59 % of all into one incident, 3 bits 27 %, and 4 bits no more than without
# such links at all (`bench/findings_at_scale.py`, 40,000 findings).
LEAST_BITS: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Of each finding its trace, its time and its machine."""

    row: Longs
    ts: Longs
    machine: Codes


def weights(links: Links, ts: Longs) -> npt.NDArray[np.float64]:
    """Bits: how few machines have the thing of those that may, and how near in time the two are within its reach."""
    gap = np.maximum((ts[links.other] - ts[links.one]) / _SECOND_US, 1.0)
    rarity = np.log2((COMMON + 1) / np.maximum(links.held, 1))
    worth: npt.NDArray[np.float64] = rarity + np.log2(1 + _REACHES[links.kind] / _SECOND_US / gap) / 2
    return worth


def within(traces: Traces, machines: Machines, lines: Lineage, found: Shared) -> list[Links]:
    """Links by what is of one machine: processes, sessions, an account or a program there."""
    account, asked_from = _accounts(traces, machines, found)
    alone = np.ones(len(found.row), np.int64)
    return [
        _chain(found, "process", lines.tree[found.row], alone),
        _chain(found, "logon", lines.session[found.row], alone),
        _chain(found, "account", np.where(asked_from <= COMMON, account, 0), np.maximum(asked_from, 1)),
        _programs(traces, found),
    ]


def nearby(machines: Machines, found: Shared) -> Links:
    """Links by the machine itself, and an hour."""
    served = machines.served[found.machine]
    return _chain(found, "host", np.where((found.machine > 0) & (served <= COMMON), found.machine, 0), served)


def _accounts(traces: Traces, machines: Machines, found: Shared) -> tuple[Longs, Longs]:
    """Of each finding its account on its machine, and from how many places that account comes to it."""
    logons = np.flatnonzero(traces.acts("logon"))
    rows = np.concatenate([found.row, logons])
    name = traces.role("account")[rows]
    pair = np.where((name > 0) & (machines.of[rows] > 0), grouped([machines.of[rows], name]) + 1, 0)
    peer, address = (traces.role(role)[logons] for role in ("peer", "peer_address"))
    _, firsts = np.unique(grouped([pair[len(found.row) :], peer, address]), return_index=True)
    places = np.bincount(pair[len(found.row) :][firsts], minlength=int(pair.max(initial=0)) + 1)
    mine = pair[: len(found.row)]
    return mine, places[mine].astype(np.int64)


def _programs(traces: Traces, found: Shared) -> Links:
    """Links by a program that does not come with the system, on one machine: it, its file, or what it started."""
    code = np.concatenate([traces.role(role)[found.row] for role in _PROGRAMS])
    code = np.where(traces.that(code, partial(says_something, "file")), code, 0)
    at = np.tile(np.arange(len(found.row)), len(_PROGRAMS))
    kept = np.flatnonzero((code > 0) & (found.machine[at] > 0) & (found.ts[at] != NO_TIME))
    at, code = at[kept], code[kept]
    order = np.argsort(at, kind="stable")
    at, code = at[order], code[order]
    first, second = chained(grouped([found.machine[at], code]), found.ts[at], REACH_US["file"])
    one, other, code = at[first], at[second], code[first]
    apart = one != other
    early, late = np.minimum(one[apart], other[apart]), np.maximum(one[apart], other[apart])
    return Links(
        one=early,
        other=late,
        kind=np.full(len(early), KINDS.index("file"), np.int8),
        code=code[apart].astype(np.int64),
        held=np.ones(len(early), np.int64),
        via=np.full(len(early), -1, np.int64),
    )


def _chain(found: Shared, kind: EntityKind, code: npt.NDArray[np.integer], held: Longs) -> Links:
    at = np.flatnonzero((code > 0) & (found.ts != NO_TIME))
    first, second = chained(code[at], found.ts[at], REACH_US[kind])
    one, other = at[first], at[second]
    return Links(
        one=one,
        other=other,
        kind=np.full(len(one), KINDS.index(kind), np.int8),
        code=code[one].astype(np.int64),
        held=held[one].astype(np.int64),
        via=np.full(len(one), -1, np.int64),
    )


def across(traces: Traces, machines: Machines, lines: Lineage, found: Shared) -> list[Links]:
    """Links by what several machines can share, and by who comes from one to another."""
    links = [_rare(traces, machines, found, kind, role) for kind, role in _SPREAD]
    return [
        *links,
        _by_session(traces, machines, lines, found),
        _by_account(traces, machines, found),
        _by_contact(traces, machines, found),
    ]


_SPREAD: Final[tuple[tuple[EntityKind, Role], ...]] = (
    ("hash", "hash"),
    ("domain", "domain"),
    ("file", "file"),
    ("address", "address"),
    ("address", "peer_address"),
    ("mail", "mail"),
    ("session", "session"),
    ("principal", "principal"),
)


def _rare(traces: Traces, machines: Machines, found: Shared, kind: EntityKind, role: Role) -> Links:
    column = counting(traces, traces.role(role))
    held = machines_with(column, machines.of)
    code = column[found.row]
    if kind == "address":
        # Behind one address may be a whole house: services in the cloud name people, and no machine.
        held = np.maximum(held, machines_with(column, traces.role("principal")))
        code = np.where(np.isin(code, machines.house), 0, code)
    if kind == "hash":  # of a program that stands where everybody has it
        usual = [traces.that(traces.role(place)[found.row], _is_installed) for place in _PLACES]
        code = np.where(np.logical_or.reduce(usual), 0, code)
    code = np.where(held[code] <= COMMON, code, 0)
    code = np.where(traces.that(code, partial(says_something, kind)), code, 0)
    links = _chain(found, kind, code, held[code])
    alike = found.machine[links.one] == found.machine[links.other]
    if kind == "address":  # of a cloud no machine is known: that two people come from one address is as with machines
        alike &= found.machine[links.one] > 0
    return picked(links, np.flatnonzero(alike | (weights(links, found.ts) >= LEAST_BITS)))


_PROGRAMS: Final[tuple[Role, ...]] = ("file", "image", "parent_image")
_PLACES: Final[tuple[Role, ...]] = ("image", "file")


def _is_installed(text: str) -> bool:
    return bool(INSTALLED.search(text))


def says_something(kind: EntityKind, text: str) -> bool:
    if not text:
        return False
    if kind == "address":
        return is_public(text) and not is_everybodys(text)  # a private one is another machine in each network
    if kind == "domain":
        return not is_everybodys(text)
    if kind == "file":
        return bool(_PROGRAM.search(text)) and not _is_installed(text)
    return True


def _by_session(traces: Traces, machines: Machines, lines: Lineage, found: Shared) -> Links:
    """A finding in a session that began from another machine, and what was found there at that time."""
    logons = np.flatnonzero(traces.acts("logon") & (lines.opened > 0) & (machines.source > 0) & (traces.ts != NO_TIME))
    inside = np.flatnonzero((lines.session[found.row] > 0) & (found.ts != NO_TIME))
    session = lines.session[found.row[inside]]
    # The first finding of each session stands for it: the others are chained to it.
    later = nearest(session, found.ts[inside], lines.opened[logons], traces.ts[logons], REACH_US["logon"])
    logons, later = logons[later >= 0], inside[later[later >= 0]]
    timed = np.flatnonzero(found.ts != NO_TIME)
    source = machines.source[logons]
    source = np.where(machines.served[source] <= COMMON, source, -1)
    earlier = nearest(found.machine[timed], found.ts[timed], source, traces.ts[logons], REACH_US["host"])
    fits = earlier >= 0
    return drawn(found, "logon", timed[earlier[fits]], later[fits], lines.opened[logons[fits]], logons[fits])


def _by_account(traces: Traces, machines: Machines, found: Shared) -> Links:
    """A finding of an account on a machine to which it came from another, and what was found there at that time."""
    account, asked_from = _accounts(traces, machines, found)
    name = traces.role("account")
    logons = np.flatnonzero(traces.acts("logon") & (machines.source > 0) & (name > 0) & (traces.ts != NO_TIME))
    source = machines.source[logons]
    logons = logons[machines.served[source] <= COMMON]
    timed = np.flatnonzero(found.ts != NO_TIME)
    usable = timed[(account[timed] > 0) & (asked_from[timed] <= COMMON)]
    pair = (machines.of.astype(np.int64) << 32) | name
    later = earliest(pair[found.row[usable]], found.ts[usable], pair[logons], traces.ts[logons])
    near = later >= 0
    near[near] = found.ts[usable[later[near]]] - traces.ts[logons[near]] <= REACH_US["account"]
    logons, later = logons[near], usable[later[near]]
    earlier = nearest(
        found.machine[timed], found.ts[timed], machines.source[logons], traces.ts[logons], REACH_US["host"]
    )
    fits = np.flatnonzero(earlier >= 0)
    one, other, via = timed[earlier[fits]], later[fits], logons[fits]
    _, firsts = np.unique(grouped([one, other]), return_index=True)
    return drawn(found, "account", one[firsts], other[firsts], name[via[firsts]].astype(np.int64), via[firsts])


def _by_contact(traces: Traces, machines: Machines, found: Shared) -> Links:
    """Findings on two machines that met, around the time when they did."""
    few = (machines.served <= COMMON) & (machines.asking <= COMMON)
    few[0] = False
    here = np.zeros(len(machines.names), bool)
    here[found.machine[found.ts != NO_TIME]] = True
    good = few & here
    meets = np.flatnonzero(good[machines.source] & good[machines.target] & (traces.ts != NO_TIME))
    timed = np.flatnonzero(found.ts != NO_TIME)
    ends = [
        nearest(found.machine[timed], found.ts[timed], side[meets], traces.ts[meets], MEETING_US)
        for side in (machines.source, machines.target)
    ]
    fits = (ends[0] >= 0) & (ends[1] >= 0)
    one, other, via = timed[ends[0][fits]], timed[ends[1][fits]], meets[fits]
    _, firsts = np.unique(grouped([one, other]), return_index=True) if len(one) else (one, one)
    return drawn(found, "host", one[firsts], other[firsts], machines.target[via[firsts]].astype(np.int64), via[firsts])


def drawn(found: Shared, kind: EntityKind, one: Longs, other: Longs, code: Longs, via: Longs) -> Links:
    """Links of two machines, or by a record `via` between two findings."""
    early, late = np.where(found.ts[one] <= found.ts[other], (one, other), (other, one))
    return Links(
        one=early,
        other=late,
        kind=np.full(len(one), KINDS.index(kind), np.int8),
        code=code,
        held=np.full(len(one), 2, np.int64),
        via=via,
    )


def here(found: Shared, one: Longs, other: Longs) -> Links:
    """Links of one machine by what only it and these have."""
    none = np.full(len(one), -1, np.int64)
    return replace(drawn(found, "host", one, other, found.machine[one].astype(np.int64), none), held=-none)


def between(part: Links, one: Longs, other: Longs, ts: Longs) -> Links:
    """The same links between other ends, the earlier first; none from a finding to itself."""
    swapped = ts[other] < ts[one]
    turned = replace(part, one=np.where(swapped, other, one), other=np.where(swapped, one, other))
    return picked(turned, np.flatnonzero(one != other))


def picked(links: Links, kept: Longs) -> Links:
    return Links(
        one=links.one[kept],
        other=links.other[kept],
        kind=links.kind[kept],
        code=links.code[kept],
        held=links.held[kept],
        via=links.via[kept],
    )


def joined(parts: list[Links]) -> Links:
    return Links(
        one=np.concatenate([part.one for part in parts]),
        other=np.concatenate([part.other for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        code=np.concatenate([part.code for part in parts]),
        held=np.concatenate([part.held for part in parts]),
        via=np.concatenate([part.via for part in parts]),
    )
