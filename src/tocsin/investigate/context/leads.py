"""Incidents and their traces in, Leads out: the things by which records beside their findings are known.

What weighs names them: findings of level medium or above that are not lowered. A launcher, a machine of ours and what
every machine has are no lead.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tocsin.investigate.impact.scene import addresses_of, hosts_of
from tocsin.investigate.links import INSTALLED
from tocsin.investigate.noise import is_everybodys
from tocsin.investigate.normal import address, domain, is_public
from tocsin.investigate.processes import LAUNCHERS, MOST_CHILDREN
from tocsin.investigate.roles import SERVICES
from tocsin.investigate.routine import reasons
from tocsin.investigate.traces import Traces
from tocsin.model.asset import Assets
from tocsin.model.context import LEAD_KINDS, LeadKind
from tocsin.model.event import NO_TIME
from tocsin.model.incident import Cited, Incident
from tocsin.model.rule import LEVELS

# What was sent before, and what calls home until somebody stops it: a month either side.
BESIDE_US: Final = 30 * 86_400_000_000
MOST: Final = 1_000  # leads of an incident
_DAY_US: Final = 86_400_000_000
# Of an address with a name or a number of the fourth version: whoever commands a program seldom writes the sixth.
_URL: Final = re.compile(r"(?:https?|ftp)://(?:[^\s/@'\"]*@)?([A-Za-z0-9.-]{1,253})", re.IGNORECASE)
_BEARING: Final = LEVELS.index("medium")
_GRAVE: Final = LEVELS.index("high")
_EVER: Final = int(np.iinfo(np.int64).max)

Lead = tuple[LeadKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Of each incident the things to look for, with the reason, and the time in which; `since_us` may be `NO_TIME`.

    Args:
        weighed_us: when something of weight was found; of addresses and names of machines, on which.
        left: how many things more are not looked for, since there are so many.
    """

    since_us: int
    until_us: int
    why: Mapping[Lead, str]
    weighed_us: Mapping[str, frozenset[int]] = field(default_factory=dict)
    left: int = 0


def leads(
    incidents: Sequence[Incident],
    traces: Traces,
    assets: Assets,
    since_us: int | None = None,
    until_us: int | None = None,
) -> tuple[Leads, ...]:
    """Each incident's own; nothing is looked for before `since_us`, or from `until_us` on, if they are given."""
    rows = _rows(traces, incidents)
    own = addresses_of(traces)
    arrivals = _arrivals(traces)
    start = int(traces.ts[traces.ts != NO_TIME].min(initial=_EVER))
    children = _children(traces)
    told = []
    for one in incidents:
        weighing = list(_weighing(one))
        here = [row for cited in weighing if (row := rows.get(_place(cited))) is not None]
        why, left = dict[Lead, str](), set[Lead]()
        for lead, because in (
            *_processes(traces, here, children),
            *_named(traces, here, one, assets),
            *_commanded(traces, here, assets),
            *_came(one, weighing, own, assets, arrivals, start),
            *_listed(one),
            *((("record", record(*_place(cited))), "its finding") for cited in weighing if cited.kind in SERVICES),
        ):
            if lead in why or len(why) < MOST:
                why.setdefault(lead, because)
            else:
                left.add(lead)
        told.append(
            Leads(
                since_us=max(
                    NO_TIME if one.first_us is None else one.first_us - BESIDE_US,
                    NO_TIME if since_us is None else since_us,
                ),
                until_us=min(
                    _EVER if one.last_us is None else one.last_us + BESIDE_US,
                    _EVER if until_us is None else until_us - 1,
                ),
                why=why,
                weighed_us=_weighed(weighing, own, assets),
                left=len(left),
            )
        )
    return tuple(told)


