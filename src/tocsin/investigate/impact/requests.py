"""Events in, what a server of ours was asked for and whether it gave it, as numbers: in a worker, beside the bytes.

A path may be as long as its sender likes, and a scanner sends a new one each time: of each only digests are kept. A
status is that of RFC 9110, section 15.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.impact.content import is_packed
from tocsin.investigate.impact.picks import that
from tocsin.investigate.normal import last, page
from tocsin.model.event import Events, Longs

# Where a sensor writes requests beside the connections that they came by.
_PARTS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "zeek": ("_path", frozenset({"http"})),
    "suricata": ("event_type", frozenset({"http"})),
}
_LOGS: Final = frozenset({"webserver", *_PARTS})
_PATH: Final = ("cs-uri-stem", "c-uri-stem", "cs-uri", "c-uri", "uri")
_STATUS: Final = ("sc-status", "status_code", "http.status")
FIELDS: Final = frozenset((*_PATH, *_STATUS, *(name for name, _ in _PARTS.values())))

# Digests of the whole path and of the name at its end, 0 for none; the status; and what `PART` and `PACKED` say.
NUMBERS: Final = ("page", "file", "status", "flags")
PART: Final = 1  # a request of a connection that the same sensor counts elsewhere
PACKED: Final = 2  # what was asked for is called as archives and dumps are
_UNKNOWN: Final = -1
_LONGEST: Final = 4_000


def parts(events: Events) -> npt.NDArray[np.bool_]:
    """Which rows are requests of connections that are counted elsewhere."""
    if events.kind not in _PARTS:
        return np.zeros(len(events), bool)
    name, texts = _PARTS[events.kind]
    return that(events, name, lambda text: text.lower() in texts)


def digest(text: str) -> int:
    """A number for a text, 0 for none."""
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big", signed=True) if text else 0


def numbers(events: Events, rows: Longs) -> dict[str, Longs]:
    """The columns `NUMBERS` of some rows."""
    answer = {name: np.zeros(len(rows), np.int64) for name in NUMBERS}
    answer["status"][:] = _UNKNOWN
    if events.kind not in _LOGS:
        return answer
    for name in reversed(_PATH):
        _put(answer["page"], events, name, rows, lambda text: digest(page(text)))
        _put(answer["file"], events, name, rows, lambda text: digest(last(text)))
        _put(answer["flags"], events, name, rows, lambda text: PACKED if is_packed(last(text)) else 0)
    for name in _STATUS:
        _put(
            answer["status"],
            events,
            name,
            rows,
            lambda text: int(text[:4]) if text.isascii() and text.isdigit() else _UNKNOWN,
        )
    answer["flags"] |= np.where(parts(events)[rows], PART, 0)
    return answer


def asked_for(events: Events, names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which rows ask for a file of one of these names."""
    rows = np.zeros(len(events), bool)
    for name in _PATH if names and events.kind in _LOGS else ():
        rows |= that(events, name, lambda text: last(text) in names)
    return rows


def _put(column: Longs, events: Events, name: str, rows: Longs, number: Callable[[str], int]) -> None:
    """Write a number for each row that has a value there; a row without one keeps what it had."""
    field = events.columns.get(name)
    if field is None:
        return
    used, at = np.unique(field.codes[rows], return_inverse=True)
    texts = [(field.values[code] or "")[:_LONGEST].strip() for code in used.tolist()]
    said = np.array([text not in {"", "-"} for text in texts] or [False], bool)[at]
    told = np.array([number(text) if text not in {"", "-"} else 0 for text in texts] or [0], np.int64)[at]
    column[said] = told[said]
