"""What breaks is told and made anew where it can be; days go when they should, and stay when they must."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lake.making import index_of, rebuilt_index_of, records, write_logs
from tocsin import retrohunt
from tocsin.detect import tokens
from tocsin.errors import LakeError
from tocsin.intake import LOOKS, take_in
from tocsin.lake import asking, runs, store, tables, upkeep
from tocsin.lake.state import Hold
from tocsin.lake.store import Lake, make, open_lake
from tocsin.lake.verify import verify
from tocsin.model.hunt import Asked
from tocsin.model.rule import RuleSet

ASKED = Asked(by="Ben", authority="a test", purpose="", names=())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    for seed in range(3):
        write_logs(tmp_path / "logs", seed)
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    return open_lake(tmp_path / "lake")


def _hunt(lake: Lake, text: str, tmp_path: Path) -> int:
    (tmp_path / "list.txt").write_text(text)
    hunt = retrohunt.prepared([str(tmp_path / "list.txt")], RuleSet(rules=(), patterns=(), variants=()))
    with retrohunt.retrohunt(lake, hunt, ASKED, jobs=1) as hunted:
        return sum(one.events for one in hunted.told)


def _part(lake: Lake) -> Path:
    return lake.part_path(max(lake.state.parts.values(), key=lambda one: one.rows))


def _run(lake: Lake) -> Path:
    return lake.folder / store.INDEX / min(lake.state.runs)


def _delta(lake: Lake) -> Path:
    return max((tables.folder_of(lake.folder, "windows") / "_delta_log").glob("*.json"))


def _overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = b"\0" * 20
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize("damage", [_overwritten, _cut, Path.unlink])
@pytest.mark.parametrize("what", [_part, _run, _delta])
def test_damage_is_told_and_never_takes_for_a_no(
    what: Callable[[Lake], Path], damage: Callable[[Path], None], lake: Lake, tmp_path: Path
) -> None:
    """Of a damaged part no answer is given; of a damaged table or index none is needed, for both are made anew."""
    before = _hunt(lake, "evil.example\n", tmp_path)
    damage(what(lake))
    again = open_lake(lake.folder)
    assert len(verify(again).faults) >= 1
    if what is _run:
        with pytest.raises(LakeError, match=r"\.run: "):
            _hunt(again, "evil.example\n", tmp_path)
    if what is not _part:
        assert upkeep.mend(again, LOOKS)
        assert verify(open_lake(lake.folder)).faults == ()
        assert _hunt(open_lake(lake.folder), "evil.example\n", tmp_path) == before
        assert index_of(again) == rebuilt_index_of(again)
        assert take_in([tmp_path / "logs"], lake.folder, jobs=1).records == 0
        return
    with pytest.raises(LakeError, match=r"\.parquet: .*cannot be read|No such file") as caught:
        _hunt(again, "192.0.2.1\nevil.example\nevil.exe\n/tmp/evil.sh\nanna\n", tmp_path)
    assert "verify" in caught.value.hint


def test_a_log_that_was_changed_is_not_added_to(lake: Lake, tmp_path: Path) -> None:
    path = lake.folder / "lake.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"what":"added"', b'"what":"adder"', 1))
    with pytest.raises(LakeError, match=r"lake\.jsonl: line 2 was changed"):
        open_lake(lake.folder)
    write_logs(tmp_path / "logs", 9)
    with pytest.raises(LakeError, match="line 2"):
        take_in([tmp_path / "logs"], lake.folder, jobs=1)


@pytest.mark.parametrize("lost", [1, 3])
def test_a_log_that_lost_its_end_is_not_added_to(lost: int, lake: Lake, tmp_path: Path) -> None:
    """What is added under a number that a table shows already, nobody who reads the table would ever see."""
    path, kinds = lake.folder / "lake.jsonl", set(lake.state.kinds)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lost]))
    with pytest.raises(LakeError, match="the log lost its end"):
        take_in([tmp_path / "logs"], lake.folder, jobs=1)
    told = upkeep.mend(open_lake(lake.folder), LOOKS)
    assert {line.partition(":")[0] for line in told if "its table was" in line} == kinds
    assert take_in([tmp_path / "logs"], lake.folder, jobs=1).failed == ()
    again = open_lake(lake.folder)
    assert verify(again).faults == ()
    assert records(again) == records(lake)


def test_records_that_were_slipped_in_or_taken_out_show(lake: Lake) -> None:
    """Whoever writes into a table past the lake is found out, and so is a part that was replaced by another."""
    some = sorted(lake.state.parts.values(), key=lambda one: one.path)
    shutil.copy(lake.part_path(some[0]), lake.part_path(some[1]))
    assert [fault for fault in verify(lake).faults if "was changed" in fault]


def test_a_table_written_to_by_others_is_told_and_made_anew(lake: Lake) -> None:
    from deltalake import write_deltalake

    folder = tables.folder_of(lake.folder, "windows")
    before = records(lake)
    import pyarrow.parquet as pq

    table = pq.read_table(_part(lake), partitioning=None).slice(0, 1)
    table = table.append_column("_day", [[date(2021, 3, 1)]])
    write_deltalake(folder, table, mode="append", schema_mode="merge")
    (fault,) = verify(lake).faults
    assert "in the table, but not in the log" in fault
    assert upkeep.mend(lake, LOOKS)
    assert verify(lake).faults == ()
    assert records(lake) == before


def test_days_go_when_their_time_is_over(lake: Lake, tmp_path: Path) -> None:
    total = sum(records(lake).values())
    store.hold(
        lake, Hold(name="case-7", kind="windows", since="2021-03-02", until="2021-03-02", reason="a court", by="Ben")
    )
    gone, kept = upkeep.retire(lake, date(2021, 3, 4), kind="windows", by="Ben", reason="two years are over")
    assert {part.day for part in gone} == {"2021-03-01", "2021-03-03"}
    assert {part.day for part in kept} == {"2021-03-02"}
    assert {part.kind for part in gone} == {"windows"}
    assert not any(lake.part_path(part).exists() for part in gone)
    assert sum(records(lake).values()) == total - sum(part.rows for part in gone)
    assert verify(lake).faults == ()
    assert index_of(lake) == rebuilt_index_of(lake)
    for run in lake.index():  # nothing of what went is left in the index
        assert set(run.about.parts) <= set(lake.state.parts)
    with pytest.raises(LakeError, match="already"):
        store.hold(lake, Hold(name="case-7", kind="", since="2021-03-02", until="2021-03-02", reason="", by="Ben"))
    store.release(lake, "case-7", by="Ben", reason="it is over")
    assert upkeep.retire(lake, date(2021, 3, 4), kind="windows", by="Ben", reason="")[1] == []
    # What was retired is not imported again: whoever wants it back names it so.
    assert take_in([tmp_path / "logs"], lake.folder, jobs=1).records == 0


def test_no_value_of_what_was_retired_is_left_in_an_index_of_two_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of two versions are not merged into one; what went stood on in their vocabularies, as it was written."""
    from tocsin import intake

    with monkeypatch.context() as patch:
        patch.setattr(intake, "LOOKS", replace(LOOKS, version="0"))
        write_logs(tmp_path / "logs", 1)
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    write_logs(tmp_path / "logs", 2)
    take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert len(lake.state.runs) == 2
    gone, _ = upkeep.retire(lake, date(2021, 3, 2), kind="", by="Ben", reason="a test")
    assert gone
    assert {run.about.version for run in lake.index()} == {"0", LOOKS.version}
    for run in lake.index():
        assert set(run.about.parts) <= set(lake.state.parts)
    assert {path.name for path in (lake.folder / store.INDEX).iterdir()} == set(lake.state.runs)


