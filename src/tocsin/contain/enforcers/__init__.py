"""The drawer of enforcers: one plain module for each thing that can hold an intruder back."""

from __future__ import annotations

from tocsin.contain.enforcer import Enforcer
from tocsin.contain.enforcers import (
    active_directory,
    bind,
    entra,
    nftables,
    suricata,
    unbound,
    webhook,
    windows_firewall,
)

# Those that are carried out from here first, then those that people take elsewhere.
ENFORCERS: tuple[Enforcer, ...] = (
    nftables,
    unbound,
    bind,
    webhook,
    suricata,
    windows_firewall,
    active_directory,
    entra,
)
