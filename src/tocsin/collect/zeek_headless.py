"""The first lines of a log of Zeek's that lost its header in, a header that says the same out; b"" where it is unsure.

A piece that was cut out of a log, or what `zeek-cut` and `tail` leave, has columns and no names. Which log it is, is
told by the number of its columns and by the form of every value in the first lines: where the values fit one log of
Zeek's as it comes (2.5 to 7; after the records of its script reference) and no other, that log's names are taken, and
every record is counted as read so. A log that a site added columns to fits none, and is told as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

MENDED: Final = "no header: its fields were told by their number and form"
UNSURE: Final = "a log of Zeek's without its header, and its columns do not tell which one"

_MOST_LINES: Final = 100
_UID: Final = rb"[CFSHT][0-9A-Za-z]{6,20}"
_NOW: Final = re.compile(rb"\d{9,10}\.\d{1,6}")
_UNSET: Final = frozenset((b"-", b"(empty)"))
# What a value of a type looks like (`LogAscii`); what is no type here is anything.
_FORMS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "time": re.compile(rb"\d{1,10}\.\d{1,6}"),
    "uid": re.compile(_UID),
    "uids": re.compile(_UID + rb"(?:," + _UID + rb")*"),
    "uids_": re.compile(_UID + rb"(?:," + _UID + rb")*"),
    "prints": re.compile(rb"[0-9a-f]{32,64}(?:,[0-9a-f]{32,64})*"),
    "addr": re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}"),
    "addrs": re.compile(rb"[0-9a-fA-F:.,]{2,400}"),
    "port": re.compile(rb"\d{1,5}"),
    "count": re.compile(rb"\d{1,20}"),
    "interval": re.compile(rb"-?\d{1,12}\.\d{1,9}"),
    "bool": re.compile(rb"[TF]"),
    "proto": re.compile(rb"tcp|udp|icmp|unknown_transport"),
    "state": re.compile(rb"S[0-3F]|REJ|RSTO|RSTR|RSTOS0|RSTRH|SH|SHR|OTH"),
    "community": re.compile(rb"1:[A-Za-z0-9+/]{27}="),
    "history": re.compile(rb"\^?[A-Za-z^]{1,40}"),
    "class": re.compile(rb"C_[A-Z]+|qclass-\d+"),
    "path": re.compile(rb"\\{2,4}.*"),
    "kerberos": re.compile(rb"AS|TGS"),
    "smb": re.compile(rb"SMB::[A-Z_]+"),
    "tunnel": re.compile(rb"Tunnel::[A-Z0-9_]+"),
    "hash": re.compile(rb"[0-9a-f]{32,64}"),
    "tls": re.compile(rb"(?:D?TLS|SSL)v\d{1,3}|unknown-\d{1,6}"),
    "method": re.compile(rb"[A-Z_]{2,20}"),
}
_TYPES: Final[Mapping[str, str]] = {
    "uid": "string",
    "uids": "set[string]",
    "addrs": "set[addr]",
    "interval": "interval",
}
_PLAIN: Final = ("time", "addr", "port", "count", "interval", "bool")

_CONN: Final = "ts:time uid:uid id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port"
_FLOW: Final = (
    f"{_CONN} proto:proto service duration:interval orig_bytes:count resp_bytes:count conn_state:state local_orig:bool "
    "local_resp:bool missed_bytes:count history:history orig_pkts:count orig_ip_bytes:count resp_pkts:count "
    "resp_ip_bytes:count tunnel_parents:uids"
)
_DNS: Final = (
    "query qclass:count qclass_name:class qtype:count qtype_name rcode:count rcode_name AA:bool TC:bool RD:bool "
    "RA:bool Z:count answers:vector[string] TTLs:vector[interval] rejected:bool"
)
_HTTP: Final = f"{_CONN} trans_depth:count method:method host uri referrer version user_agent"
_BODY: Final = (
    "request_body_len:count response_body_len:count status_code:count status_msg info_code:count info_msg "
    "tags:set[enum] username password proxied:set[string] orig_fuids:uids_ orig_filenames:vector[string] "
    "orig_mime_types:vector[string] resp_fuids:uids_ resp_filenames:vector[string] resp_mime_types:vector[string]"
)
_TLS: Final = f"{_CONN} version:tls cipher:string curve server_name resumed:bool last_alert next_protocol"
_FILE: Final = (
    "source depth:count analyzers:set[string] mime_type filename duration:interval local_orig:bool is_orig:bool "
    "seen_bytes:count total_bytes:count missing_bytes:count overflow_bytes:count timedout:bool parent_fuid:uid"
)
_DIGESTS: Final = "md5:hash sha1:hash sha256:hash extracted extracted_cutoff:bool extracted_size:count"
_CERTIFICATE: Final = (
    "certificate.version:count certificate.serial certificate.subject certificate.issuer "
    "certificate.not_valid_before:time certificate.not_valid_after:time certificate.key_alg certificate.sig_alg "
    "certificate.key_type certificate.key_length:count certificate.exponent certificate.curve san.dns:vector[string] "
    "san.uri:vector[string] san.email:vector[string] san.ip:vector[addr] basic_constraints.ca:bool "
    "basic_constraints.path_len:count"
)
_PRINTS: Final = "established:bool ssl_history cert_chain_fps:prints client_cert_chain_fps:prints sni_matches_cert:bool"
_CHAIN: Final = (
    "established:bool cert_chain_fuids:uids_ client_cert_chain_fuids:uids_ subject issuer client_subject client_issuer"
)
_SMB: Final = (
    "fuid:uid action:smb path:path name size:count prev_name times.modified:time times.accessed:time "
    "times.created:time times.changed:time"
)
_TICKET: Final = (
    "request_type:kerberos client service success:bool error_msg from:time till:time cipher forwardable:bool "
    "renewable:bool client_cert_subject client_cert_fuid:uid server_cert_subject server_cert_fuid:uid"
)
_NTLM: Final = (
    "username hostname domainname server_nb_computer_name server_dns_computer_name server_tree_name success:bool"
)
_SSH: Final = (
    "version:count auth_success:bool auth_attempts:count direction client server cipher_alg mac_alg compression_alg "
    "kex_alg host_key_alg host_key"
)
# A log -> its columns, of one version or another: `name`, which is a text, or `name:type`.
_LAYOUTS: Final[tuple[tuple[str, str], ...]] = (
    ("conn", _FLOW),
    ("conn", f"{_FLOW} ip_proto:count"),
    ("conn", f"{_FLOW} community_id:community"),
    ("dns", f"{_CONN} proto:proto trans_id:count rtt:interval {_DNS}"),
    ("dns", f"{_CONN} proto:proto trans_id:count {_DNS}"),
    ("http", f"{_HTTP} origin {_BODY}"),
    ("http", f"{_HTTP} {_BODY}"),
    ("ssl", f"{_TLS} {_PRINTS}"),
    ("ssl", f"{_TLS} {_PRINTS} validation_status"),
    ("ssl", f"{_TLS} {_PRINTS} ja3:hash ja3s:hash"),
    ("ssl", f"{_TLS} {_PRINTS} validation_status ja3:hash ja3s:hash"),
    ("ssl", f"{_TLS} {_CHAIN}"),
    ("ssl", f"{_TLS} {_CHAIN} validation_status"),
    ("files", f"ts:time fuid:uid tx_hosts:addrs rx_hosts:addrs conn_uids:uids {_FILE} {_DIGESTS}"),
    ("files", f"ts:time fuid:uid {_CONN.partition(' ')[2]} {_FILE} {_DIGESTS}"),
    ("x509", f"ts:time fingerprint:hash {_CERTIFICATE} host_cert:bool client_cert:bool"),
    ("x509", f"ts:time id:uid {_CERTIFICATE}"),
    ("smb_files", f"{_CONN} {_SMB}"),
    ("smb_mapping", f"{_CONN} path:path service native_file_system share_type"),
    ("dce_rpc", f"{_CONN} rtt:interval named_pipe endpoint operation"),
    ("kerberos", f"{_CONN} {_TICKET}"),
    ("ntlm", f"{_CONN} {_NTLM}"),
    ("ssh", f"{_CONN} {_SSH}"),
    ("tunnel", f"{_CONN} tunnel_type:tunnel action:tunnel"),
)


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    named = (word.partition(":") for word in text.split())
    return tuple((name, kind or "string") for name, _, kind in named)


_READ: Final = tuple((log, _columns(text)) for log, text in _LAYOUTS)


@lru_cache(maxsize=8)
def header_of(head: bytes) -> bytes:
    """The header of the log that a file's first lines fit, as Zeek would have written it; b"" where they fit none."""
    rows = _rows(head)
    fit = [(log, columns) for log, columns in _READ if rows and all(_fits(row, columns) for row in rows)]
    if len(fit) != 1:
        return b""
    log, columns = fit[0]
    names = "\t".join(name for name, _ in columns)
    types = "\t".join(_written(kind) for _, kind in columns)
    return f"#assumed\n#fields\t{names}\n#path\t{log}\n#types\t{types}".encode()


