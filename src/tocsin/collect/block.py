"""A piece of a source that can be read by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole records, cut out of a source.

    Args:
        data: the bytes; what comes before them and is needed to read them (an EVTX header) is in `head`.
        offset: where `data` begins in the source.
        ends: for documents that are not one to a line: (start, stop) of each in `data`.
        damaged: records that could not even be cut out, by reason.
    """

    data: bytes
    offset: int
    head: bytes = b""
    spans: tuple[tuple[int, int], ...] | None = None
    damaged: Counter[str] = field(default_factory=Counter)
