"""Raw records in, which of them may hold a keyword out: one pass over bytes, so that few records need decoding.

A keyword may stand in any field, so its rows cannot be told from the columns that were read. A record is
worth decoding if its bytes hold the longest stretch of the keyword that exporters write unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import hyperscan
import numpy as np

from tocsin.detect.literals import glob_literals
from tocsin.detect.observed_fields import RAW, RAW_KINDS
from tocsin.model.event import Events, Longs, RawRecords
from tocsin.model.rule import Pattern

_ALWAYS_ESCAPED_SOMEWHERE = re.compile(r"[^ !#-%(-.0-;=?-\[\]-~]+")  # quotes & < > / \ controls, beyond ASCII
_SHORTEST = 3  # shorter needles are in every record
# Characters that become ASCII letters when case is folded (İ, the Kelvin sign), as UTF-8 or escaped, and
# escapes of characters that need none, in JSON and XML: such a record is decoded whatever the keyword.
_ODD = (
    rb"\xc4\xb0|\xe2\x84\xaa|\\u(0130|212a)"
    rb"|\\u00(2[0134589a-e]|3[0-9abdf]|[46][0-9a-f]|5[0-9abdef]|7[0-9a-e])"
    rb"|&#0*(3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]|304|8490|x0*([2-7][0-9a-f]|130|212a));"
)


def whole_of(events: Events, row: int) -> Mapping[str, str | tuple[str, ...] | None]:
    """Every field of a record; of a line of text the line as well, since a keyword may stand across its fields."""
    fields = events.all_fields(row)
    return {**fields, RAW: events.raw[row].decode("utf-8", "replace")} if events.kind in RAW_KINDS else fields


class RawSearch:
    """Patterns that look at whole records."""

    def __init__(self, patterns: Mapping[int, Pattern]) -> None:
        needles = {number: _needle(pattern) for number, pattern in patterns.items()}
        self._numbers = [number for number, needle in needles.items() if needle]
        expressions = [_ODD, *(re.escape(needles[number]).encode() for number in self._numbers)]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL] * len(expressions),
        )
        self._database.scratch = hyperscan.Scratch(self._database)

    def candidates(self, raw: RawRecords) -> dict[int, Longs]:
        """Rows that may hold each pattern; a pattern that is left out may be held by any row."""
        found: dict[int, list[int]] = {at: [] for at in range(len(self._numbers) + 1)}

        for first, data, starts in raw.blocks():
            ends: list[int] = []
            self._database.scan(data, match_event_handler=lambda at, _, end, *rest: ends.append(at << 32 | end))  # noqa: B023
            if ends:
                told = np.array(ends, np.int64)
                which, stops = told >> 32, told & 0xFFFFFFFF
                rows = first + np.searchsorted(starts, stops - 1, "right") - 1
                pairs = np.unique(which << 32 | rows)  # a record may hold a keyword a thousand times
                for at, row in zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True):
                    found[at].append(row)
        odd = found[0]
        return {
            number: np.unique(np.array(found[at] + odd, np.int64)) for at, number in enumerate(self._numbers, start=1)
        }


def _needle(pattern: Pattern) -> str:
    """'' if there is none by which records can be told."""
    if pattern.kind == "wildcard":
        literals = glob_literals(pattern.text)
    elif pattern.kind in ("equals", "contains", "startswith", "endswith"):
        literals = [pattern.text]
    else:
        return ""
    pieces = [piece for literal in literals for piece in _ALWAYS_ESCAPED_SOMEWHERE.split(literal)]
    longest = max(pieces, key=len, default="")
    return longest if len(longest) >= _SHORTEST else ""
