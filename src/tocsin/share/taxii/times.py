"""Microseconds in, times as TAXII tells them out; and which versions are asked for (TAXII 2.1, section 3.4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, or_

from tocsin.border.stix_valid import time_us
from tocsin.share.taxii.tables import shown

WORDS: Final = frozenset({"first", "last", "all"})
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def told(us: int) -> str:
    """With all six digits, so that what is told can be asked for without loss."""
    return (_START + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def told_version(us: int) -> str:
    """With three digits where that is all, as versions of STIX are written."""
    text = told(us)
    return text if us % 1000 else text[:-4] + "Z"


def chosen(versions: Collection[str]) -> list[ColumnElement[Any]]:
    """The condition on rows that versions stand for: words, or times that were checked."""
    if "all" in versions:
        return []
    asked: list[ColumnElement[Any]] = []
    if "last" in versions:
        asked.append(shown.c.is_last)
    if "first" in versions:
        asked.append(shown.c.is_first)
    exact = [us for one in versions if (us := time_us(one)) is not None]
    if exact:
        asked.append(shown.c.version_us.in_(exact))
    return [or_(*asked)] if len(asked) > 1 else asked
