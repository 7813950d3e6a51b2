"""The log of a case: one writer, nothing lost, and every change of a byte found."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cases.making import PEOPLE, decide, small_case
from tocsin import cases
from tocsin.cases import derive
from tocsin.cases import folder as layout
from tocsin.errors import BusyError, CaseError
from tocsin.model.case import Mended, Noted
from tocsin.seal import chain, durable


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return small_case(tmp_path / "cases")


def test_an_untouched_case_verifies(case: Path) -> None:
    verdict = cases.verify(case)
    assert (verdict.faults, verdict.entries, verdict.decisions) == ((), 4, 1)
    assert json.loads((case / "case.json").read_text())["head"] == verdict.head


def _is_found(case: Path) -> bool:
    try:
        return bool(layout.load(case).faults or _verdict(case).faults)
    except CaseError:
        return True


def _verdict(case: Path) -> cases.Verdict:
    return cases.verify(case, known=PEOPLE.values())


def _tries(text: bytes) -> list[bytes]:
    lines = text.splitlines(keepends=True)
    found = [text + b"\n", text + b"{", text + lines[-1], b""]
    for place in range(len(text)):
        before, here, after = text[:place], text[place : place + 1], text[place + 1 :]
        found += [before, before + after, before + b"0" + here + after, before + b"\n" + here + after]
        found.append(before + bytes([here[0] ^ 1 << place % 8]) + after)
    for one in range(len(lines)):
        found += [b"".join(lines[:one] + lines[one + 1 :]), b"".join([*lines[:one], lines[one], *lines[one:]])]
        for other in range(one):
            swapped = list(lines)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            found.append(b"".join(swapped))
    return [changed for changed in found if changed != text]


@pytest.mark.parametrize("name", ["log.jsonl", "case.json"])
def test_every_change_of_every_byte_is_found(name: str, tmp_path: Path) -> None:
    case = small_case(tmp_path, decided=False)
    path = case / name
    whole = path.read_bytes()
    for changed in _tries(whole)[:: 1 if name == "log.jsonl" else 3]:
        path.write_bytes(changed)
        # More at the end of the log without a line end may be somebody who writes: told, and no fault.
        if not (name == "log.jsonl" and changed.startswith(whole) and not changed.endswith(b"\n")):
            assert _is_found(case), (name, changed[:200])
        else:
            assert "no whole line" in cases.verify(case).notes[0]
    path.write_bytes(whole)
    assert not _is_found(case)


def test_entries_that_are_cut_off_are_found_by_case_json_and_else_by_a_head_that_was_told(case: Path) -> None:
    head = cases.verify(case).head
    before = (case / "log.jsonl").read_bytes(), (case / "case.json").read_bytes()
    with cases.writing(case) as log:
        cases.note(log, "what somebody wants gone", by="Ben")
    told = cases.verify(case).head
    after = (case / "case.json").read_bytes()
    (case / "log.jsonl").write_bytes(before[0])
    assert "1 of 5 entries are missing" in cases.verify(case).faults[0]
    with pytest.raises(CaseError, match="changed behind our back"), cases.writing(case):
        pass
    (case / "case.json").write_bytes(before[1])
    assert not cases.verify(case).faults, "both files are as they once were"
    assert not cases.verify(case, heads=[head, head[:16].upper()]).faults
    for shown in (told, told[:16], " ".join(told[place : place + 4] for place in range(0, 64, 4))):
        assert "was told is not in it" in cases.verify(case, heads=[shown]).faults[0]
    for no_head in ("", "12", "x" * 20):
        with pytest.raises(CaseError, match="no head"):
            cases.verify(case, heads=[no_head])
    (case / "case.json").write_bytes(after)
    assert cases.verify(case).faults


def test_case_json_gone_is_found(case: Path) -> None:
    (case / "case.json").unlink()
    assert "cannot be told" in cases.verify(case).faults[0]
    (case / "log.jsonl").unlink()
    with pytest.raises(CaseError, match="holds no case"):
        cases.verify(case)


def test_case_json_that_is_behind_is_no_fault(case: Path) -> None:
    before = (case / "case.json").read_bytes()
    with cases.writing(case) as log:
        cases.note(log, "more", by="Ben")
    (case / "case.json").write_bytes(before)
    verdict = cases.verify(case)
    assert not verdict.faults
    assert "4 of 5 entries" in verdict.notes[0]
    with cases.writing(case) as log:
        assert log.case.count == 5
        cases.note(log, "and more", by="Ben")
    assert _verdict(case).notes == ()


def test_every_torn_line_is_told_cut_off_and_kept(case: Path) -> None:
    whole = (case / "log.jsonl").read_bytes()
    state = (case / "case.json").read_bytes()
    stored = layout.load(case)
    body = {"version": 1, "at": "2026-11-24T10:00:00.000000Z", "by": "Ben", "verb": "noted", "what": {"text": "x"}}
    line, _ = chain.line(body, 4, stored.chain.head)
    for length in (*range(1, len(line), 7), len(line) - 1):
        (case / "log.jsonl").write_bytes(whole + line[:length])
        (case / "case.json").write_bytes(state)
        verdict = cases.verify(case)
        assert not verdict.faults
        assert f"ends with {length} bytes" in verdict.notes[0]
        with cases.writing(case) as log:
            assert "no whole line" in log.notes[0]
            cases.note(log, "after it", by="Ben")
            mended, noted = log.entries[-2:]
        assert mended.what == Mended(at_byte=len(whole), cut_bytes=length, sha256=_digest(line[:length]))
        assert noted.what == Noted(text="after it")
        assert not cases.verify(case).faults
        torn = case / "torn" / f"{len(whole)}-{_digest(line[:length])}"
        assert torn.read_bytes() == line[:length]
        torn.write_bytes(b"other")
        assert "torn/" in cases.verify(case).faults[0]
        torn.unlink()
        assert "torn/" in cases.verify(case).faults[0]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_kill_between_the_cut_and_the_word_about_it(case: Path) -> None:
    size = (case / "log.jsonl").stat().st_size
    layout.keep_torn(case, b'{"digest":"', size)
    assert "will tell of it" in _verdict(case).notes[0]
    with cases.writing(case) as log:
        cases.note(log, "next", by="Ben")
    verdict = _verdict(case)
    assert (verdict.faults, verdict.notes) == ((), ())
    assert cases.entries_of(case)[1].mended == 1


def test_a_full_disk_leaves_no_half_line(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (case / "log.jsonl").read_bytes()

    def full(number: int, content: bytes) -> None:
        os.write(number, content[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with cases.writing(case) as log:
        monkeypatch.setattr(durable, "write_all", full)
        with pytest.raises(CaseError, match="No space left") as caught:
            cases.note(log, "too much", by="Ben")
        assert "safe" in caught.value.hint
        monkeypatch.undo()
        assert (case / "log.jsonl").read_bytes() == before
        cases.note(log, "again", by="Ben")
    assert not cases.verify(case).faults


def test_a_second_writer_waits_and_then_is_told(case: Path) -> None:
    with cases.writing(case):
        with (
            pytest.raises(BusyError, match=f"process {os.getpid()}") as caught,
            cases.writing(case, wait_s=0.2),
        ):
            pass
        assert caught.value.exit_code == 8
        assert "Try again" in caught.value.hint
        assert not cases.verify(case).faults, "whoever reads does not wait"
    held = os.open(case / "lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    timer = threading.Timer(0.3, os.close, (held,))
    timer.start()
    with cases.writing(case, wait_s=5) as log:
        cases.note(log, "in the end", by="Ben")
    timer.join()


WRITES = """
import sys
from pathlib import Path
from tocsin import cases
for number in range(int(sys.argv[3])):
    with cases.writing(Path(sys.argv[1]), wait_s=60) as log:
        cases.note(log, f"{sys.argv[2]} {number}", by=sys.argv[2])
        cases.add_task(log, f"{sys.argv[2]} {number}", by=sys.argv[2])
