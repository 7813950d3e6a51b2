r"""LEEF in, Events out: `LEEF:2.0|vendor|product|version|id|delimiter|key=value^key=value`, behind a header or not.

IBM, *QRadar Log Event Extended Format* 1.0 and 2.0: tabs between the pairs, or in 2.0 what the header names (a
character, or its code as `x5E` or `0x5E`). Also as rsyslog hands tabs on (`#011`). Keys keep their names; the header's
parts have the names that CEF gives them; addresses, ports and users also have those of Sigma's firewall category. The
time is `devTime`, read as `devTimeFormat` says, or that of the syslog header.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import numpy as np

from tocsin.collect import carried, device_times, documents, firewall, pairs
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Parsed, Spans, Split
from tocsin.collect.marks import Marks, byte, chosen, holds
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "leef"
KIND = "firewall"

_NO_RECORD: Final = "not a line of LEEF"
_HEAD: Final = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId")
_BEGINNING: Final = later(r"LEEF: ?([12])(?:\.0)?\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|?")
_DELIMITER: Final = later(r"(?:0?[xX]([0-9A-Fa-f]{1,4})|([^\s|=]|\t)|)\|")
_PIPED: Final = later(r"[A-Za-z][\w.\-]{0,63}=[^|]*\|[A-Za-z][\w.\-]{0,63}=", re.ASCII)  # as PAN-OS writes it
_HANDED_ON: Final = "#011"  # a tab, by rsyslog's EscapeControlCharactersOnReceive
_TAGS: Final = {b"LEEF:1.0|": b"LEEF: 00|", b"LEEF:2.0|": b"LEEF: 00|", b"\t": b"."}
_NAMES: Final = pairs.Names(
    more={
        "src": ("src_ip",),
        "dst": ("dst_ip",),
        "srcPort": ("src_port",),
        "dstPort": ("dst_port",),
        "usrName": ("username",),
        "act": ("action",),
        "devname": ("host",),
    },
    told={"blocked": ("action", firewall.blocked), "protocol": ("proto", firewall.protocol)},
    set_apart=frozenset({*_HEAD, "host", "log"}),
)
_SNIFFED: Final = later(
    rb"^(?:[^\n|]{0,300}[ :\"])?(?:\xef\xbb\xbf)?LEEF: ?[12](?:\.0)?\|[^\n|]*\|[^\n|]*\|[^\n]*\|", re.MULTILINE
)


def sniff(head: bytes) -> bool:
    return b"LEEF:" in head and documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found = _BEGINNING.search(text)
    if found is None:
        return _NO_RECORD
    at, between = found.end(), "\t"
    if found[1] == "2" and (told := _DELIMITER.match(text, at)):
        at, between = told.end(), chr(int(told[1], 16)) if told[1] else told[2] or "\t"
    rest = text[at:]
    if found[1] == "1" and _PIPED.match(rest) and "\t" not in rest:
        between = "|"
    if between == "\t" and _HANDED_ON in rest and "\t" not in rest:
        rest = rest.replace(_HANDED_ON, "\t")
    values = _NAMES.values(_style(between).pairs(rest))
    for name, part in zip(_HEAD, found.groups()[1:], strict=True):
        values.setdefault(name, part)
    values.setdefault("log", found[3])
    head = carried.before(text[: found.start()], clock)
    if head.host is not None:
        values.setdefault("host", head.host)
    time, form = values.get("devTime"), values.get("devTimeFormat")
    if isinstance(time, str) and (read := device_times.read(time, clock, form if isinstance(form, str) else "")):
        return Parsed(read[0], values, read[1])
    return Parsed(head.ts, values, head.mended)


@lru_cache(maxsize=16)
def _style(between: str) -> pairs.Style:
    return pairs.Style(between=between)


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with one delimiter, that of the block's first line, and a time that is a number if the record has one."""
    pipes = Marks(block, "|")
    record = pipes.at(0) - len("LEEF:1.0")
    usual = (pipes.count >= 5) & holds(block, record, "LEEF:") & holds(block, pipes.at(0) - 2, ".0")
    usual &= record >= block.starts
    usual &= (record == block.starts) | (byte(block, record - 1) == ord(" ")) | (byte(block, record - 1) == ord(">"))
    newer = usual & (byte(block, record + 5) == ord("2"))
    usual &= newer | (byte(block, record + 5) == ord("1"))
    usual &= newer | (pipes.count == 5) | (Marks(block, "\t").count > 0)
    start, between = pipes.at(4) + 1, "\t"
    if newer.any():
        first = int(np.flatnonzero(newer)[0])
        told = _DELIMITER.match(block.data[start[first] : block.stops[first]].decode("latin-1"))
        text = told[0] if told else ""
        between = chr(int(told[1], 16)) if told and told[1] else (told and told[2]) or "\t"
        usual &= (newer & holds(block, start, text)) | (~newer & (between == "\t"))
        usual &= bool(text) & between.isascii()
        start = start + np.where(newer, len(text), 0)
    start = np.where(usual, np.minimum(start, block.stops), block.stops)
    if between == "\t" and _HANDED_ON.encode() in block.data:
        usual &= False
    found = pairs.find(block, start, _style(between if between.isascii() else "\t"), _NAMES.of)
    heads = carried.all_before(block, record, _TAGS, clock)
    ts = device_times.numbers(block, found.of("devTime"), clock)
    timed = found.of("devTime").starts >= 0
    usual &= found.usual & heads.usual & ~(timed & (ts == NO_TIME))
    named = found.of("devname").starts >= 0
    product = Spans(pipes.at(1) + 1, pipes.at(2))
    spans = {name: Spans(pipes.at(at) + 1, pipes.at(at + 1)) for at, name in enumerate(_HEAD)}
    host = Spans(np.where(named, -1, heads.host.starts), np.where(named, -1, heads.host.stops))
    spans |= {"deviceProduct": product, "log": product, "host": host}
    return Split(
        usual=usual,
        ts=np.where(timed, ts, heads.ts)[usual],
        fields={**{name: chosen(usual, span) for name, span in spans.items()}, **_NAMES.fields(found, usual)},
        mended=heads.mended(usual & ~timed),
        keyed=found.keyed(usual, projection),
    )


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