def test_what_a_killed_retirement_left_in_the_index_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry was written, its index not yet: whoever retired again found nothing to do, and left it."""
    write_logs(tmp_path / "logs", 1, files=1)
    take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "merge", _killed)
        with pytest.raises(KeyboardInterrupt):
            upkeep.retire(lake, date(2021, 3, 2), kind="", by="Ben", reason="a test")
    lake = open_lake(tmp_path / "lake")
    assert upkeep.retire(lake, date(2021, 3, 2), kind="", by="Ben", reason="a test") == ([], [])
    for run in lake.index():
        assert set(run.about.parts) <= set(lake.state.parts)


def _killed(_lake: Lake, *, everything: bool) -> int:
    raise KeyboardInterrupt(everything)


def test_days_of_a_kind_that_is_not_there(lake: Lake) -> None:
    with pytest.raises(LakeError, match="no okta logs"):
        upkeep.retire(lake, date(2021, 3, 4), kind="okta", by="Ben", reason="")


def test_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no lake"):
        open_lake(tmp_path)
    (tmp_path / "other").write_text("x")
    with pytest.raises(LakeError, match="holds something else"):
        make(tmp_path)


def test_runs_are_merged_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_RUNS", 3)
    for seed in range(8):
        write_logs(tmp_path / str(seed), seed, files=1)
        take_in([tmp_path / str(seed)], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    assert len(lake.state.runs) < 6
    assert {path.name for path in (lake.folder / store.INDEX).iterdir()} == set(lake.state.runs)
    assert index_of(lake) == rebuilt_index_of(lake)


def test_parts_that_no_run_speaks_of_are_caught_up_by_the_next_hunt(lake: Lake, tmp_path: Path) -> None:
    before = _hunt(lake, "evil.example\n", tmp_path)
    with lake.writing():
        lake.append(what="merged", runs_gone=list(lake.state.runs)[:1])
    assert lake.unindexed(LOOKS.version)
    assert _hunt(open_lake(lake.folder), "evil.example\n", tmp_path) == before
    assert not open_lake(lake.folder).unindexed(LOOKS.version)


def test_an_index_of_another_version_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for may grow with a release: an index that lacks it would say no where it should say yes."""
    from tocsin import intake

    old = replace(LOOKS, version="0", fields={"Image": ("file",)})
    with monkeypatch.context() as patch:
        patch.setattr(intake, "LOOKS", old)
        for seed in range(3):
            write_logs(tmp_path / "logs", seed)
            take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    write_logs(tmp_path / "logs", 4)
    take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    lake.merge(everything=True)  # each version by itself
    assert sorted(run.about.version for run in lake.index()) == sorted(["0", LOOKS.version])
    assert _hunt(lake, "evil.example\n", tmp_path) > 0
    assert {run.about.version for run in open_lake(lake.folder).index()} == {LOOKS.version}
    assert index_of(open_lake(lake.folder)) == rebuilt_index_of(lake)


