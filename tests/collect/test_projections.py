"""Random records of services, random projections: what is asked for is what the full reading gives."""

from __future__ import annotations

import io
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import m365
from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted
from tocsin.collect.read import read_bytes
from tocsin.collect.records import Tally
from tocsin.model.event import Events, Source

LOG = JsonLog(
    naming=Dotted(
        times=("a.t", "t"),
        names={"b": "a", "c": "a", "a.c": "b_"},
        also={"x": ("a", "b.a"), "y": ("a.b", "c")},
    ),
    keys=(),
)
KEYS = st.sampled_from(["a", "b", "c", "t", "x", "a.b", "b_"])
PLAIN = st.none() | st.sampled_from(["", "1", "u"]) | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that hold others, also at keys that have the name of another."""
    below = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), inner | st.lists(inner, max_size=2), max_size=2)
    return st.tuples(st.dictionaries(KEYS, PLAIN, max_size=4), below).map(lambda both: both[0] | both[1])


RECORDS = st.lists(objects(st.recursive(PLAIN, objects, max_leaves=6)), min_size=1, max_size=6)
FOLDED = st.sampled_from(["Folders", "Parameters", "OperationProperties", "ExtendedProperties", "Item", "AuditData"])
INNER = st.sampled_from(["Name", "Value", "Path", "Operation", "Item"])
OBJECTS = st.dictionaries(INNER, st.sampled_from(["Item", "Set", "1"]), max_size=3)
TEXTS = (OBJECTS | st.lists(OBJECTS, max_size=2)).map(lambda value: orjson.dumps(value).decode())
AUDITED = st.lists(
    st.tuples(
        st.dictionaries(FOLDED, TEXTS | OBJECTS, max_size=4),
        st.sampled_from(["Exchange", "SecurityComplianceCenter"]),
    ).map(lambda some: {"RecordType": 1, "Operation": "Set-Mailbox", "Workload": some[1]} | some[0]),
    min_size=1,
    max_size=6,
)


def agree(full: Events, projected: Events, projection: frozenset[str]) -> None:
    for row in range(len(full)):
        wanted = {name: text for name, text in row_of(full, row).items() if name in projection}
        assert row_of(projected, row) == wanted
    assert projected.ts.tolist() == full.ts.tolist()


def test_an_object_claims_no_name() -> None:
    records = [{"a": None, "c": {"c": "u"}, "b": None}]
    projection = frozenset({"b"})
    agree(_read(records, None), _read(records, projection), projection)


@given(records=RECORDS, data=st.data())
def test_names_that_values_contend_for_do_not_depend_on_the_projection(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    full = _read(records, None)
    names = sorted({*full.columns, "a_", "b", "x", "y"})
    projection = frozenset(data.draw(st.sets(st.sampled_from(names))))
    agree(full, _read(records, projection), projection)


@given(records=AUDITED, data=st.data())
def test_what_is_folded_is_read_where_it_is_asked_for(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = b"\n".join(map(orjson.dumps, records))
    full = read_bytes(lines)
    assert full.kind == m365.KIND
    projection = frozenset(data.draw(st.sets(st.sampled_from(sorted(full.columns)))))
    agree(full, read_bytes(lines, projection=projection), projection)


def _read(records: list[dict[str, Any]], projection: frozenset[str] | None) -> Events:
    table, tally = TableBuilder("any"), Tally()
    table.begin(Source(path="x"), LOG.fields, Clock())
    decoder = LOG.decoder(projection)
    for block in LOG.cut(io.BytesIO(b"\n".join(map(orjson.dumps, records))), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    decoder.flush(table)
    return table.finish()
