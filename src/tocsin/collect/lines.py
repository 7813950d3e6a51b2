"""Blocks of text lines in, columns out: lines of the usual shape by vectors, the others one by one.

A format says what one line is (`Parse`). One that comes in volume also says where the fields of usual lines
stand (`Split`), for all lines of a block at once; both must read a line alike, and a line that `Split` does not
vouch for is left to `Parse`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.eights import WORDS, Eights, first_bytes
from tocsin.collect.records import BAD_TEXT, Tally
from tocsin.collect.slices import Slices
from tocsin.collect.utf8 import as_texts, is_text
from tocsin.model.event import Longs, pieces

if TYPE_CHECKING:
    import pyarrow as pa

Bytes: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]


_SAMPLE: Final = 16  # texts that are compared before all are


class Parsed(NamedTuple):
    """One line: UTC microseconds (or `NO_TIME`), its fields, and what was assumed or mended ('' if nothing)."""

    ts: int
    fields: Mapping[str, str | tuple[str, ...] | None]
    mended: str = ""


# A line's text, without its end, and the header that stands before it; None for what is no record (a comment,
# a header), text for why a record cannot be read.
Parse: TypeAlias = Callable[[str, bytes, Clock], Parsed | str | None]


class Lines:
    """The lines of a block that are not blank; `stops` leaves out the ends of lines.

    Args:
        is_text: whether all of the block is UTF-8.
        eights: its bytes, eight at a time.
        found: what was sought in all of it, so that nobody seeks it again.
    """

    __slots__ = ("_eights", "data", "found", "head", "is_text", "octets", "starts", "stops")

    def __init__(self, block: Block) -> None:
        self.data, self.head = block.data, block.head
        self.is_text = is_text(block.data)
        self._eights: Eights | None = None
        self.found: dict[str, tuple[Longs, Longs, Longs]] = {}
        self.octets: Bytes = np.frombuffer(block.data, np.uint8)
        if block.spans is not None:
            spans = np.array(block.spans, np.int64).reshape(-1, 2)
            starts, stops = spans[:, 0], spans[:, 1]
        else:
            ends = np.flatnonzero(self.octets == ord("\n"))
            starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
            stops = np.append(ends, len(self.octets))
        if len(self.octets):  # a block may hold nothing but a word of what was lost
            stops = stops - ((stops > starts) & (self.octets[np.maximum(stops, 1) - 1] == ord("\r")))
        if not block.offset and block.places is None and block.data.startswith(BOM_UTF8):
            starts[0] += len(BOM_UTF8)
        full = stops > starts
        self.starts: Longs = starts[full]
        self.stops: Longs = stops[full]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def eights(self) -> Eights:
        if self._eights is None or self._eights.data is not self.data:
            self._eights = Eights(self.data)
        return self._eights

    def rewritten(self, data: bytes) -> Lines:
        """The same lines where other text stands in the same places."""
        other = copy(self)
        other.data, other.octets, other.found = data, np.frombuffer(data, np.uint8), {}
        return other


class Spans(NamedTuple):
    """Where one field stands in each line: from `starts` to before `stops` in the block; absent where `starts` < 0."""

    starts: Longs
    stops: Longs


class Told(NamedTuple):
    """A field that `tell` reads out of the text at a span, a list of texts maybe; absent where it gives None."""

    spans: Spans
    tell: Callable[[str], str | Sequence[str] | None]


class Joined(NamedTuple):
    """A field that is put together: what stands at spans, and text where a mask says so; absent where not `there`."""

    parts: tuple[Spans | tuple[str, Mask], ...]
    there: Mask


class Keyed(NamedTuple):
    """Values of lines that name their fields themselves; `spans` stand in order.

    Args:
        names: every value's field, and other fields that take the same value.
        name: of each value, as a number in `names`.
        line: of each value, as a number in the block: one of the usual lines.
        written: values at these places that stand otherwise than they are meant, and what tells how they are meant.
    """

    names: Sequence[tuple[str, ...]]
    name: Longs
    line: Longs
    spans: Spans
    written: tuple[Longs, Callable[[str], str]] | None = None


class Columned(NamedTuple):
    """The cells of one column in lines given by number in the block, usual ones; null where a line has none."""

    names: tuple[str, ...]
    line: Longs
    texts: pa.StringArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The fields of the lines that `usual` marks; arrays have one element for each of these lines.

    A field that is plain text has it in every one of them.
    """

    usual: Mask
    ts: Longs
    fields: Mapping[str, Spans | Told | Joined | str]
    mended: str | Mapping[str, int] = ""  # what was assumed of every one of them, or of how many
    keyed: Keyed | None = None
    columned: Sequence[Columned] = ()


Splitter: TypeAlias = Callable[[Lines, frozenset[str] | None, Clock], Split]


