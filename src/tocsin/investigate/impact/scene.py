"""Incidents and their traces in, Scenes out: whose records are looked at again for what was taken, and from when."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from tocsin.investigate.normal import account, address, last, page
from tocsin.investigate.roles import WATCHERS
from tocsin.investigate.routine import reasons
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
_BEARING: Final = LEVELS.index("medium")
# ATT&CK's aims of whoever is in already, and its number of a web shell.
_WITHIN: Final = frozenset({"collection", "exfiltration", "command-and-control"})
_SHELL: Final = frozenset({"T1505.003"})
_ASKED: Final = frozenset({"webserver", "zeek", "suricata"})  # kinds of logs that say what a server was asked for
_PAGES: Final = ("cs-uri-stem", "c-uri-stem", "cs-uri", "c-uri", "uri", "http.url")
# A name with an ending, in a path or a command; and where these stand.
_NAMED: Final = re.compile(r"[^\s\\/\"'<>|;,()=:*?&]{1,120}\.[A-Za-z0-9]{1,8}(?![^\s\\/\"'<>|;,()=:*?&])")
_SAYING: Final = frozenset("targetfilename commandline objectname relativetargetname proctitle scriptblocktext".split())
_MOST_FILES: Final = 1_000
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
        theirs: those that say that an answer was for the intruder, not for whoever asks; `pages` what they asked for.
        files: names of files that grave findings speak of, with the first moment; `entered` the addresses outside
            from which an account of the incident was let in, with the first moment.
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
    theirs: frozenset[tuple[str, int, int]]
    pages: frozenset[str]
    files: Mapping[str, int]
    entered: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """All scenes together: what a record must fit to be kept at all. `names` are of accounts, without a domain."""

    windows: Longs  # rows of (since, until), merged and in order
    hosts: frozenset[str]
    names: frozenset[str]
    addresses: frozenset[str]
    domains: frozenset[str]
    files: frozenset[str]
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
    doors = _doors(traces)
    told = [replace(one, entered=_entered(one, doors)) for one in told]
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
        files=frozenset().union(*({*scene.files, *map(last, scene.pages)} for scene in scenes_)) - {""},
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
        theirs=frozenset(_place(cited) for cited in _theirs(one)),
        pages=frozenset(name for cited in _theirs(one) if cited.kind in _ASKED and (name := _page(cited))),
        files=_files(one),
        entered={},
    )


def _theirs(one: Incident) -> Iterator[Cited]:
    """Findings that say what somebody does who is in already. To be asked for a weakness is what any server is.

    A command in a question is sent to every server there is, and many give their first page for it. So that only tells
    something where the place that was asked does, or a record of the machine itself.
    """
    lowered = reasons(one)
    kept = [cited for number, cited in enumerate(one.findings) if number not in lowered]
    kept = [cited for cited in kept if LEVELS.index(cited.level) >= _BEARING]
    ran = any(cited.kind not in _ASKED and LEVELS.index(cited.level) >= _GRAVE and _is_shell(cited) for cited in kept)
    for cited in kept:
        if not _WITHIN.isdisjoint(cited.tactics) or (_is_shell(cited) and (ran or _page(cited))):
            yield cited


def _is_shell(cited: Cited) -> bool:
    return not _SHELL.isdisjoint(cited.techniques)


def _page(cited: Cited) -> str:
    """What was asked for, where the rule looked at that and at no question after it."""
    paths = (cited.fields.get(name) for name in _PAGES)
    return next((page(path) for path in paths if path and "?" not in path), "")


def _files(one: Incident) -> dict[str, int]:
    """What grave findings say was made, or named in a command, without the folder."""
    lowered, names = reasons(one), dict[str, int]()
    for number, cited in enumerate(one.findings):
        if number in lowered or LEVELS.index(cited.level) < _GRAVE:
            continue
        for field, text in cited.fields.items():
            for name in _NAMED.findall(text[:_LONGEST]) if text and field.lower() in _SAYING else ():
                if len(names) < _MOST_FILES:
                    ts = NO_TIME if cited.at.ts_us is None else cited.at.ts_us
                    names[name.lower()] = min(ts, names.get(name.lower(), ts))
    return names


_Door = tuple[int, str, str, str]  # when, the address that somebody came from, the account, the machine


def _doors(traces: Traces) -> list[_Door]:
    """Logons from addresses outside."""
    rows = np.flatnonzero(traces.acts("logon") & (traces.role("peer_address") > 0) & (traces.role("account") > 0))
    columns = (traces.role("peer_address"), traces.role("account"), traces.host)
    told = zip(traces.ts[rows].tolist(), *(column[rows].tolist() for column in columns), strict=True)
    texts = traces.texts
    return [
        (ts, texts[peer], texts[who], texts[host])
        for ts, peer, who, host in told
        if host and not is_inside(texts[peer])
    ]


def _entered(scene: Scene, doors: Iterable[_Door]) -> dict[str, int]:
    known: dict[str, int] = {}
    for ts, peer, who, host in doors:
        at_its_time = scene.since_us <= ts <= scene.until_us
        ours = not scene.hosts.isdisjoint(hosts_of(host)) and not scene.accounts.isdisjoint(accounts_of(who))
        if peer in scene.outside and ours and at_its_time:
            known[peer] = min(ts, known.get(peer, ts))
    return known


def _place(cited: Cited) -> tuple[str, int, int]:
    return cited.at.path, cited.at.chunk, cited.at.rec


def _destinations(one: Incident) -> tuple[set[str], set[str]]:
    addresses, domains = set[str](), set[str]()
    for cited in one.findings:
        named = destinations(cited)
        addresses |= named[0]
        domains |= named[1]
    return addresses, domains


def destinations(cited: Cited) -> tuple[set[str], set[str]]:
    """Addresses and names that a finding gives for the other end, in fields of their own or in addresses of the web."""
    addresses, domains = set(), set()
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
