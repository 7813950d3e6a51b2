"""Links of an incident in, networks that several of the intruder's addresses share out, with who else talks to them.

A network is somebody's: others may be served from it. So it takes three addresses with findings, is never wider than
what is handed to one customer (IPv4 /24, IPv6 /64; RFC 6177 §2), and what else of ours talks to it makes it dearer.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tocsin.contain.graph import INTRUDER
from tocsin.model.incident import Incident
from tocsin.model.plan import Link

_LEAST: Final = 3
_PREFIX: Final = {4: 24, 6: 64}
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """`others` are machines of ours that the case shows talking to an address of it that is not the intruder's."""

    network: str
    addresses: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def told(self) -> str:
        there = f"{len(self.addresses)} of their addresses lie in {self.network}"
        if not self.others:
            return f"{there}; this case shows nothing else of ours that talks to it, beyond it nothing was looked up"
        return f"{there}; so do others that these of ours talk to: {', '.join(self.others)}"


def shared(links: Iterable[Link], incident: Incident) -> Mapping[str, Shared]:
    """By address of the intruder's the network that enough of them share."""
    theirs: dict[_Network, list[str]] = {}
    for link in links:
        kind, _, name = link.target.partition(" ")
        if link.source == INTRUDER and link.kind == "channel" and kind == "address" and link.because:
            theirs.setdefault(_around(name), []).append(name)
    dealt = _dealt_with(incident)
    found: dict[str, Shared] = {}
    for network, names in theirs.items():
        if len(names) >= _LEAST:
            others = {host for at, host in dealt if _around(at) == network and at not in names}
            one = Shared(network=str(network), addresses=tuple(names), others=tuple(sorted(others)))
            found |= dict.fromkeys(names, one)
    return found


def _around(address: str) -> _Network:
    version = ipaddress.ip_address(address).version
    return ipaddress.ip_network(f"{address}/{_PREFIX[version]}", strict=False)


def _dealt_with(incident: Incident) -> set[tuple[str, str]]:
    """Addresses that machines of the case dealt with, also where nothing says that they are the intruder's."""
    claims = incident.impact.claims if incident.impact else ()
    pairs = {(claim.subject, claim.host) for claim in claims if claim.sort == "network" and claim.host}
    pairs |= {(one.name, host) for one in incident.addresses for host in one.on}
    return {(at, host) for at, host in pairs if _is_address(at)}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
