"""Requests of HTTP in, answers of TAXII 2.1 out (ASGI 3): who asks, in which media types, and how much.

Who does not say who they are is told nothing but that, whatever they ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route as Way

from tocsin.errors import TocsinError
from tocsin.model.guest import Guest
from tocsin.share.taxii import envelope, media, openapi, rights
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.refused import Refused, nowhere
from tocsin.share.taxii.routes import MEDIA, ROUTES, Answer, Request, Route

DESCRIPTION: Final = "/openapi.json"
CERTIFICATE: Final = "tocsin.certificate"  # in the scope of a request: the digest of what its connection showed
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_OURS: Final = ("application/taxii+json", "application/*", "*/*")
# Nothing that is answered here is for a browser, and nothing of it for a cache.
_ALWAYS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


def app(place: Place, complain: Callable[[str], None]) -> Starlette:
    """What serves a place; `complain` is told what went wrong at our side."""
    rates = rights.Rates()

    async def answer(asked: Asked) -> Response:
        try:
            told = await _answer(place, rates, asked)
        except Refused as why:
            told = _refusal(why)
        except ClientDisconnect:
            return Response(status_code=400)
        except (OperationalError, NoConnection):
            # Another writer took longer than we wait, or the database is away for a moment.
            told = _refusal(Refused(503, "This server is busy", "Try again soon.", {"Retry-After": "5"}))
        except TocsinError as fault:
            # What went wrong here (a full disk, a journal that was changed) is for people here.
            complain(fault.message)
            told = _broken()
        except Exception as fault:  # noqa: BLE001 - whatever it was, the answer is one of TAXII, and says nothing of us
            complain(f"{type(fault).__name__}: {fault}")
            told = _broken()
        return Response(told.body, told.status, {"Content-Type": MEDIA, **_ALWAYS, **told.headers})

    return Starlette(routes=[Way("/{path:path}", answer, methods=_METHODS)])


def _refusal(why: Refused) -> Answer:
    return Answer(why.status, why.body(), why.headers)


def _broken() -> Answer:
    return _refusal(Refused(500, "Something is wrong at this server", "Its people were told."))


async def _answer(place: Place, rates: rights.Rates, asked: Asked) -> Answer:
    certificate = str(asked.scope.get(CERTIFICATE, ""))
    today = datetime.now(UTC).date().isoformat()
    try:
        guest = rights.guest(place.site, asked.headers.get("authorization", ""), certificate, today)
    except Refused:
        rates.take_stranger(asked.client.host if asked.client else "")
        raise
    rates.take(guest.id, guest.a_minute)
    path = asked.url.path if asked.url.path.endswith("/") else asked.url.path + "/"
    if path == DESCRIPTION + "/" and asked.method == "GET":
        return Answer(200, openapi.described(), {"Content-Type": "application/json"})
    _acceptable(asked, path)
    route, parts = _route(asked.method, path)
    body = await _body(asked, route.speaks) if route.method == "POST" else b""
    told = await run_in_threadpool(_work, place, guest, route, Request(path, parts, _query(asked), body))
    return replace(told, headers={"Content-Type": route.speaks, **told.headers})


def _work(place: Place, guest: Guest, route: Route, request: Request) -> Answer:
    return route.work(place, guest, request)


def _route(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    there = [(route, parts) for route in ROUTES if (parts := route.match(path)) is not None]
    if not there:
        raise nowhere()
    for route, parts in there:
        if route.method == ("GET" if method == "HEAD" else method):  # the server leaves out the body
            return route, parts
    allowed = ", ".join(route.method for route, _ in there)
    raise Refused(405, "This cannot be done here", f"There is {allowed}.", {"Allow": allowed})


def _acceptable(asked: Asked, path: str) -> None:
    """Section 1.6.8: what is answered is of version 2.1, and only who takes that is answered."""
    said = asked.headers.get("accept")
    if said is None:
        return
    ours = (*_OURS, media.NODE) if path.endswith(f"/{media.NODE_RESOURCE}") else _OURS
    for one in said.split(","):
        kind, *parameters = [part.strip().lower() for part in one.split(";")]
        versions = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("version=")]
        refused = any(part.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for part in parameters)
        if kind in ours and not refused and (not versions or versions == ["2.1"]):
            return
    raise Refused(406, "This server speaks TAXII 2.1", f"Accept {MEDIA}.")


async def _body(asked: Asked, speaks: str) -> bytes:
    kind, *parameters = [part.strip().lower() for part in asked.headers.get("content-type", "").split(";")]
    versions = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("version=")]
    if kind != speaks.partition(";")[0] or (versions and versions != ["2.1"]):
        raise Refused(415, "This is not what is taken here", f"Send {speaks}.")
    if asked.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        # A few bytes could become as many as there is memory.
        raise Refused(415, "What is compressed is not taken", "Send it as it is.")
    told = asked.headers.get("content-length", "0")
    large = Refused(413, "The message is too large", f"At most {envelope.MOST_BYTES:,} bytes are taken at once.")
    if told.isascii() and told.isdigit() and int(told[:20]) > envelope.MOST_BYTES:
        raise large
    body = bytearray()
    async for part in asked.stream():
        body += part
        if len(body) > envelope.MOST_BYTES:
            raise large
    return bytes(body)


def _query(asked: Asked) -> dict[str, str]:
    try:
        pairs = parse_qsl(asked.url.query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise Refused(
            400, "The question cannot be read", "It is percent-encoded UTF-8, with 50 fields at most."
        ) from error
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(400, "A filter is there twice", "Give its values once, with commas between.")
    return found
