"""Real logs: every record is counted by other means, and a seeded share of them is compared key by key.

The share is a hundredth, and a tenth with TOCSIN_SOAK=1.
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

SEED = 20_260_501
SHARE = 0.1 if os.environ.get("TOCSIN_SOAK") == "1" else 0.01
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
    for file in files:
        bodies = list(_logs(file))
        lines = sum(1 for body in bodies for line in body.split(b"\n") if line.startswith(b"{"))
        tables, accounts = _read(file)
        assert sum(map(len, tables)) == lines, file
        assert sum(account.read for account in accounts) == lines
        assert not [account for account in accounts if account.damaged or account.mended or account.problems]
        xml = any(b'"EventData":"\\u003c' in body[:100_000] for body in bodies)
        if not xml:
            _compare(tables, _read(file, PROJECTION)[0])


def test_evtx_of_the_attack_samples(shared: Path) -> None:
    _count_evtx(sorted((shared / "corpus" / "evtx-attack-samples").rglob("*.evtx")))


def test_evtx_of_the_regression_cases(shared: Path) -> None:
    _count_evtx(sorted((shared / "corpus" / "sigma-regression").rglob("*.evtx")))


def _count_evtx(files: list[Path]) -> None:
    assert len(files) > 50
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


def _documents(text: str) -> list[object]:
    """Values that stand one after another."""
    decode, found, at = json.JSONDecoder().raw_decode, [], 0
    while text[at:].strip():
        value, at = decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        found.append(value)
    return found


@pytest.mark.parametrize("indent", [None, 1])
def test_documents_and_arrays_are_counted_by_the_json_module(shared: Path, tmp_path: Path, indent: int | None) -> None:
    every = []
    for file in sorted((shared / "corpus" / "sigma-regression").rglob("*.json")):
        wanted = _documents(file.read_text(encoding="utf-8"))
        tables, accounts = _read(file)
        assert [json.loads(raw) for events in tables for raw in events.raw] == wanted, file
        assert [(a.read, dict(a.damaged)) for a in accounts] == [(len(wanted), {})]
        every += wanted
    assert len(every) > 100
    (tmp_path / "array.json").write_text(json.dumps(every, indent=indent), encoding="utf-8")
    tables, accounts = _read(tmp_path / "array.json")
    assert [json.loads(raw) for events in tables for raw in events.raw] == every
    assert [account.read for account in accounts] == [len(every)]
    _compare(tables, _read(tmp_path / "array.json", PROJECTION)[0])
