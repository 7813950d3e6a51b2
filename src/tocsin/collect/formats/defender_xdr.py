"""Hunting tables and findings of Microsoft Defender in, Events out: JSON and CSV, under its names and those of Sysmon.

Microsoft Learn, "Advanced hunting schema" (`DeviceProcessEvents`, `DeviceNetworkEvents`, `AlertInfo`, ...), as the
portal and the hunting interfaces export them (`Results`, `results`), as the streaming API writes them (`category`
`AdvancedHunting-...`, `properties`), and as Log Analytics keeps them (`TimeGenerated`); findings of the interfaces of
Defender for Endpoint and of Graph (`alerts_v2`). Every column keeps its name.

Events of machines have, besides, the names that Sigma gives Sysmon's events of their sort: `Image`, `CommandLine`,
`ParentImage`, `TargetFilename`, `TargetObject`, `DestinationIp` and so on. `log` is the table, where a record or its
columns tell it; `platform` is what the form of its paths tells: `windows`, `macos` or `linux`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.collect.exported import Exported
from tocsin.collect.json_logs import JsonLog, Record, keys_of, lift, unfold
from tocsin.collect.naming import Dotted

NAME = "defender_xdr"
KIND = "defender"

_STREAMED: Final = "AdvancedHunting-"
_MARK: Final = re.compile(rb'"category"\s*:\s*"AdvancedHunting-')
_INITIATING: Final = "InitiatingProcess"
_INBOUND: Final = "Inbound"
_CONNECTED: Final = ("Connection", _INBOUND)
_ROOTS: Final = (
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
)
_CONTROL_SET: Final = re.compile(r"(?<=HKLM\\System)\\ControlSet00\d(?=\\|$)", re.IGNORECASE)
_MACOS: Final = ("/Applications/", "/System/", "/Library/", "/Users/", "/private/", "/opt/homebrew/")
_WINDOWS: Final = re.compile(r"[A-Za-z]:\\|\\\\|[^/]*\.exe$", re.IGNORECASE)
# Where no table is named: columns that only one of them has, the stricter first.
_TABLES: Final = (
    ("DeviceNetworkEvents", ("RemoteIP", "LocalIP", "ActionType")),
    ("DeviceRegistryEvents", ("RegistryKey", "ActionType")),
    ("DeviceLogonEvents", ("LogonType", "ActionType")),
    ("DeviceProcessEvents", ("ProcessCommandLine", "ProcessIntegrityLevel")),
    ("DeviceFileEvents", ("RequestProtocol", "ActionType")),
    ("AlertEvidence", ("AlertId", "EntityType")),
    ("AlertInfo", ("AlertId", "Title")),
    ("EmailEvents", ("NetworkMessageId", "SenderFromAddress")),
    ("alerts", ("serviceSource", "createdDateTime")),
    ("alerts", ("alertCreationTime",)),
)
_BY_ACTION: Final = {
    "ProcessCreated": "DeviceProcessEvents",
    "ImageLoaded": "DeviceImageLoadEvents",
    **dict.fromkeys(("FileCreated", "FileModified", "FileRenamed", "FileDeleted"), "DeviceFileEvents"),
}


def _shape(record: Record) -> None:
    category = record.get("category")
    if type(category) is str and category.startswith(_STREAMED):
        lift(record, "properties")
        unfold(record, "AdditionalFields")
        record.setdefault("log", category[len(_STREAMED) :])
    elif "log" not in record:
        table = _text(record, "Type") if "TimeGenerated" in record else ""
        if table or (table := _table(record)):
            record["log"] = table
    if "DeviceName" not in record and "ActionType" not in record:
        return
    for name, value in _besides(record).items():
        if value not in (None, "") and name not in record:
            record[name] = value


def _table(record: Record) -> str:
    by_action = _BY_ACTION.get(_text(record, "ActionType"))
    return by_action or next((table for table, keys in _TABLES if all(key in record for key in keys)), "")


def _besides(record: Record) -> dict[str, Any]:
    """What Sysmon's event of the same sort would call the record's values."""
    action = _text(record, "ActionType")
    own, by = _path(record, ""), _path(record, _INITIATING)
    named: dict[str, Any] = {"Computer": _text(record, "DeviceName"), "platform": _platform(own or by)}
    if not action:
        return named
    if action == "ProcessCreated":
        return named | _process(record, own, by)
    named |= {
        "Image": by,
        "CommandLine": record.get(f"{_INITIATING}CommandLine"),
        "ProcessId": record.get(f"{_INITIATING}Id"),
        "ParentImage": record.get(f"{_INITIATING}ParentFileName"),
        "User": _account(record, f"{_INITIATING}Account"),
    }
    if action.startswith("File"):
        return named | {"TargetFilename": own, "Hashes": _hashes(record)}
    if action.startswith("Registry"):
        return named | _registry(record)
    if action == "ImageLoaded":
        return named | {"ImageLoaded": own, "Hashes": _hashes(record)}
    if action == "AntivirusDetection":
        unfold(record, "AdditionalFields")
        extra = record.get("AdditionalFields")
        threat = extra.get("ThreatName") if type(extra) is dict else None
        return named | {"Signature": threat, "Filename": own}
    return named | _connection(record, action) if action.startswith(_CONNECTED) else named


def _process(record: Record, own: str, by: str) -> dict[str, Any]:
    return {
        "Image": own,
        "CommandLine": record.get("ProcessCommandLine"),
        "OriginalFileName": record.get("ProcessVersionInfoOriginalFileName"),
        "Company": record.get("ProcessVersionInfoCompanyName"),
        "Product": record.get("ProcessVersionInfoProductName"),
        "Description": record.get("ProcessVersionInfoFileDescription"),
        "FileVersion": record.get("ProcessVersionInfoProductVersion"),
        "IntegrityLevel": record.get("ProcessIntegrityLevel"),
        "User": _account(record, "Account"),
        "Hashes": _hashes(record),
        "ParentImage": by,
        "ParentCommandLine": record.get(f"{_INITIATING}CommandLine"),
        "ParentProcessId": record.get(f"{_INITIATING}Id"),
        "ParentUser": _account(record, f"{_INITIATING}Account"),
        "GrandParentImage": record.get(f"{_INITIATING}ParentFileName"),
    }


def _registry(record: Record) -> dict[str, Any]:
    key, value = _text(record, "RegistryKey"), _text(record, "RegistryValueName")
    for long, short in _ROOTS:
        if key.upper().startswith(long):
            key = short + key[len(long) :]
            break
    key = _CONTROL_SET.sub(r"\\CurrentControlSet", key)
    kind, told = _text(record, "RegistryValueType").lower(), record.get("RegistryValueData")
    if kind in ("dword", "qword") and str(told).isascii() and str(told).isdecimal() and len(str(told)) <= 20:
        width = 8 if kind == "dword" else 16
        told = f"{kind.upper()} (0x{int(str(told)):0{width}x})"
    elif kind == "binary":
        told = "Binary Data"
    return {"TargetObject": f"{key}\\{value}" if value else key, "Details": told}


def _connection(record: Record, action: str) -> dict[str, Any]:
    """Who asked is the source, as Sysmon has it: of a connection from outside, the machine that is far."""
    near, far = ("LocalIP", "LocalPort"), ("RemoteIP", "RemotePort")
    came = action.startswith(_INBOUND)
    source, target = (far, near) if came else (near, far)
    named = {
        "SourceIp": record.get(source[0]),
        "SourcePort": record.get(source[1]),
        "DestinationIp": record.get(target[0]),
        "DestinationPort": record.get(target[1]),
        "Protocol": _text(record, "Protocol").lower(),
        "Initiated": "false" if came else "true",
    }
    url = _text(record, "RemoteUrl")
    if url and not came:
        named["DestinationHostname"] = url.partition("://")[2].partition("/")[0] if "://" in url else url
    return named


def _path(record: Record, whose: str) -> str:
    """The whole path of a file: in some tables the folder has its name already, in others it does not."""
    folder, name = _text(record, f"{whose}FolderPath"), _text(record, f"{whose}FileName")
    if not folder or not name or folder.lower().endswith(name.lower()):
        return folder or name
    mark = "\\" if "\\" in folder else "/"
    return folder.rstrip(mark) + mark + name


def _account(record: Record, whose: str) -> str:
    domain, name = _text(record, f"{whose}Domain"), _text(record, f"{whose}Name")
    return f"{domain}\\{name}" if domain and name else name


def _hashes(record: Record) -> str:
    found = ((name, _text(record, name)) for name in ("MD5", "SHA1", "SHA256"))
    return ",".join(f"{name}={digest}" for name, digest in found if digest)


def _platform(path: str) -> str | None:
    if not path:
        return None
    if _WINDOWS.match(path):
        return "windows"
    return "macos" if path.startswith(_MACOS) else "linux"


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return value if type(value) is str else ""


_LOG: Final = JsonLog(
    naming=Dotted(
        times=("Timestamp", "TimeGenerated", "createdDateTime", "alertCreationTime", "time", "@timestamp"),
    ),
    keys=tuple(
        frozenset(keys.split())
        for keys in (
            "Timestamp ActionType ReportId",
            "Timestamp ActionType DeviceName",
            "Timestamp AlertId EntityType",
            "Timestamp AlertId Title",
            "Timestamp NetworkMessageId ReportId",
            "TimeGenerated ActionType DeviceName ReportId",
            "TimeGenerated ActionType DeviceId InitiatingProcessFileName",
            "TimeGenerated AlertId EntityType",
            "ActionType InitiatingProcessFileName InitiatingProcessFolderPath",
            "alertWebUrl createdDateTime serviceSource",
            "evidence createdDateTime serviceSource",
            "alertCreationTime machineId incidentId",
        )
    ),
    mark=_MARK,
    inner=frozenset({"value", "Results", "results", "records"}),
    folded=("AdditionalFields",),
    shape=_shape,
)
_READER: Final = Exported(_LOG, {})


def sniff(head: bytes) -> bool:
    """Not `CloudAppEvents`, whose records hold those of the unified audit log: their reader knows more of them."""
    if not _READER.sniff(head):
        return False
    return _MARK.search(head) is not None or not {"RawEventData", "Workload"} <= keys_of(head)


ranges, cut, decoder, fields = _READER.ranges, _READER.cut, _READER.decoder, _READER.fields
