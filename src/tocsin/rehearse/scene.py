"""The world while the drill runs: its machines, its logs, and whose doing is being written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import Machine
from tocsin.rehearse.tape import Mark, Tape
from tocsin.rehearse.world import Body, Host, Person, World


@dataclass(slots=True, kw_only=True)
class Scene:
    """Handed to everything that happens.

    Args:
        dice: of the day for ordinary life, of the story for a story.
        mark: whose doing is being written down; None for ordinary life.
    """

    world: World
    tape: Tape
    dice: Dice
    machines: dict[str, Machine] = field(default_factory=dict)
    mark: Mark | None = None

    def machine(self, host: Host | str) -> Machine:
        return self.machines[host if isinstance(host, str) else host.name]

    def body(self, host: Host) -> Body:
        return self.world.body(host.body)

    def station(self, person: Person) -> Machine:
        return self.machines[person.host]

    @contextmanager
    def marked(self, mark: Mark | None, dice: Dice) -> Iterator[None]:
        before = self.mark, self.dice
        self.mark, self.dice = mark, dice
        try:
            yield
        finally:
            self.mark, self.dice = before
