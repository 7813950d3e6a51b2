"""Logs of programs that have no form of their own in, Events out: a time, a level, a message, and what follows it.

Log4j and logback (`PatternLayout`), Spring Boot, `java.util.logging` and Tomcat, Python's `logging`, Ruby's `Logger`,
Monolog, winston and bunyan, NLog and Serilog, glog; the error logs of PostgreSQL (`log_line_prefix`), MySQL and
MariaDB, SQL Server and PHP. After the manuals of each.

`level`, `logger` and `thread` (or process) are told where the form is one of these, `message` always: with the lines
that follow, such as a stack trace, up to the next line that begins with a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO, Final

from tocsin.collect import entries
from tocsin.collect.block import Block
from tocsin.collect.clock import NO_TIME_TOLD, YEAR_AND_ZONE_ASSUMED, ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.streams import HEAD_BYTES
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "text_log"
KIND = "application"

_ZONE: Final = r"(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = f"(?:{'|'.join(_MONTHS)})"
_NARROW: Final = "\u202f"  # between time and AM since Java 20
_CLOCK: Final = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_TIME: Final = (
    rf"(?:\d{{4}}[-/.]\d\d[-/.]\d\d[T ]{{1,2}}{_CLOCK}{_ZONE}"
    rf"|\d\d[-/ ]{_MONTH}[-/ ]\d{{4}}[ :]{_CLOCK}{_ZONE}"
    rf"|{_MONTH} \d\d?, \d{{4}},? \d\d?:\d\d:\d\d(?:[,:]\d{{3}})?(?: |{_NARROW})[AP]M(?: [A-Z]{{3,4}}\b)?"
    rf"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} [ \d]\d {_CLOCK} (?:UTC |GMT )?\d{{4}}"
    r"|\d{6} [ \d]\d:\d\d:\d\d(?=[ \t])"
    r"|\d\d:\d\d:\d\d[.,]\d{3}(?= \[))"
)
_LEVELS: Final = (
    "TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|CRIT|CRITICAL|FATAL|SEVERE|ALERT|EMERG|EMERGENCY|PANIC"
    "|FINE|FINER|FINEST|CONFIG|VERBOSE|LOG|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|VRB|DBG|INF|WRN|FTL|AUDIT|SYSTEM"
)
_LEVEL: Final = rf"(?P<level>(?:{_LEVELS}|(?i:{_LEVELS}|note)(?=\]|:|\||/))[1-5]?)\b"
# What stands before the time: Ruby's letter, Django's level, logfmt's key, WebLogic's marks.
_BEFORE: Final = rf"(?:[DIWEFA], |\[?(?:{_LEVELS}) {{0,5}}\]? {{0,5}}|(?:time|ts)=|####)?[\[<(\"]?"
_GLOG: Final = r"(?P<letter>[IWEF])(?P<glog>\d{4} \d\d:\d\d:\d\d\.\d{6}) +(?P<pid>\d+) "
_BEGINS: Final = later(rf"^(?:{_BEFORE}{_TIME}|{_GLOG})".encode(), re.MULTILINE)
_HEAD: Final = later(
    rf"(?:(?P<first>[DIWEFA]), |\[?(?P<before>{_LEVELS}) {{0,5}}\]? {{0,5}}|(?:time|ts)=|####)?"
    rf"[\[<(\"]?(?P<time>{_TIME})[\])>\"]?(?P<rest>.*)"
    rf"|{_GLOG}(?P<said>.*)",
    re.DOTALL,
)
_NAME: Final = r"(?P<logger>[A-Za-z_$][\w.$/@:\-\[\]]{0,200})"
_DOTTED: Final = r"(?P<logger>[A-Za-z_]\w{0,60}(?:[.$][\w<>]{1,60}){1,20})"  # a word alone is the message's first
_THREAD: Final = r"\[ {0,40}(?P<thread>[^\]\[\n]{1,120}?) {0,40}\]"
_THREAD2: Final = _THREAD.replace("thread", "thread2")
_AROUND: Final = rf"[\[(]?{_LEVEL}[\])]?"
_MAYBE: Final = rf"(?:{_THREAD} {{0,40}})?"
_SQL_USER: Final = r"(?:(?P<user>[^\s\[@]{1,64})@(?P<database>[^\s\[]{1,64}) )?"
_FORMS: Final = tuple(
    later(rf"[ \t]*+(?:{form})[ \t]*+(?P<message>.*)", re.DOTALL)
    for form in (
        # Spring Boot
        (
            rf"{_LEVEL} {{1,40}}(?:\[[^\]\n]{{0,200}}\] )?(?:(?P<pid>\d+) )?--- (?:\[[^\]\n]{{0,80}}\] ?){{0,2}}"
            rf"{_THREAD} {{1,40}}{_NAME} {{0,40}}:"
        ),
        # WebLogic, logfmt
        r"<(?P<level>[A-Z]\w{2,12})> <(?P<logger>[^<>\n]{0,100})>",
        r"(?=(?:[^\n]{0,200}? )?level=\"?(?P<level>[A-Za-z]{1,12})\b)",
        rf"#(?P<pid>\d+)\] {{1,40}}{_LEVEL} -- (?P<logger>[^:\n]{{0,80}}):",  # Ruby
        rf": {_LEVEL}/(?P<thread>[^\]\n]{{1,80}})\]",  # Celery
        rf"\[{_LEVEL} {{0,40}}\]\[(?P<logger>[^\]\n]{{1,200}}?) {{0,40}}\]",  # Elasticsearch
        rf"(?P<logger>[\w-]{{1,60}})\.{_LEVEL}:",  # Monolog
        rf"\|? {{0,40}}{_LEVEL} {{0,40}}\|(?:(?P<logger>[^|\n]{{1,200}})\|)?",  # NLog
        rf"\[?(?P<pid>\d+)(?:-\d+)?\]?:? {_SQL_USER}{_LEVEL}:",  # PostgreSQL
        rf"(?P<thread>\d+) \[{_LEVEL}\](?: \[(?P<code>MY-\d+)\] \[(?P<logger>\w+)\])?",  # MySQL, MariaDB
        rf"-? {{0,40}}{_NAME} - {_LEVEL} - ",  # Python
        # log4j and logback, whose patterns are anybody's choice
        rf"{_MAYBE}(?:- )?{_AROUND} {{0,40}}:? {{0,40}}(?:{_THREAD2} {{0,40}})?{_NAME} {{1,40}}[-:–] ",
        rf"{_MAYBE}{_AROUND}:? {{0,40}}{_THREAD2} {{1,40}}{_DOTTED} ",  # Tomcat
        rf"{_LEVEL} {{1,40}}\[(?P<logger>[\w.$-]{{1,200}})\] \((?P<thread>[^()\n]{{1,120}})\)",  # WildFly
        rf"{_LEVEL} {{1,40}}{_DOTTED}: ",
        rf"{_THREAD} {{0,40}}{_AROUND}:?",  # gunicorn
        rf"{_NAME}(?: [\w<>$]+)?\r?\n{_LEVEL}: ",  # java.util.logging
        rf"(?:PHP )?{_AROUND}:?",
        r"PHP (?P<level>[A-Z][a-z]+(?: error)?):",
        r"(?P<thread>spid\d+s?|Logon|Server|Backup) {1,40}",  # SQL Server
    )
)
_ANY_LEVEL: Final = later(rf".{{0,160}}?(?<![\w.]){_LEVEL}")
_CONTINUES: Final = later(
    rb"[ \t\r}\])]|$|at |#\d|Stack trace:|Caused by|Suppressed|Traceback|During handling|The above exception|\.\.\."
    rb"|[\w.$:]{0,200}(?:Exception|Error)\b"
    rb"|(?:" + _LEVELS.encode() + rb"):"
)
_WORDS: Final = {"D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL", "A": "ANY"}
_MOST_BEFORE: Final = 20  # lines of a banner before the first time


def sniff(head: bytes) -> bool:
    """Whether most lines begin with a time or go on from one, and most of those with a time tell a level."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(head) >= HEAD_BYTES:
        lines.pop()  # may be cut off
    begun = [bool(_BEGINS.match(line)) for line in lines[:1000]]
    if True not in begun[: _MOST_BEFORE + 1] or b"\0" in head:
        return False
    first = begun.index(True)
    going_on = sum(1 for at, line in enumerate(lines[:1000]) if at > first and not begun[at] and _CONTINUES.match(line))
    if begun.count(True) + going_on < 0.5 * (len(begun) - first):
        return False
    told = sum(1 for at, line in enumerate(lines[:1000]) if begun[at] and _tells_level(line, lines[at + 1 : at + 2]))
    return told * 2 >= begun.count(True)


