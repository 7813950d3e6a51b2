"""Names and keys of Zeek's logs: what Sigma's categories call their values, and which log a record's keys tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

# Zeek names the fields of records in records with dots; exporters for which a dot means something write `_`.
_DOTTED: Final = (
    *("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"),
    *("certificate.version", "certificate.serial", "certificate.subject", "certificate.issuer", "certificate.cn"),
    *("certificate.not_valid_before", "certificate.not_valid_after", "certificate.key_alg", "certificate.sig_alg"),
    *("certificate.key_type", "certificate.key_length", "certificate.exponent", "certificate.curve"),
    *("basic_constraints.ca", "basic_constraints.path_len", "san.dns", "san.uri", "san.email", "san.ip"),
    *("times.modified", "times.accessed", "times.created", "times.changed"),
    *("seen.indicator", "seen.indicator_type", "seen.where", "seen.node"),
    *("data_channel.passive", "data_channel.orig_h", "data_channel.resp_h", "data_channel.resp_p"),
    *("version.major", "version.minor", "version.minor2", "version.minor3", "version.addl"),
    *("request.host", "request.name", "bound.host", "bound.name"),
    *("remote_location.country_code", "remote_location.region", "remote_location.city"),
)
# Sigma's categories dns, proxy, firewall and the service netflow, whose rules are searched for in Zeek's logs.
_CATEGORIES: Final[Mapping[str, str]] = {
    "src_ip": "id.orig_h",
    "src_port": "id.orig_p",
    "dst_ip": "id.resp_h",
    "dst_port": "id.resp_p",
    "source.ip": "id.orig_h",
    "source.port": "id.orig_p",
    "destination.ip": "id.resp_h",
    "destination.port": "id.resp_p",
    "record_type": "qtype_name",
    "answer": "answers",
    "c-uri": "uri",
    "cs-uri": "uri",
    "c-useragent": "user_agent",
    "cs-host": "host",
    "cs-method": "method",
    "cs-referrer": "referrer",
    "sc-status": "status_code",
    "cs-username": "username",
}


def _stem(uri: str) -> str:
    return uri.partition("?")[0]


def _query(uri: str) -> str | None:
    return uri.partition("?")[2] if "?" in uri else None


def _extension(uri: str) -> str | None:
    stem = _stem(uri)
    return stem.rpartition(".")[2] if "." in stem.rpartition("/")[2] else None


# Parts of the `uri` of a log of HTTP, as rules for proxies call them.
URI_PARTS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "c-uri-stem": _stem,
    "cs-uri-stem": _stem,
    "c-uri-query": _query,
    "cs-uri-query": _query,
    "c-uri-extension": _extension,
}


def _flat(name: str) -> str:
    return name.replace(".", "_")


# Names that values have besides -> keys, the best first.
ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "_path": ("@stream", "_stream"),
    "_system_name": ("@system", "_node", "sensor"),
    **{name: (_flat(name),) for name in _DOTTED},
    **{name: (key, _flat(key)) if "." in key else (key,) for name, key in _CATEGORIES.items()},
}

# Keys that a log's records always have, or as good as, and no other's: the stricter first. After the log's records
# in Zeek's script reference. Records of which no such keys are set (a `kerberos` with nothing but its connection)
# tell nothing.
_LOGS: Final[tuple[tuple[str, frozenset[str]], ...]] = tuple(
    (log, frozenset(keys.split()))
    for log, keys in (
        ("conn", "ts uid conn_state missed_bytes"),
        ("conn", "ts uid conn_state"),
        ("conn", "ts uid missed_bytes orig_pkts"),
        ("dns", "ts uid trans_id rejected"),
        ("dns", "ts uid query qtype_name"),
        ("dns", "ts uid trans_id AA RD"),
        ("sip", "ts uid trans_depth call_id"),
        ("http", "ts uid trans_depth request_body_len"),
        ("http", "ts uid method host uri"),
        ("smtp", "ts uid trans_depth helo"),
        ("smtp", "ts uid mailfrom rcptto"),
        ("smtp", "ts uid trans_depth tls"),
        ("ssl", "ts uid established resumed"),
        ("ssl", "ts uid established cipher"),
        ("x509", "ts certificate.serial certificate.subject"),
        ("x509", "ts certificate_serial certificate_subject"),
        ("files", "ts fuid seen_bytes"),
        ("pe", "ts id is_exe is_64bit"),
        ("pe", "ts id compile_ts"),
        ("dce_rpc", "ts uid endpoint operation"),
        ("kerberos", "ts uid request_type service"),
        ("kerberos", "ts uid request_type client"),
        ("kerberos", "ts uid forwardable renewable"),
        ("rdp", "ts uid cert_count cookie"),
        ("rdp", "ts uid security_protocol"),
        ("rdp", "ts uid cert_count"),
        ("smb_files", "ts uid action times.modified"),
        ("smb_files", "ts uid action times_modified"),
        ("smb_files", "ts uid action path name"),
        ("smb_files", "ts uid fuid action name"),
        ("smb_mapping", "ts uid path share_type"),
        ("ntlm", "ts uid server_nb_computer_name"),
        ("ntlm", "ts uid hostname domainname"),
        ("ssh", "ts uid auth_attempts"),
        ("ssh", "ts uid host_key_alg client"),
        ("ftp", "ts uid command reply_code"),
        ("ftp", "ts uid user password command"),
        ("dhcp", "ts uids msg_types"),
        ("ntp", "ts uid stratum precision"),
        ("snmp", "ts uid get_requests set_requests"),
        ("syslog", "ts uid facility severity message"),
        ("socks", "ts uid bound.host"),
        ("socks", "ts uid bound_host"),
        ("tunnel", "ts tunnel_type"),
        ("mysql", "ts uid cmd arg"),
        ("ldap_search", "ts uid message_id base_object"),
        ("ldap_search", "ts uid message_id scope"),
        ("ldap", "ts uid message_id opcode"),
        ("quic", "ts uid server_name client_protocol"),
        ("radius", "ts uid framed_addr"),
        ("radius", "ts uid username result mac"),
        ("modbus", "ts uid func"),
        ("dnp3", "ts uid fc_request"),
        ("dnp3", "ts uid fc_reply"),
        ("irc", "ts uid nick command"),
        ("notice", "ts note suppress_for"),
        ("notice", "ts note msg actions"),
        ("intel", "ts seen.indicator"),
        ("intel", "ts seen_indicator"),
        ("analyzer", "ts analyzer_kind analyzer_name"),
        ("dpd", "ts uid analyzer failure_reason"),
        ("weird", "ts name notice peer"),
        ("weird", "ts uid name notice"),
        ("software", "ts software_type"),
        ("known_certs", "ts port_num subject serial"),
        ("known_services", "ts port_num port_proto"),
        ("ocsp", "ts id hashAlgorithm issuerNameHash"),
        ("capture_loss", "ts ts_delta percent_lost"),
        ("stats", "ts peer pkts_proc"),
        ("packet_filter", "ts node filter init"),
        ("reporter", "ts level message location"),
    )
)

_CONNECTIONS: Final = tuple(
    frozenset({"ts", *(f"id{mark}{part}" for part in ("orig_h", "orig_p", "resp_h", "resp_p"))}) for mark in "._"
)
# Any of these sets of keys tells a log of Zeek's in JSON.
KEYS: Final[tuple[frozenset[str], ...]] = (
    *_CONNECTIONS,
    *(frozenset({log, time}) for log in ("_path", "@stream") for time in ("ts", "_write_ts")),
    frozenset({"ts", "id", "orig_h", "orig_p", "resp_h", "resp_p"}),
    *(keys for log, keys in _LOGS if log not in ("reporter", "syslog", "packet_filter", "mysql", "modbus")),
)


_TELLING: Final = frozenset[str]().union(*(keys for _, keys in _LOGS))


def log_of(keys: Iterable[str]) -> str | None:
    """The log whose records have these keys; None where they do not tell."""
    return _log_of(_TELLING.intersection(keys))


@lru_cache(maxsize=4096)
def _log_of(there: frozenset[str]) -> str | None:
    return next((log for log, needed in _LOGS if needed <= there), None)


def besides(names: Iterable[str]) -> dict[str, str]:
    """The names that fields of a log have besides -> which field: as `ALSO`, where a log has no such field itself."""
    there = set(names)
    chosen = {also: next((key for key in keys if key in there), "") for also, keys in ALSO.items() if also not in there}
    return {also: key for also, key in chosen.items() if key}
