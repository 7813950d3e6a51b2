"""What a server of ours answers: to visitors, of whom a finding may be no more than a name, and to an intruder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from investigate.weighing import BEGIN, MINUTE, SYSMON, at, incident, only, weigh, windows, zeek
from tocsin.model.asset import Asset, Assets
from tocsin.model.citation import Citation
from tocsin.model.impact import Bounds, Claim
from tocsin.model.incident import Cited, Incident

THERE = "203.0.113.9"  # whom findings of the incident name
WEB = "10.0.0.5"
SPAN = (zeek(0, "10.0.0.9", 1), zeek(61, "10.0.0.9", 1))
PACKS = windows(
    1, 2, channel=SYSMON, Image="C:\\7z.exe", CommandLine="7z a C:\\www\\out.7z C:\\docs", User="PARL\\mere"
)
MADE = windows(11, 2, channel=SYSMON, TargetFilename="C:\\www\\out.7z", Image="C:\\7z.exe", User="PARL\\mere")
STAGED = f"{PACKS}\n{MADE}\n"


def asked(path: str, size: int, minute: int = 5, *, who: str = THERE, status: int = 200) -> str:
    when = f"01/Jun/2026:{12 + minute // 60}:{minute % 60:02}:00 +0000"
    return f'{who} - - [{when}] "GET {path} HTTP/1.1" {status} {size} "-" "curl/8"\n'


ACCESS = asked("/", 5, 0, who="10.0.0.9"), asked("/", 5, 61, who="10.0.0.9")


def access_log(*lines: str) -> str:
    return ACCESS[0] + "".join(lines) + ACCESS[1]


def flow(source: str, came: int, minute: float = 5, *, sensor: str = "zeek") -> dict[str, str]:
    """A connection to our server as three kinds of sensors write it; the log reaches over the whole incident."""
    if sensor == "zeek":
        return {"conn.log": "\n".join((SPAN[0], zeek(minute, WEB, 300, came, source=source), SPAN[1])) + "\n"}
    if sensor == "suricata":
        lines = [_suricata(source, came, minute), _suricata("10.0.0.9", 1, 0), _suricata("10.0.0.9", 1, 61)]
        return {"eve.json": "\n".join(lines) + "\n"}
    lines = [_firewall(source, came, minute), _firewall("10.0.0.9", 1, 0), _firewall("10.0.0.9", 1, 61)]
    return {"fw.log": "\n".join(lines) + "\n"}


def _suricata(source: str, came: int, minute: float) -> str:
    ends = {"src_ip": source, "src_port": 50_000, "dest_ip": WEB, "dest_port": 443}
    counts = {"bytes_toserver": 300, "bytes_toclient": came}
    return json.dumps({"timestamp": at(minute), "event_type": "flow", "flow_id": came, **ends, "flow": counts})


def _firewall(source: str, came: int, minute: float) -> str:
    us = int(BEGIN + minute * MINUTE)
    return (
        f'date=2026-06-01 time=12:{int(minute) % 60:02}:01 devname="edge" devid="FG1" eventtime={us}000 tz="+0000" '
        'logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" '
        f'srcip={source} srcport=50000 dstip={WEB} dstport=443 sessionid={came} proto=6 action="accept" '
        f"sentbyte=300 rcvdbyte={came}"
    )


def found(of: Incident, *findings: Mapping[str, Any]) -> Incident:
    """The incident with these findings besides its own."""
    told = tuple(
        Cited(
            rule_id="x",
            title="x",
            level=one.get("level", "high"),
            techniques=one.get("techniques", ()),
            tactics=one.get("tactics", ()),
            host="FS01",
            kind=one.get("kind", "windows"),
            at=Citation(
                src="", path=one.get("path", "nowhere"), rec=one.get("rec", 7), chunk=-1, ts_us=BEGIN + 3 * MINUTE
            ),
            fields=one.get("fields", {}),
        )
        for one in findings
    )
    return replace(of, findings=(*of.findings, *told))


def record(folder: Path, name: str, offset: int = len(ACCESS[0])) -> dict[str, Any]:
    """Where the second record of a log lies."""
    return {"path": str(folder / "evidence" / name), "rec": offset}


def left(folder: Path, logs: Mapping[str, str], of: Incident | None = None, *, subject: str = THERE) -> Claim:
    return only(weigh(folder, logs, of or incident()), sort="network", subject=subject)


# ----------------------------------------------------------------------------------------- visitors


@pytest.mark.parametrize("sensor", ["zeek", "suricata", "firewall"])
def test_what_a_visitor_gets_is_bounded_above_and_no_more(tmp_path: Path, sensor: str) -> None:
    claim = left(tmp_path, flow(THERE, 70_000, sensor=sensor))
    assert claim.amount == Bounds(lower=0, upper=70_000)
    assert claim.confidence == "low"
    assert claim.answers
    assert "no record shows that the answer was more" in claim.because


@pytest.mark.parametrize("path", ["/", "/about.html", "/files/annual-report.pdf", "/download/client.zip"])
def test_pages_and_public_files_are_not_taken(tmp_path: Path, path: str) -> None:
    claim = left(tmp_path, {"access.log": access_log(asked(path, 70_000))})
    assert claim.amount == Bounds(lower=0, upper=70_000)
    assert claim.confidence == "low"


def test_an_attempt_that_was_answered_with_a_page_took_nothing(tmp_path: Path) -> None:
    """Many sites give their first page to whatever question: a rule that reads the question alone says no more."""
    log = access_log(asked("/?cmd=whoami", 70_000))
    for told in (
        {"tactics": ("initial-access",), "techniques": ("T1190",)},
        {"tactics": ("persistence",), "techniques": ("T1505.003",)},
    ):
        folder = tmp_path / told["techniques"][0]
        folder.mkdir()
        fields = {"cs-uri-query": "cmd=whoami"}
        of = found(incident(), {**told, "kind": "webserver", **record(folder, "access.log"), "fields": fields})
        assert left(folder, {"access.log": log}, of).amount == Bounds(lower=0, upper=70_000)


def test_visitors_that_no_finding_names_are_one_line(tmp_path: Path) -> None:
    lines = [zeek(5 + at_, WEB, 300, 1_000, source=f"198.51.100.{at_}") for at_ in range(1, 30)]
    told = weigh(tmp_path, {"conn.log": "\n".join((SPAN[0], *lines, SPAN[1])) + "\n"}, incident())
    claim = only(told, sort="network")
    assert claim.amount == Bounds(lower=0, upper=29_000)
    assert claim.answers
    assert claim.subject == "29 other visitors"
    assert len(claim.names) == 29


def test_what_a_server_refuses_is_no_answer(tmp_path: Path) -> None:
    logs = {"access.log": access_log(asked("/out.7z", 70_000, status=404)), "sysmon.json": STAGED}
    assert left(tmp_path, logs).amount.lower == 0


# ----------------------------------------------------------------------------------------- intruders


def test_an_archive_that_was_packed_for_it_is_taken(tmp_path: Path) -> None:
    lines = asked("/img/out.7z", 70_000), asked("/", 4_000, 6)
    claim = left(tmp_path, {"access.log": access_log(*lines), "sysmon.json": STAGED})
    assert claim.amount == Bounds(lower=70_000, upper=74_000)
    assert claim.confidence == "moderate"
    assert not claim.answers


def test_an_archive_is_taken_in_parts_and_under_an_encoded_name(tmp_path: Path) -> None:
    parts = asked("/img/ou%74.7z", 30_000, status=206), asked("/img/OUT.7z?x=1", 40_000, 7, status=206)
    claim = left(tmp_path, {"access.log": access_log(*parts), "sysmon.json": STAGED})
    assert claim.amount.lower == 70_000


def test_an_archive_that_was_there_for_all_before_is_not_taken(tmp_path: Path) -> None:
    public = [asked("/out.7z", 70_000, 1, who=f"198.51.100.{number}") for number in range(1, 12)]
    of = found(incident(), {"fields": {"TargetFilename": "C:\\www\\out.7z"}})
    claim = left(tmp_path, {"access.log": access_log(*public, asked("/out.7z", 70_000))}, of)
    assert claim.amount == Bounds(lower=0, upper=70_000)


def test_many_who_fetch_it_afterwards_make_it_no_public_file(tmp_path: Path) -> None:
    after = [asked("/out.7z", 70_000, 6, who=f"198.51.100.{number}") for number in range(1, 12)]
    of = found(incident(), {"fields": {"TargetFilename": "C:\\www\\out.7z"}})
    claim = left(tmp_path, {"access.log": access_log(*after, asked("/out.7z", 70_000))}, of)
    assert claim.amount == Bounds(lower=70_000, upper=70_000)


def test_a_request_before_the_archive_was_packed_took_another(tmp_path: Path) -> None:
    packed_late = STAGED.replace(at(2), at(50))
    claim = left(tmp_path, {"access.log": access_log(asked("/out.7z", 70_000)), "sysmon.json": packed_late})
    assert claim.amount.lower == 0


def test_another_address_fetches_what_was_packed(tmp_path: Path) -> None:
    """Few do, so that it is no public file; whoever they are, it left."""
    of = found(incident(), {"fields": {"TargetFilename": "C:\\www\\out.7z"}})
    log = access_log(asked("/out.7z", 70_000, who="198.51.100.66"))
    assert left(tmp_path, {"access.log": log}, of, subject="198.51.100.66").amount == Bounds(lower=70_000, upper=70_000)


@pytest.mark.parametrize("sensor", ["zeek", "suricata"])
def test_a_sensor_s_own_log_of_requests_says_it(tmp_path: Path, sensor: str) -> None:
    logs = flow(THERE, 75_000, sensor=sensor)
    if sensor == "zeek":
        ends = {"id.orig_h": THERE, "id.orig_p": 50_000, "id.resp_h": WEB, "id.resp_p": 443}
        request = {"_path": "http", "ts": at(5), "uid": f"C5{WEB}", **ends, "method": "GET", "uri": "/out.7z"}
        logs["http.log"] = json.dumps(request | {"status_code": 200, "response_body_len": 70_000}) + "\n"
    else:
        ends = {"src_ip": THERE, "src_port": 50_000, "dest_ip": WEB, "dest_port": 443}
        http = {"hostname": "www", "url": "/out.7z", "status": 200, "length": 70_000}
        request = {"timestamp": at(5), "event_type": "http", "flow_id": 75_000, **ends, "http": http}
        logs["eve.json"] += json.dumps(request) + "\n"
    claim = left(tmp_path, {**logs, "sysmon.json": STAGED})
    assert claim.amount == Bounds(lower=70_000, upper=75_000)


def test_two_requests_on_one_connection_are_both_counted(tmp_path: Path) -> None:
    ends = {"id.orig_h": THERE, "id.orig_p": 50_000, "id.resp_h": WEB, "id.resp_p": 443, "method": "GET"}
    request = {"_path": "http", "uid": "C1", **ends, "uri": "/out.7z", "status_code": 206}
    lines = [json.dumps({**request, "ts": at(5 + part), "response_body_len": 10_000 + part}) for part in range(2)]
    claim = left(tmp_path, {"http.log": "\n".join(lines) + "\n", "sysmon.json": STAGED})
    assert claim.amount == Bounds(lower=20_001, upper=None), "what else came by that connection nobody counted"


def test_what_a_web_shell_says_is_taken(tmp_path: Path) -> None:
    """The rule looked at a place where no program should be; of its findings only the first is cited."""
    page = "/uploads/7.aspx"
    lines = [asked(f"{page}?c={number}", 1_000 + number, 5 + number) for number in range(3)]
    shell = {"kind": "webserver", "techniques": ("T1505.003",), "fields": {"cs-uri-stem": page}}
    shell |= record(tmp_path, "access.log")
    claim = left(tmp_path, {"access.log": access_log(*lines, asked("/", 9_000, 9))}, found(incident(), shell))
    assert claim.amount == Bounds(lower=3_003, upper=12_003)


def test_a_command_in_a_question_counts_where_the_machine_itself_shows_that_it_ran(tmp_path: Path) -> None:
    lines = asked("/app/view.php?c=id", 1_500), asked("/app/view.php?c=ls", 2_500, 6), asked("/", 9_000, 9)
    shell = {"techniques": ("T1505.003",), "kind": "webserver", "fields": {"cs-uri-query": "c=id"}}
    ran = {"techniques": ("T1505.003",), "kind": "windows", "fields": {"Image": "C:\\Windows\\System32\\cmd.exe"}}
    of = found(incident(), {**shell, **record(tmp_path, "access.log")}, ran)
    assert left(tmp_path, {"access.log": access_log(*lines)}, of).amount == Bounds(lower=4_000, upper=13_000)


def test_a_file_that_a_finding_says_was_written_there(tmp_path: Path) -> None:
    planted = {"techniques": ("T1505.003",), "fields": {"TargetFilename": "C:\\inetpub\\wwwroot\\a\\logo7.aspx"}}
    lines = asked("/a/logo7.aspx", 5_000), asked("/a/other.aspx", 6_000)
    assert left(tmp_path, {"access.log": access_log(*lines)}, found(incident(), planted)).amount.lower == 5_000
    page = tmp_path / "page"
    page.mkdir()
    visitor = asked("/a/logo7.aspx", 5_000, 6, who="198.51.100.3")
    told = left(page, {"access.log": access_log(*lines, visitor)}, found(incident(), planted))
    assert told.amount.lower == 0, "others get it, too"


@pytest.mark.parametrize("sensor", ["zeek", "suricata", "firewall"])
def test_whoever_was_let_in_gets_more_than_a_visitor(tmp_path: Path, sensor: str) -> None:
    enters = windows(
        4624,
        4,
        TargetUserName="mere",
        TargetDomainName="PARL",
        TargetLogonId="0x777",
        LogonType="10",
        IpAddress=THERE,
        IpPort="0",
        WorkstationName="FS01",
    )
    claim = left(tmp_path, {**flow(THERE, 70_000, sensor=sensor), "security.json": enters + "\n"})
    assert claim.amount == Bounds(lower=70_000, upper=70_000)
    early = tmp_path / "early"
    early.mkdir()
    late = enters.replace(at(4), at(55))
    told = left(early, {**flow(THERE, 70_000, sensor=sensor), "security.json": late + "\n"})
    assert told.amount.lower == 0, "who is let in later had no more than a visitor's answer before"


def test_the_record_of_a_finding_that_data_leave_counts_without_a_path(tmp_path: Path) -> None:
    sends = {"kind": "zeek", "tactics": ("exfiltration",), **record(tmp_path, "conn.log", len(SPAN[0]) + 1)}
    assert left(tmp_path, flow(THERE, 70_000), found(incident(), sends)).amount.lower == 70_000


def test_a_public_server_of_ours_is_known_by_the_list(tmp_path: Path) -> None:
    both = incident(addresses=(THERE, "198.51.100.80"))
    line = zeek(5, "198.51.100.80", 300, 9_000, source=THERE)
    logs = {"conn.log": "\n".join((SPAN[0], line, SPAN[1])) + "\n"}
    ours = Assets([Asset(name="web", addresses=("198.51.100.80",))])
    claim = only(weigh(tmp_path, logs, both, assets=ours), sort="network")
    assert (claim.subject, claim.amount) == (THERE, Bounds(lower=0, upper=9_000))
