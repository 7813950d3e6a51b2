"""A day in, what the staff does in the cloud on it out: sign-ins at the desk and on the road, mail, files, rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud
from tocsin.rehearse.benign import identity
from tocsin.rehearse.dice import Dice, digest
from tocsin.rehearse.rhythm import OFFICE, PUBLIC, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import cloud as records
from tocsin.rehearse.sensors.cloud import SignIn
from tocsin.rehearse.world import Body, Person

_HOME: Final = ("Wellington", "NZ")
_PHONE: Final = "Outlook-iOS/2.0"
_EDGE: Final = words.AGENTS[0][0]
_ABROAD: Final = (
    ("Suva", "FJ"),
    ("Apia", "WS"),
    ("Singapore", "SG"),
    ("London", "GB"),
    ("Tokyo", "JP"),
    ("Ottawa", "CA"),
)


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    if not body.cloud:
        return
    number = today.toordinal()
    weight = scene.world.calendar.weight(today)
    for person in body.people:
        dice = Dice(scene.world.seed, "cloud", person.id, number)
        with scene.marked(None, dice):
            away = any(start <= number < end for start, end in person.travels)
            for _ in range(dice.count(4.5 * pace * weight * person.rank)):
                at = (PUBLIC if away or dice.chance(0.25) else OFFICE).draw(dice, midnight_us(today))
                _something(scene, body, person, at, away=away, number=number)
            if (number + len(person.upn)) % 7 == 0:
                # However little else is watched, once a week everybody's phone gets the mail.
                at = PUBLIC.draw(dice, midnight_us(today))
                client = _where(scene, body, person, away=True, number=number)[0] if away else person.home
                cloud.reads(scene, body, at, person, identity.listed(scene, 1), client=client, with_="phone", sync=True)
    with scene.marked(None, Dice(scene.world.seed, "cloud", body.key, number)):
        _rare(scene, body, today, pace)


def _where(scene: Scene, body: Body, person: Person, *, away: bool, number: int) -> tuple[str, tuple[str, str], str]:
    """Address, place and system: at the desk, on the phone at home, or in a hotel."""
    dice = scene.dice
    if away:
        trip = Dice(scene.world.seed, "trip", person.id, number // 7)
        if dice.chance(0.25):
            # A phone abroad goes on the internet at home, by its own network: within minutes they are in two places.
            return person.home, _HOME, "Ios 18.6"
        return trip.one(scene.world.homes), trip.one(_ABROAD), dice.one(("Ios 18.6", "Windows10"))
    if _tunnels(person) and dice.chance(0.2):
        tunnel = Dice(scene.world.seed, "tunnel", person.id, number)
        return tunnel.one(scene.world.homes), tunnel.one(_ABROAD), "MacOs"
    if dice.chance(0.65):
        return f"{body.outside}.1", _HOME, "Windows10"
    return person.home, _HOME, "Ios 18.6"


def _tunnels(person: Person) -> bool:
    """True for the few who use a tunnel of their own, which comes out in another country every day."""
    return digest("tunnel", person.id)[:2] < "0d"


def _old(person: Person) -> bool:
    """True for those whose phone or program still reads mail as one did twenty years ago."""
    return digest("client", person.id)[0] in "01"


def _something(scene: Scene, body: Body, person: Person, ts_us: int, *, away: bool, number: int) -> None:
    dice = scene.dice
    client, place, system = _where(scene, body, person, away=away, number=number)
    desk = system == "Windows10"
    chance = dice.random()
    if chance < 0.3:
        how = SignIn(client=client, place=place, system=system)
        if _old(person) and dice.chance(0.4):
            how = replace(how, used="IMAP4", system="", agent=records.OLD_PROGRAM, single=True)
            if dice.chance(0.12):
                cloud.signs_in(scene, body, ts_us - 40_000_000, person, replace(how, error=50126, compliant=False))
            cloud.signs_in(scene, body, ts_us, person, replace(how, compliant=False))
            return
        if dice.chance(0.06):
            cloud.signs_in(scene, body, ts_us - 9_000_000, person, replace(how, error=50126))
        if dice.chance(0.3):
            app = dice.one(("Office 365 SharePoint Online", "Office 365 Exchange Online", "OfficeHome"))
            how = replace(how, used="Browser", app=app, agent=_EDGE)
        elif not desk:
            how = replace(how, agent=_PHONE)
        cloud.signs_in(scene, body, ts_us, person, replace(how, compliant=not dice.chance(0.05)))
    elif chance < 0.72:
        sync = dice.chance(0.3)
        # Some still read with old programs, and everybody now and then in the browser.
        with_ = "imap" if _old(person) else "browser" if dice.chance(0.15) else "outlook" if desk else "phone"
        messages = [
            f"<{dice.hexes(16)}.{dice.below(9999)}@{dice.one(words.FIRST)}mail.example>"
            for _ in range(1 + dice.below(5))
        ]
        cloud.reads(scene, body, ts_us, person, messages, client=client, with_=with_, sync=sync)
    else:
        folder, name = dice.one(words.FOLDERS), dice.one(words.DOCUMENTS)
        operation = dice.one(("FileAccessed", "FileAccessed", "FileModified", "FileDownloaded", "FilePreviewed"))
        file = f"{folder}/{name}-{dice.below(500)}.docx"
        cloud.opens_file(
            scene, body, ts_us, person, file, client=client, operation=operation, agent=_EDGE if desk else _PHONE
        )


def _rules(person: Person) -> tuple[tuple[str, dict[str, str]], ...]:
    """Rules that people make for their mail: some put it away unread, some send it on to where they read it."""
    given = person.mailbox.partition("@")[0]
    return (
        ("Newsletters", {"MoveToFolder": "Archive", "FromAddressContainsWords": "newsletter"}),
        ("Committee", {"MoveToFolder": "Committee", "SubjectContainsWords": "committee;agenda"}),
        ("From the clerk", {"MoveToFolder": "RSS Feeds", "From": "clerk@parliament.example", "MarkAsRead": "True"}),
        ("..", {"DeleteMessage": "True", "SubjectOrBodyContainsWords": "unsubscribe;canteen"}),
        ("Home", {"ForwardTo": f"smtp:{given}@harbourmail.example", "SubjectOrBodyContainsWords": "travel;roster"}),
        ("Office", {"RedirectTo": f"smtp:{given}@electorate.example", "StopProcessingRules": "True"}),
    )


def _rare(scene: Scene, body: Body, today: date, pace: float) -> None:
    """Rules, delegates, new passwords, an old scanner that can do no better than IMAP: now and then, and allowed."""
    dice, start = scene.dice, midnight_us(today)
    if not scene.world.calendar.works(today):
        return
    for _ in range(dice.count(0.9)):
        person = dice.one(body.people)
        name, rule = dice.one(_rules(person))
        with_ = dice.one(("New-InboxRule", "New-InboxRule", "Set-InboxRule"))
        _commands(scene, body, start, person.upn, with_, f"{person.upn}\\{name}", {"Name": name, **rule})
    admin = f"adm-{dice.one(body.staff('admin')).user}@{body.mail}"
    if dice.chance(0.25):
        member, clerk = dice.one(body.staff("member")), dice.one(body.staff("clerk", "staff"))
        rights = {"Identity": member.upn, "User": clerk.upn, "AccessRights": "FullAccess", "InheritanceType": "All"}
        _commands(scene, body, start, admin, "Add-MailboxPermission", member.upn, rights)
    if dice.chance(0.3):
        person = dice.one(body.people)
        target = {"id": records.identity(person.upn), "displayName": person.name, "type": "User"}
        _changes(scene, body, start, admin, "Reset user password", {**target, "userPrincipalName": person.upn}, None)
    how = SignIn(
        client=f"{body.outside}.1", used="IMAP4", system="", agent=records.OLD_PROGRAM, single=True, compliant=False
    )
    for _ in range(dice.count(3 * min(pace, 1.5))):
        cloud.signs_in(scene, body, OFFICE.draw(dice, start), body.staff("clerk")[0], how)


def _commands(
    scene: Scene, body: Body, start: int, user: str, operation: str, about: str, parameters: dict[str, str]
) -> None:
    dice = scene.dice
    client = f"{body.outside}.1:5{dice.below(9999):04}"
    cloud.administers(scene, body, OFFICE.draw(dice, start), user, operation, about, parameters, client=client)


def _changes(
    scene: Scene, body: Body, start: int, user: str, operation: str, target: dict[str, str], change: Any
) -> None:
    targets = [{**target, "modifiedProperties": [change] if change else []}]
    at = OFFICE.draw(scene.dice, start)
    records.directory(scene, body, at, user, operation, "UserManagement", f"{body.outside}.1", targets)
