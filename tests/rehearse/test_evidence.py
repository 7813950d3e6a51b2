"""The drill is the same each time, as large as asked, and its truth leads to the very lines."""

from __future__ import annotations

import gzip
import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from rehearse.conftest import Drill
from tocsin import rehearse
from tocsin.errors import OutputError, SettingsError
from tocsin.rehearse import evidence


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        rehearse.make(seed=seed, events=20_000, folder=tmp_path / name)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    same = _digests(tmp_path / "one").items() & _digests(tmp_path / "other").items()
    assert not same


def test_as_many_records_as_asked_for(drill: Drill) -> None:
    assert abs(drill.made.records - 80_000) < 8_000
    lines = sum(1 for _ in drill.lines("**/*.*"))
    heads = sum(line.startswith("#") for _, _, line in drill.lines("**/*.*"))
    assert lines - heads == drill.made.records == drill.truth["records"]


def test_the_truth_leads_to_the_very_lines(drill: Drill) -> None:
    checked = 0
    told = [step for incident in drill.truth["incidents"] for step in incident["steps"]]
    for records in [step["records"] for step in told] + [one["records"] for one in drill.truth["permitted"]]:
        for record in records:
            text = (drill.made.logs / record["path"]).read_bytes()
            line = text[record["offset"] : record["offset"] + record["bytes"]]
            assert line.endswith(b"\n")
            assert line.count(b"\n") == 1
            assert text[: record["offset"]].count(b"\n") == record["line"] - 1
            checked += 1
            if checked % 7:  # one in seven is enough: counting lines is slow
                break
    assert checked > 50


def test_days_are_told_one_by_one(tmp_path: Path) -> None:
    told: list[rehearse.Progress] = []
    made = rehearse.make(seed=1, events=20_000, folder=tmp_path / "new", told=told.append)
    assert [progress.day for progress in told] == list(range(1, made.days + 1))
    assert all(one.records <= other.records for one, other in pairwise(told))


def test_large_drills_are_packed_and_their_truth_counts_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rehearse.make(seed=4, events=20_000, folder=tmp_path / "plain")
    monkeypatch.setattr(evidence, "_PACKED_FROM", 1)
    packed = rehearse.make(seed=4, events=20_000, folder=tmp_path / "packed")
    assert packed.truth.read_text().replace(".gz", "") == plain.truth.read_text()
    for path in packed.logs.rglob("*.gz"):
        own = plain.logs / path.relative_to(packed.logs).with_suffix("")
        assert gzip.decompress(path.read_bytes()) == own.read_bytes()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(OutputError, match="holds something"):
        rehearse.make(seed=1, events=20_000, folder=tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        rehearse.make(seed=1, events=20_000, folder=tmp_path / "mine" / "below")
    with pytest.raises(SettingsError, match="too few"):
        rehearse.make(seed=1, events=500, folder=tmp_path / "small")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
