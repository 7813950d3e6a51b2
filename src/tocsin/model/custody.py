"""What was read, from where, and how much of it could not be read: the chain from a finding back to evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """One source as it was read. Counts are of records; times are UTC microseconds, None where no record has one.

    Args:
        path: the file, or `file!member` for what stands in an archive or is compressed.
        file: the file on disk.
        sha256: of the source's own bytes (decompressed, where it was packed).
        format: '' where no reader knows the content; of a file with lines of several, its own and then those.
        damaged: records that were lost, by reason; `mended`: records that were kept after a repair.
        same_as: the source of the same content that was read in its place; it stands in the evidence twice.
        problems: what stopped the reading of the source as a whole.
    """

    path: str
    file: str
    size_bytes: int
    sha256: str = ""
    format: str = ""
    read: int = 0
    damaged: Mapping[str, int] = field(default_factory=dict)
    mended: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    same_as: str = ""
    first_us: int | None = None
    last_us: int | None = None
