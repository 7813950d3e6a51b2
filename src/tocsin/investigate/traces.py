"""Events in, compact frames of what they can be joined by on disk out; and frames in, Traces out.

Workers keep each record that a rule matched, and those that show how one thing led to another: starts of processes,
logons, contacts between machines, and from where accounts of a cloud were used. A frame is a length and a message; what
a worker that died left half written is not read.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.investigate.nearest import grouped
from tocsin.investigate.normal import NORMAL, address, is_public, machine_account, passing_port
from tocsin.investigate.roles import ACTS, ROLES, SHAPES, Act, Name, Role, Shape
from tocsin.model.event import Codes, Column, Events, Longs
from tocsin.model.kind import KINDS

MOST_AROUND: Final = 5_000_000  # records that no rule matched which are held in memory; each takes some 150 bytes

_LENGTH: Final = 8  # bytes before each frame
_SAME_CONTACT_US: Final = 300_000_000  # the same machines within five minutes are one contact: joining asks no finer
_SAME_USE_US: Final = 3_600_000_000  # one account from one address is at one doing for an hour
_CONTACTS: Final = 16  # of these, so that the other side's records of the same connections can be found
_SERVICES: Final = frozenset({"5", "0"})  # of the types of logons: services, and the system's own at its start
_PEERS: Final[tuple[Role, ...]] = ("peer", "peer_address", "machine")
_USES: Final[tuple[Role, ...]] = ("principal", "address", "application")
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
    content = _encode(frame)
    return len(content).to_bytes(_LENGTH, "big") + content


# --------------------------------------------------------------------------------- in a worker


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
    columns += [_codes(texts.codes) for texts in (named, addressed, account, _texts(_host(events.kind), events, rows))]
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
    who, whence, what = (_texts(shape.roles.get(role, ()), events, rows) for role in _USES)
    told = np.flatnonzero(_that(who, bool) & _that(whence, _is_outside))
    if not len(told):
        return told
    numbers: dict[str, int] = {}  # a client comes by another port each time
    same = np.array([numbers.setdefault(address(text), len(numbers)) for text in whence.values])
    columns: list[npt.NDArray[np.integer]] = [_codes(texts.codes)[told] for texts in (who, what)]
    columns.append(same[_codes(whence.codes)[told]])
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
        mine = lot[_codes(ports.codes)]
        lots = np.maximum(lots, np.where(mine > 0, mine ^ ends[_codes(addresses.codes)], 0))
    return lots


def _that(texts: Texts, fits: Callable[[str], bool]) -> _Rows:
    """The rows whose text is such a one."""
    return np.array([fits(text) for text in texts.values], np.bool_)[_codes(texts.codes)]


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


# --------------------------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Records by what they can be joined by, in order of time, then of place.

    Args:
        ts: UTC microseconds, `NO_TIME` where the record has none.
        host: index into `texts`, 0 for none; so are the columns of `roles`.
        found: whether a rule matched it.
        act: index into `ACTS`.
        source: index into `sources`, which are (kind, file, path).
        shown: each text as the first log in order writes it.
        left_out: how many records that no rule matched were more than are read.
    """

    ts: Longs
    host: Codes
    found: _Rows
    act: Codes
    inward: _Rows
    source: Codes
    rec: Longs
    chunk: Longs
    roles: Mapping[Role, Codes]
    texts: Sequence[str]
    shown: Sequence[str]
    sources: Sequence[tuple[str, str, str]]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.ts)

    def role(self, name: Role) -> Codes:
        known = self.roles.get(name)
        return np.zeros(len(self), np.int32) if known is None else known

    def that(self, codes: Codes, fits: Callable[[str], bool]) -> _Rows:
        """Which of these texts are such ones."""
        used, at = np.unique(codes, return_inverse=True)
        return np.array([fits(self.texts[code]) for code in used.tolist()], np.bool_)[at]

    def acts(self, *names: Act) -> _Rows:
        return np.isin(self.act, [ACTS.index(name) for name in names])


