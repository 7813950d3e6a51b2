r"""Microsoft Defender's protection log in, Events out: `MPLog-*.log` below `Windows Defender\Support`.

Microsoft Learn, *Collect Microsoft Defender Antivirus diagnostic data* and *Troubleshoot performance issues*: lines
that begin with a time in UTC, and lines that go on from one. What was detected and what was done about it has the
names of Sigma's antivirus category; how long each program kept the scanner busy tells what ran at all (`Image`). All
else is `message`.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect.clock import NO_TIME_TOLD, Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME

NAME = "defender_mplog"
KIND = "antivirus"

_STAMP: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z"
_LINE: Final = re.compile(rf"({_STAMP}) (.*)", re.DOTALL)
# `DETECTION_ADD#1 HackTool:Win32/X file:C:\a.exe PropBag [...]`
_DETECTED: Final = re.compile(
    r"(?P<event>DETECTION(?:EVENT|_ADD|_CLEANEVENT)(?:#\d{1,6})?) (?:(?P<source>MPSOURCE_\w{1,40}) )?"
    r"(?:(?P<action>MP_THREAT_ACTION_\w{1,40}) (?P<result>\w{1,40}) )?(?P<threat>\S+:\S+) (?P<resources>.*)",
    re.DOTALL,
)
_PROPERTIES: Final = re.compile(r" PropBag \[.*", re.DOTALL)
_RESOURCE: Final = re.compile(r"(?P<kind>[a-z]{2,20}):_?(?P<place>.*)", re.DOTALL)
_BUSY: Final = re.compile(
    r"ProcessImageName: (?P<Image>.{1,512}?), Pid: (?P<ProcessId>\d+), TotalTime: (?P<TotalTime>\d+)"
    r", Count: (?P<Count>\d+), MaxTime: (?P<MaxTime>\d+)"
    r", MaxTimeFile: (?P<MaxTimeFile>.*?), EstimatedImpact: (?P<EstimatedImpact>\d+%)"
)
_SNIFFED: Final = re.compile(
    rb"^" + _STAMP.encode() + rb" (?:DETECTION(?:EVENT|_ADD|_CLEANEVENT)(?:#\d{1,6})? "
    rb"|ProcessImageName: [^\n]{1,512}?, Pid: \d{1,10}, TotalTime: \d{1,10}, Count: )",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return _SNIFFED.search(head.removeprefix(b"\xef\xbb\xbf")) is not None


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    text = text.lstrip("\ufeff")
    found = _LINE.fullmatch(text)
    if found is None:
        return Parsed(NO_TIME, {"log": "continued", "message": text}, NO_TIME_TOLD) if text.strip() else None
    ts, message = int(microseconds([found[1]])[0]), found[2]
    if detected := _DETECTED.fullmatch(message):
        return Parsed(ts, _detection(detected))
    if busy := _BUSY.match(message):
        return Parsed(ts, {"log": "performance", **busy.groupdict()})
    return Parsed(ts, {"log": "message", "message": message})


def _detection(found: re.Match[str]) -> dict[str, str | tuple[str, ...] | None]:
    values: dict[str, str | tuple[str, ...] | None] = {
        "log": "detection",
        "event": found["event"].partition("#")[0],
        "Source": found["source"],
        "Action": found["action"],
        "Result": found["result"],
        "Signature": found["threat"],
    }
    listed = _PROPERTIES.sub("", found["resources"]).split(";")
    resources = [one.strip() for one in listed if one.strip()]
    places = [place["place"] for one in resources if (place := _RESOURCE.fullmatch(one)) and "file" in place["kind"]]
    values["Resources"] = tuple(resources) if len(resources) > 1 else next(iter(resources), None)
    values["Filename"] = tuple(places) if len(places) > 1 else next(iter(places), None)
    return {name: value for name, value in values.items() if value is not None}


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
