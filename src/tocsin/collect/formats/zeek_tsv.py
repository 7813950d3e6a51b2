r"""Zeek's logs as text in, Events out, under Zeek's names: columns between tabs, below a header that names them.

After Zeek's book, "Zeek Log Formats", and what its ASCII writer escapes (`LogAscii`): separators in a value, the
backslash, and bytes that are no text. A value that is unset is absent; sets and vectors are lists. `_path` is the
log that the header names, or else its fields tell. Values have the form that Zeek gives them in JSON: what cannot be
shown stays `\x00`, and a `bool` is `true` or `false`. A piece that lost its header is read where its columns tell which
log it is (`collect/zeek_headless.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO, Final

import numpy as np

from tocsin.collect import headed, zeek, zeek_headless
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, unless
from tocsin.collect.stamps import Stamp
from tocsin.collect.streams import HEAD_BYTES, peek, read_fully
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME, Longs

NAME = "zeek_tsv"
KIND = "zeek"

_SNIFFED: Final = (
    re.compile(rb"^#fields[^\w\n]{1,8}\w", re.MULTILINE),
    re.compile(rb"^#(?:separator [^\n]{1,32}$|types[^\w\n]{1,8}\w|path[^\w\n]{1,8}\w)", re.MULTILINE),
)
_KEY: Final = re.compile(rb"#(separator|set_separator|empty_field|unset_field|path|fields|types|assumed)(?![A-Za-z_])")
_NO_FIELDS: Final = "no header says which fields it has"
_NOT_AS_MANY: Final = "not as many fields as its header names"
_TIME: Final = Stamp("%s.%F")
_SECONDS: Final = re.compile(r"(-?)(\d{1,11})(?:\.(\d{1,9})\d*)?", re.ASCII)
_ESCAPES: Final = re.compile(r"\\(?:\\|(?:x[0-9A-Fa-f]{2}(?:\\x[0-9A-Fa-f]{2})*))")
_HEX: Final = re.compile(r"\\x([0-9A-Fa-f]{2})")
_LISTS: Final = ("set[", "vector[", "table[")
_MOST_FIELDS: Final = 4_096
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """What a header says; `also` is what fields are called besides, `parts` are of the field `uri`."""

    separator: str
    set_separator: str
    empty: str
    unset: str
    path: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    also: Mapping[str, str]
    parts: tuple[str, ...]
    mended: str = ""


def sniff(head: bytes) -> bool:
    return all(form.search(head) for form in _SNIFFED) or zeek_headless.header_of(head) != b""


def cut(file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
    again, head = peek(file) if not start and stop is None else (file, _head(file, start))
    assumed = zeek_headless.header_of(head)
    for block in headed.cut(again, start, stop, block_bytes, _merged):
        yield block if block.head or not assumed else replace(block, head=assumed)


def _head(file: BinaryIO, start: int) -> bytes:
    file.seek(0)
    head = read_fully(file, HEAD_BYTES)
    file.seek(start)
    return head


def _merged(head: bytes, run: bytes) -> bytes:
    """The header with what header lines say anew; when a log was opened or closed is no part of it."""
    fresh = [line.rstrip(b"\r") for line in run.split(b"\n")]
    said = {found[1]: line for line in fresh if (found := _KEY.match(line))}
    if not said:
        return head
    if b"separator" not in said:
        known = {found[1]: line for line in head.split(b"\n") if (found := _KEY.match(line))}
        if b"fields" in said and said[b"fields"] != known.get(b"fields"):
            known.pop(b"types", None)
        said = known | said
    return b"\n".join(said[key] for key in sorted(said))


@lru_cache(maxsize=64)
def _layout(header: bytes) -> _Layout:
    said = {found[1].decode(): line[found.end() :] for line in header.split(b"\n") if (found := _KEY.match(line))}
    texts = {key: line.decode("utf-8", "replace") for key, line in said.items()}
    separator = _plain(texts.get("separator", " \\x09")[1:]) or "\t"

    def told(key: str, usual: str) -> str:
        return texts[key].removeprefix(separator) if key in texts else usual

    names = _distinct(told("fields", "").split(separator)) if "fields" in texts else []
    types = told("types", "").split(separator)
    types += [""] * (len(names) - len(types))
    also = zeek.besides(names)
    unset = told("unset_field", "-")
    path = told("path", unset)
    path = (zeek.log_of(names) or "") if path == unset else _unescaped(path)
    if path:
        also.pop("_path", None)
    return _Layout(
        separator,
        _plain(told("set_separator", ",")) or ",",
        told("empty_field", "(empty)"),
        unset,
        path,
        tuple(names),
        tuple(types[: len(names)]),
        also,
        tuple(name for name in zeek.URI_PARTS if name not in names)
        if path.startswith("http") and "uri" in names
        else (),
        zeek_headless.MENDED if "assumed" in texts else "",
    )


def _distinct(names: list[str]) -> list[str]:
    """Names of which none stands twice; none at all where there are too many to be true."""
    kept = list[str]()
    for name in names if len(names) <= _MOST_FIELDS else ():
        while name in kept:
            name += "_"
        kept.append(name)
    return kept


def _plain(text: str) -> str:
    """A separator as a header gives it."""
    return _HEX.sub(lambda found: chr(int(found[1], 16)), text)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    if text.startswith("#"):
        return None
    layout = _layout(header)
    if not layout.names:
        return _NO_FIELDS
    cells = text.split(layout.separator)
    if len(cells) != len(layout.names):
        return _NOT_AS_MANY
    values: dict[str, str | tuple[str, ...] | None] = {}
    for name, kind, cell in zip(layout.names, layout.types, cells, strict=True):
        if cell != layout.unset:
            value = _reading(layout, kind)(cell)
            values[name] = tuple(value) if isinstance(value, list) else value
    ts = _ts(cells[layout.names.index("ts")]) if "ts" in layout.names else NO_TIME
    values |= {also: values[name] for also, name in layout.also.items() if name in values}
    uri = values.get("uri")
    if layout.parts and isinstance(uri, str):
        told = {name: zeek.URI_PARTS[name](uri) for name in layout.parts}
        values |= {name: part for name, part in told.items() if part is not None}
    if layout.path and "_path" not in layout.names:
        values["_path"] = layout.path
    return Parsed(ts, values, layout.mended)


@lru_cache(maxsize=256)
def _reading(layout: _Layout, kind: str) -> Callable[[str], str | list[str]]:
    """How a value of a type is read; elements that are unset are left out."""

    def scalar(cell: str) -> str:
        return "" if cell == layout.empty else _unescaped(cell)

    def elements(cell: str) -> list[str]:
        if cell == layout.empty:
            return []
        return [scalar(one) for one in cell.split(layout.set_separator) if one != layout.unset]

    if kind.startswith(_LISTS):
        return elements
    return _truth if kind == "bool" else scalar


def _part(layout: _Layout, kind: str, part: str) -> Callable[[str], str | None]:
    whole, cut_out = _reading(layout, kind), zeek.URI_PARTS[part]

    def read(cell: str) -> str | None:
        uri = whole(cell)
        return cut_out(uri) if isinstance(uri, str) else None

    return read


def _truth(cell: str) -> str:
    """As JSON has it, and rules."""
    return {"T": "true", "F": "false"}.get(cell, cell)


def _unescaped(text: str) -> str:
    """A value without the writer's escapes; what is no text, or cannot be shown, keeps them."""
    return _ESCAPES.sub(_meant, text) if "\\" in text else text


