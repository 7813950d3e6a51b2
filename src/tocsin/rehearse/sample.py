"""An empty folder in, logs of one short intrusion among a day's ordinary work and rules that find some of it out.

Everything in it is made up: the addresses are those kept for documentation (RFC 5737), the domain is reserved
(RFC 2606). The same bytes are made each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Final

from tocsin.errors import OutputError
from tocsin.rehearse.intrusion import STEPS, guid, logon

_MORNING: Final = datetime(2026, 3, 11, 7, 30, tzinfo=UTC)
_DAY_S: Final = 9 * 3600
_EVERYDAY: Final = 1000  # ordinary events of each host

_SYSMON: Final = "Microsoft-Windows-Sysmon/Operational"
_PROVIDERS: Final[Mapping[str, str]] = {
    _SYSMON: "Microsoft-Windows-Sysmon",
    "Security": "Microsoft-Windows-Security-Auditing",
    "System": "Service Control Manager",
}

# Who works at which machine; the backup server comes by at night and at noon.
_STATIONS: Final = {"m.okafor": 17, "j.lindqvist": 21, "svc-backup": 5, "a.moreau": 23}
_USERS: Final = tuple(_STATIONS)
# What runs on an office machine all day: who started it, and how.
_PROGRAMS: Final = (
    ("svchost.exe", "services.exe", "{dir}svchost.exe -k netsvcs -p -s Schedule"),
    ("backgroundTaskHost.exe", "svchost.exe", "{dir}backgroundTaskHost.exe -ServerName:App.AppX"),
    ("conhost.exe", "cmd.exe", "{dir}conhost.exe 0x4"),
    ("cmd.exe", "explorer.exe", "{dir}cmd.exe /c echo %USERNAME%"),
    ("powershell.exe", "svchost.exe", "{dir}powershell.exe -NoProfile -File C:\\Admin\\inventory-{n}.ps1"),
    ("net.exe", "cmd.exe", "{dir}net.exe use Q: \\\\fs-01\\plenary"),
    ("certutil.exe", "svchost.exe", "{dir}certutil.exe -verify C:\\Admin\\ca-{n}.cer"),
    ("schtasks.exe", "svchost.exe", "{dir}schtasks.exe /query /fo csv"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One event before it has the shape that some tool gives it. `ts` is in UTC."""

    ts: datetime
    host: str
    channel: str
    event_id: int
    fields: Mapping[str, str]


