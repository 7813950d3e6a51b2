"""What somebody was allowed to try on machines of ours: a test of defences, signed by whoever may allow it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A test, its time in UTC microseconds, and where and as whom it may be done; nothing else is covered.

    `signed` are the fingerprints of the keys that signed it.
    """

    id: str
    title: str
    authority: str
    tester: str
    contact: str
    from_us: int
    until_us: int
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    accounts: tuple[str, ...]
    signed: tuple[str, ...]
