"""Logs that PAN-OS' or Panorama's web interface exported as CSV in, Events out, under the names of their syslog.

After the headings of the interface, and the fields of *PAN-OS Administrator's Guide*, "Syslog Field Descriptions", that
hold the same: columns are told by their headings, of which a user chooses some, in any order. A heading that is not
known keeps its name. Addresses, ports, protocol and user also have the names of Sigma's firewall category; `log` is the
type in small letters. Times are those of the device, whose zone they do not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tocsin.collect import firewall
from tocsin.collect.tables import DELIMITERS, Table
from tocsin.collect.w3c import Derived, Dialect, Header, Values
from tocsin.collect.w3c_columns import W3CLog

NAME = "paloalto_export"
KIND = "firewall"

_SAME: Final = (
    "type rule flags action bytes packets category severity direction status error reason portal gateway stage"
)
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (name,) for name in _SAME.split()},
    "receive time": ("receive_time",),
    "generate time": ("time_generated",),
    "time generated": ("time_generated",),
    "serial #": ("serial",),
    "threat/content type": ("subtype",),
    "source address": ("src", "src_ip"),
    "destination address": ("dst", "dst_ip"),
    "nat source ip": ("natsrc",),
    "nat destination ip": ("natdst",),
    "rule name": ("rule",),
    "source user": ("srcuser", "username"),
    "destination user": ("dstuser",),
    "application": ("app",),
    "virtual system": ("vsys",),
    "source zone": ("from",),
    "destination zone": ("to",),
    "inbound interface": ("inbound_if",),
    "outbound interface": ("outbound_if",),
    "log action": ("logset",),
    "session id": ("sessionid",),
    "repeat count": ("repeatcnt",),
    "source port": ("sport", "src_port"),
    "destination port": ("dport", "dst_port"),
    "nat source port": ("natsport",),
    "nat destination port": ("natdport",),
    "ip protocol": ("proto",),
    "bytes sent": ("bytes_sent",),
    "bytes received": ("bytes_received",),
    "start time": ("start",),
    "elapsed time (sec)": ("elapsed",),
    "sequence number": ("seqno",),
    "action flags": ("actionflags",),
    "source country": ("srcloc",),
    "destination country": ("dstloc",),
    "packets sent": ("pkts_sent",),
    "packets received": ("pkts_received",),
    "session end reason": ("session_end_reason",),
    "device name": ("device_name", "host"),
    "url": ("misc",),
    "url/filename": ("misc",),
    "threat/content name": ("threatid", "Signature"),
    "user agent": ("user_agent",),
    "file digest": ("filedigest",),
    "event id": ("eventid",),
    "event": ("eventid",),
    "description": ("opaque",),
    "authentication method": ("auth_method",),
    "tunnel type": ("tunnel_type",),
    "machine name": ("machinename",),
    "public ip": ("public_ip", "src_ip"),
    "private ip": ("private_ip",),
    "source region": ("srcregion",),
    "host id": ("hostid",),
    "client version": ("client_ver",),
    "client os": ("client_os",),
    "high res timestamp": ("high_res_timestamp",),
    "administrator": ("admin", "username"),
    "admin": ("admin", "username"),
    "command": ("cmd",),
    "configuration path": ("path",),
}


def _protocol(values: Values) -> str | None:
    return next((firewall.protocol(text) for text in values.values()), None)


def _path(values: Values) -> str | None:
    return firewall.device_path(next(iter(values.values()), ""))


_DIALECTS: Final = {
    name: Dialect(
        names=_NAMES,
        derived={
            "log": Derived(("type",), lambda values: values["type"].lower() if "type" in values else None),
            "protocol": Derived(("ip protocol", "protocol"), _protocol),
            "blocked": Derived(("action",), lambda values: firewall.blocked(values.get("action", ""))),
            "TargetFilename": Derived(("description",), _path),
        },
        separator=separator,
        nothing="",
        times=("generate time", "time generated", "receive time"),
        local=True,
    )
    for name, separator in DELIMITERS.items()
}


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    told = {"threat/content type", "serial #", "source zone", "virtual system", "generate time"} & columns
    return {"receive time", "type"} <= columns and len(told) > 1


_LOG: Final = Table(rows=W3CLog(knows=_knows, dialect=lambda header: _DIALECTS[header.software]))
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
