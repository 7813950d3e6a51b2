"""A value and what must never be cut off in, a word why it is refused out: no outage is ever our own doing.

Evidence is written by the intruder, who would like nothing better than that we block our own resolver.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from tocsin.errors import ActError
from tocsin.model.action import Target
from tocsin.model.asset import Asset, Assets
from tocsin.model.indicator import Observable
from tocsin.observe import addresses
from tocsin.observe.domains import domain, parents
from tocsin.observe.known_good import KnownGood

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Inside, or no single machine of anybody: RFC 1122, 1918, 3927, 4193, 4291, 5771, 6598.
_NOT_OUTSIDE: Final[tuple[_Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)
_WIDEST: Final = {4: 16, 6: 32}  # a network that is larger is somebody's whole provider
_LONGEST_NAME: Final = 220  # with the name of the zone behind it, it must stay below 253 (RFC 1035 §2.3.4)
# Known-good lists by MISP's names. Whoever rents there may be anybody, so that standing there speaks for nobody.
_RENTED: Final = (
    *("amazon-aws", "digitalside", "disposable-email", "dynamic-dns", "google-gcp", "link-in-bio", "lots-project"),
    *("microsoft-azure", "ovh-cluster", "parking-domain", "public-ipfs", "rfc", "second-level-tlds", "sinkholes"),
    *(
        "url-shortener",
        "vpn-",
        "censys",
        "check-host",
        "findip-host",
        "tenable",
        "bufferover",
        "security-provider-blog",
    ),
)
# What many visit is missed by many; of a name below it that says nothing.
_VISITED: Final = ("alexa", "cisco_top", "google-chrome-crux", "majestic", "moz-top", "tranco")
_NORMAL: Final = {"address": addresses.address, "network": addresses.network, "domain": domain}
_SHORTEST_LABELS: Final = 2  # of a domain: to block a top-level domain is to block a country


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What must stay in reach, whatever evidence says.

    Args:
        addresses: and networks, each with the words that say what it is: our gateway, our resolver.
        domains: likewise; what is above and below them is safe, too.
        hosts: the analyst's own machine and its kin, by name.
        known_good: lists of what others need; None where there are none.
        agreed: originators who agreed beforehand that their intelligence is acted on, each with the words of it.
    """

    addresses: tuple[tuple[str, str], ...] = ()
    domains: tuple[tuple[str, str], ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    assets: Assets = field(default_factory=Assets)
    known_good: KnownGood | None = None
    agreed: tuple[tuple[str, str], ...] = ()


def normal(target: Target) -> str:
    """The value of an address, network or domain as it may stand in a text that a machine reads.

    Every plan was asked `refusal` before; this is for what came to an enforcer another way.

    Raises:
        ActError: it is not in its normal form.
    """
    if not _is_normal(target):
        raise ActError(f"{target.value[:80]!r} is no {target.kind} in its normal form", hint="Nothing was made of it.")
    return target.value


def _is_normal(target: Target) -> bool:
    found = _NORMAL[target.kind](target.value) if target.kind in _NORMAL else None
    return found is not None and str(found) == target.value


def is_outside(text: str) -> bool:
    """Whether an address can be one of the intruder's machines out there."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address.version == one.version and address in one for one in _NOT_OUTSIDE)


def refusal(target: Target, own: Own) -> str:
    """Why this is not blocked, isolated or disabled; '' where nothing speaks against it."""
    match target.kind:
        case "address" | "network":
            if not _is_normal(target):
                return f"{target.value[:80]!r} is no {target.kind} in its normal form"
            return _of_network(target.value, own) or _missed(target.kind, target.value, own)
        case "domain":
            return _of_domain(target.value, own) or _missed("domain", target.value, own)
        case "host":
            return _of_host(target.value, own)
    return "" if target.value.strip() else "it has no name"


def _of_network(text: str, own: Own) -> str:
    wanted = ipaddress.ip_network(text)
    if wanted.prefixlen < _WIDEST[wanted.version]:
        return f"{wanted} is too large a network to block: /{_WIDEST[wanted.version]} is the largest"
    for name, what in own.addresses:
        if _meets(wanted, ipaddress.ip_network(name, strict=False)):
            return f"{wanted} would cut off {what} ({name})"
    for one in _NOT_OUTSIDE:
        if _meets(wanted, one):
            return f"{wanted} is no address of the outside: blocking it would cut off our own"
    for asset in _within(wanted, own.assets):
        return f"{wanted} would cut off {asset.name}, which is on the list of assets"
    return ""


def _within(wanted: _Network, assets: Assets) -> Iterable[Asset]:
    if wanted.prefixlen == wanted.max_prefixlen:
        return assets.at(str(wanted.network_address))
    return (one for one in assets.all if any(_meets(wanted, ipaddress.ip_network(name)) for name in one.addresses))


def _meets(one: _Network, other: _Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _of_domain(text: str, own: Own) -> str:
    if domain(text) != text:
        return f"{text[:80]!r} is no domain in its normal form"
    if len(text) > _LONGEST_NAME:
        return f"{text[:60]}... is too long to stand in a policy zone"
    if text.count(".") + 1 < _SHORTEST_LABELS:
        return f"{text} is a whole top-level domain"
    above = set(parents(text))
    for name, what in own.domains:
        if name == text or name in above or text in set(parents(name)):
            return f"{text} would cut off {what} ({name})"
    names, over = _names(own.assets)
    if text in over or names & above:
        return f"{text} would cut off a machine on the list of assets"
    return ""


def _missed(kind: Literal["address", "network", "domain"], value: str, own: Own) -> str:
    """Whether many would miss it, by the lists of what is known to be good."""
    for one in own.known_good.find(Observable(kind, value)) if own.known_good else ():
        if one.list.startswith(_RENTED) or (one.how == "within" and one.list.startswith(_VISITED)):
            continue
        return f"{value} is on the known-good list {one.list}: others need it"
    return ""


@lru_cache(maxsize=4)
def _names(assets: Assets) -> tuple[frozenset[str], frozenset[str]]:
    """The names of machines that are domains, and these with all that is above them."""
    names = frozenset(
        found for asset in assets.all for name in (asset.name, *asset.also) if (found := domain(name)) is not None
    )
    return names, frozenset(above for name in names for above in parents(name))


def _of_host(text: str, own: Own) -> str:
    """Protected assets are another question, which `catalogue` answers; this is about the hand that would do it."""
    folded = text.strip().rstrip(".").casefold()
    for name, what in own.hosts:
        known = name.strip().rstrip(".").casefold()
        if folded == known or folded.partition(".")[0] == known.partition(".")[0]:
            return f"{text} is {what}"
    return "" if folded else "it has no name"
