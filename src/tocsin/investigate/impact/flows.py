"""Events in, the connections of incidents on disk, with the bytes that went each way; and back as arrays.

Names of fields as the readers in `collect` give them. What counts bytes for one direction, for both together, or not at
all (Sysmon 3 and Windows 5156 count none) is told apart: -1 is not known.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.border.frames import framed, messages
from tocsin.investigate.impact import requests
from tocsin.investigate.impact.picks import that
from tocsin.investigate.impact.scene import Around
from tocsin.investigate.normal import address
from tocsin.model.event import Codes, Events, Longs

# Connections in memory, 120 bytes each. What is beyond is counted, and upper bounds fall.
MOST: Final = 4_000_000
UNKNOWN: Final = -1
_LONGEST: Final = 253
_MOST_BYTES: Final = 1 << 62  # a log may claim any number

_SOURCE: Final = ("id.orig_h", "src_ip", "SourceIp", "SourceAddress", "c-ip")
_TARGET: Final = ("id.resp_h", "dst_ip", "dest_ip", "DestinationIp", "DestAddress", "r-ip")
_NAME: Final = ("cs-host", "r-host", "DestinationHostname", "server_name", "dst_host", "hostname")
_SOURCE_PORT: Final = ("id.orig_p", "src_port", "SourcePort", "c-port")
_TARGET_PORT: Final = ("id.resp_p", "dst_port", "dest_port", "DestinationPort", "DestPort", "r-port", "cs-uri-port")
_SESSION: Final = ("uid", "flow_id", "sessionid", "session_id")
# Bytes that the one who asked sent, and that were sent to it: what was carried, and what was on the wire.
_SENT: Final = (
    *("orig_bytes", "orig_ip_bytes", "sentbyte", "bytes_sent", "flow.bytes_toserver", "cs-bytes", "bytes_out"),
    *("out_bytes", "srcBytes", "source.bytes", "request_body_len"),
)
_CAME: Final = (
    *("resp_bytes", "resp_ip_bytes", "rcvdbyte", "bytes_received", "flow.bytes_toclient", "sc-bytes", "bytes_in"),
    *("in_bytes", "dstBytes", "destination.bytes", "response_body_len", "http.length"),
)
# Of both ways together; of one way only, as NetFlow counts; and CEF's pair, which products turn either way round.
_BOTH: Final = ("bytes",)
_ONE_WAY: Final = ("netflow.bytes",)
_EITHER: Final = ("in", "out")
_ACTION: Final = ("action", "s-action", "act")
_REFUSED: Final = re.compile(r"den(?:y|ied)|block|drop|reject|reset-|discard", re.IGNORECASE)

_Fits = Mapping[str, frozenset[str]]
# Which records of a kind are connections; of others all of them.
_GATES: Final[Mapping[str, tuple[_Fits, ...]]] = {
    "zeek": ({"_path": frozenset({"conn"})},),
    "suricata": ({"event_type": frozenset({"flow", "netflow"})},),
    "firewall": ({},),
    "proxy": ({},),
    "webserver": ({},),
    "windows": (
        {"Channel": frozenset({"microsoft-windows-sysmon/operational"}), "EventID": frozenset({"3"})},
        {"Channel": frozenset({"security"}), "EventID": frozenset({"5156"})},
    ),
    "sysmon_linux": ({"EventID": frozenset({"3"})},),
}
KINDS: Final = frozenset(_GATES)
FIELDS: Final = frozenset(
    (*_SOURCE, *_TARGET, *_NAME, *_SOURCE_PORT, *_TARGET_PORT, *_SESSION, *_SENT, *_CAME, *_BOTH, *_ONE_WAY, *_EITHER)
) | frozenset((*_ACTION, *requests.FIELDS, *(name for gates in _GATES.values() for gate in gates for name in gate)))

# A day or an hour in a file's name: logs that are turned over are one sensor's.
_TURNED: Final = re.compile(
    r"\d{4}[-_.]?\d\d[-_.]?\d\d(?:[-_.:T]?\d\d(?!\d))*|\d\d[:_.-]\d\d(?:[:_.-]\d\d)?|(?<=\.log)\.\d{1,4}\b|\.(?:gz|bz2|xz|zst)\b"
)
_SEPARATORS: Final = re.compile(r"[-_.:T]{2,}")


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Connections of one table; texts are (codes as int32, values), numbers int64, of bytes the least and the most."""

    kind: str
    sources: list[tuple[str, str]]
    columns: dict[str, bytes]
    texts: dict[str, list[str]]


_TEXTS: Final = ("client", "server", "name", "client_port", "server_port", "session", "sensor")
_NUMBERS: Final = (
    *("ts", "rec", "chunk", "sent_least", "sent_most", "came_least", "came_most"),
    *requests.NUMBERS,
)


# --------------------------------------------------------------------------------- in a worker


