"""What was found of an account of a cloud that was used from where a machine was taken is of that incident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from investigate.made import DAY, RULES, Happened, rule, told
from tocsin.investigate import frames, gather, read
from tocsin.investigate.kept import frames_in
from tocsin.investigate.normal import address
from tocsin.model.event import Column, Events, RawRecords, Source
from tocsin.model.incident import Incident

AIMS = tuple(replace(one, tactics=("credential-access",)) if one.id == "high-1" else one for one in RULES)
THEIRS, OTHER, HOME = "203.0.113.9", "203.0.113.77", "203.0.113.200"
WHO = "mere@house.example"
APP = "fb64ec23-cbab-4998-9e6b-4f6208a6e59c"
TOOK = Happened(at=2 * DAY, host="web", rules=(rule("high"), rule("high", 1)), roles={"peer_address": THEIRS})


def cloud(at: float, whence: str, level: int | None = None, who: str = WHO, **roles: str) -> Happened:
    rules = () if level is None else (level,)
    told_of = {"principal": who, "address": whence, **roles}
    return Happened(at=int(at * DAY), host="", kind="m365", rules=rules, act="use", path="audit.json", roles=told_of)


BEFORE = cloud(1, HOME)  # what is new needs a time before
USED = cloud(5, THEIRS)
FOUND = cloud(5.01, OTHER, rule("medium", 2))


def gathered(happened: list[Happened], folder: Path) -> tuple[Incident, ...]:
    findings, traces = told([BEFORE, *happened], folder)
    return gather(findings, AIMS, traces)


def test_another_address_of_the_account_within_the_hour_is_theirs(tmp_path: Path) -> None:
    (one,) = gathered([TOOK, USED, FOUND], tmp_path)
    (said,) = [join for join in one.joins if "used from" in join.because]
    assert f"{WHO} was used from {THEIRS}, an address that is in what took a machine" in said.because
    assert said.via


@pytest.mark.parametrize(
    "happened",
    [
        [TOOK, FOUND],
        [TOOK, USED, replace(FOUND, at=int(5.1 * DAY))],  # hours later: its owner is at work
        [TOOK, USED, cloud(5.01, OTHER, rule("medium", 2), who="hana@house.example")],
        [TOOK, USED, FOUND, cloud(1, OTHER)],  # where its owner had come from before
        [TOOK, cloud(1.9, THEIRS), replace(FOUND, at=int(1.91 * DAY))],  # before anything was found of that address
        [TOOK, cloud(33, THEIRS), replace(FOUND, at=int(33.01 * DAY))],
        [replace(TOOK, rules=(rule("high"),)), USED, FOUND],
        [TOOK, USED, FOUND, *(cloud(1 + n / 24, THEIRS, who=f"p{n}@house.example") for n in range(9))],  # a house's
    ],
)
def test_not_without_a_use_nor_at_another_time_nor_of_others(tmp_path: Path, happened: list[Happened]) -> None:
    assert len(gathered(happened, tmp_path)) == 2


def test_an_account_that_two_intruders_use_makes_them_no_one(tmp_path: Path) -> None:
    """It goes to the one that it is nearest to in time."""
    second = replace(TOOK, host="mail", at=int(2.5 * DAY), roles={"peer_address": "203.0.113.10"})
    also = replace(FOUND, at=int(5.02 * DAY), roles={**FOUND.roles, "address": "203.0.113.78"})
    tied = replace(FOUND, at=int(5.015 * DAY), rules=(rule("medium", 1),))
    for happened in ([FOUND, also, tied], [FOUND, tied]):
        found = gathered([TOOK, second, USED, cloud(5.018, "203.0.113.10"), *happened], tmp_path)
        assert sorted(seen.name for one in found if one.hosts for seen in one.hosts) == ["mail", "web"]
        assert sum(bool(one.hosts) for one in found) == 2


def test_twenty_mailboxes_read_from_one_server_do_not_make_it_everybodys(tmp_path: Path) -> None:
    crowd = [cloud(5 + n / 24, THEIRS, who=f"p{n}@house.example") for n in range(20)]
    assert len(gathered([TOOK, USED, FOUND, *crowd], tmp_path)) == 1


def test_an_account_of_which_nothing_was_kept_before_comes_from_nowhere_new(tmp_path: Path) -> None:
    """Logs of a cloud often reach back for days only, those of machines for months."""
    early = Happened(at=0, host="db", act="start")
    for known, count in (([], 2), ([cloud(4.5, HOME)], 2), ([cloud(3.9, HOME)], 1)):
        findings, traces = told([early, TOOK, *known, USED, FOUND], tmp_path)
        assert len(gather(findings, AIMS, traces)) == count


def test_two_intruders_who_used_one_account_are_two(tmp_path: Path) -> None:
    second = "198.51.100.7"
    took = Happened(at=3 * DAY, host="db", rules=TOOK.rules, roles={"peer_address": second})
    again = cloud(5.51, "203.0.113.78", rule("medium", 3))
    found = gathered([TOOK, took, USED, FOUND, cloud(5.5, second), again], tmp_path)
    assert sorted(len(one.findings) for one in found) == [2, 4]


def test_uses_by_others_take_no_room_and_uses_leave_room_for_what_machines_did(tmp_path: Path) -> None:
    others = [cloud(1 + n / 1000, HOME, who=f"p{n}@house.example") for n in range(500)]
    (tmp_path / "a").mkdir()
    told([TOOK, *others, USED, FOUND, cloud(5.02, "203.0.113.78", who="hana@house.example")], tmp_path / "a")
    starts = [Happened(at=3 * DAY + n, host="web", act="start", path="web.json") for n in range(50)]
    (tmp_path / "b").mkdir()
    told(starts, tmp_path / "b")
    traces = read([tmp_path / "a" / "traces", tmp_path / "b" / "traces"], most=50)
    assert (int(traces.acts("start").sum()), int((traces.acts("use") & ~traces.found).sum())) == (50, 1)
    assert traces.left_out == 0
    used = [replace(USED, at=USED.at + n) for n in range(11) if USED.at is not None]
    told([TOOK, FOUND, *used], tmp_path / "a")
    traces = read([tmp_path / "a" / "traces", tmp_path / "b" / "traces"], most=50)
    assert int(traces.acts("start").sum()) == 50
    assert traces.left_out == 1


CONSENT = cloud(4, HOME, rule("medium", 3), let_in=APP)
ACTS = cloud(6, THEIRS, application=APP)


def test_an_application_that_acts_from_there_brings_its_consent(tmp_path: Path) -> None:
    (one,) = gathered([TOOK, CONSENT, ACTS], tmp_path)
    assert any(f"by application {APP}" in join.because for join in one.joins)


@pytest.mark.parametrize(
    "happened",
    [
        [replace(ACTS, at=19 * DAY)],
        [cloud(6, THEIRS, application=APP.replace("f", "a"))],
        [cloud(6, HOME, application=APP)],
        [ACTS, *(cloud(3 + n / 24, HOME, who=f"p{n}@house.example", application=APP) for n in range(9))],  # everybody's
    ],
)
def test_not_of_another_nor_from_elsewhere_nor_one_in_service(tmp_path: Path, happened: list[Happened]) -> None:
    assert len(gathered([TOOK, CONSENT, *happened], tmp_path)) == 2


def test_where_its_owner_gave_consent_is_not_where_the_intruder_is(tmp_path: Path) -> None:
    """Who else comes from that house, and then from a hotel, is in nobody's hand."""
    hana = "hana@house.example"
    travels = [cloud(1, HOME, who=hana), cloud(7, HOME, who=hana), cloud(7.02, OTHER, rule("medium", 2), who=hana)]
    assert len(gathered([CONSENT, ACTS, TOOK, *travels], tmp_path)) == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [("192.0.2.1:443", "192.0.2.1"), ("[2001:db8::1]:443", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"), ("1:2", "")],
)
def test_a_client_is_known_with_its_port(written: str, meant: str) -> None:
    assert address(written) == meant


def table(kind: str, hours: list[float], **columns: list[str | None]) -> Events:
    def column(texts: list[str | None]) -> Column:
        values = [None, None, *dict.fromkeys(text for text in texts if text)]
        return Column(codes=np.array([values.index(text) for text in texts], np.int32), values=values)

    return Events(
        kind=kind,
        sources=(Source(path="x"),),
        ts=np.array([int(hour * 3_600_000_000) for hour in hours]),
        src=np.zeros(len(hours), np.int32),
        rec=np.arange(len(hours)),
        chunk=np.full(len(hours), -1),
        raw=RawRecords(),
        columns={name: column(texts) for name, texts in columns.items()},
        fields_of=(),
    )


def kept(events: Events, folder: Path) -> list[int]:
    """What a worker sets down: more than is read, since of uses only those are that name what was found."""
    path = folder / "traces"
    path.write_bytes(b"".join(frames(events, np.zeros(0, np.int64))))
    return sorted(
        rec for frame in frames_in([path], found=False) for rec in np.frombuffer(frame.rec, np.int64).tolist()
    )


def test_workers_keep_the_first_use_of_an_hour_from_outside(tmp_path: Path) -> None:
    who: list[str | None] = [WHO, WHO, WHO, "hana@house.example", WHO, None]
    whence: list[str | None] = [f"{THEIRS}:4711", f"{THEIRS}:4712", THEIRS, THEIRS, "10.0.0.7", THEIRS]
    seen = table("m365", [0.1, 0.2, 1.3, 0.3, 0.4, 0.5], UserId=who, ClientIP=whence)
    assert kept(seen, tmp_path) == [0, 2, 3]


def test_a_wrong_password_is_no_use_of_an_account(tmp_path: Path) -> None:
    asked = {"userPrincipalName": [WHO, WHO], "callerIpAddress": [THEIRS, OTHER]}
    assert kept(table("azure", [0.1, 0.2], **asked, resultType=["50126", "0"]), tmp_path) == [1]
    asked = {"UserId": [WHO, WHO], "ClientIP": [THEIRS, OTHER]}
    assert kept(table("m365", [0.1, 0.2], **asked, Operation=["UserLoginFailed", "UserLoggedIn"]), tmp_path) == [1]