class LineDecoder:
    """Reads blocks of lines. Nothing waits: what `read` takes is in the table when it returns."""

    def __init__(self, parse: Parse, projection: frozenset[str] | None, split: Splitter | None = None) -> None:
        self._parse, self._projection, self._split = parse, projection, split

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        lines = Lines(block)
        if not len(lines):
            return
        clock = table.clock
        split = self._split(lines, self._projection, clock) if self._split else None
        kept = split.usual.copy() if split else np.zeros(len(lines), bool)
        parsed: list[tuple[int, Parsed]] = []
        for at in np.flatnonzero(~kept).tolist():
            text = self._text(block.data[lines.starts[at] : lines.stops[at]], tally)
            one = self._parse(text, block.head, clock)
            if isinstance(one, Parsed):
                kept[at] = True
                parsed.append((at, one))
                if one.mended:
                    tally.mended[one.mended] += 1
            elif one is not None:
                tally.damaged[one] += 1
        if not kept.any():
            return
        starts, stops = lines.starts[kept], lines.stops[kept]
        absent = np.full(len(starts), -1, np.int64)
        slices = Slices(block.data, starts, stops, block.head)
        rows = table.extend(block.in_source(starts), absent, slices) + np.cumsum(kept) - 1
        if split and split.usual.any():
            self._put_split(split, rows[split.usual], lines, table, tally)
        self._put_parsed(parsed, rows, table)

    def flush(self, table: TableBuilder) -> None:
        """Nothing to do."""

    def _text(self, line: bytes, tally: Tally) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            tally.mended[BAD_TEXT] += 1
            return line.decode("utf-8", "replace")

    def _put_split(self, split: Split, rows: Longs, lines: Lines, table: TableBuilder, tally: Tally) -> None:
        table.put_time(rows, split.ts)
        if split.mended:
            tally.mended.update({split.mended: len(rows)} if isinstance(split.mended, str) else split.mended)
        if bad := _count_bad(lines, split.usual):
            tally.mended[BAD_TEXT] += bad
        known: dict[int, tuple[Longs, str | pa.StringArray]] = {}  # two fields may be told by one span
        for name, place in split.fields.items():
            if self._projection is not None and name not in self._projection:
                continue
            if isinstance(place, str):
                table.put_repeated(name, rows, [place], np.zeros(len(rows), np.int64))
                continue
            spans = place.spans if isinstance(place, Told) else place
            if id(spans) not in known:
                known[id(spans)] = (
                    _joined(spans, rows, lines) if isinstance(spans, Joined) else _texts_at(spans, rows, lines)
                )
            there, texts = known[id(spans)]
            if not len(there):
                continue
            if isinstance(place, Told):
                distinct, index = _distinct(texts, len(there))
                told = [place.tell(text) for text in distinct]
                told = [text if text is None or isinstance(text, str) else list(text) for text in told]
                put_told(table, name, there, told, index)
            else:
                _put(table, name, there, texts)
        numbers = np.cumsum(split.usual) - 1
        if split.keyed and len(split.keyed.line):
            put_keyed(split.keyed, rows[numbers[split.keyed.line]], lines, table)
        for names, line, texts in split.columned:
            there = rows[numbers[line]]
            if texts.null_count:
                there, texts = there[texts.is_valid().to_numpy(zero_copy_only=False)], texts.drop_null()
            for name in names if len(there) else ():
                table.put_texts(name, there, texts)

    def _put_parsed(self, parsed: list[tuple[int, Parsed]], rows: Longs, table: TableBuilder) -> None:
        """Lines with the same fields are put together."""
        groups: dict[tuple[str, ...], tuple[list[int], list[tuple[Any, ...]]]] = {}
        for at, one in parsed:
            places, values = groups.setdefault(tuple(one.fields), ([], []))
            places.append(at)
            values.append(tuple(one.fields.values()))
        if parsed:
            each = rows[np.array([at for at, _ in parsed], np.int64)]
            table.put_time(each, np.array([one.ts for _, one in parsed], np.int64))
        for names, (places, values) in groups.items():
            wanted = rows[np.array(places, np.int64)]
            for name, column in zip(names, zip(*values, strict=True), strict=True):
                if self._projection is None or name in self._projection:
                    table.put(name, wanted, [list(v) if isinstance(v, tuple) else v for v in column])


