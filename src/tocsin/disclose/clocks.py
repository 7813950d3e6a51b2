"""Laws and the time at which somebody became aware in, terms out: by when who must be told what.

Hours pass on any clock: a term of 72 hours is 72 hours long, whatever a change to summer time does to the clock on
the wall. Months are of the calendar where the law holds: the same day of a later month at the same time by the clock
there, or the last day of that month where it has no such day. A time by the clock that a change skips is the moment of
the change, and of one that comes twice it is the first: of two readings of a term the earlier, so that nobody is late
by ours.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tocsin.errors import CaseError, SettingsError
from tocsin.model.notification import Law, Stage, Term

AWARENESS: Final = "awareness"
_FORM: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    law: tuple[dict[str, object], ...] = ()


def built_in() -> tuple[Law, ...]:
    return read(resources.files("tocsin.disclose").joinpath("laws.toml").read_text(encoding="utf-8"), "laws.toml")


def read(text: str, name: str) -> tuple[Law, ...]:
    """A table of laws, TOML 1.0."""
    hint = "docs/telling.md says what a law has."
    try:
        told = msgspec.convert(tomllib.loads(text), _Table)
        laws = tuple(
            msgspec.convert({**{k: v for k, v in one.items() if k != "stage"}, "stages": one.get("stage", ())}, Law)
            for one in told.law
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{name}: {error}", hint=hint) from error
    for law in laws:
        known = [AWARENESS]
        zone(law.zone, name)
        for stage in law.stages:
            if stage.since not in known:
                raise SettingsError(
                    f"{name}: {law.id}: {stage.id} runs from {stage.since!r}, no earlier stage", hint=hint
                )
            if min(stage.hours, stage.months, stage.advised_hours) < 0:
                raise SettingsError(f"{name}: {law.id}: {stage.id} is less than no time long", hint=hint)
            known.append(stage.id)
    return laws


def zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "Write it as the IANA database does: Pacific/Auckland."
        raise SettingsError(f"{where}: there is no time zone {name[:80]!r}", hint=hint) from error


def moment(text: str) -> datetime:
    """A time as logs write it."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CaseError(f"{text[:80]}: stands where a time should", hint="`tocsin case verify` tells more.") from error


def written(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_FORM)


def terms(law: Law, aware_at: str, done: Mapping[str, str]) -> tuple[Term, ...]:
    """Each stage with its end.

    Args:
        aware_at: when somebody became aware.
        done: when which stage was told.
    """
    there = ZoneInfo(law.zone)
    ends: dict[str, datetime] = {AWARENESS: moment(aware_at)}
    found = []
    for stage in law.stages:
        told = stage.since == AWARENESS or stage.since in done
        since = moment(done[stage.since]) if stage.since in done else ends.get(stage.since)
        due = _end(stage, since, there) if since else None
        if due:
            ends[stage.id] = due
        found.append(
            Term(
                law=law.id,
                stage=stage.id,
                what=stage.what,
                due_at=written(due) if due else "",
                local=clock(due, there) if due else _since(since, there),
                advised=bool(stage.advised_hours) and not (stage.hours or stage.months),
                latest=not told,
                done_at=done.get(stage.id, ""),
            )
        )
    return tuple(found)


def _end(stage: Stage, since: datetime, there: ZoneInfo) -> datetime | None:
    hours = stage.hours or (0 if stage.months else stage.advised_hours)
    if not hours and not stage.months:
        return None  # "without undue delay" has no end that could pass
    end = since
    if stage.months:
        end = by_clock(_months_on(since.astimezone(there).replace(tzinfo=None), stage.months), there)
    return end + timedelta(hours=hours)


def clock(at: datetime, there: ZoneInfo) -> str:
    """As people there read it, with the zone."""
    wall = at.astimezone(there)
    day = f"{wall:%a} {wall.day} {wall:%b} {wall.year:04}"
    return f"{day} {wall:%H:%M} {there.key}"


def _since(since: datetime | None, there: ZoneInfo) -> str:
    return f"without delay: its clock began {clock(since, there)}" if since else "once the stage before it was told"


def _months_on(wall: datetime, months: int) -> datetime:
    place = wall.year * 12 + wall.month - 1 + months
    year, month = divmod(place, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)


def by_clock(wall: datetime, there: ZoneInfo) -> datetime:
    """The first moment at which a clock there shows this time or a later one of the same stretch (PEP 495)."""
    first, second = (wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:  # the usual case, or a time that comes twice
        return first
    low, high = second, first  # a change skips it: it lies between the two readings
    before = low.astimezone(there).utcoffset()
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(there).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def chosen(laws: Iterable[Law], jurisdictions: Sequence[str]) -> tuple[Law, ...]:
    """Those that hold where the centre or those whom it serves are."""
    every = tuple(laws)
    there = {law.jurisdiction for law in every}
    for name in jurisdictions:
        if name not in there:
            raise SettingsError(
                f"jurisdiction {name!r}: the table has no law of it", hint=f"It has {', '.join(sorted(there))}."
            )
    return tuple(law for law in every if law.jurisdiction in jurisdictions)
