"""Whoever was written to from where a finding points is told, and nobody else."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tocsin import collect, pipeline, retrohunt
from tocsin.disclose.register import UNKNOWN, UNLISTED, register
from tocsin.investigate import addressees
from tocsin.investigate.addressees import Mailing, Pointer, Pointers, mailings
from tocsin.investigate.addressees.pointers import registered
from tocsin.investigate.concern import concerned
from tocsin.model.addressee import Addressed
from tocsin.model.asset import Asset, Assets
from tocsin.model.citation import Citation
from tocsin.model.incident import Cited, Incident
from tocsin.model.indicator import Observable
from tocsin.model.kind import ENVELOPE
from tocsin.model.notification import Telling
from tocsin.model.person import People, Person
from tocsin.respond import respond

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = 3_600_000_000
FOUND = 10_000 * HOUR  # when the first finding was
PICTURE, DOMAIN, THEIRS = "pixel.letters.example", "letters.example", "news@letters.example"
NAMES = ("aroha", "mere", "wiremu")
PEOPLE = People(
    Person(id=name, name=name, mailboxes=(f"{name}@house.example",), line=at) for at, name in enumerate(NAMES, 2)
)


def _to(*names: str) -> list[str]:
    return [f"{name}@house.example" for name in names]


# --------------------------------------------------------------------------------- logs, read from beginning to end


def _mail(hours: float, sender: str, to: Sequence[str], number: int) -> list[str]:
    """One record says from whom, others to whom: what they share is a number."""
    stamp = (BEGIN + timedelta(hours=hours)).isoformat()
    queue = f"4F3B{number:04X}"
    first = f"{stamp} mx1 postfix/qmgr[7]: {queue}: from=<{sender}>, size=900, nrcpt={len(to)} (queue active)"
    rest = [
        f"{stamp} mx1 postfix/smtp[8]: {queue}: to=<{one}>, relay=in.house.example[10.0.0.2]:25, delay=1,"
        " delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)"
        for one in to
    ]
    return [first, *rest]


def test_all_who_got_one_are_targeted_though_one_machine_opened_it(tmp_path: Path) -> None:
    mails = [*_mail(3, THEIRS, _to("mere", "aroha"), 1), *_mail(4, THEIRS, _to("wiremu"), 2)]
    others = _mail(1, "shop@elsewhere.example", _to("mere", "stranger"), 900)
    asked = {"ts": (BEGIN + timedelta(hours=30)).timestamp(), "uid": "C1", "id.orig_h": "10.0.0.5"}
    asked |= {"id.orig_p": 53_000, "id.resp_h": "10.0.0.1", "id.resp_p": 53, "query": PICTURE}
    one = {"type": "indicator", "spec_version": "2.1", "id": "indicator--5d4d9b9e-6a0b-4a50-9a4e-3d2f1c0a9b7e"}
    one |= {"created": "2026-02-01T00:00:00Z", "modified": "2026-02-01T00:00:00Z", "pattern_type": "stix"}
    one |= {"valid_from": "2026-02-01T00:00:00Z", "pattern": f"[domain-name:value = '{PICTURE}']", "confidence": 80}
    bundle = {"type": "bundle", "id": "bundle--5d4d9b9e-6a0b-4a50-9a4e-3d2f1c0a9b7f", "objects": [one]}
    (tmp_path / "told.json").write_text(json.dumps(bundle), encoding="utf-8")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mail.log").write_text("\n".join([*others, *mails]) + "\n", encoding="utf-8")
    (tmp_path / "logs" / "dns.log").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    rules = retrohunt.prepared([str(tmp_path / "told.json")], pipeline.compile_rules([])).rules
    with respond([tmp_path / "logs"], rules, people=PEOPLE, jobs=1) as response:
        (incident,) = response.incidents
    (some,) = incident.addressed
    assert (some.kind, some.name, some.doubt, some.count) == ("domain", DOMAIN, "", 3)
    assert {(one.id, one.how) for one in incident.people} == {(name, "targeted") for name in NAMES}
    assert all(PICTURE in why for one in incident.people for why in one.because)
    for each in some.all:
        for at in each.citations:
            record = Path(at.path).read_bytes()[at.rec :].partition(b"\n")[0].decode()
            assert f"to=<{each.name}>" in record
            assert len(at.src) == 64
    # It dates nothing: the mails were before.
    assert incident.first_us == int(asked["ts"] * 1_000_000)  # type: ignore[operator]  # it is a number


# --------------------------------------------------------------------------------- mailings, as they were found


def _mailing(hours: float, sender: str, to: Sequence[str], number: int = 1, users: Sequence[str] = ()) -> Mailing:
    theirs = sender.endswith(DOMAIN)
    return Mailing(
        file="mail.log",
        path="mail.log",
        rec=number,
        chunk=0,
        ts=FOUND + int(hours * HOUR),
        sources=[sender] if theirs else [],
        targets=[one for one in to if one.endswith(DOMAIN)],
        recipients=list(to),
        users=list(users),
        messages=[f"queue|mx1|{number}"],
    )


def _incident(*findings: Cited) -> Incident:
    return Incident(
        id="1",
        title="",
        rank="review",
        score=1,
        because=(),
        level="high",
        first_us=FOUND,
        last_us=FOUND + HOUR,
        findings=findings,
    )


def _told(
    mailings: Sequence[Mailing], *, told: str = PICTURE, named: str = "", further: Sequence[Mailing] = ()
) -> tuple[Addressed | None, Incident]:
    pointer = Pointer(
        kind="domain", name=DOMAIN, named=frozenset({named or told}), told=frozenset({told} if not named else ())
    )
    here = Pointers(all=(pointer,), first_us=FOUND, last_us=FOUND + HOUR)
    (one,) = addressees.told([_incident()], [here], mailings, further, {})
    (one,) = concerned([one], Assets(), PEOPLE)
    return (one.addressed[0] if one.addressed else None), one


@pytest.mark.parametrize(
    "before",
    [
        _mailing(-24 * 20, THEIRS, _to("aroha"), 2),  # weeks before anybody met the picture
        _mailing(-9, "mere@house.example", [THEIRS], 2),  # somebody here wrote first
    ],
)
def test_of_whom_mail_came_before_it_is_not_said_who_was_meant(before: Mailing) -> None:
    some, incident = _told([before, _mailing(-5, THEIRS, _to("mere"))])
    assert some is not None
    assert some.doubt
    assert some.count
    assert not some.all
    assert not incident.people
    entry = next(one for one in register(incident, Telling(), ()) if one.key == UNKNOWN)
    assert any(DOMAIN in why and some.doubt in why for why in entry.because)  # nobody is forgotten silently


def test_what_another_incident_of_the_same_began_is_no_mail_of_before() -> None:
    pointer = Pointer(kind="domain", name=DOMAIN, named=frozenset({PICTURE}), told=frozenset({PICTURE}))
    early, late = (Pointers(all=(pointer,), first_us=us, last_us=us) for us in (FOUND, FOUND + 24 * 20 * HOUR))
    for every, doubted in ((early, late), False), ((late,), True):
        found = addressees.told([_incident()] * len(every), every, [_mailing(-5, THEIRS, _to("mere"))], (), {})
        assert bool(found[-1].addressed[0].doubt) is doubted


def test_an_answer_to_such_a_mail_does_not_hide_it() -> None:
    some, incident = _told([_mailing(-5, THEIRS, _to("mere")), _mailing(-4, "mere@house.example", [THEIRS], 2)])
    assert some is not None
    assert [(one.name, one.count) for one in some.all] == [("mere@house.example", 1)]
    assert [(one.id, one.how) for one in incident.people] == [("mere", "targeted")]


def test_just_what_an_ally_names_is_told_with_its_doubt() -> None:
    _, incident = _told(
        [_mailing(-24 * 40, THEIRS, _to("aroha"), 2), _mailing(-5, THEIRS, _to("mere"))], told="letters.example"
    )
    assert {(one.id, one.how) for one in incident.people} == {
        ("aroha", "possibly reached"),
        ("mere", "possibly reached"),
    }
    assert all("but mail from there came here before" in why for one in incident.people for why in one.because)


def test_of_a_page_that_an_ally_names_not_all_who_use_its_site_are_told() -> None:
    """One file on a site where anybody keeps files: whoever fetched another there weeks before is nobody's aim."""
    told = {"ally": (Observable(type="url", value=f"https://{PICTURE}/one/file"),)}
    every = addressees.pointers([_incident(_cited("ally"))], Assets(), told)
    fetched = [_mailing(hours, PICTURE, (), 1, [f"m{-hours}"]) for hours in (-24 * 40, -5)]
    (one,) = addressees.told([_incident()], every, fetched, (), {})
    (some,) = one.addressed
    assert some.doubt
    assert (some.count, some.all) == (2, ())