def _tells_level(line: bytes, after: list[bytes]) -> bool:
    found = _HEAD.match(b"\n".join([line[:400], *after]).decode("utf-8", "replace"))
    if found is None:
        return False
    if found["first"] or found["before"] or found["letter"]:
        return True
    return any(form.match(found["rest"]) for form in _FORMS) or _ANY_LEVEL.match(found["rest"]) is not None


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    return entries.cut(file, start, stop, block_bytes, _BEGINS)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | None:
    head = _HEAD.match(text.removeprefix("\ufeff"))
    if head is None:
        return Parsed(NO_TIME, {"log": "text", "message": text}, NO_TIME_TOLD) if text.strip() else None
    if head["letter"]:
        ts, mended = _glog(head["glog"], clock)
        return Parsed(
            ts,
            {"log": "text", "level": _WORDS[head["letter"]], "thread": head["pid"], "message": head["said"]},
            mended,
        )
    ts, mended = _time(head["time"], clock)
    values: dict[str, str | None] = {"log": "text"}
    if ts == NO_TIME:
        values["time"] = head["time"]
    level = head["before"] or _WORDS.get(head["first"] or "")
    rest = head["rest"]
    for form in _FORMS:
        if found := form.fullmatch(rest):
            parts = found.groupdict()
            values |= {
                "level": parts.get("level") or level,
                "logger": (parts.get("logger") or "").strip() or None,
                "thread": parts.get("thread") or parts.get("thread2") or parts.get("pid"),
                **{name: parts.get(name) for name in ("code", "user", "database")},
                "message": parts["message"],
            }
            break
    else:
        said = _ANY_LEVEL.match(rest)
        values |= {"level": level or (said["level"] if said else None), "message": rest.lstrip(" \t:,|-")}
    return Parsed(ts, {name: value for name, value in values.items() if value is not None}, mended)


