"""Telling, from the register to the letter: what was not decided is not sent, and a kill sends nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cases.making import KEYS, PEOPLE
from disclose.made import CANARY, TELLING, incident, touched
from tocsin import briefing, cases, sending, tell
from tocsin.act import here
from tocsin.act.channel import Outcome
from tocsin.act.channels import drop, smtp
from tocsin.cases import folder as layout
from tocsin.disclose import clocks, letters, pages
from tocsin.errors import ActError, CaseError, SettingsError
from tocsin.model.addressee import Addressed, Addressee
from tocsin.model.case import Decided
from tocsin.model.letter import Message
from tocsin.model.notification import Channel, Notification, Word
from tocsin.model.person import People, Person
from tocsin.seal import durable
from tocsin.tell import Desk

MAIL = Channel(name="mail", kind="smtp", host="mx.centre.example", sender="desk@centre.example")
PAPER = Channel(name="paper", kind="drop", folder="")
OUTSIDE = {"contact": "aroha@home.example"}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a comparison with groups says is for other tests; here it would take most of the time."""
    monkeypatch.setattr("tocsin.briefing._compared", lambda folder, groups: (None, None))


def desk(tmp_path: Path, *channels: Channel, **more: Any) -> Desk:
    told = [replace(one, folder=str(tmp_path / "paper")) if one.kind == "drop" else one for one in channels]
    return Desk(
        telling=replace(TELLING, channels=tuple(told or [MAIL])),
        laws=clocks.chosen(clocks.built_in(), TELLING.jurisdictions),
        languages=letters.words(),
        known=tuple(PEOPLE.values()),
        **more,
    )


def opened(tmp_path: Path, at: Desk, *people: Any) -> Path:
    one = incident(*(people or (touched("1", "Aroha", **OUTSIDE),)))
    folder = tmp_path / "cases" / cases.open_case(tmp_path / "cases", one, by="Ben").id
    tell.bring_up_to_date(folder, at, "Ben")
    return folder


def decided(folder: Path, what: str, *words: str, by: str = "Aroha Ngata") -> tuple[Notification, ...]:
    found = tell.chosen(cases.entries_of(folder)[1], words)
    tell.decide(folder, found, what, PEOPLE[by], KEYS[by], role="lead", reason="They must know.")
    return found


