"""The table `Syslog` of Azure Log Analytics in, Events out, under its names and those of syslog: JSON, however it lies.

After the reference of the table in "Azure Monitor Logs". `program`, `pid`, `host`, `message`, `facility` and `severity`
are what the table calls `ProcessName`, `ProcessID`, `Computer`, `SyslogMessage`, `Facility` and `SeverityLevel`.
Messages of sudo, of the packet filter, of the audit system (auditd's and those of Microsoft's auoms) and of Sysmon for
Linux hold fields of their own (`collect/messages.py`).
"""

from __future__ import annotations

from tocsin.collect import messages
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.naming import Dotted

NAME = "azure_syslog"
KIND = "linux"


def _shape(record: Record) -> None:
    message, program = record.get("SyslogMessage"), record.get("ProcessName")
    if type(message) is not str:
        return
    told = messages.told(program if type(program) is str else None, message)
    for name, value in told.fields.items():
        while name in record:
            if record[name] == value:
                break
            name += "_"
        record[name] = list(value) if isinstance(value, tuple) else value


_LOG = JsonLog(
    naming=Dotted(
        times=("SystemTime", "EventTime", "TimeGenerated", "@timestamp"),
        also={
            "program": ("ProcessName",),
            "pid": ("ProcessID",),
            "host": ("Computer", "HostName"),
            "message": ("SyslogMessage",),
            "facility": ("Facility",),
            "severity": ("SeverityLevel",),
        },
    ),
    keys=(
        frozenset({"SyslogMessage", "Facility", "SeverityLevel"}),
        frozenset({"SyslogMessage", "ProcessName", "TimeGenerated"}),
    ),
    shape=_shape,
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
