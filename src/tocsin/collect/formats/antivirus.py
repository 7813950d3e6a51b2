"""Logs of virus scanners in, Events out; Sigma's antivirus category has `Signature`, `Filename` and `Action`.

- ClamAV: reports of clamscan(1), clamdscan(1) and clamonacc(8), and clamd's log (`LogTime` or not). What is not about
  a finding is kept as `message`; files that are clean are events, too.
- Symantec Endpoint Protection: the server's syslog, "External Logging settings": `Virus found,IP Address: ...,
  Computer name: ...`. Every key keeps its name.
- Tables of findings with a line of headings, as the consoles of Trellix (McAfee ePO), Symantec, Sophos, Trend Micro and
  Defender export them: a comma, semicolon or tab between cells. Headings keep their names; known ones tell the fields
  above, `User` and `host` besides.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, Final

from tocsin.collect import device_times, documents, syslog
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.streams import HEAD_BYTES, peek
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "antivirus"
KIND = "antivirus"

_Fields = dict[str, "str | tuple[str, ...] | None"]
_NO_RECORD: Final = "not a line of a virus scanner's log"
_CLAM_TIME: Final = later(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}) -> ", re.ASCII)
_CLAM_FOUND: Final = " FOUND"
_CLAM_ELSE: Final = later(r"OK|Empty file|Excluded|Access denied\..*")
_CLAM_HASH: Final = later(r"(.+)\(([0-9a-f]{32}|[0-9a-f]{64}):(\d{1,20})\)", re.ASCII)
_CLAM_OTHER: Final = later(
    r"-{3,} ?SCAN SUMMARY ?-{3,}|-{20,}|(?:Known viruses|Engine version|Scanned (?:directories|files)|Infected files"
    r"|Data (?:scanned|read)|Time|Start Date|End Date|Total errors): .*|\s*"
)
_SYMANTEC: Final = later(
    r"\b(Virus found|Security risk found|Potential risk found|Commercial application detected"
    r"|Compressed File|SONAR detection now allowed|Forced .{1,40}?|Suspicious .{1,40}?)"
    r",(?=\s{0,8}\"?(?:IP Address|Computer name|Computer|Source): )"
)
_SYMANTEC_PAIR: Final = later(
    r"(?:^|,)\s*\"?([A-Z][A-Za-z /\-]{1,40}): ?(.*?)\"?(?=,\s*\"?[A-Z][A-Za-z /\-]{1,40}: ?|,?$)", re.DOTALL
)
_MOST_PAIRED: Final = 20_000  # characters
# Headings and keys, in small letters without what is no letter -> the field they tell, the best first.
_TELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "Signature": (
        *("threatname", "riskname", "virusname", "virus", "virusmalware", "malwarename", "malware", "detectionname"),
        *("signature", "threat", "signaturename", "securitythreat"),
    ),
    "Filename": (
        *("threattargetfilepath", "targetfilepath", "filepath", "path", "fullpath", "filename", "file", "infectedfile"),
        *("resources", "objectpath", "objectname", "filefolder"),
    ),
    "Action": (
        *("actualaction", "actiontaken", "threatactiontaken", "action", "actionresult", "result", "cleaningactionid"),
        *("threatstatus", "status"),
    ),
    "User": ("username", "threattargetusername", "targetusername", "user", "detectionuser", "domainuser"),
    "host": (
        "computername",
        "threattargethostname",
        "targethostname",
        "hostname",
        "endpoint",
        "computer",
        "device",
        "devicename",
    ),
}
_TIMES: Final = (
    *("eventtime", "eventgeneratedtimeutc", "eventgeneratedtime", "detectiontime", "initialdetectiontime", "timestamp"),
    *("datetime", "when", "time", "generated", "receivedtime", "eventreceivedtime", "date"),
)
_FORMS: Final = (
    "yyyy-MM-dd HH:mm:ss",
    "dd/MM/yyyy HH:mm:ss",
    "MM/dd/yyyy hh:mm:ss a",
    "dd.MM.yyyy HH:mm:ss",
    "M/d/yyyy h:mm:ss a",
    "MM/dd/yy hh:mm:ss a",
)
_PLAIN: Final = later(r"[^a-z]")
_SNIFFED: Final = later(
    rb"^(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} -> [^\n]*"
    rb"|(?:ScanOnAccess: )?(?:/|[A-Za-z]:\\|\\\\)[^\n]*(?: FOUND|: OK|: Empty file)\r?"
    rb"|-{3,} ?SCAN SUMMARY ?-{3,}\r?"
    rb"|(?:Known viruses|Engine version|Scanned (?:directories|files)|Infected files|Data (?:scanned|read)"
    rb"|Time|Start Date|End Date|Total errors): [^\n]*"
    rb"|[^\n]{0,200}Symantec(?:Server| Endpoint)[^\n]{0,60}(?:found|detected),[^\n]*)$",
    re.MULTILINE,
)
_CLAM_SURE: Final = later(
    rb" FOUND\r?$|SCAN SUMMARY|clamd|ClamAV|^(?:/|[A-Za-z]:\\)[^\n]*: (?:OK|Empty file)\r?$|SymantecServer"
    rb"|Symantec Endpoint",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    if _headings(head) is not None:
        return True
    return _CLAM_SURE.search(head) is not None and documents.mostly(head, _SNIFFED)


def _headings(head: bytes) -> bytes | None:
    """The first line, if it is the headings of a table of findings: a threat, and a file or what was done about it."""
    line = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].rstrip(b"\r")
    if not 20 <= len(line) <= 8_192 or line.startswith((b"{", b"[", b"<")):
        return None
    told = _told_by(_cells(line.decode("utf-8", "replace"), line))
    names = {told[name][1] for name in ("Signature", "Filename", "Action") if name in told}
    sure = "Signature" in told and ("Filename" in told or "Action" in told)
    # sensors have signatures, too, but none about files that something was done with
    if sure and told["Signature"][1] in ("signature", "signaturename"):
        sure = {"Filename", "Action"} <= told.keys()
    return line if sure and len(names) > 1 else None


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return [(0, size)] if _headings(head) is not None else documents.line_ranges(size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of lines; the headings of a table stand before those of its blocks."""
    if start:
        yield from documents.cut_line_range(file, start, stop, block_bytes)
        return
    again, head = peek(file, HEAD_BYTES)
    headings = _headings(head) or b""
    if stop is not None:
        file.seek(0)
        again = file
    for block in documents.cut_line_range(again, 0, stop, block_bytes):
        yield replace(block, head=headings) if headings else block


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    if header:
        return None if text.encode() == header else _row(text, header, clock)
    if found := _SYMANTEC.search(text):
        return _symantec(text, found, clock)
    return _clam(text, clock)


