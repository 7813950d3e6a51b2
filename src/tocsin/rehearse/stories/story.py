"""What a story does in, its steps and whom they concern out: the part of the truth that only the author knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tocsin.rehearse.dice import Dice
from tocsin.rehearse.rhythm import moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.tape import Mark
from tocsin.rehearse.world import Body, Host


@dataclass(slots=True, kw_only=True)
class Step:
    """Techniques are ids of ATT&CK v19; `decoy` when it was done to mislead."""

    id: str
    at_us: int
    what: str
    techniques: tuple[str, ...]
    host: str
    account: str
    decoy: bool = False


@dataclass(slots=True, kw_only=True)
class Story:
    """One incident as it unfolds.

    Args:
        kind: breach, targeting or malware.
        people: ids of those it concerns: targeted, possibly_reached, reached, data_left.
        left: bytes of payload that left, by what they were.
    """

    id: str
    campaign: str
    kind: str
    title: str
    body: Body
    dice: Dice
    profile: Profile | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    people: dict[str, set[str]] = field(default_factory=dict)
    staged: int = 0
    left: dict[str, int] = field(default_factory=dict)
    contained_us: int = 0

    @contextmanager
    def step(
        self,
        scene: Scene,
        at_us: int,
        techniques: str,
        what: str,
        *,
        host: Host | None = None,
        account: str = "",
        decoy: bool = False,
        again: str = "",
    ) -> Iterator[None]:
        """All that is written down within belongs to this step.

        Args:
            techniques: ids, divided by blanks.
            again: a name for a step that goes on in parts; the first part tells what it is.
        """
        number = again or f"s{len(self.steps) + 1:02}"
        if number not in self.steps:
            self.steps[number] = Step(
                id=number,
                at_us=at_us,
                what=what,
                techniques=tuple(techniques.split()),
                host=host.fqdn if host else "",
                account=account,
                decoy=decoy,
            )
        if host:
            self.hosts.add(host.fqdn)
        if account:
            self.accounts.add(account)
        with scene.marked(Mark(incident=self.id, step=number), self.dice):
            yield

    def concerns(self, how: str, *people: str) -> None:
        self.people.setdefault(how, set()).update(people)

    def takes(self, what: str, count: int) -> None:
        self.left[what] = self.left.get(what, 0) + count


def working_day(scene: Scene, share: float, *, sits: bool = False) -> int:
    """The start of a working day somewhere in the drill, 0 being its first and 1 its last day."""
    from datetime import timedelta

    calendar = scene.world.calendar
    number = int(share * (calendar.days - 1))
    order = [number + off for step in range(calendar.days) for off in ((step,) if step == 0 else (step, -step))]
    for place in order:
        if 0 <= place < calendar.days:
            today = calendar.first + timedelta(days=place)
            quiet = calendar.works(today) and not calendar.patches(today)
            if quiet and (not sits or calendar.sits(today)):
                return moment_us(today, 0)
    return moment_us(calendar.first, 0)
