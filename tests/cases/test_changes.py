"""What people do with cases, one thing after another."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cases.making import KEYS, PEOPLE, SHA, decide, incident
from tocsin import cases
from tocsin.cases import changes, derive, entries
from tocsin.cases import folder as layout
from tocsin.errors import CaseError, SealError
from tocsin.model import case as nouns
from tocsin.seal import chain, decisions, durable, keys, signers


def _good(folder: Path, notes: int = 0) -> cases.Verdict:
    verdict = cases.verify(folder, known=PEOPLE.values())
    assert verdict.faults == ()
    assert len(verdict.notes) == notes, verdict.notes
    return verdict


def test_a_case_of_an_incident(tmp_path: Path) -> None:
    one = incident()
    case = cases.open_case(tmp_path / "cases", one, by="Ben", documents=[("custody.json", b"{}")])
    folder = tmp_path / "cases" / "inc-1"
    assert (case.id, case.title, case.state, case.count) == ("inc-1", one.title, "open", 2)
    assert cases.incident_of(folder, case) == one
    assert cases.find(tmp_path / "cases", "inc") == folder
    _good(folder)
    again = cases.open_case(tmp_path / "cases", one, by="Ben", documents=[("custody.json", b"{}")])
    assert again == case, "the same incident opens no second case and adds nothing"
    later = incident(host="WS2")
    case = cases.open_case(tmp_path / "cases", later, by="Aroha Ngata", documents=[("custody.json", b"[]")])
    assert (case.count, case.incidents) == (4, 2)
    assert cases.incident_of(folder, case) == later
    _good(folder)


@pytest.mark.parametrize("name", ["../evil", ".hidden", "a/b", "", "x" * 300, "a\x00b", "ā"])
def test_the_id_of_an_incident_is_no_path(name: str, tmp_path: Path) -> None:
    case = cases.open_case(tmp_path / "cases", incident(name), by="Ben")
    assert [path.name for path in (tmp_path / "cases").iterdir()] == [case.id]
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]
    assert cases.open_case(tmp_path / "cases", incident(name), by="Ben") == case


def test_hostile_text_of_an_incident(tmp_path: Path) -> None:
    title = "<script>\x1b[2J\n\u202e \udcff " + "x" * 5000
    case = cases.open_case(tmp_path, incident(title=title, host="\udc80"), by="Ben")
    assert len(case.title) < 220
    assert "\n" not in case.title
    _good(tmp_path / case.id)


def test_two_who_open_the_same_case(tmp_path: Path) -> None:
    cases.open_case(tmp_path, incident(), by="Ben")
    with pytest.raises(FileExistsError):  # as it is for the slower of the two, who then writes in the case of the other
        changes._made(tmp_path, "inc-1", "the other", by="Aroha Ngata")
    assert [path.name for path in tmp_path.iterdir()] == ["inc-1"]
    (listed,), _ = cases.everything(tmp_path)
    assert listed.case is not None
    assert listed.case.title == incident().title


def test_notes_tasks_and_documents(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "  A   case\n", by="Ben").id
    (tmp_path / "paper.txt").write_text("on paper")
    with cases.writing(folder) as log:
        assert log.case.title == "A case"
        cases.note(log, " text ", by="Ben")
        cases.add_task(log, "first", by="Ben", due="2026-12-01", owner="Aroha Ngata")
        cases.add_task(log, "second", by="Ben", due="2026-12-01T10:00+13:00")
        cases.finish_task(log, "1", by="Aroha Ngata", text="it is done")
        cases.attach(log, "paper", tmp_path / "paper.txt", by="Ben")
        cases.attach(log, str(tmp_path / "paper.txt"), tmp_path / "paper.txt", by="Ben", copied=False)
        cases.attach(log, "made here", b"bytes", by="Ben")
        cases.saw(log, "the mail of a member", by="Ben", reason="to tell who must be warned", sha256=SHA)
        for what in (
            lambda: cases.finish_task(log, "1", by="Ben"),
            lambda: cases.finish_task(log, "9", by="Ben"),
            lambda: cases.note(log, " \n", by="Ben"),
            lambda: cases.add_task(log, "third", by="Ben", due="tomorrow"),
            lambda: cases.add_task(log, "third", by="Ben", due="2026-02-30"),
            lambda: cases.add_task(log, "third", by="Ben", due="2026-12-01T10:00"),
            lambda: cases.attach(log, "lost", tmp_path / "nowhere", by="Ben"),
            lambda: cases.saw(log, "mail", by="Ben", reason=""),
        ):
            with pytest.raises(CaseError) as caught:
                what()
            assert caught.value.hint
        case = log.case
    assert [(task.task, task.due, bool(task.done_at)) for task in case.tasks] == [
        ("1", "2026-12-01", True),
        ("2", "2026-11-30T21:00Z", False),
    ]
    assert layout.kept(folder, sha256(b"on paper").hexdigest()) == b"on paper"
    assert [one.kept for one in case.attached] == [True, False, True]
    _good(folder)
    kept = folder / "kept" / sha256(b"bytes").hexdigest()
    kept.write_bytes(b"other bytes")
    assert kept.name in cases.verify(folder).faults[0]
    kept.unlink()
    assert "entry 7 names it" in cases.verify(folder).faults[0]
    (folder / "kept" / SHA).write_bytes(b"x")
    assert "no entry names it" in cases.verify(folder).notes[0]


def test_closing(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "A case", by="Ben").id
    with cases.writing(folder) as log:
        cases.add_task(log, "to do", by="Ben")
        decide(log)
        with pytest.raises(CaseError, match="1 of its tasks is still open: 1 to do"):
            cases.close(log, by="Ben", reason="done")
        cases.finish_task(log, "1", by="Ben")
        cases.close(log, by="Ben", reason="done")
        assert log.case.state == "closed"
        for what in (
            lambda: cases.close(log, by="Ben", reason="twice"),
            lambda: cases.add_task(log, "late", by="Ben"),
        ):
            with pytest.raises(CaseError, match="is closed"):
                what()
        cases.note(log, "what came to light later may still be written down", by="Ben")
        cases.reopen(log, by="Ben", reason="it goes on")
        with pytest.raises(CaseError, match="nobody has signed"):
            cases.close(log, by="Ben", reason="the old decision is used up")
        decide(log, choice="no")
        with pytest.raises(CaseError, match="nobody has signed"):
            cases.close(log, by="Ben", reason="it was decided not to")
        decide(log, by="Ben", subject="publish")
        with pytest.raises(CaseError, match="nobody has signed"):
            cases.close(log, by="Ben", reason="it was something else that was decided")
        decide(log, by="Ben")
        cases.close(log, by="Ben", reason="now")
        with pytest.raises(CaseError, match="reason is empty"):
            cases.reopen(log, by="Ben", reason=" ")
        cases.reopen(log, by="Ben", reason="once more")
        with pytest.raises(CaseError, match="not closed"):
            cases.reopen(log, by="Ben", reason="x")
    assert _good(folder).decisions == 4


def _forged(folder: Path, *whats: nouns.What, by: str = "Eve") -> tuple[str, ...]:
    """Whoever can write in the folder adds entries with tools of their own, and case.json with them."""
    with cases.writing(folder) as log:
        log.add(*whats, by=by)
    return cases.verify(folder, known=PEOPLE.values()).faults


def test_a_decision_cannot_be_forged(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "A case", by="Ben").id
    with cases.writing(folder) as log:
        decide(log)
        good = log.entries[-1].what
        head = log.case.head
    assert isinstance(good, nouns.Decided)
    before = {name: (folder / name).read_bytes() for name in ("log.jsonl", "case.json")}
    eve = keys.make()

    def signed(key: Any, by: str = "Aroha Ngata", **more: str) -> nouns.Decided:
        changed = replace(good.decision, key=keys.fingerprint(key), by=by, head=head, **more)
        return nouns.Decided(decision=changed, envelope=decisions.signed(changed, key))

    aroha = KEYS["Aroha Ngata"]
    tries: list[tuple[str, list[nouns.What]]] = [
        ("without a signed decision", [nouns.Closed(reason="x", decisions=())]),
        ("without a signed decision", [nouns.Closed(reason="x", decisions=(SHA,))]),
        ("says something else", [replace(good, decision=replace(good.decision, reason="other"))]),
        ("not of a key|no signature", [signed(eve)]),
        ("known here with another key", [nouns.Introduced(signer=signers.of("Aroha Ngata", eve)), signed(eve)]),
        ("not of Aroha", [nouns.Introduced(signer=signers.of("Eve", eve)), signed(eve)]),
        ("about another case", [signed(aroha, case="another")]),
        ("key of Zoe is not", [nouns.Introduced(signer=replace(PEOPLE["Ben"], name="Zoe", fingerprint="SHA256:x"))]),
        ("only tocsin mends", [nouns.Mended(at_byte=0, cut_bytes=0, sha256=SHA)]),
    ]
    for word, whats in tries:
        faults = _forged(folder, *whats)
        assert any(any(part in fault for part in word.split("|")) for fault in faults), (word, faults)
        for name, content in before.items():
            (folder / name).write_bytes(content)
    with pytest.raises(CaseError, match="tasks open"):
        _forged(folder, nouns.TaskAdded(task="1", text="x"), replace(good), nouns.Closed(reason="x", decisions=()))
    assert _forged(folder, signed(aroha, subject="publish"), by="Aroha Ngata") == ()
    forged = replace(good, decision=replace(good.decision, subject="close", reason="I say so"))
    with cases.writing(folder) as log:
        log.add(forged, by="Eve")
        with pytest.raises(CaseError, match="such decisions"):
            cases.close(log, by="Eve", reason="done")
    for name, content in before.items():
        (folder / name).write_bytes(content)
    elsewhere = replace(good.decision, head="cd" * 32)
    envelope = decisions.signed(elsewhere, aroha)
    assert "another log" in _forged(folder, nouns.Decided(decision=elsewhere, envelope=envelope))[0]


def test_a_log_that_is_written_anew_lacks_the_head_that_was_signed(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "A case", by="Ben").id
    with cases.writing(folder) as log:
        cases.note(log, "they took the mail", by="Ben")
        decide(log)
    text, prev = b"", chain.ROOT
    for n, entry in enumerate(cases.entries_of(folder)[0]):
        what = nouns.Noted(text="they took nothing") if entry.verb == "noted" else entry.what
        line, link = chain.line(entries.body(what, by=entry.by, at=entry.at), n, prev)
        text, prev = text + line, link.digest
    (folder / "log.jsonl").write_bytes(text)
    state = json.loads((folder / "case.json").read_text())
    new = layout.load(folder)
    (folder / "case.json").write_bytes(derive.rendered(derive.derive(new.entries)))
    assert state["count"] == len(new.entries)
    faults = cases.verify(folder, known=PEOPLE.values()).faults
    assert faults == ("entry 3, a decision of Aroha Ngata: was signed over another log than this one",)


def test_merging(tmp_path: Path) -> None:
    cases.open_case(tmp_path, incident("one"), by="Ben")
    cases.open_case(tmp_path, incident("two", "Another"), by="Ben", documents=[("custody.json", b"{}")])
    with cases.writing(tmp_path / "one") as log:
        cases.add_task(log, "of one", by="Ben")
    with cases.writing(tmp_path / "two") as log:
        cases.add_task(log, "done", by="Ben")
        cases.add_task(log, "of two", by="Ben", due="2026-12-01", owner="Aroha Ngata")
        cases.finish_task(log, "1", by="Ben")
        two = (tmp_path / "two" / "log.jsonl").read_bytes()
    case = cases.merge(tmp_path / "one", tmp_path / "two", by="Ben", reason="the same way in")
    assert case.merged_from == ("two",)
    assert [(task.task, task.text, task.due) for task in cases.open_tasks(case)] == [
        ("1", "of one", ""),
        ("2", "of two", "2026-12-01"),
    ]
    assert {one.name for one in case.attached} == {"incident of two", "custody.json of two"}
    merged = cases.entries_of(tmp_path / "one")[0][-1].what
    assert isinstance(merged, nouns.Merged)
    assert layout.kept(tmp_path / "one", merged.log) == two
    other = cases.entries_of(tmp_path / "two")[1]
    assert (other.state, other.merged_into, cases.open_tasks(other)) == ("merged", "one", ())
    _good(tmp_path / "one")
    _good(tmp_path / "two")
    assert cases.merge(tmp_path / "one", tmp_path / "two", by="Ben", reason="again") == case
    for one, other_one in (("two", "one"), ("one", "one")):
        with pytest.raises(CaseError):
            cases.merge(tmp_path / one, tmp_path / other_one, by="Ben", reason="no")


def test_a_merge_that_was_broken_off_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        cases.open_case(tmp_path, incident(name), by="Ben")
    with cases.writing(tmp_path / "two") as log:
        cases.add_task(log, "before", by="Ben")
    before = {name: (tmp_path / "two" / name).read_bytes() for name in ("log.jsonl", "case.json")}
    cases.merge(tmp_path / "one", tmp_path / "two", by="Ben", reason="the same")
    for name, content in before.items():
        (tmp_path / "two" / name).write_bytes(content)  # as if killed between the two logs
    _good(tmp_path / "two")
    with cases.writing(tmp_path / "two") as log:
        cases.add_task(log, "meanwhile", by="Ben")
    case = cases.merge(tmp_path / "one", tmp_path / "two", by="Ben", reason="the same")
    assert [task.text for task in case.tasks] == ["before", "meanwhile"]
    assert case.merged_from == ("two",)
    _good(tmp_path / "one")
    _good(tmp_path / "two")


def test_splitting(tmp_path: Path) -> None:
    cases.open_case(tmp_path, incident(), by="Ben", documents=[("custody.json", b"{}")])
    folder = tmp_path / "inc-1"
    with cases.writing(folder) as log:
        cases.add_task(log, "stays", by="Ben")
        cases.add_task(log, "goes", by="Ben")
    for bad in ({"tasks": ["7"]}, {"reason": " "}, {"title": ""}):
        with pytest.raises(CaseError):
            cases.split(folder, **{"title": "t", "by": "Ben", "reason": "r", **bad})  # type: ignore[arg-type]
    old, new = cases.split(folder, "The other", by="Ben", reason="two groups", parts=["WS9", "bob"], tasks=["2"])
    assert old.split_into == (new.id,)
    assert new.split_from == "inc-1"
    assert [task.text for task in cases.open_tasks(old)] == ["stays"]
    assert [(task.task, task.text) for task in cases.open_tasks(new)] == [("1", "goes")]
    assert {one.name for one in new.attached} == {"custody.json of inc-1", "incident of inc-1"}
    noted = cases.entries_of(tmp_path / new.id)[0][1].what
    assert noted == nouns.Noted(text="Split from inc-1: two groups\nWS9\nbob")
    _good(folder)
    _good(tmp_path / new.id)


def test_all_cases(tmp_path: Path) -> None:
    assert cases.everything(tmp_path / "none") == ((), 0)
    cases.open_case(tmp_path, incident("one"), by="Ben")
    cases.open_case(tmp_path, incident("one-more"), by="Ben")
    (tmp_path / "two").mkdir()
    (tmp_path / f".three{durable.PART}").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "one" / "log.jsonl").write_bytes((tmp_path / "one" / "log.jsonl").read_bytes()[:-3])
    there, broken_off = cases.everything(tmp_path)
    assert [(one.name, one.case is not None, bool(one.trouble)) for one in there] == [
        ("one", False, True),
        ("one-more", True, False),
        ("two", False, True),
    ]
    assert broken_off == 1
    assert cases.find(tmp_path, "one").name == "one", "a whole name goes before the beginning of others"
    assert cases.find(tmp_path, str(tmp_path / "one-more")) == tmp_path / "one-more"
    for word in ("", "on", "three", "../x", ".", "/", "\0"):
        with pytest.raises((CaseError, ValueError)):
            cases.find(tmp_path, word)


def test_a_clock_that_went_back_is_told(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "A case", by="Ben").id
    with cases.writing(folder) as log:
        log.add(nouns.Noted(text="x"), by="Ben", at="2020-01-01T00:00:00.000000Z")
    assert "earlier time" in _good(folder, notes=1).notes[0]


def test_a_person_with_a_weak_key_is_never_introduced(tmp_path: Path) -> None:
    folder = tmp_path / cases.new_case(tmp_path, "A case", by="Ben").id
    point = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"\1" + bytes(31)).decode()
    weak = replace(PEOPLE["Ben"], name="Eve", key=f"ssh-ed25519 {point}")
    with pytest.raises(SealError, match="anybody can sign"):
        keys.public(weak.key)
    assert "key of Eve is not" in _forged(folder, nouns.Introduced(signer=weak))[0]