def _clam(text: str, clock: Clock) -> Parsed | str | None:
    time = _CLAM_TIME.match(text)
    line = text[time.end() :] if time else text
    ts, mended = NO_TIME, ""
    if time and (told := device_times.read(time[1], clock, "MMM d HH:mm:ss yyyy") or _spaced(time[1], clock)):
        ts, mended = told
    path, _, verdict = line.removesuffix(_CLAM_FOUND).removeprefix("ScanOnAccess: ").rpartition(": ")
    found = line.endswith(_CLAM_FOUND)
    if not path or not verdict.strip() or not (found or _CLAM_ELSE.fullmatch(verdict)):
        if not time and not _CLAM_OTHER.fullmatch(line):
            return _NO_RECORD
        return Parsed(ts, {"log": "ClamAV", "message": line}, mended) if line.strip("- ") else None
    values: _Fields = {"log": "ClamAV", "Filename": path, "Action": "FOUND" if found else verdict}
    if found:
        hashed = _CLAM_HASH.fullmatch(verdict)
        values["Signature"] = hashed[1] if hashed else verdict
        if hashed:
            values |= {"hash": hashed[2], "size": hashed[3]}
    return Parsed(ts, values, mended)


def _spaced(text: str, clock: Clock) -> tuple[int, str] | None:
    return device_times.read(text.replace("  ", " "), clock, "MMM d HH:mm:ss yyyy")


def _symantec(text: str, found: re.Match[str], clock: Clock) -> Parsed:
    head = syslog.header(text[: found.start()] + "x: ", clock)
    values: _Fields = {"log": "Symantec", "event": found[1]}
    pairs = _SYMANTEC_PAIR.findall(text[found.end() : found.end() + _MOST_PAIRED])
    for name, value in pairs:
        values.setdefault(name, value)
    told = _told_by([name for name, _ in pairs])
    values |= {name: pairs[at][1] for name, (at, _) in told.items() if name not in values}
    ts = _time([name for name, _ in pairs], [value for _, value in pairs], clock)
    if ts is None:
        return Parsed(head.ts if head else NO_TIME, values, head.mended if head else "")
    return Parsed(ts[0], values, ts[1])


def _row(text: str, header: bytes, clock: Clock) -> Parsed:
    names = _cells(header.decode("utf-8", "replace"), header)
    cells = _cells(text, header)
    values: _Fields = {"log": "table"}
    for at, value in enumerate(cells):
        name = names[at].strip() if at < len(names) and names[at].strip() else f"column_{at}"
        if value:
            values.setdefault(name, value)
    for name, (at, _) in _told_by(names).items():
        if at < len(cells) and cells[at]:
            values.setdefault(name, cells[at])
    ts = _time(names, cells, clock)
    return Parsed(*ts[:1], values, ts[1]) if ts else Parsed(NO_TIME, values)


def _cells(text: str, header: bytes) -> list[str]:
    between = max(",;\t", key=header.decode("utf-8", "replace").count)
    try:
        return next(csv.reader([text], delimiter=between))
    except (csv.Error, StopIteration):
        return text.split(between)


def _told_by(names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """For each of Sigma's fields the number of the heading that tells it, and its plain name."""
    plain = [_PLAIN.sub("", name.lower()) for name in names]
    told = {}
    for field, known in _TELLS.items():
        for name in known:
            if name in plain:
                told[field] = plain.index(name), name
                break
    return told


def _time(names: Sequence[str], values: Sequence[str], clock: Clock) -> tuple[int, str] | None:
    """The best time of a record whose fields have such names."""
    plain = [_PLAIN.sub("", name.lower()) for name in names]
    for name in _TIMES:
        if name in plain and plain.index(name) < len(values):
            text = values[plain.index(name)].strip()
            for form in ("", *_FORMS):
                told = device_times.read(text, clock, form)
                if told and "utc" in name and told[1] == ZONE_ASSUMED:
                    told = device_times.read(text, Clock(latest_us=clock.latest_us), form)
                if told:
                    return told[0], "" if "utc" in name else told[1]
    return None


_LOG: Final = TextLog(parse=_parse)
decoder, fields = _LOG.decoder, _LOG.fields
