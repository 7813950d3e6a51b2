"""A syslog line in, its header out: time, host, program, process, priority, and where the message begins.

RFC 3164 §4.1 as devices and daemons write it (with or without `<PRI>`; with a year before or behind the time, parts
of a second, a zone), the same with the ISO 8601 time that rsyslog, syslog-ng and journalctl write today, and RFC 5424
§6, with or without the octet count of RFC 6587 §3.4.1. BusyBox's and OpenWrt's `facility.severity` before the tag is
read as well.

`header` reads one line. `headers` finds the headers of all usual lines of a block at once (see `collect/lines.py`);
both read a line alike. A format whose lines have such a header begins its `Parse` with the one and its `Split` with
the other; what it does with the text from `message` on, or from `tag` on, is its own affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple

import numpy as np

from tocsin.collect import months, structured
from tocsin.collect.clock import Clock, assumed
from tocsin.collect.lines import Lines, Mask, Spans, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_dash, is_number, unless
from tocsin.collect.stamps import Stamp
from tocsin.model.event import NO_TIME, Longs

FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_OTHER_SEVERITIES: Final = ("panic", "error", "warn", "none")
_UTC: Final = Clock()
_MOST_SPACES: Final = 8  # before a message, in lines that are read by columns

_BEGINNING: Final = re.compile(r"(?:\d{1,9} (?=<))?<(?P<priority>\d{1,3})>", re.ASCII)
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?"
_ZONE: Final = r"(?P<{}>Z|UTC|GMT|[+-]\d\d:?\d\d)"
# Letters that stand for a zone, where a host and a tag follow: a host of such a name has its tag behind it.
_LETTERS: Final = (
    r" (?P<letters>WES?T|CES?T|EES?T|MSK|BST|[ECMP][SD]T|IST|JST|KST|HKT|SGT|AE[SD]T|NZ[SD]T)"
    r"(?= [^\s:\[]+ [^\s:\[]+[:\[])"
)
_WEEKDAY: Final = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
_BSD_TIME: Final = re.compile(
    rf"[*.]?{_WEEKDAY}(?:(?P<first>\d{{4}}) )?(?P<month>{months.NAMES}) {{1,2}}(?P<day>\d\d?) "
    rf"(?:(?P<year>\d{{4}}) )?{_CLOCK}(?: (?P<last>(?:19|20)\d\d)(?=[: ]))?"
    rf"(?: ?{_ZONE.format('zone')}|{_LETTERS})?"
    r"(?: [A-Z]{3,5}(?=: %))?(?=[: ]|$)",
    re.ASCII,
)
_ISO_TIME: Final = re.compile(
    rf"{_WEEKDAY}(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]{_CLOCK}(?: ?{_ZONE.format('zone')})?(?=[: ]|$)",
    re.ASCII,
)
# systemd's `short-full` names the machine's zone by its letters.
_FULL_TIME: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d) "
    rf"{_CLOCK} (?P<zone>[A-Z]{{2,5}})(?= )",
    re.ASCII,
)
_ZONES: Final[Mapping[str, int]] = {"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3}  # hours
_LEVEL: Final = re.compile(rf"({'|'.join(FACILITIES)})\.({'|'.join(SEVERITIES + _OTHER_SEVERITIES)}) ")
_ESXI_LEVEL: Final = re.compile(r"(?:Em|Al|Cr|Er|Wa|No|In|Db)\((\d{1,3})\) ")  # what ESXi 8 writes for `<PRI>`
_NAME: Final = r"[^\s:\[\]]{1,255}"
_PID: Final = r"(?:\[(?P<pid>[^\s:\[\]]{1,64})\])?"
# Hosts do not end in a colon: what does is the tag of a line that names no host (RFC 3164 §5.3).
_HOST: Final = re.compile(r"(?P<host>[^ ]*[^ :])(?: +|$)")
# Behind a tag without a space stand only brackets and what follows a process: `12:00` and `https://` are no tags.
_TAG: Final = re.compile(rf"(?P<program>{_NAME}){_PID}:(?: |$|(?=\[)|(?<=\]:))", re.ASCII)
_LOOSE_TAG: Final = re.compile(
    r"(?P<program>[^:\[\]]{1,64}?)\]?\[(?P<pid>\d{1,10})\](?: \([^()]{1,255}\))?:(?: |$)", re.ASCII
)
_RFC_5424: Final = re.compile(
    r"(?:\d{1,9} )?<(?P<priority>\d{1,3})>(?P<version>[1-9]\d{0,2}) (?P<time>\S{1,64}) (?P<host>\S{1,255}) "
    r"(?P<program>\S{1,255}) (?P<pid>\S{1,255}) (?P<msgid>\S{1,255}) (?=[-\[])",
    re.ASCII,
)

TIME_BYTES: Final = (
    rb"(?:(?:\d{4} )?" + months.NAMES_BYTES + rb" [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d"
    rb"(?:[.,]\d{1,9})?(?: \d{4}(?= ))?"
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
)
# What stands before the tag of a line, for formats that sniff: add the tag, and search with re.MULTILINE.
BEFORE_TAG: Final = (
    rb"^(?:\xef\xbb\xbf)?(?:\d{1,9} (?=<))?(?:<\d{1,3}>(?:[1-9]\d? )?)?[*.]?"
    + TIME_BYTES
    + rb":? (?:[^ \n]{1,255} )?(?:: )?"
)


class Header(NamedTuple):
    """The header of one line; None where the line does not say.

    Args:
        ts: UTC microseconds, `NO_TIME` where the time is no time (it is among the fields then).
        tag: where what follows the host begins in the text.
        message: where the message begins, behind the tag and its spaces.
        mended: what was assumed of the time, for `Parsed.mended`.
        more: `version` and `msgid` of RFC 5424, and its structured data as `SD-ID.PARAM`.
    """

    ts: int
    time: str
    host: str | None
    program: str | None
    pid: str | None
    priority: str | None
    facility: str | None
    severity: str | None
    tag: int
    message: int
    mended: str
    more: Mapping[str, str | tuple[str, ...]] = {}

    def fields(self) -> dict[str, str | tuple[str, ...] | None]:
        """What the header says, under the names that `Headers.fields` has."""
        named = {name: getattr(self, name) for name in _NAMES}
        if self.ts == NO_TIME and self.time:
            named["time"] = self.time
        return {name: value for name, value in named.items() if value is not None} | dict(self.more)


_NAMES: Final = ("host", "program", "pid", "priority", "facility", "severity")


def header(text: str, clock: Clock) -> Header | None:
    """Read the header of a line; None where the line begins with no time."""
    if (found := _RFC_5424.match(text)) and (head := _of_rfc_5424(found, text, clock)):
        return head
    began = _BEGINNING.match(text)
    priority, at = (began["priority"], began.end()) if began else (None, 0)
    time = _BSD_TIME.match(text, at) or _FULL_TIME.match(text, at) or _ISO_TIME.match(text, at)
    if time is None:
        return None
    ts, mended = _told_by(time, clock)
    at = _behind_spaces(text, time.end() + text.startswith(":", time.end()))
    if esxi := _ESXI_LEVEL.match(text, at):
        priority, at = esxi[1], esxi.end()
    named = None if esxi or _LEVEL.match(text, at) else _HOST.match(text, at)
    host, at = (named["host"], named.end()) if named else (None, at)
    facility, severity = facility_of(priority), severity_of(priority)
    if level := _LEVEL.match(text, at):
        facility, severity = level.groups()
        at = level.end()
    at += 2 if text.startswith(": ", at) else 0
    tag = _TAG.match(text, at) or _LOOSE_TAG.match(text, at)
    program, pid = (tag["program"], tag["pid"]) if tag else (None, None)
    message = _behind_spaces(text, tag.end() if tag else at)
    return Header(ts, time[0], host, program, pid, priority, facility, severity, at, message, mended)


def facility_of(priority: str | None) -> str | None:
    """The keyword of a priority's facility (RFC 5424 §6.2.1)."""
    return FACILITIES[int(priority) >> 3] if priority and int(priority) < 8 * len(FACILITIES) else None


