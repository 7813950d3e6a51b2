"""Incidents in, to whom else something was sent from where their findings point out.

A rule or an ally names one thing: the picture in a mail, the server of one message. The mails themselves stand in logs
that no rule looks at, and those who got one without opening it are nowhere else. So all logs of mail are asked who was
written to from there.
"""

from __future__ import annotations

from tocsin.investigate.addressees.mailings import Mailing, Met, Search, read, search
from tocsin.investigate.addressees.pointers import Pointer, Pointers, observables, pointers
from tocsin.investigate.addressees.told import messages, told

__all__ = [
    "Mailing",
    "Met",
    "Pointer",
    "Pointers",
    "Search",
    "messages",
    "observables",
    "pointers",
    "read",
    "search",
    "told",
]
