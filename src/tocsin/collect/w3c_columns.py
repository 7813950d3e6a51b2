"""Blocks of lines in the W3C extended format in, where their fields stand out: for all lines of a block at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np

from tocsin.collect import w3c
from tocsin.collect.block import Block
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.lines import Joined, LineDecoder, Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_dash, unless
from tocsin.collect.stamps import Stamp, Times
from tocsin.collect.w3c import Derived, Dialect, Header, Layout, cells_of, layout_of, separator_of
from tocsin.model.event import Longs

_FEW: Final = 24  # lines below one header that are sooner read one by one
_DAY: Final = 10  # characters of 2026-08-01
_STAMPS: Final = {19: Stamp("%Y-%m-%d %H:%M:%S"), 23: Stamp("%Y-%m-%d %H:%M:%S.%f")}
_WHOLE: Final = tuple(
    Stamp(form)
    for form in (
        *("%s", "%s.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S"),
        *("%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S"),
    )
)


@dataclass(frozen=True, kw_only=True)
class W3CLog:
    """One sort of server's logs.

    Args:
        knows: whether a file with this header is of the sort.
        dialect: how it is read.
    """

    knows: Callable[[Header], bool]
    dialect: Callable[[Header], Dialect]

    def sniff(self, head: bytes) -> bool:
        header = w3c.header_in(head)
        return header is not None and self.knows(header)

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return w3c.ranges(size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        return w3c.cut(file, start, stop, block_bytes)

    def decoder(self, projection: frozenset[str] | None) -> LineDecoder:
        return LineDecoder(self.parse, projection, self.split)

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        parsed = self.parse(record.decode("utf-8", "replace"), header, Clock())
        return parsed.fields if isinstance(parsed, Parsed) else {}

    def parse(self, text: str, head: bytes, clock: Clock) -> Parsed | str | None:
        return w3c.parse(self.dialect(w3c.header_of(head)), text, head, clock)

    def split(self, block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
        return split(self.dialect(w3c.header_of(block.head)), block, projection, clock)


def split(dialect: Dialect, block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines that have as many fields as their header names, each quoted whole or not at all."""
    layout = layout_of(dialect, block.head)
    if layout is None or len(block) < _FEW:
        return _none(block)
    separator, usual = _separator(dialect, block, layout)
    marks = Marks(block, separator, outside="" if dialect.plain else '"')
    usual &= byte(block, block.starts) != ord("#")
    for letter in "\0" if dialect.plain else "\0[":  # a time in brackets has a blank
        if letter.encode() in block.data:
            usual &= Marks(block, letter).count == 0
    trailing = (byte(block, block.stops - 1) == ord(separator)) & (marks.count == layout.width)
    usual &= (marks.count == layout.width - 1) | trailing
    ends = block.stops - trailing
    cells = [
        Spans(
            marks.at(at - 1) + 1 if at else block.starts,
            marks.at(at) if at < layout.width - 1 else ends,
        )
        for at in range(layout.width)
    ]
    usual &= (cells[-1].stops >= cells[-1].starts) & (cells[0].stops > block.starts - 1)
    whole = cells
    if not dialect.plain and b'"' in block.data:
        whole, cells = cells, _unquoted(block, cells, usual)
    times = _times(block, cells, layout, clock)
    usual &= times.good
    there = [unless(_is_nothing(dialect, block, cell), *cell) for cell in cells]
    joined: dict[object, Joined] = {}
    for name, (_, _, sources, derived) in layout.derived.items():
        if derived.join and derived.join not in joined and (projection is None or name in projection):
            joined[derived.join] = derived.join(block, {source: there[at] for at, source in sources.items()}, usual)
    fields: dict[str, Spans | Told | Joined | str] = dict(dialect.constant)
    for names, place in zip(layout.fields, there, strict=True):
        if names and (projection is None or not projection.isdisjoint(names)):
            fields.update(dict.fromkeys(names, chosen(usual, place)))
    done = {join: _chosen(usual, one) for join, one in joined.items()}
    for name, (first, last, sources, derived) in layout.derived.items():
        if derived.join in done:
            fields[name] = done[derived.join]
        elif projection is None or name in projection:
            span = chosen(usual, Spans(whole[first].starts, whole[last].stops))
            places = {at - first: source for at, source in sources.items()}
            fields[name] = Told(span, _telling(places, derived, separator, dialect))
    for name, (at, other, texts) in layout.empty.items():
        fields[name] = chosen(usual, _or_empty(block, cells[at], cells[other] if other >= 0 else None, texts))
    return Split(usual=usual, ts=times.ts[usual], fields=fields, mended=ZONE_ASSUMED if layout.is_local else "")


