"""Facts of a case, an entry of its register and files of words in, a letter out: plain words for whoever gets it.

A letter says only what is in `Facts`: never where a record came from, which rule found it, or which machine it was on.
Words are templates that run in a sandbox, and what they are filled with is text and stays text.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tocsin.disclose import clocks
from tocsin.disclose.filling import Filler
from tocsin.errors import SettingsError
from tocsin.model.letter import Letter, Passage
from tocsin.model.notification import Notification, Telling

ENGLISH: Final = "en"
_LARGEST: Final = 1 << 20
_LONGEST: Final = 300  # of a name
_MOST_THROUGH: Final = 6
_ENDS: Final = ("more", "farewell")
_WRITTEN: Final = frozenset({"person", "owner", "agency", "supplier"})  # others are told by people, in words of theirs
_WORDS: Final = (  # spoken on the telephone, none like another
    *(
        "amber",
        "anchor",
        "autumn",
        "barley",
        "basket",
        "beacon",
        "bronze",
        "candle",
        "canyon",
        "cedar",
        "cobalt",
        "copper",
    ),
    *(
        "desert",
        "ember",
        "falcon",
        "garden",
        "ginger",
        "harbour",
        "hazel",
        "island",
        "ivory",
        "jacket",
        "kettle",
        "lantern",
    ),
    *(
        "lemon",
        "marble",
        "meadow",
        "mirror",
        "needle",
        "ocean",
        "orchid",
        "paper",
        "pepper",
        "pigeon",
        "planet",
        "quartz",
    ),
    *(
        "ribbon",
        "river",
        "saddle",
        "salmon",
        "silver",
        "spruce",
        "summit",
        "temple",
        "thunder",
        "ticket",
        "tulip",
        "tunnel",
    ),
    *(
        "umbrella",
        "valley",
        "velvet",
        "village",
        "violin",
        "walnut",
        "willow",
        "window",
        "winter",
        "yellow",
        "zebra",
        "zigzag",
    ),
    *("apricot", "bottle", "cotton", "dolphin"),
)


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of words."""

    language: str
    untranslated: str
    passage: dict[str, _Passage]
    months: tuple[str, ...] = ()
    span: str = ""
    day: str = ""
    no_time: str = ""


class _Passage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lines: tuple[str, ...]
    heading: str = ""
    points: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a letter may be made of, besides the entry itself. Times in UTC microseconds, None where not known.

    `secret` is of the case, known to whoever can read it: words are made of it by which a caller is known.
    """

    secret: str
    first_us: int | None
    last_us: int | None


def words(folder: Path | None = None) -> Mapping[str, Words]:
    """All languages that there are, by their tag; those of a folder go before ours."""
    found: dict[str, Words] = {}
    for place in sorted(resources.files("tocsin.disclose").joinpath("words").iterdir(), key=lambda one: one.name):
        if place.name.endswith(".toml"):
            one = _read(place.read_text(encoding="utf-8"), place.name)
            found[one.language] = one
    for path in sorted(folder.glob("*.toml")) if folder else ():
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}", hint="It is a file of words in UTF-8.") from error
        one = _read(text, str(path))
        known = found.get(one.language)
        found[one.language] = msgspec.structs.replace(known, passage={**known.passage, **one.passage}) if known else one
    return found


def _read(text: str, name: str) -> Words:
    try:
        return msgspec.convert(tomllib.loads(text), Words)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{name}: {error}", hint="docs/telling.md says what a file of words has.") from error


def is_written(entry: Notification) -> bool:
    """Whether there are words for a letter to them. Nobody writes to accounts, or to whoever may be meant."""
    return entry.kind in _WRITTEN and (entry.kind != "person" or bool(entry.id) or entry.extent != "cannot know")


def check_words(secret: str, key: str, extent: str) -> str:
    """By which whoever gets a letter knows that a caller is from us: three words, the same each time."""
    digest = hashlib.sha256(f"{secret}\0{key}\0{extent}".encode()).digest()
    return " ".join(_WORDS[digest[place] % len(_WORDS)] for place in range(3))


def letter(
    entry: Notification,
    facts: Facts,
    telling: Telling,
    languages: Mapping[str, Words],
    shown: Callable[[str], str],
) -> Letter:
    """The letter to somebody of the register.

    Args:
        shown: makes visible what would act in a text instead of being seen.
    """
    english = languages[ENGLISH]
    other = languages.get(entry.language) or languages.get(entry.language.partition("-")[0])
    if other is english:
        other = None
    filler = Filler(_values(entry, facts, telling, english, shown), shown)
    passages = tuple(_passage(name, english, other, filler) for name in _parts(entry))
    title = passages[0]
    return Letter(
        key=entry.key,
        title=title.lines[0],
        language=ENGLISH,
        passages=passages[1:],
        other=other.language if other else "",
        other_title=title.other[0] if title.other else "",
        untranslated=other.untranslated if other else "",
        marking=shown(f"{telling.centre or 'Confidential'} – for {entry.name[:_LONGEST]} alone"),
    )


def _parts(entry: Notification) -> Sequence[str]:
    if entry.kind != "person":
        happened = "happened.holder-targeted" if entry.extent == "targeted" else "happened.holder"
        return ("title.holder", "greeting", happened, "means.holder", "do.holder", "call", "check", *_ENDS)
    extent = entry.extent.replace(" ", "-")
    do = "do.targeted" if entry.extent == "targeted" else "do.reached"
    through = ("through",) if entry.through and not entry.instead else ()
    return ("title", "greeting", f"happened.{extent}", f"means.{extent}", *through, do, "call", "check", *_ENDS)


def _values(
    entry: Notification, facts: Facts, telling: Telling, english: Words, shown: Callable[[str], str]
) -> dict[str, str | bool]:
    told = entry.through[:_MOST_THROUGH]
    more = f" and {len(entry.through) - len(told)} more" if len(entry.through) > len(told) else ""
    return {
        "name": entry.name[:_LONGEST],
        "role": entry.role[:_LONGEST],
        "sure": entry.extent in {"reached", "data left"},
        "through": ", ".join(told) + more,
        "centre": telling.centre or "The cyber security centre",
        "call": telling.call,
        "hours": telling.hours,
        "site": telling.site,
        "check": check_words(facts.secret, entry.key, entry.extent),
        "when": _when(facts, telling, english, shown),
    }


def _when(facts: Facts, telling: Telling, english: Words, shown: Callable[[str], str]) -> str:
    """By the day: to the minute it would tell what we saw, and when."""
    if facts.first_us is None or facts.last_us is None:
        return english.no_time
    there = clocks.zone(telling.zone, "zone")
    first, last = (_day(us, there, english) for us in (facts.first_us, facts.last_us))
    return Filler({"first": first, "last": last}, shown).fill(english.day if first == last else english.span)


def _day(us: int, there: ZoneInfo, english: Words) -> str:
    try:
        at = datetime.fromtimestamp(us / 1e6, there)
    except (ValueError, OverflowError, OSError):
        return english.no_time
    return f"{at.day} {english.months[at.month - 1]} {at.year}"


def _passage(name: str, english: Words, other: Words | None, filler: Filler) -> Passage:
    told = english.passage[name]
    translated = other.passage.get(name) if other else None
    return Passage(
        id=name,
        heading=told.heading,
        lines=tuple(map(filler.fill, told.lines)),
        points=told.points,
        other_heading=translated.heading if translated else "",
        other=tuple(map(filler.fill, translated.lines)) if translated else (),
        missing=other is not None and translated is None,
    )