def frames(events: Events, around: Around) -> Iterator[bytes]:
    """The connections of a table at the time of an incident, to or from one of its addresses, names or machines."""
    rows = _rows(events, around)
    if not len(rows):
        return
    texts: dict[str, tuple[Codes, list[str]]] = {
        "client": _texts(_SOURCE, events, rows, address),
        "server": _texts(_TARGET, events, rows, address),
        # What a web server is asked for is its own name.
        "name": _texts(() if events.kind == "webserver" else _NAME, events, rows, _folded),
        "client_port": _texts(_SOURCE_PORT, events, rows, str),
        "server_port": _texts(_TARGET_PORT, events, rows, str),
        "session": _texts(_SESSION, events, rows, str),
        "sensor": _sensors(events, rows),
    }
    sources, source = np.unique(events.src[rows], return_inverse=True)
    numbers = {"ts": events.ts[rows], "rec": events.rec[rows], "chunk": events.chunk[rows], **_bytes(events, rows)}
    numbers |= requests.numbers(events, rows)
    frame = Frame(
        kind=events.kind,
        sources=[(events.sources[at].file, events.sources[at].path) for at in sources.tolist()],
        columns={
            "source": source.astype(np.int32).tobytes(),
            **{name: codes.tobytes() for name, (codes, _) in texts.items()},
            **{name: column.astype(np.int64).tobytes() for name, column in numbers.items()},
        },
        texts={name: values for name, (_, values) in texts.items()},
    )
    yield framed(msgspec.msgpack.encode(frame))


def _rows(events: Events, around: Around) -> Longs:
    rows = (connections(events) | requests.parts(events)) & around.times(events.ts)
    if not rows.any():
        return np.zeros(0, np.int64)
    tied = np.zeros(len(events), bool)
    for name in (*_SOURCE, *_TARGET):
        tied |= that(events, name, lambda text: address(text) in around.addresses)
    for name in () if events.kind == "webserver" else _NAME:
        tied |= that(events, name, lambda text: _folded(text) in around.domains)
    tied |= requests.asked_for(events, around.files)  # whoever asked: it tells what only an intruder gets
    kept: Longs = np.flatnonzero(rows & tied)
    return kept


