"""Events of Sysmon for Linux in, Events out, under the names that Sysmon's fields have on Windows: XML on a line.

What Sysmon writes to syslog or the journal, with the header of the line or without it (`sysmonLogView -X`, or
`journalctl -o cat`), if a file holds little else. In other logs `formats/linux.py` reads it.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import messages, syslog, sysmon_xml
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME

NAME = "sysmon_linux"
KIND = "sysmon_linux"

_NO_RECORD: Final = "not an event of Sysmon"
_EVENT: Final = rb"<Event(?:\s[^<>\n]{0,200})?>\s*<System>\s*<Provider [^<>\n]{0,100}Linux-Sysmon"
_SNIFFED: Final = re.compile(rb"\s*" + _EVENT)
_TAGGED: Final = re.compile(syslog.BEFORE_TAG + rb"[^\n]{0,300}?" + _EVENT)
_MOST_SNIFFED: Final = 20  # lines


def sniff(head: bytes) -> bool:
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_SNIFFED)[:_MOST_SNIFFED]
    lines = [line for line in lines if line.strip() and not line.startswith(b"-- ")]
    known = sum(bool(_SNIFFED.match(line) or _TAGGED.match(line)) for line in lines)
    return known > 0 and 4 * known >= 3 * len(lines)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    event = sysmon_xml.event(text)
    if event is not None:
        return Parsed(*event)
    head = syslog.header(text, clock)
    if head is None:
        return None if text.startswith("-- ") else _NO_RECORD
    event = sysmon_xml.event(text, head.message)
    if event is None:  # what Sysmon or another program says besides
        return Parsed(head.ts, head.fields() | {"message": text[head.message :]}, head.mended)
    ts, fields, mended = event
    values = messages.joined(head.fields(), fields)
    return Parsed(ts, values, mended) if ts != NO_TIME else Parsed(head.ts, values, mended or head.mended)


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