def is_headless(head: bytes) -> bool:
    """Whether a file looks like such a log, whichever it is."""
    return bool(_rows(head))


def _rows(head: bytes) -> list[list[bytes]]:
    """The cells of the first lines, if all of them begin with a time and an id of Zeek's and are of one width."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_LINES)
    whole = lines[:-1] if len(lines) > 1 and b"\n" in head else lines
    rows = [line.rstrip(b"\r").split(b"\t") for line in whole if line.strip() and not line.startswith(b"#")]
    if not rows or lines[0].startswith(b"#"):
        return []
    sure = all(len(row) == len(rows[0]) > 5 and _NOW.fullmatch(row[0]) for row in rows)
    return rows if sure and (_FORMS["uid"].fullmatch(rows[0][1]) or _FORMS["hash"].fullmatch(rows[0][1])) else []


def _fits(row: list[bytes], columns: tuple[tuple[str, str], ...]) -> bool:
    """Whether a line has a value of each column's type, or none."""
    if len(row) != len(columns):
        return False
    pairs = zip(row, columns, strict=True)
    return all(
        cell in _UNSET or (form := _FORMS.get(kind)) is None or form.fullmatch(cell) for cell, (_, kind) in pairs
    )


def _written(kind: str) -> str:
    if kind in _PLAIN or "[" in kind:
        return kind
    return _TYPES.get(kind, "string")
