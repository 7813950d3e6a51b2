"""Picks in, claims of mail that was read, or is sent on, out.

MailItemsAccessed, after "Use MailItemsAccessed to investigate compromised accounts" (Microsoft Purview): a Bind names
each message that was opened; a Sync says only that a folder was copied to a client, so all of it may have been; and
where a record is throttled, logging stopped for that mailbox. What is not licensed or not logged is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from tocsin.investigate.impact.picks import LONGEST_LIST, Gate, Pick
from tocsin.investigate.impact.tied import Tied
from tocsin.model.impact import Bounds, Claim, Sort, Unanswered

SORT: Final[Sort] = "mail"

READ: Final = "mailitemsaccessed"
_ENTERED: Final = frozenset({"mailboxlogin"})
RULES: Final = frozenset({"new-inboxrule", "set-inboxrule", "updateinboxrules"})
FORWARDS: Final = frozenset({"set-mailbox", "new-transportrule", "set-transportrule", "new-remotedomain"})
_RIGHTS: Final = frozenset(
    {"add-mailboxpermission", "add-mailboxfolderpermission", "add-recipientpermission", "new-managementroleassignment"}
)
EXPORTS: Final = frozenset(
    {
        *("new-compliancesearchaction", "searchexported", "searchexportdownloaded", "exportdownloaded"),
        *("new-mailboxexportrequest", "searchresultexported", "searchpreviewed", "vieweddocument"),
    }
)
_ID: Final = re.compile(r'InternetMessageId\\*"\s*:\s*\\*"([^"\\]{1,998})')  # a text in a text has its quotes escaped
_SIZE: Final = re.compile(r'SizeInBytes\\*"\s*:\s*\\*"?(\d{1,15})')
_WAYS_OUT: Final = (
    *("ForwardTo", "ForwardAsAttachmentTo", "RedirectTo", "ForwardingSmtpAddress", "ForwardingAddress"),
    *("BlindCopyTo", "RedirectMessageTo", "CopyTo", "AddToRecipients"),
)
_AUDIT: Final = "MailItemsAccessed records of that mailbox, which need auditing (Premium or Standard) for its licence"

GATES: Final[tuple[Gate, ...]] = (
    Gate(kind="m365", holds={"Operation": frozenset({READ}) | _ENTERED | RULES | FORWARDS | _RIGHTS | EXPORTS}),
)


def claims(tied: Tied) -> Iterator[Claim]:
    for mailbox, here in tied.grouped(mailbox_of):
        read = here.only(lambda pick: operation(pick) == READ)
        yield from _messages(mailbox, read)
        entered = here.only(lambda pick: operation(pick) in _ENTERED)
        if entered and not read:
            yield entered.claim(
                "accessed",
                SORT,
                f"in the mailbox {mailbox}",
                mailbox,
                unit="messages",
                amount=Bounds(),
                because="somebody signed in to the mailbox; what was read there is not logged",
                kind_of_content="content",
                would_tell=_AUDIT,
            )
        yield from _handed_over(mailbox, here)
    yield from _exported(tied.only(lambda pick: operation(pick) in EXPORTS))


def unanswered(tied: Tied, accounts: Iterable[str]) -> Iterator[Unanswered]:
    """Mailboxes of accounts of the incident of which no record says what was read there."""
    told = {mailbox_of(pick) for pick, _ in tied.picks if operation(pick) == READ}
    touched = {mailbox_of(pick) for pick, _ in tied.picks} | {name.lower() for name in accounts if "@" in name}
    for name in sorted(touched - told - {""}):
        yield Unanswered(question=f"which messages of {name} were read", would_tell=_AUDIT)


def operation(pick: Pick) -> str:
    return pick.text("Operation").lower()


def mailbox_of(pick: Pick) -> str:
    """Whose mail it is: the owner's, not that of who looks."""
    if operation(pick) in EXPORTS:
        return ""
    owner = pick.text("MailboxOwnerUPN", "MailboxOwnerUpn")
    named = owner or parameters(pick).get("Identity", "") or parameters(pick).get("Mailbox", "")
    return (named if "@" in named or owner else pick.text("UserId", "Userid")).lower()


def _messages(mailbox: str, read: Tied) -> Iterator[Claim]:
    throttled = any(properties(pick).get("isthrottled", "").lower() == "true" for pick, _ in read.picks)
    synced = read.only(lambda pick: properties(pick).get("mailaccesstype", "").lower() == "sync")
    bound = read.only(lambda pick: properties(pick).get("mailaccesstype", "").lower() == "bind")
    other = read.only(lambda pick: properties(pick).get("mailaccesstype", "").lower() not in {"sync", "bind"})
    if bound:
        nameless = "; some records name no message" * any(not any(ids(pick)) for pick, _ in bound.picks)
        cut = _CUT if any(len(pick.text("Folders")) >= LONGEST_LIST for pick, _ in bound.picks) else ""
        short = (_STOPPED if throttled else "") + nameless + cut + bound.short("m365", "")
        amount, names = bound.counted(ids, open_end=short)
        yield bound.claim(
            "accessed",
            SORT,
            f"opened in the mailbox {mailbox}",
            mailbox,
            unit="messages",
            amount=amount,
            because="each is named by its record (Bind)" + short,
            names=names,
            kind_of_content="content",
            would_tell=_AUDIT,
        )
    for folder, here in synced.grouped(lambda pick: _told(_folders(pick))):
        yield here.claim(
            "accessed",
            SORT,
            f"copied to a client from {folder} of {mailbox}: all that was in it may have been",
            mailbox,
            unit="messages",
            amount=Bounds(),
            because="a record says that the folder was synchronised, not with how many messages"
            + (_STOPPED if throttled else ""),
            kind_of_content="content",
            would_tell="how many messages the folder held then, from the mailbox itself",
        )
    if other or (throttled and not bound and not synced):
        some = other or read
        yield some.claim(
            "accessed",
            SORT,
            f"in the mailbox {mailbox}, read in a way that the records do not name",
            mailbox,
            unit="messages",
            amount=Bounds(),
            because="the records do not say how the mail was read" + (_STOPPED if throttled else ""),
            kind_of_content="content",
            would_tell=_AUDIT,
        )