def severity_of(priority: str | None) -> str | None:
    """The keyword of a priority's severity."""
    return SEVERITIES[int(priority) & 7] if priority and int(priority) < 8 * len(FACILITIES) else None


def _of_rfc_5424(found: re.Match[str], text: str, clock: Clock) -> Header | None:
    time = _ISO_TIME.fullmatch(found["time"])
    if time is None and found["time"] != "-":
        return None
    ts, mended = _told_by(time, clock) if time else (NO_TIME, "")
    more, at = structured.parameters(text, found.end())
    at += text.startswith(" ", at)
    at += text.startswith("\ufeff", at)
    told = {name: None if found[name] == "-" else found[name] for name in ("host", "program", "pid", "msgid")}
    more["version"] = found["version"]
    if told["msgid"]:
        more["msgid"] = told["msgid"]
    said = found["priority"], facility_of(found["priority"]), severity_of(found["priority"])
    time_text = found["time"] if time else ""
    return Header(
        ts, time_text, told["host"], told["program"], told["pid"], *said, found.start("program"), at, mended, more
    )


def _behind_spaces(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip(" "))


def _told_by(time: re.Match[str], clock: Clock) -> tuple[int, str]:
    """UTC microseconds of a time, and what was assumed of it."""
    parts = time.groupdict()
    month, day = parts["month"], int(parts["day"])
    number = months.number_of(month) or int(month)
    year = parts["year"] or parts.get("first") or parts.get("last")
    zone = _zone(parts["zone"] or parts.get("letters"))
    mended = assumed(year=year is None, zone=zone is None)
    second = int(parts["second"])
    leap = second == 60  # it is the first second of the next minute
    micros = int((parts["part"] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(
            int(year) if year else clock.year_of(number, day),
            *(number, day, int(parts["hour"]), int(parts["minute"]), second - leap, micros),
            tzinfo=zone,
        )
        return clock.local(moment + timedelta(seconds=leap)), mended
    except (ValueError, OverflowError):
        return NO_TIME, ""


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    if text[0] not in "+-":  # letters that stand for one zone in Europe, and others that may stand for any
        return timezone(timedelta(hours=_ZONES[text])) if text in _ZONES else None
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead) if ahead < timedelta(hours=24) else None


class Headers(NamedTuple):
    """The headers of all lines of a block; true for those that `usual` marks, anything for the others.

    Args:
        tag, message: see `Header`. Spans have an element for each line; they are absent where the line does not say.
        no_year, no_zone: whose times left it out.
    """

    usual: Mask
    ts: Longs
    no_year: Mask
    no_zone: Mask
    spans: Mapping[str, Spans]
    tag: Longs
    message: Longs

    def fields(self, usual: Mask) -> dict[str, Spans | Told | str]:
        """The fields of lines for `Split.fields`."""
        spans = {name: chosen(usual, span) for name, span in self.spans.items()}
        priority = spans["priority"]
        return {**spans, "facility": Told(priority, facility_of), "severity": Told(priority, severity_of)}

    def mended(self, usual: Mask) -> dict[str, int]:
        """What was assumed of the times of lines for `Split.mended`."""
        year, zone = self.no_year[usual], self.no_zone[usual]
        kinds = {assumed(year=y, zone=z): (year == y) & (zone == z) for y in (True, False) for z in (True, False)}
        return {kind: int(lines.sum()) for kind, lines in kinds.items() if kind and lines.any()}


def headers(block: Lines, clock: Clock) -> Headers:
    """Find the headers of lines whose parts are separated by one space each, with a tag that ends in a colon."""
    spaces = Marks(block, " ")
    priority, start = _priorities(block)
    modern = (priority.starts >= 0) & holds(block, start, "1 ") & (byte(block, start + 12) == ord("T"))
    start = start + 2 * modern
    ts, time_end, no_year, no_zone = _times(block, start, clock)
    spaced = byte(block, time_end) == ord(" ")
    at = time_end + np.where(spaced, 1, 2)
    end = _word_end(block, spaces, at)
    hostless = byte(block, end - 1) == ord(":")
    usual: Mask = (time_end > start) & (spaced | (holds(block, time_end, ": ") & ~modern)) & (end > at)
    usual &= (
        (byte(block, end - 1) != ord(")"))
        & ~_has_controls(block)
        & ~_is_of_time(block, at, end)
        & ~_is_level(block, end)
    )
    host = Spans(np.where(hostless, -1, at), np.where(hostless, -1, end))
    tag = np.where(hostless, at, np.minimum(end + 1, block.stops))
    tag = tag + np.where(holds(block, tag, ": "), 2, 0)
    good, program, pid, message = _tags(block, spaces, tag)
    spans = {"host": host, "program": program, "pid": pid, "priority": priority}
    if modern.any():
        also, newer, newer_tag, newer_message = _modern(block, spaces, at)
        good, tag = np.where(modern, also, good), np.where(modern, newer_tag, tag)
        message = np.where(modern, newer_message, message)
        newer["version"] = Spans(np.where(modern, start - 2, -1), np.where(modern, start - 1, -1))
        absent = Spans(np.full(len(block), -1, np.int64), np.full(len(block), -1, np.int64))
        for name, span in newer.items():
            older = spans.get(name, absent)
            spans[name] = Spans(*(np.where(modern, new, old) for new, old in zip(span, older, strict=True)))
    return Headers(usual & good, ts, no_year, no_zone, spans, tag, message)


def _priorities(block: Lines) -> tuple[Spans, Longs]:
    """Where the digits of `<PRI>` stand, and where each line goes on behind it."""
    opened = byte(block, block.starts) == ord("<")
    if not opened.any():
        return unless(~opened, block.starts, block.starts), block.starts
    first = block.starts + 1
    size = np.select([byte(block, first + digits) == ord(">") for digits in (1, 2, 3)], [1, 2, 3], 0)
    there = opened & (size > 0) & is_number(block, first, first + size)
    return unless(~there, first, first + size), np.where(there, first + size + 1, block.starts)


_CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%F", "%H:%M:%S.%f")
_FORMS: Final = (
    *(Stamp(f"%b %e {clock}") for clock in _CLOCKS),
    *(Stamp(f"%Y-%m-%dT{clock}{zone}") for clock in _CLOCKS for zone in ("%Z", "Z", "%z")),
    *(Stamp(f"%b %e %Y {clock}") for clock in _CLOCKS),
)


def _times(block: Lines, starts: Longs, clock: Clock) -> tuple[Longs, Longs, Mask, Mask]:
    """UTC microseconds, where the time ends (0: not of a usual form), and whether it has no year and no zone."""
    size = len(starts)
    ts, ends = np.full(size, NO_TIME, np.int64), np.zeros(size, np.int64)
    no_year, no_zone = np.zeros(size, bool), np.zeros(size, bool)
    left = np.arange(size)
    dated = byte(block, starts + 10) == ord("T")
    for stamp in _FORMS:
        is_iso = "T" in stamp.form
        behind = byte(block, starts[left] + stamp.width)
        likely = left[((behind == ord(" ")) | (behind == ord(":"))) & (dated[left] == is_iso)]
        if not len(likely):
            continue
        times = stamp.read(block.octets, starts[likely], _UTC if stamp.form.endswith("Z") else clock)
        rows = likely[times.good]
        ts[rows], ends[rows] = times.ts[times.good], starts[rows] + stamp.width
        no_year[rows], no_zone[rows] = "%Y" not in stamp.form, not is_iso
        left = left[ends[left] == 0]
        if not len(left):
            break
    return ts, ends, no_year, no_zone


def _tags(block: Lines, spaces: Marks, tag: Longs) -> tuple[Mask, Spans, Spans, Longs]:
    """Where `program[pid]:` stands as one word that begins at `tag`, and where the message begins."""
    end = _word_end(block, spaces, tag)
    opens, closes, colons = Marks(block, "["), Marks(block, "]"), Marks(block, ":")
    bracket = opens.at(opens.before(tag))
    has_pid = (byte(block, end - 2) == ord("]")) & (opens.count > opens.before(tag)) & (bracket < end)
    named = np.where(has_pid, bracket, end - 1)
    good: Mask = (byte(block, end - 1) == ord(":")) & (colons.before(end) - colons.before(tag) == 1)
    for marks in (opens, closes):
        good &= marks.before(end) - marks.before(tag) == has_pid
    good &= (named > tag) & (named - tag <= 255)
    good &= ~has_pid | ((end - 2 > bracket + 1) & (end - 2 - bracket <= 65))
    message = np.minimum(end + 1, block.stops)
    for _ in range(_MOST_SPACES):
        padded = (message < block.stops) & (byte(block, message) == ord(" "))
        if not padded.any():
            break
        message = message + padded
    else:
        good &= (message == block.stops) | (byte(block, message) != ord(" "))
    return good, Spans(tag, named), unless(~has_pid, bracket + 1, end - 2), message


def _modern(block: Lines, spaces: Marks, at: Longs) -> tuple[Mask, dict[str, Spans], Longs, Longs]:
    """The words of RFC 5424 from the host at `at` on, if no structured data follows them."""
    first = spaces.before(at)
    good: Mask = spaces.count > first + 3
    spans, start = dict[str, Spans](), at
    for number, name in enumerate(("host", "program", "pid", "msgid")):
        end = spaces.at(first + number)
        good &= (end > start) & (end - start <= 255)
        spans[name] = unless(is_dash(block, start, end), start, end)
        start = end + 1
    good &= (byte(block, start) == ord("-")) & ((start + 1 == block.stops) | (byte(block, start + 1) == ord(" ")))
    message = np.minimum(start + 2, block.stops)
    marked = holds(block, message, "\xef\xbb\xbf") & (message + 3 <= block.stops)
    return good, spans, spaces.at(first) + 1, message + np.where(marked, 3, 0)


def _word_end(block: Lines, spaces: Marks, starts: Longs) -> Longs:
    """Where the word that begins at `starts` ends: at a space, or with the line."""
    before = spaces.before(starts)
    return np.where(before < spaces.count, spaces.at(before), block.stops)


def _has_controls(block: Lines) -> Mask:
    """Whether a line holds white space other than spaces."""
    found: Mask = np.zeros(len(block), bool)
    if any(letter in block.data for letter in (b"\t", b"\v", b"\f", b"\r")):
        found |= Marks(block, "\t\v\f\r").count > 0
    return found


def _is_of_time(block: Lines, starts: Longs, stops: Longs) -> Mask:
    """Whether the word behind a time may be its year or zone."""
    first, size = byte(block, starts), stops - starts
    found: Mask = (first == ord("+")) | (first == ord("-")) | ((size == 4) & (first <= ord("2")))
    for zone in ("Z", "UTC", "GMT"):
        found |= (size - len(zone) <= 1) & holds(block, starts, zone)
    found |= (byte(block, stops - 1) == ord(":")) & holds(block, stops, " %")
    return found


def _is_level(block: Lines, stops: Longs) -> Mask:
    """Whether a word may be `facility.severity`."""
    words = SEVERITIES + _OTHER_SEVERITIES
    sizes = np.array(sorted({len(word) for word in words}))
    rows = np.flatnonzero((byte(block, stops[:, None] - 1 - sizes) == ord(".")).any(axis=1))
    found: Mask = np.zeros(len(block), bool)
    for word in words if len(rows) else ():
        found[rows] |= holds(block, stops[rows] - len(word) - 1, f".{word}")
    return found
