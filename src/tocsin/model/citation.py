"""Where a record stands in the evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The record that a statement rests on; `src`, `path`, `rec` and `chunk` as in a Finding."""

    src: str
    path: str
    rec: int
    chunk: int
    ts_us: int | None
