"""Windows event log files (EVTX) in, Events out; a record's raw form is the evtx library's rendering of it.

A file is a header of 4096 bytes and chunks of 64 KiB, each of which can be read by itself (the layout is
documented by the libevtx project). The evidence is the file's digest, the record id and the chunk's offset.

A rendering is `{"Event":{...,"System":{HEAD "TimeCreated":... MIDDLE "Channel":... TAIL},"EventData":{...}}}`.
HEAD and TAIL, the envelope, repeat from record to record: their text is looked up, not parsed again, which
leaves a third of the JSON to decode.
"""

from __future__ import annotations

import io
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

import evtx
import numpy as np
import orjson

from tocsin.collect import positions
from tocsin.collect.block import Block
from tocsin.collect.claims import Path
from tocsin.collect.columns import TableBuilder
from tocsin.collect.layouts import Layouts
from tocsin.collect.one_record import Reading, fields_of, reading_of
from tocsin.collect.records import FLUSH_ROWS, Tally, decode, decode_marked
from tocsin.collect.streams import read_fully
from tocsin.collect.times import microseconds
from tocsin.collect.windows import WindowsNaming
from tocsin.model.event import Codes, Longs

NAME = "evtx"
KIND = "windows"

_HEADER_BYTES = 4096
_CHUNK_BYTES = 64 << 10
_MARK = b"ElfChnk\0"
_MOST_IN_A_CHUNK = _CHUNK_BYTES // 28  # a record without anything in it
_BATCH_RECORDS = 256
_MAX_ENVELOPES = 50_000  # hostile files can make each one new
_MAX_ERRORS_IN_A_ROW = 4_096
_DATA_KEY = ',"EventData":{'
_NO_DATA = ',"EventData":null}}'
_TIME_KEY = '"TimeCreated":{"#attributes":{"SystemTime":"'
_TIME_STOP = len(_TIME_KEY) + len("2020-07-02T18:00:29.615842Z")