def _chosen(usual: Mask, joined: Joined) -> Joined:
    parts = [chosen(usual, part) if isinstance(part, Spans) else (part[0], part[1][usual]) for part in joined.parts]
    return Joined(tuple(parts), joined.there[usual])


def _none(block: Lines) -> Split:
    return Split(usual=np.zeros(len(block), bool), ts=np.zeros(0, np.int64), fields={})


def _separator(dialect: Dialect, block: Lines, layout: Layout) -> tuple[str, Mask]:
    """What separates the fields of a block's first line, and the lines of which that is true."""
    every: Mask = np.ones(len(block), bool)
    if dialect.separator or b"\t" not in block.data:
        return dialect.separator or " ", every
    starts = block.starts[byte(block, block.starts) != ord("#")][:1]
    stops = block.stops[byte(block, block.starts) != ord("#")][:1]
    text = block.data[starts[0] : stops[0]].decode("utf-8", "replace") if len(starts) else ""
    separator = separator_of(dialect, text, layout.width)
    if separator == " ":
        every &= Marks(block, "\t").count == 0
    return separator, every


def _unquoted(block: Lines, cells: list[Spans], usual: Mask) -> list[Spans]:
    """The cells without their quotes; lines in which a quote stands elsewhere are no longer usual."""
    seen = np.zeros(len(block), np.int64)
    bare = []
    for starts, stops in cells:
        begins, ends = byte(block, starts) == ord('"'), byte(block, stops - 1) == ord('"')
        begins &= stops > starts
        ends &= stops > starts
        quoted = begins & ends & (stops - starts >= 2)
        np.logical_and(usual, (begins == ends) & (begins == quoted), out=usual)
        seen += 2 * quoted
        bare.append(Spans(starts + quoted, stops - quoted))
    np.logical_and(usual, Marks(block, '"').count == seen, out=usual)
    return bare


def _or_empty(block: Lines, cell: Spans, other: Spans | None, texts: tuple[str, ...]) -> Spans:
    """A cell, but an empty text instead of a `-` where the other cell holds one of the texts."""
    dash, empty = is_dash(block, *cell), np.zeros(len(block), bool)
    for text in texts:
        if other is None:
            break
        empty |= (other.stops - other.starts == len(text)) & holds(block, other.starts, text)
    stops = np.where(dash & empty, cell.starts, cell.stops)
    return unless(dash & ~empty, cell.starts, stops)


def _times(block: Lines, cells: list[Spans], layout: Layout, clock: Clock) -> Times:
    date, time = layout.when
    nowhere = Times(np.zeros(len(block), np.int64), np.zeros(len(block), bool))
    if time < 0 or not len(block):
        return nowhere
    sizes = cells[time].stops - cells[time].starts
    size = int(sizes[len(sizes) // 2])  # what the most have; others are read one by one
    if date == time:
        first = cells[time].starts[sizes == size][:1]
        stamp = next(
            (one for one in _WHOLE if one.width == size and one.read(block.octets, first, clock).good[0]), None
        )
        if stamp is None:
            return nowhere
        told = stamp.form.endswith("Z") or not layout.is_local
        times = stamp.read(block.octets, cells[time].starts, Clock() if told else clock)
        return Times(times.ts, times.good & (sizes == size))
    stamp = _STAMPS.get(_DAY + 1 + size)
    if stamp is None or (date < 0 and len(layout.date) != _DAY):
        return nowhere
    good = sizes == size
    letters = np.full((len(block), stamp.width + 1), ord(" "), np.uint8)
    if date < 0:
        letters[:, :_DAY] = np.frombuffer(layout.date.encode("ascii", "replace"), np.uint8)[:_DAY]
    else:
        good &= cells[date].stops - cells[date].starts == _DAY
        letters[:, :_DAY] = _letters(block, cells[date].starts, _DAY)
    letters[:, _DAY + 1 : -1] = _letters(block, cells[time].starts, size)
    starts: Longs = np.arange(len(block)) * letters.shape[1]
    times = stamp.read(letters.reshape(-1), starts, clock if layout.is_local else Clock())
    return Times(times.ts, times.good & good)


def _letters(block: Lines, starts: Longs, size: int) -> Any:
    return block.octets.take(starts[:, None] + np.arange(size), mode="clip")


def _is_nothing(dialect: Dialect, block: Lines, cell: Spans) -> Mask:
    return is_dash(block, *cell) if dialect.nothing else cell.stops == cell.starts


def _telling(
    places: dict[int, str], derived: Derived, separator: str, dialect: Dialect
) -> Callable[[str], str | Sequence[str] | None]:
    def tell(text: str) -> str | Sequence[str] | None:
        cells = cells_of(text, separator, plain=dialect.plain)
        return derived.make({source: cells[at] for at, source in places.items() if cells[at] != dialect.nothing})

    return tell
