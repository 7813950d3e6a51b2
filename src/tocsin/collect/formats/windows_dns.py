"""Debug logs of the DNS server of Windows in, Events out: a packet a line, with or without its details below.

After the legend that the server writes at the head of each log, and Microsoft's "DNS Logging and Diagnostics". `log`
is `query` or `response`; `src_ip` sent what was received, `dst_ip` got what was sent. Times are those of the
server's language and zone. Where a file's dates do not tell whether the day or the month comes first, their form does.
`answer` is in the details only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO, Final

import numpy as np

from tocsin.collect import stanzas
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds
from tocsin.collect.streams import HEAD_BYTES, peek
from tocsin.collect.text_lines import TextLog
from tocsin.collect.words import Padded
from tocsin.model.event import NO_TIME, Longs, pieces

NAME = "windows_dns"
KIND = "dns"

_NO_RECORD: Final = "not a line of a DNS debug log"
_WHEN: Final = r"\d[^\n\[\]()]{6,60}?"
_CONTEXTS: Final = "PACKET|EVENT|DSPOLL|DSWRITE|INIT|LOOKUP|NOTIFY|RECURSE|REMOTE|TASK|TOMBSTN|UPDATE|ZONEXFR|Note:"
_LINE: Final = later(
    rf"(?P<when>{_WHEN}) {{1,8}}(?P<thread>[0-9A-Fa-f]{{3,8}}) {{1,8}}(?P<context>{_CONTEXTS})(?= |$) *(?P<rest>.*)"
)
_PACKET: Final = later(
    r"(?:(?P<packet>[^ ]{8,16}) +)?(?P<protocol>UDP|TCP) +(?P<direction>Rcv|Snd) +(?P<remote>[^ ]+) +"
    r"(?P<xid>[^ ]{4}) +(?:(?P<response>R) +)?(?P<opcode>[A-Z?]) +\[(?P<flags_hex>[0-9A-Fa-f]{4}) +"
    r"(?:(?P<flags>[A-Z][A-Z ]*?) +)?"
    r"(?P<rcode>[^ \]]+) *\] *(?:(?P<record_type>[^ ]+) +)?(?P<query>[^ ]+) *"
)
_LEGEND: Final = later(r"\s|DNS Server log|Log file wrap|Message logging key|(?:UDP|TCP) [a-z]+ info")
_PORT: Final = later(r"^ *Remote addr [^ ,]+, port (\d{1,5})", re.MULTILINE)
_ANSWERS: Final = later(r"^ *ANSWER SECTION:\s*$(.*?)(?=^ *[A-Z]+ SECTION:|\Z)", re.MULTILINE | re.DOTALL)
_DATA: Final = later(r"^ *DATA +(\S[^\r\n]*?)\s*$", re.MULTILINE)
_LABEL: Final = later(r"\((\d{1,2})\)")
_POINTER: Final = later(r"\[[0-9A-Fa-f]{4}\]")
_NUMBER: Final = later(r"\d+", re.ASCII)
_AFTERNOON: Final = later(r"[Pp]\.? ?[Mm]\b|下午|오후|午後|[μµ]{2}")
_HALVES: Final = later(r"[AaPp]\.? ?[Mm]\b|上午|下午|오전|오후|午前|午後|[πμµ][μµ]")
_DATE: Final = later(
    rb"^(?:DNS Server log file creation at )?(\d{1,2})([./-]) ?(\d{1,2})[./-] ?\d{2}(?:\d\d)?\b([^\n\[]{0,40})",
    re.MULTILINE,
)
_LONGEST_NAME: Final = 600  # characters: 255 bytes, some of them escaped, and a length before each label
_MONTH_FIRST, _DAY_FIRST = b"month", b"day"
_SNIFFED: Final = later(
    rb"^(?:\xef\xbb\xbf)?\d[^\n\[\]()]{6,60}? {1,8}[0-9A-Fa-f]{3,8} {1,8}PACKET +"
    rb"(?:[0-9A-Fa-f]{8,16} +)?(?:UDP|TCP) +(?:Rcv|Snd) +[0-9A-Fa-f.:]",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return _SNIFFED.search(head) is not None or b"DNS Server log file creation at " in head[:200]


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if not start and stop is None:
        again, head = peek(file)
        return stanzas.cut(again, 0, None, block_bytes, _order(head))
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(start)
    return stanzas.cut(file, start, stop, block_bytes, _order(head))


def _order(head: bytes) -> bytes:
    """Whether the day or the month comes first: a number past 12 tells it, else the form of the date does."""
    dates = list(_DATE.finditer(head))
    for date in dates:
        if int(date[1]) > 12:
            return _DAY_FIRST
        if int(date[3]) > 12:
            return _MONTH_FIRST
    if not dates:
        return b""
    first = dates[-1]
    halved = _HALVES.search(first[4].decode("utf-8", "replace"))
    padded = first[3].startswith(b"0") and not first[1].startswith(b"0")  # as in New Zealand and Australia
    return _MONTH_FIRST if first[2] == b"/" and halved and not padded else _DAY_FIRST


@lru_cache(maxsize=65_536)
def _ts(when: str, order: bytes, clock: Clock) -> int:
    """A date and a time of day in whatever form; the year is the number of four digits."""
    numbers = _NUMBER.findall(when)
    if (len(numbers) == 1 and len(numbers[0]) == 8) or (len(numbers) == 4 and len(numbers[0]) == 8):
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:], *numbers[1:]]
    if len(numbers) != 6 or any(len(number) > 4 for number in numbers):
        return NO_TIME
    one, two, three, hour, minute, second = map(int, numbers)
    if len(numbers[0]) == 4:
        year, month, day = one, two, three
    else:
        year, month, day = (three, one, two) if order == _MONTH_FIRST else (three, two, one)
        if month > 12:
            month, day = day, month
        year += 2000 if len(numbers[2]) < 3 else 0
    if _HALVES.search(when):
        hour = hour % 12 + (12 if _AFTERNOON.search(when) else 0)
    try:
        return clock.local(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001  # the server's own time
    except ValueError:
        return NO_TIME


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    line, _, below = text.partition("\n")
    found = _LINE.fullmatch(line.rstrip("\r"))
    if found is None:
        return None if _LEGEND.match(line) else _NO_RECORD
    ts = _ts(found["when"], header, clock)
    values: dict[str, str | tuple[str, ...]] = {"thread": found["thread"], "context": found["context"]}
    if ts == NO_TIME:
        values["time"] = found["when"]
    packet = _PACKET.fullmatch(found["rest"]) if found["context"] == "PACKET" else None
    if packet is None:
        values |= {"log": found["context"].rstrip(":").lower(), "message": (found["rest"] + "\n" + below).strip()}
    else:
        values |= _packet(packet)
        values |= _details(below, "src_port" if packet["direction"] == "Rcv" else "dst_port")
    return Parsed(ts, values, ZONE_ASSUMED if ts != NO_TIME else "")


def _packet(found: re.Match[str]) -> dict[str, str]:
    values = {name: value for name, value in found.groupdict().items() if value}
    values["log"] = "response" if values.pop("response", "") else "query"
    values["src_ip" if found["direction"] == "Rcv" else "dst_ip"] = values.pop("remote")
    values["query"] = _name(found["query"])
    return values


def _details(text: str, port: str) -> dict[str, str | tuple[str, ...]]:
    """What stands below a packet's line: the port it came from, and what it answers."""
    values: dict[str, str | tuple[str, ...]] = {}
    if found := _PORT.search(text):
        values[port] = found[1]
    if (section := _ANSWERS.search(text)) and (answers := _DATA.findall(section[1])):
        values["answer"] = tuple(_name(answer) if answer[0] in "([" else answer for answer in answers)
    return values


