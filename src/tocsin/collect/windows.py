"""Keys of Windows event records in, Sigma's field names out, whichever tool exported them.

Sources: the event schema of Windows (System, EventData, UserData), Winlogbeat's `winlog.*` and its older
top-level form, NXLog's and Logstash's flat form, Velociraptor's, Azure Log Analytics' tables, and the Elastic
Common Schema, whose fields count only where the record has no native one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from tocsin.collect.claims import Path

_SYSTEM: dict[Path, str] = {
    ("Provider", "Name"): "Provider_Name",
    ("Provider", "Guid"): "Provider_Guid",
    ("Provider", "EventSourceName"): "Provider_EventSourceName",
    ("EventID", "#text"): "EventID",
    ("EventID", "Value"): "EventID",
    ("EventID", "Qualifiers"): "Qualifiers",
    ("TimeCreated", "SystemTime"): "SystemTime",
    ("Correlation", "ActivityID"): "ActivityID",
    ("Correlation", "RelatedActivityID"): "RelatedActivityID",
    ("Execution", "ProcessID"): "Execution_ProcessID",
    ("Execution", "ThreadID"): "Execution_ThreadID",
    ("Security", "UserID"): "Security_UserID",
}
_WINLOG = {
    "channel": "Channel",
    "log_name": "Channel",
    "event_id": "EventID",
    "computer_name": "Computer",
    "provider_name": "Provider_Name",
    "source_name": "Provider_Name",
    "provider_guid": "Provider_Guid",
    "record_id": "EventRecordID",
    "record_number": "EventRecordID",
    "activity_id": "ActivityID",
    "related_activity_id": "RelatedActivityID",
    "process_id": "Execution_ProcessID",
    "thread_id": "Execution_ThreadID",
    "process.pid": "Execution_ProcessID",
    "process.thread.id": "Execution_ThreadID",
    "user.identifier": "Security_UserID",
    "keywords": "Keywords",
    "level": "Level",
    "opcode": "Opcode",
    "task": "Task",
    "version": "Version",
}
_FLAT = {
    "Hostname": "Computer",
    "MachineName": "Computer",
    "EventId": "EventID",
    "Id": "EventID",
    "SourceName": "Provider_Name",
    "EventSourceName": "Provider_Name",
    "ProviderName": "Provider_Name",
    "Provider": "Provider_Name",
    "ProviderGuid": "Provider_Guid",
    "LogName": "Channel",
    "RecordNumber": "EventRecordID",
    "RecordId": "EventRecordID",
    "ExecutionProcessID": "Execution_ProcessID",
    "ExecutionThreadID": "Execution_ThreadID",
    "ActivityId": "ActivityID",
}
_ECS = {
    "destination.domain": "DestinationHostname",
    "destination.ip": "DestinationIp",
    "destination.port": "DestinationPort",
    "dns.question.name": "QueryName",
    "event.code": "EventID",
    "event.provider": "Provider_Name",
    "file.path": "TargetFilename",
    "host.hostname": "Computer",
    "host.name": "Computer",
    "process.command_line": "CommandLine",
    "process.entity_id": "ProcessGuid",
    "process.executable": "Image",
    "process.parent.command_line": "ParentCommandLine",
    "process.parent.entity_id": "ParentProcessGuid",
    "process.parent.executable": "ParentImage",
    "process.parent.pid": "ParentProcessId",
    "process.pe.original_file_name": "OriginalFileName",
    "process.pid": "ProcessId",
    "process.working_directory": "CurrentDirectory",
    "registry.path": "TargetObject",
    "source.domain": "SourceHostname",
    "source.ip": "SourceIp",
    "source.port": "SourcePort",
}
# In this order: what the event itself says of its time, then what a shipper says. NXLog's `EventTime` is
# local time without a zone, so it stands behind every time that is surely UTC.
_TIMES = {
    name: rank
    for rank, name in enumerate(
        (
            "System.TimeCreated.SystemTime",
            "SystemTime",
            "TimeCreated",
            "winlog.time_created",
            "@timestamp",
            "TimeGenerated",
            "UtcTime",
            "EventTime",
            "Timestamp",
            "timestamp",
            "EventReceivedTime",
        )
    )
}
_DATA = {"EventData", "event_data"}
_USER_DATA = {"UserData", "user_data"}
_RENDERED = "RenderingInfo.Message"  # what a subscription adds to an event
# These names are the envelope's, whatever an event's own fields are called: Sysmon 4 has a `Version` and
# log clearing a `Channel` of its own, which would otherwise stand for, or hide, the record's.
_ENVELOPE = {*_SYSTEM.values(), "Channel", "Computer", "EventRecordID", "Keywords", "Level", "Opcode", "Task"} | {
    "Version",
    "xmlns",
}


@cache
def _below() -> Mapping[str, frozenset[str]]:
    """Each dotted prefix of a known key, with the names that keys under it can have."""
    table: dict[str, set[str]] = {"System.EventID": {"EventID"}}
    keys = {f"System.{'.'.join(path)}": name for path, name in _SYSTEM.items()}
    keys |= {f"winlog.{key}": name for key, name in _WINLOG.items()} | _WINLOG | _ECS
    keys |= dict.fromkeys(_TIMES, "_ts") | {_RENDERED: "Message"}
    for key, name in keys.items():
        for end, character in enumerate(key):
            if character == ".":
                table.setdefault(key[:end], set()).add(name)
    return {prefix: frozenset(names) for prefix, names in table.items()}


def _plain(path: Path) -> Path:
    """The path without the wrappers that some exporters add."""
    inner = tuple(key for key in path if key != "#attributes")
    if inner and inner[0] in ("Event", "winlog") and len(inner) > 1:
        return ("winlog", *inner[1:]) if inner[0] == "winlog" else inner[1:]
    return inner


class WindowsNaming:
    """Names for every shape of Windows record (see the module)."""

    also: Mapping[str, tuple[str, ...]] = {}
    besides: Mapping[str, tuple[str, ...]] = {}
    spreads = False

    def name(self, path: Path) -> tuple[str, int]:
        return _name(path)

    def time_rank(self, path: Path) -> int | None:
        return _time_rank(path)

    def names_below(self, path: Path) -> frozenset[str] | None:
        plain = _plain(path)
        inner = plain[1:] if plain[:1] == ("winlog",) else plain
        if not inner or inner[0] in _DATA | _USER_DATA or inner in (("Event",), ("System",)):
            return None
        return _below().get(".".join(plain), frozenset())


@lru_cache(maxsize=65_536)
def _time_rank(path: Path) -> int | None:
    return _TIMES.get(".".join(_plain(path)))


@lru_cache(maxsize=65_536)
def _name(path: Path) -> tuple[str, int]:
    plain = _plain(path)
    dotted = ".".join(plain)
    inner = plain[1:] if plain[:1] == ("winlog",) else plain
    if not inner:
        return ".".join(path), 9
    top, rest = inner[0], inner[1:]
    if top == "System" and rest:
        return _SYSTEM.get(rest, rest[0] if len(rest) == 1 else ".".join(rest)), 0
    if (top in _DATA or top == "user_data") and rest:
        name = _data_name(rest)
        return (dotted if name in _ENVELOPE else name), 1
    if top in _USER_DATA and len(rest) > 1:  # Windows wraps its fields in one more element, Winlogbeat does not
        name = _data_name(rest[1:])
        return (dotted if name in _ENVELOPE else name), 1
    if dotted.removeprefix("winlog.") in _WINLOG and (plain[0] == "winlog" or "." not in dotted):
        return _WINLOG[dotted.removeprefix("winlog.")], 2
    if dotted == "user.identifier":
        return "Security_UserID", 3
    if dotted == _RENDERED:
        return "Message", 4
    if dotted in _FLAT:
        return _FLAT[dotted], 4
    if dotted in _ECS:
        return _ECS[dotted], 5
    return dotted, 3


def _data_name(rest: Path) -> str:
    """`Data.#text` is `Data`; names with spaces (Defender writes `Source Name`) lose them, as rules write them."""
    return ".".join(key for key in rest if key != "#text").replace(" ", "") or "Data"
