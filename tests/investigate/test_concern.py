"""Whose machines and whom an incident touches: by names of machines, accounts and mailboxes, and never by a guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from investigate.weighing import BEGIN, accessed, audit, incident, weigh
from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.investigate.concern import concerned
from tocsin.model.asset import Assets
from tocsin.model.citation import Citation
from tocsin.model.concern import Touched
from tocsin.model.impact import Bounds, Claim, Impact
from tocsin.model.incident import Cited, Incident
from tocsin.model.person import People

ASSETS = """name,also,addresses,owner,authority,services,sensitivity,protected,criticality
MAIL01,mail01.parl.example,10.0.0.25,Mail team,Parliament,mail: members|webmail: members,sensitive,yes,critical
WS7,,,Help desk,Parliament,,internal,no,low
Office,,10.0.0.0/8,Net team,Parliament,,,,
Gateway A,,192.0.2.1,Net team,Parliament,,,,
Gateway B,,192.0.2.1,Net team,Parliament,,,,
"""
PEOPLE = """name;id;accounts;mailboxes;role;language;contact
Mere Ngata;1001;PARL\\mere;mere@parl.example;member;mi;+64 4 555 0101
John Smith;1002;PARL\\jsmith;john.smith@parl.example;clerk;en-NZ;room 2.14
John Smith;1003;PARL\\jsmith2;john.smith2@parl.example;member;en-NZ;
Office A;1004;PARL\\office;office@parl.example;office;en;
Office B;1005;PARL\\office;;office;en;
"""


def _lists(folder: Path) -> tuple[Assets, People]:
    (folder / "assets.csv").write_text(ASSETS, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    return read_assets(folder / "assets.csv")[0], read_people(folder / "people.csv")[0]


def _people(folder: Path, one: Incident) -> dict[str, Touched]:
    (told,) = concerned([one], *_lists(folder))
    return {person.id: person for person in told.people}


def _finding(**fields: str) -> Cited:
    at = Citation(src="", path="p", rec=1, chunk=-1, ts_us=BEGIN)
    return replace(incident().findings[0], fields=fields, at=at, kind="windows")


def test_hosts_have_their_assets_and_the_gravest_stand_first(tmp_path: Path) -> None:
    one = incident(hosts=("ws7.parl.example", "10.0.0.99", "mail01"), accounts=(), addresses=("192.0.2.1",))
    (told,) = concerned([one], *_lists(tmp_path))
    assert [(held.name, held.asset, held.by, held.one_of) for held in told.assets] == [
        ("mail01", "MAIL01", "name", 1),
        ("ws7.parl.example", "WS7", "name", 1),
        ("10.0.0.99", "Office", "address", 1),
        ("192.0.2.1", "Gateway A", "address", 2),
        ("192.0.2.1", "Gateway B", "address", 2),
    ]
    assert told.assets[0].services == ("mail: members", "webmail: members")
    assert told.assets[2].protected is None, "what the list leaves out is not no"
    assert [seen.name for seen in told.hosts] == ["mail01", "ws7.parl.example", "10.0.0.99"]
    assert told.because[-1] == "asset MAIL01: critical, protected"


def test_of_one_rank_those_that_reach_critical_assets_come_first(tmp_path: Path) -> None:
    loud = replace(incident(hosts=("ws7",), addresses=()), id="loud", score=900.0)
    grave = replace(incident(hosts=("mail01",), addresses=()), id="grave", score=40.0)
    queued = replace(incident(hosts=("mail01",), addresses=()), id="queued", rank="review")
    told = concerned([loud, grave, queued], *_lists(tmp_path))
    assert [one.id for one in told] == ["grave", "loud", "queued"]
    assert [one.id for one in concerned([loud, grave], Assets(), People())] == ["loud", "grave"]


def test_an_account_does_not_say_that_its_owner_acted(tmp_path: Path) -> None:
    told = _people(tmp_path, incident(accounts=("PARL\\jsmith",)))
    assert set(told) == {"1002"}, "the other John Smith is somebody else"
    assert told["1002"].how == "possibly reached"
    assert "does not say that its owner acted" in told["1002"].because[0]


def test_a_name_alone_finds_nobody(tmp_path: Path) -> None:
    assert not _people(tmp_path, incident(accounts=("jsmith", "John Smith", "OTHER\\jsmith")))


def test_whom_the_list_does_not_tell_apart_is_told_as_both(tmp_path: Path) -> None:
    told = _people(tmp_path, incident(accounts=("PARL\\office",)))
    assert {one.id: one.shared_with for one in told.values()} == {"1004": ("1005",), "1005": ("1004",)}


def test_targeted_is_less_than_reached(tmp_path: Path) -> None:
    mail = _finding(**{"recipient-address": "john.smith@parl.example"})
    failed = _finding(EventID="4625", TargetUserName="mere", Account="PARL\\mere")
    one = replace(incident(accounts=("PARL\\mere",)), findings=(mail, failed))
    told = _people(tmp_path, one)
    assert {person.id: person.how for person in told.values()} == {"1001": "targeted", "1002": "targeted"}
    assert told["1002"].evidence == (mail.at,)


def test_mail_that_was_read_and_mail_that_was_sent_on(tmp_path: Path) -> None:
    span = (audit("UserLoggedIn", 0), audit("UserLoggedIn", 61))
    logs = {"audit.json": "\n".join([*span, accessed("Bind", "a@x")])}
    one = incident()
    told = _people(tmp_path, replace(one, impact=weigh(tmp_path, logs, one)))
    assert told["1001"].how == "reached"
    sync = tmp_path / "sync"
    sync.mkdir()
    logs = {"audit.json": "\n".join([*span, accessed("Sync")])}
    assert _people(tmp_path, replace(one, impact=weigh(sync, logs, one)))["1001"].how == "possibly reached"
    left = Claim(
        stage="left",
        sort="mail",
        what="sent on",
        subject="mere@parl.example",
        unit="messages",
        amount=Bounds(lower=3),
        confidence="high",
        because="b",
    )
    assert _people(tmp_path, replace(one, impact=Impact(claims=(left,))))["1001"].how == "data left"


def test_a_copied_directory_touches_everybody_with_an_account(tmp_path: Path) -> None:
    copied = Claim(
        stage="left",
        sort="directory",
        what="copied",
        subject="x",
        unit="accounts",
        amount=Bounds(lower=1),
        confidence="high",
        because="b",
        names=("every account of the directory",),
    )
    told = _people(tmp_path, replace(incident(accounts=()), impact=Impact(claims=(copied,))))
    assert set(told) == {"1001", "1002", "1003", "1004", "1005"}
    assert {one.how for one in told.values()} == {"possibly reached"}
    unsure = replace(copied, confidence="low")
    assert not _people(tmp_path, replace(incident(accounts=()), impact=Impact(claims=(unsure,))))


def test_a_copied_directory_is_that_of_its_domain(tmp_path: Path) -> None:
    copied = Claim(
        stage="accessed",
        sort="directory",
        what="copied",
        subject="dc01",
        unit="accounts",
        amount=Bounds(lower=1),
        confidence="high",
        because="b",
        host="dc01.parl.example",
        account="ELSEWHERE\\admin",
        names=("every account of the directory",),
    )
    one = incident(accounts=())
    assert set(_people(tmp_path, replace(one, impact=Impact(claims=(copied,))))) < {
        "1001",
        "1002",
        "1003",
        "1004",
        "1005",
    }
    everybody = replace(copied, account="NT AUTHORITY\\SYSTEM")
    assert len(_people(tmp_path, replace(one, impact=Impact(claims=(everybody,))))) == 5


def test_order_changes_nothing(tmp_path: Path) -> None:
    one = incident(accounts=("PARL\\jsmith", "PARL\\mere"))
    other = replace(one, accounts=tuple(reversed(one.accounts)))
    assert list(_people(tmp_path, one)) == list(_people(tmp_path, other))
