"""Incidents and their traces in, Scenes out: whose records are looked at again for what was taken, and from when."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from tocsin.investigate.normal import account, address
from tocsin.investigate.roles import WATCHERS
from tocsin.investigate.traces import Traces
from tocsin.model.asset import Assets
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.incident import Cited, Incident
from tocsin.model.rule import LEVELS

# What was gathered may leave after the last finding: from an hour before the first to a day after the last.
BEFORE_US: Final = 3_600_000_000
AFTER_US: Final = 24 * 3_600_000_000

_GRAVE: Final = LEVELS.index("high")
_EVER: Final = np.iinfo(np.int64).max
_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_INSIDE: Final = (
    *_PRIVATE,
    *map(ipaddress.ip_network, ("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")),
    *map(ipaddress.ip_network, ("fe80::/10", "ff00::/8", "::1/128", "::/128")),
)
_URL: Final = re.compile(
    r"(?:https?|ftp|wss?)://(?:[^\s/@\"']{1,100}@)?(\[[0-9a-fA-F:.]{2,45}\]|[^\s/:\"'?#<>)]{1,253})", re.IGNORECASE
)
_LONGEST: Final = 16_000  # of a command in which such names are looked for
# Fields of findings that name the other end of a connection.
_DESTINATIONS: Final = frozenset(
    "destinationip destinationhostname destaddress dst_ip dest_ip dst dest id.resp_h queryname query cs-host r-dns "
    "c-uri-host server_name tls.sni http.hostname r-host r-ip destination.domain url.domain".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One incident, as its records can be told.

    Args:
        since_us: `NO_TIME` where the incident has no time.
        hosts: whole and short names, in small letters; `accounts` and addresses in normal form.
        own: addresses of its machines; `outside` those of others that its findings name; `domains` likewise.
        unsure: private addresses that findings name and no list of assets places: they may be ours or not.
        places: of the records of its findings, (path, chunk, rec), with the finding's index.
        grave: those of these whose rule is of level high or above.
    """

    since_us: int
    until_us: int
    hosts: frozenset[str]
    accounts: frozenset[str]
    own: frozenset[str]
    outside: frozenset[str]
    domains: frozenset[str]
    unsure: frozenset[str]
    places: Mapping[tuple[str, int, int], int]
    grave: frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """All scenes together: what a record must fit to be kept at all. `names` are of accounts, without a domain."""

    windows: Longs  # rows of (since, until), merged and in order
    hosts: frozenset[str]
    names: frozenset[str]
    addresses: frozenset[str]
    domains: frozenset[str]
    places: frozenset[tuple[str, int, int]]

    def times(self, ts: Longs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which moments lie in a window; what has no time may."""
        at = np.searchsorted(self.windows[:, 0], ts, side="right") - 1
        within = (at >= 0) & (ts <= self.windows[np.maximum(at, 0), 1])
        kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = within | (ts == NO_TIME)
        return kept


def scenes(
    incidents: Sequence[Incident],
    traces: Traces,
    assets: Assets,
    since_us: int | None = None,
    until_us: int | None = None,
) -> tuple[Scene, ...]:
    """Each incident's own; nothing is looked at before `since_us`, or from `until_us` on, if they are given."""
    addresses = addresses_of(traces)
    told = [_scene(one, addresses, assets) for one in incidents]
    if since_us is not None:
        told = [replace(one, since_us=max(one.since_us, since_us)) for one in told]
    if until_us is not None:
        told = [replace(one, until_us=max(min(one.until_us, until_us - 1), one.since_us)) for one in told]
    return tuple(told)


def around(scenes_: Sequence[Scene]) -> Around:
    accounts = {name for scene in scenes_ for name in scene.accounts}
    return Around(
        windows=_merged([(scene.since_us, scene.until_us) for scene in scenes_]),
        hosts=frozenset().union(*(scene.hosts for scene in scenes_)),
        names=frozenset(name.rpartition("\\")[2].partition("@")[0] for name in accounts),
        addresses=frozenset().union(*(scene.own | scene.outside for scene in scenes_)),
        domains=frozenset().union(*(scene.domains for scene in scenes_)),
        places=frozenset(place for scene in scenes_ for place in scene.places),
    )


def hosts_of(name: str) -> frozenset[str]:
    """What logs may call a machine: its whole name and the first part of it; an address has no parts."""
    folded = name.strip().rstrip(".").lower()
    if not folded or address(folded):
        return frozenset({address(folded)} if folded else ())
    return frozenset({folded, folded.partition(".")[0]})


def accounts_of(name: str) -> frozenset[str]:
    r"""`DOMAIN\user` and `user@domain` as one; '' and what every machine has are nobody's."""
    folded = account(name)
    return frozenset({folded}) if folded else frozenset()


@lru_cache(maxsize=65_536)
def is_inside(text: str) -> bool:
    """True for addresses that nobody else's machine has by RFC 6890; those for documentation are taken as public."""
    try:
        value = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(value.version == network.version and value in network for network in _INSIDE)


@lru_cache(maxsize=65_536)
def is_private(text: str) -> bool:
    """True for addresses of networks that anybody may have (RFC 1918, 4193, 6598)."""
    return is_inside(text) and any(
        ipaddress.ip_address(text) in network for network in _PRIVATE if network.version == _version(text)
    )


def _version(text: str) -> int:
    return 6 if ":" in text else 4


def _scene(one: Incident, addresses: Mapping[str, frozenset[str]], assets: Assets) -> Scene:
    hosts = frozenset().union(*(hosts_of(seen.name) for seen in one.hosts))
    own = {text for name in hosts for text in (addresses.get(name, frozenset()) | {address(name)}) if text}
    for seen in one.hosts:
        own |= {text for asset in assets.named(seen.name) for text in asset.addresses if "/" not in text}
    named, domains = _destinations(one)
    named |= {text for seen in one.addresses if (text := address(seen.name))}
    others = {text for text in named - own if not assets.at(text)}
    # A list that says which networks are ours says of other private addresses that they are not.
    outside = {text for text in others if not is_inside(text) or (assets.has_networks and is_private(text))}
    return Scene(
        since_us=NO_TIME if one.first_us is None else one.first_us - BEFORE_US,
        until_us=_EVER if one.last_us is None else one.last_us + AFTER_US,
        hosts=hosts,
        accounts=frozenset().union(*(accounts_of(seen.name) for seen in one.accounts)),
        own=frozenset(own),
        outside=frozenset(outside),
        domains=frozenset(domains),
        unsure=frozenset(text for text in others - outside if is_private(text)),
        places={_place(cited): at for at, cited in enumerate(one.findings)},
        grave=frozenset(_place(cited) for cited in one.findings if LEVELS.index(cited.level) >= _GRAVE),
    )


def _place(cited: Cited) -> tuple[str, int, int]:
    return cited.at.path, cited.at.chunk, cited.at.rec


def _destinations(one: Incident) -> tuple[set[str], set[str]]:
    """Addresses and names that findings give for the other end, in a field of their own or in an address of the web."""
    addresses, domains = set(), set()
    for cited in one.findings:
        # What a web server is asked for is its own name.
        for field, text in cited.fields.items() if cited.kind != "webserver" else ():
            if not text:
                continue
            named = [text] if len(text) <= 253 and field.lower() in _DESTINATIONS else []
            for name in (*named, *_URL.findall(text[:_LONGEST])):
                folded = name.strip().rstrip(".").lower()
                if known := address(folded):
                    addresses.add(known)
                elif "." in folded:
                    domains.add(folded)
    return addresses, domains


def addresses_of(traces: Traces) -> dict[str, frozenset[str]]:
    """Of each machine the addresses that its own records say it has."""
    kinds = np.array([kind in WATCHERS for kind, _, _ in traces.sources] or [False])
    own = traces.role("own_address")
    told = (own > 0) & (traces.host > 0) & ~traces.inward & ~kinds[traces.source]
    pairs = set(zip(traces.host[told].tolist(), own[told].tolist(), strict=True))
    found: dict[str, set[str]] = {}
    for host, code in pairs:
        for name in hosts_of(traces.texts[host]):
            found.setdefault(name, set()).add(traces.texts[code])
    return {name: frozenset(texts) for name, texts in found.items()}


def _merged(spans: Iterable[tuple[int, int]]) -> Longs:
    merged: list[list[int]] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], until)
        else:
            merged.append([since, until])
    return np.array(merged, np.int64).reshape(-1, 2)
