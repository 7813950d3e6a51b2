"""What logs of text lines have in common: how a line and usual lines are read in, the functions of a reader out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tocsin.collect import documents
from tocsin.collect.block import Block
from tocsin.collect.clock import Clock
from tocsin.collect.lines import LineDecoder, Parse, Parsed, Splitter


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLog:
    """A log of which every line is a record, or none.

    Args:
        parse: reads one line.
        split: finds the fields of all usual lines of a block at once; None for logs that come in no volume.
    """

    parse: Parse
    split: Splitter | None = None

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return documents.line_ranges(size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        return documents.cut_line_range(file, start, stop, block_bytes)

    def decoder(self, projection: frozenset[str] | None) -> LineDecoder:
        return LineDecoder(self.parse, projection, self.split)

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        parsed = self.parse(record.decode("utf-8", "replace"), header, Clock())
        return parsed.fields if isinstance(parsed, Parsed) else {}
