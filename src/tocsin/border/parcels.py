"""A parcel in, what it says was seen out as an Observation, for who compares that with what is known of groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin.model.observation import Observation, Trait
from tocsin.model.parcel import Parcel
from tocsin.observe import infrastructure

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def observation(parcel: Parcel, named: str) -> Observation:
    """What was seen. Who they say it was is not in it: that would count their answer as evidence for itself."""
    title = next((one.title for one in parcel.incidents), "")
    times = [us for one in parcel.sightings for us in (one.first_us, one.last_us) if us is not None]
    return Observation(
        id=named,
        name=title,
        traits=tuple(dict.fromkeys(_traits(parcel))),
        first_seen=_day(min(times, default=None)),
        last_seen=_day(max(times, default=None)),
    )


def _traits(parcel: Parcel) -> Iterator[Trait]:
    source = (parcel.path,) if parcel.path else ()
    techniques = {*parcel.techniques, *(name for one in parcel.indicators for name in one.techniques)}
    for name in sorted(techniques):
        yield Trait(kind="technique", value=name, sources=source)
    for name in parcel.software:
        yield Trait(kind="software", value=name, sources=source)
    for name in parcel.vulnerabilities:
        yield Trait(kind="vulnerability", value=name, sources=source)
    for one in parcel.indicators:
        for each in one.observables:
            if each.type in ("address", "domain"):
                yield Trait(kind="infrastructure", value=infrastructure.normal(each.value), sources=source)


def _day(us: int | None) -> str:
    try:
        return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%d}" if us is not None else ""
    except OverflowError:
        return ""
