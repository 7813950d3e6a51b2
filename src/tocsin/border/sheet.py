"""A list that people keep in a spreadsheet in, its rows out: CSV (RFC 4180) as the usual programs write it.

UTF-8 and UTF-16 with a byte order mark or without, commas, semicolons or tabs, the line `sep=;` of Excel. Whatever is
wrong is told with file and line: all of it together, so that a list is mended once.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tocsin.errors import ListError

MOST_BYTES: Final = 64 << 20
MOST_ROWS: Final = 1_000_000

_MARKS: Final = (  # the longer ones first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS: Final = ",;\t"
_TOLD: Final = 20  # of what is wrong
_ENCODING: Final = "Save it from the spreadsheet as `CSV UTF-8`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`cells` has every column that is known, '' where the list does not have it."""

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Sheet:
    """The rows of a file, with what is wrong and what should be known about it."""

    path: Path
    rows: Sequence[Row] = ()
    faults: list[tuple[int, str, str]] = field(default_factory=list)  # line, what, hint
    notes: list[str] = field(default_factory=list)

    def fault(self, line: int, what: str, hint: str) -> None:
        self.faults.append((line, what, hint))

    def note(self, line: int, what: str) -> None:
        self.notes.append(f"{self.path}:{line}: {what}")

    def raise_faults(self) -> None:
        """All that is wrong in one error, in the order of lines."""
        if not self.faults:
            return
        self.faults.sort(key=lambda fault: fault[0])
        line, what, hint = self.faults[0]
        more = "".join(f"; line {other}: {word}" for other, word, _ in self.faults[1:_TOLD])
        rest = len(self.faults) - _TOLD
        more += f"; and {rest} more" if rest > 0 else ""
        raise ListError(f"{self.path}:{line}: {what}{more}", hint=hint)


def read(path: Path, columns: Mapping[str, Sequence[str]]) -> Sheet:
    """Read a list.

    Args:
        path: of the file.
        columns: those that are known, each with its other names; the first must be there.
    """
    text = _text(path)
    sheet = Sheet(path=path)
    lines, separator, first = _start(text, columns)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    for line, cells in _records(reader, first, sheet):
        if header is None:
            header = _header(cells, columns, sheet, line)
            if header is None:
                break
        elif len(rows) >= MOST_ROWS:
            sheet.fault(line, f"there are more than {MOST_ROWS:,} rows", "Divide the list.")
            break
        elif len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            words = f"has {len(cells)} cells, and there are {len(header)} columns"
            sheet.fault(line, words, f'Quote a cell that holds `{separator}`: "...".')
        else:
            known = dict.fromkeys(columns, "") | {
                name: cell.strip() for name, cell in zip(header, cells, strict=False) if name
            }
            rows.append(Row(line=line, cells=known))
    if header is None and not sheet.faults:
        sheet.fault(1, "is empty", f"Its first line names the columns: {separator.join(columns)}")
    sheet.rows = rows
    return sheet


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        hint = "See to its name and permissions."
        raise ListError(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error
    if len(raw) > MOST_BYTES:
        raise ListError(f"{path}: is larger than {MOST_BYTES >> 20} MB", hint="Is it the right file?")
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    if not encoding:  # every second byte of western text in UTF-16 is zero
        encoding = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be" if raw[:1] == b"\0" else "utf-8"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ListError(f"{path}:{line}: is not {encoding.removesuffix('-sig').upper()}", hint=_ENCODING) from error


def _start(text: str, columns: Mapping[str, Sequence[str]]) -> tuple[io.StringIO, str, int]:
    """The lines, what divides their cells, and the number of the first of them."""
    head, _, rest = text.partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\r?', head)
    if told and told[1] in _SEPARATORS:
        return io.StringIO(rest, newline=""), told[1], 2
    known = {_plain(name) for column, others in columns.items() for name in (column, *others)}

    def fitting(separator: str) -> int:
        return sum(_plain(cell.strip('"')) in known for cell in head.split(separator))

    return io.StringIO(text, newline=""), max(_SEPARATORS, key=fitting), 1


def _records(reader: Iterator[list[str]], first: int, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, each with the line that it begins on."""
    line = first
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sheet.fault(line, f"is no CSV: {error}", "Look for a quotation mark without its other half.")
            return
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = first + reader.line_num  # type: ignore[attr-defined]  # typeshed names the type of csv.reader privately


def _header(cells: Sequence[str], columns: Mapping[str, Sequence[str]], sheet: Sheet, line: int) -> list[str] | None:
    """What each column is, '' for one that is passed over; None if the list cannot be read by it."""
    known = {_plain(name): column for column, others in columns.items() for name in (column, *others)}
    found: list[str] = []
    for cell in cells:
        column = known.get(_plain(cell), "")
        near = difflib.get_close_matches(_plain(cell), known, n=1, cutoff=0.8) if not column else []
        if column and column in found:
            sheet.fault(line, f"has the column {column} twice", "Rename one of them.")
        elif near:
            sheet.fault(line, f"has a column {cell.strip()!r}", f"Should it be {known[near[0]]}?")
        elif not column and cell.strip():
            sheet.note(line, f"the column {cell.strip()!r} is not known and passed over")
        found.append(column)
    needed = next(iter(columns))
    if needed not in found:
        sheet.fault(line, f"there is no column {needed}", f"The first line names the columns: {', '.join(columns)}")
        return None
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def several(cell: str, dividers: str = "|\n") -> tuple[str, ...]:
    """The values of a cell that may hold more than one, each once, in their order."""
    parts = re.split(f"[{re.escape(dividers)}]", cell.replace("\r\n", "\n"))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