def _weighed(
    weighing: Iterable[Cited], own: Mapping[str, frozenset[str]], assets: Assets
) -> Mapping[str, frozenset[int]]:
    times: defaultdict[str, set[int]] = defaultdict(set)
    for cited in weighing:
        if cited.at.ts_us is not None:
            times[cited.host].add(cited.at.ts_us)
    named: defaultdict[str, set[int]] = defaultdict(set)
    for host, some in times.items():
        names = hosts_of(host)
        for name in names | _addresses(names, host, own, assets) | {host}:
            named[name] |= some
    return {name: frozenset(some) for name, some in named.items()}


def _addresses(names: Iterable[str], host: str, own: Mapping[str, frozenset[str]], assets: Assets) -> frozenset[str]:
    """Those that records of a machine and the list of assets say it has."""
    listed = {text for asset in assets.named(host) for text in asset.addresses if "/" not in text}
    return frozenset(listed).union(*(own.get(name, ()) for name in names))


def is_ours(text: str, assets: Assets) -> bool:
    return not is_public(text) or bool(assets.at(text))


def record(path: str, chunk: int, rec: int) -> str:
    return f"{path}|{chunk}|{rec}"


def values(all_: Iterable[Leads]) -> dict[LeadKind, frozenset[str]]:
    """What is looked for in all, by kind."""
    found: dict[LeadKind, set[str]] = {kind: set() for kind in LEAD_KINDS}
    for one in all_:
        for kind, name in one.why:
            found[kind].add(name)
    return {kind: frozenset(names) for kind, names in found.items()}


def _place(cited: Cited) -> tuple[str, int, int]:
    return cited.at.path, cited.at.chunk, cited.at.rec


def _weighing(one: Incident) -> Iterator[Cited]:
    lowered = reasons(one)
    for number, cited in enumerate(one.findings):
        if LEVELS.index(cited.level) >= _BEARING and number not in lowered:
            yield cited


def _listed(one: Incident) -> Iterator[tuple[Lead, str]]:
    """Records of those that an incident is a list of."""
    for folded in one.folded:
        if folded.index < 0 and LEVELS.index(folded.level) >= _BEARING:
            for at in folded.citations:
                yield ("record", record(at.path, at.chunk, at.rec)), "of one in the list"


def _rows(traces: Traces, incidents: Iterable[Incident]) -> dict[tuple[str, int, int], int]:
    """Where in the traces the records of findings are."""
    wanted = {_place(cited) for one in incidents for cited in one.findings}
    paths = [path for _, _, path in traces.sources]
    found = np.flatnonzero(traces.found)
    columns = (traces.source[found], traces.chunk[found], traces.rec[found])
    places = zip(found.tolist(), *(column.tolist() for column in columns), strict=True)
    return {place: row for row, source, chunk, rec in places if (place := (paths[source], chunk, rec)) in wanted}


def _is_launcher(text: str) -> bool:
    return text.replace("/", "\\").rpartition("\\")[2] in LAUNCHERS


def _children(traces: Traces) -> Mapping[int, Sequence[int]]:
    """Starts of processes by the GUID of the parent."""
    starts = np.flatnonzero(traces.acts("start") & (traces.role("parent_guid") > 0) & (traces.role("guid") > 0))
    found: dict[int, list[int]] = {}
    for row, parent in zip(starts.tolist(), traces.role("parent_guid")[starts].tolist(), strict=True):
        found.setdefault(parent, []).append(row)
    return found


def _processes(
    traces: Traces, rows: Iterable[int], children: Mapping[int, Sequence[int]]
) -> Iterator[tuple[Lead, str]]:
    """Processes that rules found something in, those they started, and their programs where no system has them."""
    guid, image, seen = traces.role("guid"), traces.role("image"), set[int]()
    for row in rows:
        if guid[row] and not _is_launcher(traces.texts[image[row]]):
            yield from _process(traces, row, "a rule found something in it")
            seen.add(int(guid[row]))
    left = sorted(seen)
    while left:
        parent = left.pop()
        of_it = children.get(parent, ())
        for row in of_it if len(of_it) <= MOST_CHILDREN else ():
            if int(guid[row]) not in seen and not _is_launcher(traces.texts[image[row]]):
                seen.add(int(guid[row]))
                left.append(int(guid[row]))
                yield from _process(traces, row, "a process that a rule found something in started it")


