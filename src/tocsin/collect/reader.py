"""What a log format must offer to be read: a plain module with these names (see `docs/add-a-log-format.md`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol

from tocsin.collect.block import Block
from tocsin.collect.columns import TableBuilder
from tocsin.collect.records import Tally


class Decoder(Protocol):
    """Reads blocks of one format. What it learns of the records' layouts is kept from block to block."""

    def read(self, block: Block, table: TableBuilder, tally: Tally) -> None:
        """Add a block's records to the table; their fields may wait until `flush`."""

    def flush(self, table: TableBuilder) -> None:
        """Put all fields that wait into the table."""


class Reader(Protocol):
    NAME: str
    KIND: str  # the kind of log source its Events are: a key of `model.kind.KINDS`

    def sniff(self, head: bytes) -> bool:
        """Whether a file that begins with `head` (up to 64 KiB) is of this format, whatever it is called."""

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        """Byte ranges of a file of `size` that can be read in parallel; [(0, size)] if it must be read in one go."""

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        """Blocks of whole records. With `start` 0 and `stop` None the stream need not be seekable."""

    def decoder(self, projection: frozenset[str] | None) -> Decoder:
        """One that gives the fields of the projection (None: every one)."""

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        """Every field of one raw record; `header` is its block's `head`."""
