"""Hunts in, entries of a journal that only grows out: who asked what, by which authority, and what the answer was.

Each hunt is two entries of a hash chain beside the lake: one before anything is looked at, one when it was answered. A
hunt that was broken off has only the first. A third kind says what came of an indicator that a hunt found: whether it
was right. From these a source has its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tocsin.errors import LakeError
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


def judge(lake: Lake, indicator: str, *, right: bool, by: str, reason: str) -> str:
    """Say whether an indicator that a hunt found was right; gives its source. The last word on it counts.

    Raises:
        LakeError: no hunt in this lake found it, or the journal cannot be written.
    """
    source = _sources(entries(lake)).get(indicator)
    if source is None:
        raise LakeError(
            f"no hunt in this lake found an indicator {indicator}",
            hint="`hunt.json` of a hunt, or `tocsin lake hunts`, names those that were found by their ids.",
        )
    add(lake, "judged", {"by": by, "indicator": indicator, "source": source, "right": right, "reason": reason})
    return source


def _sources(every: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    answers = (one.get("sources", {}) for one in every if one.get("what") == "answered")
    return {key: source for found in answers for key, source in found.items()}


def records(lake: Lake) -> dict[str, tuple[int, int]]:
    """By source, how many of its indicators were judged right, and how many wrong."""
    last = {one["indicator"]: one for one in entries(lake) if one.get("what") == "judged"}
    found: dict[str, tuple[int, int]] = {}
    for one in last.values():
        if not one["source"]:
            continue
        right, wrong = found.get(one["source"], (0, 0))
        found[one["source"]] = (right + one["right"], wrong + (not one["right"]))
    return found


def entries(lake: Lake) -> Sequence[Mapping[str, Any]]:
    """All entries, the oldest first.

    Raises:
        LakeError: one of them was changed.
    """
    return [link.body for link in log.read(lake.folder / log.HUNTS).links]
