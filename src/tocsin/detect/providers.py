"""A pattern in the fields of a generic Sigma category in, what asks the same of Windows' security log out.

Sigma's names for process creation, registry and network events are Sysmon's. The security log tells of the
same things under other names and in other forms. Each table below says for one of its events what Sysmon's
fields are called there, or how a pattern over them is carried over; a field in neither is not logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tocsin.detect import carry
from tocsin.detect.trees import Tree, translated
from tocsin.model.rule import Pattern

# A field's other name, or a function that asks the same of other fields: None where nothing says it exactly.
Carried: TypeAlias = str | Callable[[Pattern], Tree | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One event of the security log: Sysmon's fields as it has them, and the fields it has of its own.

    Without an `event_id` it is any events of another log, which the gate names.
    """

    event_id: int | None
    carried: Mapping[str, Carried]
    own: frozenset[str]
    _carried: Mapping[str, Carried] = field(init=False)
    _own: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_carried", {name.lower(): way for name, way in self.carried.items()})
        object.__setattr__(self, "_own", frozenset(name.lower() for name in self.own | SYSTEM))

    def find(self, name: str) -> Carried | None:
        """How a field is carried over; its own name where it is the same; None where it is not logged."""
        return self._carried.get(name.lower()) or (name if name.lower() in self._own else None)


class Inexact(Exception):
    """The variant would fire where the rule does not: it excludes something that cannot be carried over."""


def carry_over(tree: Tree, provider: Provider) -> Tree:
    """The rule's condition in the provider's fields, folded.

    A field that is not logged is absent from every event: nothing asked of it holds, but that it is null.
    Something that cannot be carried over exactly counts as never found.

    Raises:
        Inexact: that something is what the rule excludes.
    """

    def change(asked: Pattern, wanted: bool) -> Tree:
        carried = _carried(asked, provider)
        if carried is None and not wanted:
            raise Inexact(f"{asked.field} {asked.kind} {asked.text}")
        return False if carried is None else carried

    return translated(tree, change)


def _carried(asked: Pattern, provider: Provider) -> Tree | None:
    if asked.field is None:
        return asked
    way = provider.find(asked.field)
    if way is None:
        return asked.kind == "null"
    if asked.kind.startswith("fieldref"):
        other = provider.find(asked.text)
        if other is None:
            return False
        if not (isinstance(way, str) and isinstance(other, str)):
            return None
        return Pattern(way, asked.kind, other)
    if not isinstance(way, str):
        return way(asked)
    if provider.event_id is None:
        return carry.named(asked, way)
    if asked.kind == "equals" and way == "EventID":
        return asked.text == str(provider.event_id)
    if asked.kind == "equals" and way == "Channel":
        return asked.text.lower() == "security"
    return carry.named(asked, way)


# What every Windows event says of itself.
SYSTEM: Final = frozenset(
    {
        "Channel",
        "Computer",
        "ComputerName",
        "Correlation",
        "EventID",
        "EventRecordID",
        "ExecutionProcessID",
        "Guid",
        "Hostname",
        "Keywords",
        "Level",
        "Opcode",
        "Provider",
        "Provider_Guid",
        "Provider_Name",
        "ProviderName",
        "SourceName",
        "Task",
        "ThreadID",
        "TimeCreated",
        "Version",
    }
)
_SUBJECT: Final = frozenset(
    {
        "SubjectUserSid",
        "SubjectUserName",
        "SubjectDomainName",
        "SubjectLogonId",
    }
)

# 4688, a new process has been created. Without the policy that adds it the command line is empty.
PROCESS_CREATION: Final = Provider(
    event_id=4688,
    carried={
        "Image": "NewProcessName",
        "IntegrityLevel": carry.words(
            "MandatoryLabel",
            {
                "Untrusted": ("s-1-16-0",),
                "Low": ("s-1-16-4096",),
                "Medium": ("s-1-16-8192",),
                "High": ("s-1-16-12288",),
                "System": ("s-1-16-16384",),
                "Protected": ("s-1-16-20480",),
            },
        ),
        "LogonId": carry.target_or_subject(carry.logon),
        "ParentImage": "ParentProcessName",
        "ParentProcessId": carry.hexadecimal("ProcessId"),
        "ProcessId": carry.hexadecimal("NewProcessId"),
        "User": carry.target_or_subject(carry.account),
    },
    own=_SUBJECT
    | frozenset(
        {
            "CommandLine",
            "MandatoryLabel",
            "NewProcessId",
            "NewProcessName",
            "ParentProcessName",
            "TargetDomainName",
            "TargetLogonId",
            "TargetUserName",
            "TargetUserSid",
            "TokenElevationType",
        }
    ),
)

