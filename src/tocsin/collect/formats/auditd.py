"""Logs of the Linux audit daemon in, Events out: a record a line, under the names that auditd gives its fields.

After "Audit event parsing library specifications" of the audit project and auditd.conf(5); `audit.log` itself, with
enriched fields and `node=`, what `ausearch` gives (with `--raw`, with `--interpret`, with neither), and what audisp's
syslog plug-in wrote, if a file holds little else. Records of one event have one serial; a record stays an event by
itself, as Sigma's rules read them. EXECVE alone is told more: `Image`, `CommandLine`, `CurrentDirectory`, `User`,
`ProcessId` and others, as Sysmon for Linux would call them, come from the SYSCALL and CWD records of its event, which
are found in the block around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import BinaryIO, Final

from tocsin.collect import audit, documents, messages, syslog
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.later import later
from tocsin.collect.lines import Parsed
from tocsin.collect.records import Tally
from tocsin.collect.text_lines import TextLog

NAME = "auditd"
KIND = "auditd"

_NO_RECORD: Final = "not a record of the audit system"
_BETWEEN: Final = ("----", "time->")  # what ausearch puts between events
_ID: Final = rb"(?:\d{1,12}[.,]\d{1,6}|\d\d?/\d\d?/\d{2,4} \d\d:\d\d:\d\d[.,]\d{1,6}):\d{1,20}"
_RECORD: Final = rb"(?:node=\S{1,255} )?type=[\w\[\].-]{1,64} (?:msg=)?audit\(" + _ID + rb"\) ?:"
_SNIFFED: Final = later(_RECORD)
_TAGGED: Final = later(syslog.BEFORE_TAG + rb"(?:audispd|audisp-syslog|audit|auditd)(?:\[\d{1,10}\])?: " + _RECORD)
_MOST_SNIFFED: Final = 20  # lines
_STAMP: Final = later(rb"audit\((" + _ID + rb")\)")
_SIBLING: Final = later(
    rb"^[^\n]{0,400}?(type=(?:SYSCALL|CWD|1300|1307) (?:msg=)?audit\((" + _ID + rb")\)[^\n]*)", re.MULTILINE
)
_LONGEST_EVENT: Final = 64 << 10  # bytes that are held back so that an event's records stay together


def sniff(head: bytes) -> bool:
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_SNIFFED)[:_MOST_SNIFFED]
    lines = [line for line in lines if line.strip() and not line.startswith((b"----", b"time->"))]
    known = sum(bool(_SNIFFED.match(line) or _TAGGED.match(line)) for line in lines)
    return known > 0 and 2 * known >= len(lines)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """In one go: the records of an event must stay together, and auditd begins a new file after 8 MB."""
    return [(0, size)]


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of lines that do not end amid an event."""
    held, offset = b"", start
    for block in documents.cut_line_range(file, start, stop, block_bytes):
        data, offset = held + block.data, block.offset - len(held)
        at = _begin_of_last(data)
        if at or block.damaged:
            yield replace(block, data=data[:at], offset=offset)
        held, offset = data[at:], offset + at
    if held:
        yield Block(data=held, offset=offset)


def _begin_of_last(data: bytes) -> int:
    """Where the first record of the last event begins, if that is near the end."""
    tail = max(len(data) - _LONGEST_EVENT, 0)
    last = data.rfind(b"audit(")
    stamp = _STAMP.match(data, last) if last >= tail else None
    if stamp is None:
        return len(data)
    return data.rfind(b"\n", 0, data.find(stamp[0], tail)) + 1


class _Decoder:
    """Reads blocks, each of which is the header of its own records: there stands what else belongs to their event."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._lines = _LOG.decoder(projection)

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        self._lines.read(replace(block, head=block.data), table, tally)

    def flush(self, table: TableBuilder) -> None:
        self._lines.flush(table)


def decoder(projection: frozenset[str] | None) -> _Decoder:
    return _Decoder(projection)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found, outer = audit.record(text, 0, clock), audit.Fields()
    if found is None:
        head = syslog.header(text, clock)
        found = audit.record(text, head.message, clock) if head else None
        if head is None or found is None:
            return None if text.startswith(_BETWEEN) else _NO_RECORD
        outer = head.fields()
    values = found.fields
    if values["type"] == "EXECVE":
        stamp = audit.HEAD.search(text)
        values |= _started(values, header, stamp["stamp"] if stamp else "")
    return Parsed(found.ts, messages.joined(outer, values), found.mended)


def _started(values: audit.Fields, header: bytes, stamp: str) -> audit.Fields:
    siblings = _siblings(header).get(stamp.encode(), [])
    event: audit.Fields = {}
    for line in siblings:
        found = audit.record(line.decode("utf-8", "replace"))
        event |= found.fields if found else {}
    return audit.started_program({**event, "CommandLine": values.get("CommandLine")})


@lru_cache(maxsize=2)
def _siblings(data: bytes) -> Mapping[bytes, list[bytes]]:
    """The SYSCALL and CWD records of a block, by time and serial."""
    found: dict[bytes, list[bytes]] = {}
    for line in _SIBLING.finditer(data):
        found.setdefault(line[2], []).append(line[1])
    return found


_LOG: Final = TextLog(parse=_parse)
fields = _LOG.fields
