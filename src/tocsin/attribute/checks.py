"""An observation as it came in, one that can be weighed out, with a sentence on everything that was set aside."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tocsin.attribute.caps import is_grade
from tocsin.attribute.profiles import Profiles
from tocsin.model.observation import Observation, Trait

MOST: Final = 2000  # traits; an incident has dozens

_TECHNIQUE: Final = re.compile(r"T\d{4}(\.\d{3})?", re.ASCII)
_YEAR: Final = r"(?P<year>19[89]\d|20\d\d)"  # no incident of computers is of another
_DATE: Final = re.compile(
    rf"(?P<date>{_YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)(?:[T ].*)?", re.ASCII
)


def usable(observation: Observation, profiles: Profiles) -> tuple[Observation, tuple[str, ...]]:
    notes = list(observation.doubts)
    kept: list[Trait] = []
    for trait in observation.traits[:MOST]:
        if not is_grade(trait.grade):
            notes.append(f"{trait.kind} {trait.value}: {trait.grade!r} is no grade (A1 to F6); it was not weighed.")
        elif trait.kind == "technique" and not _TECHNIQUE.fullmatch(trait.value):
            notes.append(f"{trait.value!r} is no id of a technique; it was not weighed.")
        elif trait.kind != "tempo":
            kept.append(trait)
    if len(observation.traits) > MOST:
        notes.append(f"Only the first {MOST} of {len(observation.traits)} traits were weighed.")
    unknown = sorted({one.value for one in kept if one.kind == "technique" and not _is_told(one.value, profiles)})
    if unknown:
        notes.append(f"No group is told to use {_some(unknown)}: it counts as new, or the id is of another release.")
    software = sorted({one.value for one in kept if one.kind == "software" and one.value not in profiles.holders})
    if software:
        notes.append(f"No group is told to use {_some(software)}.")
    year, doubt = _year(observation)
    if doubt:
        notes.append(doubt)
    if year and kept:
        kept.append(Trait(kind="tempo", value=year))
    kept += _absent(observation, profiles) if kept else []
    return replace(observation, traits=tuple(kept)), tuple(notes)


def _is_told(technique: str, profiles: Profiles) -> bool:
    return technique in profiles.holders or technique in profiles.relatives


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _year(observation: Observation) -> tuple[str, str]:
    """When they were last seen; a year that contradicts another says nothing."""
    first, last = (_DATE.fullmatch(text.strip()) for text in (observation.first_seen, observation.last_seen))
    told = [text for text in (observation.first_seen, observation.last_seen) if text.strip()]
    if len(told) != sum(found is not None for found in (first, last)):
        return "", "A time is not one that can be read; times were not weighed."
    if first and last and first["date"][: len(last["date"])] > last["date"]:
        return "", "What was first seen is later than what was last seen; times were not weighed."
    latest = last or first
    return latest["year"] if latest else "", ""


def _absent(observation: Observation, profiles: Profiles) -> list[Trait]:
    """Habits of some group that a sensor would have shown, and did not."""
    seen = {trait.value for trait in observation.traits}
    watched = sorted((observation.watched or frozenset()) - seen)
    habits = [
        name
        for name in watched
        if any(2 * group.techniques.get(name, 0) >= group.sources >= 4 for group in profiles.groups)
    ]
    return [Trait(kind="absence", value=name) for name in habits]
