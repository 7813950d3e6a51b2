"""Logs of the kernel's packet filter in, Events out: files of the lines of iptables, nftables or ufw.

What such a message holds is told in `collect/netfilter.py`, which also serves logs in which these are some lines among
many. Here most lines are of the filter (`kern.log` of a router, `ufw.log`); others keep their `message`.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tocsin.collect import documents, netfilter, syslog
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Lines, Parsed, Split
from tocsin.collect.marks import Marks, holds
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "netfilter"
KIND = "firewall"

_NO_RECORD: Final = "no line of syslog or of a packet filter"
_UPTIME: Final = re.compile(r"(?:<\d{1,3}>)?\[ *\d+\.\d+\]", re.ASCII)
_SNIFFED: Final = re.compile(
    rb"^[^\n]{0,1000}?(?:^|[\s\]:.>-])IN=\S{0,64} OUT=\S{0,64} [^\n]{0,300}?\bSRC=", re.MULTILINE
)


def sniff(head: bytes) -> bool:
    return b" OUT=" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    head = syslog.header(text, clock)
    message = text[head.message :] if head else text
    packet = netfilter.packet(message)
    if not packet and head is None and not _UPTIME.match(text):
        return _NO_RECORD
    packet |= {"log": "netfilter"} if packet else {"log": "kernel", "message": message}
    values = (head.fields() if head else {}) | packet
    return Parsed(head.ts, values, head.mended) if head else Parsed(NO_TIME, values)


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines of packets of which all is known."""
    heads = syslog.headers(block, clock)
    equals = Marks(block, "=")
    outs = equals.at(equals.before(heads.message) + 1) - len(" OUT")
    outs = np.where(holds(block, outs, " OUT="), outs, -1)
    packets = netfilter.Packets(block, heads.message, outs)
    usual = heads.usual & packets.usual
    return Split(
        usual=usual,
        ts=heads.ts[usual],
        fields={**packets.fields(usual), **heads.fields(usual), "log": "netfilter"},
        mended=heads.mended(usual),
    )


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
