"""Traces in; which machine each is of, which machine is on the other side, and how many others each deals with, out.

A machine goes by its full name, its short name, its account (NAME$) and its addresses. A short name that several full
names begin with is nobody's. Where two machines claim one address, networks overlap or addresses are leased anew, and
an address names a machine only to those that had a connection with it which both wrote down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.meetings import Meetings, meetings
from tocsin.investigate.nearest import grouped
from tocsin.investigate.normal import address, is_public
from tocsin.investigate.roles import SERVICES, WATCHERS
from tocsin.investigate.traces import Traces
from tocsin.model.asset import Assets
from tocsin.model.event import Codes, Longs

# A thing that more machines deal with is infrastructure: a directory, a proxy, a jump host, a file that everybody has.
# It is less than the machines of a small office, about ten, so that what serves one office is known as common even if
# nothing else is in the evidence. Below the bound a thing is not yet a reason: what many have must also be near in time
# (`links.LEAST_BITS`), and that, not this number, keeps chance from joining. An intruder who is on more machines than
# this is still joined, by the sessions that lead from one to the next.
COMMON: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Machines are numbers into `names`, 0 for none; a machine that only an address tells of goes by the address.

    Args:
        of: the machine that a record tells of.
        source: for records of contacts and logons, the machine that asked; `target` the one that was asked.
        met: connections that both sides wrote down.
        served: for each machine, how many others ask it for something; `asking` how many it asks.
        house: codes of the addresses that the list of assets has: where all of our own people come from.
    """

    names: tuple[str, ...]
    shown: tuple[str, ...]
    of: Codes
    source: Codes
    target: Codes
    met: Meetings
    served: Longs
    asking: Longs
    house: Longs


def machines(traces: Traces, assets: Assets | None = None) -> Machines:
    names = _Names(traces, assets or Assets())
    kinds = np.array([kind for kind, _, _ in traces.sources] or [""])
    watched = np.isin(kinds, list(WATCHERS))[traces.source]
    service = np.isin(kinds, list(SERVICES))[traces.source]
    own, peer_address = traces.role("own_address"), traces.role("peer_address")
    client = np.where(own > 0, own, traces.role("address"))
    named = names.numbers(traces.host)
    unnamed = (named == 0) & ~watched & ~service
    if unnamed.any():  # a log that names no machine is taken for one machine's
        named = np.where(unnamed, names.of_files()[traces.source], named)
    of = np.where(watched, names.numbers(client), np.where(service, 0, named)).astype(np.int32)
    met = meetings(traces, of)
    by_name = names.peers(traces.role("peer"))
    by_view = _viewed(traces, of, met, peer_address)
    by_address = names.numbers(peer_address)
    # Sysmon and the filtering platform do not agree on which side of what came in stands first.
    turned = traces.inward & (own > 0) & ((by_address == of) | (by_name == of))
    by_name = np.where(by_name == of, 0, by_name)
    by_view = np.where(turned, _viewed(traces, of, met, own), by_view)
    by_address = np.where(turned, names.numbers(own), by_address)
    # An account of a machine comes before addresses: more logs may show that these are anybody's, and must then not
    # uncover another way to a name.
    by_account = names.peers(traces.role("machine"))
    peer = _first(by_name, np.where(by_account == of, 0, by_account), by_view, by_address)
    deals = traces.acts("contact", "logon", "refused") & (peer != of) & (of > 0)
    meets = deals & (peer > 0)
    source = np.where(meets, np.where(traces.inward, peer, of), 0).astype(np.int32)
    target = np.where(meets, np.where(traces.inward, of, peer), 0).astype(np.int32)
    served, asking = names.dealings(of[deals], peer[deals], peer_address[deals], traces.inward[deals])
    return Machines(
        names=tuple(names.names),
        shown=tuple(names.shown),
        of=of,
        source=source,
        target=target,
        met=met,
        served=served,
        asking=asking,
        house=_of_house(traces, assets),
    )


def counting(traces: Traces, column: Codes) -> Codes:
    """A column without what only tells from where accounts of a cloud were used.

    Whoever reads twenty mailboxes from one server does not make it everybody's by that.
    """
    return np.where(traces.acts("use") & ~traces.found, 0, column)


