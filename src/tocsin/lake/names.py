"""Names of fields in, names of columns that every reader of Delta tables can tell apart out; and back.

The Delta protocol knows no two columns that differ in case alone, and its readers outside refuse some characters in
names ("Column Mapping" in PROTOCOL.md of delta-io/delta). Such characters are written as `%` and two hexadecimal
digits, and where two fields differ in case alone, so is as much of the later one as tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

DAY: Final = "_day"  # stands in the name of a folder, not in files
# What the lake says of each record, beside the fields of its log.
OWN: Final = (DAY, "_ts", "_host", "_kind", "_raw", "_src", "_file", "_path", "_rec", "_chunk", "_ingest", "_shape")

_WRITTEN: Final = re.compile(r"[%\x00-\x20,;{}()=\x7f]")
_ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")


def column_of(field: str, taken: Mapping[str, str]) -> str:
    """The column for a field; `taken` are columns that there are already, by their name in small letters."""
    plain = _WRITTEN.sub(lambda found: f"%{ord(found[0]):02X}", field) or "%"
    if plain in OWN:
        plain = f"%5F{plain[1:]}"
    at = 0
    name = plain
    while taken.get(name.lower(), field) != field:
        while at < len(plain) and not (plain[at].isascii() and plain[at].isalnum()):
            at += 3 if plain[at] == "%" else 1
        if at >= len(plain):  # names beyond ASCII that differ in case alone: a `%` that stands for nothing
            name += "%"
            continue
        plain = f"{plain[:at]}%{ord(plain[at]):02X}{plain[at + 1 :]}"
        name, at = plain, at + 3
    return name


@lru_cache(maxsize=1 << 16)
def field_of(column: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), column.rstrip("%")) if "%" in column else column
