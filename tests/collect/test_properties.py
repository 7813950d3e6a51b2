"""Random records, random projections, random cuts: columns, plain reading and an independent one agree."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import canonical, parsed, row_of, rows_of, texts
from tocsin.collect import documents, plan, read, read_bytes, read_units, records
from tocsin.collect import read as reading
from tocsin.collect.formats import windows_json
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME

# Few keys, so that they meet: plain, dotted like a path, with a space, named like our own columns.
KEYS = st.sampled_from(
    ["a", "b", "a.b", "b.a", "a.b.", "c d", "cd", "", "\0", "é", "_ts", "_raw", "_extra", "__class__", "#text"]
    + ["#attributes", "Event", "System", "EventData", "UserData", "winlog", "event_data", "user_data", "Data"]
    + ["EventID", "Channel", "Version", "process", "pid", "Hostname", "Computer", "@timestamp", "Provider", "Name"]
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, 1, -1, 1.0, -0.0, 2**53 + 1, 0.1, 1e22, 1e-7])
SCALARS = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.sampled_from(["", "1", "true", "null", "a.b", "\u2028é\U0001f600", "{", "\\"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), min_size=1, max_size=12)
FIRST = {"EventID": 1, "Channel": "x"}  # so that the format is known, whatever comes behind


def as_lines(found: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in [FIRST, *found])


def tables(data: bytes, projection: frozenset[str] | None = None) -> Any:
    """As `read_bytes`, without its check that the format can be told from the beginning."""
    return read_bytes(data, projection=projection)


@given(RECORDS)
def test_columns_equal_the_plain_reading_and_keep_every_leaf(found: list[dict[str, Any]]) -> None:
    events = tables(as_lines(found))
    assert len(events) == len(found) + 1
    for row, record in enumerate([FIRST, *found]):
        fields = row_of(events, row)
        assert fields == dict(events.all_fields(row))
        assert Counter(fields.values()) == texts(record)


@given(RECORDS, st.data())
def test_a_projection_gives_the_same_values_and_nothing_else(found: list[dict[str, Any]], data: st.DataObject) -> None:
    full = tables(as_lines(found))
    names = sorted(full.columns)
    projection = frozenset(data.draw(st.sets(st.sampled_from(names))))
    projected = tables(as_lines(found), projection)
    for row in range(len(full)):
        wanted = {name: text for name, text in row_of(full, row).items() if name in projection}
        assert row_of(projected, row) == wanted
    assert projected.ts.tolist() == full.ts.tolist()
