"""The types of STIX 2.1 that say what was observed and nothing of what it means (its section 6)."""

from __future__ import annotations

from typing import Final

OBSERVABLES: Final = frozenset(
    "artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex "
    "network-traffic process software url user-account windows-registry-key x509-certificate".split()
)
