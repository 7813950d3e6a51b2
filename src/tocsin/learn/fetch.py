"""The address of an archive or of a JSON file in, its bytes in a file out: nothing else speaks to the network.

Only http and https, also after redirects, and never from https down to http. What is fetched is bounded in
size and time, and an answer that was cut short is an error.
"""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from typing import IO, BinaryIO, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from tocsin.errors import RuleError
from tocsin.learn import archives

MOST_BYTES: Final = archives.MOST_ARCHIVE_BYTES
SILENCE_S: Final = 30.0  # the longest wait for the next byte
WHOLE_S: Final = 600.0  # for all of it, however steadily it drips

_PIECE: Final = 1 << 16
_SCHEMES: Final = ("http", "https")
_HINT_NETWORK: Final = "Check the address and the network (https_proxy is honoured), or fetch it yourself."
_HINT_ADDRESS: Final = (
    "Name the archive itself; of a GitHub repository that is https://github.com/OWNER/NAME/archive/HEAD.zip."
)


def shown(address: str) -> str:
    """An address as it may be kept and printed: without its query, where tokens travel."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address.partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def fetch(
    address: str,
    file: BinaryIO | IO[bytes],
    *,
    silence_s: float = SILENCE_S,
    whole_s: float = WHOLE_S,
    is_wanted: Callable[[bytes], object] = archives.sniff,
    what: str = "zip or tar.gz archive",
) -> str:
    """Write what stands at the address into the file; its SHA-256.

    Args:
        is_wanted: whether the first `archives.HEAD_BYTES` begin something wanted.
        what: how that is called.

    Raises:
        RuleError: it cannot be had in full, is too large, or is not what is wanted.
    """
    name = shown(address)
    _check(address)
    request = urllib.request.Request(address, headers={"User-Agent": "tocsin", "Accept-Encoding": "identity"})  # noqa: S310  checked above
    until = time.monotonic() + whole_s
    try:
        with _opener().open(request, timeout=silence_s) as answer:
            return _copy(answer, file, name, until, _Wanted(is_wanted, what))
    except urllib.error.HTTPError as fault:
        fault.close()
        raise RuleError(f"{name}: the server answered {fault.code} {fault.reason}", hint=_HINT_ADDRESS) from fault
    except urllib.error.URLError as fault:
        raise RuleError(f"{name}: cannot be reached ({fault.reason})", hint=_HINT_NETWORK) from fault
    except TimeoutError as fault:
        raise RuleError(f"{name}: nothing came for {silence_s:g} s", hint=_HINT_NETWORK) from fault
    except (OSError, http.client.HTTPException, ValueError) as fault:
        word = str(fault) or type(fault).__name__
        raise RuleError(f"{name}: the connection broke ({word})", hint=_HINT_NETWORK) from fault


def _check(address: str) -> None:
    name = shown(address)
    try:
        parts = urlsplit(address)
        inside = parts.username is not None or parts.password is not None
    except ValueError as fault:
        raise RuleError(f"{name}: not an address ({fault})", hint=_HINT_ADDRESS) from fault
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise RuleError(f"{name}: only http:// and https:// addresses are fetched", hint=_HINT_ADDRESS)
    if inside:
        raise RuleError(
            f"{name}: an address with a password in it is not used",
            hint="Fetch the archive yourself and add the file.",
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to where addresses may lead, and no further."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        fp.close()
        _check(newurl)
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise RuleError(
                f"{shown(req.full_url)}: it redirects to {shown(newurl)}, which is not encrypted",
                hint="Fetch the archive yourself, if you trust it.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> urllib.request.OpenerDirector:
    """One that knows http and https only: the usual one also opens files and FTP."""
    opener = urllib.request.OpenerDirector()
    for one in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(one)
    return opener


class _Wanted(NamedTuple):
    fits: Callable[[bytes], object]
    called: str


def _copy(
    answer: http.client.HTTPResponse, file: BinaryIO | IO[bytes], name: str, until: float, wanted: _Wanted
) -> str:
    declared = answer.headers.get("Content-Length", "")
    expected = int(declared) if declared.isascii() and declared.isdigit() else None
    if expected is not None and expected > MOST_BYTES:
        raise _too_large(name)
    digest, size, head = hashlib.sha256(), 0, b""
    while piece := answer.read1(_PIECE):
        size += len(piece)
        if len(head) < archives.HEAD_BYTES:
            head += piece
            if len(head) >= archives.HEAD_BYTES and not wanted.fits(head):
                raise _unwanted(answer, name, wanted)
        if size > MOST_BYTES:
            raise _too_large(name)
        if time.monotonic() > until:
            raise RuleError(f"{name}: it comes too slowly", hint=_HINT_NETWORK)
        digest.update(piece)
        file.write(piece)
    if not size or (expected is not None and size != expected):
        told = "" if expected is None else f" of {expected:,}"
        raise RuleError(f"{name}: the answer was cut short ({size:,}{told} bytes came)", hint="Try again.")
    if not wanted.fits(head):
        raise _unwanted(answer, name, wanted)
    return digest.hexdigest()


def _too_large(name: str) -> RuleError:
    return RuleError(f"{name}: larger than {MOST_BYTES >> 20} MiB", hint=_HINT_ADDRESS)


def _unwanted(answer: http.client.HTTPResponse, name: str, wanted: _Wanted) -> RuleError:
    kind = answer.headers.get_content_type()
    return RuleError(f"{name}: what came is no {wanted.called} ({kind})", hint=_HINT_ADDRESS)
