"""What an organisation runs: machines and networks, whose they are, and who would miss them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Criticality: TypeAlias = Literal["low", "medium", "high", "critical"]
CRITICALITIES: tuple[Criticality, ...] = get_args(Criticality)

Sensitivity: TypeAlias = Literal["public", "internal", "sensitive", "secret"]
SENSITIVITIES: tuple[Sensitivity, ...] = get_args(Sensitivity)

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`dependents` are those who cannot work without it: services, assets, offices, in the words of the list."""

    name: str
    dependents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A machine, or a network of them. What the list leaves out is '' or empty: not known, which is not "no".

    Args:
        also: other names that logs may call it by.
        addresses: of machines, or networks in CIDR form; normal forms.
        owner: who answers for it; `authority` is the public body that this is part of.
        protected: never to be cut off without the owner's word.
        line: where in the list it stands.
    """

    name: str
    also: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    owner: str = ""
    authority: str = ""
    services: tuple[Service, ...] = ()
    sensitivity: Sensitivity | None = None
    protected: bool | None = None
    criticality: Criticality | None = None
    line: int = 0


class Assets:
    """The assets of a list, to be asked by name and by address. Several answers: the list leaves it open."""

    def __init__(self, assets: Iterable[Asset] = ()) -> None:
        self.all: tuple[Asset, ...] = tuple(assets)
        self._by_name: dict[str, list[Asset]] = {}
        self._by_short: dict[str, list[Asset]] = {}
        self._by_network: dict[int, dict[_Network, list[Asset]]] = {}
        for asset in self.all:
            for name in {_folded(name) for name in (asset.name, *asset.also)}:
                self._by_name.setdefault(name, []).append(asset)
                if "." in name:
                    self._by_short.setdefault(name.partition(".")[0], []).append(asset)
            for text in asset.addresses:
                network = ipaddress.ip_network(text)
                self._by_network.setdefault(network.prefixlen, {}).setdefault(network, []).append(asset)
        self._lengths = sorted(self._by_network, reverse=True)
        self.has_networks = any("/" in text for asset in self.all for text in asset.addresses)

    def named(self, host: str) -> tuple[Asset, ...]:
        """By the name of a host in a log: the whole name, or the first part where one of the two is short."""
        name = _folded(host)
        found = self._by_name.get(name)
        if not found and "." in name:
            found = self._by_name.get(name.partition(".")[0])
        elif not found:
            found = self._by_short.get(name)
        return tuple(found or ())

    def at(self, address: str) -> tuple[Asset, ...]:
        """By an address: those of the narrowest network that it lies in."""
        try:
            wanted = ipaddress.ip_address(address)
        except ValueError:
            return ()
        if isinstance(wanted, ipaddress.IPv6Address) and wanted.ipv4_mapped:  # as dual-stack servers log IPv4
            wanted = wanted.ipv4_mapped
        for length in self._lengths:
            if length <= wanted.max_prefixlen:
                network = ipaddress.ip_network((wanted, length), strict=False)
                if found := self._by_network[length].get(network):
                    return tuple(found)
        return ()


def _folded(name: str) -> str:
    return name.strip().rstrip(".").casefold()
