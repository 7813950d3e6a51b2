"""Real logs: every record is counted by other means, and samples of them are compared key by key.

TOCSIN_SOAK=1 reads every file and compares a tenth of all records; otherwise a seed chooses files and records.
"""

from __future__ import annotations

import json
import os
import random
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import evtx
import pytest

from collect.reference import parsed, row_of, texts
from tocsin.collect import plan, read_units
from tocsin.model.custody import Custody
from tocsin.model.event import Events

SOAK = os.environ.get("TOCSIN_SOAK") == "1"
SEED = 20_260_501
SHARE = 0.1 if SOAK else 0.01
MOST_BYTES = 1 << 40 if SOAK else 40 << 20  # of unpacked JSON to read
NOT_WINDOWS = ("AADAudit", "Microsoft365Defender", "OfficeActivity", "syslog_", "vminsights_")
PROJECTION = frozenset({"EventID", "Channel", "Computer", "Image", "CommandLine", "Version", "SubjectUserName", "Data"})


def _logs(file: Path) -> Iterator[bytes]:
    """What stands in an archive, unpacked by the standard library."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield from (archive.read(entry) for entry in archive.infolist() if not entry.is_dir())
    else:
        with tarfile.open(file) as archive:
            for entry in archive:
                body = archive.extractfile(entry)
                if body:
                    yield body.read()


def _some(files: list[Path], count: int) -> list[Path]:
    return sorted(files) if SOAK else sorted(random.Random(SEED).sample(sorted(files), count))


def _read(file: Path, projection: frozenset[str] | None = None) -> tuple[list[Events], list[Custody]]:
    accounts: list[Custody] = []
    tables = list(read_units(plan([file]), projection, accounts.append))
    return tables, [account for account in accounts if account.format not in ("archive", "")]


def _compare(tables: list[Events], some: list[Events]) -> None:
    """A share of the records, at least five of each table: with their raw form, and with a projected reading."""
    draw = random.Random(SEED)
    for events, projected in zip(tables, some, strict=True):
        assert len(events) == len(projected)
        assert events.ts.tolist() == projected.ts.tolist()
        for row in draw.sample(range(len(events)), min(len(events), max(5, int(SHARE * len(events))))):
            fields = row_of(events, row)
            assert fields == dict(events.all_fields(row))
            assert Counter(fields.values()) == texts(_unfolded(parsed(events.raw[row])))
            assert row_of(projected, row) == {name: fields[name] for name in PROJECTION & fields.keys()}


def _unfolded(record: dict[str, object]) -> dict[str, object]:
    """Azure keeps some tables' fields as JSON in a text; as XML elsewhere, which `test_formats.py` looks at."""
    data = record.get("EventData")
    return {**record, "EventData": json.loads(data)} if isinstance(data, str) and data.startswith("{") else record


def test_json_lines_of_the_security_datasets(shared: Path) -> None:
    folder = shared / "corpus" / "security-datasets"
    files = sorted({*folder.glob("atomic/windows/**/*.zip"), *folder.glob("atomic/windows/**/*.tar.gz")})
    files += [file for file in folder.glob("compound/*/*.[zZ]ip") if not file.name.startswith(NOT_WINDOWS)]
    assert len(files) > 20
    random.Random(SEED).shuffle(files)
    left = MOST_BYTES
    for file in files:
        bodies = list(_logs(file))
        left -= sum(map(len, bodies))
        if left < 0:
            continue
        lines = sum(1 for body in bodies for line in body.split(b"\n") if line.strip())
        tables, accounts = _read(file)
        assert sum(map(len, tables)) == lines, file
        assert sum(account.read for account in accounts) == lines
        assert not [account for account in accounts if account.damaged or account.mended or account.problems]
        xml = any(b'"EventData":"\\u003c' in body[:100_000] for body in bodies)
        if not xml:
            _compare(tables, _read(file, PROJECTION)[0])


def test_evtx_of_the_attack_samples(shared: Path) -> None:
    _count_evtx(_some(list((shared / "corpus" / "evtx-attack-samples").rglob("*.evtx")), 40))


def test_evtx_of_the_regression_cases(shared: Path) -> None:
    _count_evtx(_some(list((shared / "corpus" / "sigma-regression").rglob("*.evtx")), 40))


def _count_evtx(files: list[Path]) -> None:
    for file in files:
        expected: list[tuple[int, str]] = []
        failed = 0
        records = evtx.PyEvtxParser(str(file), number_of_threads=1).records_json()
        while True:
            try:
                record = next(records)
            except StopIteration:
                break
            except RuntimeError:
                failed += 1
                continue
            expected.append((record["event_record_id"], record["data"]))
        tables, accounts = _read(file)
        found = [pair for events in tables for pair in zip(events.rec.tolist(), events.raw, strict=True)]
        assert [(number, raw.decode()) for number, raw in found] == expected, file
        assert [(a.read, sum(a.damaged.values())) for a in accounts] == [(len(expected), failed)], file
        _compare(tables, _read(file, PROJECTION)[0])
        content = file.read_bytes()
        for events in tables:
            for chunk in set(events.chunk.tolist()):
                assert content[chunk : chunk + 8] == b"ElfChnk\0"


@pytest.mark.parametrize("count", [1, 7])
def test_arrays_are_counted_by_the_json_module(shared: Path, tmp_path: Path, count: int) -> None:
    cases = [path for path in sorted((shared / "corpus" / "sigma-regression").rglob("*.json"))[:count]]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in cases]
    records = [record for value in found for record in (value if isinstance(value, list) else [value])]
    (tmp_path / "array.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    tables, accounts = _read(tmp_path / "array.json")
    assert [json.loads(raw) for events in tables for raw in events.raw] == records
    assert [account.read for account in accounts] == [len(records)]
    _compare(tables, _read(tmp_path / "array.json", PROJECTION)[0])
