"""A seed, a size and a profile in, a folder of evidence with its truth out, a day at a time.

logs/         what the sensors wrote            truth.json    what happened (never show it to what is tested)
assets.csv    the machines                      claim.json    what the press was told
people.csv    the people                        permit.json   what a penetration test was allowed to do
partner/      what an ally tells afterwards
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tocsin.errors import OutputError, SettingsError
from tocsin.rehearse import lists, partner, truth
from tocsin.rehearse.acts import federation
from tocsin.rehearse.benign import (
    admins,
    agents,
    clocks,
    cloud,
    identity,
    internet,
    mail,
    mishaps,
    pentest,
    servers,
    workday,
)
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import Machine, boot
from tocsin.rehearse.rhythm import DAY_US, midnight_us, next_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories import breach, claim, commodity, contained, pixels
from tocsin.rehearse.stories.profile import Profile, built_in
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.tape import Tape
from tocsin.rehearse.world import World, build

# What these two bodies write on an average day, as far as their collectors keep it.
_A_DAY: Final = 36_000
_FEWEST_DAYS: Final = 21
_LEAST: Final = 20_000
# From here on logs are packed, as those of years are.
_PACKED_FROM: Final = 4_000_000
_LAST: Final = date(2026, 10, 30)


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
    told: Callable[[Progress], None] = lambda progress: None,
) -> Made:
    """Make the evidence of a drill.

    Args:
        events: about how many records; they decide how many days it covers.
        profile: of the group that breaks in; APT40's habits if None.
        told: called after each day.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        SettingsError: too few events to hide a story in.
    """
    steps = making(seed=seed, events=events, folder=folder, profile=profile)
    while True:
        try:
            told(next(steps))
        except StopIteration as end:
            made: Made = end.value
            return made


def making(*, seed: int, events: int, folder: Path, profile: Profile | None = None) -> Generator[Progress, None, Made]:
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
        return (yield from _days(seed, events, folder, profile or built_in()))
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror or error}", hint="Name another folder."
        ) from error


def _days(seed: int, events: int, folder: Path, profile: Profile) -> Generator[Progress, None, Made]:
    days = max(_FEWEST_DAYS, round(events / _A_DAY))
    world = build(seed, _LAST - timedelta(weeks=seed % 26), days)
    scene = _scene(world, folder, packed=events > _PACKED_FROM)
    told = [
        breach.tell(scene, profile, seed),
        contained.tell(scene, profile, seed),
        pixels.tell(scene, seed),
        commodity.tell(scene, seed),
    ]
    running = [*(acts for _, acts in told), pentest.acts(scene)]
    due = [(next(acts), number) for number, acts in enumerate(running)]
    calendar, tape = world.calendar, scene.tape
    usual = float(_A_DAY)  # records of a day of weight 1 at pace 1, as learned so far
    left = sum(calendar.weight(calendar.first + timedelta(days=number)) for number in range(days))
    for number in range(days):
        today = calendar.first + timedelta(days=number)
        weight, before = calendar.weight(today), tape.records
        pace = min(3.0, max(0.02, (events - before) / left / usual))
        _ordinary(scene, today, pace)
        due = _unfold(running, due, next_us(today))
        tape.flush(next_us(today))
        usual += 0.3 * ((tape.records - before) / (pace * weight) - usual)
        left -= weight
        yield Progress(date=today, sits=calendar.sits(today), day=number + 1, days=days, records=tape.records)
    tape.close()
    return _written(scene, [story for story, _ in told], folder)


def _scene(world: World, folder: Path, *, packed: bool) -> Scene:
    dice = Dice(world.seed, "scene")
    start = midnight_us(world.calendar.first)
    tape = Tape(
        folder / "logs",
        begins_us=start,
        packed=packed,
        dice=Dice(world.seed, "sent again"),
        holes=mishaps.holes(world),
        tears=mishaps.tears(world),
    )
    scene = Scene(world=world, tape=tape, dice=dice)
    for body in world.bodies:
        for host in body.hosts:
            machine = Machine(host=host, netbios=body.netbios, dice=Dice(world.seed, "machine", host.name), booted_us=0)
            machine.booted_us = start - int(dice.between(0.3, 25) * DAY_US)
            scene.machines[host.name] = machine
            if host.kind == "windows":
                boot(machine, machine.booted_us)
                if "iis" in host.roles:
                    _with_worker(scene, machine, servers.worker)
                if "adfs" in host.roles:
                    _with_worker(scene, machine, federation.worker)
    return scene


def _with_worker(scene: Scene, machine: Machine, starts: Callable[[Scene, Machine, int], None]) -> None:
    """A server has its worker process, which ran before anything was written down, and after each restart."""
    starts(scene, machine, machine.booted_us + 95_000_000)
    machine.at_boot.append(lambda ts_us: starts(scene, machine, ts_us))


def _ordinary(scene: Scene, today: date, pace: float) -> None:
    for body in scene.world.bodies:
        mishaps.day(scene, body, today)
        clocks.day(scene, body, today, pace)
        servers.day(scene, body, today, pace)
        workday.day(scene, body, today, pace)
        agents.day(scene, body, today, pace)
        admins.day(scene, body, today, pace)
        internet.day(scene, body, today, pace)
        mail.day(scene, body, today, pace)
        cloud.day(scene, body, today, pace)
        identity.day(scene, body, today, pace)


def _unfold(running: list[Iterator[int]], due: list[tuple[int, int]], until_us: int) -> list[tuple[int, int]]:
    """Let each story go on until its next act lies beyond a moment."""
    while due and (first := min(due))[0] < until_us:
        due.remove(first)
        following = next(running[first[1]], None)
        if following is not None:
            due.append((following, first[1]))
    return due


def _written(scene: Scene, stories: list[Story], folder: Path) -> Made:
    paths = {name: folder / name for name in ("truth.json", "assets.csv", "people.csv", "claim.json", "permit.json")}
    names = {name: (machine.host.name, machine.host.fqdn) for name, machine in scene.machines.items()}
    lists.assets(scene.world, names, paths["assets.csv"])
    lists.people(scene.world, paths["people.csv"])
    said = claim.made(scene.world, stories[0])
    paths["claim.json"].write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    pentest.write_permit(pentest.permit(scene, scene.world.body("ps")), scene.world.seed, paths["permit.json"])
    truth.write(scene, stories, paths["truth.json"], claim.truth_of(said, stories[0]))
    partner.write(scene, stories, folder / "partner")
    return Made(
        folder=folder,
        logs=folder / "logs",
        truth=paths["truth.json"],
        assets=paths["assets.csv"],
        people=paths["people.csv"],
        claim=paths["claim.json"],
        permit=paths["permit.json"],
        partner=folder / "partner",
        records=scene.tape.records,
        days=scene.world.calendar.days,
        hosts=sum(len(body.hosts) for body in scene.world.bodies),
    )
