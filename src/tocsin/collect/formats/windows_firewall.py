"""The log of Windows Defender Firewall in, Events out: `pfirewall.log`.

Microsoft, "Configure Windows Firewall logging": a header in the W3C extended format, and times of the machine's own
zone (`#Time Format: Local`). Columns keep their names; those that Sigma's firewall category has stand beside them.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect import firewall
from tocsin.collect.w3c import Derived, Dialect, Header
from tocsin.collect.w3c_columns import W3CLog

NAME = "windows_firewall"
KIND = "firewall"

_FLOW: Final = Dialect(
    names={
        "src-ip": ("src-ip", "src_ip"),
        "dst-ip": ("dst-ip", "dst_ip"),
        "src-port": ("src-port", "src_port"),
        "dst-port": ("dst-port", "dst_port"),
    },
    derived={"blocked": Derived(("action",), lambda values: firewall.blocked(values.get("action", "")))},
    constant={"log": "windows firewall"},
    local=True,
)


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    return {"action", "protocol", "src-ip", "dst-ip", "tcpflags"} <= columns


def _dialect(header: Header) -> Dialect:
    return _FLOW


_LOG: Final = W3CLog(knows=_knows, dialect=_dialect)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
