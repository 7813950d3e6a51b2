"""Logs in the W3C extended format in, blocks with their directives and columns out: what its readers share.

W3C working draft WD-logfile-960323: lines that begin with `#` are directives, and the last `#Fields` says what the
fields of the lines below it are. Servers repeat their directives whenever they start, so they can change in mid-file.
Times are in UTC there, but for fields that say that they are local. `-` is no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.lines import Joined, Lines, Mask, Parsed, Spans
from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME

TOO_FEW: Final = "fewer fields than #Fields names"
TOO_MANY: Final = "more fields than #Fields names; those past the last are in `extra`"
NO_FIELDS: Final = "no #Fields stands above the line"

_DIRECTIVE: Final = re.compile(rb"#([A-Za-z\-]{1,20}):?[ \t]*([^\r\n]{0,16384})")
_KEPT: Final = (b"Software", b"Log-type", b"Date", b"Fields")  # what tells how to read the lines below
_DATED: Final = (b"date", b"timestamp", b"x-timestamp", b"gmttime", b"localtime")
_TOO_OFTEN: Final = "line of a log whose directives change too often"
_MOST_CHANGES: Final = 100  # in a block: each costs as much as a thousand lines
_MOST_COLUMNS: Final = 400
_STEP: Final = 4 << 20
_MOST_RANGES: Final = 8
_LONGEST_DIRECTIVE: Final = 32 << 10
# A quoted text, a time in brackets, or any other text.
_CELL: Final = r'"((?:[^"]|"")*+)"(?={sep}|\Z)|\[\d\d/[A-Z][a-z]{{2}}/\d{{4}}:[^\]]{{8,20}}\](?={sep}|\Z)|[^{sep}]*+'
_CELLS: Final = {sep: re.compile(_CELL.format(sep=sep)) for sep in " \t,;"}
# Exchange writes the names of the columns above all directives, too.
_ONLY_NAMES: Final = re.compile(r"\ufeff?[A-Za-z][\w()-]{1,63}(?:,[A-Za-z][\w() -]{1,63}){2,400}", re.ASCII)
_EPOCH: Final = re.compile(r"\d{10}(?:\.\d{1,6})?")

Values: TypeAlias = Mapping[str, str]  # by the native name in lower case; only those that are there


Join: TypeAlias = Callable[[Lines, Mapping[str, Spans], Mask], Joined]


class Derived(NamedTuple):
    """A field that is made of others, which have these names in lower case; None where it cannot be.

    `join` does so for all lines at once, and takes those that it cannot vouch for out of the mask.
    """

    sources: tuple[str, ...]
    make: Callable[[Values], str | Sequence[str] | None]
    join: Join | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Dialect:
    """What one sort of server makes of the format.

    Args:
        names: native name in lower case -> what the field is called; the first that a name has is its own.
        derived: fields besides, where the log has none that is so called.
        empty: fields besides -> the columns that may tell them, and those that tell whether a `-` there is an empty
            text: where one of the texts stands. Of each the first that the log has.
        constant: fields that every record has.
        plain: whether quotes are letters like others.
        separator: what stands between fields; '' where it is a blank or a tab, whichever fits.
        nothing: how no value is written.
        times: columns in lower case that tell the whole time, the best first.
        spelled: whether the first name of a column is the one that the log spells.
        told: reads a time that is not in a form of ISO 8601, and says what it assumed.
        local: whether times are in the machine's zone, not in UTC.
    """

    names: Mapping[str, tuple[str, ...]]
    derived: Mapping[str, Derived] = field(default_factory=dict)
    empty: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    constant: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False
    separator: str = ""
    nothing: str = "-"
    times: tuple[str, ...] = ()
    spelled: bool = False
    told: Callable[[str], tuple[int, str]] | None = None
    local: bool = False


class Header(NamedTuple):
    """What the directives above a line say."""

    software: str
    log: str  # of those of one software
    date: str  # of lines that have only a time
    columns: tuple[str, ...]


class Layout(NamedTuple):
    """How the lines below one header are read.

    Args:
        width: how many fields a line has.
        fields: names of each column; none for those that tell the time.
        derived: name -> number of the first and the last column that tell it, and who they are.
        empty: name -> number of its column, and of the one that tells whether it is empty (-1 for none), and the texts.
        when: numbers of the columns of the date and of the time; of one column that has both; -1 for none.
    """

    width: int
    fields: tuple[tuple[str, ...], ...]
    derived: Mapping[str, tuple[int, int, Mapping[int, str], Derived]]
    empty: Mapping[str, tuple[int, int, tuple[str, ...]]]
    when: tuple[int, int]
    date: str
    is_local: bool


@lru_cache(maxsize=64)
def header_of(head: bytes) -> Header:
    """What a block's head says; the last directive of a name counts."""
    found = {name.lower(): text.decode("utf-8", "replace").strip() for name, text in _DIRECTIVE.findall(head)}
    names = found.get(b"fields", "")
    separator = next((letter for letter in "\t,;" if letter in names), None)
    texts = [name.strip().strip('"') for name in names.split(separator)]
    columns = tuple(name for name in texts if name or separator == ",")[:_MOST_COLUMNS]
    return Header(found.get(b"software", ""), found.get(b"log-type", ""), found.get(b"date", "")[:10], columns)


