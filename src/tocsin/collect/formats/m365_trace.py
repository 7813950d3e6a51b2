"""Message traces of Microsoft 365 in, Events out: CSV of the admin centre or of PowerShell, and JSON.

Microsoft Learn `Message trace in the new EAC` (summary, enhanced summary and extended reports), `Get-MessageTraceV2`,
`Get-MessageTrace`, the `MessageTrace` report of Office 365's reporting service. Times are in UTC; PowerShell writes
them in the order of day and month that its user's country has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO, Final

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.json_logs import JsonLog
from tocsin.collect.mail_texts import alone_or_all, bare
from tocsin.collect.naming import Dotted
from tocsin.collect.records import Tally
from tocsin.collect.streams import peek
from tocsin.collect.w3c import Derived, Dialect, Header, Values
from tocsin.collect.w3c_columns import W3CLog
from tocsin.model.event import NO_TIME

NAME = "m365_trace"
KIND = "mail"

_ORDER: Final = "date with day and month in an order that was assumed"
_TIMES: Final = (
    *("date_time_utc", "date_time", "origin_timestamp_utc", "origin_timestamp", "received", "receivedtime"),
    *("receiveddatetime", "received (utc)", "date (utc)", "date_utc", "date"),
)
_ALIASES: Final[Mapping[str, Sequence[str]]] = {
    "sender": ("sender_address", "senderaddress", "sender address", "sender"),
    "recipient": ("recipient_address", "recipientaddress", "recipient address", "recipient"),
    "subject": ("message_subject", "subject", "message subject"),
    "client_ip": ("original_client_ip", "client_ip", "fromip", "from_ip", "from ip", "senderip"),
    "server_ip": ("toip", "to_ip", "to ip", "server_ip"),
    "size": ("total_bytes", "size", "message size"),
    "status": ("status", "event_id", "delivery status"),
}
_NAMES: Final = {
    native: (native, *(alias for alias, natives in _ALIASES.items() if native in natives))
    for natives in _ALIASES.values()
    for native in natives
}
_COLUMNS: Final = (
    frozenset({"sender_address", "recipient_status", "message_subject"}),
    frozenset({"sender_address", "recipient_address", "message_subject"}),
    frozenset({"senderaddress", "recipientaddress", "status"}),
    frozenset({"senderaddress", "recipientaddress", "messagetraceid"}),
    frozenset({"sender", "recipient", "subject", "status"}),
    frozenset({"sender address", "recipient address", "subject"}),
)
_DATE: Final = re.compile(
    r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{2,4}),? (\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:\.\d+)?"
    r"(?: ?([AaPp])\.?[Mm]\.?)?(?: ?UTC)?",
    re.ASCII,
)
_HEADER: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:#TYPE [^\n]{0,200}\n|[ \t\r]*\n){0,4}([^\n{\[]{10,4000})(?:\n|\Z)")


def _recipients(values: Values) -> str | Sequence[str] | None:
    return alone_or_all([one.partition("##")[0] for one in _statuses(values)])


def _outcomes(values: Values) -> str | Sequence[str] | None:
    return alone_or_all([one.partition("##")[2] for one in _statuses(values) if "##" in one])


def _statuses(values: Values) -> list[str]:
    return [one.strip() for one in values.get("recipient_status", "").split(";") if one.strip()]


def _told(text: str) -> tuple[int, str]:
    """A time as PowerShell writes it: with AM and PM the month comes first, else the day, unless that cannot be."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return NO_TIME, ""
    first, second, third = int(found[1]), int(found[2]), int(found[3])
    hour, half = int(found[4]), (found[7] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    orders = [(third, first, second), (third, second, first)]  # year, month, day
    if not half:
        orders.reverse()
    if len(found[1]) == 4:
        orders = [(first, second, third)]
    for year, month, day in orders:
        try:
            moment = datetime(
                year + 2000 * (year < 100), month, day, hour, int(found[5]), int(found[6] or 0), tzinfo=UTC
            )
        except ValueError:
            continue
        sure = len(found[1]) == 4 or max(first, second) > 12 or first == second
        return Clock().local(moment), "" if sure else _ORDER
    return NO_TIME, ""


_DIALECTS: Final = {
    name: Dialect(
        names=_NAMES,
        derived={
            "recipient": Derived(("recipient_status",), _recipients),
            "status": Derived(("recipient_status",), _outcomes),
            "message_id": Derived(("messageid", "message id"), lambda values: bare(next(iter(values.values()), None))),
        },
        constant={"log": "message trace"},
        separator=separator,
        nothing="",
        times=_TIMES,
        spelled=True,
        told=_told,
    )
    for name, separator in ((",", ","), (";", ";"), ("tab", "\t"))
}


def _dialect(header: Header) -> Dialect:
    return _DIALECTS[header.software]


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    return any(some <= columns for some in _COLUMNS) and not columns.isdisjoint(_TIMES)


def _shape(record: dict[str, object]) -> None:
    record.setdefault("log", "message trace")
    for name in ("MessageId", "messageId"):
        text = record.get(name)
        if isinstance(text, str):
            record.setdefault("message_id", bare(text))


_CSV: Final = W3CLog(knows=_knows, dialect=_dialect)
_JSON: Final = JsonLog(
    naming=Dotted(
        times=("Received", "ReceivedTime", "receivedDateTime", "date_time_utc", "origin_timestamp_utc", "Date"),
        also={
            "sender": ("SenderAddress", "senderAddress", "sender_address"),
            "recipient": ("RecipientAddress", "recipientAddress", "recipient_address"),
            "subject": ("Subject", "message_subject"),
            "client_ip": ("FromIP", "fromIP", "original_client_ip"),
            "server_ip": ("ToIP", "toIP"),
            "size": ("Size", "total_bytes"),
            "status": ("Status",),
        },
    ),
    keys=(
        frozenset({"MessageTraceId", "SenderAddress", "RecipientAddress"}),
        frozenset({"senderAddress", "recipientAddress", "receivedDateTime"}),
        frozenset({"sender_address", "recipient_status", "message_subject"}),
    ),
    inner=frozenset({"value", "results"}),
    shape=_shape,
)


def _header(head: bytes) -> bytes:
    """Directives as of a W3C log for the first line of a CSV file; b'' where there is none that we know."""
    found = _HEADER.match(head)
    line = found[1].rstrip(b"\r") if found else b""
    separator = max(b",", b"\t", b";", key=line.count)
    return b"#Software: %b\n#Fields: %b\n" % (separator.replace(b"\t", b"tab"), line) if separator in line else b""


def sniff(head: bytes) -> bool:
    directives = _header(head)
    return (_CSV.sniff(directives) if directives else False) or _JSON.sniff(head)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return documents.line_ranges(size, unit_bytes) if _header(head) else _JSON.ranges(head, size, unit_bytes)


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    if start:
        file.seek(0)
    again, head = peek(file)
    directives = _header(head)
    if start or stop is not None:
        file.seek(start)
        again = file
    if not directives:
        yield from _JSON.cut(again, start, stop, block_bytes)
        return
    for block in documents.cut_line_range(again, start, stop, block_bytes):
        yield replace(block, head=directives)


class _Either:
    """Reads lines below a CSV file's header, and JSON."""

    def __init__(self, projection: frozenset[str] | None) -> None:
        self._lines, self._json = _CSV.decoder(projection), _JSON.decoder(projection)

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        (self._lines if block.head else self._json).read(block, table, tally)

    def flush(self, table: TableBuilder) -> None:
        self._json.flush(table)


def decoder(projection: frozenset[str] | None) -> _Either:
    return _Either(projection)


def fields(record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
    return (_CSV if header else _JSON).fields(record, header)
