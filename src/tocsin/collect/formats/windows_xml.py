"""Windows events exported as XML in, Events out: one event or many, below a root or without one.

After the event schema of Windows: what Event Viewer saves, `wevtutil query-events /format:xml` (with `/element:Events`
or without), `ToXml()` of PowerShell's `Get-WinEvent`, and subscriptions with `RenderingInfo`, whose `Message` is the
event's; on lines also behind a header of syslog. Fields are called as those of the same event in an EVTX file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, BinaryIO, Final

import numpy as np

from tocsin.collect import documents, event_xml, framed, positions, relayed, syslog
from tocsin.collect.block import Block
from tocsin.collect.columns import TableBuilder
from tocsin.collect.documents import MAX_RECORD_BYTES
from tocsin.collect.layouts import Layouts
from tocsin.collect.one_record import Reading, fields_of, reading_of
from tocsin.collect.records import BAD_TEXT, FLUSH_ROWS, Tally
from tocsin.collect.slices import Slices
from tocsin.collect.streams import HEAD_BYTES, peek
from tocsin.collect.windows import WindowsNaming
from tocsin.model.event import Longs

NAME = "windows_xml"
KIND = "windows"

_NO_RECORD: Final = "not an event of Windows"
_TOO_LONG: Final = f"record longer than {MAX_RECORD_BYTES >> 20} MiB"
_BEGIN: Final = re.compile(rb"<Event(?=[\s>])")
_END: Final = b"</Event>"
_SNIFFED: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<Events(?:\s[^>]{0,200})?>\s*)?<Event(?:\s[^>]{0,200})?>\s*<System>"
)
_ON_A_LINE: Final = re.compile(rb"^\s*<Event(?:\s[^>\n]{0,200})?>\s*<System>", re.MULTILINE)
_BEHIND_HEADER: Final = re.compile(
    syslog.BEFORE_TAG + rb"[^\n<]{0,300}(<Event(?:\s[^>\n]{0,200})?> ?<System>[^\n]*)", re.MULTILINE
)
_MOST_HEADED: Final = 1_000  # bytes before the first line's event


def sniff(head: bytes) -> bool:
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _SNIFFED.match(head) or (head.startswith((b"<Event", b"<?xml", b" ")) and _ON_A_LINE.search(head)):
        return True
    return b"<Event" in head[:_MOST_HEADED] and framed.mostly(head, _BEHIND_HEADER)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """An event is read where it begins."""
    return [(at, min(at + unit_bytes, size)) for at in range(0, size, unit_bytes)]


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks with the span of each event; what stands between them is passed over, but for lines of syslog."""
    again, head = peek(file) if not start and stop is None else (file, _head(file))
    if again is file:
        file.seek(start)
    if framed.mostly(head, _BEHIND_HEADER):
        return map(_behind_header, documents.cut_line_range(again, start, stop, block_bytes))
    return _cut(again, start, stop, block_bytes)


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES)


def _behind_header(block: Block) -> Block:
    """A block whose records begin where their XML does; other lines of syslog are its rest."""
    spans = tuple(
        (found.start(1), found.start(1) + len(found[1].rstrip())) for found in _BEHIND_HEADER.finditer(block.data)
    )
    rest, lost = relayed.without(block, [start for start, _ in spans])
    return replace(block, spans=spans, rest=rest, damaged=Counter(block.damaged) + Counter({_NO_RECORD: lost}))


def _cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    data, offset, too_long = b"", start, 0
    while True:
        fresh = file.read(block_bytes)
        data += fresh
        spans, rest = _spans(data, ended=not fresh)
        limit = None if stop is None else stop - offset
        if limit is not None:
            spans = [span for span in spans if span[0] < limit]
        if len(data) - rest > MAX_RECORD_BYTES:
            too_long, rest = 1, len(data)
        if spans or too_long:
            damaged = Counter({_TOO_LONG: too_long} if too_long else {})
            yield Block(data=data[:rest], offset=offset, spans=tuple(spans), damaged=damaged)
        too_long, offset, data = 0, offset + rest, data[rest:]
        if not fresh or (stop is not None and offset >= stop):
            return


def _spans(data: bytes, *, ended: bool) -> tuple[list[tuple[int, int]], int]:
    """Where events stand, and where what is not read yet begins. One that does not end is cut off by the next."""
    bounds = [*(found.start() for found in _BEGIN.finditer(data)), len(data)]
    spans = []
    for begin, following in pairwise(bounds):
        end = data.find(_END, begin, following)
        if end >= 0:
            spans.append((begin, end + len(_END)))
        elif following < len(data) or ended:
            spans.append((begin, begin + len(data[begin:following].rstrip())))
        else:
            return spans, begin
    return spans, len(data) if ended else max(spans[-1][1] if spans else 0, len(data) - len(b"<Event"))


class _Decoder:
    """Reads the events of blocks; equal keys in equal order are understood once (`collect/layouts.py`)."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._layouts = Layouts(WindowsNaming(), projection, _reading)
        self._waiting = 0

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        records, kept = list[dict[str, Any]](), list[tuple[int, int]]()
        for start, stop in block.spans or ():
            try:
                text = block.data[start:stop].decode()
            except UnicodeDecodeError:
                text = block.data[start:stop].decode("utf-8", "replace")
                tally.mended[BAD_TEXT] += 1
            found = event_xml.record(text)
            if found is None:
                tally.damaged[_NO_RECORD] += 1
                continue
            record, amiss = found
            if amiss:
                tally.mended[amiss] += 1
            records.append(positions.named(record))
            kept.append((start, stop))
        if not kept:
            return
        starts, stops = np.array(kept, np.int64).T
        absent: Longs = np.full(len(starts), -1, np.int64)
        first = table.extend(block.in_source(starts), absent, Slices(block.data, starts, stops, block.head))
        self._layouts.add(records, range(first, first + len(records)))
        self._waiting += len(records)
        if self._waiting >= FLUSH_ROWS or self._layouts.is_crowded:
            self.flush(table)

    def flush(self, table: TableBuilder) -> None:
        self._layouts.flush(table)
        self._waiting = 0


def decoder(projection: frozenset[str] | None) -> _Decoder:
    return _Decoder(projection)


def _reading(record: bytes) -> Reading:
    return reading_of(_record(record), WindowsNaming())


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    return fields_of(_record(record), WindowsNaming())


def _record(raw: bytes) -> dict[str, Any]:
    found = event_xml.record(raw.decode("utf-8", "replace"))
    return positions.named(found[0]) if found else {}
