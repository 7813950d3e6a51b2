"""An event of Sysmon for Linux as XML in, its fields out, under the names that Sysmon's have on Windows.

Sysmon for Linux writes to syslog, on one line, what Windows would keep as an event (Windows event schema, `System` and
`EventData`). Syslog may cut it off: what stands before the cut is read, the value that it goes through included.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME

Fields: TypeAlias = dict[str, str | tuple[str, ...] | None]

CUT_OFF: Final = "XML that is cut off"
_BEGIN: Final = re.compile(r"\s*<Event(?:\s[^<>]*)?>\s*<System>")
_SYSTEM: Final = re.compile(
    r"<(?P<name>\w{1,64})(?P<attributes>(?: \w{1,64}=\"[^\"<>]*\")*+)\s*(?:/>|>(?P<text>[^<]*))"
)
_ATTRIBUTE: Final = re.compile(r' (\w{1,64})="([^"<>]*)"')
_DATA: Final = re.compile(r'<Data(?: Name="([^"<>]{0,128})")?(?:/>|>(.*?)(?:</Data>|\Z))', re.DOTALL)
_ENTITY: Final = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
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
_LARGEST: Final = 0x10FFFF


def event(text: str, at: int = 0) -> tuple[int, Fields, str] | None:
    """Time (UTC microseconds), fields, and what is amiss of the event that begins at `at`; None where none does."""
    begin = _BEGIN.match(text, at)
    if begin is None:
        return None
    system, _, data = text[begin.end() :].partition("</System>")
    fields: Fields = {}
    for element in _SYSTEM.finditer(system):
        for name, value in _ATTRIBUTE.findall(element["attributes"]):
            fields[_NAMES.get((element["name"], name), f"{element['name']}_{name}")] = _plain(value)
        if element["text"]:
            fields[element["name"]] = _plain(element["text"])
    several: dict[str, list[str]] = {}
    for name, value in _DATA.findall(data):
        several.setdefault(name or "Data", []).append(_plain(value))
    for name, values in several.items():
        while name in fields:
            name = f"EventData.{name}"
        fields[name] = values[0] if len(values) == 1 else tuple(values)
    times = (fields.get("SystemTime"), fields.get("UtcTime"))
    known = [
        ts for ts in microseconds([time for time in times if isinstance(time, str)] or [""]).tolist() if ts != NO_TIME
    ]
    return known[0] if known else NO_TIME, fields, "" if data.rstrip().endswith("</Event>") else CUT_OFF


def _plain(text: str) -> str:
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return _ENTITIES[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    return chr(code) if code <= _LARGEST and not 0xD800 <= code <= 0xDFFF else entity[0]  # halves of a pair are no text
