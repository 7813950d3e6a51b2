"""Logs go in once, whole, with every field; whatever happens on the way, nothing is lost and nothing doubled."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.making import index_of, rebuilt_index_of, records, windows, write_logs
from tocsin import collect
from tocsin.errors import LakeError
from tocsin.intake import LOOKS, take_in
from tocsin.lake import log, names, parts, upkeep
from tocsin.lake.reading import Opened
from tocsin.lake.store import Lake, make, open_lake
from tocsin.lake.verify import verify
from tocsin.model.custody import Custody
from tocsin.model.event import Column, Events

FORMATS = Path(__file__).parents[1] / "collect" / "formats"


def _value(column: Column | None, row: int) -> object:
    code = int(column.codes[row]) if column is not None else 0
    if code < 2:
        return ("absent", "null")[code]
    assert column is not None
    return column.lists.get(code, column.values[code])


def _record(events: Events, row: int) -> tuple[object, ...]:
    hosts = events.hosts()
    held = {name: value for name, column in events.columns.items() if (value := _value(column, row)) != "absent"}
    return (
        events.kind,
        int(events.ts[row]),
        events.sources[int(events.src[row])].path,
        int(events.rec[row]),
        int(events.chunk[row]),
        (hosts.text(row) if hosts else None) or "",
        bytes(events.raw[row]),
        sorted(held.items()),
        sorted(events.all_fields(row).items()),
    )


def _samples() -> list[Path]:
    return sorted(
        path
        for path in FORMATS.glob("*/*")
        if path.is_file() and path.suffix != ".md" and "golden" not in path.name and path.stat().st_size < 400_000
    )


@pytest.mark.parametrize("cells", [parts._MOST_CELLS, 400])
def test_every_format_comes_back_as_it_was_read(cells: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields, lists, nulls, hosts, raw records and places: of every sample there is of every format.

    Written either way: columns that are coded as they are written, and those of tables too wide for that.
    """
    monkeypatch.setattr(parts, "_MOST_CELLS", cells)
    samples = [path for path in _samples() if any(len(events) for events in _read(path))]
    assert len({path.parent for path in samples}) > 40
    take_in(samples, tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    there = sorted(
        (
            _record(events, row)
            for part in lake.state.parts.values()
            for _, events in Opened(part, lake.part_path(part)).events(None)
            for row in range(len(events))
        ),
        key=repr,
    )
    wanted = []
    seen: set[bytes] = set()
    for path in samples:
        if path.read_bytes() not in seen:  # a copy is the same evidence
            seen.add(path.read_bytes())
            wanted += [_record(events, row) for events in _read(path) for row in range(len(events))]
    assert there == sorted(wanted, key=repr)


def _read(path: Path) -> list[Events]:
    try:
        return list(collect.read(path))
    except Exception:  # noqa: BLE001 - samples of what cannot be read are not for here
        return []


def test_the_same_again_adds_nothing(tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 1)
    first = take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    head = open_lake(tmp_path / "lake").head
    logs[0].rename(logs[0].with_name("moved.json"))
    (tmp_path / "logs" / "copy.json").write_bytes(logs[1].read_bytes())
    again = take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    assert (first.records, again.records, again.known) == (160, 0, 4)
    assert open_lake(tmp_path / "lake").head == head


def test_a_path_that_holds_something_else_next_week_is_another_source(tmp_path: Path) -> None:
    path = tmp_path / "current.json"
    for seed in (1, 2):
        path.write_bytes(write_logs(tmp_path / "made", seed, files=1)[0].read_bytes())
        take_in([path], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert len(records(lake)) == 80
    assert len({name for _, name, _ in records(lake)}) == 2
    assert len(verify(lake).faults) == 1  # the first is no longer the file that lies there, and that is told


def test_a_large_file_is_imported_in_ranges_that_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    chance = random.Random(1)
    lines = [json.dumps(windows(chance, datetime(2021, 3, 1, tzinfo=UTC)) | {"Pad": "x" * 4000}) for _ in range(40_000)]
    (tmp_path / "big.json").write_text("\n".join(lines))
    take_in([tmp_path / "big.json"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert len(lake.state.done) == 3
    assert sum(records(lake).values()) == len(records(lake)) == 40_000
    assert take_in([tmp_path / "big.json"], tmp_path / "lake", jobs=2).known == 3


def test_members_of_archives_are_pieces_of_evidence(tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 3)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in logs:
            archive.write(path, path.name)
    assert take_in([tmp_path / "all.zip"], tmp_path / "lake", jobs=2).records == 160
    assert take_in([tmp_path / "all.zip"], tmp_path / "lake", jobs=2).records == 0
    assert verify(open_lake(tmp_path / "lake")).faults == ()


def test_what_no_reader_knows_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"\x01\x02\x03")
    write_logs(tmp_path / "logs", 1, files=1)
    for _ in range(2):
        taken = take_in([tmp_path / "odd", tmp_path / "logs"], tmp_path / "lake", jobs=1)
        assert [one.path for one in taken.custody if not one.format] == [str(tmp_path / "odd")]
    assert len(open_lake(tmp_path / "lake").state.done) == 1


def test_standard_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="standard input"):
        take_in(["-"], tmp_path / "lake")


def test_a_file_that_changes_while_it_is_read_is_not_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin import intake

    logs = write_logs(tmp_path / "logs", 1, files=2)
    before = intake._examine

    def meddle(task: object, *rest: object, **more: object) -> None:
        with logs[0].open("a") as file:
            file.write("{}\n")
        before(task, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "_examine", meddle)
    taken = take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    assert [why for _, why in taken.failed] == [f"EvidenceError: {logs[0]}: changed while it was read"]
    assert taken.records == 40


@pytest.mark.parametrize("same", [True, False])
def test_two_importers_at_once(tmp_path: Path, same: bool) -> None:
    write_logs(tmp_path / "a", 1, files=12)
    write_logs(tmp_path / "b", 2, files=12)
    words = [sys.executable, "-m", "tocsin", "lake", "add", "--quiet", "--lake", str(tmp_path / "lake")]
    both = [subprocess.Popen([*words, str(tmp_path / name)]) for name in ("a", "a" if same else "b")]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    lake = open_lake(tmp_path / "lake")
    assert sum(records(lake).values()) == len(records(lake)) == (480 if same else 960)
    assert verify(lake).faults == ()
    assert index_of(lake) == rebuilt_index_of(lake)


def _turn(lake: Lake, name: str) -> None:
    seen = Custody(path=name, file=name, size_bytes=1, problems=("cut short",))
    lake.add(name, parts=(), run=None, keys=[name], custody=[seen], evidence={})


def test_two_writers_take_turns(tmp_path: Path) -> None:
    one, other = make(tmp_path / "lake"), make(tmp_path / "lake")
    for turn in range(3):
        _turn(one, f"one {turn}")
        _turn(other, f"other {turn}")
    assert len(open_lake(tmp_path / "lake").state.done) == 6


@pytest.mark.parametrize("entries", [1, 9])
def test_a_log_that_is_replaced_by_another_while_it_is_open(tmp_path: Path, entries: int) -> None:
    lake, stranger = make(tmp_path / "lake"), make(tmp_path / "stranger")
    for turn in range(3):
        _turn(lake, f"mine {turn}")
    for turn in range(entries):
        _turn(stranger, f"theirs {turn}")
    (tmp_path / "stranger" / "lake.jsonl").replace(lake.path)
    with pytest.raises(LakeError, match="was replaced"):
        _turn(lake, "after")


def test_a_folder_that_may_only_be_read(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir(mode=0o500)
    write_logs(tmp_path / "logs", 1, files=1)
    words = [sys.executable, "-m", "tocsin", "lake", "add", str(tmp_path / "logs"), "--lake", str(tmp_path / "lake")]
    # Root may write anywhere, unless that very right is taken from it.
    unprivileged = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run([*unprivileged, *words], capture_output=True, text=True, check=False)
    assert done.returncode == LakeError.exit_code
    assert "cannot be written in" in " ".join(done.stderr.split())


def test_a_place_that_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a folder that may only be read, as the system tells it, at any of the writes of an import."""
    from tocsin.seal import durable

    write_logs(tmp_path / "logs", 1, files=3)

    def full(number: int, content: bytes) -> None:
        os.write(number, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_all", full)
        with pytest.raises(LakeError, match="No space left"):
            take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    assert take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1).records == 120
    assert verify(open_lake(tmp_path / "lake")).faults == ()


def test_what_delta_says_of_a_full_disk_is_told_in_words() -> None:
    drawn = (
        "Generic LocalFileSystem error\n          \x1b[31m\u21b3\x1b[0m Unable to copy data to file\n"
        "           \x1b[31m\u21b3\x1b[0m No space left on device (os error 28)\n"
    )
    with pytest.raises(LakeError) as caught, log.troubles_told(Path("lake")):
        raise OSError(drawn)
    assert str(caught.value) == "lake: cannot be written in: No space left on device (os error 28)"


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A real one, of one megabyte: what does not fit is told, what was told as in is in, and more room is enough."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no `mount` here ({error}): the full disk is left out")
    if mounted.returncode:
        pytest.skip(f"a small disk may not be mounted here ({mounted.stderr.strip()}): the full disk is left out")
    try:
        write_logs(tmp_path / "logs", 1, files=8, days=100, records=100)
        add = [sys.executable, "-m", "tocsin", "lake", "add", str(tmp_path / "logs"), "--lake", str(disk / "lake")]
        ended = subprocess.run([*add, "--jobs", "1"], capture_output=True, text=True, check=False)
        assert ended.returncode == 10, ended.stderr
        assert "No space left on device" in ended.stderr
        assert "fault of tocsin" not in ended.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert take_in([tmp_path / "logs"], disk / "lake", jobs=1).failed == ()
        lake = open_lake(disk / "lake")
        assert sum(records(lake).values()) == len(records(lake)) == 800
        assert verify(lake).faults == ()
        assert index_of(lake) == rebuilt_index_of(lake)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # arrays of the index may still be open


def test_a_clock_that_was_set_back_changes_nothing_but_what_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.lake import store

    for seed, year in ((1, 2030), (2, 1999)):
        write_logs(tmp_path / "logs", seed)
        monkeypatch.setattr(store, "_NOW", lambda year=year: datetime(year, 1, 1, tzinfo=UTC))
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert sum(records(lake).values()) == len(records(lake)) == 320
    assert verify(lake).faults == ()


def test_times_that_no_calendar_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An intruder may write any time: there are as many files as days, but not as many as he likes."""
    assert parts.MOST_DAYS == 2_000  # as many files take a while: a tenth shows as much
    monkeypatch.setattr(parts, "MOST_DAYS", 200)
    days = [f"1990-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    lines = [{"EventTime": f"{day} 00:00:00", "Hostname": "x", "Channel": "Security", "EventID": 1} for day in days]
    lines += [dict(lines[0], EventTime=text) for text in ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "soon")]
    (tmp_path / "odd.json").write_text("\n".join(map(json.dumps, lines)))
    take_in([tmp_path / "odd.json"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert 150 < len(lake.state.parts) <= 201
    assert sum(records(lake).values()) == len(lines)


ODD_NAMES = [*"MD5 md5 Md5 mD5 %4Dd5 _ts _TS a%20b cs(User-Agent) é É % ß ẞ %% d%".split(), "a b"]


@given(st.lists(st.text(max_size=6) | st.sampled_from(ODD_NAMES), unique=True, max_size=30))
@settings(deadline=None)
def test_columns_tell_fields_apart_whatever_they_are_called(fields: list[str]) -> None:
    taken = dict.fromkeys(names.OWN, "")
    for field in fields:
        column = names.column_of(field, taken)
        assert column.lower() not in taken or taken[column.lower()] == field
        taken[column.lower()] = field
        assert names.field_of(column) == field
        assert names.column_of(field, taken) == column


def test_compaction_changes_nothing_that_is_asked(tmp_path: Path) -> None:
    for seed in range(4):
        write_logs(tmp_path / "logs", seed)
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    before, count = records(lake), len(lake.state.parts)
    assert upkeep.compact(lake, LOOKS) > 0
    assert records(lake) == before
    assert len(lake.state.parts) < count
    assert len(lake.state.runs) == 1
    assert verify(lake).faults == ()
    assert index_of(lake) == rebuilt_index_of(lake)
    assert upkeep.compact(lake, LOOKS) == 0
    upkeep.sweep(lake, older_s=-1)
    assert len(list(lake.folder.glob("events/*/_day=*/*.parquet"))) == len(lake.state.parts)
