"""Events in, compact frames of what they can be joined by on disk out.

Workers keep each record that a rule matched, and those that show how one thing led to another: starts of processes,
logons, contacts between machines, and from where accounts of a cloud were used.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.border.frames import framed, messages
from tocsin.investigate.nearest import grouped
from tocsin.investigate.normal import address, is_public, machine_account, passing_port
from tocsin.investigate.roles import ACTS, SHAPES, Name, Role, Shape
from tocsin.model.event import Codes, Column, Events, Longs
from tocsin.model.kind import KINDS

_SAME_CONTACT_US: Final = 300_000_000  # the same machines within five minutes are one contact: joining asks no finer
_SAME_USE_US: Final = 3_600_000_000  # one account from one address is at one doing for an hour
_CONTACTS: Final = 16  # of these, so that the other side's records of the same connections can be found
_SERVICES: Final = frozenset({"5", "0"})  # of the types of logons: services, and the system's own at its start
_PEERS: Final[tuple[Role, ...]] = ("peer", "peer_address", "machine")
USES: Final[tuple[Role, ...]] = ("principal", "address", "application")
_PORTS: Final[Mapping[str, Role]] = {"own": "own_port", "peer": "peer_port"}
_ADDRESSES: Final[Mapping[str, Role]] = {"own": "own_address", "peer": "peer_address"}
_LONGEST: Final = 400  # of a text that is only shown; names that join are shorter

_Rows = npt.NDArray[np.bool_]


class Texts(msgspec.Struct, frozen=True, array_like=True):
    """For each row an index into the values, int32; 0 is none."""

    codes: bytes
    values: list[str]


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one shape; `sources` are (file, path), other columns int64."""

    kind: str
    act: int
    inward: bool
    found: bool
    sources: list[tuple[str, str]]
    source: bytes  # int32
    ts: bytes
    rec: bytes
    chunk: bytes
    host: Texts
    roles: dict[Role, Texts]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def to_bytes(frame: Frame) -> bytes:
    return framed(_encode(frame))


def frames(events: Events, found: Longs, among: Longs | None = None) -> Iterator[bytes]:
    """What of one table is kept: the rows that were found, and those of `among` (all, if None) that show a way."""
    rest = np.zeros(len(events), bool)
    rest[slice(None) if among is None else among] = True
    is_found = np.zeros(len(events), bool)
    is_found[found] = True
    rest |= is_found
    for shape in SHAPES.get(events.kind, (Shape(roles={}),)):
        here = rest & _holds(shape, events)
        rest &= ~here
        for flag, rows in ((True, here & is_found), (False, here & ~is_found)):
            if (flag or shape.act) and rows.any():
                frame = _frame(shape, events, np.flatnonzero(rows), found=flag)
                if frame is not None:
                    yield to_bytes(frame)


def _holds(shape: Shape, events: Events) -> _Rows:
    rows = np.ones(len(events), bool)
    for name, texts in shape.gate.items():
        column = events.columns.get(name)
        if column is None:
            return np.zeros(len(events), bool)
        fits = np.array([value is not None and value.lower() in texts for value in column.values], bool)
        rows &= fits[column.codes]
    return rows


def _frame(shape: Shape, events: Events, rows: Longs, *, found: bool) -> Frame | None:
    if not found:
        rows = _telling(shape, events, rows)
        if not len(rows):
            return None
    sources, source = np.unique(events.src[rows], return_inverse=True)
    return Frame(
        kind=events.kind,
        act=ACTS.index(shape.act),
        inward=shape.inward,
        found=found,
        sources=[(events.sources[at].file, events.sources[at].path) for at in sources.tolist()],
        source=source.astype(np.int32).tobytes(),
        ts=events.ts[rows].tobytes(),
        rec=events.rec[rows].tobytes(),
        chunk=events.chunk[rows].tobytes(),
        host=_texts(_host(events.kind), events, rows),
        roles={
            role: texts for role, names in shape.roles.items() if len((texts := _texts(names, events, rows)).values) > 1
        },
    )


def _host(kind: str) -> tuple[Name, ...]:
    known = KINDS.get(kind)
    return (known.host,) if known and known.host else ()


