"""Hunts in, entries of a journal that only grows out: who asked what, by which authority, and what the answer was.

Each hunt is two entries of a hash chain beside the lake: one before anything is looked at, one when it was answered. A
hunt that was broken off has only the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tocsin.lake import log
from tocsin.lake.store import Lake


def add(lake: Lake, what: str, told: Mapping[str, Any]) -> str:
    """Write an entry; gives its digest.

    Raises:
        LakeError: it cannot be written, or the journal was changed. Then nothing is asked.
    """
    path = lake.folder / log.HUNTS
    with log.locked(lake.folder):
        body = {"what": what, "at": datetime.now(UTC).isoformat(timespec="seconds"), **told}
        return log.append(path, log.read(path), body).head


def entries(lake: Lake) -> Sequence[Mapping[str, Any]]:
    """All entries, the oldest first.

    Raises:
        LakeError: one of them was changed.
    """
    return [link.body for link in log.read(lake.folder / log.HUNTS).links]
