"""A seed, a size and a profile in, a folder of evidence with its truth out, a day at a time.

logs/         what the sensors wrote            truth.json    what happened (never show it to what is tested)
assets.csv    the machines                      claim.json    what the press was told
people.csv    the people                        permit.json   what a penetration test was allowed to do
partner/      what an ally tells afterwards
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from tocsin.errors import OutputError, SettingsError
from tocsin.rehearse import lists, partner, truth
from tocsin.rehearse.benign import pentest
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.part import Part
from tocsin.rehearse.rhythm import next_us
from tocsin.rehearse.stories import claim
from tocsin.rehearse.stories.profile import Profile, built_in
from tocsin.rehearse.tape import thrown
from tocsin.rehearse.world import World, build

# Each of some is asked in bytes, by its number, and answers in bytes.
Ask: TypeAlias = Callable[[Mapping[int, bytes]], dict[int, bytes]]
Apart: TypeAlias = Callable[[Sequence[Callable[[bytes], bytes]]], AbstractContextManager[Ask]]

# What these two bodies write on an average day, as far as their collectors keep it.
_A_DAY: Final = 36_000
_FEWEST_DAYS: Final = 21
_LEAST: Final = 20_000
# From here on logs are packed, as those of years are.
_PACKED_FROM: Final = 4_000_000
_LAST: Final = date(2026, 10, 30)
_FOR_EVER_US: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    date: date
    sits: bool
    day: int
    days: int
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Where everything lies, and how much it is."""

    folder: Path
    logs: Path
    truth: Path
    assets: Path
    people: Path
    claim: Path
    permit: Path
    partner: Path
    records: int
    days: int
    hosts: int


def make(
    *,
    seed: int,
    events: int,
    folder: Path,
    profile: Profile | None = None,
    apart: Apart | None = None,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Made:
    """Make the evidence of a drill.

    Args:
        events: about how many records; they decide how many days it covers.
        profile: of the group that breaks in; APT40's habits if None.
        apart: where the two bodies live, if not in this process; the bytes are the same. It may fail with an OSError.
        told: called after each day.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        SettingsError: too few events to hide a story in.
    """
    steps = making(seed=seed, events=events, folder=folder, profile=profile, apart=apart)
    while True:
        try:
            told(next(steps))
        except StopIteration as end:
            made: Made = end.value
            return made


def making(
    *, seed: int, events: int, folder: Path, profile: Profile | None = None, apart: Apart | None = None
) -> Generator[Progress, None, Made]:
    """As `make`, as an iterator over the days; its return value is what was made."""
    if events < _LEAST:
        raise SettingsError(
            f"{events:,} events are too few for a drill",
            hint=f"Ask for {_LEAST:,} or more: attacks alone are thousands.",
        )
    try:
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder}: holds something already", hint="Name a folder that is new or empty.")
        folder.mkdir(parents=True, exist_ok=True)
        return (yield from _days(seed, events, folder, profile or built_in(), apart or _here))
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror or error}",
            hint="Name another folder, or make room: on the disk, or, where a process was killed, in memory.",
        ) from error


@contextmanager
def _here(answers: Sequence[Callable[[bytes], bytes]]) -> Iterator[Ask]:
    yield lambda questions: {number: answers[number](question) for number, question in questions.items()}


