"""Windows events are consistent: processes, sessions, numbers, times, and the fields their providers document."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from rehearse.conftest import Drill

# Fields by event, as Sysmon's manifest (schema 4.90) and Microsoft's pages on security auditing list them.
SYSMON = {
    "1": "RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product Company OriginalFileName "
    "CommandLine CurrentDirectory User LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes ParentProcessGuid "
    "ParentProcessId ParentImage ParentCommandLine ParentUser",
    "3": "RuleName UtcTime ProcessGuid ProcessId Image User Protocol Initiated SourceIsIpv6 SourceIp SourceHostname "
    "SourcePort SourcePortName DestinationIsIpv6 DestinationIp DestinationHostname DestinationPort DestinationPortName",
    "5": "RuleName UtcTime ProcessGuid ProcessId Image User",
    "10": "RuleName UtcTime SourceProcessGUID SourceProcessId SourceThreadId SourceImage TargetProcessGUID "
    "TargetProcessId TargetImage GrantedAccess CallTrace SourceUser TargetUser",
    "11": "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime User",
    "13": "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject Details User",
    "17": "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",
    "18": "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",
    "22": "RuleName UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image User",
    "23": "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes IsExecutable Archived",
}
SECURITY = {
    "4616": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId PreviousTime NewTime ProcessId "
    "ProcessName",
    "4624": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid TargetUserName "
    "TargetDomainName TargetLogonId LogonType LogonProcessName AuthenticationPackageName WorkstationName LogonGuid "
    "TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort ImpersonationLevel "
    "RestrictedAdminMode TargetOutboundUserName TargetOutboundDomainName VirtualAccount TargetLinkedLogonId "
    "ElevatedToken",
    "4625": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid TargetUserName "
    "TargetDomainName Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName "
    "WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
    "4634": "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType",
    "4672": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList",
    "4662": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ObjectServer ObjectType ObjectName "
    "OperationType HandleId AccessList AccessMask Properties AdditionalInfo AdditionalInfo2",
    "4688": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId NewProcessId NewProcessName "
    "TokenElevationType ProcessId CommandLine TargetUserSid TargetUserName TargetDomainName TargetLogonId "
    "ParentProcessName MandatoryLabel",
    "4697": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ServiceName ServiceFileName ServiceType "
    "ServiceStartType ServiceAccount",
    "4768": "TargetUserName TargetDomainName TargetSid ServiceName ServiceSid TicketOptions Status "
    "TicketEncryptionType PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber CertThumbprint",
    "4769": "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress "
    "IpPort Status LogonGuid TransmittedServices",
    "5145": "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ObjectType IpAddress IpPort ShareName "
    "ShareLocalPath RelativeTargetName AccessMask AccessList AccessReason",
}
SYSTEM = {"7045": "ServiceName ImagePath ServiceType StartType AccountName", "7036": "param1 param2"}
CHANNELS = {"Microsoft-Windows-Sysmon": SYSMON, "Microsoft-Windows-Security-Auditing": SECURITY}
CHANNELS["Service Control Manager"] = SYSTEM
CHANNELS["Microsoft-Windows-Kernel-General"] = {"1": "NewTime OldTime Reason"}
CHANNELS["AD FS Auditing"] = dict.fromkeys(("1200", "1202", "1203"), "param1 param2")


def _data(record: dict[str, Any]) -> dict[str, str]:
    data: dict[str, str] = record["winlog"].get("event_data", {})
    return data


def _of(drill: Drill, provider: str, *ids: str) -> list[dict[str, Any]]:
    return [
        record
        for _, record in drill.windows
        if record["winlog"]["provider_name"].endswith(provider) and record["winlog"]["event_id"] in ids
    ]


def test_fields_are_those_that_providers_document(drill: Drill) -> None:
    seen = set()
    for _, record in drill.windows:
        provider, number = record["winlog"]["provider_name"], record["winlog"]["event_id"]
        documented = CHANNELS.get(provider, {}).get(number)
        if documented:
            seen.add((provider, number))
            assert set(_data(record)) == set(documented.split()), (provider, number)
            assert all(isinstance(value, str) for value in _data(record).values())
    wanted = {(provider, number) for provider, events in CHANNELS.items() for number in events}
    assert seen == wanted


def test_records_are_numbered_in_the_order_of_their_log(drill: Drill) -> None:
    last: dict[tuple[str, str], int] = {}
    for _, record in drill.windows:
        key = record["winlog"]["computer_name"], record["winlog"]["channel"]
        number = record["winlog"]["record_id"]
        assert number == last.get(key, number - 1) + 1
        last[key] = number


def test_lines_stand_in_order_of_time_but_for_clocks_that_are_wrong(drill: Drill) -> None:
    late: dict[str, datetime] = {}
    for _, record in drill.windows:
        host = record["winlog"]["computer_name"]
        at = datetime.fromisoformat(record["@timestamp"])
        data = record["winlog"].get("event_data", {})
        if record["winlog"]["provider_name"] == "Microsoft-Windows-Kernel-General":
            late.pop(host, None)  # it is set right now, and may have been ahead
            assert data["NewTime"][:23] == record["@timestamp"][:23]
        assert at >= late.get(host, at), "one clock goes backwards only where it says so"
        late[host] = at


def _true(drill: Drill, record: dict[str, Any]) -> datetime:
    """When a Sysmon event happened: a clock may be set right while a program runs."""
    return drill.true_time(record, _data(record)["UtcTime"])


def test_trees_of_processes(drill: Drill) -> None:
    started: dict[str, tuple[datetime, dict[str, str]]] = {}
    ended: dict[str, datetime] = {}
    for record in _of(drill, "Sysmon", "5"):
        ended[_data(record)["ProcessGuid"]] = _true(drill, record)
    for record in _of(drill, "Sysmon", "1"):
        data = _data(record)
        assert data["ProcessGuid"] not in started, "a GUID is of one run only"
        started[data["ProcessGuid"]] = _true(drill, record), data
    children = 0
    for at, data in started.values():
        parent = data["ParentProcessGuid"]
        if parent in started:
            children += 1
            since, of = started[parent]
            assert since <= at
            assert (of["Image"], of["CommandLine"], of["ProcessId"], of["User"]) == (
                data["ParentImage"],
                data["ParentCommandLine"],
                data["ParentProcessId"],
                data["ParentUser"],
            )
        assert at <= ended.get(parent, at), (data["Image"], data["ParentImage"])
        assert at <= ended.get(data["ProcessGuid"], at)
    assert children > 200


def test_no_number_is_used_by_two_processes_at_a_time(drill: Drill) -> None:
    runs: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    ended = {_data(record)["ProcessGuid"]: _true(drill, record) for record in _of(drill, "Sysmon", "5")}
    for record in _of(drill, "Sysmon", "1"):
        data = _data(record)
        since = _true(drill, record)
        until = ended.get(data["ProcessGuid"], since)
        runs[record["winlog"]["computer_name"], data["ProcessId"]].append((since, until))
    for spans in runs.values():
        spans.sort()
        for (_, until), (since, _) in pairwise(spans):
            assert until <= since


def test_what_a_program_does_lies_within_its_life(drill: Drill) -> None:
    never = datetime.max.replace(tzinfo=UTC)
    life: dict[str, list[datetime]] = {}
    for record in _of(drill, "Sysmon", "1"):
        life[_data(record)["ProcessGuid"]] = [_true(drill, record), never]
    for record in _of(drill, "Sysmon", "5"):
        if _data(record)["ProcessGuid"] in life:
            life[_data(record)["ProcessGuid"]][1] = _true(drill, record)
    for record in _of(drill, "Sysmon", "3", "11", "13", "17", "22"):
        data = _data(record)
        at = _true(drill, record)
        since, until = life.get(data["ProcessGuid"], [at, never])
        assert since <= at <= until, (record["winlog"]["event_id"], data["Image"])


def test_sessions_begin_before_they_end_and_programs_run_in_them(drill: Drill) -> None:
    begun: dict[tuple[str, str], tuple[datetime, str]] = {}
    for record in _of(drill, "Security-Auditing", "4624", "4634"):
        data, host = _data(record), record["winlog"]["computer_name"]
        at = drill.true_time(record, record["@timestamp"])
        key = host, data["TargetLogonId"]
        if record["winlog"]["event_id"] == "4624":
            assert key not in begun, "a number is of one session only"
            begun[key] = at, data["TargetUserName"]
        elif key in begun:
            assert begun[key][0] <= at
            assert begun[key][1] == data["TargetUserName"]
    own = 0
    for record in _of(drill, "Sysmon", "1"):
        data = _data(record)
        key = record["winlog"]["computer_name"], data["LogonId"]
        if key in begun:
            own += 1
            assert data["User"].rpartition("\\")[2] == begun[key][1]
            began = drill.true_time(record, record["@timestamp"])
            assert begun[key][0] <= began + timedelta(seconds=1)
    assert own > 100


def test_4688_and_sysmon_tell_the_same_start(drill: Drill) -> None:
    sysmon = {
        (record["winlog"]["computer_name"], f"0x{int(_data(record)['ProcessId']):x}", _data(record)["CommandLine"])
        for record in _of(drill, "Sysmon", "1")
    }
    both = [
        (record["winlog"]["computer_name"], _data(record)["NewProcessId"], _data(record)["CommandLine"]) in sysmon
        for record in _of(drill, "Security-Auditing", "4688")
    ]
    # A few servers never had the agent of Sysmon, or it was silent.
    assert sum(both) > 0.9 * len(both) > 50
