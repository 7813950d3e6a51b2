"""What firewalls call actions and protocols in, Sigma's words for them out.

Sigma's taxonomy (its appendix, "Firewall") has `src_ip src_port dst_ip dst_port action protocol blocked`. Vendors' own
words stay beside them; `blocked` is said where an action says it, since few vendors log such a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from tocsin.collect.lines import Lines
from tocsin.collect.marks import byte, is_number
from tocsin.model.event import Longs

_STOPPED: Final = re.compile(
    r"(?:deny|denied|block(?:ed)?|drop(?:ped)?(?:-.*)?|discard(?:ed)?|reject(?:ed)?|prevent(?:ed)?|reset(?:-.*)?"
    r"|block[-_].*|sinkhole|override-lockout|quarantined?|teardown-deny)",
    re.ASCII | re.IGNORECASE,
)
_PASSED: Final = re.compile(
    r"(?:allow(?:ed)?|accept(?:ed)?|permit(?:ted)?|pass(?:ed|through)?|forward(?:ed)?|continue|built|start|close"
    r"|timeout|client-rst|server-rst|ip-conn|detected|monitored|alert)",
    re.ASCII | re.IGNORECASE,
)
_PATH: Final = re.compile(r"(?<![\w/])(/(?:opt|var|tmp|etc|usr|root|home)/[^\s'\"]+)")
# IANA "Assigned Internet Protocol Numbers"; others stay numbers.
_PROTOCOLS: Final[Mapping[str, str]] = {
    "1": "icmp",
    "2": "igmp",
    "4": "ipv4",
    "6": "tcp",
    "17": "udp",
    "41": "ipv6",
    "47": "gre",
    "50": "esp",
    "51": "ah",
    "58": "ipv6-icmp",
    "89": "ospf",
    "112": "vrrp",
    "132": "sctp",
}


def blocked(action: str) -> str | None:
    """Whether an action stopped what was logged: `true`, `false`, or None where the word does not say."""
    if _STOPPED.fullmatch(action):
        return "true"
    return "false" if _PASSED.fullmatch(action) else None


def protocol(text: str) -> str:
    """The keyword of a protocol's number, in small letters; what is no known number stays as it is."""
    return _PROTOCOLS.get(text, text.lower())


def device_path(text: str) -> str | None:
    """A path on the device itself that a message names."""
    found = _PATH.search(text)
    return found[1] if found else None


def behind_priority(block: Lines) -> Longs:
    """Where each line goes on behind `<PRI>`, if it begins so."""
    starts = block.starts
    if b"<" not in block.data:
        return starts
    sizes = np.select([byte(block, starts + at) == ord(">") for at in (2, 3, 4)], [3, 4, 5], 0)
    there = (byte(block, starts) == ord("<")) & is_number(block, starts + 1, starts + np.maximum(sizes, 2) - 1)
    return np.where(there, starts + sizes, starts)