def connections(events: Events) -> npt.NDArray[np.bool_]:
    """Which rows are connections that were not refused."""
    rows = np.zeros(len(events), bool)
    for gate in _GATES.get(events.kind, ()):
        here = np.ones(len(events), bool)
        for name, texts in gate.items():
            here &= that(events, name, lambda text, texts=texts: text.lower() in texts)
        rows |= here
    for name in _ACTION if rows.any() else ():
        rows &= ~that(events, name, lambda text: _REFUSED.search(text[:_LONGEST]) is not None)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Of each row who asked, who was asked, and by which sensor: codes and texts; and bytes as `_bytes` tells them."""

    client: tuple[Codes, list[str]]
    server: tuple[Codes, list[str]]
    sensor: tuple[Codes, list[str]]
    numbers: Mapping[str, Longs]


def ends(events: Events, rows: Longs) -> Ends:
    return Ends(
        client=_texts(_SOURCE, events, rows, address),
        server=_texts(_TARGET, events, rows, address),
        sensor=_sensors(events, rows),
        numbers=_bytes(events, rows),
    )


def _folded(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    return name if "." in name else ""


def _texts(names: Sequence[str], events: Events, rows: Longs, normal: Callable[[str], str]) -> tuple[Codes, list[str]]:
    """Of each row the first of these fields that says something, in normal form; 0 is none."""
    codes = np.zeros(len(rows), np.int32)
    values = {"": 0}
    for name in names:
        column = events.columns.get(name)
        if column is None or not (codes == 0).any():
            continue
        used, at = np.unique(column.codes[rows], return_inverse=True)
        texts = [normal((column.values[code] or "")[:_LONGEST].strip()) for code in used.tolist()]
        known = np.array([values.setdefault(text, len(values)) if text != "-" else 0 for text in texts], np.int32)
        codes = np.where(codes == 0, known[at], codes).astype(np.int32)
    return codes, list(values)


def _sensors(events: Events, rows: Longs) -> tuple[Codes, list[str]]:
    """Who counted: the device that a record names, else the file without the day it was turned over on."""
    log, host = events.columns.get("_path" if events.kind == "zeek" else "log"), events.hosts()
    of_file = [_SEPARATORS.sub("-", _TURNED.sub("", source.path)) for source in events.sources]
    values: dict[str, int] = {}
    keys = zip(
        events.src[rows].tolist(),
        (log.codes[rows] if log else np.zeros(len(rows), np.int32)).tolist(),
        (host.codes[rows] if host else np.zeros(len(rows), np.int32)).tolist(),
        strict=True,
    )
    known: dict[tuple[int, int, int], int] = {}
    codes = []
    for key in keys:
        if key not in known:
            device = (host.values[key[2]] if host else "") or of_file[key[0]]
            name = " ".join(part for part in (events.kind, (log.values[key[1]] if log else "") or "", device) if part)
            known[key] = values.setdefault(name, len(values))
        codes.append(known[key])
    return np.array(codes, np.int32), list(values)


def _bytes(events: Events, rows: Longs) -> dict[str, Longs]:
    """The least and the most that went each way; a most of `UNKNOWN` where nobody counted."""
    sent, came = _counted(_SENT, events, rows), _counted(_CAME, events, rows)
    both, one_way, either = (_counted(names, events, rows) for names in (_BOTH, _ONE_WAY, _EITHER))
    answer: dict[str, Longs] = {}
    for name, (least, most) in (("sent", sent), ("came", came)):
        silent = most == UNKNOWN
        for other in (either, both):  # a sum bounds each of its parts from above only
            most = np.where(silent & (other[1] != UNKNOWN), other[1], most)
            if other is either:
                least = np.where(silent & (other[1] != UNKNOWN), other[0], least)
                silent = most == UNKNOWN
        counted = silent & (one_way[1] != UNKNOWN)
        most = np.where(counted, one_way[1] if name == "sent" else 0, most)
        least = np.where(counted, one_way[0] if name == "sent" else 0, least)
        answer |= {f"{name}_least": np.where(most == UNKNOWN, 0, least), f"{name}_most": most}
    return answer


def _counted(names: Sequence[str], events: Events, rows: Longs) -> tuple[Longs, Longs]:
    """Two counts of one thing may differ: a gap in what was seen makes Zeek take sequence numbers for bytes."""
    least, most = np.zeros(len(rows), np.int64), np.full(len(rows), UNKNOWN, np.int64)
    for name in names:
        column = events.columns.get(name)
        if column is not None:
            used, at = np.unique(column.codes[rows], return_inverse=True)
            number = np.array([_number(column.values[code]) for code in used.tolist()], np.int64)[at]
            said = number != UNKNOWN
            least = np.where(said, np.where(most == UNKNOWN, number, np.minimum(least, number)), least)
            most = np.where(said, np.maximum(most, number), most)
    return least, most


def _number(text: str | None) -> int:
    text = (text or "").strip()[:40].partition(".")[0]
    return min(int(text), _MOST_BYTES) if text.isascii() and text.isdigit() else UNKNOWN


# --------------------------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Connections in order of time and place; texts are codes into `texts`, which are in order; sources likewise.

    `beyond` counts those that were more than could be held.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    texts: Sequence[str]
    sources: Sequence[tuple[str, str, str]]
    beyond: int = 0

    def __len__(self) -> int:
        return len(self.columns["ts"])

    def codes(self, texts: Iterable[str]) -> Codes:
        """Of those texts that are there at all."""
        found = ((text, bisect_left(self.texts, text)) for text in sorted(texts) if text)
        return np.array([at for text, at in found if at < len(self.texts) and self.texts[at] == text], np.int32)


@dataclass(slots=True)
class _Gathering:
    texts: dict[str, int] = field(default_factory=lambda: {"": 0})
    sources: dict[tuple[str, str, str], int] = field(default_factory=dict)
    parts: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        part: dict[str, npt.NDArray[Any]] = {name: np.frombuffer(frame.columns[name], np.int64) for name in _NUMBERS}
        for name in _TEXTS:
            of = np.array([self.texts.setdefault(text, len(self.texts)) for text in frame.texts[name]], np.int32)
            part[name] = of[np.frombuffer(frame.columns[name], np.int32)]
        of = np.array(
            [self.sources.setdefault((frame.kind, *one), len(self.sources)) for one in frame.sources], np.int32
        )
        part["source"] = of[np.frombuffer(frame.columns["source"], np.int32)]
        self.parts.append(part)


def read(paths: Iterable[Path], most: int = MOST) -> Flows:
    gathering, count, beyond = _Gathering(), 0, 0
    decode = msgspec.msgpack.Decoder(Frame).decode
    for path in sorted(paths):
        for frame in map(decode, messages(path)):
            size = len(frame.columns["ts"]) // 8
            if count + size > most:
                beyond += size
                continue
            count += size
            gathering.add(frame)
    return _sorted(gathering, beyond)


def _sorted(gathering: _Gathering, beyond: int) -> Flows:
    """Texts and sources are numbered in their own order, so that the order of files changes nothing."""
    texts = sorted(gathering.texts)
    sources = sorted(gathering.sources)
    rank = np.empty(len(texts), np.int32)
    rank[[gathering.texts[text] for text in texts]] = np.arange(len(texts))
    place = np.empty(len(sources), np.int32)
    place[[gathering.sources[one] for one in sources]] = np.arange(len(sources))
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in (*_NUMBERS, *_TEXTS, "source"):
        form = np.int64 if name in _NUMBERS else np.int32
        whole = np.concatenate([np.zeros(0, form), *(part[name] for part in gathering.parts)])
        columns[name] = rank[whole] if name in _TEXTS else place[whole] if name == "source" else whole
    order = np.lexsort((columns["rec"], columns["chunk"], columns["source"], columns["ts"]))
    return Flows(
        columns={name: column[order] for name, column in columns.items()}, texts=texts, sources=sources, beyond=beyond
    )
