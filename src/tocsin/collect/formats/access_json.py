"""Access logs of web servers as JSON in, Events out, under the names that Sigma's category `webserver` has.

Caddy (its manual, "How Logging Works": `http.log.access`), Traefik (its manual, "Access logs", "Available fields"),
nginx (`ngx_http_log_module`, `log_format ... escape=json`, keys called as nginx's variables) and Apache
(`mod_log_config` with the keys that its users write). Every key keeps its name; the values that Sigma has names for
have these as well. `-` and an empty text are no value there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.later import later
from tocsin.collect.naming import Dotted

NAME = "access_json"
KIND = "webserver"

# Sigma's name -> where its value stands, the best first: Caddy's, Traefik's, nginx' and Apache's.
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "c-ip": ("request.client_ip", "request.remote_ip", "ClientHost", "remote_addr", "remoteIP", "request.remote_addr"),
    "c-port": ("request.remote_port", "ClientPort", "remote_port"),
    "cs-username": ("user_id", "ClientUsername", "remote_user", "user"),
    "cs-method": ("request.method", "RequestMethod", "request_method", "method"),
    "cs-uri": ("request.uri", "RequestPath", "request_uri"),
    "cs-uri-stem": (),
    "cs-uri-query": ("query_string", "args", "query"),
    "cs-version": ("request.proto", "RequestProtocol", "server_protocol", "protocol"),
    "cs-host": ("request.host", "RequestHost", "http_host", "host", "server_name"),
    "s-port": ("RequestPort", "server_port"),
    "s-computername": ("hostname",),
    "sc-status": ("DownstreamStatus", "status", "OriginStatus"),
    "sc-bytes": ("size", "DownstreamContentSize", "body_bytes_sent", "bytes_sent", "bytes"),
    "cs-referer": ("request.headers.Referer", "request_Referer", "http_referer", "referer"),
    "cs-user-agent": ("request.headers.User-Agent", "request_User-Agent", "http_user_agent", "userAgent"),
    "cs-x-forwarded-for": (
        *("request.headers.X-Forwarded-For", "request_X-Forwarded-For", "http_x_forwarded_for", "forwardedFor"),
    ),
}
_TIMES: Final = ("StartUTC", "ts", "time_iso8601", "time", "@timestamp", "timestamp", "StartLocal")
_LOCAL_TIMES: Final = ("time_local", "msec")
_LOCAL_TIME: Final = "%d/%b/%Y:%H:%M:%S %z"
_LOOKED_AT: Final = tuple(
    dict.fromkeys(
        ["request", *_LOCAL_TIMES, *_PLACES, *(place.partition(".")[0] for some in _PLACES.values() for place in some)]
    )
)
_REQUEST: Final = later(r"([A-Za-z_-]{1,32}) (.+) (HTTP/[\d.]{1,8})", re.DOTALL)
_AUTHORITY: Final = later(r"[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^/?#]*")
_PORT: Final = later(r"(\[[0-9A-Fa-f:.]+\]|[^:]+):(\d{1,5})", re.ASCII)
_SECONDS: Final = later(r"\d{10}(?:\.\d{1,9})?", re.ASCII)


def _shape(record: Record) -> None:
    found = {name: value for name, places in _PLACES.items() if (value := _first(record, places)) is not None}
    line = record.get("request")
    if type(line) is str:
        if asked := _REQUEST.fullmatch(line):
            for name, value in zip(("cs-method", "cs-uri", "cs-version"), asked.groups(), strict=True):
                found.setdefault(name, value)
        elif line not in ("", "-"):
            found.setdefault("cs-uri", _whole(line, found.get("cs-uri-query")))
    uri = found.get("cs-uri")
    authority = _AUTHORITY.match(uri) if type(uri) is str else None
    if type(uri) is str and (authority or uri.startswith("/")):
        stem, mark, query = uri[authority.end() if authority else 0 :].partition("?")
        found.setdefault("cs-uri-stem", stem)
        if mark:
            found["cs-uri-query"] = query
    if type(found.get("c-ip")) is str and (ported := _PORT.fullmatch(found["c-ip"])):
        found["c-ip"] = ported[1].strip("[]")
        found.setdefault("c-port", ported[2])
    _tell_time(record)
    for name, value in found.items():
        record.setdefault(name, value)
    record.setdefault("log", "access")


def _first(record: Record, places: tuple[str, ...]) -> Any:
    """The value at the first of these places that has one; of a header that came several times, all."""
    for place in places:
        value: Any = record
        for key in place.split("."):
            value = value.get(key) if type(value) is dict else None
        if type(value) is list and len(value) == 1:
            value = value[0]
        if value not in (None, "", "-", []) and type(value) is not dict:
            return value
    return None


def _whole(path: str, query: Any) -> str:
    """Apache's `%U%q`, where the query has its question mark."""
    return path + query if type(query) is str and query.startswith("?") and "?" not in path else path


def _tell_time(record: Record) -> None:
    """Give a record a time that can be read, where it has none but nginx' own: `$time_local`, `$msec`."""
    if any(name in record for name in _TIMES):
        return
    local, since = (record.get(name) for name in _LOCAL_TIMES)
    if type(since) is str and _SECONDS.fullmatch(since):
        record["time"] = float(since)
    elif type(local) is str:
        try:
            record["time"] = datetime.strptime(local.strip("[]"), _LOCAL_TIME).isoformat()  # noqa: DTZ007  # has a zone
        except ValueError:
            return


_LOG = JsonLog(
    naming=Dotted(times=_TIMES),
    shape=_shape,
    shaped=(*_LOOKED_AT, *_TIMES, "log"),
    keys=(
        frozenset({"request", "remote_ip", "uri", "status", "resp_headers"}),
        frozenset({"request", "remote_addr", "uri", "status", "resp_headers"}),
        frozenset({"ClientHost", "RequestPath", "DownstreamStatus"}),
        frozenset({"ClientHost", "RequestPath", "OriginStatus"}),
        frozenset({"remote_addr", "request", "status"}),
        frozenset({"remote_addr", "request_uri", "status"}),
        frozenset({"remoteIP", "request", "method", "status"}),
    ),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
