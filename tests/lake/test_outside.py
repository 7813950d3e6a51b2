"""Others read the lake's tables without us: DuckDB and Polars, by what docs/lake.md says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from lake.making import records, write_logs
from tocsin.intake import LOOKS, take_in
from tocsin.lake import upkeep
from tocsin.lake.store import Lake, open_lake


@pytest.fixture(params=[False, True], ids=["as imported", "compacted"])
def lake(tmp_path: Path, request: pytest.FixtureRequest) -> Lake:
    for seed in range(3):
        write_logs(tmp_path / "logs", seed)
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    if request.param:
        upkeep.compact(lake, LOOKS)
    return lake


def _counts(lake: Lake) -> dict[str, int]:
    return {kind: sum(part.rows for part in lake.state.of_kind(kind)) for kind in lake.state.kinds}


def _ask(lake: Lake, kind: str, what: str) -> int:
    files = DeltaTable(lake.folder / "events" / kind).file_uris()
    every = f"read_parquet({files!r}, hive_partitioning=true, union_by_name=true)"
    found: int = duckdb.sql(what.format(events=every)).fetchall()[0][0]
    return found


def test_duckdb(lake: Lake) -> None:
    for kind, count in _counts(lake).items():
        assert _ask(lake, kind, "select count(*) from {events}") == count
        assert _ask(lake, kind, "select count(*) from (select distinct _src, _path, _rec from {events})") == count
    assert _ask(lake, "windows", "select count(*) from {events} where _day = date '2021-03-02' and EventID = '3'") > 0


def test_polars(lake: Lake) -> None:
    for kind, count in _counts(lake).items():
        frame = pl.scan_delta(str(lake.folder / "events" / kind)).collect()
        assert frame.height == count
        assert frame.select(pl.struct("_src", "_path", "_rec").n_unique()).item() == count
    frame = pl.scan_delta(str(lake.folder / "events" / "windows"))
    some = frame.filter(pl.col("Image") == "C:\\Temp\\evil.exe").select("_ts", "_host", "_raw").collect()
    assert some.height > 0
    assert all(b"evil.exe" in raw for raw in some["_raw"])


def test_fields_that_differ_in_case_alone_are_columns_of_their_own(lake: Lake) -> None:
    frame = pl.scan_delta(str(lake.folder / "events" / "windows")).collect()
    assert len({name.lower() for name in frame.columns}) == len(frame.columns)
    both = [name for name in frame.columns if name.replace("%4D", "M").replace("%6D", "m") in ("MD5", "md5")]
    assert len(both) == 2
    assert all(frame[name].null_count() < frame.height for name in both)
    assert sum(records(lake).values()) == sum(_counts(lake).values())
