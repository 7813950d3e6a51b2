"""Another group's habits in, mails out that tell when and where named members read them: targeted, not breached.

Public facts it follows: in 2021 members of parliaments who watch one foreign policy were sent mails in the name of a
news site, with a picture of one dot whose address said who had opened it. Nothing was exploited, and nothing taken but
the fact itself: address, time and program of the reader.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from tocsin.rehearse.acts import mail
from tocsin.rehearse.benign.mail import pixel
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.rhythm import DAY_US, HOUR_US
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Person, Site

GROUP: Final = Profile(
    group="APT31",
    id="G0128",
    aliases=("ZIRCONIUM", "Violet Typhoon"),
    techniques=frozenset({"T1598.003", "T1592.004", "T1583.001"}),
    lent=frozenset(),
    software={},
    zone_h=8,
    from_h=9,
    to_h=18,
    domains=("newsdesk-pacific.example",),
    relays=1,
    decoy={},
)
_SUBJECTS: Final = (
    "Pacific newsdesk: what the select committee did not ask",
    "Your name in our report on strait policy",
    "Comment requested before publication",
)


def tell(scene: Scene, seed: int) -> tuple[Story, Iterator[int]]:
    story = Story(
        id="incident-3",
        campaign="campaign-2",
        kind="targeting",
        title="Mails with tracking pixels to named members",
        body=scene.world.body("ps"),
        dice=Dice(seed, "pixels"),
        profile=GROUP,
    )
    return story, _acts(scene, story)


def _acts(scene: Scene, story: Story) -> Iterator[int]:
    dice, body = story.dice, story.body
    domain = GROUP.domains[0]
    chosen = dice.some(body.staff("member"), 9)
    sender = (f"mta1.{domain}", "203.0.113.241")
    site = Site(name=f"img.{domain}", address=sender[1], tls=False)
    story.addresses.add(sender[1])
    story.domains.update({domain, site.name, sender[0]})
    for wave, share in enumerate((0.22, 0.48, 0.74)):
        day = scene.world.calendar.working_day(share, sits=True)
        # One after the other, by hand: in office hours of their own place.
        now = day + 13 * HOUR_US + dice.below(3 * HOUR_US)
        opened: list[tuple[int, Person, str]] = []
        for person in chosen if wave == 0 else dice.some(chosen, 6):
            yield (now := now + 20_000_000 + dice.below(240_000_000))
            told = base64.urlsafe_b64encode(person.mailbox.encode()).decode().rstrip("=")
            what = "Mails with a picture of one dot come to named members"
            with story.step(scene, now, "T1598.003", what, again=f"mails-{wave + 1}"):
                message = mail.message(
                    scene, f"editor@{domain}", person.mailbox, _SUBJECTS[wave], 21_000 + dice.below(4000)
                )
                arrived = mail.arrives(scene, body, now, message, sender)
            story.concerns("targeted", person.id)
            if dice.chance(0.55):
                read = min(arrived + int(dice.wait(5400) * 1e6), day + DAY_US - HOUR_US)
                opened.append((read, person, f"/o/{wave}/{told}.png"))
        for read, person, target in sorted(opened, key=lambda one: one[0]):
            yield max(now, read)
            _opens(scene, story, person, site, max(now, read), target, wave)


def _opens(scene: Scene, story: Story, person: Person, site: Site, ts_us: int, target: str, wave: int) -> None:
    """The mail program asks for the picture, if its owner is at the desk; on the phone nobody here sees it."""
    machine = scene.station(person)
    run = machine.core.get("outlook")
    if run is None or ts_us < run.since_us or (run.until_us and run.until_us < ts_us):
        return
    what = "Some are opened: the picture's address tells who, where and with which program"
    with story.step(
        scene, ts_us, "T1592.004", what, host=machine.host, account=person.account, again=f"opens-{wave + 1}"
    ):
        pixel(scene, machine.host.name, site, ts_us, person, target)
    story.concerns("possibly_reached", person.id)
