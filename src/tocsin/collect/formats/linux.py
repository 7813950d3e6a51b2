"""Syslog of Unix machines in, Events out: messages, auth.log, secure, cron, kern.log and their likes, of any program.

The forms of a line are those of `collect/syslog.py`; messages may also come as frames with an octet count (RFC 6587
§3.4.1), one behind the other. `program`, `pid` and `message` are the parts of a line; messages of sudo, of the packet
filter, of the audit system and of Sysmon hold fields of their own (`collect/messages.py`). Lines of other formats in a
collector's file are told apart before they come here (`collect/relayed.py`). A line that begins with no
time, such as the second of a message of two, is a message by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, Final

import numpy as np

from tocsin.collect import documents, messages, months, netfilter, relayed, syslog
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split
from tocsin.collect.literals import Literals
from tocsin.collect.streams import peek
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "linux"
KIND = "linux"

_FEW_PACKETS: Final = 20  # fewer than every 20th line: they are read one by one
_NO_HEADER: Final = "line that begins with no time, kept as a message"
_JOURNAL_MARK: Final = later(r"-- (?:Journal begins|Logs begin|Reboot|Boot [0-9a-f]{32}|No entries)")
_MOST_SNIFFED: Final = 20  # lines
_LEVELS: Final = rb"(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)\b)"
_DAY: Final = months.NAMES_BYTES + rb" [ \d]\d (?:\d{4} )?"
_ISO: Final = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_SNIFFED: Final = later(
    rb"(?:\d{1,9} )?(?:<\d{1,3}>)?[*.]?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?"
    rb"(?:" + _DAY + rb"\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4}(?= ))?|" + _ISO + rb"(?:Z|[+-]\d\d:?\d\d)"
    rb"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? [A-Z]{2,5}(?= [^ ]))"
    rb"(?: (?:UTC|GMT))?:? " + _LEVELS + rb"(?:[^ :]*[^ :] )?(?:[a-z0-7]{3,8}\.[a-z]{3,7} )?(?:: )?"
    rb"(?:[^\s:\[\]]{1,64}(?:\[[^\s:\[\]]{1,64}\])?:(?: |$|\[)|[^:\[\]\n]{1,64}\[\d{1,10}\]:|last message repeated )"
)
# Programs log so, too; what sets syslog apart is a host, and behind it a process with a number or a name of Unix.
_SNIFFED_LOCAL: Final = later(
    rb"(?:<\d{1,3}>)?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})? " + _LEVELS + rb"[A-Za-z0-9][\w.:-]{0,252} "
    rb"(?:[A-Za-z_][\w./()@-]{0,63}\[\d{1,10}\]|(?:kernel|sudo|su|systemd|CRON|dbus|auditd?|polkitd)(?:\[\d+\])?): "
)
_SNIFFED_5424: Final = later(
    rb"(?:\d{1,9} )?<\d{1,3}>[1-9]\d? (?:-|" + _ISO + rb"(?:Z|[+-]\d\d:\d\d)?)(?: \S{1,255}){4} [-\[]"
)
_COUNTED: Final = later(rb"\n{0,2}(\d{1,7}) (?=<\d{1,3}>)")
_DAMAGED_FRAME: Final = "no octet count where a frame should begin"


def sniff(head: bytes) -> bool:
    """Whether at least half of the first lines are of a form of syslog that names who wrote them, or what they hold."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_SNIFFED)[:_MOST_SNIFFED]
    lines = [line.strip(b"\r\0") for line in lines if line.strip(b"\r\0 ") and not line.startswith(b"-- ")]
    forms = (_SNIFFED, _SNIFFED_5424, _SNIFFED_LOCAL)
    known = sum(any(form.match(line) for form in forms) or relayed.is_record(line) for line in lines)
    return known > 0 and 2 * known >= len(lines)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return [(0, size)] if _COUNTED.match(head) else documents.line_ranges(size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start == 0 and stop is None:
        again, head = peek(file)
        if _COUNTED.match(head):
            return _cut_frames(again, block_bytes)
        return documents.cut_line_range(again, start, stop, block_bytes)
    return documents.cut_line_range(file, start, stop, block_bytes)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    text = text.lstrip("\0")  # a machine that lost its power leaves blocks of these
    head = syslog.header(text, clock)
    if head is None:
        return None if not text or _JOURNAL_MARK.match(text) else Parsed(NO_TIME, {"message": text}, _NO_HEADER)
    message = text[head.message :]
    told = messages.told(head.program, message)
    values = messages.joined(head.fields() | {"message": message}, told.fields)
    if told.ts != NO_TIME:
        return Parsed(told.ts, values, told.mended)
    return Parsed(head.ts, values, told.mended or head.mended)


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with a usual header whose message is nothing but text, or a packet."""
    heads = syslog.headers(block, clock)
    numbers, places = _marks().find(block.data)
    is_packet = numbers == messages.MARKS.index(messages.PACKET)
    usual, packets = heads.usual & ~_lines_of(block, places[~is_packet]), None
    outs = places[is_packet]
    if len(outs):
        logged = _lines_of(block, outs)
        if len(outs) * _FEW_PACKETS > len(block):
            first = outs.take(np.searchsorted(outs, block.starts), mode="clip")
            packets = netfilter.Packets(block, heads.message, np.where(logged, first, -1))
            logged &= ~packets.usual
        usual &= ~logged
    return Split(
        usual=usual,
        ts=heads.ts[usual],
        fields={
            **(packets.fields(usual) if packets else {}),
            **heads.fields(usual),
            "message": Spans(heads.message[usual], block.stops[usual]),
        },
        mended=heads.mended(usual),
    )


@lru_cache(maxsize=1)
def _marks() -> Literals:
    return Literals(messages.MARKS)


def _lines_of(block: Lines, places: Longs) -> Mask:
    """Which lines these places are in."""
    found: Mask = np.zeros(len(block), bool)
    found[np.maximum(np.searchsorted(block.starts, places, "right") - 1, 0)] = len(block) > 0
    return found


def _cut_frames(file: BinaryIO, block_bytes: int) -> Iterator[Block]:
    """Blocks with the span of each frame, without its count; where none stands, it is looked for on later lines."""
    data, offset = b"", 0
    while fresh := file.read(block_bytes):
        data += fresh
        spans, rest, damaged = _frames(data, ended=False)
        if spans or damaged:
            yield Block(data=data[:rest], offset=offset, spans=tuple(spans), damaged=damaged)
        offset, data = offset + rest, data[rest:]
    spans, _, damaged = _frames(data, ended=True)
    if spans or damaged:
        yield Block(data=data, offset=offset, spans=tuple(spans), damaged=damaged)


def _frames(data: bytes, *, ended: bool) -> tuple[list[tuple[int, int]], int, Counter[str]]:
    """Spans of frames, where the first that is not whole begins, and what is damaged."""
    spans, at, damaged = list[tuple[int, int]](), 0, Counter[str]()
    while at < len(data):
        count = _COUNTED.match(data, at)
        if count is None:
            line = data.find(b"\n", at) + 1 or (len(data) if ended else 0)
            if not line and len(data) - at < documents.MAX_RECORD_BYTES:
                break
            if data[at : line or len(data)].strip():
                damaged[_DAMAGED_FRAME] += 1
            at = line or len(data)
            continue
        stop = count.end() + int(count[1])
        if stop > len(data) and not ended:
            break
        stop = min(stop, len(data))
        spans.append((count.end(), stop - data.startswith(b"\n", stop - 1)))
        at = stop
    return spans, at, damaged


_LOG: Final = TextLog(parse=_parse, split=_split)
decoder, fields = _LOG.decoder, _LOG.fields
