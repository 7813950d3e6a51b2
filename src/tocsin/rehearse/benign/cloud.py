"""A day in, what the staff does in the cloud on it out: sign-ins at the desk and on the road, mail, files, rules."""

from __future__ import annotations

from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud
from tocsin.rehearse.dice import Dice, digest
from tocsin.rehearse.rhythm import OFFICE, PUBLIC, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import cloud as records
from tocsin.rehearse.world import Body, Person

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
    with scene.marked(None, Dice(scene.world.seed, "cloud", body.key, number)):
        _rare(scene, body, today, pace)


def _where(scene: Scene, body: Body, person: Person, *, away: bool, number: int) -> tuple[str, tuple[str, str], str]:
    """Address, place and system: at the desk, on the phone at home, or in a hotel."""
    dice = scene.dice
    if away:
        trip = Dice(scene.world.seed, "trip", person.id, number // 7)
        return trip.one(scene.world.homes), trip.one(_ABROAD), "Ios 18.6"
    if dice.chance(0.65):
        return f"{body.outside}.1", cloud.HOME, "Windows10"
    return person.home, cloud.HOME, "Ios 18.6"


def _something(scene: Scene, body: Body, person: Person, ts_us: int, *, away: bool, number: int) -> None:
    dice = scene.dice
    client, place, system = _where(scene, body, person, away=away, number=number)
    desk = system == "Windows10"
    chance = dice.random()
    if chance < 0.3:
        if dice.chance(0.06):
            cloud.signs_in(
                scene, body, ts_us - 9_000_000, person, client=client, place=place, system=system, error=50126
            )
        browser = dice.chance(0.3)
        cloud.signs_in(
            scene,
            body,
            ts_us,
            person,
            client=client,
            place=place,
            system=system,
            used="Browser" if browser else "Mobile Apps and Desktop clients",
            app="Office 365 SharePoint Online" if browser else "Office 365 Exchange Online",
            agent=_EDGE if browser else "-" if desk else _PHONE,
            compliant=not dice.chance(0.05),
        )
    elif chance < 0.72:
        sync = dice.chance(0.3)
        # Some still read with old programs, and everybody now and then in the browser.
        old = digest("client", person.id)[0] in "01"
        with_ = "imap" if old else "browser" if dice.chance(0.15) else "outlook" if desk else "phone"
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


def _rare(scene: Scene, body: Body, today: date, pace: float) -> None:
    """Rules, delegates, consents, an old scanner that can do no better than IMAP: now and then, all of it allowed."""
    dice, start = scene.dice, midnight_us(today)
    desk = f"{body.outside}.1"
    if not scene.world.calendar.works(today):
        return
    for _ in range(dice.count(0.8)):
        person = dice.one(body.people)
        rule = {
            "Name": dice.one(("Newsletters", "Committee", "From the clerk")),
            "MoveToFolder": "Archive",
            "FromAddressContainsWords": "newsletter",
        }
        cloud.administers(
            scene,
            body,
            OFFICE.draw(dice, start),
            person.upn,
            "New-InboxRule",
            f"{person.upn}\\{rule['Name']}",
            rule,
            client=f"{desk}:5{dice.below(9999):04}",
        )
    admin = dice.one(body.staff("admin"))
    if dice.chance(0.25):
        member, clerk = dice.one(body.staff("member")), dice.one(body.staff("clerk", "staff"))
        rights = {"Identity": member.upn, "User": clerk.upn, "AccessRights": "FullAccess", "InheritanceType": "All"}
        cloud.administers(
            scene,
            body,
            OFFICE.draw(dice, start),
            f"adm-{admin.user}@{body.mail}",
            "Add-MailboxPermission",
            member.upn,
            rights,
            client=f"{desk}:5{dice.below(9999):04}",
        )
    if dice.chance(0.12):
        app = dice.one(("Quorum Planner", "Translate Aloud", "Survey Desk"))
        targets = [
            {
                "id": records.identity("app", app),
                "displayName": app,
                "type": "ServicePrincipal",
                "modifiedProperties": [
                    {
                        "displayName": "ConsentAction.Permissions",
                        "oldValue": "[]",
                        "newValue": '"[[Scope: User.Read Calendars.Read]]"',
                    }
                ],
            }
        ]
        records.directory(
            scene,
            body,
            OFFICE.draw(dice, start),
            dice.one(body.people).upn,
            "Consent to application",
            "ApplicationManagement",
            desk,
            targets,
        )
    if dice.chance(0.3):
        person = dice.one(body.people)
        targets = [
            {
                "id": records.identity(person.upn),
                "displayName": person.name,
                "type": "User",
                "userPrincipalName": person.upn,
                "modifiedProperties": [],
            }
        ]
        records.directory(
            scene,
            body,
            OFFICE.draw(dice, start),
            f"adm-{admin.user}@{body.mail}",
            "Reset user password",
            "UserManagement",
            desk,
            targets,
        )
    scanner = dice.one(body.staff("clerk")[:1])
    for _ in range(dice.count(3 * min(pace, 1.5))):
        cloud.signs_in(
            scene,
            body,
            OFFICE.draw(dice, start),
            scanner,
            client=desk,
            used="IMAP4",
            system="",
            single=True,
            compliant=False,
        )
