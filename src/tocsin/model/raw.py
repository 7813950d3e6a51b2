"""A record as it stands in the evidence, found again by its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# Source, byte offset of the EVTX chunk (-1 elsewhere), and record id or byte offset: as in a Finding.
Place: TypeAlias = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One record; of an EVTX file, which is binary, a rendering.

    Args:
        kind: the kind of log source, as that of `Events`.
        content: at most the first so many bytes; `size_bytes` says how many there are.
        missing: why it is not here; '' if it is.
    """

    kind: str = ""
    content: bytes = b""
    size_bytes: int = 0
    missing: str = ""
