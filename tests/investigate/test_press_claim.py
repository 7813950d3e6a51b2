"""What somebody said was taken, against evidence made by hand in the forms that sensors and Microsoft 365 write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from investigate.weighing import BEGIN, MINUTE, at, audit, incident, windows, zeek
from tocsin import collect, investigate
from tocsin.investigate import impact
from tocsin.model.asset import Asset, Assets
from tocsin.model.incident import Incident
from tocsin.model.kind import ENVELOPE
from tocsin.model.person import People, Person
from tocsin.model.press import Judged, Part, PressClaim, What

DAY = 24 * 60
HOST = "archive01.parl.example"
OUTSIDE = "203.0.113.9"
ASSETS = Assets(
    [
        Asset(name=HOST, addresses=("10.0.0.5",), authority="Parliament"),
        Asset(name="mail.parl.example", addresses=("198.51.100.1",), authority="Parliament"),
    ]
)


def minute(moment: float) -> int:
    return int(BEGIN + moment * MINUTE)


def part(
    what: What = "files",
    *,
    size: int | None = 10**12,
    mailboxes: int | None = None,
    host: str = HOST,
    minutes: tuple[float, float] | None = (0, 8 * 60),
) -> Part:
    return Part(
        id="p",
        says="All of it",
        what=what,
        bytes=size,
        mailboxes=mailboxes,
        host=host,
        from_us=None if minutes is None else minute(minutes[0]),
        until_us=None if minutes is None else minute(minutes[1]),
    )


def judge(
    folder: Path,
    logs: Mapping[str, str],
    of: Part,
    *,
    assets: Assets = ASSETS,
    people: People | None = None,
    incidents: Sequence[Incident] = (),
    lost: Sequence[str] = (),
) -> tuple[Judged, tuple[Incident, ...]]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in logs.items():
        (folder / name).write_text(text, encoding="utf-8")
    claim = PressClaim(
        id="c", claimed_us=minute(3 * DAY), by="Somebody", where="a site", authority="Parliament", parts=(of,)
    )
    fields = impact.FIELDS | ENVELOPE | investigate.FIELDS
    tables = [events for name in logs for events in collect.read(folder / name, fields)]
    traced = folder / "traced"
    traced.write_bytes(b"".join(one for events in tables for one in investigate.frames(events, np.zeros(0, np.int64))))
    traces = investigate.read([traced])
    asked = impact.asked(claim, impact.addresses_of(traces), assets)
    scenes = impact.scenes(incidents, traces, assets)
    (folder / "looked").mkdir()
    kept = impact.Kept(folder=folder / "looked").made()
    for number, events in enumerate(tables):
        impact.keep(kept, f"{number:06}", events, impact.around(scenes), asked)
    evidence = impact.read(kept, lost=lost, digests={}, seen=())
    weighed = impact.assess(incidents, scenes, evidence, assets)
    (judged,), told = impact.judge(asked, evidence, weighed, people or People())
    return judged, told


def flows(*, every: int = 30, until: int = 3 * DAY, source: str = "10.0.0.5", sent: int = 1_000) -> list[str]:
    """What a machine sends to the outside all day, from a day before."""
    return [zeek(moment, "198.51.100.77", sent, source=source) for moment in range(-DAY - 30, until + 30, every)]


def text(lines: Sequence[str]) -> str:
    return "".join(line + "\n" for line in lines)


# --------------------------------------------------------------------------------- bytes of a machine


def test_a_machine_that_sent_far_less_contradicts(tmp_path: Path) -> None:
    judged, _ = judge(tmp_path, {"conn.log": text(flows())}, part())
    assert judged.verdict == "contradicted"
    assert "from archive01.parl.example to the outside" in judged.because[0]
    assert judged.evidence
    assert any("no part" in line or "not seen" in line for line in judged.not_seen)


def test_a_machine_that_sent_as_much_does_not(tmp_path: Path) -> None:
    judged, _ = judge(tmp_path, {"conn.log": text([*flows(), zeek(60, OUTSIDE, 2 * 10**11)])}, part())
    assert judged.verdict == "not known"


def test_what_left_before_it_was_packed_away_may_be_a_tenth(tmp_path: Path) -> None:
    logs = {"conn.log": text([*flows(), zeek(60, OUTSIDE, 10**11)])}
    assert judge(tmp_path, logs, part())[0].verdict == "not known"


def test_bytes_that_a_client_fetched_from_it_count(tmp_path: Path) -> None:
    logs = {"conn.log": text([*flows(), zeek(60, "10.0.0.5", 100, 3 * 10**11, source=OUTSIDE)])}
    assert judge(tmp_path, logs, part())[0].verdict == "not known"


def test_a_connection_that_began_before_may_still_have_carried_it(tmp_path: Path) -> None:
    logs = {"conn.log": text([*flows(), zeek(-300, OUTSIDE, 10**12)])}
    assert judge(tmp_path, logs, part())[0].verdict == "not known"


def test_what_another_machine_can_have_passed_on_counts(tmp_path: Path) -> None:
    over = [zeek(60, "10.0.0.8", 10**12), zeek(DAY, OUTSIDE, 10**12, source="10.0.0.8")]
    assert judge(tmp_path / "a", {"conn.log": text([*flows(), *over])}, part())[0].verdict == "not known"
    judged, _ = judge(tmp_path / "b", {"conn.log": text([*flows(), over[0]])}, part())
    assert judged.verdict == "contradicted"


@pytest.mark.parametrize(
    "logs",
    [
        pytest.param({"log": windows(4624, 10, host=HOST)}, id="no flows at all"),
        pytest.param({"conn.log": text(flows(source="10.0.0.6"))}, id="flows of others alone"),
        pytest.param({"conn.log": text([zeek(10, "10.0.0.9", 5), *flows(until=-60)])}, id="the log ends before"),
        pytest.param({"conn.log": text(flows()[60:])}, id="the log begins after"),
        pytest.param({"conn.log": text([*flows(until=60), *flows()[-110:]])}, id="the log is silent for hours"),
        pytest.param(
            {"conn.log": text([zeek(m, "10.0.0.9", 5) for m in range(-DAY - 30, 3 * DAY, 30)])}, id="inside alone"
        ),
        pytest.param({"conn.log": text([*flows(), zeek(60, OUTSIDE, None, None)])}, id="bytes that nobody counted"),
    ],
)
def test_a_log_that_is_not_there_contradicts_nothing(tmp_path: Path, logs: dict[str, str]) -> None:
    judged, _ = judge(tmp_path, logs, part())
    assert judged.verdict == "not known"
    assert judged.because


def test_a_machine_without_an_address_is_not_known(tmp_path: Path) -> None:
    judged, _ = judge(tmp_path, {"conn.log": text(flows())}, part(host="other.parl.example"))
    assert judged.verdict == "not known"
    assert "address" in judged.because[0]


def test_what_could_not_be_read_again_contradicts_nothing(tmp_path: Path) -> None:
    judged, _ = judge(tmp_path, {"conn.log": text(flows())}, part(), lost=["standard input"])
    assert judged.verdict == "not known"
    assert "could not be read" in judged.because[0]


def test_a_claim_without_a_machine_needs_all_machines_of_the_authority(tmp_path: Path) -> None:
    one = {"conn.log": text(flows())}
    assert judge(tmp_path / "a", one, part(host=""))[0].verdict == "not known"
    both = {"conn.log": text([*flows(), *flows(source="198.51.100.1")])}
    assert judge(tmp_path / "b", both, part(host=""))[0].verdict == "contradicted"


def test_a_claim_without_a_time_needs_an_incident_that_the_logs_begin_before(tmp_path: Path) -> None:
    logs = {"conn.log": text(flows(until=4 * DAY))}
    assert judge(tmp_path / "a", logs, part(minutes=None))[0].verdict == "not known"
    early = incident(minutes=(-2 * DAY, 0))
    assert judge(tmp_path / "b", logs, part(minutes=None), incidents=[early])[0].verdict == "not known"
    assert judge(tmp_path / "c", logs, part(minutes=None), incidents=[incident()])[0].verdict == "contradicted"


def test_it_stands_with_the_incident_of_its_machine(tmp_path: Path) -> None:
    other = replace(incident(hosts=("ws1",)), id="other")
    _, told = judge(tmp_path, {"conn.log": text(flows())}, part(), incidents=[other, incident(hosts=("archive01",))])
    assert [len(one.claims) for one in told] == [0, 1]


# --------------------------------------------------------------------------------- mailboxes


BOXES = [f"m{number:02}@parl.example" for number in range(20)]
PEOPLE = People([Person(id=box, name=box, mailboxes=(box,)) for box in BOXES])


def read(mailbox: str, moment: float, client: str = "198.51.100.1", *, kind: str = "Bind", by: str = "") -> str:
    return audit(
        "MailItemsAccessed",
        moment,
        MailboxOwnerUPN=mailbox,
        UserId=by or mailbox,
        LogonType=1 if by else 0,
        ClientIP=client,
        ClientIPAddress=client,
        OperationProperties=[{"Name": "MailAccessType", "Value": kind}, {"Name": "IsThrottled", "Value": "False"}],
        Folders=[
            {"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": f"<{mailbox}.{moment}>", "SizeInBytes": 900}]}
        ],
    )


def office(boxes: Sequence[str] = tuple(BOXES), days: Sequence[int] = tuple(range(-2, 4))) -> list[str]:
    return [read(box, day * DAY + 60, kind="Sync") for day in days for box in boxes]


def mails(count: int = 10, size: int | None = None) -> Part:
    return part("mailboxes", size=size, mailboxes=count, host="", minutes=(0, 2 * DAY))


def test_audit_of_all_mailboxes_that_shows_fewer_contradicts(tmp_path: Path) -> None:
    logs = {"audit.jsonl": text([*office(), *(read(box, 100, OUTSIDE) for box in BOXES[:3])])}
    judged, _ = judge(tmp_path, logs, mails(), people=PEOPLE, incidents=[incident(accounts=())])
    assert judged.verdict == "contradicted"
    assert "20 of 20" in judged.because[0]
    assert len(judged.evidence) == 3


def test_audit_that_shows_as_many_is_consistent(tmp_path: Path) -> None:
    logs = {"audit.jsonl": text([*office(), *(read(box, 100, OUTSIDE) for box in BOXES[:10])])}
    judged, _ = judge(tmp_path, logs, mails(10), people=PEOPLE, incidents=[incident(accounts=())])
    assert judged.verdict == "consistent"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no audit"),
        pytest.param(office(BOXES[:10]), id="audit of half of the mailboxes"),
        pytest.param(office(days=range(1, 4)), id="audit that begins late"),
        pytest.param(office(days=range(-2, 1)), id="audit that ends early"),
        pytest.param([*office(), audit("Set-MailboxAuditBypassAssociation", 10)], id="audit that was turned off"),
        pytest.param([*office(), audit("New-MailboxExportRequest", 10)], id="mailboxes that were exported"),
        pytest.param([*office(), *(read(box, 100, f"192.0.2.{n}") for n, box in enumerate(BOXES))], id="strangers"),
        pytest.param([*office(), *(read(box, 100, by="x@parl.example") for box in BOXES)], id="somebody with rights"),
    ],
)
def test_audit_with_a_hole_contradicts_nothing(tmp_path: Path, lines: list[str]) -> None:
    judged, _ = judge(tmp_path, {"audit.jsonl": text(lines)}, mails(), people=PEOPLE)
    assert judged.verdict == "not known"


def test_without_a_list_of_mailboxes_nobody_can_tell(tmp_path: Path) -> None:
    judged, _ = judge(tmp_path, {"audit.jsonl": text(office())}, mails())
    assert judged.verdict == "not known"
    assert "--people" in judged.because[0]


def test_single_messages_are_not_the_mail_of_a_mailbox(tmp_path: Path) -> None:
    logs = {"audit.jsonl": text([*office(), *(read(box, 100, f"192.0.2.{n}") for n, box in enumerate(BOXES))])}
    assert judge(tmp_path / "a", logs, mails(size=10**11), people=PEOPLE)[0].verdict == "contradicted"
    whole = [read(box, 100, f"192.0.2.{n}", kind="Sync") for n, box in enumerate(BOXES)]
    logs = {"audit.jsonl": text([*office(), *whole])}
    assert judge(tmp_path / "b", logs, mails(size=10**11), people=PEOPLE)[0].verdict == "not known"


# --------------------------------------------------------------------------------- whatever is taken away

_SILENCE = 4 * 60 + 30
_big = st.builds(
    lambda moment, there, size, source: zeek(moment, there, size, source=source),
    st.integers(-DAY, 3 * DAY),
    st.sampled_from((OUTSIDE, "10.0.0.8")),
    st.none() | st.sampled_from((10**10, 10**11, 10**12)),
    st.sampled_from(("10.0.0.5", "10.0.0.8")),
)


def _is_gone(line: str, since: float, until: float) -> bool:
    told = json.loads(line)
    return at(since) <= (told.get("ts") or told["CreationTime"] + ".000000Z") < at(until)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    more=st.lists(_big, max_size=4),
    since=st.integers(-DAY - 60, 3 * DAY),
    long=st.integers(_SILENCE, 6 * DAY),
    head=st.booleans(),
)
def test_logs_that_are_taken_away_never_contradict(
    tmp_path_factory: pytest.TempPathFactory, more: list[str], since: int, long: int, head: bool
) -> None:
    """Hours of a log, its beginning, its end, or all of it."""
    folder = tmp_path_factory.mktemp("gone")
    lines = [*flows(until=3 * DAY + 60), *more]
    before, _ = judge(folder / "all", {"log": text(lines)}, part())
    begins = -10 * DAY if head else since
    kept = [line for line in lines if not _is_gone(line, begins, since + long)]
    after, _ = judge(folder / "fewer", {"log": text(kept or [windows(4624, 1)])}, part())
    assert not (before.verdict == "not known" and after.verdict == "contradicted")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    strange=st.integers(0, 20),
    whose=st.sets(st.sampled_from(BOXES), max_size=20),
    since=st.integers(-3, 3),
    long=st.integers(5, 9),
)
def test_audit_that_is_taken_away_never_contradicts(
    tmp_path_factory: pytest.TempPathFactory, strange: int, whose: set[str], since: int, long: int
) -> None:
    """The audit of some mailboxes, or of days."""
    folder = tmp_path_factory.mktemp("gone")
    lines = [*office(), *(read(box, 100, f"192.0.2.{n}") for n, box in enumerate(BOXES[:strange]))]
    before, _ = judge(folder / "all", {"log": text(lines)}, mails(), people=PEOPLE)
    kept = [line for line in lines if not any(f'"{box}"' in line for box in whose)]
    kept = [line for line in kept if not _is_gone(line, since * DAY, (since + long) * DAY)]
    after, _ = judge(folder / "fewer", {"log": text(kept or [windows(4624, 1)])}, mails(), people=PEOPLE)
    assert not (before.verdict == "not known" and after.verdict == "contradicted")
