"""An event of Sysmon for Linux as XML in, its fields out, under the names that Sysmon's have on Windows.

Sysmon for Linux writes to syslog, on one line, what Windows would keep as an event (Windows event schema, `System` and
`EventData`). Syslog may cut it off: what stands before the cut is read, the value that it goes through included.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from tocsin.collect.event_xml import CUT_OFF, plain
from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME

Fields: TypeAlias = dict[str, str | tuple[str, ...] | None]

_BEGIN: Final = re.compile(r"\s*<Event(?:\s[^<>]*)?>\s*<System>")
_SYSTEM: Final = re.compile(
    r"<(?P<name>\w{1,64})(?P<attributes>(?: \w{1,64}=\"[^\"<>]*\")*+)\s*(?:/>|>(?P<text>[^<]*))"
)
_ATTRIBUTE: Final = re.compile(r' (\w{1,64})="([^"<>]*)"')
_DATA: Final = re.compile(r'<Data(?: Name="([^"<>]{0,128})")?(?:/>|>(.*?)(?:</Data>|\Z))', re.DOTALL)
_NAMES: Final = {
    ("Provider", "Name"): "Provider_Name",
    ("Provider", "Guid"): "Provider_Guid",
    ("TimeCreated", "SystemTime"): "SystemTime",
    ("Correlation", "ActivityID"): "ActivityID",
    ("Execution", "ProcessID"): "Execution_ProcessID",
    ("Execution", "ThreadID"): "Execution_ThreadID",
    ("Security", "UserId"): "Security_UserID",
    ("Security", "UserID"): "Security_UserID",
}


def event(text: str, at: int = 0) -> tuple[int, Fields, str] | None:
    """Time (UTC microseconds), fields, and what is amiss of the event that begins at `at`; None where none does."""
    begin = _BEGIN.match(text, at)
    if begin is None:
        return None
    system, _, data = text[begin.end() :].partition("</System>")
    fields: Fields = {}
    for element in _SYSTEM.finditer(system):
        for name, value in _ATTRIBUTE.findall(element["attributes"]):
            fields[_NAMES.get((element["name"], name), f"{element['name']}_{name}")] = plain(value)
        if element["text"]:
            fields[element["name"]] = plain(element["text"])
    several: dict[str, list[str]] = {}
    for name, value in _DATA.findall(data):
        several.setdefault(name or "Data", []).append(plain(value))
    for name, values in several.items():
        while name in fields:
            name = f"EventData.{name}"
        fields[name] = values[0] if len(values) == 1 else tuple(values)
    times = (fields.get("SystemTime"), fields.get("UtcTime"))
    known = [
        ts for ts in microseconds([time for time in times if isinstance(time, str)] or [""]).tolist() if ts != NO_TIME
    ]
    return known[0] if known else NO_TIME, fields, "" if data.rstrip().endswith("</Event>") else CUT_OFF