def machines_with(column: Codes, machine: Codes) -> Longs:
    """For each text on how many machines it is."""
    size = int(column.max(initial=0)) + 1
    known = column > 0
    if not known.any():
        return np.zeros(size, np.int64)
    _, firsts = np.unique(grouped([column[known], machine[known]]), return_index=True)
    return np.bincount(column[known][firsts], minlength=size).astype(np.int64)


def _of_house(traces: Traces, assets: Assets | None) -> Longs:
    used = np.unique(np.concatenate([traces.role("address"), traces.role("peer_address")]))
    own = [code for code in used.tolist() if code and assets is not None and assets.at(traces.texts[code])]
    return np.array(own, np.int64)


def _first(*numbers: Codes) -> Codes:
    best = numbers[0]
    for other in numbers[1:]:
        best = np.where(best > 0, best, other)
    return best


def _viewed(traces: Traces, of: Codes, met: Meetings, addresses: Codes) -> Codes:
    """The machines that have these addresses for the machine that writes, 0 where none or several have."""
    seen: dict[tuple[int, int], set[int]] = {}
    sides = [(of[met.server], met.address, of[met.client])]
    servers = traces.role("peer_address")[met.client]
    sides.append((of[met.client], servers, of[met.server]))
    for columns in sides:
        for one in set(zip(*(column.tolist() for column in columns), strict=True)):
            seen.setdefault(one[:2], set()).add(one[2])
    if not seen:
        return np.zeros(len(of), np.int32)
    keys = grouped([of, addresses]) if len(of) else of.astype(np.int64)
    _, firsts, at = np.unique(keys, return_index=True, return_inverse=True)
    found = [
        seen.get((int(of[row]), int(addresses[row])), set()) if addresses[row] else set() for row in firsts.tolist()
    ]
    return np.array([next(iter(one)) if len(one) == 1 else 0 for one in found], np.int32)[at]


