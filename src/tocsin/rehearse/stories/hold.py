"""What a group has got hold of so far, and how it works through that: the web shell, the program, the credentials."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from tocsin.rehearse.acts import processes, web
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, Machine, Running
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.means import AGENT, BUILT_IN, Means, typed
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Person

MINUTE: Final = 60_000_000


@dataclass(slots=True, kw_only=True)
class Hold:
    """What they have so far."""

    means: Means
    web: Machine
    implant: Running | None = None
    second: Running | None = None  # their program on the jump host
    account: str = ""  # whose credentials they use first
    others: list[str] = field(default_factory=list)  # accounts whose passwords they guessed
    folders: list[str] = field(default_factory=list)  # shares that were read through
    goes: int = 0  # how often the last of them was read
    lent: Person | None = None  # who let their application in
    parts: list[tuple[str, int]] = field(default_factory=list)  # of archives not yet sent, with their sizes

    @property
    def pool(self) -> Running:
        """The web server's worker process, as it runs now."""
        return self.web.core["w3wp"]


def agent(dice: Dice) -> str:
    """They look like any reader; now and then a script's default name slips through."""
    return AGENT if dice.chance(0.85) else "python-requests/2.32.5"


def post(scene: Scene, story: Story, hold: Hold, ts_us: int, target: str, *, sent: int, received: int) -> None:
    request = web.Request(method="POST", target=target, sent=sent, received=received, took_ms=story.dice.size(400, 0.5))
    web.visit(scene, ts_us, story.dice.one(hold.means.relays[:3]), hold.web.host, [request], agent=agent(story.dice))


def commands(scene: Scene, hold: Hold, ts_us: int, line: str, *, image: str = "", lasts_s: float = 1.2) -> Running:
    """A command by the web shell: a shell of the worker process, in the form that its client gives it."""
    folder = "C:\\inetpub\\wwwroot\\submissions\\images"
    whole = f'"cmd" /c cd /d "{folder}"&{line}&echo [S]&cd&echo [E]'
    machine = hold.web
    shell = processes.once(
        scene,
        machine,
        ts_us,
        SYSTEM32 + "cmd.exe",
        whole,
        hold.pool,
        lasts_s=lasts_s + 0.4,
        folder=SYSTEM32 + "inetsrv\\",
    )
    if line.partition(" ")[0] in BUILT_IN:
        return shell
    return typed(scene, machine, ts_us + 60_000, shell, line, image=image, lasts_s=lasts_s)


def keeps(scene: Scene, story: Story, hold: Hold, name: str, parent: str) -> None:
    """Their program starts with its machine from now on; `name` is its place in what they hold."""
    first: Running = getattr(hold, name)

    def begins(ts_us: int) -> None:
        machine = first.machine
        with calling(scene, story, hold, ts_us):
            again = processes.start(scene, machine, ts_us, first.image, first.line, machine.core[parent])
            setattr(hold, name, again)

    first.machine.at_boot.append(begins)


def calling(scene: Scene, story: Story, hold: Hold, ts_us: int) -> AbstractContextManager[None]:
    """The step that goes on for as long as they are there."""
    what = "Their program calls home over HTTPS"
    return story.step(scene, ts_us, "T1071.001", what, host=hold.web.host, again="calls")


def implant(hold: Hold) -> Running:
    """Their program as it runs now."""
    assert hold.implant
    return hold.implant


def either(hold: Hold, dice: Dice) -> Running:
    """One of their programs that call home: now this, now that one."""
    return hold.second if hold.second and dice.chance(0.6) else implant(hold)
