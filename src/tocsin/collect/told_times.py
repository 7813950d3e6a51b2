"""What a mapping tells of times and constants in, UTC microseconds and how many named no zone out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from tocsin.collect.clock import Clock
from tocsin.collect.times import moment_of, one
from tocsin.model.event import NO_TIME, Longs
from tocsin.model.kind import kind_of
from tocsin.model.mapping import LogMapping, TimeOf

_MOST_KEPT = 100_000


class ToldTimes:
    """Reads times of one mapping; what was read once is kept, for times come in crowds."""

    def __init__(self, told: TimeOf) -> None:
        self._told = told
        self._kept: dict[tuple[Clock, Any], tuple[int, bool]] = {}

    def read(self, values: Iterable[Any], clock: Clock) -> tuple[Longs, int]:
        """UTC microseconds, and how many times the clock's zone was taken."""
        if self._told.zone is not None:
            clock = replace(clock, zone=self._told.zone)
        found = [self._one(value, clock) for value in values]
        assumed = sum(zoneless for _, zoneless in found) if self._told.zone is None else 0
        return np.array([ts for ts, _ in found], np.int64), assumed

    def _one(self, value: Any, clock: Clock) -> tuple[int, bool]:
        if type(value) not in (str, int, float):
            return NO_TIME, False
        key = (clock, value)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._read(value, clock)
        return self._kept[key]

    def _read(self, value: str | float, clock: Clock) -> tuple[int, bool]:
        for form in self._told.forms:
            if form == "epoch":
                ts = one(_number(value)) if isinstance(value, str) else one(value)
                if ts != NO_TIME:
                    return ts, False
                continue
            moment = moment_of(value) if form == "iso" else _in_form(value, form)
            if moment is not None:
                return clock.local(moment), moment.tzinfo is None
        return NO_TIME, False


def _number(text: str) -> float | int | None:
    try:
        return int(text) if text.isascii() and text.strip().isdigit() else float(text)
    except ValueError:
        return None


def _in_form(value: str | float, form: str) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip(), form)  # noqa: DTZ007  # a zone may be missing
    except (ValueError, OverflowError):
        return None


def constants_of(mapping: LogMapping) -> Mapping[str, str]:
    """What every record has; one of a kind that only the mapping knows tells what its log is called."""
    log = kind_of(mapping.kind).log
    own = mapping.kind == mapping.name and all(log not in names for names in mapping.fields.values())
    return {**({log: mapping.name} if own else {}), **mapping.constants}
