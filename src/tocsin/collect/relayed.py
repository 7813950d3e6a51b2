"""A block of a collector's syslog file in, a block for each format whose lines are in it out.

A central rsyslog or syslog-ng (RFC 3164 and RFC 5424 headers in one file) keeps the lines of firewalls, mail servers,
name servers and Unix machines together. A line belongs to the format whose record, or whose program's tag, stands
directly behind its header: what stands further on was perhaps written by an intruder, and decides nothing. Lines that
no other format has stay with the reader of the file; those that it does not know, but whose header names a program,
are read as syslog of Unix (`linux`).

This is the one place that knows how the records of a format begin in syslog; formats need not know each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final, TypeAlias

import numpy as np

from tocsin.collect.alike import matching
from tocsin.collect.block import Block
from tocsin.collect.lines import Lines, Mask
from tocsin.collect.literals import Literals
from tocsin.collect.marks import byte, holds
from tocsin.collect.syslog import TIME_BYTES
from tocsin.model.event import Longs

OfJson: TypeAlias = Callable[[bytes], str | None]

LINUX: Final = "linux"  # who reads the lines that are of no other format

_LEAD: Final = rb"(?:\xef\xbb\xbf)?(?:\d{1,9} (?=<))?"
_HOST: Final = rb"[^ \n\[\]]{0,254}[^ :\n\[\]] {1,8}(?:: )?"  # what ends in a colon is a tag
_STAMP: Final = rb"[*.]?" + TIME_BYTES + rb":? {1,8}"
_STAMPED: Final = _STAMP + rb"(?:" + _HOST + rb"|(?:: )?)"
_PID: Final = rb"(?:\[[^\s\[\]]{1,64}\])?"
_ISO: Final = rb"(?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?)"
_DATA: Final = rb'(?:-|(?:\[(?:[^\]"\n]|"(?:[^"\\\n]|\\.)*+")*+\])++)'
# Up to the program (RFC 5424 §6).
_MODERN: Final = _LEAD + rb"(?P<version><\d{1,3}>[1-9]\d? )" + _ISO + rb" [^ \n]{1,255} "
# A relay may put its own header before the device's.
_PLAIN: Final = _LEAD + rb"(?:<\d{1,3}>)?(?:" + _STAMPED + rb"(?:" + _STAMPED + rb")?)?"
_BEFORE_RECORD: Final = (
    rb"(?:" + _MODERN + rb"(?:[^ \n]{1,255} ){3}" + _DATA + rb" (?:\xef\xbb\xbf)?"
    rb"|" + _PLAIN + rb")(?:[A-Za-z_(][\w.@/+()-]{0,63}" + _PID + rb": {0,8})?"
)
_BEFORE_TAG: Final = rb"(?:" + _MODERN + rb"|" + _LEAD + rb"(?:<\d{1,3}>)?" + _STAMPED + rb")"


def _tagged(programs: bytes) -> re.Pattern[bytes]:
    """Lines whose header names one of these programs."""
    return re.compile(
        _BEFORE_TAG + rb"(?P<said>" + programs + rb")" + _PID + rb"(?::| [^ \n]{1,128} [^ \n]{1,32} [-\[])"
    )


def _begins(record: bytes) -> re.Pattern[bytes]:
    """Lines in which such a record stands directly behind the header, and behind a tag if there is one."""
    return re.compile(_BEFORE_RECORD + rb"(?P<said>" + record + rb")")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """How lines of a format are told in syslog.

    Args:
        marks: one of them stands in every such line.
        line: matches such a line from its beginning.
        is_guest: whether its lines are taken out of the syslog of Unix; where not, `linux` reads what they hold.
        is_telling: whether a block of lines with these marks, and with no tag of a process, is of nothing else.
        is_tag: whether the marks are tags of programs.
        within: a format whose marks hold these.
        is_host: whether a file of such lines is read by the format itself; if not, it is syslog of Unix with guests.
    """

    marks: tuple[bytes, ...]
    line: re.Pattern[bytes]
    is_guest: bool = True
    is_telling: bool = False
    is_tag: bool = False
    within: str = ""
    is_host: bool = True


_PAN_TYPES: Final = (
    *("TRAFFIC", "THREAT", "SYSTEM", "CONFIG", "GLOBALPROTECT", "USERID", "HIPMATCH", "HIP-MATCH", "CORRELATION"),
    *("AUTHENTICATION", "DECRYPTION", "SCTP", "GTP", "TUNNEL", "IPTAG", "START", "END", "AUTH", "AUDIT"),
)
_MAIL: Final = ("postfix", "amavis", "rspamd", "dovecot", "opendkim", "opendmarc", "postgrey", "policyd-spf", "spamd")
# Names of readers -> how their lines are told, in the order of asking.
FORMATS: Final[Mapping[str, Relayed]] = {
    "cef": Relayed(marks=(b"CEF:",), line=_begins(rb"CEF: ?[01]\|[^\n|]*\|"), is_telling=True),
    "leef": Relayed(marks=(b"LEEF:",), line=_begins(rb"LEEF: ?[12](?:\.0)?\|[^\n|]*\|"), is_telling=True),
    "asa": Relayed(
        marks=(b"%ASA-", b"%FTD-", b"%PIX-", b"%FWSM-"),
        line=_begins(rb"%(?:ASA|FTD|PIX|FWSM)-(?:[a-z_]{1,40}-)?[0-7]-\d{6}:"),
        is_telling=True,
    ),
    "cisco": Relayed(
        marks=tuple(b"%%%c" % letter for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        line=_begins(
            rb"(?:(?:[\w./:-]{1,64}:? ?: ){0,3}(?:[*.]?" + TIME_BYTES + rb"(?: [A-Z]{3,5})?: )?"
            rb"(?:[\w./\[\]-]{1,64} ?: ){0,2})"
            rb"%[A-Z][A-Z0-9_]{1,40}(?:-[A-Z][A-Z0-9_]{0,40}){0,3}-[0-7]-[A-Z][A-Z0-9_]{0,60} ?:"
        ),
        within="asa",
    ),
    "fortinet": Relayed(
        marks=(b"date=",),
        line=_begins(
            rb'(?:itime="?\d+"?[ ,]|logver=\d+[ ,]|timestamp=\d+[ ,]|tz="?[+-]?[\d:]+"?[ ,])*'
            rb'"?date="?\d{4}-\d\d-\d\d"?[ ,]"?time="?\d\d:\d\d:\d\d"?[ ,]'
        ),
        is_telling=True,
    ),
    "sophos": Relayed(
        marks=(b" log_component=",),
        line=_begins(rb'device(?:_name)?="[^"\n]{0,128}" (?:date=\d{4}-\d\d-\d\d |timestamp="\d{4}-\d\d-\d\dT)'),
        is_telling=True,
    ),
    "sonicwall": Relayed(
        marks=(b" sn=",),
        line=_begins(rb'id=[\w.-]{1,64} sn=[0-9A-Fa-f]{6,16} time="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'),
        is_telling=True,
    ),
    "mikrotik": Relayed(
        marks=tuple(b",%b" % topic for topic in (b"info", b"error", b"warning", b"critical", b"debug", b"account")),
        line=_begins(rb"(?:firewall|system|dhcp|wireless|interface|ppp|ipsec|script|wireguard)(?:,[a-z]{3,9}){1,3} "),
    ),
    "paloalto": Relayed(
        marks=tuple(b",%b," % kind.encode() for kind in _PAN_TYPES),
        line=_begins(
            rb"[^\s,>]{0,16},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,[^\n,]{0,64},(?:" + "|".join(_PAN_TYPES).encode() + rb"),"
        ),
        is_telling=True,
    ),
    "postfix": Relayed(
        marks=tuple(name.encode() for name in _MAIL),
        line=_tagged(rb"postfix[^ /\n]{0,40}/[a-z][\w/-]{0,40}|(?:" + "|".join(_MAIL[1:]).encode() + rb")[\w-]{0,20}"),
        is_tag=True,
    ),
    "bind": Relayed(
        marks=(b" named", b" bind"),
        line=_tagged(rb"named|named-pkcs11|bind9?"),
        is_tag=True,
    ),
    "unbound": Relayed(marks=(b"unbound",), line=_tagged(rb"unbound"), is_tag=True),
    "dnsmasq": Relayed(marks=(b"dnsmasq",), line=_tagged(rb"dnsmasq(?:-dhcp|-tftp|-script)?"), is_tag=True),
    "coredns": Relayed(marks=(b"coredns",), line=_tagged(rb"coredns"), is_tag=True),
    "powerdns": Relayed(marks=(b"pdns",), line=_tagged(rb"pdns(?:[_-](?:server|recursor))?[\w-]{0,20}"), is_tag=True),
    "exim": Relayed(marks=(b"exim",), line=_tagged(rb"exim4?"), is_tag=True),
    "haproxy": Relayed(marks=(b"haproxy",), line=_tagged(rb"haproxy"), is_tag=True),
    "squid": Relayed(marks=(b"squid",), line=_tagged(rb"\(?squid[\w()-]{0,40}"), is_tag=True),
    "access_log": Relayed(
        marks=(b'] "',),
        line=_begins(
            rb'(?:[^ "\n\[]{1,255} ){1,2}[^ "\n\[]{1,255} [^"\n\[]{1,255} '
            rb'\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "'
        ),
        is_host=False,
    ),
    "web_error": Relayed(
        marks=tuple(b"%b] " % level for level in (b"emerg", b"alert", b"crit", b"error", b"warn", b"notice", b"info")),
        line=_begins(
            rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w{1,16}\] \d{1,10}#\d{1,10}: "
            rb"|\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4}\] \[[\w\-]{0,40}:?\w{1,16}\] "
        ),
        is_host=False,
    ),
    "pf_filterlog": Relayed(marks=(b"filterlog",), line=_tagged(rb"filterlog"), is_tag=True),
    "netfilter": Relayed(marks=(b" OUT=",), line=_tagged(rb"kernel|ulogd"), is_guest=False),
    "auditd": Relayed(marks=(b"audit(",), line=_tagged(rb"audispd|audisp-syslog|audit|auditd"), is_guest=False),
    "sysmon_linux": Relayed(marks=(b"<System>",), line=_tagged(rb"sysmon"), is_guest=False),
}
_GUESTS: Final = tuple(name for name, form in FORMATS.items() if form.is_guest)
_NAME: Final = rb"[A-Za-z_(][\w.@/+()-]{0,63}"
# Where no host is named, a word with a colon may be anything.
_ANY_TAG: Final = re.compile(
    rb"(?:" + _MODERN + _NAME + rb" [^ \n]{1,128} [^ \n]{1,32} [-\[]"
    rb"|" + _LEAD + rb"(?:<\d{1,3}>)?" + _STAMP + rb"(?:" + _HOST + _NAME + _PID + rb":|" + _NAME + rb"\[\d{1,10}\]:))"
)
_HEADED: Final = re.compile(_LEAD + rb"(?:<\d{1,3}>|" + _STAMP + rb")")
_JSON: Final = re.compile(_BEFORE_RECORD + rb'(?:@cee: ?)?(?=\{")')
_PROCESS: Final = b"]: "
_RECORD: Final = b'{"'
_OWNERS: Final = (*FORMATS, LINUX)


def is_relayed(name: str) -> bool:
    """Whether files that this reader reads may hold lines of other formats."""
    return name == LINUX or (name in FORMATS and FORMATS[name].is_host)


def is_record(line: bytes) -> bool:
    """Whether a line of syslog holds a record of one of the formats."""
    return _HEADED.match(line) is not None and any(FORMATS[name].line.match(line) for name in _GUESTS)


def parts(block: Block, home: str, of_json: OfJson = lambda record: None) -> list[tuple[str, Block]]:
    """The lines of a block by the reader that knows them, each as a block; that of the file's own reader comes first.

    Args:
        home: who reads the file.
        of_json: names the reader that knows a record of JSON; None if there is none. Such a record is handed on
            without the header before it.
    """
    lines = Lines(block)
    owner, holds_json = _owners(lines, home) if len(lines) else (np.zeros(0, np.int64), False)
    begins, names = lines.starts.copy(), [home, *_OWNERS]
    for row, begin in _json_lines(lines, owner) if holds_json else ():
        name = of_json(lines.data[begin : lines.stops[row]])
        if name is not None:
            names += [name] if name not in names[len(_OWNERS) + 1 :] else []
            owner[row], begins[row] = names.index(name, len(_OWNERS) + 1), begin
    if not owner.any():
        return [(home, block)]
    found: list[tuple[str, Block]] = []
    for number in np.unique(owner).tolist():
        rows = np.flatnonzero(owner == number)
        apart = block.spans is not None or number > len(_OWNERS)
        found.append((names[number], _gathered(block, rows, begins, lines.stops, apart=apart)))
    return found


def without(block: Block, places: Sequence[int]) -> tuple[Block | None, int]:
    """The lines of syslog in a block in which none of these places is, and how many such lines are of no syslog."""
    lines = Lines(block)
    if not len(lines):
        return None, 0
    free: Mask = np.ones(len(lines), bool)
    free[np.searchsorted(lines.starts, np.array(places, np.int64), "right") - 1] = False
    rows = np.flatnonzero(free)
    headed = [_HEADED.match(lines.data, lines.starts[row], lines.stops[row]) is not None for row in rows.tolist()]
    kept = rows[np.array(headed, bool)]
    if not len(kept):
        return None, len(rows)
    return _gathered(block, kept, lines.starts, lines.stops, apart=False), len(rows) - len(kept)


def _json_lines(lines: Lines, owner: Longs) -> Iterator[tuple[int, int]]:
    """Lines that nobody has yet and that hold JSON directly behind their header, and where it begins."""
    at, row = lines.data.find(_RECORD), -1
    while at >= 0:
        row = int(np.searchsorted(lines.starts, at, "right")) - 1
        stop = int(lines.stops[row]) if row >= 0 else at + 1
        if row >= 0 and owner[row] in (0, len(_OWNERS)) and _HEADED.match(lines.data, lines.starts[row], stop):
            found = _JSON.match(lines.data, lines.starts[row], stop)
            if found and found.end() == at:
                yield row, at
        at = lines.data.find(_RECORD, max(stop, at + 1))


def _owners(lines: Lines, home: str) -> tuple[Longs, bool]:
    """Who has each line, 0 or a place in `_OWNERS` from 1 on (0: the file's own reader); and whether any holds JSON."""
    owner = np.zeros(len(lines), np.int64)
    is_alone, holds_json, marked = _marked(lines, home)
    for name, (rows, _) in marked.items():
        form = FORMATS[name]
        if name == home or not form.is_guest:
            continue
        free = owner == 0
        if form.within in marked:
            free[marked[form.within][0]] = False
        rows = rows[free[rows]]
        owner[rows[matching(lines, rows, form.line)]] = _OWNERS.index(name) + 1
    if home == LINUX or is_alone:
        return owner, holds_json
    form, (own, places) = FORMATS[home], marked.get(home, (owner[:0], owner[:0]))
    unsure = (owner == 0) & _may_have_a_header(lines)
    if form.is_tag:
        sure = own[places < _first_sign(lines)[own]]
        unsure[sure[~_is_modern(lines)[sure]]] = False
    rows = np.flatnonzero(unsure)
    for row in rows[~matching(lines, rows, form.line)].tolist():
        if _ANY_TAG.match(lines.data, int(lines.starts[row]), int(lines.stops[row])):
            owner[row] = len(_OWNERS)
    return owner, holds_json


def _is_modern(lines: Lines) -> Mask:
    """Whether a version stands behind the priority, so that no sign ends the tag."""
    modern: Mask = np.zeros(len(lines), bool)
    for digits in (1, 2, 3):
        modern |= (byte(lines, lines.starts + digits + 1) == ord(">")) & (
            byte(lines, lines.starts + digits + 3) == ord(" ")
        )
    modern &= byte(lines, lines.starts) == ord("<")
    return modern


def _first_sign(lines: Lines) -> Longs:
    """Where each line has its first `[`, or colon before a blank: a tag is no further on."""
    octets = lines.octets
    colons = np.flatnonzero(octets == ord(":"))
    colons = colons[octets[np.minimum(colons + 1, len(octets) - 1)] == ord(" ")]
    firsts = []
    for signs in (np.flatnonzero(octets == ord("[")), colons):
        every = np.append(signs, len(octets))
        firsts.append(every[np.searchsorted(every, lines.starts)])
    first: Longs = np.minimum(*firsts)
    return first


def _may_have_a_header(lines: Lines) -> Mask:
    """False for lines that begin like no syslog, such as those with a stamp of a daemon's own."""
    first = lines.octets[lines.starts]
    dash = lines.octets[np.minimum(lines.starts + 4, len(lines.octets) - 1)] == ord("-")
    is_digit = (first >= ord("0")) & (first <= ord("9"))
    may: Mask = ~is_digit | dash
    return may


def _marked(lines: Lines, home: str) -> tuple[bool, bool, dict[str, tuple[Longs, Longs]]]:
    """The lines that hold a mark of each format, and where the first stands; in the order of asking.

    Before them: whether the file's own format has all lines, since each holds a mark of it and none the tag of a
    process (then it is not told which lines hold these marks); and whether there is JSON in any.
    """
    literals, of_mark = _sought(home, alone := _may_be_alone(lines, home))
    numbers, places = literals.find(lines.data)
    if alone and (numbers == len(of_mark) + 1).any():
        literals, of_mark = _sought(home, alone := False)
        numbers, places = literals.find(lines.data)
    holds_json = bool((numbers == len(of_mark)).any())
    marks = numbers < len(of_mark)
    formats, places = of_mark[numbers[marks]], places[marks]
    rows = np.searchsorted(lines.starts, places, "right") - 1
    found = {}
    for number in np.flatnonzero(np.bincount(formats)).tolist():
        there = np.flatnonzero((formats == number) & (rows >= 0))
        fresh = np.append(True, np.diff(rows[there]) != 0)[: len(there)]  # they are found from first to last
        found[_OWNERS[number]] = rows[there][fresh], places[there[fresh]]
    return alone, holds_json, found


def _may_be_alone(lines: Lines, home: str) -> bool:
    """Whether all lines hold a mark of the file's own format, and none is modern."""
    if home == LINUX or not FORMATS[home].is_telling or _is_modern(lines).any():
        return False
    held: Mask = np.zeros(len(lines), bool)
    first = int(lines.starts[0])
    for mark in FORMATS[home].marks:
        if (at := lines.data.find(mark, first, int(lines.stops[0]))) >= 0:  # most lines have it at the same place
            held |= holds(lines, lines.starts + (at - first), mark.decode())
    for row in np.flatnonzero(~held).tolist():
        span = int(lines.starts[row]), int(lines.stops[row])
        if all(lines.data.find(mark, *span) < 0 for mark in FORMATS[home].marks):
            return False
    return True


@lru_cache(maxsize=64)
def _sought(home: str, alone: bool) -> tuple[Literals, Longs]:  # one of two keys of a cache
    """The marks that are sought in lines of a file, and the number of the format that each belongs to.

    Args:
        alone: whether its own format is thought to have all of them: then it is not sought, nor what holds its marks,
            but whether there is the tag of a process.
    """
    pairs = [
        (mark, number)
        for number, (name, form) in enumerate(FORMATS.items())
        for mark in form.marks
        if not (alone and home in (name, form.within))
        and (form.is_tag or form.is_telling if name == home else form.is_guest)
    ]
    marks = [mark for mark, _ in pairs]
    return Literals(marks, [_RECORD, _PROCESS] if alone else [_RECORD]), np.array(
        [number for _, number in pairs], np.int64
    )


def _gathered(block: Block, rows: Longs, begins: Longs, stops: Longs, *, apart: bool) -> Block:
    """Some lines of a block as a block of their own, which still knows where each stood."""
    pieces, starts, firsts, size = list[bytes](), list[int](), list[int](), 0
    for first, last in _runs(rows, apart=apart):
        begin, end = int(begins[first]), int(stops[last])
        pieces.append(block.data[begin:end])
        starts.append(size)
        firsts.append(begin)
        size += end - begin + 1
    ends = [start + len(piece) for start, piece in zip(starts, pieces, strict=True)]
    spans = tuple(zip(starts, ends, strict=True)) if block.spans is not None else None  # a frame may hold new lines
    there = np.array(starts, np.int64)
    places = there, block.in_source(np.array(firsts, np.int64)) - block.offset - there
    return Block(data=b"\n".join(pieces), offset=block.offset, head=block.head, spans=spans, places=places)


def _runs(rows: Longs, *, apart: bool) -> Sequence[tuple[int, int]]:
    """First and last of neighbouring rows; each by itself where something stands between lines."""
    numbered = enumerate(rows.tolist())
    if apart:
        return [(row, row) for _, row in numbered]
    groups = (list(group) for _, group in groupby(numbered, key=lambda pair: pair[1] - pair[0]))
    return [(group[0][1], group[-1][1]) for group in groups]
