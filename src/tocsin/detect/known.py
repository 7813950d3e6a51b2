"""An indicator and lists of what is known to be good in, what is to be made of it out.

Some lists name what is harmless in itself: resolvers, large sites, empty files. An indicator that stands there is a
mistake, and is left out. Others name what anybody may rent or have: clouds, VPNs, dynamic names, scanners, private
addresses. An indicator there may be right, but says little alone, so its level is lowered; and so it is with a
subdomain of a large site, or a page there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin.model.indicator import Indicator
from tocsin.observe.known_good import KnownGood, Listed

Verdict: TypeAlias = Literal["unknown", "shared", "good"]

# Of MISP's lists, those about what many share or what is merely known; by the names of their folders.
SHARED: Final = frozenset(
    """
    akamai amazon-aws bufferover-nt-scanning censys-scanning check-host-net cloudflare digitalside disposable-email
    dynamic-dns fastly findip-host github google-chrome-crux-1million google-gcp link-in-bio lots-project
    majestic_million microsoft-azure microsoft-azure-china microsoft-azure-germany microsoft-azure-us-gov
    microsoft-attack-simulator openai-gptbot ovh-cluster parking-domain parking-domain-ns public-dns-hostname
    public-ipfs-gateways sinkholes smtp-sending-ips stackpath tenable-cloud-ipv4 tenable-cloud-ipv6 tranco
    url-shortener vpn-ipv4 vpn-ipv6 whats-my-ip wikimedia zscaler security-provider-blogpost
    rfc1918 rfc3849 rfc5735 rfc6598 ipv6-linklocal
    """.split()
)
_SHARED_ENDINGS: Final = ("-scanning", "-scanner")  # who asks everybody is noise, and no intruder's own
_MOST_TOLD: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`lists` are the names of those that the verdict rests on."""

    verdict: Verdict = "unknown"
    lists: tuple[str, ...] = ()


def judge(indicator: Indicator, lists: KnownGood) -> Known:
    """What lists say of all observables of an indicator: it is good if each of them is."""
    verdicts = [_judged(lists.find(one)) for one in indicator.observables]
    if not verdicts or any(one.verdict == "unknown" for one in verdicts):
        return Known()
    verdict: Verdict = "good" if all(one.verdict == "good" for one in verdicts) else "shared"
    return Known(verdict=verdict, lists=tuple(dict.fromkeys(name for one in verdicts for name in one.lists)))


def _judged(found: Sequence[Listed]) -> Known:
    good = [one.list for one in found if one.how == "itself" and not _is_shared(one.list)]
    if good:
        return Known(verdict="good", lists=tuple(good[:_MOST_TOLD]))
    named = tuple(one.list for one in found)[:_MOST_TOLD]
    return Known(verdict="shared" if named else "unknown", lists=named)


def _is_shared(name: str) -> bool:
    return name in SHARED or name.endswith(_SHARED_ENDINGS)