# 4657, a registry value was modified: only of keys that are audited, only values, not keys.
REGISTRY: Final = Provider(
    event_id=4657,
    carried={
        "Details": carry.details,
        # Keys made, deleted and renamed are not logged, so those words find nothing.
        "EventType": carry.words(
            "OperationType",
            {
                "SetValue": (
                    "%%1904",
                    "%%1905",
                    "new registry value created",
                    "existing registry value modified",
                ),
                "DeleteValue": ("%%1906", "registry value deleted"),
            },
        ),
        "Image": "ProcessName",
        "LogonId": carry.subject(carry.logon),
        "ProcessId": carry.hexadecimal("ProcessId"),
        "TargetObject": carry.target_object,
        "User": carry.subject(carry.account),
    },
    own=_SUBJECT
    | frozenset(
        {
            "HandleId",
            "NewValue",
            "NewValueType",
            "ObjectName",
            "ObjectValueName",
            "OldValue",
            "OldValueType",
            "OperationType",
            "ProcessName",
        }
    ),
)
_CREATED: Final = ("%%1904", "new registry value created")
_MODIFIED: Final = ("%%1905", "existing registry value modified")
_DELETED: Final = ("%%1906", "registry value deleted")
# A category of Sysmon's, and the operations of 4657 that are of its kind.
REGISTRY_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry_add": _CREATED,
    "registry_delete": _DELETED,
    "registry_event": (*_CREATED, *_MODIFIED, *_DELETED),
    "registry_set": (*_CREATED, *_MODIFIED),
}

# 4663, an attempt was made to access an object: of files whose auditing is switched on. Sigma's names for files
# being opened are those of the event tracing provider Kernel-File.
FILE_ACCESS: Final = Provider(
    event_id=4663,
    carried={
        "FileName": "ObjectName",
        "TargetFilename": "ObjectName",
        "Image": "ProcessName",
        "LogonId": carry.subject(carry.logon),
        "ProcessId": carry.hexadecimal("ProcessId"),
        "User": carry.subject(carry.account),
    },
    own=_SUBJECT
    | frozenset(
        {
            "AccessList",
            "AccessMask",
            "HandleId",
            "ObjectName",
            "ObjectServer",
            "ObjectType",
            "ProcessName",
            "ResourceAttributes",
        }
    ),
)

# 5156, the Windows Filtering Platform has permitted a connection.
NETWORK_CONNECTION: Final = Provider(
    event_id=5156,
    carried={
        "DestinationIp": "DestAddress",
        "DestinationPort": "DestPort",
        "Image": carry.device_path,
        "Initiated": carry.words("Direction", {"true": ("%%14593", "outbound"), "false": ("%%14592", "inbound")}),
        "ProcessId": "ProcessID",
        "Protocol": carry.words("Protocol", {"tcp": ("6", "tcp"), "udp": ("17", "udp")}),
        "SourceIp": "SourceAddress",
    },
    own=frozenset(
        {
            "Application",
            "DestAddress",
            "DestPort",
            "Direction",
            "FilterRTID",
            "LayerName",
            "LayerRTID",
            "ProcessID",
            "RemoteMachineID",
            "RemoteUserID",
            "SourceAddress",
            "SourcePort",
        }
    ),
)

# Microsoft Defender Antivirus, 1006 and 1116 (found), 1007 and 1117 (acted upon), 1015 (behaviour), 1118 and 1119
# (action failed). A path says of what kind it is: `file:_C:\Users\a.exe`, several with semicolons between them.
DEFENDER: Final = Provider(
    event_id=None,
    carried={
        "Action": "ActionName",
        "Category": "CategoryName",
        "Filename": carry.resource("Path"),
        "ComputerName": "Computer",
        "Severity": "SeverityName",
        "Signature": "ThreatName",
        "User": "DetectionUser",
    },
    own=frozenset(
        {
            "ActionName",
            "CategoryName",
            "DetectionUser",
            "OriginName",
            "Path",
            "ProcessName",
            "SeverityName",
            "SourceName",
            "ThreatName",
            "TypeName",
        }
    ),
)
DEFENDER_FINDINGS: Final = ("1006", "1007", "1015", "1116", "1117", "1118", "1119")

# Flows, which rules name as the Elastic Common Schema does, as firewalls' connections and as Zeek's.
FIREWALL_FLOW: Final = Provider(
    event_id=None,
    carried={
        "destination.ip": "dst_ip",
        "destination.port": "dst_port",
        "network.transport": "protocol",
        "source.ip": "src_ip",
        "source.port": "src_port",
    },
    own=frozenset({"action", "blocked", "dst_ip", "dst_port", "protocol", "src_ip", "src_port"}),
)
ZEEK_FLOW: Final = Provider(
    event_id=None,
    carried={
        "destination.ip": "id.resp_h",
        "destination.port": "id.resp_p",
        "network.transport": "proto",
        "source.ip": "id.orig_h",
        "source.port": "id.orig_p",
    },
    own=frozenset({"conn_state", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service"}),
)

# RPC Firewall of Zero Networks: its fields by name (`collect/positions.py`), or by position as Winlogbeat calls them.
RPC_FIREWALL: Final = Provider(
    event_id=None,
    carried={
        "EventLog": "Channel",
        "InterfaceUuid": carry.either("InterfaceUuid", "param7"),
        "OpNum": carry.either("OpNum", "param8"),
    },
    own=frozenset(
        {
            "AuthenticationLevel",
            "AuthenticationService",
            "Endpoint",
            "ImagePath",
            "ProcessId",
            "Protocol",
            "RPCRT_Func",
            "SecurityId",
            "SourceAddress",
            "SourcePort",
        }
    ),
)
