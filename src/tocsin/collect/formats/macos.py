"""What a Mac tells of its processes, files and log in, Events out, under Sysmon's names where rules ask for these.

Read are the JSON lines of `eslogger` (its manual page; an event is `es_message_t` of `EndpointSecurity/ESMessage.h`),
osquery's `es_process_events` and `es_process_file_events` (schema of osquery 5, "macOS"), the telemetry of Red
Canary's Mac Monitor (its telemetry reports), and `log show --style ndjson` or `json` (its manual page).

`log` is Sigma's category where it has one, else the name of the event. Of a process that starts another program,
the parent is what it ran before: that is how Endpoint Security tells it. A user is known by number alone, but for
root.
"""

from __future__ import annotations

from typing import Any, Final

from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.naming import Dotted

NAME = "macos"
KIND = "macos"

_STARTED, _WRITTEN, _DELETED, _UNIFIED = "process_creation", "file_event", "file_delete", "unified_log"
_CATEGORIES: Final = {
    "exec": _STARTED,
    **dict.fromkeys(("create", "rename", "clone", "link", "copyfile", "exchangedata", "write"), _WRITTEN),
    "unlink": _DELETED,
}
_FILE_ACTIONS: Final = {  # of osquery
    **dict.fromkeys(("create", "rename", "write", "link"), _WRITTEN),
    **dict.fromkeys(("unlink", "delete"), _DELETED),
}


def _shape(record: Record) -> None:
    event = record.get("event")
    found: dict[str, Any] = {}
    if type(event) is dict and event:
        found = _endpoint_security(next(iter(event)), event, record)
    elif type(record.get("columns")) is dict:
        found = _osquery(record)
    elif type(record.get("es_event_type")) is str:
        found = _mac_monitor(record)
    elif "eventMessage" in record or "machTimestamp" in record:
        found = {"log": _UNIFIED}
    for name, value in found.items():
        if value is not None and value != "" and name not in record:
            record[name] = value


def _endpoint_security(name: str, events: Record, record: Record) -> Record:
    event = events[name] if type(events[name]) is dict else {}
    process = record.get("process")
    started = name == "exec"
    found: Record = {
        "log": _CATEGORIES.get(name, name),
        "Image": _at(event, "target", "executable", "path") if started else _at(process, "executable", "path"),
        "User": _user(_at(event if started else record, "target" if started else "process", "audit_token", "euid")),
    }
    if started:
        found["ParentImage"] = _at(process, "executable", "path")
        found["CurrentDirectory"] = _at(event, "cwd", "path")
        args = event.get("args")
        if type(args) is list:
            found["CommandLine"] = " ".join(one for one in args if type(one) is str)
    elif name == "close" and event.get("modified") is True:
        found |= {"log": _WRITTEN, "TargetFilename": _at(event, "target", "path")}
    elif found["log"] in (_WRITTEN, _DELETED):
        found["TargetFilename"] = _target(event)
    return found


def _target(event: Record) -> Any:
    """The file that is there, or is gone, when the event is over: new ones are told by their folder and name."""
    destination = event.get("destination")
    for folder, name in (
        (_at(destination, "new_path", "dir", "path"), _at(destination, "new_path", "filename")),
        (_at(event, "target_dir", "path"), event.get("target_filename") or event.get("target_name")),
    ):
        if type(folder) is str and type(name) is str:
            return f"{folder.rstrip('/')}/{name}"
    there = _at(destination, "existing_file", "path")
    return there or _at(event, "target_file", "path") or _at(event, "target", "path") or _at(event, "file1", "path")


def _osquery(record: Record) -> Record:
    columns = record["columns"]
    kind = columns.get("event_type")
    files = "file" in str(record.get("name", "")) or "dest_filename" in columns
    found: Record = {"Image": columns.get("path"), "User": columns.get("username") or _user(columns.get("euid"))}
    if files:
        found["log"] = _FILE_ACTIONS.get(kind, kind) if type(kind) is str else None
        found["TargetFilename"] = columns.get("dest_filename") or columns.get("filename")
    else:
        found["log"] = _STARTED if kind in ("exec", None) else kind
        found |= {"CommandLine": columns.get("cmdline"), "CurrentDirectory": columns.get("cwd")}
    return found


def _mac_monitor(record: Record) -> Record:
    name = record["es_event_type"].removeprefix("ES_EVENT_TYPE_NOTIFY_").lower()
    event = next((value for key, value in record.items() if key.endswith("_event") and type(value) is dict), {})
    before = record.get("initiating_process_path")
    found: Record = {"log": _CATEGORIES.get(name, name), "Image": before, "User": record.get("initiating_euid_human")}
    if name == "exec":
        found |= {"Image": event.get("process_path"), "ParentImage": before, "CommandLine": event.get("command_line")}
    elif found["log"] in (_WRITTEN, _DELETED):
        found["TargetFilename"] = event.get("destination_path") or event.get("file_path") or event.get("path")
    return found


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        if type(node) is not dict:
            return None
        node = node.get(key)
    return node


def _user(number: Any) -> str | None:
    if type(number) not in (int, str) or number == "":
        return None
    return "root" if str(number) == "0" else str(number)


_LOG = JsonLog(
    naming=Dotted(
        times=("time", "timestamp", "activity_at_ts", "message_darwin_time", "unixTime", "columns.time"),
        also={
            "Computer": ("hostIdentifier", "decorations.hostname", "hostname"),
            "Image": ("processImagePath",),
            "ProcessId": ("event.exec.target.audit_token.pid", "process.audit_token.pid", "columns.pid", "processID"),
            "ParentProcessId": ("event.exec.target.ppid", "process.ppid", "columns.parent"),
            "message": ("eventMessage",),
        },
    ),
    keys=(
        frozenset({"schema_version", "mach_time", "global_seq_num", "event_type"}),
        frozenset({"audit_token", "executable", "event", "process", "time"}),
        frozenset({"processImagePath", "eventMessage", "machTimestamp"}),
        frozenset({"es_event_type", "initiating_process_path"}),
        frozenset({"hostIdentifier", "columns", "seq_num", "global_seq_num", "event_type"}),
        frozenset({"hostIdentifier", "columns", "signing_id", "platform_binary", "cdhash"}),
    ),
    shape=_shape,
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