def _meant(escape: re.Match[str]) -> str:
    if escape[0] == "\\\\":
        return "\\"
    meant = bytes.fromhex(escape[0].replace("\\x", "")).decode("utf-8", "backslashreplace")
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", meant)


def _ts(text: str) -> int:
    found = _SECONDS.fullmatch(text)
    if found is None:  # `zeek-cut -d` writes times out
        return int(microseconds([text])[0])
    ts = int(found[2]) * 1_000_000 + int((found[3] or "").ljust(6, "0")[:6])
    return -ts if found[1] else ts


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines with as many fields as their header names, and a time as Zeek writes it."""
    layout = _layout(block.head)
    if not layout.names or len(layout.separator.encode()) != 1:
        return Split(usual=np.zeros(len(block), bool), ts=np.zeros(0, np.int64), fields={})
    marks = Marks(block, layout.separator)
    usual: Mask = (marks.count == len(layout.names) - 1) & (byte(block, block.starts) != ord("#"))
    at_time = layout.names.index("ts") if "ts" in layout.names else -1
    ts = np.full(len(block), NO_TIME, np.int64)
    if at_time >= 0:
        spans = _column(block, marks, at_time, len(layout.names))
        times = _TIME.read(block.octets, spans.starts, clock)
        usual &= times.good & (spans.stops - spans.starts == _TIME.width)
        ts = times.ts
    slashes = np.flatnonzero(block.octets == ord("\\")) if b"\\" in block.data else None
    stand: dict[str, Spans | Told | str] = {}
    for at, (name, kind) in enumerate(zip(layout.names, layout.types, strict=True)):
        called = [name, *(also for also, field in layout.also.items() if field == name)]
        parts = layout.parts if name == "uri" else ()
        if projection is not None:
            called = [one for one in called if one in projection]
            parts = tuple(part for part in parts if part in projection)
        if not called and not parts:
            continue
        spans = chosen(usual, _column(block, marks, at, len(layout.names)))
        there = unless(_is(block, spans, layout.unset), *spans)
        place: Spans | Told = Told(there, _reading(layout, kind))
        if not kind.startswith((*_LISTS, "bool")) and (slashes is None or not _hold(slashes, spans)):
            empty = _is(block, there, layout.empty)
            place = Spans(there.starts, np.where(empty, there.starts, there.stops)) if empty.any() else there
        stand |= dict.fromkeys(called, place)
        stand |= {part: Told(there, _part(layout, kind, part)) for part in parts}
    if layout.path and "_path" not in layout.names:
        stand["_path"] = layout.path
    return Split(usual=usual, ts=ts[usual], fields=stand, mended=layout.mended)


def _column(block: Lines, marks: Marks, at: int, count: int) -> Spans:
    starts = marks.at(at - 1) + 1 if at else block.starts
    return Spans(starts, marks.at(at) if at < count - 1 else block.stops)


def _is(block: Lines, spans: Spans, text: str) -> Mask:
    """Whether exactly a text stands at each span."""
    encoded = text.encode()
    same: Mask = spans.stops - spans.starts == len(encoded)
    if same.any() and encoded:
        same &= holds(block, spans.starts, encoded.decode("latin-1"))
    return same


def _hold(places: Longs, spans: Spans) -> bool:
    """Whether one of the places is in one of the spans."""
    return bool((np.searchsorted(places, spans.stops) > np.searchsorted(places, spans.starts)).any())


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, decoder, fields = _LOG.ranges, _LOG.decoder, _LOG.fields