def _process(traces: Traces, row: int, because: str) -> Iterator[tuple[Lead, str]]:
    yield ("process", traces.texts[traces.role("guid")[row]]), because
    path = traces.shown[traces.role("image")[row]].lower()
    host = traces.texts[traces.host[row]].partition(".")[0]
    if host and path and not INSTALLED.match(path):  # those of the system are in use by everybody
        yield ("program", f"{host}|{path}"), because


def _named(traces: Traces, rows: Iterable[int], one: Incident, assets: Assets) -> Iterator[tuple[Lead, str]]:
    """Addresses outside and names that such records, or the incident as a whole, give."""
    for role in ("address", "peer_address", "own_address"):
        column = traces.role(role)
        for row in rows:
            text = traces.texts[column[row]]
            if text and not is_ours(text, assets):
                yield ("address", text), "a finding names it"
    for seen in one.addresses:
        text = address(seen.name)
        if text and not is_ours(text, assets):
            yield ("address", text), "a finding names it"
    column = traces.role("domain")
    for row in rows:
        if "." in (text := traces.texts[column[row]]):
            yield ("domain", text), "a finding names it"


def _commanded(traces: Traces, rows: Iterable[int], assets: Assets) -> Iterator[tuple[Lead, str]]:
    """Hosts outside of the addresses (RFC 3986) in commands: what a program was told to speak to."""
    column = traces.role("command")
    for row in rows:
        for host in _URL.findall(traces.shown[column[row]]):
            text = address(host)
            if text and not is_ours(text, assets):
                yield ("address", text), "the command of a finding names it"
            elif not text and (name := domain(host)) and not is_everybodys(name) and not assets.named(name):
                yield ("domain", name), "the command of a finding names it"


_Arrivals = dict[tuple[str, str], int]


def _arrivals(traces: Traces) -> _Arrivals:
    """When each account came first from each address, to whichever machine."""
    acts = traces.acts("logon", "contact", "refused") & traces.inward & (traces.ts != NO_TIME)
    rows = np.flatnonzero(acts & (traces.role("account") > 0) & (traces.role("peer_address") > 0))
    columns = (traces.role("account")[rows], traces.role("peer_address")[rows], traces.ts[rows])
    first: dict[tuple[int, int], int] = {}
    for account, peer, ts in zip(*(column.tolist() for column in columns), strict=True):
        first.setdefault((account, peer), ts)  # rows are in order of time
    by_name: _Arrivals = {}
    for (account, peer), ts in first.items():
        key = traces.texts[account].rpartition("\\")[2], traces.texts[peer]
        by_name[key] = min(ts, by_name.get(key, ts))
    return by_name


def _came(
    one: Incident,
    weighing: Iterable[Cited],
    own: Mapping[str, frozenset[str]],
    assets: Assets,
    arrivals: _Arrivals,
    start: int,
) -> Iterator[tuple[Lead, str]]:
    """Accounts that came from a machine of it for the first time since something grave was found there.

    Logs must reach back a day before that: else nobody knows what was usual.
    """
    since: dict[str, int] = {}
    for cited in weighing:
        if LEVELS.index(cited.level) >= _GRAVE and cited.host and cited.at.ts_us is not None:
            since[cited.host] = min(cited.at.ts_us, since.get(cited.host, cited.at.ts_us))
    sure = {seen.name for seen in one.hosts}
    for host, ts in sorted(since.items()):
        if host not in sure or ts - start < _DAY_US:
            continue
        of_it = _addresses(hosts_of(host), host, own, assets)
        for (account, peer), first in sorted(arrivals.items()):
            if peer in of_it and first >= ts:
                yield ("arrival", f"{account}|{peer}"), f"it had not come from {host} before something was found there"
