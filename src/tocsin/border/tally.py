"""Indicators and what is left out, one by one, in; both of them, with an end to what is listed, out."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin.model.indicator import Indicator, Intelligence, LeftOut, Observable, Reason

MOST_LISTED: Final = 1000  # of what is left out of one file, for each reason; the rest is counted
MOST_TITLE: Final = 200
MOST_TEXT: Final = 2000

_BY_VALUE: Final = uuid.UUID("0b6f6b6e-5f0f-5a53-8f0f-6f2f5d1c7e21")  # the namespace of ids we give
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TECHNIQUE: Final = re.compile(r"\bT[0-9]{4}(?:\.[0-9]{3})?\b")


class Tally:
    """What one file holds, as it grows."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._indicators: list[Indicator] = []
        self._left_out: list[LeftOut] = []
        self._counts: Counter[Reason] = Counter()
        self._values: set[tuple[tuple[Observable, ...], str]] = set()

    def add(self, one: Indicator, *, repeats: bool = True) -> None:
        """Take an indicator; with `repeats` false only the first of those that look for the same."""
        wanted = (one.observables, one.pattern)
        if not repeats and wanted in self._values:
            self.leave("duplicate", "it stands above", line=one.line, id=one.id, title=one.title)
            return
        self._values.add(wanted)
        self._indicators.append(one)

    def leave(self, reason: Reason, text: str, *, line: int = 0, id: str = "", title: str = "") -> None:  # noqa: A002
        self._counts[reason] += 1
        if self._counts[reason] <= MOST_LISTED:
            self._left_out.append(
                LeftOut(path=self.path, reason=reason, text=text[:300], line=line, id=id, title=title[:MOST_TITLE])
            )

    def told(self) -> Intelligence:
        more = [
            LeftOut(path=self.path, reason=reason, text="more of these", count=count - MOST_LISTED)
            for reason, count in self._counts.items()
            if count > MOST_LISTED
        ]
        return Intelligence(indicators=tuple(self._indicators), left_out=(*self._left_out, *more))


def id_of(value: str) -> str:
    """The same id for the same value, whatever file it stands in."""
    # As `uuid.uuid5` makes it, in a third of the time.
    digits = hashlib.sha1(_BY_VALUE.bytes + value.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def title_of(one: Observable, name: str = "") -> str:
    words = f"{one.type} {one.value}"
    return (f"{name}: {words}" if name and one.value not in name else name or words)[:MOST_TITLE]


def text(value: object, most: int = MOST_TEXT) -> str:
    """Text out of JSON, '' for anything else."""
    return value.strip()[:most] if isinstance(value, str) else ""


def texts(value: object, most: int = 100) -> tuple[str, ...]:
    return (
        tuple(one.strip()[:MOST_TITLE] for one in value if isinstance(one, str))[:most]
        if isinstance(value, list)
        else ()
    )


def moment(value: object) -> int | None:
    """UTC microseconds of an ISO 8601 time, or of a day; None where it is neither."""
    if not isinstance(value, str) or not 8 <= len(value) <= 40:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        return (found - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def confidence(value: object) -> int | None:
    """A number from 0 to 100, or one of the usual words."""
    if isinstance(value, str):
        word = value.strip().lower().rstrip("%")
        named = {
            "none": 0,
            "low": 15,
            "medium": 50,
            "med": 50,
            "moderate": 50,
            "high": 85,
            "very high": 95,
            "certain": 100,
        }
        if word in named:
            return named[word]
        value = int(word) if word.isascii() and word.isdecimal() and len(word) <= 3 else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100 else None


def techniques(words: Iterable[str]) -> tuple[str, ...]:
    """Techniques of ATT&CK that texts name."""
    return tuple(dict.fromkeys(found for word in words for found in _TECHNIQUE.findall(word)))
