"""Our own samples of every format, read as `golden.jsonl` says; TOCSIN_GOLDEN=write writes it anew, to be reviewed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from collect import make_evtx
from collect.reference import row_of
from tocsin.collect import plan, read, read_units, sources, zeek_headless
from tocsin.collect.clock import ASSUMED
from tocsin.collect.formats import READERS
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME

HERE = Path(__file__).parent / "formats"
NAMES = [reader.NAME for reader in READERS]
SAMPLES = sorted(path for name in NAMES for path in (HERE / name).iterdir() if path.suffix != ".md")
SAMPLES = [path for path in SAMPLES if path.name != "golden.jsonl"]
CHANGED_US = 1_772_323_200_000_000  # 2026-03-01: the year of times that have none must not come from the checkout


@pytest.fixture(autouse=True)
def _changed_at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "changed_us", lambda file: CHANGED_US)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [
        {
            "sample": path.name,
            "rec": int(events.rec[row]),
            "chunk": int(events.chunk[row]),
            "ts": None if events.ts[row] == NO_TIME else int(events.ts[row]),
            "fields": {name: list(x) if isinstance(x, tuple) else x for name, x in sorted(row_of(events, row).items())},
        }
        for events in read(path)
        for row in range(len(events))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_read_as_the_golden_result_says(name: str) -> None:
    found = [row for path in SAMPLES if path.parent.name == name for row in _rows(path)]
    golden = HERE / name / "golden.jsonl"
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        golden.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    assert found == [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_nothing_of_a_sample_is_lost(path: Path) -> None:
    accounts: list[Custody] = []
    rows = sum(len(events) for events in read_units(plan([path]), None, accounts.append))
    assert [(a.read, a.format, dict(a.damaged), a.problems) for a in accounts] == [(rows, path.parent.name, {}, ())]
    assert not set(accounts[0].mended) - ASSUMED - {zeek_headless.MENDED}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_one_reader_knows_a_sample_and_its_projection_reads_the_same(path: Path) -> None:
    content = path.read_bytes()
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):  # recoded before it is sniffed
        assert next(reader.NAME for reader in READERS if reader.sniff(content[:65_536])) == path.parent.name
    full = list(read(path))
    for name in sorted({name for events in full for name in events.columns}):
        for events, some in zip(full, read(path, projection=frozenset({name})), strict=True):
            wanted = [{n: text for n, text in row_of(events, row).items() if n == name} for row in range(len(events))]
            assert [row_of(some, row) for row in range(len(some))] == wanted
            assert some.ts.tolist() == events.ts.tolist()


def test_the_evtx_sample_is_what_the_writer_makes() -> None:
    assert (HERE / "evtx" / "two_chunks.evtx").read_bytes() == make_evtx.sample()


def test_an_event_field_never_stands_for_one_of_the_envelope() -> None:
    rows = [row for row in _rows(HERE / "evtx" / "two_chunks.evtx") if row["fields"]["EventID"] == "4"]
    assert [(row["fields"]["Version"], row["fields"]["EventData.Version"]) for row in rows] == [("2", "15.0")]
