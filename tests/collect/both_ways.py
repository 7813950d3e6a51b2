"""A text format's two ways to read a block, by columns and line by line, for tests that hold them together."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from collect.reference import row_of
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

CLOCK = Clock(latest_us=int(datetime(2024, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000)


def rows(reader: Any, text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    """Time, offset and fields of each event, and what was damaged and mended."""
    table, tally = TableBuilder(reader.KIND), Tally()
    table.begin(Source(path="x"), reader.fields, CLOCK)
    for block in reader.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    decoder.flush(table)
    events = table.finish()
    return [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))], tally


def assert_alike(reader: Any, text: bytes) -> list[Any]:
    """Read by columns as line by line; gives the events."""
    fast, tally = rows(reader, text, reader.decoder(None))
    slow, told = rows(reader, text, LineDecoder(reader._parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)
    return fast
