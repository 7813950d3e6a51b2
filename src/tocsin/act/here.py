"""This machine in, what of it must stay in reach out: its addresses, its gateway, its resolvers, and who works at it.

Read from what Linux tells in /proc and from resolv.conf(5); nothing is run for it. Where a file is not there, as on
another system, it tells nothing, and that is said.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SERVER: Final = re.compile(r"^\s*nameserver\s+([0-9A-Fa-f:.]+)", re.MULTILINE)
_LARGEST: Final = 4 << 20


def addresses(root: Path = Path("/")) -> tuple[tuple[str, str], ...]:
    """Each with the words that say what it is."""
    found: dict[str, str] = {}
    for text, what in (
        *_gateways(root),
        *_resolvers(root),
        *_analyst(),
        *_local(root),
    ):
        try:
            found.setdefault(str(ipaddress.ip_address(text)), what)
        except ValueError:
            continue
    return tuple(found.items())


def hosts() -> tuple[tuple[str, str], ...]:
    name = os.uname().nodename
    return ((name, "the machine that Tocsin runs on"),) if name else ()


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii", "replace")
    except OSError:
        return ""


def _gateways(root: Path) -> Iterator[tuple[str, str]]:
    for line in _read(root / "proc/net/route").splitlines()[1:]:
        parts = line.split()
        if len(parts) > 2 and parts[2].strip("0"):
            yield str(ipaddress.IPv4Address(bytes.fromhex(parts[2])[::-1])), "our own gateway"
    for line in _read(root / "proc/net/ipv6_route").splitlines():
        parts = line.split()
        if len(parts) > 4 and parts[4].strip("0"):
            yield str(ipaddress.IPv6Address(int(parts[4], 16))), "our own gateway"


def _resolvers(root: Path) -> Iterator[tuple[str, str]]:
    for name in ("etc/resolv.conf", "run/systemd/resolve/resolv.conf"):
        for address in _SERVER.findall(_read(root / name)):
            yield address, "our own resolver"


def _analyst() -> Iterator[tuple[str, str]]:
    """Who is logged in from elsewhere, as sshd tells it."""
    for name in ("SSH_CLIENT", "SSH_CONNECTION"):
        for part in os.environ.get(name, "").split()[:1]:
            yield part, "the analyst's own machine"


def _local(root: Path) -> Iterator[tuple[str, str]]:
    for found in re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", _read(root / "proc/net/fib_trie")):
        yield found, "the machine that Tocsin runs on"
    for line in _read(root / "proc/net/if_inet6").splitlines():
        yield str(ipaddress.IPv6Address(int(line.split()[0], 16))), "the machine that Tocsin runs on"
