"""Text of an address or a network in, its normal form out: RFC 4291 and 5952, IPv4 without leading zeros."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST: Final = 100  # characters: the longest address with a zone and a port has fewer
_PART: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NORMAL_V4: Final = re.compile(rf"{_PART}(?:\.{_PART}){{3}}")
_NETWORK_V4: Final = re.compile(rf"({_PART})\.({_PART})\.({_PART})\.({_PART})(?:/([12]?[0-9]|3[0-2]))?")


def address(text: str) -> str | None:
    """The address, None where the text is none. An IPv4 address written as IPv6 is that IPv4 address.

    Brackets, a zone (`%eth0`) and blanks around it are no part of it. A leading zero is refused: some read it as
    octal, others do not.
    """
    if _NORMAL_V4.fullmatch(text):  # nearly all are, and the library takes ten times as long
        return text
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


def span(text: str) -> tuple[int, int, int] | None:
    """Version, first and last address as numbers, of a network or a single address; None where the text is neither."""
    plain = _NETWORK_V4.fullmatch(text)
    if plain:
        a, b, c, d, bits = plain.groups()
        free = 32 - int(bits) if bits else 0
        first = (int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)) >> free << free
        return 4, first, first + (1 << free) - 1
    single = address(text) if "/" not in text else None
    found = network(f"{single}/{128 if ':' in single else 32}" if single else text)
    return (found.version, int(found.network_address), int(found.broadcast_address)) if found else None
