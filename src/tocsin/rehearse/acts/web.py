"""Requests in, what client, network and server wrote of them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tocsin.rehearse.acts.network import End, Link, ask, connect
from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import Running
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import web, zeek
from tocsin.rehearse.world import Host, Site

# What TLS 1.3 adds to a connection: hello, certificates, finished, and something for each record.
_TLS_SENT: Final = 1_560
_TLS_RECEIVED: Final = 3_420
_WORDS: Final = {200: "OK", 201: "Created", 302: "Found", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized"}
_MORE_WORDS: Final = {403: "Forbidden", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass(slots=True, kw_only=True)  # not frozen: of these there are as many as records
class Request:
    """`sent` and `received` are the bodies, without headers."""

    method: str = "GET"
    target: str = "/"
    status: int = 200
    sent: int = 0
    received: int = 0
    user: str = "-"
    took_ms: int = 20


def _headers(request: Request, host: str, agent: str) -> tuple[int, int]:
    """Bytes of the headers of request and answer."""
    return 180 + len(request.target) + len(host) + len(agent), 268


def _bodies(requests: list[Request], host: str, agent: str, *, tls: bool) -> tuple[int, int]:
    sent, received = (_TLS_SENT, _TLS_RECEIVED) if tls else (0, 0)
    for request in requests:
        above, back = _headers(request, host, agent)
        sent += above + request.sent
        received += back + request.received
    return sent, received


def visit(
    scene: Scene,
    ts_us: int,
    source: End,
    server: Host,
    requests: list[Request],
    *,
    agent: str,
    referrer: str = "-",
    lasts_s: float = 0.0,
    run: Running | None = None,
) -> Link:
    """Somebody uses one of our own web servers, over TLS; all requests go through one connection."""
    name = scene.body(server).web if "web" in server.roles else server.fqdn
    sent, received = _bodies(requests, name, agent, tls=True)
    lasts_s = max(lasts_s, 0.05 + sum(request.took_ms for request in requests) / 1000 + received / 4e6)
    link = connect(
        scene, ts_us, source, server, 443, sent=sent, received=received, lasts_s=lasts_s, service="ssl", run=run
    )
    _handshake(scene, link, name)
    at, step = ts_us + 40_000, int(lasts_s * 9e5) // len(requests)
    client = link.source
    for request in requests:
        above, back = _headers(request, name, agent)
        done = at + request.took_ms * 1000
        if "nginx" in server.roles:
            shown = (request.method, request.target, request.status, request.received)
            web.nginx(scene, server, done, client, shown, agent=agent, referrer=referrer)
        else:
            sizes = (back + request.received, above + request.sent)
            web.iis(
                scene,
                server,
                done,
                (client, link.target),
                (request.method, request.target, request.status, *sizes),
                agent=agent,
                user=request.user,
                referrer=referrer,
                took_ms=request.took_ms,
            )
        at += step
    return link


def fetch(
    scene: Scene,
    ts_us: int,
    source: Host,
    site: Site,
    requests: list[Request],
    *,
    agent: str,
    run: Running | None = None,
    lasts_s: float = 0.0,
    resolve: bool = True,
    mime: str = "text/html",
    user: str = "-",
) -> Link:
    """A machine of ours uses a site of the outside, through its body's proxy if it has to.

    Args:
        resolve: False when the name was asked for shortly before.
        user: whom the proxy knows.
    """
    body = scene.body(source)
    sent, received = _bodies(requests, site.name, agent, tls=site.tls)
    lasts_s = max(lasts_s, 0.08 + received / 6e6 + scene.dice.random() * 0.3)
    proxied = not body.cloud and "workstation" in source.roles
    speaker = body.one("proxy") if proxied else source
    if resolve:
        ask(scene, ts_us, body, speaker, site.name, [site.address], run=None if proxied else run)
        ts_us += 30_000
    if proxied:
        _through(scene, ts_us, source, speaker, site, requests, (sent, received, lasts_s), run=run, user=user)
    link = connect(
        scene,
        ts_us + 4000,
        speaker,
        site.address,
        443 if site.tls else 80,
        sent=sent,
        received=received,
        lasts_s=lasts_s,
        service="ssl" if site.tls else "http",
        run=None if proxied else run,
        name=site.name,
    )
    if site.tls:
        _handshake(scene, link, site.name)
    else:
        _plain(scene, link, site, requests, agent, mime)
    return link


def _through(
    scene: Scene,
    ts_us: int,
    source: Host,
    proxy: Host,
    site: Site,
    requests: list[Request],
    sizes: tuple[int, int, float],
    *,
    run: Running | None,
    user: str,
) -> None:
    """The way to the proxy, and its log. `sizes` are bytes sent and received, and seconds."""
    sent, received, lasts_s = sizes
    link = connect(
        scene,
        ts_us,
        source,
        proxy,
        3128,
        sent=sent + 220,
        received=received + 39,
        lasts_s=lasts_s + 0.01,
        service="http",
        run=run,
        name=proxy.fqdn,
    )
    asked = [(one.method, f"http://{site.name}{one.target}", one.status, one.received + 300) for one in requests]
    if site.tls:
        asked = [("CONNECT", f"{site.name}:443", 200, received + 39)]
    for request in asked:
        ends, took = ts_us + int(lasts_s * 1e6), int(lasts_s * 1000)
        web.squid(scene, proxy, ends, link.source, request, took_ms=took, user=user, peer=site.address)


def _ids(link: Link, key: str) -> dict[str, Any]:
    return {
        "ts": link.ts_us + 20_000,
        "uid": link.uids[key],
        "id.orig_h": link.source,
        "id.orig_p": link.sport,
        "id.resp_h": link.target,
        "id.resp_p": link.dport,
    }


def _handshake(scene: Scene, link: Link, name: str) -> None:
    for key in link.uids:
        newer = digest(name or link.target)[0] < "c"
        fields = {
            **_ids(link, key),
            "version": "TLSv13" if newer else "TLSv12",
            "cipher": "TLS_AES_256_GCM_SHA384" if newer else "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "curve": "x25519" if newer else "secp256r1",
            **({"server_name": name} if name else {}),
            "resumed": False,
            "next_protocol": "h2" if newer else "http/1.1",
            "established": True,
            "ssl_history": "CsiI" if newer else "CsxkcuniIi",
        }
        if not newer:
            # TLS 1.3 hides the certificates.
            fields["cert_chain_fps"] = [digest("certificate", name or link.target)]
            fields["sni_matches_cert"] = bool(name)
        zeek.write(scene, key, "ssl", link.ts_us + 90_000, fields)


def _plain(scene: Scene, link: Link, site: Site, requests: list[Request], agent: str, mime: str) -> None:
    for key in link.uids:
        for depth, request in enumerate(requests):
            fuid = "F" + scene.dice.letters(17)
            at = link.ts_us + 20_000 + depth * 100_000
            text = _WORDS.get(request.status) or _MORE_WORDS.get(request.status, "-")
            fields = {
                **_ids(link, key),
                "ts": at,
                "trans_depth": depth + 1,
                "method": request.method,
                "host": site.name,
                "uri": request.target,
                "version": "1.1",
                "user_agent": agent,
                "request_body_len": request.sent,
                "response_body_len": request.received,
                "status_code": request.status,
                "status_msg": text,
                "tags": [],
            }
            if request.received:
                fields["resp_fuids"] = [fuid]
                fields["resp_mime_types"] = [mime]
            zeek.write(scene, key, "http", at + 90_000, fields)
            if request.received:
                _carried(scene, key, link, at, fuid, request, mime)


def _carried(scene: Scene, key: str, link: Link, at: int, fuid: str, request: Request, mime: str) -> None:
    fields = {
        **_ids(link, key),
        "ts": at + 10_000,
        "fuid": fuid,
        "source": "HTTP",
        "depth": 0,
        "analyzers": ["SHA256"],
        "mime_type": mime,
        "duration": 0.01,
        "local_orig": False,
        "is_orig": False,
        "seen_bytes": request.received,
        "total_bytes": request.received,
        "missing_bytes": 0,
        "overflow_bytes": 0,
        "timedout": False,
        "sha256": digest("content", link.target, request.target),
    }
    zeek.write(scene, key, "files", at + 95_000, fields)
