"""IIS' own log format in, Events out: fifteen fields with commas between them, and no line that names them.

Microsoft Learn, *IIS log file formats*, "IIS Log File Format" (`logFormat="IIS"`). Dates are written as the server's
language has them: with slashes the month comes first unless it cannot be one, with dots the day. Times are the server's
own. Fields have the names that IIS gives them in the W3C format.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from tocsin.collect import documents
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "iis_native"
KIND = "webserver"

_NO_RECORD: Final = "not a line of IIS' own format"
_NAMES: Final = (
    "c-ip cs-username date time s-sitename s-computername s-ip time-taken cs-bytes sc-bytes sc-status sc-win32-status "
    "cs-method cs-uri-stem cs-uri-query"
).split()
_DATE: Final = r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}"
_LINE: Final = re.compile(
    r"([0-9A-Fa-f.:%]{2,64}), (.*?), "
    rf"({_DATE}), (\d{{1,2}}:\d\d:\d\d), ([A-Za-z]\w{{0,30}}), ([^,]{{0,255}}), ([0-9A-Fa-f.:%]{{0,64}}|-), "
    r"(-|\d+), (-|\d+), (-|\d+), (\d{1,3}), (\d{1,10}), ([^,]{0,64}), (.*), ([^,]*),? ?",
    re.ASCII,
)
_SNIFFED: Final = re.compile(
    rb"^(?:\xef\xbb\xbf)?[0-9A-Fa-f.:%]{2,64}, [^\n]{0,255}?, " + _DATE.encode() + rb", \d{1,2}:\d\d:\d\d, "
    rb"[A-Z]\w{0,30}, [^,\n]{0,255}, (?:[0-9A-Fa-f.:%]{0,64}|-), (?:(?:-|\d{1,20}), ){3}\d{1,3}, ",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found = _LINE.fullmatch(text.lstrip("\ufeff"))
    if found is None:
        return _NO_RECORD
    values = {name: cell for name, cell in zip(_NAMES, found.groups(), strict=True) if cell not in ("-", "")}
    stem, query = values.get("cs-uri-stem"), values.get("cs-uri-query")
    if stem:
        values["cs-uri"] = f"{stem}?{query}" if query else stem
    ts = _ts(found[3], found[4], clock)
    if ts != NO_TIME:
        del values["date"], values["time"]
    return Parsed(ts, {"log": "access", **values}, "" if ts == NO_TIME else ZONE_ASSUMED)


def _ts(date: str, time: str, clock: Clock) -> int:
    first, second, third = map(int, re.split(r"[/.-]", date))
    if first > 31:
        year, month, day = first, second, third
    elif "." in date or first > 12:
        day, month, year = first, second, third
    else:
        month, day, year = first, second, third
    try:
        clock_time = datetime.strptime(time, "%H:%M:%S").time()  # noqa: DTZ007  # the clock knows the zone
        return clock.local(datetime.combine(datetime(year + 2000 * (year < 100), month, day), clock_time))  # noqa: DTZ001
    except ValueError:
        return NO_TIME


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