def test_what_a_rule_of_ours_names_may_write_to_many_for_other_reasons() -> None:
    few, _ = _told([_mailing(-5, THEIRS, _to(*NAMES))], named=PICTURE)
    many, _ = _told([_mailing(-5, THEIRS, _to(*(f"m{number}" for number in range(12))))], named=PICTURE)
    assert few is not None
    assert many is not None
    assert (len(few.all), few.doubt) == (3, "")
    assert (len(many.all), many.count) == (0, 12)
    assert many.doubt


def test_other_records_of_the_same_message_say_to_whom() -> None:
    sent, later = _mailing(-5, THEIRS, ()), _mailing(-5, "", _to("mere"))
    assert addressees.messages([sent, _mailing(-5, "shop@elsewhere.example", ())]) == ("queue|mx1|1",)
    some, _ = _told([sent], further=[later, _mailing(-5, "", _to("aroha"), 2)])
    assert some is not None
    assert [one.name for one in some.all] == _to("mere")


def test_an_id_that_comes_again_weeks_later_is_another_message() -> None:
    sent = _mailing(-5, THEIRS, ())
    some, _ = _told([sent], further=[_mailing(-4, "", _to("mere")), _mailing(24 * 20, "", _to("aroha"))])
    assert some is not None
    assert [one.name for one in some.all] == _to("mere")


