"""Nations with keys of their own, for tests."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin.model.endorsement import Nation
from tocsin.seal import keys


@cache
def key(nation: str, number: int = 0) -> Ed25519PrivateKey:
    """The same each time: the seed is the name."""
    return Ed25519PrivateKey.from_private_bytes(f"{nation}-{number}".encode().ljust(32, b"."))


def nation(name: str, count: int = 1) -> Nation:
    return Nation(
        id=name, name=f"Nation {name.upper()}", keys=tuple(keys.public_text(key(name, one)) for one in range(count))
    )