def _name(text: str) -> str:
    """A name as it is written elsewhere; `(3)www(7)example(3)org(0)` has the length of each label before it."""
    return _known_name(text) if len(text) <= _LONGEST_NAME else _read_name(text)


@lru_cache(maxsize=1 << 17)  # the same few are asked for all day
def _known_name(text: str) -> str:
    return _read_name(text)


def _read_name(text: str) -> str:
    plain = _POINTER.sub("", text) if "[" in text else text
    before, *parts = _LABEL.split(plain)
    if not before and parts[-1:] == [""] and parts[-2] == "0" and [str(len(x)) for x in parts[1::2]] == parts[0::2]:
        return ".".join(parts[1:-2:2]) or "."
    labels, at = list[str](), 0  # a label holds what looks like a length, or a length is wrong
    while (found := _LABEL.match(plain, at)) and int(found[1]):
        labels.append(plain[found.end() : found.end() + int(found[1])])
        at = found.end() + int(found[1])
    if found is None and at < len(plain):
        return _LABEL.sub(".", plain).strip(".") or "."
    return ".".join(labels) or "."


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Packets without details: `time thread PACKET [id] UDP Rcv address xid [R] Q [0001 D NOERROR] type name`."""
    words, opens, closes = Padded(block), Marks(block, "["), Marks(block, "]")
    opening, closing = opens.at(0), closes.at(0)
    usual: Mask = (opens.count == 1) & (closes.count == 1) & (closing > opening) & words.plain
    if b"\n" in block.data:
        usual &= ~_has_more_lines(block)
    inside = words.before(opening)
    opcode, perhaps = words.at(inside - 1), words.at(inside - 2)
    answers = (perhaps.stops - perhaps.starts == 1) & (byte(block, perhaps.starts) == ord("R"))
    shift = inside - 2 - answers
    xid, remote, direction, protocol = (words.at(shift - back) for back in range(4))
    received = holds(block, direction.starts, "Rcv")
    usual &= (shift >= 6) & (xid.stops - xid.starts == 4) & (received | holds(block, direction.starts, "Snd"))
    usual &= (direction.stops - direction.starts == 3) & (protocol.stops - protocol.starts == 3)
    usual &= holds(block, protocol.starts, "UDP") | holds(block, protocol.starts, "TCP")
    packet = words.at(shift - 4)
    numbered = ~holds(block, packet.starts, "PACKET")
    context = words.at(shift - 4 - numbered)
    thread, before = words.at(shift - 5 - numbered), words.at(shift - 6 - numbered)
    sizes = packet.stops - packet.starts
    usual &= ~numbered | ((sizes >= 8) & (sizes <= 16))
    usual &= holds(block, context.starts, "PACKET") & (context.stops - context.starts == 6)
    usual &= (shift - 6 - numbered >= 1) & _is_hex(block, thread, 3, 8) & (opcode.stops - opcode.starts == 1)
    usual &= (byte(block, opcode.starts) - ord("A") < 26) | (byte(block, opcode.starts) == ord("?"))
    behind = words.before(closing + 1)
    flags_hex, last = words.at(inside), words.at(behind - 1)
    flags_hex = Spans(opening + 1, flags_hex.stops)
    rcode = Spans(last.starts, np.minimum(last.stops, closing))
    usual &= _is_hex(block, flags_hex, 4, 4) & (behind - inside >= 2) & (rcode.stops > rcode.starts)
    usual &= (words.count == behind + 2) & (byte(block, closing + 1) == ord(" "))
    flagged = behind - inside > 2
    first_flag, last_flag = words.at(inside + 1), words.at(behind - 2)
    usual &= ~flagged | _is_flags(block, first_flag.starts, last_flag.stops)
    ts = np.full(len(block), NO_TIME, np.int64)
    ts[usual] = _times(block, Spans(block.starts[usual], before.stops[usual]), clock)
    usual &= ts != NO_TIME
    spans = {
        "thread": thread,
        "protocol": protocol,
        "direction": direction,
        "xid": xid,
        "packet": _where(numbered, packet),
        "src_ip": _where(received, remote),
        "dst_ip": _where(~received, remote),
        "opcode": opcode,
        "flags_hex": flags_hex,
        "rcode": rcode,
        "flags": _where(flagged, Spans(first_flag.starts, last_flag.stops)),
        "record_type": words.at(behind),
    }
    told: dict[str, Spans | Told | str] = {name: chosen(usual, span) for name, span in spans.items()}
    told["context"] = "PACKET"
    told["query"] = Told(chosen(usual, words.at(behind + 1)), _name)
    log = Spans(np.where(answers, perhaps.starts, opcode.starts), opcode.stops)
    told["log"] = Told(chosen(usual, log), lambda text: "response" if " " in text else "query")
    return Split(usual=usual, ts=ts[usual], fields=told, mended=ZONE_ASSUMED)


def _times(block: Lines, spans: Spans, clock: Clock) -> Longs:
    """UTC microseconds of times, each distinct one read by itself: a server writes many lines a second."""
    import pyarrow as pa

    if not len(spans.starts):
        return np.zeros(0, np.int64)
    encoded = pieces(pa.binary(), block.data, *spans).dictionary_encode()
    texts = (text.decode("utf-8", "replace") for text in encoded.dictionary.to_pylist())
    told = [_ts(text, block.head, clock) if _WHEN_ONLY.fullmatch(text) else NO_TIME for text in texts]
    times: Longs = np.array(told, np.int64)[encoded.indices.to_numpy()]
    return times


_WHEN_ONLY: Final = later(_WHEN)


def _has_more_lines(block: Lines) -> Mask:
    newlines = Marks(block, "\n")
    found: Mask = (newlines.count > 0) & (newlines.at(0) < block.stops)
    return found


def _is_hex(block: Lines, spans: Spans, least: int, most: int) -> Mask:
    sizes = spans.stops - spans.starts
    found: Mask = (sizes >= least) & (sizes <= most)
    for at in range(most):
        digit = byte(block, spans.starts + np.minimum(at, sizes - 1))
        found &= (digit - ord("0") <= 9) | ((digit | 32) - ord("a") < 6)
    return found


def _is_flags(block: Lines, starts: Longs, stops: Longs) -> Mask:
    """Whether nothing but capital letters and spaces stands there, a few."""
    sizes = stops - starts
    found: Mask = (sizes > 0) & (sizes <= 16)
    for at in range(16):
        letter = byte(block, starts + np.minimum(at, sizes - 1))
        found &= (letter - ord("A") < 26) | (letter == ord(" "))
    return found


def _where(there: Mask, spans: Spans) -> Spans:
    return Spans(np.where(there, spans.starts, -1), np.where(there, spans.stops, -1))


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, decoder, fields = _LOG.ranges, _LOG.decoder, _LOG.fields
