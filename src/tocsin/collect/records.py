"""Slices of a block that should each hold one JSON object in, decoded objects and reasons for the others out.

A number past 64 bits becomes a float, as in most programs that read JSON; its digits stay in the raw record.
"""

from __future__ import annotations

import json
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson

from tocsin.collect.block import Block
from tocsin.collect.columns import TableBuilder
from tocsin.collect.layouts import Layouts
from tocsin.model.event import Longs

# Decoded objects should be split while they are still in the processor's cache: with batches of 4 MiB
# decoding alone takes 2.5 times as long as with 256 KiB.
_BATCH_BYTES = 256 << 10
FLUSH_ROWS = 32_768
# Records are decoded many at a time, as one array. A number that no log can know stands between them, so
# that a record that is open at its end cannot run into the next one and be taken for whole.
_MARK = 10**9 + secrets.randbelow(8 * 10**9)
_SEPARATOR = b",%d," % _MARK

_NOT_JSON = "not valid JSON"
_NOT_AN_OBJECT = "JSON, but not an object"
_TOO_DEEP = "nested too deeply"
BAD_TEXT = "invalid UTF-8, replaced"
_BARE_CONTROLS = "control characters in text"
_NO_NUMBER = "NaN or Infinity, kept as text"
WRAPPED = b'"_source"'  # in which Elasticsearch gives records


class Tally:
    """Records that were lost, and records that were mended, by reason."""

    __slots__ = ("damaged", "mended")

    def __init__(self) -> None:
        self.damaged: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()


class JsonDecoder:
    """Reads blocks of JSON records.

    Args:
        unfold: mends records in place; None where nothing is to be mended.
        folded: only records in which this key holds text are mended; None: all of them.
        wrapped: stands in for `unfold` where records of a block may be wrapped (`_source`).
    """

    def __init__(
        self,
        layouts: Layouts,
        unfold: Callable[[dict[str, Any]], None] | None,
        folded: str | None = None,
        wrapped: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._layouts, self._unfold, self._folded, self._wrapped = layouts, unfold, folded, wrapped
        self._waiting = 0

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        unfold = self._wrapped if self._wrapped is not None and WRAPPED in block.data else self._unfold
        for starts, stops in _batches(block):
            records = _decode_together(block.data, starts, stops, block.spans is None)
            if records is None:
                spans = zip(starts.tolist(), stops.tolist(), strict=True)
                decoded = [_decode(block.data[start:stop], tally) for start, stop in spans]
                good = np.array([record is not None for record in decoded], bool)
                starts, stops = starts[good], stops[good]
                records = [record for record in decoded if record is not None]
            if unfold is not None:
                for record in records:
                    if self._folded is None or type(record.get(self._folded)) is str:
                        unfold(record)
            if records:
                chunk = np.full(len(starts), -1, np.int64)
                first = table.extend(starts + block.offset, chunk, Slices(block.data, starts, stops))
                self._layouts.add(records, range(first, first + len(records)))
            self._waiting += len(records)
            if self._waiting >= FLUSH_ROWS or self._layouts.is_crowded:
                self.flush(table)

    def flush(self, table: TableBuilder) -> None:
        self._layouts.flush(table)
        self._waiting = 0


def decode(record: bytes, tally: Tally | None = None) -> dict[str, Any]:
    """One record that is kept whatever it is; without fields if it cannot be read."""
    return _decode(record, tally or Tally()) or {}


class Slices:
    """Records as slices of their block, below the header that stands before them."""

    __slots__ = ("_data", "_starts", "_stops", "header")

    def __init__(self, data: bytes, starts: Longs, stops: Longs, header: bytes = b"") -> None:
        self._data, self._starts, self._stops, self.header = data, starts, stops, header

    def record(self, at: int) -> bytes:
        return self._data[self._starts[at] : self._stops[at]].rstrip(b"\r")

    def joined(self) -> tuple[bytes, Longs]:
        first = int(self._starts[0])
        return self._data[first : int(self._stops[-1])], self._starts - first

    def sizes(self) -> Longs:
        sizes = self._stops - self._starts
        returns = np.frombuffer(self._data, np.uint8)[self._stops - 1] == ord("\r")
        sizes[returns] = [len(self.record(at)) for at in np.flatnonzero(returns).tolist()]
        return sizes


def _batches(block: Block) -> Iterator[tuple[Longs, Longs]]:
    """Starts and stops of the records of a block, some hundred at a time."""
    data = block.data
    if block.spans is not None:
        spans = np.array(block.spans, np.int64).reshape(-1, 2)
        for at in range(0, len(spans), 256):
            yield spans[at : at + 256, 0], spans[at : at + 256, 1]
        return
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + _BATCH_BYTES) + 1
        if not end:
            end = data.find(b"\n", at) + 1 or len(data)
        stops = np.flatnonzero(np.frombuffer(data, np.uint8, end - at, at) == ord("\n")) + at
        if data[end - 1] != ord("\n"):
            stops = np.append(stops, end)
        yield np.concatenate(([at], stops[:-1] + 1)), stops
        at = end


def _decode_together(data: bytes, starts: Longs, stops: Longs, lines: bool) -> list[dict[str, Any]] | None:
    """All records at once, or None if any of them needs a closer look."""
    if lines:
        joined = data[starts[0] : stops[-1]].replace(b"\n", _SEPARATOR)
    else:
        joined = _SEPARATOR.join([data[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True)])
    return _checked(b"[" + joined + b"]", len(starts))


def decode_marked(bodies: list[str]) -> list[dict[str, Any]] | None:
    """Objects given by what stands between their braces; None if any of them needs a closer look."""
    return _checked("".join(("[{", f"}},{_MARK},{{".join(bodies), "}]")), len(bodies))


def _checked(array: bytes | str, count: int) -> list[dict[str, Any]] | None:
    try:
        values = orjson.loads(array)
    except orjson.JSONDecodeError:
        return None
    records, marks = values[::2], values[1::2]
    if len(records) != count or set(map(type, records)) != {dict} or marks.count(_MARK) != len(marks):
        return None
    return records  # type: ignore[no-any-return]


def _decode(record: bytes, tally: Tally) -> dict[str, Any] | None:
    text = record.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _decode_leniently(text, tally)
        if value is None:
            return None
    if not isinstance(value, dict):
        tally.damaged[_NOT_AN_OBJECT] += 1
        return None
    return value


def _decode_leniently(text: bytes, tally: Tally) -> Any:
    """Keep a record whose only fault is its text: bad UTF-8, half a surrogate pair, control characters.

    So are numbers that JSON does not have, as text, under the names that Python and JavaScript write.
    """
    faults = []

    def word(constant: str) -> str:
        faults.append(_NO_NUMBER)
        return constant

    def number(digits: str) -> float | str:
        value = float(digits)
        return value if math.isfinite(value) else word(digits)

    try:
        known = text.decode("utf-8", "replace")
        try:
            value = json.loads(known, parse_constant=word, parse_float=number)
        except json.JSONDecodeError:
            value = json.loads(known, parse_constant=word, parse_float=number, strict=False)
            faults = [_BARE_CONTROLS]
        whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        value = orjson.loads(whole)
    except RecursionError:
        tally.damaged[_TOO_DEEP] += 1
        return None
    except ValueError as error:
        tally.damaged[_TOO_DEEP if "recursion" in str(error).lower() else _NOT_JSON] += 1
        return None
    tally.mended[faults[0] if faults else BAD_TEXT] += 1
    return value