def _days(seed: int, events: int, folder: Path, profile: Profile, apart: Apart) -> Generator[Progress, None, Made]:
    days = max(_FEWEST_DAYS, round(events / _A_DAY))
    world = build(seed, _LAST - timedelta(weeks=seed % 26), days)
    calendar = world.calendar
    parts = [Part(world, body.key, profile, folder, packed=events > _PACKED_FROM) for body in world.bodies]
    with apart([part.answer for part in parts]) as ask:
        lead = _Lead(ask, len(parts), Dice(seed, "sent again"))
        usual = float(_A_DAY)  # records of a day of weight 1 at pace 1, as learned so far
        left = sum(calendar.weight(calendar.first + timedelta(days=number)) for number in range(days))
        for number in range(days):
            today = calendar.first + timedelta(days=number)
            weight, before = calendar.weight(today), lead.records
            pace = min(3.0, max(0.02, (events - before) / left / usual))
            lead.day(number, pace, next_us(today))
            usual += 0.3 * ((lead.records - before) / (pace * weight) - usual)
            left -= weight
            yield Progress(date=today, sits=calendar.sits(today), day=number + 1, days=days, records=lead.records)
        lead.write(_FOR_EVER_US)
        told = lead.all("ends")
    return _written(world, profile, told, folder)


class _Lead:
    """Keeps what the parts of a drill share: the order in which things happen, and two sequences of chances."""

    def __init__(self, ask: Ask, parts: int, dice: Dice) -> None:
        self.records = 0
        self._ask = ask
        self._parts = range(parts)
        self._dice = dice  # of what is sent again, and of where lines are torn
        self._gone = 0  # of the scene's
        self._turn = 0
        self._due = [(due, story, part) for part, found in enumerate(self.all("begins")) for due, story in found]

    def all(self, word: str, *given: object) -> list[Any]:
        """Have all parts do something, each at the same time as the others."""
        return self._each(dict.fromkeys(self._parts, (word, *given)))

    def day(self, number: int, pace: float, until_us: int) -> None:
        """A day of ordinary life, then what the stories do on it, one after another; then it is written down."""
        self._each({part: ("day", number, pace, self._turn + 1 + part) for part in self._parts})
        self._turn += len(self._parts)
        while self._due and (first := min(self._due))[0] < until_us:
            _, story, part = first
            self._turn += 1
            ((following, self._gone),) = self._each({part: ("act", story, self._turn, self._gone)})
            self._due.remove(first)
            if following is not None:
                self._due.append((following, story, part))
        self.write(until_us)

    def write(self, until_us: int) -> None:
        numbers: list[dict[str, list[float]]] = [{} for _ in self._parts]
        asked = [(one, part) for part, found in enumerate(self.all("asks", until_us)) for one in found]
        for one, part in sorted(asked, key=lambda pair: (pair[0]["order"], pair[1])):
            numbers[part][one["name"]] = thrown(self._dice, one["runs"])
        self.records = sum(self._each({part: ("writes", numbers[part]) for part in self._parts}))

    def _each(self, questions: Mapping[int, tuple[object, ...]]) -> list[Any]:
        answers = self._ask({part: orjson.dumps(question) for part, question in questions.items()})
        return [orjson.loads(answers[part]) for part in questions]


def _written(world: World, profile: Profile, told: Sequence[Mapping[str, Any]], folder: Path) -> Made:
    paths = {name: folder / name for name in ("truth.json", "assets.csv", "people.csv", "claim.json", "permit.json")}
    names: dict[str, tuple[str, str]] = {name: pair for part in told for name, pair in part["names"].items()}
    incidents = [story["incident"] for story in truth.incidents(told)]
    lists.assets(world, names, paths["assets.csv"])
    lists.people(world, paths["people.csv"])
    said = claim.made(world)
    paths["claim.json"].write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    pentest.write_permit(pentest.permit(world, names), world.seed, paths["permit.json"])
    truth.write(world, told, names, claim.truth_of(said, incidents[0]), paths["truth.json"])
    partner.write(world, incidents, profile, folder / "partner")
    return Made(
        folder=folder,
        logs=folder / "logs",
        truth=paths["truth.json"],
        assets=paths["assets.csv"],
        people=paths["people.csv"],
        claim=paths["claim.json"],
        permit=paths["permit.json"],
        partner=folder / "partner",
        records=sum(part["records"] for part in told),
        days=world.calendar.days,
        hosts=sum(len(body.hosts) for body in world.bodies),
    )
