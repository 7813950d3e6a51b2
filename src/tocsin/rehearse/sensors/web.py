"""A request in, a line of the web server or proxy out: nginx (combined), IIS (W3C), Squid (native)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from tocsin.rehearse.rhythm import ZONE, clock, utc
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Host

_FIELDS: Final = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken"
)


def nginx(
    scene: Scene,
    host: Host,
    ts_us: int,
    client: str,
    request: tuple[str, str, int, int],
    *,
    agent: str,
    referrer: str = "-",
) -> None:
    """`request` is method, target, status and bytes of the answer's body."""
    method, target, status, size = request
    minute, second = divmod(host.clock(ts_us) // 1_000_000, 60)
    day, zone = _shown(minute)
    line = (
        f'{client} - - [{day}:{second:02} {zone}] "{method} {target} HTTP/1.1" {status} {size} "{referrer}" "{agent}"\n'
    )
    scene.tape.put(scene.tape.stream(f"web/{host.name}/access-{{day}}.log"), ts_us, line, scene.mark)


@lru_cache(maxsize=4_096)
def _shown(minute: int) -> tuple[str, str]:
    """A local time up to its minute, and its zone."""
    at = utc(minute * 60_000_000).astimezone(ZONE)
    return f"{at:%d/%b/%Y:%H:%M}", f"{at:%z}"


def _iis_head(ts_us: int) -> bytes:
    return (
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
        f"#Date: {utc(ts_us):%Y-%m-%d %H:%M:%S}\n#Fields: {_FIELDS}\n"
    ).encode()


def iis(
    scene: Scene,
    host: Host,
    ts_us: int,
    ends: tuple[str, str],
    request: tuple[str, str, int, int, int],
    *,
    agent: str,
    user: str = "-",
    referrer: str = "-",
    took_ms: int = 15,
) -> None:
    """`ends` are client and server; `request` is method, target, status, bytes sent and received, headers and all."""
    client, own = ends
    method, target, status, sent, received = request
    stem, _, query = target.partition("?")
    at = clock(host.clock(ts_us), sep=" ")[:19]
    error = 0 if status < 400 else 64 if status > 499 else 2
    line = (
        f"{at} {own} {method} {stem.replace(' ', '+')} {query.replace(' ', '+') or '-'} 443 "
        f"{user} {client} {agent.replace(' ', '+')} {referrer} {status} 0 {error} "
        f"{sent} {received} {took_ms}\n"
    )
    stream = scene.tape.stream(f"web/{host.name}/u_ex{{day}}.log", head=_iis_head)
    scene.tape.put(stream, ts_us, line, scene.mark)


def squid(
    scene: Scene,
    host: Host,
    ts_us: int,
    client: str,
    request: tuple[str, str, int, int],
    *,
    took_ms: int,
    user: str,
    peer: str,
) -> None:
    """`request` is method, target, status and bytes handed to the client."""
    method, target, status, size = request
    result = "TCP_TUNNEL" if method == "CONNECT" else "TCP_MISS"
    kind = "-" if method == "CONNECT" else "text/html"
    line = (
        f"{ts_us // 1_000_000}.{ts_us // 1000 % 1000:03} {took_ms:6} {client} {result}/{status} {size} {method} "
        f"{target} {user} HIER_DIRECT/{peer} {kind}\n"
    )
    scene.tape.put(scene.tape.stream(f"web/{host.name}/access-{{day}}.log"), ts_us, line, scene.mark)
