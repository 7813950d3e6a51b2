"""Exchange's transport logs in, Events out: message tracking, and the SMTP protocol logs that are written alike.

Microsoft Learn `Message tracking`, `Protocol logging` (Exchange Server 2013 to Subscription Edition). Values have the
names of the log's columns, and those that all mail logs share; several recipients are a list there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from tocsin.collect import exchange
from tocsin.collect.mail_texts import bare
from tocsin.collect.w3c import Derived, Dialect, Header, Values
from tocsin.collect.w3c_columns import W3CLog

NAME = "exchange_tracking"
KIND = "mail"

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "client-ip": ("client-ip", "client_ip"),
    "event-id": ("event-id", "status"),
    "message-subject": ("message-subject", "subject"),
    "sender-address": ("sender-address", "sender"),
    "server-ip": ("server-ip", "server_ip"),
    "total-bytes": ("total-bytes", "size"),
}


def _recipients(values: Values) -> Sequence[str] | None:
    addresses = values.get("recipient-address")
    if addresses is None:
        return None
    return addresses if ";" not in addresses else addresses.split(";")


def _remote(values: Values) -> str | None:
    """The address of `address:port`."""
    remote = values.get("remote-endpoint")
    return remote.rpartition(":")[0].strip("[]") or None if remote else None


_DERIVED: Final = {
    "recipient": Derived(("recipient-address",), _recipients),
    "message_id": Derived(("message-id",), lambda values: bare(values.get("message-id"))),
    "client_ip": Derived(("remote-endpoint",), _remote),
}


def _knows(header: Header) -> bool:
    return exchange.has_any(header, exchange.OF_MAIL)


@lru_cache(maxsize=16)
def _dialect(log: str) -> Dialect:
    return exchange.dialect(log, _NAMES, _DERIVED, ("date-time", "datetime"))


_LOG: Final = W3CLog(knows=_knows, dialect=lambda header: _dialect(header.log or "Message Tracking Log"))
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