"""


def test_many_writers_at_once_lose_nothing(case: Path) -> None:
    names = ["one", "two", "three"]
    running = [subprocess.Popen([sys.executable, "-c", WRITES, str(case), name, "15"]) for name in names]
    assert [child.wait(timeout=120) for child in running] == [0, 0, 0]
    verdict = _verdict(case)
    assert (verdict.faults, verdict.notes, verdict.entries) == ((), (), 4 + 90)
    entries, state, _ = cases.entries_of(case)
    for name in names:
        assert [entry.what.text for entry in entries if entry.by == name and isinstance(entry.what, Noted)] == [
            f"{name} {number}" for number in range(15)
        ]
    assert [task.task for task in state.tasks] == [str(number) for number in range(1, 46)]


def test_links_in_a_case_are_not_followed(case: Path, tmp_path: Path) -> None:
    for name in ("log.jsonl", "case.json"):
        whole = (case / name).read_bytes()
        (tmp_path / "elsewhere").write_bytes(whole)
        (case / name).unlink()
        (case / name).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(CaseError, match="cannot be read"):
            cases.verify(case)
        (case / name).unlink()
        (case / name).write_bytes(whole)
    (case / "lock").unlink()
    (case / "lock").symlink_to(tmp_path / "made")
    with pytest.raises(CaseError, match="cannot be written"), cases.writing(case):
        pass
    assert not (tmp_path / "made").exists()


def test_what_a_newer_tocsin_wrote_is_refused_clearly(case: Path) -> None:
    state = json.loads((case / "case.json").read_text())
    whole = (case / "case.json").read_bytes()
    (case / "case.json").write_text(json.dumps({**state, "version": 2}))
    for use in (cases.verify, layout.load):
        with pytest.raises(CaseError, match=r"version 2, and 1 is known") as caught:
            use(case)
        assert "newer Tocsin" in caught.value.hint
    (case / "case.json").write_bytes(whole)
    body = {"version": 2, "at": "2026-11-24T10:00:00.000000Z", "by": "Ben", "verb": "dreamt", "what": {}}
    line, _ = chain.line(body, 4, state["head"])
    with (case / "log.jsonl").open("ab") as file:
        file.write(line)
    with pytest.raises(CaseError, match=r"entry 4 is of version 2") as caught:
        cases.verify(case)
    assert "newer Tocsin" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": "dreamt"},
        {"version": 0},
        {"version": True},
        {"at": "yesterday"},
        {"by": ""},
        {"by": 5},
        {"what": {"text": 5}},
        {"what": {}},
        {"what": {"text": "x", "more": 1}},
        {"more": 1},
        {"verb": "opened", "what": {"case": "x", "title": "x", "incident": "", "split_from": ""}},
        {"verb": "task done", "what": {"task": "9", "text": ""}},
    ],
    ids=str,
)
def test_an_entry_that_is_none_is_a_fault(changes: dict[str, object], case: Path) -> None:
    body = {"version": 1, "at": "2026-11-24T10:00:00.000000Z", "by": "Ben", "verb": "noted", "what": {"text": "x"}}
    line, _ = chain.line({**body, **changes}, 4, layout.load(case).chain.head)
    with (case / "log.jsonl").open("ab") as file:
        file.write(line)
    assert "line 5" in cases.verify(case).faults[0]


def test_the_same_entries_give_the_same_bytes(case: Path) -> None:
    with cases.writing(case) as log:
        decide(log, "Ben", "tell", "no")
    entries, state, _ = cases.entries_of(case)
    assert derive.rendered(derive.derive(entries)) == (case / "case.json").read_bytes() == derive.rendered(state)


def test_a_terminal_is_safe_from_case_json(tmp_path: Path) -> None:
    title = "a \x1b[31m \x7f \x9b2J \u202e \u2066 kōrero \U000e0041 z"
    folder = tmp_path / cases.new_case(tmp_path, title, by="\udcffme").id
    text = (folder / "case.json").read_text(encoding="utf-8")
    assert json.loads(text)["title"] == title
    assert "kōrero" in text
    assert not re.search(r"[^\n\x20-\x7e\u00a1-\u02af]", text)
    assert cases.entries_of(folder)[0][0].by == "\\udcffme"
