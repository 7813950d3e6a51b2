"""A profile in, the servers, addresses and moments its group works with out; and how it calls home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tocsin.rehearse.acts import linux, processes, web
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, Machine, Running
from tocsin.rehearse.rhythm import HOUR_US, ahead_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Site, World

BUILT_IN: Final = frozenset({"date", "del", "dir", "echo", "type"})
AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """`relays` are addresses of home routers they come through; `home` the sites their programs call."""

    relays: tuple[str, ...]
    home: tuple[Site, ...]


def means(world: World, profile: Profile, dice: Dice) -> Means:
    # Visitors come from the same networks; that it is somebody's own router who works here would be another story.
    own = {person.home for body in world.bodies for person in body.people}
    relays = dice.some([home for home in world.homes if "." in home and home not in own], profile.relays)
    # Rented servers stand beside honest ones: their addresses are those of other sites too.
    home = [Site(name=domain, address=f"203.0.113.{2 + dice.below(110)}", tls=True) for domain in profile.domains]
    return Means(relays=tuple(relays), home=tuple(home))


def at_work(profile: Profile, day_us: int, dice: Dice) -> int:
    """A moment in the group's working hours on a local day."""
    behind = ahead_us(day_us) // HOUR_US - profile.zone_h
    hour = (profile.from_h + behind + dice.random() ** 1.4 * (profile.to_h - profile.from_h)) % 24
    return day_us + int(hour * HOUR_US)


def works(profile: Profile, ts_us: int) -> bool:
    """True in the group's working hours."""
    return profile.from_h <= (ts_us / HOUR_US + profile.zone_h) % 24 < profile.to_h


def calls_home(
    scene: Scene,
    story: Story,
    run: Running,
    site: Site,
    ts_us: int,
    *,
    sent: int = 0,
    received: int = 0,
    lasts_s: float = 0,
) -> None:
    """Their program speaks to its server."""
    dice = scene.dice
    request = web.Request(
        method="POST" if sent else "GET",
        target="/" + dice.hexes(12),
        sent=sent or dice.size(700, 0.6),
        received=received or dice.size(1500, 0.9),
    )
    web.fetch(
        scene,
        ts_us,
        run.machine.host,
        site,
        [request],
        agent=AGENT,
        run=run if run.machine.host.kind == "windows" else None,
        lasts_s=lasts_s,
        resolve=dice.chance(0.3),
    )
    story.addresses.add(site.address)
    story.domains.add(site.name)


def typed(
    scene: Scene, machine: Machine, ts_us: int, parent: Running, line: str, *, image: str = "", lasts_s: float = 1.2
) -> Running:
    """A command at a prompt: the program that it starts, or the shell itself for what a shell can do alone."""
    name = line.partition(" ")[0]
    if name in BUILT_IN:
        return processes.once(
            scene, machine, ts_us, SYSTEM32 + "cmd.exe", f'"cmd.exe" /c {line}', parent, lasts_s=lasts_s
        )
    image = image or SYSTEM32 + (name if name.endswith(".exe") else name + ".exe")
    return processes.once(scene, machine, ts_us, image, line, parent, lasts_s=lasts_s)


def shell_line(scene: Scene, machine: Machine, ts_us: int, parent: Running, line: str, folder: str) -> Running:
    """The same on Linux."""
    shell = linux.run(scene, machine, ts_us, "/usr/bin/dash", f"sh -c '{line}'", parent, folder=folder)
    name = line.partition(" ")[0]
    image = name if name.startswith("/") else f"/usr/bin/{name}"
    return linux.run(scene, machine, ts_us + 20_000, image, line.partition(" >")[0], shell, folder=folder)