_STOPPED: Final = "; logging was throttled, so that what followed is not logged"


_CUT: Final = "; a record names more messages than are read"


def _handed_over(mailbox: str, here: Tied) -> Iterator[Claim]:
    """Rules and rights by which mail goes on to somebody else."""
    ways = here.only(lambda pick: operation(pick) in RULES | FORWARDS and bool(list(targets(pick))))
    if ways:
        ends = ways.names(targets)
        yield ways.claim(
            "left",
            SORT,
            f"sent on from {mailbox} to {', '.join(ends[:5])}",
            mailbox,
            unit="messages",
            amount=Bounds(),
            because="a rule or a setting sends mail on; how many messages it caught is not in these records",
            kind_of_content="content",
            would_tell="the message trace of that mailbox",
        )
    rights = here.only(lambda pick: operation(pick) in _RIGHTS)
    if rights:
        yield rights.claim(
            "accessed",
            SORT,
            f"opened up to others in the mailbox {mailbox}",
            mailbox,
            unit="messages",
            amount=Bounds(),
            because="somebody was given rights to the mailbox; what they read is not in these records",
            kind_of_content="content",
            would_tell=_AUDIT,
        )


def _exported(tied: Tied) -> Iterator[Claim]:
    for search, here in tied.grouped(lambda pick: pick.text("ObjectId", "ExchangeLocations", "UserId") or "a search"):
        yield here.claim(
            "left",
            SORT,
            f"exported or shown by the search {search}",
            search,
            unit="messages",
            amount=Bounds(),
            because="a search over mailboxes was exported or its results looked at; its size is not in these records",
            kind_of_content="content",
            would_tell="the results of that search in the compliance centre",
        )


# --------------------------------------------------------------------------------- what records hold


def _json(text: str) -> Any:
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    return None


def objects(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects of an array, which may stand there as texts of their own."""
    found = _json(text) if text else None
    for one in found if isinstance(found, list) else [found]:
        inner = _json(one) if isinstance(one, str) else one
        if isinstance(inner, dict):
            yield inner


def _pairs(text: str) -> dict[str, str]:
    return {str(one.get("Name", "")): str(one.get("Value", "")) for one in objects(text)}


def properties(pick: Pick) -> dict[str, str]:
    return {name.lower(): value for name, value in _pairs(pick.text("OperationProperties")).items()}


def parameters(pick: Pick) -> dict[str, str]:
    return _pairs(pick.text("Parameters"))


def _told(folders: list[str]) -> str:
    return f"the folder {' and '.join(folders)}" if folders else "a folder that is not named"


def _folders(pick: Pick) -> list[str]:
    text = pick.text("Folders") or pick.text("Folder") or pick.text("Item")
    paths = [
        str(one.get("Path") or (one.get("ParentFolder") or {}).get("Path") or "")
        for one in objects(text)
        if isinstance(one.get("ParentFolder") or {}, dict)
    ]
    return sorted({path for path in paths if path})


def ids(pick: Pick) -> Iterable[str]:
    """RFC 5322's Message-ID of each message, or what else the record calls it by."""
    if len(pick.text("Folders")) >= LONGEST_LIST:
        yield from _ID.findall(pick.text("Folders"))
        return
    for folder in objects(pick.text("Folders")):
        inner = folder.get("FolderItems")
        for one in inner if isinstance(inner, list) else []:
            if isinstance(one, dict):
                yield str(one.get("InternetMessageId") or one.get("ImmutableId") or one.get("Id") or "")
    for one in (*objects(pick.text("Item")), *objects(pick.text("AffectedItems"))):
        yield str(one.get("InternetMessageId") or one.get("Id") or "")


def size(pick: Pick) -> int:
    """Bytes of the messages that a record names, as far as it says how large they are."""
    return sum(int(text) for text in _SIZE.findall(pick.text("Folders"), 0, LONGEST_LIST))


def targets(pick: Pick) -> Iterable[str]:
    given = parameters(pick)
    for name in _WAYS_OUT:
        value = pick.text(name) or given.get(name, "")
        if value and value.lower() not in {"false", "$null", "null"}:
            yield value.removeprefix("smtp:").removeprefix("SMTP:")
    for action in objects(properties(pick).get("ruleactions", "")):
        if str(action.get("ActionType", "")).lower() in {"forward", "redirect", "forwardasattachment"}:
            to = action.get("Recipients")
            yield from (str(one) for one in (to if isinstance(to, list) else [to]) if one)