def header_in(head: bytes) -> Header | None:
    """The first header in the beginning of a file; lines above it have lost theirs."""
    kept = b""
    for at in _directives(head, 0) if b"#fields:" in head.lower() else ():
        line = head[at : head.find(b"\n", at) + 1 or None]
        kept += line if line.endswith(b"\n") else line + b"\n"
        if line[:8].lower() == b"#fields:":
            header = header_of(kept)
            return header if len(header.columns) > 1 else None
    return None


def ranges(size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """Few: the reader of each looks back for the directives above it, which may be far."""
    return documents.line_ranges(size, max(unit_bytes, -(-size // _MOST_RANGES)))


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    """Blocks of lines that have the same directives above them, which are the head."""
    kept = _above(file, start) if start else {}
    head = _head(kept)
    for block in documents.cut_line_range(file, start, stop, block_bytes):
        data, begin, changes = block.data, 0, 0
        damaged = block.damaged
        for at in _directives(data, block.offset):
            found = _DIRECTIVE.match(data, at)
            name = found[1].capitalize() if found else b""
            if found is None or name not in _KEPT:
                continue
            kept[name] = found[2].rstrip()
            if (changed := _head(kept)) == head:
                continue
            if begin < at and changes <= _MOST_CHANGES:
                yield Block(data=data[begin:at], offset=block.offset + begin, head=head)
            elif begin < at:
                damaged[_TOO_OFTEN] += data.count(b"\n", begin, at)
            begin, head, changes = at, changed, changes + 1
        yield Block(data=data[begin:], offset=block.offset + begin, head=head, damaged=damaged)


def _head(kept: Mapping[bytes, bytes]) -> bytes:
    """The directives that tell how to read the lines below; a date only where these have none themselves."""
    names = kept.get(b"Fields", b"").lower().replace(b",", b" ").split()
    dated = any(name.startswith(_DATED) for name in names)
    wanted = [name for name in _KEPT if name in kept and not (dated and name == b"Date")]
    return b"".join(b"#%b: %b\n" % (name, kept[name]) for name in wanted)


def _directives(data: bytes, offset: int) -> Iterator[int]:
    """Where lines begin with `#`."""
    first = 3 if not offset and data.startswith(b"\xef\xbb\xbf") else 0
    if data.startswith(b"#", first):
        yield first
    at = data.find(b"\n#")
    while at >= 0:
        yield at + 1
        at = data.find(b"\n#", at + 1)


def _above(file: BinaryIO, start: int) -> dict[bytes, bytes]:
    """The directives that hold at `start`: the nearest of each name that begins above it, near the fields at least."""
    kept: dict[bytes, bytes] = {}
    stop, enough = start, 0
    while stop > enough and len(kept) < len(_KEPT):
        begin = max(stop - _STEP, 0)
        file.seek(begin)
        data = file.read(stop - begin + _LONGEST_DIRECTIVE)
        at = data.rfind(b"\n#", 0, stop - begin + (stop < start))  # a newline may have ended the piece above
        while at >= 0 and begin + at >= enough:
            _keep(kept, data, at + 1)
            if b"Fields" in kept and not enough:
                enough = max(begin + at - _LONGEST_DIRECTIVE, 0)
            at = data.rfind(b"\n#", 0, at + 1)
        if not begin:
            _keep(kept, data, 3 if data.startswith(b"\xef\xbb\xbf") else 0)
        stop = begin
    return kept


def _keep(kept: dict[bytes, bytes], data: bytes, at: int) -> None:
    found = _DIRECTIVE.match(data, at)
    name = found[1].capitalize() if found else b""
    if found and name in _KEPT:
        kept.setdefault(name, found[2].rstrip())


@lru_cache(maxsize=64)
def layout_of(dialect: Dialect, head: bytes) -> Layout | None:
    """How to read what stands below a head; None where it names no fields."""
    header = header_of(head)
    lower = [name.lower() for name in header.columns]
    when, is_local = _when(lower, dialect.times)
    is_local |= dialect.local
    names: list[tuple[str, ...]] = []
    taken: set[str] = set(dialect.constant)
    own = [dialect.names.get(low, (_named(name),)) for low, name in zip(lower, header.columns, strict=True)]
    if dialect.spelled:
        own = [(name, *some[1:]) for name, some in zip(header.columns, own, strict=True)]
    firsts = {some[0] for some in own}
    for at, some in enumerate(own):
        if at in when:
            names.append(())
            continue
        first, *more = some
        while first in taken:
            first += "_"
        also = [name for name in more if name not in firsts and name not in taken and name != first]
        taken.update((first, *also))
        names.append((first, *also))
    derived = {}
    places = {low: at for at, low in reversed(list(enumerate(lower)))}
    for name, one in dialect.derived.items():
        found = {places[source]: source for source in one.sources if source in places}
        if name not in taken and found:
            derived[name] = (min(found), max(found), found, one)
    empty = {}
    for name, (sources, others, texts) in dialect.empty.items():
        source = next((places[each] for each in sources if each in places), None)
        if name not in taken and source is not None:
            empty[name] = (source, next((places[each] for each in others if each in places), -1), texts)
    return Layout(len(lower), tuple(names), derived, empty, when, header.date, is_local) if lower else None


def _named(name: str) -> str:
    """`cs(Header-Name)` is called as Sigma calls such fields, others as they are."""
    found = re.fullmatch(r"(cs|sc|rs|sr)\(([^()]+)\)", name, re.IGNORECASE)
    return f"{found[1]}-{found[2]}".lower() if found else name


def _when(lower: Sequence[str], times: Sequence[str]) -> tuple[tuple[int, int], bool]:
    for both in times:
        if both in lower:
            return (lower.index(both), lower.index(both)), False
    for date, time, is_local in (
        ("date", "time", False),
        ("date-utc", "time-utc", False),
        ("date-local", "time-local", True),
    ):
        if date in lower and time in lower:
            return (lower.index(date), lower.index(time)), is_local
    for both in ("gmttime", "localtime", "timestamp", "x-timestamp", "x-timestamp-unix", "datetime", "date-time"):
        if both in lower:
            return (lower.index(both), lower.index(both)), False
    return ((-1, lower.index("time")) if "time" in lower else (-1, -1)), False


def cells_of(text: str, separator: str, *, plain: bool) -> list[str]:
    """The fields of a line, without their quotes; a quote that does not end where a field does is a letter."""
    if plain or not ('"' in text or "[" in text):
        return text.split(separator)
    cells, at = list[str](), 0
    while at <= len(text):
        found = _CELLS[separator].match(text, at)
        assert found is not None  # it matches nothing as well
        cells.append(found[0] if found[1] is None else found[1].replace('""', '"'))
        at = found.end() + 1
    return cells


def separator_of(dialect: Dialect, text: str, width: int) -> str:
    """A tab where tabs make as many fields as the header names."""
    if dialect.separator:
        return dialect.separator
    cells = cells_of(text, "\t", plain=dialect.plain) if "\t" in text else []
    return "\t" if len(cells) == width + (len(cells) > width and not cells[-1]) else " "


def parse(dialect: Dialect, text: str, head: bytes, clock: Clock) -> Parsed | str | None:
    """One line by itself."""
    text = text.strip("\0")  # a server makes room in its file before it writes
    if text.startswith("#") or not text.strip():
        return None
    layout = layout_of(dialect, head)
    if layout is None:
        return None if dialect.separator and _ONLY_NAMES.fullmatch(text) else NO_FIELDS
    cells = cells_of(text, separator_of(dialect, text, layout.width), plain=dialect.plain)
    if len(cells) == layout.width + 1 and not cells[-1]:
        del cells[-1]
    if len(cells) < layout.width:
        return TOO_FEW
    if tuple(cells) == header_of(head).columns:
        return None
    ts, mended = _ts(cells, layout, clock), ZONE_ASSUMED if layout.is_local else ""
    if ts == NO_TIME and dialect.told and layout.when[1] >= 0:
        ts, mended = dialect.told(cells[layout.when[1]])
    values = _fields(dialect, layout, cells)
    if ts == NO_TIME:
        values |= {header_of(head).columns[at]: cells[at] for at in layout.when if at >= 0}
    if len(cells) > layout.width:
        values["extra"], mended = " ".join(cells[layout.width :]), TOO_MANY
    return Parsed(ts, values, mended)


def _fields(dialect: Dialect, layout: Layout, cells: Sequence[str]) -> dict[str, str | tuple[str, ...] | None]:
    values: dict[str, str | tuple[str, ...] | None] = dict(dialect.constant)
    for at, names in enumerate(layout.fields):
        if cells[at] != dialect.nothing:
            values.update(dict.fromkeys(names, cells[at]))
    for name, (_, _, sources, derived) in layout.derived.items():
        made = derived.make({source: cells[at] for at, source in sources.items() if cells[at] != dialect.nothing})
        if made is not None:
            values[name] = made if isinstance(made, str) else tuple(made)
    for name, (at, other, texts) in layout.empty.items():
        if cells[at] != "-" or (other >= 0 and cells[other] in texts):
            values[name] = "" if cells[at] == "-" else cells[at]
    return values


def _ts(cells: Sequence[str], layout: Layout, clock: Clock) -> int:
    date, time = layout.when
    if time < 0:
        return NO_TIME
    if date == time:
        text = cells[time]
        if _EPOCH.fullmatch(text):
            whole, _, part = text.partition(".")
            return int(whole) * 1_000_000 + int((part + "000000")[:6])
        if text.startswith("["):
            return _bracketed(text, clock)
        return clock.local_of(text) if layout.is_local else int(microseconds([text])[0])
    day = layout.date if date < 0 else cells[date]
    try:
        moment = datetime.fromisoformat(f"{day[:10]}T{cells[time]}")
    except ValueError:
        return NO_TIME
    return clock.local(moment if layout.is_local or moment.tzinfo else moment.replace(tzinfo=UTC))


def _bracketed(text: str, clock: Clock) -> int:
    """`[01/Aug/2026:00:00:01 GMT]`, or with a zone as +hhmm."""
    try:
        return clock.local(datetime.strptime(text.replace("GMT", "+0000"), "[%d/%b/%Y:%H:%M:%S %z]"))
    except ValueError:
        return NO_TIME