def sniff(head: bytes) -> bool:
    return head.startswith(b"ElfFile\x00")


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """Chunks are whole between these offsets; the header is read again for each."""
    unit = max(unit_bytes // _CHUNK_BYTES, 1) * _CHUNK_BYTES
    starts = list(range(_HEADER_BYTES, max(size, _HEADER_BYTES + 1), unit))
    stops = [*starts[1:], max(size, starts[-1])]
    return [(0 if start == _HEADER_BYTES else start, stop) for start, stop in zip(starts, stops, strict=True)]


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start:
        file.seek(0)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        yield Block(data=b"", offset=0, damaged=_counted("file ends within its header"))
        return
    offset = start or _HEADER_BYTES
    if start:
        file.seek(start)
    size = max(block_bytes // _CHUNK_BYTES, 1) * _CHUNK_BYTES
    while data := read_fully(file, size if stop is None else min(size, stop - offset)):
        torn = len(data) % _CHUNK_BYTES
        damaged: Counter[str] = Counter()
        if torn:  # the library passes over a chunk that is not whole, with all records that it still has
            if data.startswith(_MARK, len(data) - torn):
                damaged["file ends within a chunk"] += 1
            data += bytes(_CHUNK_BYTES - torn)
        yield Block(data=data, offset=offset, head=header, damaged=damaged)
        offset += len(data)


def _counted(reason: str) -> Counter[str]:
    return Counter({reason: 1})


class _Decoder:
    """Two sets of layouts: for what is left of a record without its envelope, and for whole records."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        naming = WindowsNaming()
        self._bare = projection is not None and projection.isdisjoint(_MIDDLE_NAMES)
        self._data = Layouts(naming, projection, _reading, base=("Event", "EventData"))
        self._inner = Layouts(_Naming(), projection, _reading)
        self._whole = Layouts(naming, projection, _reading)
        self._envelopes = _Envelopes(projection)
        self._rows: list[int] = []
        self._numbers: list[int] = []
        self._times: list[str] = []

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        block = _marked(block, tally)
        chunks = _Chunks(block)
        before, given = sum(tally.damaged.values()), 0
        for ids, texts in _rendered(block, tally):
            given += len(ids)
            rec = np.array(ids, np.uint64).astype(np.int64)  # a damaged id can be anything
            self._add(texts, table.extend(rec, chunks.offsets(rec), _Renderings(texts)), tally)
            if len(self._rows) >= FLUSH_ROWS:
                self.flush(table)
        # The library says one word of a fault that hides the rest of its chunk, and sometimes none.
        unseen = chunks.announced - given - (sum(tally.damaged.values()) - before)
        if unseen > 0:
            tally.damaged["told of by the header of its chunk, but not found"] += unseen

    def flush(self, table: TableBuilder) -> None:
        for layouts in (self._data, self._inner, self._whole):
            layouts.flush(table)
        rows = np.array(self._rows, np.int64)
        self._envelopes.put(rows, np.array(self._numbers, np.int32), table)
        table.put_time(rows, microseconds(self._times))
        self._rows, self._numbers, self._times = [], [], []

    def _add(self, texts: list[str], first: int, tally: Tally) -> None:
        """Split a batch by its envelopes; records that are not built as expected are decoded whole."""
        data, inner, odd = _Bodies(), _Bodies(), _Bodies()
        bare = self._bare
        known, learn = self._envelopes.numbers, self._envelopes.learn
        for row, text in enumerate(texts, first):
            time = text.find(_TIME_KEY)
            channel = text.find('"Channel":', time)
            end = text.find(_DATA_KEY, channel)
            place = data if bare else inner
            if end >= 0:
                body = text[end + len(_DATA_KEY) : -3] if bare else text[time:channel] + text[end + 1 : -2]
            else:
                end = text.find(',"UserData":', channel)
                if end >= 0:
                    place, body = inner, text[time:channel] + text[end + 1 : -2]
                else:
                    end = len(text) - len(_NO_DATA if text.endswith(_NO_DATA) else "}}")
                    body = "" if bare else (text[time:channel] + text[end + 1 : -2]).rstrip(",")
            envelope = (text[:time], text[channel:end])
            number = known.get(envelope)
            if number is None:
                number = learn(envelope)
            if number < 0 or time < 0 or text[time + _TIME_STOP] != '"':
                odd.add(row, text, "", -1)
            else:
                place.add(row, body, text[time + len(_TIME_KEY) : time + _TIME_STOP], number)
        self._take(data, self._data, texts, first, odd)
        self._take(inner, self._inner, texts, first, odd)
        self._whole.add([positions.named(decode(text.encode(), tally)) for text in odd.texts], odd.rows)

    def _take(self, bodies: _Bodies, layouts: Layouts, texts: list[str], first: int, odd: _Bodies) -> None:
        if not bodies.rows:
            return
        records = decode_marked(bodies.texts)
        if records is None:
            for row in bodies.rows:
                odd.add(row, texts[row - first], "", -1)
            return
        layouts.add(records, bodies.rows)
        self._rows += bodies.rows
        self._numbers += bodies.numbers
        self._times += bodies.times


class _Bodies:
    """What is to be decoded of some records."""

    __slots__ = ("numbers", "rows", "texts", "times")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.texts: list[str] = []
        self.times: list[str] = []
        self.numbers: list[int] = []

    def add(self, row: int, text: str, time: str, number: int) -> None:
        self.rows.append(row)
        self.texts.append(text)
        self.times.append(time)
        self.numbers.append(number)


def decoder(projection: frozenset[str] | None) -> _Decoder:
    return _Decoder(projection)


def _reading(record: bytes) -> Reading:
    return reading_of(positions.named(decode(record)), WindowsNaming())


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    return fields_of(positions.named(decode(record)), WindowsNaming())


class _Renderings:
    __slots__ = ("_texts",)
    header = b""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def record(self, at: int) -> bytes:
        return self._texts[at].encode()

    def joined(self) -> tuple[bytes, Longs]:
        data = "\n".join(self._texts).encode()
        # A newline stands in no rendering but behind each.
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        return data, np.concatenate(([0], ends + 1))

    def sizes(self) -> Longs:
        return np.array([len(text) if text.isascii() else len(text.encode()) for text in self._texts], np.int64)


def _rendered(block: Block, tally: Tally) -> Iterator[tuple[list[int], list[str]]]:
    """Record ids and renderings, some hundred at a time."""
    if not block.data:
        return
    try:
        records: Any = evtx.PyEvtxParser(io.BytesIO(block.head + block.data), number_of_threads=1).records_json()
    except (OSError, RuntimeError):
        tally.damaged["no EVTX file header"] += 1
        return
    errors = 0
    while errors < _MAX_ERRORS_IN_A_ROW:
        batch: list[dict[str, Any]] = []
        try:
            batch.extend(islice(records, _BATCH_RECORDS))
            ended = not batch
        except RuntimeError as error:  # what was given before it is in the batch, and the iterator goes on behind it
            tally.damaged[_reason(str(error))] += 1
            errors, ended = errors + 1, False
        if batch:
            errors = 0
            yield [record["event_record_id"] for record in batch], [record["data"] for record in batch]
        if ended:
            return


_NUMBERS = re.compile(r"0x[0-9a-f]+|`[^`]*`|\[[^]]*\]|\d+")


def _reason(error: str) -> str:
    """The library's words without what differs from record to record, so that equal faults are counted together."""
    return " ".join(_NUMBERS.sub("", error).split())[:160].rstrip(" :,")


def _marked(block: Block, tally: Tally) -> Block:
    """The block with its chunks' marks put right: the library passes over a chunk of records for one wrong bit."""
    wrong = [
        at
        for at in range(0, len(block.data), _CHUNK_BYTES)
        if not block.data.startswith(_MARK, at) and block.data[at + 40 : at + 44] == b"\x80\0\0\0"  # header size
    ]
    if not wrong:
        return block
    data = bytearray(block.data)
    for at in wrong:
        data[at : at + len(_MARK)] = _MARK
        tally.mended["chunk whose mark is damaged"] += 1
    return replace(block, data=bytes(data))


class _Chunks:
    """Which chunk of a block a record id stands in, by the ids in the chunks' headers."""

    def __init__(self, block: Block) -> None:
        marked = [
            (*struct.unpack_from("<QQQ", block.data, at + 8), block.offset + at)
            for at in range(0, len(block.data) - _HEADER_BYTES, _CHUNK_BYTES)
            if block.data.startswith(_MARK, at)
        ]
        # How many records the headers tell of; a damaged one can tell anything.
        self.announced = sum(last - first + 1 for first, last, _, _ in marked if 0 <= last - first < _MOST_IN_A_CHUNK)
        headers = sorted((first, offset) for _, _, first, offset in marked)
        first_and_offset = np.array(headers, np.uint64).reshape(-1, 2).astype(np.int64)
        self._firsts, self._offsets = first_and_offset[:, 0], first_and_offset[:, 1]

    def offsets(self, ids: Longs) -> Longs:
        at = np.searchsorted(self._firsts, ids, "right") - 1
        if not len(self._offsets):
            return np.full(len(ids), -1, np.int64)
        return np.where(at >= 0, self._offsets[at], -1)


class _Naming(WindowsNaming):
    """For records without their envelope: what stands beside EventData is System's."""

    def name(self, path: Path) -> tuple[str, int]:
        return super().name(_full(path))

    def time_rank(self, path: Path) -> int | None:
        return None  # taken from the text

    def names_below(self, path: Path) -> frozenset[str] | None:
        return super().names_below(_full(path))


_OUTSIDE_SYSTEM = frozenset({"Event", "EventData", "UserData"})


def _full(path: Path) -> Path:
    return path if path[0] in _OUTSIDE_SYSTEM else ("System", *path)


# What can be in a record outside its envelope and its EventData; objects that are null are fields themselves.
_MIDDLE_NAMES = frozenset(
    {
        "TimeCreated",
        "Correlation",
        "Execution",
        "EventData",
        "SystemTime",
        "EventRecordID",
        "ActivityID",
        "RelatedActivityID",
        "Execution_ProcessID",
        "Execution_ThreadID",
    }
)


class _Envelopes:
    """Texts of HEAD and TAIL, numbered; their fields are put into the table once for all rows that have them."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._projection = projection
        self.numbers: dict[tuple[str, str], int] = {}
        self._fields: list[Mapping[str, Any]] = []

    def learn(self, envelope: tuple[str, str]) -> int:
        """The number of a new envelope; -1 if its two texts do not make a whole `Event.System`."""
        if len(self.numbers) >= _MAX_ENVELOPES:
            return -1
        self.numbers[envelope] = -1
        try:
            record = orjson.loads("".join((*envelope, "}}")))
            if list(record) != ["Event"] or list(record["Event"])[-1] != "System" or positions.are_known(record):
                return -1
        except (orjson.JSONDecodeError, TypeError, IndexError):
            return -1
        self.numbers[envelope] = len(self._fields)
        named, wanted = fields_of(record, WindowsNaming()), self._projection
        self._fields.append({name: value for name, value in named.items() if wanted is None or name in wanted})
        return self.numbers[envelope]

    def put(self, rows: Longs, numbers: Codes, table: TableBuilder) -> None:
        used, at = np.unique(numbers, return_inverse=True)
        for name in sorted({name for number in used for name in self._fields[number]}):
            having = np.array([name in self._fields[number] for number in used])
            texts = [self._fields[number][name] for number in used[having]]
            place = np.cumsum(having) - 1
            mask = having[at]
            table.put_repeated(name, rows[mask], texts, place[at[mask]])
