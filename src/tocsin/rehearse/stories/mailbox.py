"""Credentials of an administrator in, mailboxes read in the cloud out."""

from __future__ import annotations

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.hold import MINUTE, Hold
from tocsin.rehearse.stories.means import AGENT
from tocsin.rehearse.stories.story import Story


def reads(scene: Scene, story: Story, hold: Hold, ts_us: int, number: int) -> None:
    """A member's mailbox is opened with a stolen password: message by message the first time, then as a folder."""
    if not (story.profile and story.profile.does("T1114.002")):
        return
    dice, body = story.dice, story.body
    person = dice.one([one for one in body.staff("member") if one.id not in story.people.get("data_left", ())])
    client = dice.one(hold.means.relays)
    with story.step(
        scene,
        ts_us,
        "T1078.004",
        f"{person.account} signs in from a home router, by a protocol without a second factor",
        account=person.upn,
    ):
        cloud.signs_in(
            scene,
            body,
            ts_us - 40_000_000,
            person,
            client=client,
            used="IMAP4",
            system="",
            error=50126,
            single=True,
            compliant=False,
        )
        cloud.signs_in(
            scene,
            body,
            ts_us,
            person,
            client=client,
            used="IMAP4",
            system="",
            agent=AGENT,
            single=True,
            compliant=False,
        )
    at = ts_us + 2 * MINUTE
    with story.step(scene, at, "T1114.002", f"The mailbox of {person.mailbox} is read", account=person.upn):
        for part in range(6):
            # Their network of home routers gives them another address every few minutes.
            client = dice.one(hold.means.relays)
            messages = [
                f"<{dice.hexes(16)}.{dice.below(9999)}@{dice.one(words.FIRST)}mail.example>"
                for _ in range(3 + dice.below(9))
            ]
            cloud.reads(
                scene,
                body,
                at + part * MINUTE,
                person,
                messages,
                client=client,
                with_="imap" if number < 4 else "browser",
                sync=number > 3 and part == 5,
            )
    story.concerns("targeted", person.id)
    story.concerns("reached", person.id)
    story.concerns("data_left", person.id)
    story.accounts.add(person.account)
