"""Fields of a Windows event in, a line as Winlogbeat 8 writes it out: Elastic Common Schema, native fields in winlog.

Which fields an event has is told by the providers' own pages: Sysmon's events, "Advanced security audit policy
settings", the Service Control Manager, PowerShell's operational log, Defender's events.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from tocsin.rehearse.machine import Machine
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.tape import Payload

SYSMON: Final = "Microsoft-Windows-Sysmon/Operational"
SECURITY: Final = "Security"
SYSTEM: Final = "System"
POWERSHELL: Final = "Microsoft-Windows-PowerShell/Operational"
DEFENDER: Final = "Microsoft-Windows-Windows Defender/Operational"

# Channel -> provider, its GUID, and the process that writes.
_PROVIDERS: Final = {
    SYSMON: ("Microsoft-Windows-Sysmon", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", 3288),
    SECURITY: ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-a5ba-3e3b0328c30d}", 4),
    SYSTEM: ("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}", 712),
    POWERSHELL: ("Microsoft-Windows-PowerShell", "{a0c1853b-5c40-4b15-8766-3cf1c58f985a}", 0),
    DEFENDER: ("Microsoft-Windows-Windows Defender", "{11cd958a-c507-4ef3-b3f2-5fd9dfbd2c78}", 3412),
}
# Channel and number -> what the event is called, as Winlogbeat's `event.action` and `winlog.task` have it.
TASKS: Final[Mapping[tuple[str, int], str]] = {
    (SYSMON, 1): "Process Create (rule: ProcessCreate)",
    (SYSMON, 3): "Network connection detected (rule: NetworkConnect)",
    (SYSMON, 5): "Process terminated (rule: ProcessTerminate)",
    (SYSMON, 10): "Process accessed (rule: ProcessAccess)",
    (SYSMON, 11): "File created (rule: FileCreate)",
    (SYSMON, 13): "Registry value set (rule: RegistryEvent)",
    (SYSMON, 17): "Pipe Created (rule: PipeEvent)",
    (SYSMON, 18): "Pipe Connected (rule: PipeEvent)",
    (SYSMON, 22): "Dns query (rule: DnsQuery)",
    (SYSMON, 23): "File Delete archived (rule: FileDelete)",
    (SECURITY, 1102): "Log clear",
    (SECURITY, 4616): "Security State Change",
    (SECURITY, 4624): "Logon",
    (SECURITY, 4625): "Logon",
    (SECURITY, 4634): "Logoff",
    (SECURITY, 4662): "Directory Service Access",
    (SECURITY, 4672): "Special Logon",
    (SECURITY, 4688): "Process Creation",
    (SECURITY, 4697): "Security System Extension",
    (SECURITY, 4698): "Other Object Access Events",
    (SECURITY, 4720): "User Account Management",
    (SECURITY, 4724): "User Account Management",
    (SECURITY, 4728): "Security Group Management",
    (SECURITY, 4768): "Kerberos Authentication Service",
    (SECURITY, 4769): "Kerberos Service Ticket Operations",
    (SECURITY, 4771): "Kerberos Authentication Service",
    (SECURITY, 4781): "User Account Management",
    (SECURITY, 5145): "Detailed File Share",
    (POWERSHELL, 4104): "Execute a Remote Command",
}
_SYSTEM_USER: Final = ("SYSTEM", "S-1-5-18")
_FAILURES: Final = {(SECURITY, 4625), (SECURITY, 4771)}


def write(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    channel: str,
    code: int,
    fields: Mapping[str, Any],
    *,
    provider: str = "",
    user: tuple[str, str] | None = None,
    user_data: bool = False,
) -> None:
    """Hand one event to the collector of its body, unless the machine's agent is silent.

    Args:
        provider: where it is not the usual one of the channel.
        user: name and SID in the event's header, where the provider fills it.
        user_data: True for events that have a UserData section in place of EventData.
    """
    if machine.silent(ts_us) or (channel == SYSMON and not machine.host.sysmon):
        return
    stream = scene.tape.stream(f"windows/{machine.host.body}/winlogbeat-{{day}}.ndjson", every=1, finish=_finish)
    if channel == SYSMON:
        user = _SYSTEM_USER
    frame = _frame(channel, code, provider, machine.host.fqdn, user)
    record = b'{"@timestamp":"%sZ",%s%d}},"%s":%s' % (
        clock(machine.clock(ts_us)).encode(),
        frame,
        4 * (ts_us // 7 % 1800 + 60),
        b"user_data" if user_data else b"event_data",
        orjson.dumps(fields),
    )
    scene.tape.put(stream, ts_us, (machine, channel, record), scene.mark)


@cache
def _frame(channel: str, code: int, provider: str, host: str, user: tuple[str, str] | None) -> bytes:
    """What is the same in all records of an event of one machine, up to the number of the thread that writes it.

    Half of all records are Windows events: making this part once is a quarter of a drill's time saved.
    """
    name, guid, pid = _PROVIDERS[channel]
    refused = (channel, code) in _FAILURES
    event: dict[str, Any] = {"code": str(code), "kind": "event", "provider": provider or name}
    winlog: dict[str, Any] = {"channel": channel, "event_id": str(code), "provider_name": provider or name}
    if not provider:
        winlog["provider_guid"] = guid
    if task := TASKS.get((channel, code), ""):
        event["action"] = winlog["task"] = task
    if channel == SECURITY:
        event["outcome"] = "failure" if refused else "success"
        winlog["keywords"] = ["Audit Failure" if refused else "Audit Success"]
    winlog["computer_name"] = host
    if user:
        winlog["user"] = {"identifier": user[1], "name": user[0]}
    winlog["process"] = {"pid": pid or 4000, "thread": {"id": 0}}
    text = orjson.dumps(
        {
            "agent": {"type": "winlogbeat", "version": "8.19.4"},
            "ecs": {"version": "8.0.0"},
            "event": event,
            "host": {"name": host},
            "log": {"level": "information"},
            "winlog": winlog,
        }
    )
    return text.removeprefix(b"{").removesuffix(b"0}}}}")


def _finish(payload: Payload) -> bytes:
    """Number the records of a channel, now that their order is known."""
    machine, channel, record = payload
    number = machine.count(channel, 20_000 + machine.booted_us // 977 % 900_000)
    return b'%s,"record_id":%d}}\n' % (record, number)
