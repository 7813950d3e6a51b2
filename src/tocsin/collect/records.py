"""Slices of a block that should each hold one JSON object in, decoded objects and reasons for the others out.

A number past 64 bits becomes a float, as in most programs that read JSON; its digits stay in the raw record.
"""

from __future__ import annotations

import json
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from tocsin.collect.block import Block
from tocsin.collect.columns import TableBuilder
from tocsin.collect.layouts import Layouts
from tocsin.collect.projected import Projected
from tocsin.collect.slices import Slices
from tocsin.model.event import Longs

_BATCH_BYTES = 256 << 10
FLUSH_ROWS = 16_384
_MARK = 10**9 + secrets.randbelow(8 * 10**9)

_Unfold: TypeAlias = Callable[[dict[str, Any]], None]

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
        projected: reads blocks that it can without building what nobody asks for; not where there is `folded`.
    """

    def __init__(
        self,
        layouts: Layouts,
        unfold: _Unfold | None,
        folded: str | None = None,
        wrapped: _Unfold | None = None,
        projected: Projected | None = None,
    ) -> None:
        self._layouts, self._unfold, self._folded, self._wrapped = layouts, unfold, folded, wrapped
        self._projected = projected
        self._waiting = 0

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        if self._projected and (taken := self._projected.read(block, table)):
            self._waiting += taken
            if self._waiting >= FLUSH_ROWS:
                self.flush(table)
            return
        unfold = self._wrapped if self._wrapped is not None and WRAPPED in block.data else self._unfold
        for texts, starts, stops in _batches(block):
            good = np.ones(len(starts), bool)
            first = table.rows
            self._layouts.add(self._records(texts, good, unfold, tally), count(first))
            starts, stops = starts[good], stops[good]
            if len(starts):
                chunk = np.full(len(starts), -1, np.int64)
                table.extend(block.in_source(starts), chunk, Slices(block.data, starts, stops))
            self._waiting += len(starts)
            if self._waiting >= FLUSH_ROWS or self._layouts.is_crowded:
                self.flush(table)

    def _records(
        self, texts: list[bytes], good: npt.NDArray[np.bool_], unfold: _Unfold | None, tally: Tally
    ) -> Iterator[dict[str, Any]]:
        """One after the other, so that what nobody asks for is let go while it is in the processor's cache."""
        for at, text in enumerate(texts):
            try:
                record = orjson.loads(text)
            except orjson.JSONDecodeError:
                record = None
            if type(record) is not dict:
                record = _decode(text, tally)
                if record is None:
                    good[at] = False
                    continue
            if unfold is not None and (self._folded is None or type(record.get(self._folded)) is str):
                unfold(record)
            yield record

    def flush(self, table: TableBuilder) -> None:
        for row in self._projected.flush() if self._projected else ():
            record = decode(table.raw[row])
            if self._unfold is not None:
                self._unfold(record)
            self._layouts.add([record], [row])
        self._layouts.flush(table)
        self._waiting = 0


def decode(record: bytes, tally: Tally | None = None) -> dict[str, Any]:
    """One record that is kept whatever it is; without fields if it cannot be read."""
    return _decode(record, tally or Tally()) or {}


def _batches(block: Block) -> Iterator[tuple[list[bytes], Longs, Longs]]:
    """The records of a block, some hundred at a time, with their starts and stops."""
    data = block.data
    if block.spans is not None:
        spans = np.array(block.spans, np.int64).reshape(-1, 2)
        for at in range(0, len(spans), 256):
            some = spans[at : at + 256]
            yield [data[start:stop] for start, stop in some.tolist()], some[:, 0], some[:, 1]
        return
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + _BATCH_BYTES) + 1
        if not end:
            end = data.find(b"\n", at) + 1 or len(data)
        texts = data[at:end].removesuffix(b"\n").split(b"\n")
        stops = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1) + (at - 1)
        yield texts, np.concatenate(([at], stops[:-1] + 1)), stops
        at = end


def decode_marked(bodies: list[str]) -> list[dict[str, Any]] | None:
    """Objects given by what stands between their braces; None if any of them needs a closer look.

    They are decoded as one array. A number that no log can know stands between them, so that one that is open at its
    end cannot run into the next one and be taken for whole.
    """
    try:
        values = orjson.loads("".join(("[{", f"}},{_MARK},{{".join(bodies), "}]")))
    except orjson.JSONDecodeError:
        return None
    records, marks = values[::2], values[1::2]
    if len(records) != len(bodies) or set(map(type, records)) != {dict} or marks.count(_MARK) != len(marks):
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
