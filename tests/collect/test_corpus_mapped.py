"""What no reader of the public datasets' logs knows is read by a mapping, with nothing lost."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

from collect.reference import row_of
from tocsin.collect import plan, read_units, reader
from tocsin.collect.mapping_files import load
from tocsin.model.custody import Custody

HERE = Path(__file__).parent / "mappings"


def _read(path: Path, mapping: str) -> tuple[list[dict[str, object]], list[Custody]]:
    accounts: list[Custody] = []
    mapped = [reader(one) for one in load([HERE / mapping])]
    tables = read_units(plan([path], mapped=mapped), None, accounts.append, mapped=mapped)
    rows = [dict(row_of(events, row)) for events in tables for row in range(len(events))]
    return rows, [one for one in accounts if one.format]


def _member(archive: Path) -> str:
    with zipfile.ZipFile(archive) as packed:
        (name,) = (one for one in packed.namelist() if not one.startswith("__MACOSX"))
        return packed.read(name).decode("utf-8-sig")


def test_requests_to_a_bucket(shared: Path) -> None:
    path = shared / "corpus/security-datasets/atomic/aws/discovery/aws_s3_honeybucketlogs.zip"
    rows, accounts = _read(path, "honey_bucket.yml")
    wanted = list(csv.DictReader(io.StringIO(_member(path), newline="")))
    assert [(one.format, one.read, dict(one.damaged)) for one in accounts] == [("honey-bucket", len(wanted), {})]
    for row, record in zip(rows, wanted, strict=True):
        assert set(filter(None, record.values())) <= set(row.values())
        assert row["eventName"] == record["Event Name"]


def test_connections_of_a_machine(shared: Path) -> None:
    path = next((shared / "corpus/security-datasets/compound/Log4Shell").glob("vminsights_*.zip"))
    rows, accounts = _read(path, "vm_connection.yml")
    wanted = [json.loads(line) for line in _member(path).splitlines() if line.strip()]
    assert [(one.format, one.read, dict(one.damaged)) for one in accounts] == [("vm-connection", len(wanted), {})]
    for row, record in zip(rows, wanted, strict=True):
        assert {str(value) for value in record.values() if value not in (None, "")} <= set(row.values())
        assert row["Image"] == record["ProcessName"]
