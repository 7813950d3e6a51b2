"""What people do with their mail and files in the cloud in, records of the cloud out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tocsin.rehearse.acts import federation
from tocsin.rehearse.dice import digest
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import cloud
from tocsin.rehearse.sensors.cloud import SignIn
from tocsin.rehearse.world import Body, Person

WRONG_PASSWORD: Final = 50126
_CLIENTS: Final = {
    "outlook": "Client=MSExchangeRPC",
    "phone": "Client=OutlookService;Outlook-iOS/2.0;",
    "browser": "Client=OWA;Action=ViaProxy",
    "rest": "Client=REST;Client=RESTSystem;;",
    "imap": "Client=POP3/IMAP4;Protocol=IMAP4",
}


def reads(
    scene: Scene,
    body: Body,
    ts_us: int,
    person: Person,
    messages: list[str],
    *,
    client: str,
    with_: str,
    folder: str = "\\Inbox",
    sync: bool = False,
    by: str = "",
    app: str = "",
) -> None:
    """A mailbox is read: MailItemsAccessed, Bind with its messages or Sync with its folder.

    Args:
        with_: the kind of client.
        by: who reads, where it is not the owner: a delegate, or an application by `app`.
    """
    properties = [
        {"Name": "MailAccessType", "Value": "Sync" if sync else "Bind"},
        {"Name": "IsThrottled", "Value": "False"},
    ]
    place = {"Id": digest(person.mailbox, folder)[:32], "Path": folder}
    listed = {
        **place,
        "FolderItems": [{"InternetMessageId": one, "SizeInBytes": 9000 + sum(one.encode()) * 7} for one in messages],
    }
    more = {
        "ExternalAccess": False,
        "InternalLogonType": 0,
        "LogonType": 2 if by else 0,
        "LogonUserSid": digest("sid", by or person.upn)[:24],
        "MailboxGuid": cloud.identity("mailbox", person.mailbox),
        "MailboxOwnerSid": person.sid,
        "MailboxOwnerUPN": person.upn,
        "OrganizationName": f"{body.key}parliament.onmicrosoft.example",
        "OriginatingServer": f"SY{int(digest(person.mailbox)[:2], 16):03}NZ01 (15.20.9115.018)",
        "ClientIPAddress": client,
        "ClientInfoString": _CLIENTS[with_],
        "ClientAppId": cloud.identity("app", app or with_),
        "AppId": cloud.identity("app", app or with_),
        "SessionId": cloud.identity("session", by or person.upn, str(ts_us // 86_400_000_000), client),
        "OperationCount": len(messages) if not sync else 1,
        "OperationProperties": properties,
        **({"Item": {"ParentFolder": place}} if sync else {"Folders": [listed]}),
    }
    cloud.audit(scene, body, ts_us, by or person.upn, "MailItemsAccessed", "Exchange", "ExchangeItem", client, more)


def signs_in(scene: Scene, body: Body, ts_us: int, person: Person, how: SignIn, *, forged: bool = False) -> None:
    """Somebody signs in, or tries to; `forged` with a token that the house's own federation server never gave."""
    if federation.federated(person):
        how = replace(how, federated=True, request=scene.dice.guid())
        if not forged:
            federation.vouches(scene, body, ts_us - 900_000, person, how)
            if how.error == WRONG_PASSWORD:
                return  # only the house's own server sees it
    cloud.sign_in(scene, body, ts_us, person.upn, person.name, how)


def opens_file(
    scene: Scene, body: Body, ts_us: int, person: Person, name: str, *, client: str, operation: str, agent: str
) -> None:
    """A file of the cloud is opened, saved or taken along."""
    site = f"https://{body.key}parliament.sharepoint.example/sites/{name.partition('/')[0]}"
    more = {
        "ObjectId": f"{site}/Shared Documents/{name.rpartition('/')[2]}",
        "SiteUrl": f"{site}/",
        "SourceRelativeUrl": "Shared Documents",
        "SourceFileName": name.rpartition("/")[2],
        "SourceFileExtension": name.rpartition(".")[2],
        "ItemType": "File",
        "EventSource": "SharePoint",
        "UserAgent": agent,
        "FileSizeBytes": 20_000 + sum(name.encode()) * 911,
    }
    cloud.audit(scene, body, ts_us, person.upn, operation, "SharePoint", "SharePointFileOperation", client, more)


def administers(
    scene: Scene,
    body: Body,
    ts_us: int,
    user: str,
    operation: str,
    about: str,
    parameters: dict[str, str],
    *,
    client: str,
) -> None:
    """An Exchange command: New-InboxRule, Add-MailboxPermission and their kind."""
    more = {
        "ObjectId": about,
        "ExternalAccess": False,
        "OrganizationName": f"{body.key}parliament.onmicrosoft.example",
        "OriginatingServer": "SY4NZ01 (15.20.9115.018)",
        "Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
    }
    cloud.audit(scene, body, ts_us, user, operation, "Exchange", "ExchangeAdmin", client, more)
