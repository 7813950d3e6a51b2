"""One body's part of a drill: asked in bytes, it lives through its days and writes its logs, and answers in bytes.

The two bodies share nothing that changes but two sequences of chances and how busy a day is; whoever leads the drill
(`evidence.py`) keeps those, and tells each part what it needs of them. So a part may be in a process of its own, and
the evidence is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from tocsin.rehearse import truth
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
from tocsin.rehearse.rhythm import DAY_US, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories import breach, commodity, contained, pixels
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.tape import Asked, Tape
from tocsin.rehearse.world import World


class Part:
    """The body `key` of a world, and the stories that happen there."""

    def __init__(self, world: World, key: str, profile: Profile, folder: Path, *, packed: bool) -> None:
        self._world = world
        self._body = world.body(key)
        self._scene = _scene(world, folder, packed=packed)
        # What a story does outside of its steps is thrown from the scene's own chances, by all stories of all parts.
        self._gone = 0
        self._chances = self._thrown(self._scene.dice)
        self._scene.dice = Dice.dealt(self._chances)
        told = [
            breach.tell(self._scene, profile, world.seed),
            contained.tell(self._scene, profile, world.seed),
            pixels.tell(self._scene, world.seed),
            commodity.tell(self._scene, world.seed),
        ]
        self._stories = {number: story for number, (story, _) in enumerate(told) if story.body.key == key}
        self._acts: dict[int, Iterator[int]] = {number: told[number][1] for number in self._stories}
        if key == pentest.BODY:
            self._acts[len(told)] = pentest.acts(self._scene)

    def _thrown(self, dice: Dice) -> Iterator[float]:
        while True:
            self._gone += 1
            yield dice.random()

    def answer(self, question: bytes) -> bytes:
        """The word is the name of one of the functions below, and stands before what it is given."""
        word, *given = orjson.loads(question)
        return orjson.dumps(_WORDS[word](self, *given))

    def begins(self) -> list[tuple[int, int]]:
        """When the first act of each story is due, and the story's number."""
        return [(next(acts), number) for number, acts in self._acts.items()]

    def day(self, number: int, pace: float, turn: int) -> None:
        """Let a day of ordinary life go by; it counts from 0."""
        scene, body = self._scene, self._body
        today = self._world.calendar.first + timedelta(days=number)
        scene.tape.turn = turn
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

    def act(self, story: int, turn: int, gone: int) -> tuple[int | None, int]:
        """Let a story go on until its next act.

        Args:
            gone: how many of the scene's chances stories have thrown by now, those of all parts.

        Returns:
            When its next act is due, if there is one; and how many are gone then.
        """
        while self._gone < gone:
            next(self._chances)
        self._scene.tape.turn = turn
        return next(self._acts[story], None), self._gone

    def asks(self, until_us: int) -> list[Asked]:
        """What it takes to write what happened before a moment."""
        return self._scene.tape.asks(until_us)

    def writes(self, numbers: dict[str, list[float]]) -> int:
        """Write what is due; how many records there are by now."""
        self._scene.tape.write(numbers)
        return self._scene.tape.records

    def ends(self) -> dict[str, Any]:
        """Close the logs, and tell the truth about them."""
        self._scene.tape.close()
        return truth.told(self._scene, self._body, self._stories)


_WORDS: Final[dict[str, Callable[..., Any]]] = {
    word.__name__: word for word in (Part.begins, Part.day, Part.act, Part.asks, Part.writes, Part.ends)
}


def _scene(world: World, folder: Path, *, packed: bool) -> Scene:
    dice = Dice(world.seed, "scene")
    start = midnight_us(world.calendar.first)
    tape = Tape(folder / "logs", begins_us=start, packed=packed, holes=mishaps.holes(world), tears=mishaps.tears(world))
    scene = Scene(world=world, tape=tape, dice=dice)
    # The machines of all bodies, since they are made by one sequence of chances.
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
