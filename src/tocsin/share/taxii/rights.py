"""The proofs of a request in, the guest who asks out; and whether they ask too much."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Final

from tocsin.model.guest import Guest, Right
from tocsin.model.site import Site
from tocsin.share.taxii.refused import Refused, nowhere

_PROOFS: Final[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer realm="taxii", Basic realm="taxii"'}
_TOKEN_BYTES: Final = 32  # 256 bits of chance: a plain digest of it cannot be found by trying
_STRANGERS_A_MINUTE: Final = 60  # refusals to one address
_MOST_KNOWN: Final = 10_000  # addresses that are remembered


def token() -> tuple[str, str]:
    """A new token, and what stands for it in the file of the site."""
    made = secrets.token_urlsafe(_TOKEN_BYTES)
    return made, f"sha256:{hashlib.sha256(made.encode()).hexdigest()}"


def guest(site: Site, authorization: str, certificate: str, today: str) -> Guest:
    """Who asks.

    Args:
        authorization: the header: `Bearer` or `Token` with the token, or `Basic` with it as the password.
        certificate: SHA-256 of the one that the connection was opened with, '' for none.
        today: ISO 8601; a guest whose agreement ended is none.

    Raises:
        Refused: nobody who is known. Why is not said.
    """
    digest = hashlib.sha256(_said(authorization).encode()).hexdigest()
    found: Guest | None = None
    for one in site.guests:  # all of them each time, so that how long it takes tells nothing
        held = [hmac.compare_digest(digest, each) for each in one.tokens]
        shown = [hmac.compare_digest(certificate, each) for each in one.certificates]
        ended = one.peer is not None and bool(one.peer.until) and today > one.peer.until
        if any(held) and (any(shown) or not one.certificates) and not ended:
            found = one
    if found is None:
        raise Refused(401, "Say who you are", "A token is needed.", _PROOFS)
    return found


def need(one: Guest, collection: str, right: Right) -> None:
    """Refuse what a guest may not do; where they may do nothing, as if nothing were there.

    Raises:
        Refused: they may not.
    """
    rights = one.rights.get(collection)
    if not rights:
        raise nowhere()
    if right not in rights:
        raise Refused(403, f"You may not {right} here", "The agreement says what you may do in which collection.")


def _said(authorization: str) -> str:
    scheme, _, word = authorization.strip().partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return word.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(word.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


class Rates:
    """How much each may still ask: a bucket that fills as the minute goes by. Each server process has its own."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, who: str, a_minute: int) -> None:
        """Count one request.

        Raises:
            Refused: it is one too many, with the time after which there is another.
        """
        now = time.monotonic()
        with self._lock:
            left, then = self._left.get(who, (float(a_minute), now))
            left = min(float(a_minute), left + (now - then) * a_minute / 60)
            if left < 1:
                self._left[who] = (left, now)
                wait = str(max(1, math.ceil((1 - left) * 60 / a_minute)))
                raise Refused(429, "Too many requests", f"Try again in {wait} s.", {"Retry-After": wait})
            if len(self._left) >= _MOST_KNOWN and who not in self._left:
                self._left.pop(next(iter(self._left)))
            self._left[who] = (left - 1, now)

    def take_stranger(self, address: str) -> None:
        self.take(f"\0{address}", _STRANGERS_A_MINUTE)


def by_name(site: Site) -> Mapping[str, str]:
    """The id of each collection by its id and by its alias."""
    return {name: one.id for one in site.collections for name in (one.id, one.alias) if name}
