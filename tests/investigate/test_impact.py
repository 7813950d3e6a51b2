"""Small evidence for each claim, in the formats that services and machines write, and what must be said of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from investigate.weighing import (
    SYSMON,
    accessed,
    at,
    audit,
    incident,
    only,
    weigh,
    windows,
    zeek,
)
from tocsin.model.asset import Asset, Assets
from tocsin.model.impact import Bounds

THERE = "203.0.113.9"
# A record before the incident and one after it: the log tells of all of it.
AROUND = (audit("UserLoggedIn", 0, workload="AzureActiveDirectory"), audit("UserLoggedIn", 61))
SPAN = (zeek(0, "10.0.0.9", 1), zeek(61, "10.0.0.9", 1))


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------------- network


def test_bytes_are_counted_each_way(tmp_path: Path) -> None:
    conn = _lines(*SPAN, zeek(5, THERE, 1_000_000, 300), zeek(6, THERE, 500_000, 20))
    claim = only(weigh(tmp_path, {"conn.log": conn}, incident()), sort="network")
    assert (claim.stage, claim.subject, claim.unit) == ("left", THERE, "bytes")
    assert claim.amount == Bounds(lower=1_500_000, upper=1_500_000)
    assert claim.back == Bounds(lower=320, upper=320)
    assert claim.content == "not known"
    assert claim.confidence == "moderate"


def test_what_sensor_firewall_and_proxy_saw_is_added_once_at_least_and_all_at_most(tmp_path: Path) -> None:
    firewall = (
        'date=2026-06-01 time=12:05:01 devname="edge" devid="FG1" eventtime=1780315501000000000 tz="+0000" '
        'logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.0.0.5 srcport=50000 '
        f'dstip={THERE} dstport=443 sessionid=7 proto=6 action="accept" sentbyte=1100 rcvdbyte=90\n'
    )
    proxy = (
        "#Software: SGOS 7.3.8.1\n#Fields: date time c-ip cs-host s-supplier-ip sc-status s-action cs-method "
        "cs-uri-scheme cs-uri-port cs-uri-path sc-bytes cs-bytes\n"
        f"2026-06-01 12:05:02 10.0.0.5 {THERE} {THERE} 200 TCP_TUNNELED CONNECT tcp 443 / 80 900\n"
    )
    logs = {"conn.log": _lines(*SPAN, zeek(5, THERE, 1000)), "fw.log": firewall, "proxy.log": proxy}
    claim = only(weigh(tmp_path, logs, incident()), sort="network", subject=THERE)
    assert claim.amount == Bounds(lower=1100, upper=3000)
    assert claim.confidence == "high", "two counts that differ by less than a tenth agree"


def test_a_copy_of_a_log_is_not_counted_twice_at_least(tmp_path: Path) -> None:
    conn = _lines(*SPAN, zeek(5, THERE, 1000, uid="C1"), zeek(6, THERE, 1000, uid="C2"))
    claim = only(weigh(tmp_path, {"a/conn.log": conn, "b/conn.log": conn}, incident()), sort="network")
    assert claim.amount == Bounds(lower=2000, upper=4000)
    again = tmp_path / "again"
    again.mkdir()
    rotated = {"conn.2026-06-01-11.log": conn, "conn.2026-06-01-12.log": _lines(zeek(7, THERE, 10, uid="C3"))}
    claim = only(weigh(again, rotated, incident()), sort="network")
    assert claim.amount == Bounds(lower=2010, upper=2010), "logs that were turned over are one sensor's"


def test_a_connection_whose_bytes_nobody_counted_is_not_known_never_zero(tmp_path: Path) -> None:
    contact = windows(
        3,
        5,
        channel=SYSMON,
        SourceIp="10.0.0.5",
        SourcePort="50000",
        DestinationIp=THERE,
        DestinationPort="443",
        Initiated="true",
        Image="a.exe",
    )
    claim = only(weigh(tmp_path, {"sysmon.json": contact}, incident()), sort="network")
    assert claim.amount == Bounds(lower=0, upper=None)
    assert "conn.log" in claim.would_tell
    half = tmp_path / "half"
    half.mkdir()
    conn = _lines(*SPAN, zeek(5, THERE, 1000), zeek(50, THERE, None, None))
    claim = only(weigh(half, {"conn.log": conn}, incident()), sort="network")
    assert claim.amount == Bounds(lower=1000, upper=None)


def test_a_log_that_ends_within_the_incident_bounds_nothing_from_above(tmp_path: Path) -> None:
    claim = only(weigh(tmp_path, {"conn.log": _lines(zeek(0, "10.0.0.9", 1), zeek(5, THERE, 9))}, incident()))
    assert claim.amount == Bounds(lower=9, upper=None)
    assert "reaches over the whole incident" in claim.because


def test_what_no_finding_names_counts_only_at_most(tmp_path: Path) -> None:
    conn = _lines(*SPAN, zeek(5, "198.51.100.7", 5_000))
    claim = only(weigh(tmp_path, {"conn.log": conn}, incident()), sort="network")
    assert claim.amount == Bounds(lower=0, upper=5_000)
    assert claim.confidence == "low"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (zeek(5, "10.0.0.9", 5_000), "it went to our own"),
        (zeek(5, "198.51.100.7", 5_000, source="10.0.0.77"), "another machine sent it"),
        (zeek(60 * 26, "198.51.100.7", 5_000), "it was sent long after"),
        (zeek(-120, THERE, 5_000), "it was sent long before"),
    ],
)
def test_what_has_nothing_to_do_with_it_is_no_claim(tmp_path: Path, line: str, why: str) -> None:
    told = weigh(tmp_path, {"conn.log": _lines(*SPAN, line)}, incident())
    assert not told.claims, why
    assert any(one.question.startswith("how many bytes") for one in told.unanswered), "and that is not: nothing"


def test_our_networks_say_which_private_addresses_are_not_ours(tmp_path: Path) -> None:
    there = "192.168.0.4"
    conn = {"conn.log": _lines(*SPAN, zeek(5, there, 5_000))}
    told = weigh(tmp_path, conn, incident(addresses=(there,)))
    assert not told.claims
    assert any(there in one.question for one in told.unanswered)
    known = Assets([Asset(name="office", addresses=("10.0.0.0/8",))])
    again = tmp_path / "again"
    again.mkdir()
    assert only(weigh(again, conn, incident(addresses=(there,)), assets=known)).amount.lower == 5_000
    third = tmp_path / "third"
    third.mkdir()
    ours = Assets([Asset(name="dmz", addresses=(f"{THERE}/32",)), Asset(name="office", addresses=("10.0.0.0/8",))])
    conn = {"conn.log": _lines(*SPAN, zeek(5, THERE, 5_000))}
    assert not weigh(third, conn, incident(), assets=ours).claims, "a public address of ours is not outside"


def test_which_side_is_ours_is_not_guessed(tmp_path: Path) -> None:
    """An alert of an attack names both ends; without a list nobody can tell which of two public addresses is ours."""
    both = incident(addresses=(THERE, "198.51.100.80"))
    conn = {"conn.log": _lines(*SPAN, zeek(5, "198.51.100.80", 300, 9_000, source=THERE))}
    told = weigh(tmp_path, conn, both)
    assert not told.claims
    assert any("198.51.100.80" in one.question and THERE in one.question for one in told.unanswered)
    known = tmp_path / "known"
    known.mkdir()
    ours = Assets([Asset(name="web", addresses=("198.51.100.80",))])
    claim = only(weigh(known, conn, both, assets=ours), sort="network")
    assert (claim.subject, claim.amount) == (THERE, Bounds(lower=0, upper=9_000))
    visitor = tmp_path / "visitor"
    visitor.mkdir()
    conn = {"conn.log": _lines(*SPAN, zeek(5, "198.51.100.80", 300, 9_000, source="192.0.2.4"))}
    assert not weigh(visitor, conn, both).claims, "what somebody sends to our own server has not left"


# ---------------------------------------------------------------------------------------------- mail


def test_bind_is_those_messages(tmp_path: Path) -> None:
    logs = {"audit.json": _lines(*AROUND, accessed("Bind", "a@x", "b@x"), accessed("Bind", "b@x", "c@x", minute=2))}
    claim = only(weigh(tmp_path, logs, incident()), sort="mail")
    assert claim.amount == Bounds(lower=3, upper=3)
    assert claim.names == ("<a@x>", "<b@x>", "<c@x>")
    assert (claim.stage, claim.unit, claim.content, claim.records) == ("accessed", "messages", "content", 2)


def test_sync_is_a_folder_of_which_nobody_knows_the_size(tmp_path: Path) -> None:
    logs = {"audit.json": _lines(*AROUND, accessed("Sync", folder="\\Committee"))}
    claim = only(weigh(tmp_path, logs, incident()), sort="mail")
    assert claim.amount == Bounds(lower=0, upper=None)
    assert "\\Committee" in claim.what
    both = tmp_path / "both"
    both.mkdir()
    logs = {"audit.json": _lines(*AROUND, accessed("Sync"), accessed("Bind", "a@x"))}
    assert only(weigh(both, logs, incident()), sort="mail", names=("<a@x>",)).amount == Bounds(lower=1, upper=1)


def test_throttled_is_not_known(tmp_path: Path) -> None:
    logs = {"audit.json": _lines(*AROUND, accessed("Bind", "a@x", throttled=True))}
    claim = only(weigh(tmp_path, logs, incident()), sort="mail")
    assert claim.amount == Bounds(lower=1, upper=None)
    assert "throttled" in claim.because


def test_a_mailbox_without_such_records_is_asked_for(tmp_path: Path) -> None:
    told = weigh(tmp_path, {"audit.json": _lines(*AROUND)}, incident())
    assert not [one for one in told.claims if one.sort == "mail"]
    assert any("mere@parl.example" in one.question and "MailItemsAccessed" in one.would_tell for one in told.unanswered)


def test_a_log_that_begins_late_bounds_nothing_from_above(tmp_path: Path) -> None:
    claim = only(weigh(tmp_path, {"audit.json": accessed("Bind", "a@x", minute=30)}, incident()), sort="mail")
    assert claim.amount == Bounds(lower=1, upper=None)


def test_the_table_of_log_analytics_says_the_same(tmp_path: Path) -> None:
    record = json.loads(accessed("Bind", "a@x", "b@x"))
    flat = {
        "OfficeWorkload": record.pop("Workload"),
        "TimeGenerated": at(1),
        "Client_IPAddress": record.pop("ClientIP"),
        **{name: json.dumps(value) if isinstance(value, list) else value for name, value in record.items()},
    }
    logs = {"audit.json": _lines(*AROUND), "table.json": json.dumps(flat)}
    assert only(weigh(tmp_path, logs, incident()), sort="mail").amount == Bounds(lower=2, upper=2)


def test_purviews_export_says_the_same(tmp_path: Path) -> None:
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(("RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData"))
    for line in (AROUND[0], accessed("Bind", "a@x", "b@x"), AROUND[1]):
        record = json.loads(line)
        table.writerow(("1", record["CreationTime"] + "Z", "50", record["Operation"], record["UserId"], line))
    claim = only(weigh(tmp_path, {"purview.csv": rows.getvalue()}, incident()), sort="mail")
    assert claim.amount == Bounds(lower=2, upper=2)
    assert claim.names == ("<a@x>", "<b@x>")


def test_a_sign_in_to_a_mailbox_says_nothing_of_its_messages(tmp_path: Path) -> None:
    line = audit("MailboxLogin", MailboxOwnerUPN="mere@parl.example")
    told = weigh(tmp_path, {"audit.json": _lines(*AROUND, line)}, incident())
    assert only(told, sort="mail").amount == Bounds(lower=0, upper=None)
    assert any("mere@parl.example" in one.question for one in told.unanswered)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (audit("New-InboxRule", Parameters=[{"Name": "ForwardTo", "Value": "smtp:e@evil.example"}]), "e@evil.example"),
        (
            audit(
                "Set-Mailbox",
                Parameters=[
                    {"Name": "Identity", "Value": "mere@parl.example"},
                    {"Name": "ForwardingSmtpAddress", "Value": "smtp:e@evil.example"},
                ],
            ),
            "e@evil.example",
        ),
        (
            audit(
                "UpdateInboxRules",
                OperationProperties=[
                    {"Name": "RuleActions", "Value": '[{"ActionType":"Forward","Recipients":["e@evil.example"]}]'}
                ],
            ),
            "e@evil.example",
        ),
        (audit("SearchExportDownloaded", workload="SecurityComplianceCenter", ObjectId="All of it"), "All of it"),
    ],
)
def test_ways_by_which_mail_leaves_have_no_size(tmp_path: Path, line: str, what: str) -> None:
    claim = only(weigh(tmp_path, {"audit.json": _lines(*AROUND, line)}, incident()), sort="mail")
    assert claim.stage == "left"
    assert what in claim.what
    assert claim.amount == Bounds(lower=0, upper=None)


def test_a_rule_that_only_sorts_sends_nothing_out(tmp_path: Path) -> None:
    line = audit("New-InboxRule", Parameters=[{"Name": "MoveToFolder", "Value": "Archive"}])
    assert not weigh(tmp_path, {"audit.json": _lines(*AROUND, line)}, incident()).claims


def test_anothers_mailbox_is_nothing_of_this(tmp_path: Path) -> None:
    line = accessed("Bind", "a@x").replace("mere@parl.example", "tane@parl.example").replace(THERE, "198.51.100.1")
    assert not weigh(tmp_path, {"audit.json": _lines(*AROUND, line)}, incident()).claims


# --------------------------------------------------------------------------------------------- files


def test_files_of_a_site(tmp_path: Path) -> None:
    site = "https://parl.sharepoint.com/sites/net/Documents"
    lines = [
        audit(
            operation, workload="SharePoint", ObjectId=f"{site}/{name}", SiteUrl="https://parl.sharepoint.com/sites/net"
        )
        for operation, name in (
            ("FileDownloaded", "network map.vsdx"),
            ("FileDownloaded", "minutes.docx"),
            ("FileSyncDownloadedFull", "vpn.conf"),
            ("FileDownloaded", "minutes.docx"),
            ("FileAccessed", "budget.xlsx"),
        )
    ]
    told = weigh(tmp_path, {"audit.json": _lines(*AROUND, *lines)}, incident())
    left, seen = only(told, sort="file", stage="left"), only(told, sort="file", stage="accessed")
    assert left.amount == Bounds(lower=3, upper=3)
    assert (left.content, left.technical) == ("both", 2)
    assert (seen.amount, seen.content) == (Bounds(lower=1, upper=1), "content")


def test_files_on_a_share_and_on_a_machine(tmp_path: Path) -> None:
    who = {"SubjectDomainName": "PARL", "SubjectUserName": "mere", "IpAddress": "10.0.0.5"}
    share = {"ShareName": "\\\\*\\Common", "AccessMask": "0x1", **who}
    lines = [
        windows(5145, 2, RelativeTargetName="plans\\firewall.cfg", **share),
        windows(5145, 2, RelativeTargetName="plans\\budget.xlsx", **share),
        windows(5145, 2, RelativeTargetName="gpt.ini", **{**share, "ShareName": "\\\\*\\SYSVOL"}),
        windows(5145, 2, RelativeTargetName="svcctl", **{**share, "ShareName": "\\\\*\\IPC$"}),
        windows(4663, 3, ObjectType="File", ObjectName="D:\\Members\\a.docx", AccessMask="0x1", **who),
        windows(4663, 3, ObjectType="File", ObjectName="C:\\Windows\\System32\\x.dll", AccessMask="0x1", **who),
        windows(4634, 0, TargetUserName="x"),
        windows(4634, 61, TargetUserName="x"),
    ]
    told = weigh(tmp_path, {"security.json": _lines(*lines)}, incident())
    shares = only(told, sort="file", what="opened for reading on shares of FS01")
    assert shares.amount == Bounds(lower=2, upper=2)
    assert shares.names == ("Common\\plans\\firewall.cfg", "Common\\plans\\budget.xlsx")
    local = only(told, sort="file", what="opened for reading on FS01")
    assert local.amount == Bounds(lower=1, upper=None), "what nobody audits leaves no record"


# ------------------------------------------------------------------------------ archives, databases


@pytest.mark.parametrize(
    "command",
    [
        "7z.exe a -p1 C:\\t\\out.7z D:\\Members",
        '"C:\\Program Files\\WinRAR\\rar.exe" a -hp C:\\t\\out.rar D:\\Members',
        "makecab C:\\ntds.dit C:\\t\\out.cab",
        "tar.exe -czf C:\\t\\out.tgz D:\\Members",
        "powershell Compress-Archive -Path D:\\Members -DestinationPath C:\\t\\out.zip",
    ],
)
def test_a_command_that_packs_does_not_say_that_it_worked(tmp_path: Path, command: str) -> None:
    who = {"User": "PARL\\mere", "Image": "x.exe"}
    start = windows(1, 3, channel=SYSMON, CommandLine=command, **who)
    claim = only(weigh(tmp_path, {"sysmon.json": start}, incident()), sort="archive")
    assert (claim.stage, claim.amount) == ("staged", Bounds(lower=0, upper=None))
    assert any("out." in name for name in claim.names)
    made = tmp_path / "made"
    made.mkdir()
    file = windows(11, 3, channel=SYSMON, TargetFilename="C:\\t\\out.7z", **who)
    claim = only(weigh(made, {"sysmon.json": _lines(start, file)}, incident()), sort="archive")
    assert claim.amount == Bounds(lower=1, upper=None)
    assert claim.confidence == "moderate"


@pytest.mark.parametrize(("image", "lower"), [("C:\\Program Files\\7-Zip\\7z.exe", 1), ("C:\\browser.exe", 0), ("", 0)])
def test_an_archive_that_appears_may_have_been_brought_in(tmp_path: Path, image: str, lower: int) -> None:
    file = windows(11, 3, channel=SYSMON, TargetFilename="C:\\t\\out.7z", User="PARL\\mere", Image=image)
    claim = only(weigh(tmp_path, {"sysmon.json": file}, incident()), sort="archive")
    assert claim.amount == Bounds(lower=lower, upper=None)
    assert ("brought in" in claim.because) is not bool(lower)


@pytest.mark.parametrize("command", ["7z.exe x in.7z", "tar.exe -xzf in.tgz", "notepad a.zip.txt", "gzip -d in.gz"])
def test_unpacking_is_not_packing(tmp_path: Path, command: str) -> None:
    start = windows(1, 3, channel=SYSMON, CommandLine=command, User="PARL\\mere", Image="x.exe")
    assert not weigh(tmp_path, {"sysmon.json": start}, incident()).claims


def test_databases(tmp_path: Path) -> None:
    who = {"User": "PARL\\mere", "Image": "x.exe"}
    lines = [
        windows(1, 3, channel=SYSMON, CommandLine="mysqldump --all-databases", **who),
        windows(1, 4, channel=SYSMON, CommandLine="cmd /c whoami", ParentImage="C:\\sql\\sqlservr.exe", **who),
    ]
    told = weigh(tmp_path, {"sysmon.json": _lines(*lines)}, incident())
    assert only(told, sort="database", stage="staged").amount == Bounds(lower=0, upper=None)
    assert only(told, sort="database", stage="accessed").amount == Bounds(lower=0, upper=None)


# ----------------------------------------------------------------------------- directory, credentials

GET_ALL = "%%7688 {1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"


def test_replication_by_an_account_that_is_no_machines(tmp_path: Path) -> None:
    asked = {"Properties": GET_ALL, "SubjectDomainName": "PARL", "AccessMask": "0x100"}
    lines = [
        windows(4662, 5, host="DC01", SubjectUserName="mere", **asked),
        windows(4662, 5, host="DC01", SubjectUserName="DC02$", **asked),
    ]
    told = weigh(tmp_path, {"security.json": _lines(*lines)}, incident(hosts=("DC01",)))
    claim = only(told, sort="directory")
    assert (claim.stage, claim.amount) == ("left", Bounds(lower=1, upper=None))
    assert claim.names == ("every account of the directory",)
    assert claim.records == 1


def test_a_copy_of_the_directory_s_store(tmp_path: Path) -> None:
    who = {"User": "PARL\\mere", "Image": "x.exe"}
    command = 'ntdsutil "ac i ntds" "ifm" "create full C:\\t" q q'
    lines = [windows(1, 3, channel=SYSMON, host="DC01", CommandLine=command, **who)]
    told = weigh(tmp_path, {"sysmon.json": _lines(*lines)}, incident(hosts=("DC01",)))
    assert only(told, sort="directory").amount == Bounds(lower=0, upper=1)
    lines.append(windows(11, 4, channel=SYSMON, host="DC01", TargetFilename="C:\\t\\Active Directory\\ntds.dit", **who))
    lines.append(windows(11, 4, channel=SYSMON, host="DC01", TargetFilename="C:\\Windows\\NTDS\\ntds.dit", **who))
    made = tmp_path / "made"
    made.mkdir()
    claim = only(weigh(made, {"sysmon.json": _lines(*lines)}, incident(hosts=("DC01",))), sort="directory")
    assert (claim.amount, claim.unit) == (Bounds(lower=1, upper=1), "directories"), (
        "all of it, not one account at least"
    )
    assert claim.names == ("every account of the directory", "C:\\t\\Active Directory\\ntds.dit")
    volume = tmp_path / "volume"
    volume.mkdir()
    lines = [windows(1, 3, channel=SYSMON, host="DC01", CommandLine="vssadmin create shadow /for=C:", **who)]
    claim = only(weigh(volume, {"sysmon.json": _lines(*lines)}, incident(hosts=("DC01",))), sort="directory")
    assert not claim.names, "a copy of a volume alone is not the directory"


def test_whoever_was_logged_on_must_be_taken_as_known(tmp_path: Path) -> None:
    lines = [
        windows(4624, 1, LogonType="2", TargetDomainName="PARL", TargetUserName="tane"),
        windows(4624, 1, LogonType="3", TargetDomainName="PARL", TargetUserName="network"),
        windows(4624, 1, LogonType="5", TargetDomainName="NT AUTHORITY", TargetUserName="SYSTEM"),
        windows(4624, 9, LogonType="2", TargetDomainName="PARL", TargetUserName="later"),
    ]
    memory = windows(
        10,
        5,
        channel=SYSMON,
        SourceImage="C:\\t\\p.exe",
        SourceUser="PARL\\mere",
        TargetImage="C:\\Windows\\System32\\lsass.exe",
        GrantedAccess="0x1010",
    )
    query = json.loads(memory) | {"GrantedAccess": "0x1000"}
    logs = {"security.json": _lines(*lines), "sysmon.json": _lines(memory, json.dumps(query))}
    claim = only(weigh(tmp_path, logs, incident()), sort="credential")
    assert claim.names == ("PARL\\tane",)
    assert claim.amount == Bounds(lower=0, upper=None)
    assert claim.records == 1
    assert claim.content == "technical"


def test_tickets_to_be_tried_out_elsewhere(tmp_path: Path) -> None:
    asked = {"TicketEncryptionType": "0x17", "TargetDomainName": "PARL", "TargetUserName": "mere@PARL", "Status": "0x0"}
    lines = [
        windows(4769, 2, host="DC01", ServiceName=name, **asked) for name in ("sql", "web", "sql", "krbtgt", "FS01$")
    ]
    claim = only(weigh(tmp_path, {"security.json": _lines(*lines)}, incident(hosts=("DC01",))), sort="credential")
    assert claim.amount == Bounds(lower=2, upper=None)
    assert claim.names == ("sql", "web")


def test_saved_hives(tmp_path: Path) -> None:
    start = windows(1, 3, channel=SYSMON, CommandLine="reg save HKLM\\SAM C:\\t\\s", User="PARL\\mere", Image="reg.exe")
    claim = only(weigh(tmp_path, {"sysmon.json": start}, incident()), sort="credential")
    assert claim.names == ("every local account of FS01",)
    assert claim.amount == Bounds(lower=0, upper=None)


# --------------------------------------------------------------------------------------------- and all


def test_what_could_not_be_read_once_more_opens_every_upper_bound(tmp_path: Path) -> None:
    logs = {
        "conn.log": _lines(*SPAN, zeek(5, THERE, 1000)),
        "audit.json": _lines(*AROUND, accessed("Bind", "a@x")),
    }
    told = weigh(tmp_path, logs, incident(), lost=("big.log: the worker died",))
    assert told.claims
    assert all(claim.amount.upper is None for claim in told.claims)
    assert all("big.log" in claim.because for claim in told.claims)


def test_nothing_shown_is_asked_for_not_passed_over(tmp_path: Path) -> None:
    told = weigh(tmp_path, {"conn.log": _lines(*SPAN)}, incident(kind="windows"))
    assert not told.claims
    assert len(told.unanswered) >= 6
    assert all(one.would_tell for one in told.unanswered)


def test_records_of_findings_are_cited_first(tmp_path: Path) -> None:
    path = str(tmp_path / "evidence" / "audit.json")
    lines = [*AROUND, accessed("Bind", "a@x"), accessed("Bind", "b@x", minute=2)]
    place = len(_lines(*lines[:3]).encode())
    of = incident(places=((path, place),))
    claim = only(weigh(tmp_path, {"audit.json": _lines(*lines)}, of), sort="mail")
    assert claim.findings == (0,)
    assert claim.evidence[0].rec == place
    assert claim.confidence == "high"