def put_keyed(keyed: Keyed, rows: Longs, lines: Lines, table: TableBuilder) -> None:
    """Put values where `rows` says, one field after the other."""
    order, bounds = by_name(keyed.name, len(keyed.names))
    sorted_rows, spans = rows[order], Spans(keyed.spans.starts[order], keyed.spans.stops[order])
    parts = [slice(first, last) for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
    same = [
        _same_text(Spans(spans.starts[part], spans.stops[part]), lines) if part.start < part.stop else None
        for part in parts
    ]
    differs = np.repeat([text is None for text in same], np.diff(bounds))
    texts = _texts_of(keyed.spans, lines, order[differs])
    places, tell = keyed.written or (order[:0], str)
    odd = np.zeros(len(order), bool)
    odd[places] = True
    odd = odd[order]
    if len(places):
        texts = _meant(texts, odd[differs], tell)
    at = 0
    for names, part, text in zip(keyed.names, parts, same, strict=True):
        if part.start == part.stop:
            continue
        held: str | pa.StringArray
        if text is None:
            held, at = texts[at : at + part.stop - part.start], at + part.stop - part.start
        else:
            held = tell(text) if odd[part.start] else text
        for name in names:
            _put(table, name, sorted_rows[part], held)


def _meant(texts: pa.StringArray, odd: Mask, tell: Callable[[str], str]) -> pa.StringArray:
    """The texts, of which some stand otherwise than they are meant."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = pa.array(odd)
    return pc.replace_with_mask(
        texts, mask, pa.array([tell(text) for text in texts.filter(mask).to_pylist()], pa.string())
    )


def _put(table: TableBuilder, name: str, rows: Longs, texts: str | pa.StringArray) -> None:
    if isinstance(texts, str):
        table.put_repeated(name, rows, [texts], np.zeros(len(rows), np.int64))
    else:
        table.put_texts(name, rows, texts)


def _distinct(texts: str | pa.StringArray, count: int) -> tuple[list[str], Longs]:
    """The distinct texts, and the number of each among them."""
    if isinstance(texts, str):
        return [texts], np.zeros(count, np.int64)
    encoded = texts.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


def by_name(name: Longs, count: int) -> tuple[Longs, Longs]:
    """The places of one name after those of another, each in order; and where those of each begin, with the end."""
    if count and not len(name) % count and (name.reshape(-1, count) == np.arange(count)).all():
        return np.arange(len(name)).reshape(-1, count).T.ravel(), np.arange(count + 1) * (len(name) // count)
    small = name.astype(np.uint16) if count <= 1 << 16 else name  # 16 bits are sorted in linear time
    return np.argsort(small, kind="stable"), np.append(0, np.cumsum(np.bincount(name, minlength=count)))


def put_told(table: TableBuilder, name: str, rows: Longs, texts: Sequence[Any], index: Longs) -> None:
    """Like `put_repeated`, but absent where there is no text."""
    if None in texts:
        there = np.array([text is not None for text in texts], bool)[index]
        rows, index = rows[there], index[there]
    if len(rows):
        table.put_repeated(name, rows, texts, index)


def _texts_at(spans: Spans, rows: Longs, lines: Lines) -> tuple[Longs, str | pa.StringArray]:
    """The rows in which something stands at a span, and what it is; spans stand in order and do not overlap."""
    if (spans.starts < 0).any():
        there = spans.starts >= 0
        rows, spans = rows[there], Spans(spans.starts[there], spans.stops[there])
    same = _same_text(spans, lines)
    return rows, _texts_of(spans, lines) if same is None else same


def _same_text(spans: Spans, lines: Lines) -> str | None:
    """The text that stands at all of the spans, if it is one; what is long is not compared."""
    starts, sizes = spans.starts, spans.stops - spans.starts
    if not len(sizes) or sizes[0] > 8 * WORDS or (sizes != sizes[0]).any():
        return None
    for some in (starts[:: len(starts) // _SAMPLE], starts) if len(starts) > 4 * _SAMPLE else (starts,):
        for word in range((int(sizes[0]) + 7) // 8):
            held = first_bytes(lines.eights.behind(some, word), int(sizes[0]) - 8 * word)
            if (held != held[0]).any():
                return None
    return lines.data[starts[0] : spans.stops[0]].decode("utf-8", "replace")


def _texts_of(spans: Spans, lines: Lines, order: Longs | None = None) -> pa.StringArray:
    import pyarrow as pa  # only for formats that are read by columns: it takes a third of a warm start

    if lines.is_text:
        return pieces(pa.string(), lines.data, *spans, order)
    return as_texts(pieces(pa.binary(), lines.data, *spans, order))


def _joined(joined: Joined, rows: Longs, lines: Lines) -> tuple[Longs, pa.StringArray]:
    import pyarrow as pa
    import pyarrow.compute as pc

    there = joined.there
    texts = []
    for part in joined.parts:
        if isinstance(part, Spans):
            starts = np.maximum.accumulate(np.where(part.starts < 0, 0, part.starts))  # absent ones stay in order
            spans = Spans(starts[there], np.where(part.starts < 0, starts, part.stops)[there])
            texts.append(_texts_of(spans, lines))
        else:
            texts.append(pa.array(["", part[0]], pa.string()).take(pa.array(part[1][there].astype(np.int8))))
    return rows[there], pc.binary_join_element_wise(*texts, "")


def _count_bad(lines: Lines, usual: Mask) -> int:
    """How many of the usual lines are not UTF-8."""
    if lines.is_text:
        return 0
    pairs = zip(lines.starts[usual].tolist(), lines.stops[usual].tolist(), strict=True)
    return sum(not is_text(lines.data[start:stop]) for start, stop in pairs)