class Post:
    """A mail server that keeps what it took."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *went: str) -> None:
        self.took: list[Message] = []
        self._went = list(went)
        monkeypatch.setattr(smtp, "send", self.send)

    def send(self, channel: Channel, message: Message) -> Outcome:
        went: Any = self._went.pop(0) if self._went else "sent"
        if went in {"sent", "uncertain"}:
            self.took.append(message)
        return Outcome(went=went, said="250 OK")


def test_nothing_goes_out_that_was_not_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post, at = Post(monkeypatch), desk(tmp_path)
    folder = opened(
        tmp_path,
        at,
        *(touched(str(n), f"Person {n}", "possibly reached", contact=f"p{n}@home.example") for n in range(3)),
    )
    assert sending.send(folder, at, "Ben") == 0
    assert not list(sending.written(folder, at)), "there is not even a draft"
    decided(folder, "not", "person:0")
    decided(folder, tell.choice("2999-01-01", "UTC", "2026-01-01"), "person:1")
    assert sending.send(folder, at, "Ben") == 0
    decided(folder, "now", "person:2")
    assert sending.send(folder, at, "Ben") == 1
    assert [one.to for one in post.took] == ["p2@home.example"]
    assert sending.send(folder, at, "Ben") == 0
    assert CANARY not in post.took[0].text + post.took[0].html
    stands = {one.notification.key: one.state for one in tell.standing(folder, at)}
    assert [stands[f"person:{n}"] for n in range(3)] == ["not to tell", "later", "told"]
    verdict = cases.verify(folder, known=at.known)
    assert not verdict.faults
    assert not [note for note in verdict.notes if "no entry names it" in note], "the letter is kept"


def test_a_decision_of_somebody_unknown_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post, at = Post(monkeypatch), desk(tmp_path)
    folder = opened(tmp_path, at)
    decided(folder, "now", "person:1")
    nobody = replace(at, known=(PEOPLE["Ben"],))
    assert sending.send(folder, nobody, "Ben") == 0
    with cases.writing(folder) as log:
        cases.refuse_to_close(log.case, whole=False)
    decided(folder, "now", "all")
    with pytest.raises(CaseError, match="are not settled"):
        tell.refuse_to_close(folder, nobody, "Ben")
    assert not post.took


def test_what_stands_beside_a_signature_decides_nothing(tmp_path: Path) -> None:
    at = desk(tmp_path)
    folder = opened(tmp_path, at)
    decided(folder, "not", "person:1")
    with cases.writing(folder) as log:  # an entry as somebody writes it who has the folder, and no key
        true = log.case.decisions[-1].decision
        said = [
            replace(true, choice="now"),
            replace(true, subject="category", choice="1"),
            replace(true, subject="contained", choice="yes"),
        ]
        envelope = next(one.what.envelope for one in reversed(log.entries) if isinstance(one.what, Decided))
        for one in said:
            log.add(Decided(decision=one, envelope=envelope), by=true.by)
    stands = {one.notification.key: one.state for one in tell.standing(folder, at)}
    assert stands["person:1"] == "not to tell"
    entries, case, _ = cases.entries_of(folder)
    assert [one.decision.choice for one in cases.trusted(entries, at.known)] == ["not"]
    found = cases.incident_of(folder, case)
    assert found is not None
    page = briefing.page(folder, found, at.table, tell.standing(folder, at), at.known, at.groups, marking="TLP:RED")
    text = pages.text(page)
    assert "Nobody has decided that it is contained." in " ".join(text.split())
    assert true.by not in text


def test_what_may_have_gone_out_is_not_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post, at = Post(monkeypatch, "failed", "uncertain"), desk(tmp_path)
    folder = opened(tmp_path, at)
    found = decided(folder, "now", "person:1")
    with pytest.raises(ActError, match="did not go out"):
        sending.send(folder, at, "Ben")
    with pytest.raises(ActError, match="may have gone out"):
        sending.send(folder, at, "Ben")
    assert [one.state for one in tell.standing(folder, at) if one.notification.key == "person:1"] == ["uncertain"]
    assert sending.send(folder, at, "Ben") == 0
    assert len(post.took) == 1
    tell.record(folder, found, Word(key="", deed="failed", by="people", note="she has nothing"), "Ben")
    assert sending.send(folder, at, "Ben") == 1
    assert len({one.id for one in post.took}) == 1


def test_a_namesake_is_called_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(monkeypatch)
    listed = People(
        [
            Person(id="1", name="John Smith", mailboxes=("1@parliament.example",), contact="john@home.example"),
            Person(id="2", name="john smith", mailboxes=("2@parliament.example",), contact="other@home.example"),
        ]
    )
    at = desk(tmp_path)
    folder = opened(tmp_path, at, touched("1", "John Smith", contact="old@home.example"))
    entry = next(one.notification for one in tell.standing(folder, at) if one.notification.key == "person:1")
    assert not entry.namesakes
    with cases.writing(folder) as log:
        cases.register(log, [replace(entry, namesakes=("2",), contact="john@home.example")], by="Ben")
    assert len(listed.all) == 2
    found = decided(folder, "now", "person:1")
    assert sending.send(folder, at, "Ben") == 0
    (intent,) = [one for one in sending.intended(folder, at) if one.entry.key == "person:1"]
    assert "has the same name: call john@home.example first" in intent.why[0]
    tell.record(folder, found, Word(key="", deed="called back", by="people"), "Ben")
    assert sending.send(folder, at, "Ben") == 1
    assert [one.to for one in post.took] == ["john@home.example"]


def test_a_way_within_the_incident_is_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post, at = Post(monkeypatch), desk(tmp_path)
    folder = opened(tmp_path, at, touched("1", "Aroha", contact="aroha@parliament.example"))
    decided(folder, "now", "person:1")
    assert sending.send(folder, at, "Ben") == 0
    (intent,) = [one for one in sending.intended(folder, at) if one.entry.key == "person:1"]
    assert intent.channel is None
    assert "within its scope" in intent.why[0]
    monkeypatch.setattr(here, "hosts", lambda: (("web-01", "the machine that Tocsin runs on"),))
    folder = opened(tmp_path / "other", at)
    decided(folder, "now", "all")
    assert sending.send(folder, at, "Ben") == 0
    assert not post.took


def test_letters_on_paper_are_not_told_yet(tmp_path: Path) -> None:
    at = desk(tmp_path, PAPER)
    folder = opened(tmp_path, at)
    found = decided(folder, "now", "person:1")
    assert sending.send(folder, at, "Ben") == 1
    assert tell.standing(folder, at)[0].is_open
    state = {one.notification.key: one.state for one in tell.standing(folder, at)}
    assert state["person:1"] == "written"
    tell.record(folder, found, Word(key="", deed="delivered", by="people"), "Ben")
    state = {one.notification.key: one.state for one in tell.standing(folder, at)}
    assert state["person:1"] == "told"


def test_a_letter_is_of_the_days_on_which_mails_came_too(tmp_path: Path) -> None:
    at, week_us = desk(tmp_path), 7 * 86_400_000_000
    one = incident(touched("1", "Aroha", "targeted", **OUTSIDE))
    first = one.first_us or 0

    def mail(at_us: int, doubt: str) -> Addressed:
        got = Addressee(name="a@b.example", fetched=False, count=1, first_us=at_us, last_us=at_us, citations=())
        return Addressed(kind="domain", name="x.example", because="", doubt=doubt, all=(got,), count=1)

    told = replace(one, addressed=(mail(first - week_us, ""), mail(first - 5 * week_us, "it came before, too")))
    folder = tmp_path / "cases" / cases.open_case(tmp_path / "cases", told, by="Ben").id
    tell.bring_up_to_date(folder, at, "Ben")
    decided(folder, "now", "person:1")
    ((_, letter),) = sending.written(folder, at)
    text = " ".join(pages.text(letter).split())
    there = clocks.zone(TELLING.zone, "zone")
    days = [datetime.fromtimestamp(us / 1e6, there).strftime("%-d %B %Y") for us in (first - week_us, one.last_us or 0)]
    assert all(day in text for day in days)
    assert datetime.fromtimestamp((first - 5 * week_us) / 1e6, there).strftime("%-d %B %Y") not in text


def test_a_case_is_closed_once_everybody_is_settled(tmp_path: Path) -> None:
    at = desk(tmp_path, PAPER)
    folder = opened(tmp_path, at)
    with pytest.raises(CaseError, match="nobody has decided"):
        tell.refuse_to_close(folder, at, "Ben")
    decided(folder, "now", "person:1")
    decided(folder, "not", *(one.notification.key for one in tell.standing(folder, at) if one.state == "undecided"))
    with pytest.raises(CaseError, match="Aroha \\(to tell\\)"):
        tell.refuse_to_close(folder, at, "Ben")
    tell.record(
        folder,
        tell.chosen(cases.entries_of(folder)[1], ["person:1"]),
        Word(key="", deed="delivered", by="people"),
        "Ben",
    )
    tell.refuse_to_close(folder, at, "Ben")
    cases.open_case(tmp_path / "cases", incident(touched("1", "Aroha", "data left"), touched("2", "Tame")), by="Ben")
    with pytest.raises(CaseError, match=r"nobody has decided whether \d"):
        tell.refuse_to_close(folder, at, "Ben")


def test_a_case_that_became_part_of_another_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post, at = Post(monkeypatch), desk(tmp_path)
    folder = opened(tmp_path, at)
    decided(folder, "now", "person:1")
    other = tmp_path / "cases" / cases.new_case(tmp_path / "cases", "Other", by="Ben").id
    cases.merge(other, folder, by="Ben", reason="one intruder")
    for does in (
        lambda: sending.send(folder, at, "Ben"),
        lambda: tell.bring_up_to_date(folder, at, "Ben"),
        lambda: tell.add(folder, at, "person:Ben", "he called", "Ben"),
        lambda: decided(folder, "now", "person:1"),
    ):
        with pytest.raises(CaseError, match="became part of"):
            does()
    assert sending.send(other, at, "Ben") == 0, "it is decided on anew there"
    decided(other, "now", "person:1")
    assert sending.send(other, at, "Ben") == 1
    assert [one.to for one in post.took] == ["aroha@home.example"]
    assert {"aroha@home.example"} == {one.to for one in post.took}
    within = tell.incidents_of(other, at)[1]
    assert [one.id for one in within] == ["inc-1"], "the scope of what was merged is still scope"


def test_signed_awareness_moves_the_clocks(tmp_path: Path) -> None:
    at = desk(tmp_path)
    folder = opened(tmp_path, at)
    key = "data protection:eu-gdpr-33"

    def due() -> str:
        (one,) = [one for one in tell.standing(folder, at) if one.notification.key == key]
        return one.terms[0].due_at

    before = due()
    words = {"role": "legal", "reason": "The desk knew."}
    told = tell.decide_aware(folder, "2026-03-28T12:00+01:00", PEOPLE["Ben"], KEYS["Ben"], **words)  # type: ignore[arg-type]
    assert told == "2026-03-28T11:00:00.000000Z"
    assert due() == "2026-03-31T11:00:00.000000Z" != before
    for wrong in ("2026-03-28T12:00", "2999-01-01T00:00Z", "soon"):
        with pytest.raises(SettingsError):
            tell.decide_aware(folder, wrong, PEOPLE["Ben"], KEYS["Ben"], **words)  # type: ignore[arg-type]


def test_what_may_be_decided() -> None:
    now = "2026-03-20T00:00:00.000000Z"
    assert tell.choice("now", "UTC", now) == "now"
    assert tell.choice("2026-03-29", "Europe/Brussels", now) == "by 2026-03-29T15:00:00.000000Z"
    assert tell.choice("2026-03-29T02:30", "Europe/Brussels", now) == "by 2026-03-29T01:00:00.000000Z", "it is skipped"
    assert tell.choice("2026-10-25T02:30", "Europe/Brussels", now) == "by 2026-10-25T00:30:00.000000Z", "the first"
    for wrong in ("2026-03-01", "later", "yes", ""):
        with pytest.raises(SettingsError):
            tell.choice(wrong, "UTC", now)


# --------------------------------------------------------------------------------- a kill at any moment


class Killed(BaseException):
    pass


@contextmanager
def killed_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End at the n-th moment: before, within or after a line of the log, before or after a letter goes."""
    passed = [0]

    def moments(before: Any = lambda: None) -> None:
        passed[0] += 1
        if passed[0] == moment:
            before()
            raise Killed

    write, post, put = durable.write_all, smtp.send, drop.send

    def write_all(number: int, content: bytes) -> None:
        logs = Path(f"/proc/self/fd/{number}").readlink().name == layout.LOG
        if logs:
            moments()
            moments(lambda: write(number, content[: len(content) // 2]))
        write(number, content)
        if logs:
            moments()

    def around(send: Any) -> Any:
        def sent(channel: Channel, message: Message) -> Outcome:
            moments()
            outcome: Outcome = send(channel, message)
            moments()
            return outcome

        return sent

    with monkeypatch.context() as patched:
        patched.setattr(durable, "write_all", write_all)
        patched.setattr(smtp, "send", around(post))
        patched.setattr(drop, "send", around(put))
        yield


@pytest.mark.parametrize("kind", ["mail", "paper"])
def test_a_kill_at_any_moment_sends_no_second_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """And whoever goes on after it knows of each letter whether it went, did not, or may have."""
    moment, killed = 0, True
    while killed:
        moment += 1
        killed = False
        root = tmp_path / str(moment)
        post = Post(monkeypatch)
        at = desk(root, MAIL if kind == "mail" else PAPER)
        folder = opened(root, at, *(touched(str(n), f"Person {n}", contact=f"p{n}@home.example") for n in range(2)))
        decided(folder, "now", "person:0", "person:1")
        with killed_at(moment, monkeypatch):
            try:
                sending.send(folder, at, "Ben")
            except Killed:
                killed = True
        gone = [one.to for one in post.took]
        for _ in range(2):
            sending.send(folder, at, "Ben")
        state = {one.notification.key: one.state for one in tell.standing(folder, at)}
        took = [one.to for one in post.took]
        assert not cases.verify(folder, known=at.known).faults
        if kind == "paper":
            assert len(list((root / "paper").glob("*.txt"))) == 2
            assert {state["person:0"], state["person:1"]} == {"written"}
            continue
        assert len(took) == len(set(took)), "nobody has two letters"
        assert took[: len(gone)] == gone
        for number in range(2):
            there = f"p{number}@home.example" in took
            assert state[f"person:{number}"] in ({"told", "uncertain"} if there else {"uncertain"})
        assert sum(state[f"person:{number}"] == "uncertain" for number in range(2)) <= 1
    assert moment > 10