@dataclass(slots=True)
class Gathering:
    """Rows as they come in, whose texts are in one vocabulary."""

    codes: dict[str, int] = field(default_factory=lambda: {"": 0})
    shown: list[str] = field(default_factory=lambda: [""])
    sources: dict[tuple[str, str, str], int] = field(default_factory=dict)
    parts: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    nobodys: set[int] = field(default_factory=set)  # SIDs of what is no account: machines and the system

    def code(self, role: Role | None, text: str) -> int:
        name = (NORMAL[role](text) if role else text.strip().lower().rstrip(".")) if text else ""
        if not name:
            return 0
        code = self.codes.setdefault(name, len(self.shown))
        if code == len(self.shown):
            self.shown.append(text)
        elif text < self.shown[code]:
            self.shown[code] = text
        return code

    def coded(self, role: Role | None, texts: Texts) -> Codes:
        return np.array([self.code(role, text) for text in texts.values], np.int32)[_codes(texts.codes)]

    def add(self, frame: Frame) -> None:
        at = _codes(frame.source)
        of = [self.sources.setdefault((frame.kind, *one), len(self.sources)) for one in frame.sources]
        self.parts.append(
            {
                "ts": np.frombuffer(frame.ts, np.int64),
                "rec": np.frombuffer(frame.rec, np.int64),
                "chunk": np.frombuffer(frame.chunk, np.int64),
                "source": np.array(of, np.int32)[at],
                "host": self.coded(None, frame.host),
                "found": np.full(len(at), frame.found),
                "act": np.full(len(at), frame.act, np.int32),
                "inward": np.full(len(at), frame.inward),
                **{role: self.coded(role, texts) for role, texts in frame.roles.items()},
            }
        )
        if {"account", "sid"} <= frame.roles.keys():
            nameless = (_codes(frame.roles["account"].codes) > 0) & (self.parts[-1]["account"] == 0)
            self.nobodys.update(self.parts[-1]["sid"][nameless].tolist())


def read(paths: Iterable[Path], most: int = MOST_AROUND) -> Traces:
    """Read the frames of all tasks: all that was found, and up to so many other records.

    Of machines where nothing was found only contacts are kept, which tell how many others a machine deals with.
    """
    order = sorted(paths)
    gathering = Gathering()
    for frame in _frames(order, found=True):
        gathering.add(frame)
    here = {gathering.shown[code].lower() for part in gathering.parts for code in np.unique(part["host"]).tolist()}
    count = left_out = 0
    for frame in _frames(order, found=False):
        if ACTS[frame.act] == "start" and not here.intersection(text.lower() for text in frame.host.values):
            continue
        size = len(frame.ts) // 8
        if count + size > most:
            left_out += size
            continue
        count += size
        gathering.add(frame)
    return sorted_(gathering, left_out)


def _frames(paths: Iterable[Path], *, found: bool) -> Iterator[Frame]:
    for path in paths:
        with path.open("rb") as file:
            while len(length := file.read(_LENGTH)) == _LENGTH:
                content = file.read(size := int.from_bytes(length, "big"))
                if len(content) < size:
                    break
                frame = _decode(content)
                if frame.found == found:
                    yield frame


def _codes(content: bytes) -> Codes:
    return np.frombuffer(content, np.int32)


def sorted_(gathering: Gathering, left_out: int = 0) -> Traces:
    parts = gathering.parts
    sizes = [len(part["ts"]) for part in parts]

    def column(name: str, form: type[np.generic]) -> npt.NDArray[Any]:
        none = np.zeros(0, form)
        return np.concatenate(
            [
                none,
                *(
                    part[name] if name in part else np.zeros(size, form)
                    for part, size in zip(parts, sizes, strict=True)
                ),
            ]
        )

    names = list(gathering.sources)
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=lambda at: names[at][::-1])] = np.arange(len(names))
    source = column("source", np.int32)
    ts, chunk, rec = (column(name, np.int64) for name in ("ts", "chunk", "rec"))
    order = np.lexsort((rec, chunk, rank[source] if names else source, ts))
    roles = {role: column(role, np.int32)[order] for role in ROLES if any(role in part for part in parts)}
    if "sid" in roles and gathering.nobodys:
        roles["sid"] = np.where(np.isin(roles["sid"], list(gathering.nobodys)), 0, roles["sid"])
    return Traces(
        ts=ts[order],
        host=column("host", np.int32)[order],
        found=column("found", np.bool_)[order],
        act=column("act", np.int32)[order],
        inward=column("inward", np.bool_)[order],
        source=source[order],
        rec=rec[order],
        chunk=chunk[order],
        roles=roles,
        texts=list(gathering.codes),
        shown=gathering.shown,
        sources=names,
        left_out=left_out,
    )
