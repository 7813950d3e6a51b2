"""Text of an address or a network in, its normal form out: RFC 4291 and 5952, IPv4 without leading zeros."""

from __future__ import annotations

import ipaddress
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST: Final = 100  # characters: the longest address with a zone and a port has fewer


def address(text: str) -> str | None:
    """The address, None where the text is none. An IPv4 address written as IPv6 is that IPv4 address.

    Brackets, a zone (`%eth0`) and blanks around it are no part of it. A leading zero is refused: some read it as
    octal, others do not.
    """
    text = text.strip()
    if not 2 <= len(text) <= _MOST:
        return None
    if text[0] == "[" and text[-1] == "]":
        text = text[1:-1]
    try:
        found = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)


def without_port(text: str) -> str:
    """`192.0.2.1:443` and `[2001:db8::1]:443` without the port; other text as it is."""
    if len(text) > _MOST:
        return text
    head, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdecimal() and (head.count(".") == 3 or head.endswith("]")):
        return head if ":" not in head or head.startswith("[") else text
    return text


def network(text: str) -> Network | None:
    """A range of addresses; bits beyond its prefix are passed over, as most tools do. A single address is none."""
    text = text.strip()
    if len(text) > _MOST or text.count("/") != 1:
        return None
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= 96:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((mapped, found.prefixlen - 96), strict=False)
    return found


def span(found: Network) -> tuple[int, int, int]:
    """Version, first and last address as numbers."""
    return found.version, int(found.network_address), int(found.broadcast_address)
