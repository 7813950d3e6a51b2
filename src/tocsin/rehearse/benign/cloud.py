"""A day in, what the staff does in the cloud on it out: sign-ins at the desk and on the road, mail, files, rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud
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
    with scene.marked(None, Dice(scene.world.seed, "cloud", body.key, number)):
        _rare(scene, body, today, pace)


def _where(scene: Scene, body: Body, person: Person, *, away: bool, number: int) -> tuple[str, tuple[str, str], str]:
    """Address, place and system: at the desk, on the phone at home, or in a hotel."""
    dice = scene.dice
    if away:
        trip = Dice(scene.world.seed, "trip", person.id, number // 7)
        return trip.one(scene.world.homes), trip.one(_ABROAD), "Ios 18.6"
    if dice.chance(0.65):
        return f"{body.outside}.1", _HOME, "Windows10"
    return person.home, _HOME, "Ios 18.6"


def _something(scene: Scene, body: Body, person: Person, ts_us: int, *, away: bool, number: int) -> None:
    dice = scene.dice
    client, place, system = _where(scene, body, person, away=away, number=number)
    desk = system == "Windows10"
    chance = dice.random()
    if chance < 0.3:
        how = SignIn(client=client, place=place, system=system)
        if dice.chance(0.06):
            cloud.signs_in(scene, body, ts_us - 9_000_000, person, replace(how, error=50126))
        if dice.chance(0.3):
            how = replace(how, used="Browser", app="Office 365 SharePoint Online", agent=_EDGE)
        elif not desk:
            how = replace(how, agent=_PHONE)
        cloud.signs_in(scene, body, ts_us, person, replace(how, compliant=not dice.chance(0.05)))
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
    if not scene.world.calendar.works(today):
        return
    for _ in range(dice.count(0.8)):
        person = dice.one(body.people)
        name = dice.one(("Newsletters", "Committee", "From the clerk"))
        rule = {"Name": name, "MoveToFolder": "Archive", "FromAddressContainsWords": "newsletter"}
        _commands(scene, body, start, person.upn, "New-InboxRule", f"{person.upn}\\{name}", rule)
    admin = f"adm-{dice.one(body.staff('admin')).user}@{body.mail}"
    if dice.chance(0.25):
        member, clerk = dice.one(body.staff("member")), dice.one(body.staff("clerk", "staff"))
        rights = {"Identity": member.upn, "User": clerk.upn, "AccessRights": "FullAccess", "InheritanceType": "All"}
        _commands(scene, body, start, admin, "Add-MailboxPermission", member.upn, rights)
    if dice.chance(0.12):
        app = dice.one(("Quorum Planner", "Translate Aloud", "Survey Desk"))
        scopes = '"[[Scope: User.Read Calendars.Read]]"'
        change = {"displayName": "ConsentAction.Permissions", "oldValue": "[]", "newValue": scopes}
        target = {"id": records.identity("app", app), "displayName": app, "type": "ServicePrincipal"}
        _changes(scene, body, start, dice.one(body.people).upn, "Consent to application", target, change)
    if dice.chance(0.3):
        person = dice.one(body.people)
        target = {"id": records.identity(person.upn), "displayName": person.name, "type": "User"}
        _changes(scene, body, start, admin, "Reset user password", {**target, "userPrincipalName": person.upn}, None)
    how = SignIn(client=f"{body.outside}.1", used="IMAP4", system="", single=True, compliant=False)
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
    category = "ApplicationManagement" if target["type"] == "ServicePrincipal" else "UserManagement"
    targets = [{**target, "modifiedProperties": [change] if change else []}]
    at = OFFICE.draw(scene.dice, start)
    records.directory(scene, body, at, user, operation, category, f"{body.outside}.1", targets)