def test_one_id_on_all_messages_takes_no_product_of_them() -> None:
    """Whoever writes a mail chooses its id: 20,000 of one id would be 400,000,000 pairs."""
    sent = [_mailing(-5, THEIRS, (), 1) for _ in range(20_000)]
    began = time.process_time()
    some, _ = _told(sent, further=[_mailing(-5, "", _to("mere"), 1)] * 20_000)
    assert time.process_time() - began < 5
    assert some is not None
    assert [one.name for one in some.all] == _to("mere")


@pytest.mark.parametrize(("hosts", "doubted"), [(2, False), (12, True)])
def test_many_who_send_below_one_name_are_not_one_sender(hosts: int, doubted: bool) -> None:
    """An ally names one page of a service on which anybody has names: its other senders are no campaign."""
    mails = [_mailing(-5, f"a@n{at % hosts}.{DOMAIN}", _to(f"m{at}"), at) for at in range(12)]
    some, incident = _told(mails)
    assert some is not None
    assert (bool(some.doubt), some.count, len(some.all)) == (doubted, 12, 0 if doubted else 12)
    entry = next(one for one in register(incident, Telling(), ()) if one.key == (UNKNOWN if doubted else UNLISTED))
    assert any(DOMAIN in why for why in entry.because)


def test_a_mailbox_that_no_list_gives_to_anybody_is_not_forgotten() -> None:
    _, incident = _told([_mailing(-5, THEIRS, _to("mere", "alias"))])
    entry = next(one for one in register(incident, Telling(), (), people=PEOPLE) if one.key == UNLISTED)
    assert entry.because == (f"alias@house.example was written to from {DOMAIN}; an indicator names {PICTURE}",)


