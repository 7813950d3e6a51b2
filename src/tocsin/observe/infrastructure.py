"""Infrastructure as people write it in, one form out: `address:`, `domain:`, `certificate:`, `asn:`, `kind:`."""

from __future__ import annotations

import re
from typing import Final

from tocsin.observe.addresses import address
from tocsin.observe.domains import domain
from tocsin.observe.fanging import refang

_NUMBER: Final = re.compile(r"(?:as)?(\d{1,10})", re.ASCII | re.IGNORECASE)
_HEX: Final = re.compile(r"[0-9a-f]{32,128}", re.ASCII)


def normal(text: str) -> str:
    """Defanged forms are understood; what is not understood stays, in lower case. A bare address or domain is one."""
    kind, _, value = text.strip().partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if kind == "address":
        return f"address:{address(refang(value)) or value.lower()}"
    if kind == "domain":
        return f"domain:{domain(refang(value)) or value.lower()}"
    if kind == "certificate":
        digits = re.sub(r"[\s:]", "", value).lower()
        return f"certificate:{digits if _HEX.fullmatch(digits) else value.lower()}"
    if kind == "asn":
        found = _NUMBER.fullmatch(value)
        return f"asn:{int(found[1])}" if found else f"asn:{value.lower()}"
    if kind == "kind":
        return f"kind:{value.lower()}"
    bare = refang(text)
    if found_address := address(bare):
        return f"address:{found_address}"
    if found_domain := domain(bare):
        return f"domain:{found_domain}"
    return text.strip().lower()
