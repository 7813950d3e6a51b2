"""Events as an Arrow table: fixed columns, types, nulls, and the columns' own values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
from hypothesis import given

from collect import make_evtx
from collect.reference import row_of
from collect.test_properties import RECORDS, as_lines
from tocsin.collect import read, read_bytes
from tocsin.model.event import NO_TIME, Events

FIXED = ["_ts", "_host", "_kind", "_raw", "_src", "_rec"]
TEXT = pa.dictionary(pa.int32(), pa.string())


def check(events: Events) -> pa.Table:
    table = events.to_arrow()
    table.validate(full=True)
    assert table.column_names[:6] == FIXED
    assert [table.schema.field(name).type for name in FIXED] == [
        pa.timestamp("us", "UTC"), TEXT, TEXT, pa.binary(), TEXT, pa.int64(),
    ]  # fmt: skip
    assert all(field.type == TEXT for field in list(table.schema)[6:])
    assert table["_raw"].to_pylist() == list(events.raw)
    assert table["_rec"].to_pylist() == events.rec.tolist()
    assert table["_kind"].to_pylist() == [events.kind] * len(events)
    assert table["_src"].to_pylist() == [events.sources[src].sha256 for src in events.src.tolist()]
    times = table["_ts"].cast(pa.int64()).to_pylist()
    assert times == [None if ts == NO_TIME else ts for ts in events.ts.tolist()]
    for name, column in events.columns.items():
        texts = [column.text(row) for row in range(len(events))]
        assert table[name if name not in FIXED else f"{name}_"].to_pylist() == texts
    return table


@given(RECORDS)
def test_any_records(found: list[dict[str, object]]) -> None:
    check(read_bytes(as_lines(found)))


def test_source_and_host(tmp_path: Path) -> None:
    line = json.dumps({"EventID": 1, "Channel": "x", "Computer": "desk7", "a": [1, None, "b"], "n": None, "z": 1.5})
    (tmp_path / "x.json").write_text(line)
    (tmp_path / "y.evtx").write_bytes(make_evtx.sample())
    for events in read(tmp_path):
        table = check(events)
        paths = [Path(events.sources[src].path) for src in events.src.tolist()]
        assert table["_src"].to_pylist() == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        assert table["_host"].to_pylist() == [row_of(events, row)["Computer"] for row in range(len(events))]
        if paths[0].suffix == ".json":
            assert table.slice(0, 1).select(["a", "n", "z"]).to_pylist() == [
                {"a": '[1,null,"b"]', "n": None, "z": "1.5"}
            ]


def test_nearly_unique_text_is_one_table_too() -> None:
    lines = [json.dumps({"EventID": 1, "Channel": "x", "Message": f"{n} " * 60}) for n in range(5_000)]
    lines += [json.dumps({"EventID": 2, "Channel": "x", "Message": None}), *lines[:10]]
    table = check(read_bytes("\n".join(lines).encode()))
    assert table["Message"].null_count == 1


def test_no_host_and_no_time() -> None:
    table = check(read_bytes(b'{"EventID":1,"Channel":"x"}'))
    assert table["_host"].to_pylist() == table["_ts"].to_pylist() == [None]
