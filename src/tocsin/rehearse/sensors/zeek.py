"""What a network sensor saw in, Zeek's logs out: as JSON at one body, tab-separated at the other.

The fields are those of Zeek's book, "Zeek Logs": conn, dns, http, ssl, files. A connection is written when it is over,
so its line stands at its end and tells its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from tocsin.rehearse.rhythm import utc
from tocsin.rehearse.scene import Scene

_ID: Final = (
    *(("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port")),
    *(("id.resp_h", "addr"), ("id.resp_p", "port")),
)
# Log -> its fields with their types, in Zeek's order.
FIELDS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "conn": (
        *_ID,
        *(("proto", "enum"), ("service", "string"), ("duration", "interval"), ("orig_bytes", "count")),
        *(("resp_bytes", "count"), ("conn_state", "string"), ("local_orig", "bool"), ("local_resp", "bool")),
        *(("missed_bytes", "count"), ("history", "string"), ("orig_pkts", "count"), ("orig_ip_bytes", "count")),
        *(("resp_pkts", "count"), ("resp_ip_bytes", "count"), ("tunnel_parents", "set[string]")),
    ),
    "dns": (
        *_ID,
        *(("proto", "enum"), ("trans_id", "count"), ("rtt", "interval"), ("query", "string"), ("qclass", "count")),
        *(("qclass_name", "string"), ("qtype", "count"), ("qtype_name", "string"), ("rcode", "count")),
        *(("rcode_name", "string"), ("AA", "bool"), ("TC", "bool"), ("RD", "bool"), ("RA", "bool"), ("Z", "count")),
        *(("answers", "vector[string]"), ("TTLs", "vector[interval]"), ("rejected", "bool")),
    ),
    "http": (
        *_ID,
        *(("trans_depth", "count"), ("method", "string"), ("host", "string"), ("uri", "string")),
        *(("referrer", "string"), ("version", "string"), ("user_agent", "string"), ("request_body_len", "count")),
        *(("response_body_len", "count"), ("status_code", "count"), ("status_msg", "string"), ("tags", "set[enum]")),
        *(("resp_fuids", "vector[string]"), ("resp_mime_types", "vector[string]")),
    ),
    "ssl": (
        *_ID,
        *(("version", "string"), ("cipher", "string"), ("curve", "string"), ("server_name", "string")),
        *(("resumed", "bool"), ("next_protocol", "string"), ("established", "bool"), ("ssl_history", "string")),
        *(("cert_chain_fps", "vector[string]"), ("sni_matches_cert", "bool")),
    ),
    "files": (
        *(("ts", "time"), ("fuid", "string"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port")),
        *(("id.resp_h", "addr"), ("id.resp_p", "port"), ("source", "string"), ("depth", "count")),
        *(("analyzers", "set[string]"), ("mime_type", "string"), ("filename", "string"), ("duration", "interval")),
        *(("local_orig", "bool"), ("is_orig", "bool"), ("seen_bytes", "count"), ("total_bytes", "count")),
        *(("missing_bytes", "count"), ("overflow_bytes", "count"), ("timedout", "bool"), ("sha256", "string")),
    ),
}
JSON_BODIES: Final = frozenset({"ps"})


def write(scene: Scene, body: str, log: str, ts_us: int, fields: dict[str, Any]) -> None:
    """Put one line into a log. `ts_us` is when it is written; the field `ts` is in the fields, in microseconds."""
    stamp = fields["ts"]
    if body in JSON_BODIES:
        stream = scene.tape.stream(f"zeek/{body}/{log}.{{day}}.log")
        fields["ts"] = stamp / 1e6
        scene.tape.put(stream, ts_us, orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE), scene.mark)
        return
    stream = scene.tape.stream(f"zeek/{body}/{log}.{{day}}.log", head=_head(log))
    fields["ts"] = f"{stamp // 1_000_000}.{stamp % 1_000_000:06}"
    line = "\t".join([_cell(fields.get(name)) for name, _ in FIELDS[log]]) + "\n"
    scene.tape.put(stream, ts_us, line, scene.mark)


@cache
def _head(log: str) -> Any:
    def head(ts_us: int) -> bytes:
        names = "\t".join(name for name, _ in FIELDS[log])
        types = "\t".join(kind for _, kind in FIELDS[log])
        return (
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
            f"#path\t{log}\n#open\t{utc(ts_us):%Y-%m-%d-%H-%M-%S}\n#fields\t{names}\n#types\t{types}\n"
        ).encode()

    return head


def _cell(value: Any) -> str:
    kind = value.__class__
    if kind is str:
        return value.replace("\t", "\\x09") or "(empty)"
    if kind is int:
        return str(value)
    if value is None:
        return "-"
    if kind is bool:
        return "T" if value else "F"
    if kind is float:
        return f"{value:.6f}"
    return ",".join(_cell(part) for part in value) or "(empty)"