def test_what_was_fetched_before_is_not_told_as_mail() -> None:
    some, _ = _told([_mailing(-24 * 40, PICTURE, (), users=["HOUSE\\mere"]), _mailing(-5, THEIRS, _to("mere"))])
    assert some is not None
    assert some.doubt == "something was fetched from there before"


def test_whoever_fetched_something_is_possibly_reached() -> None:
    people = People([Person(id="mere", name="Mere", accounts=("HOUSE\\mere",), line=2)])
    some, incident = _told([_mailing(-5, PICTURE, (), users=["HOUSE\\mere"])])
    assert some is not None
    (one,) = concerned([incident], Assets(), people)
    assert [(each.id, each.how) for each in one.people] == [("mere", "possibly reached")]


def test_outside_of_the_time_nobody_is_addressed() -> None:
    assert _told([_mailing(24 * 40, THEIRS, _to("mere")), _mailing(-24 * 100, THEIRS, _to("aroha"))])[0] is None


# --------------------------------------------------------------------------------- pointers


def _cited(rule: str, **fields: str) -> Cited:
    return Cited(
        rule_id=rule,
        title="",
        level="high",
        techniques=(),
        tactics=(),
        host="pc1.house.example",
        kind="mail",
        at=Citation(src="", path="mail.log", rec=0, chunk=0, ts_us=FOUND),
        fields=fields,
    )


def test_what_points_where() -> None:
    told = {
        "ally": (
            Observable(type="mail", value="one@freemail.example"),
            Observable(type="url", value=f"https://{PICTURE}/a.png"),
        )
    }
    incident = _incident(
        _cited("ally", message="a line of text"),
        _cited("ours", sender=f"<{THEIRS}>", query="elsewhere.example"),
        replace(_cited("ours", query="unheard.example"), level="low"),
    )
    (here,) = addressees.pointers([incident], Assets(), told)
    found = {(one.kind, one.name): (set(one.named), set(one.told)) for one in here.all}
    assert found == {
        ("domain", DOMAIN): ({PICTURE}, {PICTURE}),
        ("sender", "one@freemail.example"): ({"one@freemail.example"}, {"one@freemail.example"}),
        ("sender", THEIRS): ({THEIRS}, set()),
        ("domain", "elsewhere.example"): ({"elsewhere.example"}, set()),
    }


def test_what_is_of_the_house_points_nowhere() -> None:
    assets = Assets([Asset(name="gate.house.example", addresses=("203.0.113.9",), line=2)])
    told = {
        "ally": (
            Observable(type="domain", value="portal.house.example"),
            Observable(type="address", value="203.0.113.9"),
        )
    }
    assert addressees.pointers([_incident(_cited("ally"))], assets, told)[0].all == ()


def test_a_gate_below_a_short_name_of_the_house_is_of_the_house() -> None:
    assets = Assets([Asset(name="moh.nz", addresses=(), line=2)])
    (here,) = addressees.pointers([_incident(_cited("ours", query="mail.moh.nz"))], assets, {})
    assert here.all == ()


def test_names_are_those_that_somebody_registered() -> None:
    told = {"a.b.letters.example": "letters.example", "x.paper.co.nz": "paper.co.nz", "paper.nz": "paper.nz"}
    told |= {"www.paper.govt.nz": "paper.govt.nz", "localhost": "", "10.0.0.1": "", "": ""}
    assert {name: registered(name) for name in told} == told


