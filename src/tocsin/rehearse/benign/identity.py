"""A day in, what those do on it out who look after accounts and mailboxes: all that intruders do there, allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import cloud, federation, logons, processes
from tocsin.rehearse.dice import Dice, digest
from tocsin.rehearse.rhythm import EVEN, OFFICE, day_of, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import cloud as records
from tocsin.rehearse.sensors.cloud import SignIn
from tocsin.rehearse.world import Body, Person

# Applications that people let in for themselves, with what they may do.
_APPS: Final = (
    ("Quorum Planner", "User.Read Calendars.Read"),
    ("Translate Aloud", "User.Read Files.Read offline_access"),
    ("Survey Desk", "User.Read Contacts.Read"),
    ("Inbox Tidy", "User.Read Mail.ReadWrite MailboxSettings.Read offline_access"),
    ("Pocket Hansard", "User.Read Mail.Read offline_access"),
)
# What an administrator let in for the whole house: it keeps the mail of the committees' clerks.
_ARCHIVE: Final = ("Records Keeper", "User.Read.All Mail.Read offline_access")
_KEPT: Final = 6  # mailboxes
_ASSISTED: Final = 12  # members
_HOSTED: Final = ("203.0.113.121", "203.0.113.122")
_EXPORT: Final = (
    "Import-Module 'C:\\Program Files (x86)\\ADFS Rapid Recreation Tool\\ADFSRapidRecreationTool.dll'; "
    "Backup-ADFS -StorageType FileSystem -StoragePath \\\\{fs}\\IT\\federation -EncryptionPassword $p -BackupDKM"
)


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    if not body.cloud:
        return
    dice, start = Dice(scene.world.seed, "identity", body.key, today.toordinal()), midnight_us(today)
    works = scene.world.calendar.works(today)
    with scene.marked(None, dice):
        _serves(scene, body, today, pace)
        admin = f"adm-{body.staff('admin')[0].user}@{body.mail}"
        since = scene.world.calendar.working_day(0.08)
        if start == since:
            at = OFFICE.draw(dice, start)
            lets_in(scene, body, at, admin, *_ARCHIVE, client=f"{body.outside}.1", everybody=True)
        for _ in range(dice.count(1.5 + 11 * min(pace, 1.5)) if start > since else 0):
            _archives(scene, body, EVEN.draw(dice, start))
        if not works:
            return
        for _ in range(dice.count(14 * pace)):
            _assists(scene, body, OFFICE.draw(dice, start))
        for _ in range(dice.count(2)):
            app = dice.one(
                ("Azure Portal", "Microsoft Exchange Online Remote PowerShell", "Microsoft 365 admin center")
            )
            how = SignIn(client=f"{body.outside}.1", app=app, used="Browser", agent=words.AGENTS[0][0])
            if dice.chance(0.1):
                how = replace(how, client=body.staff("admin")[0].home, compliant=False)
            records.sign_in(scene, body, OFFICE.draw(dice, start), admin, body.staff("admin")[0].name, how)
        for _ in range(dice.count(0.35)):
            name, scopes = dice.one(_APPS)
            person = dice.one(body.people)
            lets_in(scene, body, OFFICE.draw(dice, start), person.upn, name, scopes, client=f"{body.outside}.1")
        for _ in range(dice.count(5 * min(pace, 1.5))):
            _tidies(scene, body, EVEN.draw(dice, start))


def _serves(scene: Scene, body: Body, today: date, pace: float) -> None:
    """The federation server reads its own store; now and then an administrator keeps a copy of it."""
    dice, start, calendar = scene.dice, midnight_us(today), scene.world.calendar
    machine = scene.machine(body.one("adfs"))
    run = machine.core["adfs"]
    for _ in range(dice.count(3 * pace)):
        at = EVEN.draw(dice, start)
        if at > run.since_us:
            federation.reads_store(scene, body, run, at, federation.account(body))
    # Before the patches of the month, and whenever somebody remembers it.
    due = {day_of(calendar.working_day(share)) for share in (0.12, 0.55)}
    if today in due or (calendar.works(today) and dice.chance(0.02)):
        admin = body.staff("admin")[0]
        text = _EXPORT.replace("{fs}", body.one("file").name)
        source = dice.one((body.one("jump"), scene.station(admin).host))
        at = OFFICE.draw(dice, start)
        done = federation.administers(scene, body, at, logons.admin_of(admin), source, text, lasts_s=40 + dice.wait(60))
        processes.writes(scene, done, at + 20_000_000, f"C:\\Admin\\federation-{today:%Y%m%d}.zip")


def lets_in(
    scene: Scene, body: Body, ts_us: int, user: str, name: str, scopes: str, *, client: str, everybody: bool = False
) -> None:
    """An application is let in: a principal for it, a grant, and the consent, of one request."""
    dice, request = scene.dice, scene.dice.guid()
    number = records.identity("app", name)
    target = {"id": number, "displayName": name, "type": "ServicePrincipal", "userPrincipalName": None}
    owner = "" if everybody else records.identity(user)
    told = f"[] => [[Id: {dice.letters(22)}, ClientId: {number}, PrincipalId: {owner}"
    told += f", ConsentType: {'AllPrincipals' if everybody else 'Principal'}, Scope: {scopes}]]"
    changes: tuple[tuple[str, list[tuple[str, str]]], ...] = (
        ("Add service principal", [("AccountEnabled", "[true]"), ("AppPrincipalId", f'["{number}"]')]),
        ("Add delegated permission grant", [("DelegatedPermissionGrant.Scope", scopes)]),
        (
            "Consent to application",
            [("ConsentContext.IsAdminConsent", str(everybody)), ("ConsentAction.Permissions", told)],
        ),
    )
    for place, (operation, properties) in enumerate(changes):
        modified = [{"displayName": one, "oldValue": "[]", "newValue": f'"{value}"'} for one, value in properties]
        targets = [{**target, "modifiedProperties": modified}]
        at = ts_us + place * 140_000
        records.directory(scene, body, at, user, operation, "ApplicationManagement", client, targets, request=request)


def _archives(scene: Scene, body: Body, ts_us: int) -> None:
    """What keeps the house's records reads mailboxes, as an application that may."""
    dice = scene.dice
    by_app(scene, body, ts_us, dice.one(body.staff("clerk")[:_KEPT]), _ARCHIVE[0], _HOSTED[1], 1 + dice.below(9))


