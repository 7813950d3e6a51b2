"""Lines of pfSense's and OPNsense's packet filter in, Events out: `filterlog[1]: 4,,,1000000103,igb1,match,...`.

Netgate, *pfSense documentation*, "Raw Filter Log Format" (OPNsense writes the same): what the rule was, then what IPv4
or IPv6 says, then the protocol. Columns have the names of that grammar; addresses, ports, protocol and action are
those of Sigma's firewall category, too.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect import firewall, framed, syslog
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog

NAME = "pf_filterlog"
KIND = "firewall"

_NO_RECORD: Final = "not a line of filterlog"
_RULE: Final = "rule_number sub_rule anchor tracker interface reason action direction ip_version".split()
_IPV4: Final = "tos ecn ttl id offset ip_flags protocol_id protocol length src_ip dst_ip".split()
_IPV6: Final = "class flow_label hop_limit protocol protocol_id length src_ip dst_ip".split()
_TCP: Final = "src_port dst_port data_length tcp_flags sequence acknowledgement window urgent options".split()
_UDP: Final = "src_port dst_port data_length".split()
_CARP: Final = "carp_type carp_ttl vhid carp_version advbase advskew".split()
_MOST_CELLS: Final = 64
_TAGGED: Final = framed.tagged("filterlog")


def sniff(head: bytes) -> bool:
    return framed.mostly(head, _TAGGED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    head = syslog.header(text, clock)
    if head is None or head.program != "filterlog":
        return _NO_RECORD
    message = text[head.message :]
    values = _packet(message.split(",", _MOST_CELLS))
    if "action" not in values:
        return Parsed(head.ts, head.fields() | {"log": "filterlog", "message": message}, head.mended)
    blocked = firewall.blocked(values["action"])
    told = {"blocked": blocked} if blocked is not None else {}
    return Parsed(head.ts, head.fields() | {"log": "filterlog"} | values | told, head.mended)


def _packet(cells: list[str]) -> dict[str, str]:
    """What a line says of a packet; empty cells are no values."""
    version = cells[len(_RULE) - 1] if len(cells) >= len(_RULE) else ""
    of_version = {"4": _IPV4, "6": _IPV6}.get(version)
    if of_version is None:
        return {}
    names = [*_RULE, *of_version]
    protocol = cells[names.index("protocol")].lower() if len(cells) > names.index("protocol") else ""
    names += {"tcp": _TCP, "udp": _UDP, "carp": _CARP}.get(protocol, [])
    read = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
    if rest := ",".join(cells[len(names) :]).strip(","):
        read["rest"] = rest
    if protocol:
        read["protocol"] = protocol
    return read


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
