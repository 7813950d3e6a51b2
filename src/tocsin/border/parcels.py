"""A parcel in, what it says was seen out as an Observation; and attributions of our own in, a parcel of them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin.model.attribution import CERTAIN, Attribution
from tocsin.model.cluster import Clusters
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.observation import Observation, Trait
from tocsin.model.parcel import Attributed, Parcel, Reported
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


def of_attributions(seen: Sequence[Observation], found: Mapping[str, Attribution], ours: Clusters | None) -> Parcel:
    """What was compared, and what may be said of it. A group is named where the answer is a group, and nowhere else.

    Args:
        found: of each observation, by its id.
        ours: clusters of our own. What of them is among these goes, and nothing of incidents nobody asked about: the
            marking of the bundle is not theirs.
    """
    answers = {one.id: found[one.id].answer for one in seen}
    named = {
        one.id: hypothesis
        for one in seen
        for hypothesis in (found[one.id].of(name) for name in answers[one.id].hypotheses)
        if hypothesis and answers[one.id].level == "group"
    }
    groups = {one.id: IntrusionSet(id=one.id, name=one.name) for one in named.values()}
    here = {one.id for one in seen}
    clusters = [
        replace(one, incidents=tuple(name for name in one.incidents if name in here), history=())
        for one in (ours.clusters if ours else ())
    ]
    return Parcel(
        incidents=tuple(Reported(id=one.id, title=one.name or one.id, text=_said(found[one.id])) for one in seen),
        groups=tuple(groups.values()),
        attributed=tuple(
            Attributed(
                id="",
                what=name,
                to=one.id,
                confidence=one.billionths * 100 // CERTAIN,
                text=f"{answers[name].text} ({answers[name].word})",
            )
            for name, one in named.items()
        ),
        clusters=tuple(one for one in clusters if len(one.incidents) > 1),
        techniques=tuple(sorted({trait.value for one in seen for trait in one.traits if trait.kind == "technique"})),
    )


def _said(found: Attribution) -> str:
    lines = (found.answer.text, *found.answer.because, found.confidence, "This is a technical comparison.")
    return "\n".join(line for line in lines if line)


def _day(us: int | None) -> str:
    try:
        return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%d}" if us is not None else ""
    except OverflowError:
        return ""