def _telling(shape: Shape, events: Events, rows: Longs) -> Longs:
    """Of records that no rule matched, those that say something new: a contact is kept once in a while."""
    if shape.act == "start":
        return rows
    if shape.act in {"logon", "logoff"}:
        # The system starts services all day, in sessions of its own.
        kept: Longs = rows[~_that(_texts(shape.roles.get("how", ()), events, rows), _SERVICES.__contains__)]
        return kept
    if shape.act == "use":
        return _uses(shape, events, rows)
    named, addressed, account = (_texts(shape.roles.get(role, ()), events, rows) for role in _PEERS)
    inside = (_that(named, bool) | _that(account, _is_machine) | _that(addressed, _is_inside)) & ~_that(
        addressed, _is_outside
    )
    columns: list[npt.NDArray[np.integer]] = [events.ts[rows] // _SAME_CONTACT_US]
    columns += [
        codes_of(texts.codes) for texts in (named, addressed, account, _texts(_host(events.kind), events, rows))
    ]
    if not inside.any():
        return np.zeros(0, np.int64)
    place = grouped([column[inside] for column in columns])
    lot = _lot(shape, events, rows)[inside]
    order = np.lexsort((rows[inside], lot, place))
    begins = np.flatnonzero(np.diff(place[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    firsts: Longs = rows[inside][np.sort(order[rank < _CONTACTS])]
    return firsts


def _uses(shape: Shape, events: Events, rows: Longs) -> Longs:
    """The first of each hour in which an account was used from an address outside, by an application if one is told."""
    who, whence, what = (_texts(shape.roles.get(role, ()), events, rows) for role in USES)
    told = np.flatnonzero(_that(who, bool) & _that(whence, _is_outside))
    if not len(told):
        return told
    numbers: dict[str, int] = {}  # a client comes by another port each time
    same = np.array([numbers.setdefault(address(text), len(numbers)) for text in whence.values])
    columns: list[npt.NDArray[np.integer]] = [codes_of(texts.codes)[told] for texts in (who, what)]
    columns.append(same[codes_of(whence.codes)[told]])
    _, firsts = np.unique(grouped([events.ts[rows[told]] // _SAME_USE_US, *columns]), return_index=True)
    return rows[told[np.sort(firsts)]]


def _lot(shape: Shape, events: Events, rows: Longs) -> Longs:
    """A number drawn from the client's end of a connection, so that both sides of it keep the same ones."""
    lots = np.zeros(len(rows), np.int64)
    for side in ("own", "peer"):
        ports = _texts(shape.roles.get(_PORTS[side], ()), events, rows)
        addresses = _texts(shape.roles.get(_ADDRESSES[side], ()), events, rows)
        lot = np.array([zlib.crc32(port.encode()) if port else 0 for port in map(passing_port, ports.values)])
        ends = np.array([zlib.crc32(address(text).encode()) for text in addresses.values])
        mine = lot[codes_of(ports.codes)]
        lots = np.maximum(lots, np.where(mine > 0, mine ^ ends[codes_of(addresses.codes)], 0))
    return lots


def _that(texts: Texts, fits: Callable[[str], bool]) -> _Rows:
    """The rows whose text is such a one."""
    return np.array([fits(text) for text in texts.values], np.bool_)[codes_of(texts.codes)]


def _is_outside(text: str) -> bool:
    return bool(text) and is_public(address(text))


def _is_machine(text: str) -> bool:
    return bool(machine_account(text))


def _is_inside(text: str) -> bool:
    known = address(text)
    return bool(known) and not is_public(known)


def _texts(names: Sequence[Name], events: Events, rows: Longs) -> Texts:
    """Of each row the text of the first of these names that has one."""
    codes = np.zeros(len(rows), np.int32)
    values = [""]
    for name in names:
        left = codes == 0
        if not left.any():
            break
        got, texts = _single(name, events, rows) if isinstance(name, str) else _pair(name, events, rows)
        codes[left] = np.where(got > 0, got + len(values) - 1, 0)[left]
        values += texts[1:]
    used, at = np.unique(codes, return_inverse=True)
    kept = [values[code] for code in used.tolist()]
    if kept[0]:
        kept, at = ["", *kept], at + 1
    return Texts(at.astype(np.int32).tobytes(), kept)


def _single(name: str, events: Events, rows: Longs) -> tuple[Codes, list[str]]:
    column: Column | None = events.columns.get(name)
    if column is None:
        return np.zeros(len(rows), np.int32), [""]
    used, at = np.unique(column.codes[rows], return_inverse=True)
    texts = [(column.values[code] or "")[:_LONGEST].strip() for code in used.tolist()]
    says = np.array([text not in {"", "-"} for text in texts], bool)
    place = np.where(says, np.cumsum(says), 0).astype(np.int32)
    return place[at], ["", *(text for text, kept in zip(texts, says.tolist(), strict=True) if kept)]


def _pair(names: tuple[str, str], events: Events, rows: Longs) -> tuple[Codes, list[str]]:
    before, domains = _single(names[0], events, rows)
    after, users = _single(names[1], events, rows)
    key = before.astype(np.int64) * len(users) + after
    used, at = np.unique(np.where(after > 0, key, 0), return_inverse=True)
    texts = [f"{domains[one // len(users)]}\\{users[one % len(users)]}" for one in used.tolist()]
    if used[0] == 0:
        return at.astype(np.int32), ["", *texts[1:]]
    return (at + 1).astype(np.int32), ["", *texts]


def frames_in(paths: Iterable[Path], *, found: bool) -> Iterator[Frame]:
    for path in paths:
        for message in messages(path):
            frame = _decode(message)
            if frame.found == found:
                yield frame


def codes_of(content: bytes) -> Codes:
    return np.frombuffer(content, np.int32)
