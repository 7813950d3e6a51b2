"""What a group has got hold of so far, and how it works through that: the web shell, the program, the credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tocsin.rehearse.acts import processes, web
from tocsin.rehearse.benign.servers import worker
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import Machine, Running, Session
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.means import AGENT, Means
from tocsin.rehearse.stories.story import Story

MINUTE: Final = 60_000_000


@dataclass(slots=True, kw_only=True)
class Hold:
    """What they have so far."""

    means: Means
    web: Machine
    pool: Running
    implant: Running | None = None
    account: str = ""  # whose credentials they use
    session: Session | None = None  # on the file server
    staged: list[tuple[str, int]] = field(default_factory=list)  # archives, with their sizes


def agent(dice: Dice) -> str:
    """They look like any reader; now and then a script's default name slips through."""
    return AGENT if dice.chance(0.85) else "python-requests/2.32.5"


def post(scene: Scene, story: Story, hold: Hold, ts_us: int, target: str, *, sent: int, received: int) -> None:
    request = web.Request(method="POST", target=target, sent=sent, received=received, took_ms=story.dice.size(400, 0.5))
    web.visit(
        scene, ts_us, story.dice.one(hold.means.relays[:3]), hold.web.host, [request], agent=agent(story.dice)
    )


def awake(scene: Scene, hold: Hold, ts_us: int) -> Running:
    """Their program; started anew by its service if the machine was."""
    machine, run = hold.web, hold.implant
    assert run
    if run.since_us < machine.booted_us:
        hold.pool = worker(scene, scene.body(machine.host), machine)
        at = min(machine.booted_us + 95_000_000, ts_us)
        run = hold.implant = processes.start(scene, machine, at, run.image, run.line, machine.core["services"])
    return run


def implant(scene: Scene, story: Story, hold: Hold, ts_us: int) -> Running:
    """As `awake`, marked as part of keeping in touch."""
    with story.step(scene, ts_us, "T1071.001", "Their program calls home over HTTPS", host=hold.web.host, again="calls"):
        return awake(scene, hold, ts_us)