def test_an_index_of_an_earlier_form_is_made_anew_and_told_until_then(lake: Lake, tmp_path: Path) -> None:
    """Version 1 kept words as they are: it cannot be asked, nor be cleared of what is retired."""
    before = _hunt(lake, "evil.example\n", tmp_path)
    for name in lake.state.runs:
        (lake.folder / store.INDEX / name).write_bytes(b"tocsin-run-1\n" + bytes(100))
    assert len(open_lake(lake.folder).older) == len(lake.state.runs)
    assert any("earlier version; `tocsin lake mend`" in fault for fault in verify(open_lake(lake.folder)).faults)
    with pytest.raises(LakeError, match="nothing can be taken out") as caught:
        upkeep.retire(open_lake(lake.folder), date(2021, 3, 2), kind="", by="Ben", reason="a test")
    assert "mend" in caught.value.hint
    write_logs(tmp_path / "logs", 7)
    assert take_in([tmp_path / "logs"], lake.folder, jobs=1).records > 0
    again = open_lake(lake.folder)
    again.merge(everything=True)  # nothing is merged with what cannot be read
    assert _hunt(again, "evil.example\n", tmp_path) >= before
    assert not open_lake(lake.folder).older
    assert index_of(open_lake(lake.folder)) == rebuilt_index_of(again)
    assert not [fault for fault in verify(open_lake(lake.folder)).faults if ".run" in fault]


def test_two_texts_whose_fingerprints_begin_alike_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are sorted by a part of their fingerprint; here that part is the same for all."""
    plain = runs.prints

    def alike(texts: Iterable[bytes]) -> runs.Array:
        found = plain(texts).copy()
        found["print"] = 7
        return found

    monkeypatch.setattr(runs, "prints", alike)
    monkeypatch.setattr(asking, "prints", alike)
    for seed in range(3):
        write_logs(tmp_path / "logs", seed)
        take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    lake = open_lake(tmp_path / "lake")
    lake.merge(everything=True)
    assert index_of(lake) == rebuilt_index_of(lake)
    wanted = [((tokens.TYPE_OF["domain"], name), at) for at, name in enumerate(("evil.example", "none.example"))]
    assert asking.Question(wanted).seen(lake.index()).tolist() == [0]
