"""Findings by rule, machine and time in; what happens everywhere every day, and what says the same again, out.

Nothing is dropped: what is lowered still stands in an incident, with a word why, and all of it can be turned off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.machines import COMMON
from tocsin.investigate.nearest import grouped
from tocsin.model.event import NO_TIME, Codes, Longs

# A working week: what one rule finds on more than `COMMON` machines on each of so many days is how this place works.
# Counts, not shares: an intruder on one machine every day, or on all machines in one night, is none of it, and more
# logs never make a rule speak louder.
EVERY_DAY: Final = 5

_DAY_US: Final = 86_400_000_000

# Names that everybody's machines ask for, and addresses that answer everybody: to share one says nothing.
EVERYBODYS_DOMAINS: Final = frozenset(
    """microsoft.com windows.com windowsupdate.com windows.net office.com office.net office365.com live.com msn.com
    microsoftonline.com azure.com azureedge.net akamai.net akamaiedge.net akadns.net cloudfront.net cloudflare.com
    fastly.net google.com gstatic.com googleapis.com gvt1.com apple.com icloud.com mozilla.org mozilla.net
    firefox.com ubuntu.com debian.org redhat.com fedoraproject.org digicert.com verisign.com letsencrypt.org
    ntp.org adobe.com in-addr.arpa ip6.arpa github.com""".split()
)
EVERYBODYS_ADDRESSES: Final = frozenset(
    """8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 168.63.129.16
    2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe""".split()
)


def everyday(rule: Longs, machine: Codes, ts: Longs, rules: int) -> npt.NDArray[np.bool_]:
    """Which rules find something on many machines day after day."""
    known = np.flatnonzero((machine > 0) & (ts != NO_TIME))
    answer = np.zeros(rules, bool)
    if not len(known):
        return answer
    day = ts[known] // _DAY_US
    _, firsts = np.unique(grouped([rule[known], day, machine[known]]), return_index=True)
    rule, day = rule[known][firsts], day[firsts]
    cell = grouped([rule, day])
    _, first, machines = np.unique(cell, return_index=True, return_counts=True)
    many = machines > COMMON
    answer[:] = np.bincount(rule[first][many], minlength=rules) >= EVERY_DAY
    return answer


def folds(same: Sequence[npt.NDArray[np.integer]]) -> Longs:
    """For each finding, given in order of time, the first that is the same in all of these."""
    _, firsts, at = np.unique(grouped(same), return_index=True, return_inverse=True)
    return firsts[at]


def solid(
    ts: Longs, label: Longs, kept: npt.NDArray[np.bool_], bearing: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which findings say when an incident began, where, and by whom.

    Those that bear it, and what else is there from then on. What is lowered, or of low level and earlier, hangs on
    these by a process or a machine, and may be what that machine does on any day. Where there is nothing better, all.

    Args:
        label: the incident of each.
        kept: those that are not lowered; `bearing` those of these that are of weight.
    """
    size = int(label.max(initial=0)) + 1
    first = np.full(size, np.iinfo(np.int64).max)
    timed = bearing & (ts != NO_TIME)
    np.minimum.at(first, label[timed], ts[timed])
    borne, some = (np.bincount(label[which], minlength=size) > 0 for which in (bearing, kept))
    later = bearing | (ts == NO_TIME) | (ts >= first[label]) | ~borne[label]
    answer: npt.NDArray[np.bool_] = (kept & later) | ~some[label]
    return answer


def is_everybodys(text: str) -> bool:
    """True for a domain or an address that is no link between those who name it."""
    if text in EVERYBODYS_ADDRESSES:
        return True
    parts = text.split(".")
    return any(".".join(parts[at:]) in EVERYBODYS_DOMAINS for at in range(len(parts) - 1))
