"""The head of a log of Exchange in, whose of its logs it is and how its lines are read out.

Microsoft Learn, *Exchange Server*, "Message tracking", "Protocol logging in Exchange": comma-separated lines below
`#Software` and `#Fields`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from tocsin.collect.w3c import Derived, Dialect, Header

# Columns that only its logs of mail have; those of web requests have others.
OF_MAIL: Final = frozenset({"message-subject", "recipient-address", "remote-endpoint"})


def has_any(header: Header, columns: Collection[str]) -> bool:
    """Whether Exchange wrote it, with one of these columns (written small)."""
    is_of_exchange = header.software.lower().startswith("microsoft exchange")
    return is_of_exchange and any(name.lower() in columns for name in header.columns)


def dialect(
    log: str, names: Mapping[str, tuple[str, ...]], derived: Mapping[str, Derived], times: tuple[str, ...]
) -> Dialect:
    """How one of its logs is read.

    Args:
        times: columns that may hold the time, the surest first.
    """
    return Dialect(names=names, derived=derived, constant={"log": log}, separator=",", nothing="", times=times)
