"""Events in, bytes of an EVTX file out: as little of the format as a reader needs, written from its documentation.

Binary XML without templates: a record is a fragment of elements whose names stand beside them and whose values
are text. Real files use templates; those in `../shared` are read by other tests.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

Element = tuple[str, dict[str, str], "list[Element] | str"]  # name, attributes, what is in it

CHUNK_BYTES = 64 << 10
_RECORDS_AT = 512  # in a chunk, behind its header and tables
_TICKS_TO_1970 = 116_444_736_000_000_000  # of 100 ns, since 1601


def event(
    number: int, event_id: int, fields: dict[str, str], *, channel: str = "Security", seconds: int = 0
) -> Element:
    """A record as Windows nests it; its time is `seconds` after 2024-05-01 08:00 UTC."""
    minutes, second = divmod(seconds, 60)
    system: list[Element] = [
        ("Provider", {"Name": "Microsoft-Windows-Security-Auditing"}, []),
        ("EventID", {}, str(event_id)),
        ("Version", {}, "2"),
        ("TimeCreated", {"SystemTime": f"2024-05-01T08:{minutes:02d}:{second:02d}.000000Z"}, []),
        ("EventRecordID", {}, str(number)),
        ("Channel", {}, channel),
        ("Computer", {}, "desk7.example.org"),
        ("Security", {}, []),
    ]
    named: list[Element] = [("Data", {"Name": name}, text) for name, text in fields.items()]
    return ("Event", {"xmlns": "urn:example"}, [("System", {}, system), ("EventData", {}, named)])


def file(chunks: Sequence[Sequence[tuple[int, Element]]]) -> bytes:
    """A file of chunks, each of (record id, record)."""
    bodies = [_chunk(records) for records in chunks]
    last = max((number for records in chunks for number, _ in records), default=0)
    head = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, len(bodies) - 1, last + 1, 128, 1, 3, 4096, len(bodies)).ljust(
        120, b"\0"
    )
    header = head + struct.pack("<II", 0, zlib.crc32(head))
    return header.ljust(4096, b"\0") + b"".join(bodies)


def _chunk(records: Sequence[tuple[int, Element]]) -> bytes:
    body, last_at = b"", 0
    for number, element in records:
        last_at = _RECORDS_AT + len(body)
        body += _record(number, element, last_at)
    numbers = [number for number, _ in records] or [0]
    head = struct.pack(
        "<8sQQQQIIII", b"ElfChnk\0", numbers[0], numbers[-1], numbers[0], numbers[-1], 128, last_at,
        _RECORDS_AT + len(body), zlib.crc32(body),
    ).ljust(120, b"\0")  # fmt: skip
    tables = b"\0" * (_RECORDS_AT - 128)
    whole = head + struct.pack("<II", 0, zlib.crc32(head + tables)) + tables + body
    assert len(whole) <= CHUNK_BYTES
    return whole.ljust(CHUNK_BYTES, b"\0")


def _record(number: int, element: Element, at: int) -> bytes:
    ticks = _TICKS_TO_1970 + 1_714_550_400 * 10_000_000
    start = struct.pack("<QQ", number, ticks)
    xml = b"\x0f\x01\x01\x00"
    xml += _binary_xml(element, at + 8 + len(start) + len(xml)) + b"\x00"
    size = 8 + len(start) + len(xml) + 4
    return b"\x2a\x2a\0\0" + struct.pack("<I", size) + start + xml + struct.pack("<I", size)


def _binary_xml(element: Element, at: int) -> bytes:
    """One element that begins at chunk offset `at`. Names are found by their offset; ours stand where they are used."""
    name, attributes, inner = element
    body = struct.pack("<I", at + 9) + _name(name)
    if attributes:
        listed = b""
        for order, (key, text) in enumerate(attributes.items(), 1):
            token = b"\x46" if order < len(attributes) else b"\x06"
            here = at + 5 + len(body) + 4 + len(listed) + 5
            listed += token + struct.pack("<I", here) + _name(key) + _value(text)
        body += struct.pack("<I", len(listed)) + listed
    if isinstance(inner, str):
        body += b"\x02" + _value(inner) + b"\x04"
    elif inner:
        body += b"\x02"
        for child in inner:
            body += _binary_xml(child, at + 5 + len(body))
        body += b"\x04"
    else:
        body += b"\x03"
    return (b"\x41" if attributes else b"\x01") + struct.pack("<I", len(body)) + body


def _name(text: str) -> bytes:
    sum16 = 0
    for character in text:
        sum16 = (sum16 * 65_599 + ord(character)) & 0xFFFF
    return struct.pack("<IHH", 0, sum16, len(text)) + text.encode("utf-16-le") + b"\0\0"


def _value(text: str) -> bytes:
    return b"\x05\x01" + struct.pack("<H", len(text)) + text.encode("utf-16-le")


def sample() -> bytes:
    """`formats/evtx/two_chunks.evtx`."""
    first = [
        (1, event(1, 4688, {"NewProcessName": r"C:\Windows\System32\net.exe", "CommandLine": 'net user "José" /add'})),
        (2, event(2, 4624, {})),
        (3, event(3, 4, {"Version": "15.0"}, channel="Microsoft-Windows-Sysmon/Operational", seconds=1)),
    ]
    return file([first, [(4, event(4, 4625, {"TargetUserName": "anna", "LogonType": "3"}, seconds=61))]])