def make(folder: Path) -> None:
    """Write `logs/` and `rules/` below a folder.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder}: holds something already", hint="Name a folder that is new or empty.")
        logs, rules = folder / "logs", folder / "rules"
        logs.mkdir(parents=True)
        rules.mkdir()
        station = [_as_winlogbeat(event, number) for number, event in enumerate(_day("ws-017"), 41_200)]
        controller = [_as_flat(event, number) for number, event in enumerate(_day("dc-01"), 880_100)]
        # The second log was copied while it was being written: its last line is half there.
        (logs / "ws-017.winlogbeat.jsonl").write_bytes(_lines(station))
        (logs / "dc-01.nxlog.jsonl").write_bytes(_lines(controller) + b'{"EventTime":"2026-03-11 16:3')
        for source in sorted(_rules(), key=lambda pair: pair[0]):
            (rules / source[0]).write_bytes(source[1])
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror or error}", hint="Name another folder."
        ) from error


def _rules() -> Iterator[tuple[str, bytes]]:
    for entry in (files("tocsin.rehearse") / "sample_rules").iterdir():
        if entry.name.endswith(".yml"):
            yield entry.name, entry.read_bytes()


def _lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()


def _day(host: str) -> list[Logged]:
    """A day of one host, in order of time."""
    dice = Random(f"tocsin {host}")  # noqa: S311 - the same day every time is what is wanted
    events = [_everyday(host, dice) for _ in range(_EVERYDAY)]
    events += [
        Logged(
            ts=datetime.fromisoformat(step.ts),
            host=_full(host),
            channel=step.channel,
            event_id=step.event_id,
            fields=step.fields,
        )
        for step in STEPS
        if step.host == host
    ]
    return sorted(events, key=lambda event: event.ts)


def _everyday(host: str, dice: Random) -> Logged:
    ts = _MORNING + timedelta(milliseconds=dice.randrange(_DAY_S * 1000))
    user = _USERS[dice.randrange(len(_USERS))]
    choice = dice.randrange(10)
    if choice < 6:
        return Logged(ts=ts, host=_full(host), channel=_SYSMON, event_id=1, fields=_process(host, user, ts, dice))
    if choice < 8:
        if host.startswith("ws-"):
            user = "svc-backup" if choice == 6 else "m.okafor"
        address = f"10.20.0.{_STATIONS[user]}"
        fields = {
            "TargetUserName": user,
            "TargetDomainName": "ASSEMBLY",
            "TargetLogonId": f"0x{dice.randrange(1 << 28):x}",
            "LogonType": "3" if choice == 6 else "5",
            "IpAddress": address if choice == 6 else "-",
            "WorkstationName": "-",
        }
        return Logged(ts=ts, host=_full(host), channel="Security", event_id=4624, fields=fields)
    if choice == 8:
        fields = {
            "UtcTime": f"{ts:%Y-%m-%d %H:%M:%S}.{ts.microsecond // 1000:03}",
            "ProcessGuid": guid(host, "svchost.exe"),
            "Image": "C:\\Windows\\System32\\svchost.exe",
            "User": "NT AUTHORITY\\NETWORK SERVICE",
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIp": "10.20.0.17" if host.startswith("ws-") else "10.20.0.10",
            "DestinationIp": f"198.51.100.{dice.randrange(1, 250)}",
            "DestinationPort": "443",
        }
        return Logged(ts=ts, host=_full(host), channel=_SYSMON, event_id=3, fields=fields)
    fields = {"param1": "Windows Update", "param2": "running" if dice.randrange(2) else "stopped"}
    return Logged(ts=ts, host=_full(host), channel="System", event_id=7036, fields=fields)


def _process(host: str, user: str, ts: datetime, dice: Random) -> dict[str, str]:
    name, parent, line = _PROGRAMS[dice.randrange(len(_PROGRAMS))]
    number = dice.randrange(800, 12_000, 4)
    user = "m.okafor" if host.startswith("ws-") else user
    place = "C:\\Windows\\System32\\"
    return {
        "UtcTime": f"{ts:%Y-%m-%d %H:%M:%S}.{ts.microsecond // 1000:03}",
        "ProcessGuid": guid(host, f"{name} {number} {ts:%H%M%S%f}"),
        "ProcessId": str(number),
        "Image": place + name,
        "CommandLine": line.format(dir=place, n=dice.randrange(40)),
        "LogonId": logon(host, user),
        "ParentProcessGuid": guid(host, parent),
        "ParentImage": place + parent,
        "User": f"ASSEMBLY\\{user}",
        "IntegrityLevel": "Medium",
    }


def _full(host: str) -> str:
    return f"{host}.assembly.example"


def _as_winlogbeat(event: Logged, number: int) -> dict[str, Any]:
    """As Winlogbeat writes it, in the Elastic Common Schema with the native event below `winlog`."""
    provider = _provider(event)
    return {
        "@timestamp": _iso(event.ts),
        "ecs": {"version": "8.0.0"},
        "host": {"name": event.host},
        "event": {"code": str(event.event_id), "provider": provider, "kind": "event"},
        "winlog": {
            "channel": event.channel,
            "provider_name": provider,
            "computer_name": event.host,
            "event_id": str(event.event_id),
            "record_id": number,
            "event_data": dict(event.fields),
        },
    }


def _as_flat(event: Logged, number: int) -> dict[str, Any]:
    """As NXLog and Logstash flatten it: fields of the event beside those of the system."""
    return {
        "EventTime": f"{event.ts:%Y-%m-%d %H:%M:%S}",
        "@timestamp": _iso(event.ts),
        "Hostname": event.host,
        "Channel": event.channel,
        "EventID": event.event_id,
        "SourceName": _provider(event),
        "RecordNumber": number,
        **event.fields,
    }


def _provider(event: Logged) -> str:
    return "Microsoft-Windows-Eventlog" if event.event_id == 1102 else _PROVIDERS[event.channel]


def _iso(ts: datetime) -> str:
    return f"{ts:%Y-%m-%dT%H:%M:%S}.{ts.microsecond // 1000:03}Z"
