"""A day in, the mail of the day out."""

from __future__ import annotations

from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import mail, web
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.rhythm import OFFICE, PUBLIC, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import mail as lines
from tocsin.rehearse.world import Body, Person, Site

# Bulk senders whose pictures tell who read their mail: a habit of honest newsletters too.
_BULK: Final = ("newsletter.harbournews.example", "mailer.civicstats.example", "send.lawlibrary.example.org")


def subject(dice: Dice, today: date) -> str:
    return dice.one(words.SUBJECTS).replace("{n}", str(dice.below(900))).replace("{day}", f"{today:%A}")


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    dice = Dice(scene.world.seed, "mail", body.key, today.toordinal())
    start = midnight_us(today)
    weight = scene.world.calendar.weight(today) * len(body.people) / 160
    with scene.marked(None, dice):
        for _ in range(dice.count(95 * pace * weight)):
            _inward(scene, body, PUBLIC.draw(dice, start), today)
        for _ in range(dice.count(60 * pace * weight)):
            person = dice.one(body.people)
            domain = (
                dice.one(scene.world.bodies).mail
                if dice.chance(0.2)
                else f"{dice.one(words.FIRST)}{dice.one(words.SECOND)}.example"
            )
            if domain == body.mail:
                continue
            at = OFFICE.draw(dice, start)
            recipient = f"{dice.one(words.GIVEN).lower()}.{dice.one(words.FAMILY).lower().replace(' ', '')}@{domain}"
            sent = mail.message(scene, person.mailbox, recipient, subject(dice, today), dice.size(38_000, 1.3))
            mail.leaves(scene, body, at, sent, mail.server_of(domain))
        for _ in range(dice.count(6 * pace)):
            gate = scene.machine(body.one("mx"))
            client = dice.one(scene.world.homes)
            lines.rejected(
                scene, gate, PUBLIC.draw(dice, start), client, f"bounce{dice.below(999)}@shop.test", "x@relay.test"
            )


def _inward(scene: Scene, body: Body, ts_us: int, today: date) -> None:
    dice = scene.dice
    person = dice.one(body.people)
    if dice.chance(0.2):
        _newsletter(scene, body, person, ts_us)
        return
    domain = f"{dice.one(words.FIRST)}{dice.one(words.SECOND)}.example"
    sender = f"{dice.one(words.GIVEN).lower()}.{dice.one(words.FAMILY).lower().replace(' ', '')}@{domain}"
    message = mail.message(scene, sender, person.mailbox, subject(dice, today), dice.size(42_000, 1.3))
    status = "bounced" if dice.chance(0.02) else "sent"
    mail.arrives(scene, body, ts_us, message, mail.server_of(domain), status=status)


def _newsletter(scene: Scene, body: Body, person: Person, ts_us: int) -> None:
    dice = scene.dice
    domain = dice.one(_BULK)
    title = f"The week in {domain.split('.')[1]}, no. {dice.below(300)}"
    message = mail.message(scene, f"news@{domain}", person.mailbox, title, dice.size(60_000, 0.3))
    mail.arrives(scene, body, ts_us, message, mail.server_of(domain))
    opened_us = ts_us + int(dice.wait(3 * 3600) * 1e6)
    machine = scene.station(person)
    if machine.desk and machine.desk.since_us < opened_us and dice.chance(0.35):
        outlook = machine.core.get("outlook")
        if (outlook and not outlook.until_us) or (outlook and outlook.until_us > opened_us):
            pixel(
                scene,
                machine.host.name,
                Site(name=f"img.{domain}", address=mail.server_of(domain)[1], tls=dice.chance(0.7)),
                opened_us,
                person,
            )


def pixel(scene: Scene, host: str, site: Site, ts_us: int, person: Person, target: str = "") -> None:
    """A mail program shows a picture from elsewhere, and so tells that and where it was read."""
    dice, machine = scene.dice, scene.machine(host)
    target = target or f"/open.gif?u={dice.hexes(16)}&c={dice.below(400)}"
    web.fetch(
        scene,
        ts_us,
        machine.host,
        site,
        [web.Request(target=target, received=43)],
        agent="Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        run=machine.core.get("outlook"),
        mime="image/gif",
        user=person.user,
    )