@pytest.mark.parametrize("none", ["<>", "", "-"])
def test_mails_without_an_id_are_not_one_message(tmp_path: Path, none: str) -> None:
    lines = [
        f"{BEGIN.isoformat()} mx1 postfix/cleanup[9]: 4F3B0001: message-id={none}",
        f"{BEGIN.isoformat()} mx1 postfix/qmgr[7]: 4F3B0001: from=<{THEIRS}>, size=900, nrcpt=1 (queue active)",
    ]
    (tmp_path / "mail.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pointer = Pointer(kind="domain", name=DOMAIN, named=frozenset({DOMAIN}), told=frozenset())
    every = [Pointers(all=(pointer,), first_us=None, last_us=None)]
    first = addressees.search(every, tmp_path / "mail")
    again = addressees.search(every, tmp_path / "again", ["queue|mx1|4F3B0001"])
    assert first is not None
    assert again is not None
    for events in collect.read(tmp_path / "mail.log", first.fields | ENVELOPE):
        first.keep("000000", events)
        again.keep("000000", events)
    met = addressees.messages([*addressees.read(first).all, *addressees.read(again).all])
    assert met == ("queue|mx1|4F3B0001",)
    assert all(one.messages == ["queue|mx1|4F3B0001"] for one in addressees.read(again).all)


def test_a_mail_to_very_many_forgets_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = _to(*(f"m{at}" for at in range(700)))
    record = {"ts": BEGIN.timestamp(), "uid": "C1", "id.orig_h": "203.0.113.7", "id.orig_p": 1, "id.resp_h": "10.0.0.2"}
    record |= {"id.resp_p": 25, "trans_depth": 1, "helo": "x", "mailfrom": THEIRS, "rcptto": names}  # as of smtp.log
    (tmp_path / "smtp.log").write_text(json.dumps(record) + "\n", encoding="utf-8")
    pointer = Pointer(kind="domain", name=DOMAIN, named=frozenset({DOMAIN}), told=frozenset())
    sought = addressees.search([Pointers(all=(pointer,), first_us=None, last_us=None)], tmp_path / "mail")
    assert sought is not None
    for events in collect.read(tmp_path / "smtp.log", sought.fields | ENVELOPE):
        sought.keep("000000", events)
    (one,) = addressees.read(sought).all
    assert one.recipients == names
    monkeypatch.setattr(mailings, "_MOST_BYTES", 0)
    for events in collect.read(tmp_path / "smtp.log", sought.fields | ENVELOPE):
        sought.keep("000000", events)
    assert (len(addressees.read(sought).all), addressees.read(sought).cut) == (1, 1)  # what is not kept is counted


def test_what_is_read_into_memory_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = Pointer(kind="domain", name=DOMAIN, named=frozenset({DOMAIN}), told=frozenset())
    sought = addressees.search([Pointers(all=(pointer,), first_us=0, last_us=9)], tmp_path / "mail")
    assert sought is not None
    line = msgspec.json.encode(_mailing(-5, THEIRS, _to(*NAMES))) + b"\n"
    for number in range(4):
        (sought.folder / f"{number:06}").write_bytes(line)
    assert (len(addressees.read(sought).all), addressees.read(sought).cut) == (4, 0)
    monkeypatch.setattr(mailings, "MOST_BYTES", len(line) * 2)
    met = addressees.read(sought)
    assert (len(met.all), met.cut) == (2, 2)
    pointer = replace(pointer, named=frozenset({THEIRS}))
    here = Pointers(all=(pointer,), first_us=FOUND, last_us=FOUND)
    (one,) = addressees.told([_incident()], [here], met.all, (), {}, met.cut)
    assert any(sentence.startswith("mail: 2 records") for sentence in one.not_seen)


@pytest.mark.parametrize("left", [b"", b'["f","p"', b"\xff\xfe"])
def test_what_a_worker_left_half_written_is_not_read(tmp_path: Path, left: bytes) -> None:
    pointer = Pointer(kind="domain", name="a.example", named=frozenset({"a.example"}), told=frozenset())
    sought = addressees.search([Pointers(all=(pointer,), first_us=0, last_us=9)], tmp_path / "mail")
    assert sought is not None
    (sought.folder / "000000").write_bytes(left)
    assert addressees.read(sought).all == ()
    assert addressees.search([Pointers(all=(), first_us=0, last_us=9)], tmp_path / "none") is None
