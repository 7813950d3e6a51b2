"""A place and an address in, a server there out, until it is told to stop (uvicorn).

Beyond this machine it is served over TLS alone. A connection may show a certificate; which of the guests it must be is
told by the file of the site, and that it is of an authority we know is checked before.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tocsin.errors import SettingsError
from tocsin.share.taxii import feeds
from tocsin.share.taxii.app import CERTIFICATE, app
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.routes import DISCOVERY

MOST_CONNECTIONS: Final = 200
START: Final = DISCOVERY
_IDLE_S: Final = 30


class _Shown(HttpToolsProtocol):
    """As uvicorn's own, but says which certificate a connection showed."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        channel: Any = self.transport.get_extra_info("ssl_object")
        raw = channel.getpeercert(binary_form=True) if channel is not None else None
        self.scope[CERTIFICATE] = hashlib.sha256(raw).hexdigest() if raw else ""  # type: ignore[typeddict-unknown-key]


Port: TypeAlias = socket.socket  # one that is bound already


def is_here(host: str) -> bool:
    """Whether an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(place: Place, host: str, *, encrypted: bool, authority: bool) -> None:
    """See that what others are told goes to them alone.

    Raises:
        SettingsError: it would go in clear text, or nobody could say whose a certificate is.
    """
    if not is_here(host) and not encrypted:
        hint = "Give --certificate and --key, or listen on 127.0.0.1 behind something that speaks TLS."
        raise SettingsError(f"--listen {host}: others would be answered in clear text", hint=hint)
    if any(guest.certificates for guest in place.site.guests) and not (authority and encrypted):
        hint = "Give --authority, the file of theirs, with --certificate and --key."
        raise SettingsError("a guest must show a certificate, and no authority is known", hint=hint)


def serve(
    place: Place,
    host: str,
    port: int,
    *,
    complain: Callable[[str], None],
    certificate: Path | None = None,
    key: Path | None = None,
    authority: Path | None = None,
) -> None:
    """Serve until somebody ends it; `complain` is told what goes wrong at our side."""
    feeds.settle(place)
    config = _config(
        place,
        complain,
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(authority) if authority else None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if authority else ssl.CERT_NONE,
    )
    uvicorn.Server(config).run()


def bound() -> Port:
    """A port of this machine alone, chosen by it, at which others wait until somebody serves there."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(MOST_CONNECTIONS)
    return made


@contextmanager
def beside(place: Place, at: Port, *, complain: Callable[[str], None]) -> Iterator[None]:
    """Serve from a thread of this process, for as long as the context lasts."""
    feeds.settle(place)
    server = uvicorn.Server(_config(place, complain))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [at]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _config(place: Place, complain: Callable[[str], None], **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app(place, complain),
        http=_Shown,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        **more,
    )
