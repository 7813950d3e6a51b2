"""Tables of what Velociraptor found on a machine in, Events out: processes, connections, services, traces of programs.

Velociraptor's artifact reference (`Windows.System.Pslist`, `Linux.Sys.Pslist`, `Windows.Network.Netstat` and
`NetstatEnriched`, `Windows.System.Services`, `Windows.System.TaskScheduler`, `Windows.Sys.StartupItems`,
`Windows.Forensics.Prefetch`, `Windows.Registry.AppCompatCache`, `Windows.Registry.UserAssist`, `Windows.NTFS.MFT`), as
JSON lines of `results/` or arrays. A row tells of a state and not of an event: no rule for events is asked of it, but
indicators are. `log` says which table it is; its time is when the thing began, was last used, or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.naming import Dotted

NAME = "velociraptor"
KIND = "velociraptor"

# What a table is called here -> the keys that only its rows have, and where they tell a time.
_TABLES: Final[Mapping[str, tuple[tuple[frozenset[str], ...], tuple[str, ...]]]] = {
    "connections": (
        (
            frozenset({"Pid", "Family", "Type", "Status", "Laddr.IP", "Raddr.IP"}),
            frozenset({"Pid", "Family", "Type", "Status", "Laddr", "Raddr"}),
            frozenset({"Pid", "Family", "Type", "Status", "SrcIP", "DestIP"}),
        ),
        ("Timestamp",),
    ),
    "processes": (
        (frozenset({"Pid", "Ppid", "Name", "Exe", "CommandLine", "Username"}),),
        ("CreateTime", "CreatedTime", "StartTime"),
    ),
    "services": ((frozenset({"DisplayName", "StartMode", "PathName", "ServiceType", "State"}),), ("Created",)),
    "tasks": (
        (frozenset({"OSPath", "Command", "Arguments", "ComHandler"}), frozenset({"FullPath", "Command", "ComHandler"})),
        ("Mtime",),
    ),
    "startup": ((frozenset({"Name", "OSPath", "Details", "Enabled"}),), ("Mtime",)),
    "prefetch": ((frozenset({"Executable", "LastRunTimes", "RunCount", "PrefetchFileName"}),), ("LastRunTimes",)),
    "shimcache": ((frozenset({"Position", "ModificationTime", "Path", "ControlSet"}),), ("ModificationTime",)),
    "userassist": ((frozenset({"Name", "LastExecution", "NumberOfExecutions"}),), ("LastExecution",)),
    "mft": ((frozenset({"EntryNumber", "InUse", "ParentEntryNumber", "Created0x10"}),), ("Created0x10",)),
}
_TIME: Final = "EventTime"


def _shape(record: Record) -> None:
    """Say which table a row is of, and when what it tells of was."""
    keys = record.keys()
    for name, (forms, times) in _TABLES.items():
        if not any(form <= keys for form in forms):
            continue
        record.setdefault("log", name)
        if name == "userassist":
            record.setdefault("file_name", record["Name"])
        told = next((record[key] for key in times if record.get(key)), None)
        if type(told) is list and told:  # of the last runs the newest stands first
            told = told[0]
        if told is not None and type(told) is not list:
            record.setdefault(_TIME, told)
        return


_LOG = JsonLog(
    naming=Dotted(
        times=(_TIME,),
        also={
            "Image": ("Exe",),
            "ProcessId": ("Pid",),
            "ParentProcessId": ("Ppid",),
            "User": ("Username", "UserAccount"),
            "md5": ("Hash.MD5",),
            "sha1": ("Hash.SHA1",),
            "sha256": ("Hash.SHA256",),
            "SourceIp": ("Laddr.IP", "SrcIP"),
            "SourcePort": ("Laddr.Port", "SrcPort"),
            "DestinationIp": ("Raddr.IP", "DestIP"),
            "DestinationPort": ("Raddr.Port", "DestPort"),
            "TargetFilename": ("OSPath", "FullPath"),
            "ServiceFileName": ("PathName",),
            "file_name": ("Executable",),
        },
    ),
    shape=_shape,
    keys=tuple(form for forms, _ in _TABLES.values() for form in forms),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
