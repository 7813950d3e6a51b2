"""Flows as collectors print them in, Events out: nfdump's CSV and its lines, and flow logs of Amazon's VPC.

nfdump(1), `-o csv` of 1.6 (`ts,te,td,sa,da,...`) and 1.7 (`firstSeen,duration,proto,...`), `-o line` and `-o long`;
Amazon VPC User Guide, "Flow log records", with the line of names that files in S3 have, or without it in the default
form. Values keep their names; addresses, ports and protocol also have those of Sigma's firewall category. A flow counts
one way: its bytes are `netflow.bytes`, from `src_ip` to `dst_ip`; where a flow has both ways they are `bytes_sent` and
`bytes_received`. nfdump's times are those of the machine that printed them. Sums at the end are no flows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import BinaryIO, Final

import numpy as np

from tocsin.collect import documents, firewall
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import LineDecoder, Lines, Parsed, Split
from tocsin.collect.streams import HEAD_BYTES, peek, read_fully
from tocsin.collect.tables import BLANK, DELIMITERS, header_of
from tocsin.collect.w3c import Derived, Dialect, Header, Values
from tocsin.collect.w3c_columns import W3CLog
from tocsin.model.event import NO_TIME

NAME = "flows"
KIND = "firewall"

_NO_RECORD: Final = "not a line of flows"
_KNOWN: Final = (
    frozenset({"ts", "sa", "da", "pr", "ibyt"}),
    frozenset({"firstseen", "srcaddr", "dstaddr", "proto"}),
    frozenset({"start", "srcaddr", "dstaddr", "account-id"}),
    frozenset({"start", "srcaddr", "dstaddr", "interface-id"}),
)
_VPC: Final = (
    b"#Software: blank\n#Fields: version account-id interface-id srcaddr dstaddr srcport dstport protocol packets "
    b"bytes start end action log-status\n"
)
_VPC_LINES: Final = later(
    rb"(?:\xef\xbb\xbf)?2 (?:\d{12}|unknown) eni-[0-9a-f]{8,17} (?:[^ \n]{1,45} ){7}\d{10} \d{10} (?:ACCEPT|REJECT|-) "
    rb"(?:OK|NODATA|SKIPDATA)\r?(?:\n|\Z)"
)
_PLACE: Final = r"[0-9A-Fa-f.:]{2,60}"
_SIZE: Final = r"\d[\d.]*(?: [KMGT])?"
_LINE: Final = later(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) +(?P<duration>[\d:.]+) +(?P<proto>[A-Za-z0-9-]+) +"
    rf"(?P<source>{_PLACE}) +<?-> +(?P<target>{_PLACE}) +(?:(?P<flags>[.A-Z]{{6,8}}) +(?P<tos>\d+) +)?"
    rf"(?P<packets>{_SIZE}) +(?P<bytes>{_SIZE}) +(?:\S+ +)*?(?P<flows>\d+) *",
    re.ASCII,
)
_SNIFFED: Final = later(
    rb"^(?:Date first seen +Duration +Proto|(?:Summary|Time window|Total flows processed|Sys): )[^\n]*$"
    rb"|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? +[\d:.]+ +[A-Za-z0-9-]+ +[0-9A-Fa-f.:]{2,60} +<?-> +"
    rb"[0-9A-Fa-f.:]{2,60} [^\n]*$",
    re.MULTILINE,
)
_AROUND: Final = later(
    r"Summary\b.*|flows,bytes,packets,.*|\d+,\d+,\d+,\d+,\d+,[\d.]+|Time window: .*|Total flows processed: .*|Sys: .*"
    r"|No matched flows|Date first seen .*"
)


def _protocol(values: Values) -> str | None:
    return next((firewall.protocol(text.strip()) for text in values.values()), None)


def _way(name: str, *, both: bool) -> Derived:
    """Bytes of a flow that counts one way, or of each way where the other was counted, too."""

    def told(values: Values) -> str | None:
        return values.get(name) if (values.get("obyt", "0") != "0") == both else None

    return Derived(("ibyt", "obyt"), told)


_PLACES: Final = {
    "sa": ("sa", "src_ip"),
    "da": ("da", "dst_ip"),
    "sp": ("sp", "src_port"),
    "dp": ("dp", "dst_port"),
    "srcaddr": ("srcaddr", "src_ip"),
    "dstaddr": ("dstaddr", "dst_ip"),
    "srcport": ("srcport", "src_port"),
    "dstport": ("dstport", "dst_port"),
}
_NFDUMP: Final = {
    name: Dialect(
        names={**_PLACES, "bytes": ("netflow.bytes",), "in": ("in_if",), "out": ("out_if",)},  # elsewhere bytes
        derived={
            "protocol": Derived(("pr", "proto"), _protocol),
            "netflow.bytes": _way("ibyt", both=False),
            "bytes_sent": _way("ibyt", both=True),
            "bytes_received": _way("obyt", both=True),
        },
        constant={"log": "netflow"},
        separator=separator,
        nothing="",
        times=("ts", "firstseen"),
        local=True,
    )
    for name, separator in DELIMITERS.items()
}
_AMAZON: Final = {
    name: Dialect(
        names={**_PLACES, "bytes": ("netflow.bytes",), "protocol": ("protocol_number",)},
        derived={
            "protocol": Derived(("protocol",), _protocol),
            "blocked": Derived(("action",), lambda values: firewall.blocked(values.get("action", ""))),
        },
        constant={"log": "vpc"},
        separator=separator,
        times=("start",),
    )
    for name, separator in (*DELIMITERS.items(), (BLANK, ""))
}


def _dialect(header: Header) -> Dialect:
    columns = {name.lower() for name in header.columns}
    return (_AMAZON if "start" in columns or header.software == BLANK else _NFDUMP)[header.software]


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    return any(some <= columns for some in _KNOWN) and (header.software != BLANK or "start" in columns)


_TABLE: Final = W3CLog(knows=_knows, dialect=_dialect)


@lru_cache(maxsize=8)
def _names(head: bytes) -> bytes:
    """The names of columns, as directives: as the file has them, or of VPC's default form; b"" for nfdump's lines."""
    if _VPC_LINES.match(head):
        return _VPC
    directives = header_of(head, blanks=True)
    return directives if directives and _TABLE.sniff(directives) else b""


def sniff(head: bytes) -> bool:
    return bool(_names(head)) or documents.mostly(head, _SNIFFED)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return documents.line_ranges(size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start or stop is not None:
        file.seek(0)
        head = read_fully(file, HEAD_BYTES)
        file.seek(start)
    else:
        file, head = peek(file)
    for block in documents.cut_line_range(file, start, stop, block_bytes):
        yield replace(block, head=_names(head))


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    if _AROUND.fullmatch(text.rstrip()):
        return None
    return _TABLE.parse(text, header, clock) if header else _line(text, clock)


def _line(text: str, clock: Clock) -> Parsed | str:
    """A line that nfdump printed for people; sizes that it shortened (`6.3 M`) are kept as they are shown."""
    found = _LINE.fullmatch(text)
    if found is None:
        return _NO_RECORD
    values = {name: value for name, value in found.groupdict().items() if value}
    told: dict[str, str | tuple[str, ...] | None] = {"log": "netflow"}
    for name in ("duration", "flags", "tos", "packets", "flows"):
        if name in values:
            told[name] = values[name]
    told["protocol"] = firewall.protocol(values["proto"])
    told["src_ip"], told["src_port"] = _place(values["source"])
    told["dst_ip"], told["dst_port"] = _place(values["target"])
    told["netflow.bytes" if values["bytes"].isdigit() else "bytes_shown"] = values["bytes"]
    ts = clock.local_of(values["time"])
    return Parsed(ts, {name: value for name, value in told.items() if value}, ZONE_ASSUMED if ts != NO_TIME else "")


def _place(text: str) -> tuple[str, str]:
    """An address and its port: behind a colon, for IPv6 behind a dot."""
    address, _, port = text.rpartition("." if text.count(":") > 1 else ":")
    return (address, port) if address else (text, "")


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    if not block.head:
        return Split(usual=np.zeros(len(block), bool), ts=np.zeros(0, np.int64), fields={})
    return _TABLE.split(block, projection, clock)


def decoder(projection: frozenset[str] | None) -> LineDecoder:
    return LineDecoder(_parse, projection, _split)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    parsed = _parse(record.decode("utf-8", "replace"), header, Clock())
    return parsed.fields if isinstance(parsed, Parsed) else {}
