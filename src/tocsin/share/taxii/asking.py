"""A resource of somebody's TAXII server in, its answer out: over TLS, bounded, and again where they are busy."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from tocsin.errors import ShareError
from tocsin.share.taxii import media
from tocsin.share.taxii.serving import is_here

MOST_BYTES: Final = 256 << 20  # of one answer
TRIES: Final = 6
LONGEST_WAIT_S: Final = 300.0
_TIMEOUT_S: Final = 60.0
_BUSY: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where to ask, and how to prove who asks.

    Args:
        url: of a collection.
        token: '' for none; with a user, it is their password.
        authority: the file of the authority that their certificate is of; None for those of this system.
        certificate: ours, and `key` its key; None where they want none.
    """

    url: str
    token: str
    user: str = ""
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """`tries` is how often it was asked: they may have answered before, and it was lost on the way."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    tries: int = 1


Ask = Callable[[str, str, Mapping[str, str], bytes | None], Answered]


@contextmanager
def asking(remote: Remote, *, wait: Callable[[float], None] = time.sleep) -> Iterator[Ask]:
    """Give what asks: a method, a resource below the collection, what is asked, a body.

    Raises:
        ShareError: they would be asked in clear text, or a file cannot be read.
    """
    where = urlsplit(remote.url)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise ShareError(f"{remote.url}: is no address of a collection", hint="https://HOST/ROOT/collections/ID/")
    if where.scheme == "http" and not is_here(where.hostname):
        raise ShareError(f"{remote.url}: the token would go in clear text", hint="Ask over https.")
    headers = {"Accept-Encoding": "identity"}
    if remote.token and not remote.user:
        headers["Authorization"] = f"Bearer {remote.token}"
    proof = httpx.BasicAuth(remote.user, remote.token) if remote.user else None
    # A redirection could carry the token elsewhere, and the environment could bring another one.
    with httpx.Client(
        verify=_context(remote),
        headers=headers,
        auth=proof,
        timeout=_TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
    ) as client:

        def ask(method: str, resource: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
            # The status of a post, and the node, are beside the collections, below the same root.
            root, _, _ = remote.url.rpartition("/collections/")
            beside = resource == media.NODE_RESOURCE or resource.startswith("status/")
            base = root if beside else remote.url.rstrip("/")
            return _patient(client, wait, method, f"{base}/{resource}", asked, body)

        yield ask


def _context(remote: Remote) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=remote.authority)
        if remote.certificate is not None:
            context.load_cert_chain(remote.certificate, remote.key)
    except (OSError, ssl.SSLError) as error:
        hint = "Name files in PEM: --authority, --certificate and --key."
        raise ShareError(f"a certificate cannot be used: {error}", hint=hint) from error
    return context


def _patient(
    client: httpx.Client,
    wait: Callable[[float], None],
    method: str,
    url: str,
    asked: Mapping[str, str],
    body: bytes | None,
) -> Answered:
    """Ask until they answer, with longer and longer pauses; a post may be repeated, since taking it twice is once."""
    why = ""
    for number in range(TRIES):
        pause = min(LONGEST_WAIT_S, 2.0**number) * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come at once
        try:
            found = _once(client, method, url, asked, body)
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
        else:
            if found.status not in _BUSY:
                return replace(found, tries=number + 1)
            why = f"they are busy ({found.status})"
            pause = max(pause, _told_to_wait(found.headers.get("retry-after", "")))
        if number + 1 < TRIES:
            wait(pause)
    raise ShareError(f"{url}: no answer after {TRIES} tries: {why}", hint="What came is kept; ask again later.")


def _once(client: httpx.Client, method: str, url: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
    is_node = url.endswith(f"/{media.NODE_RESOURCE}")
    headers = {"Accept": f"{media.NODE}, {media.TAXII}" if is_node else media.TAXII}
    headers |= {} if body is None else {"Content-Type": media.NODE if is_node else media.TAXII}
    with client.stream(method, url, params=asked or None, content=body, headers=headers) as found:
        if found.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise ShareError(
                f"{url}: what they sent is compressed", hint="It was not asked for, and could be any size."
            )
        taken = bytearray()
        for part in found.iter_raw():
            taken += part
            if len(taken) > MOST_BYTES:
                raise ShareError(f"{url}: more than {MOST_BYTES >> 20} MiB in one answer", hint="Ask their people.")
        return Answered(found.status_code, bytes(taken), {name.lower(): value for name, value in found.headers.items()})


def _told_to_wait(said: str) -> float:
    """Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_WAIT_S)
    try:
        left = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds() if said else 0.0
    except (TypeError, ValueError):
        return 0.0
    return min(max(left, 0.0), LONGEST_WAIT_S)