def _tidies(scene: Scene, body: Body, ts_us: int) -> None:
    """An application that somebody let in reads their mail for them."""
    person = scene.dice.one(_with_app(body))
    by_app(scene, body, ts_us, person, "Inbox Tidy", _HOSTED[0], 1 + scene.dice.below(12))


def _with_app(body: Body) -> list[Person]:
    return [person for person in body.people if digest("tidy", person.id)[0] == "0"]


def by_app(scene: Scene, body: Body, ts_us: int, person: Person, app: str, client: str, count: int) -> None:
    """An application reads a mailbox."""
    messages = listed(scene, count)
    cloud.reads(scene, body, ts_us, person, messages, client=client, with_="rest", app=app)


def listed(scene: Scene, count: int) -> list[str]:
    """Messages by their ids."""
    dice = scene.dice
    return [f"<{dice.hexes(16)}.{dice.below(9999)}@{dice.one(words.FIRST)}mail.example>" for _ in range(count)]


def _assists(scene: Scene, body: Body, ts_us: int) -> None:
    """A clerk reads the mailbox of the member they work for, as its delegate."""
    dice = scene.dice
    members, clerks = body.staff("member"), body.staff("clerk")
    number = dice.below(min(len(clerks), _ASSISTED))
    member, clerk = members[number], clerks[number]
    desk = dice.chance(0.8)
    cloud.reads(
        scene,
        body,
        ts_us,
        member,
        listed(scene, 1 + dice.below(8)),
        client=f"{body.outside}.1" if desk else clerk.home,
        with_="outlook" if desk else "browser",
        sync=dice.chance(0.15),
        by=clerk.upn,
    )