class _Names:
    """Numbers of machines by what they are called."""

    def __init__(self, traces: Traces, assets: Assets) -> None:
        self.names, self.shown = [""], [""]
        self._traces = traces
        self._known: dict[str, int] = {}
        self._aliases: dict[str, str] = {}
        hosts = sorted({traces.texts[code] for code in np.unique(traces.host).tolist()} - {""})
        fulls: dict[str, list[str]] = {}
        for name in hosts:
            if "." in name and not address(name):
                fulls.setdefault(name.split(".")[0], []).append(name)
        self._aliases = {short: full[0] for short, full in fulls.items() if len(full) == 1}
        shown = {text: traces.shown[code] for code, text in enumerate(traces.texts)}
        for name in hosts:
            self._number(self._aliases.get(name, name), shown)
        self._listed(assets)
        self._of_address = self._claimed(assets)

    def _number(self, name: str, shown: dict[str, str] | None = None) -> int:
        number = self._known.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
            self.shown.append((shown or {}).get(name, name))
        return number

    def _listed(self, assets: Assets) -> None:
        """A machine of the list goes by all its names; by that of them which the logs use, if any."""
        for asset in assets.all:
            called = [name.strip().rstrip(".").lower() for name in (asset.name, *asset.also)]
            known = {self._known[self._full(name)] for name in called if self._full(name) in self._known}
            if len(known) <= 1 and not any("/" in address for address in asset.addresses):
                number = next(iter(known), 0) or self._number(max(called, key=lambda name: (len(name), name)))
                for name in called:
                    self._known.setdefault(name, number)

    def _claimed(self, assets: Assets) -> dict[str, int]:
        """Addresses that one machine alone says are its own."""
        traces = self._traces
        kinds = np.array([kind in WATCHERS for kind, _, _ in traces.sources] or [False])
        own = traces.role("own_address")
        told = np.flatnonzero((own > 0) & (traces.host > 0) & ~traces.inward & ~kinds[traces.source])
        claims: dict[str, set[int]] = {}
        for host, code in {(int(traces.host[row]), int(own[row])) for row in told[self._firsts(told, own)].tolist()}:
            claims.setdefault(traces.texts[code], set()).add(self._number(self._full(traces.texts[host])))
        peer, at = traces.role("peer"), traces.role("peer_address")
        both = np.flatnonzero((peer > 0) & (at > 0))
        for row in both[self._firsts(both, peer, at)].tolist():
            number = self._known.get(self._full(traces.texts[peer[row]]), 0)
            # A logon by remote desktop names the machine itself beside the address that it came from.
            if number and number != self._known.get(self._full(traces.texts[traces.host[row]])):
                claims.setdefault(traces.texts[at[row]], set()).add(number)
        listed = self._addresses(assets, claims)
        claims.update({text: {number} for text, number in listed.items()})
        self._claims = claims
        overlap = any(len(owners) > 1 for owners in claims.values())
        # What the organisation's own list says of an address, and no log denies, holds wherever others overlap.
        return {text: 0 if overlap and text not in listed else next(iter(owners)) for text, owners in claims.items()}

    def _addresses(self, assets: Assets, claims: Mapping[str, set[int]]) -> dict[str, int]:
        """Addresses that the list gives to one machine, and that no log says are another's."""
        owners: dict[str, set[int]] = {}
        for asset in assets.all:
            number = self._known.get(self._full(asset.name.strip().rstrip(".").lower()), 0)
            for text in asset.addresses:
                owners.setdefault(text, set()).add(number)
        return {
            text: number
            for text, numbers in owners.items()
            if len(numbers) == 1 and (number := next(iter(numbers))) and claims.get(text, numbers) == numbers
        }

    def _firsts(self, rows: Longs, *columns: Codes) -> Longs:
        if not len(rows):
            return rows
        keys = [self._traces.host[rows], *(column[rows] for column in columns)]
        return np.unique(grouped(keys), return_index=True)[1]

    def _full(self, name: str) -> str:
        return self._aliases.get(name, name)

    def numbers(self, codes: Codes) -> Codes:
        """The machines that are called so, or have that address; every name is a machine's, a public address none's."""
        return self._mapped(codes, self._resolved)

    def _resolved(self, text: str) -> int:
        if not address(text):
            return self._number(self._full(text))
        known = self._of_address.get(text)
        if known is not None:
            return known
        return 0 if is_public(text) else self._number(text)

    def peers(self, codes: Codes) -> Codes:
        """The machines that are called so, if they are known: what others call a machine may be anything."""
        return self._mapped(codes, lambda text: self._known.get(self._full(text), 0))

    def _mapped(self, codes: Codes, number: Callable[[str], int]) -> Codes:
        used, at = np.unique(codes, return_inverse=True)
        texts = self._traces.texts
        return np.array([number(texts[code]) if code else 0 for code in used.tolist()], np.int32)[at]

    def of_files(self) -> Codes:
        """The machine that a log's path names, folder by folder; else the path is one."""
        return np.array([self._of_path(path) for _, _, path in self._traces.sources] or [0], np.int32)

    def _of_path(self, path: str) -> int:
        for part in reversed(re.split(r"[/\\!]", path.lower())):
            name = part if self._full(part) in self._known else part.partition(".")[0]
            if name and self._full(name) in self._known:
                return self._known[self._full(name)]
        return self._number(path)

    def dealings(self, of: Codes, peer: Codes, addresses: Codes, inward: npt.NDArray[np.bool_]) -> tuple[Longs, Longs]:
        """For each machine how many others ask it, and how many it asks; an address may stand for all that claim it.

        So what is learned of addresses later makes a machine more common, never less.
        """
        texts = self._traces.texts
        asked_by: list[set[int]] = [set() for _ in self.names]
        asks: list[set[int]] = [set() for _ in self.names]
        _, firsts = (
            np.unique(grouped([of, peer, addresses, inward.astype(np.int8)]), return_index=True)
            if len(of)
            else (of, of)
        )
        rows = zip(*(column[firsts].tolist() for column in (of, peer, addresses, inward)), strict=True)
        for here, known, address_code, came in rows:
            if not known and (not address_code or is_public(texts[address_code])):
                continue
            other = known or -address_code
            both = [known] if known else self._claims.get(texts[address_code], set()) - {here}
            mine, theirs = (asked_by, asks) if came else (asks, asked_by)
            mine[here].add(other)
            for machine_number in both:
                theirs[machine_number].add(here)
        return tuple(np.array([len(one) for one in side], np.int64) for side in (asked_by, asks))  # type: ignore[return-value]
