"""Credentials of an administrator in, mailboxes read in the cloud out."""

from __future__ import annotations

from dataclasses import replace

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors.cloud import OLD_PROGRAM, SignIn
from tocsin.rehearse.stories.hold import MINUTE, Hold
from tocsin.rehearse.stories.story import Story


def reads(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A member's mailbox is opened with a stolen password: message by message the first time, then as a folder."""
    if not (story.profile and story.profile.does("T1114.002 T1078.004")):
        return
    dice, body = story.dice, story.body
    first = not story.people.get("data_left")
    person = dice.one([one for one in body.staff("member") if one.id not in story.people.get("data_left", ())])
    client = dice.one(hold.means.relays)
    what = f"{person.account} signs in from a home router, by a protocol without a second factor"
    with story.step(scene, ts_us, "T1078.004", what, account=person.upn):
        how = SignIn(client=client, used="IMAP4", system="", agent=OLD_PROGRAM, single=True, compliant=False)
        cloud.signs_in(scene, body, ts_us - 40_000_000, person, replace(how, error=50126))
        cloud.signs_in(scene, body, ts_us, person, how)
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
                with_="imap" if first else "browser",
                sync=not first and part == 5,
            )
    story.concerns("targeted", person.id)
    story.concerns("reached", person.id)
    story.concerns("data_left", person.id)
    story.accounts.add(person.account)
