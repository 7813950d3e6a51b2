"""Delimited text below one line of names in, blocks with these names as a W3C log's directives out: what readers share.

CSV of consoles and tools (RFC 4180), with commas, semicolons or tabs; cells that hold ends of lines are none of theirs.
The names are the `#Fields` of a log whose `#Software` is the delimiter, so that such a table is read by columns as
those logs are (`collect/w3c_columns.py`). A mark of Excel's (`sep=;`) or PowerShell's (`#TYPE ...`) may stand before
the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO, Final

from tocsin.collect import documents, w3c
from tocsin.collect.block import Block
from tocsin.collect.lines import LineDecoder
from tocsin.collect.streams import HEAD_BYTES, peek, read_fully
from tocsin.collect.w3c_columns import W3CLog

DELIMITERS: Final[Mapping[str, str]] = {",": ",", ";": ";", "tab": "\t"}  # how each is called in `#Software`
BLANK: Final = "blank"

_HEADER: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:#TYPE [^\n]{0,200}\n|sep=.\r?\n|[ \t\r]*\n){0,4}([^\n{\[<#][^\n]{10,8000})(?:\n|\Z)"
)


@lru_cache(maxsize=16)
def header_of(head: bytes, *, blanks: bool = False) -> bytes:
    """Directives for the first line of a file; b"" where its second line is not as wide.

    Args:
        blanks: whether names may stand between blanks, as no CSV has them.
    """
    found = _HEADER.match(head)
    line = found[1].rstrip(b"\r ") if found else b""
    name = next((name for name, letter in DELIMITERS.items() if letter.encode() in line), BLANK)
    if name == BLANK and not (blanks and b" " in line):
        return b""
    letter = DELIMITERS.get(name, " ")
    directives = b"#Software: %b\n#Fields: %b\n" % (name.encode(), line)
    row, _, rest = head[found.end() if found else 0 :].partition(b"\n")
    if not row.strip() or (not rest and len(head) >= HEAD_BYTES):
        return directives
    width = len(w3c.cells_of(row.decode("utf-8", "replace").rstrip("\r"), letter, plain=False))
    names = len(w3c.cells_of(line.decode("utf-8", "replace"), letter, plain=False))
    return directives if width == names else b""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One sort of table.

    Args:
        rows: how what stands below the names is read.
    """

    rows: W3CLog

    def sniff(self, head: bytes) -> bool:
        directives = header_of(head)
        return self.rows.sniff(directives) if directives else False

    def ranges(self, head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
        return documents.line_ranges(size, unit_bytes)

    def cut(self, file: BinaryIO, start: int, stop: int | None, block_bytes: int) -> Iterator[Block]:
        if start or stop is not None:
            file.seek(0)
            head = read_fully(file, HEAD_BYTES)
            file.seek(start)
        else:
            file, head = peek(file)
        directives = header_of(head)
        for block in documents.cut_line_range(file, start, stop, block_bytes):
            yield replace(block, head=directives)

    def decoder(self, projection: frozenset[str] | None) -> LineDecoder:
        return self.rows.decoder(projection)

    def fields(self, record: bytes, header: bytes) -> Mapping[str, str | tuple[str, ...] | None]:
        return self.rows.fields(record, header)
