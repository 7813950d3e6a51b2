"""What intelligence calls bad, and under which conditions it was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

ObservableType: TypeAlias = Literal[
    "address",  # IPv4 or IPv6
    "network",  # a range of addresses, in CIDR notation
    "domain",
    "url",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "imphash",
    "ssdeep",
    "mail",  # an address of electronic mail
    "account",  # DOMAIN\name, or name@realm
    "sid",  # of Windows: S-1-5-...
    "file",  # a name
    "path",  # of a file or folder
    "key",  # of the Windows registry
    "mutex",
    "agent",  # what an HTTP client calls itself
    "ja4",  # a fingerprint of a TLS client or server; one by JA3 is an MD5
]
OBSERVABLE_TYPES: tuple[ObservableType, ...] = get_args(ObservableType)
HASHES: tuple[ObservableType, ...] = ("md5", "sha1", "sha256", "sha512")


@dataclass(frozen=True, slots=True, order=True)
class Observable:
    """A value in its normal form, of which equal values have one."""

    type: ObservableType
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A pattern, and who said so, when it holds and with whom it may be shared.

    Args:
        observables: any of them is enough; none where only `pattern` tells.
        pattern: STIX 2.1 section 9; '' where `observables` tell all.
        since_us: it holds from then on (UTC microseconds) and before `until_us`; None is without end.
        source: who says so.
        confidence: 0 to 100, None where nobody tells.
        tlp: "red", "amber+strict", "amber", "green", "clear"; '' where nobody tells.
        path: the file it stands in; `line` of it, 0 where the file has none.
        listed: known-good lists that it stands on.
    """

    id: str
    title: str
    observables: tuple[Observable, ...] = ()
    pattern: str = ""
    since_us: int | None = None
    until_us: int | None = None
    source: str = ""
    confidence: int | None = None
    tlp: str = ""
    revoked: bool = False
    labels: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    description: str = ""
    path: str = ""
    line: int = 0
    listed: tuple[str, ...] = ()


Reason: TypeAlias = Literal[
    "not an indicator",  # a line or an object that says nothing that could be looked for
    "cannot be used",  # a pattern or a type that the engine does not do
    "not for detection",  # its author says so
    "duplicate",
    "revoked",
    "expired",
    "known good",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An indicator that is not looked for, or `count` of them, and why. `line` is 0 where the file has none."""

    path: str
    reason: Reason
    text: str
    line: int = 0
    id: str = ""
    title: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Intelligence:
    """What files of indicators hold."""

    indicators: tuple[Indicator, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