def _time(text: str, clock: Clock) -> tuple[int, str]:
    """UTC microseconds, and what was assumed."""
    moment = _moment(text.replace(_NARROW, " "))
    if moment is None:
        return NO_TIME, "no date" if text[2] == text[5] == ":" else "a time that is none"
    return clock.local(moment), "" if moment.tzinfo else ZONE_ASSUMED


_ISO: Final = later(rf"(\d{{4}}).(\d\d).(\d\d)[T ]+({_CLOCK})(.*)", re.DOTALL)
_DAY_FIRST: Final = later(rf"(\d\d).(\w{{3}}).(\d{{4}}).({_CLOCK})(.*)", re.DOTALL)
_NAMED: Final = later(rf"\w{{3}} (\w{{3}}) ([ \d]\d) ({_CLOCK}) (?:(\w{{3}}) )?(\d{{4}})")
_TWELVE: Final = later(r"(\w{3}) (\d\d?), (\d{4}),? (\d\d?):(\d\d):(\d\d)(?:[,:](\d{3}))? ([AP])M(?: (UTC|GMT))?.*")
_SHORT: Final = later(r"(\d\d)(\d\d)(\d\d) ([ \d]\d:\d\d:\d\d)")


def _moment(text: str) -> datetime | None:
    try:
        if found := _ISO.fullmatch(text):
            return _made(int(found[1]), int(found[2]), int(found[3]), found[4], found[5])
        if found := _DAY_FIRST.fullmatch(text):
            return _made(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]), found[4], found[5])
        if found := _NAMED.fullmatch(text):
            return _made(int(found[5]), _MONTHS.index(found[1]) + 1, int(found[2]), found[3], found[4] or "")
        if found := _TWELVE.fullmatch(text):
            hour = int(found[4]) % 12 + (12 if found[8] == "P" else 0)
            clock = f"{hour:02}:{found[5]}:{found[6]}.{found[7] or '0'}"
            return _made(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2]), clock, found[9] or "")
        if found := _SHORT.fullmatch(text):
            return _made(2000 + int(found[1]), int(found[2]), int(found[3]), found[4].replace(" ", "0"), "")
    except ValueError:  # the 31st of February
        return None
    return None


def _made(year: int, month: int, day: int, clock: str, zone: str) -> datetime:
    micros = int(clock[9:15].ljust(6, "0"))
    return datetime(year, month, day, int(clock[:2]), int(clock[3:5]), int(clock[6:8]), micros, _zone(zone.strip()))


def _zone(text: str) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _glog(text: str, clock: Clock) -> tuple[int, str]:
    month, day = int(text[:2]), int(text[2:4])
    try:
        moment = _made(clock.year_of(month, day), month, day, text[5:], "")
    except ValueError:
        return NO_TIME, "a time that is none"
    return clock.local(moment), YEAR_AND_ZONE_ASSUMED


_LOG: Final = TextLog(parse=_parse)
ranges, decoder, fields = _LOG.ranges, _LOG.decoder, _LOG.fields
