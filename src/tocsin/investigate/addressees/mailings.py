"""Events in, what was sent from where pointers point out, on disk; and back as Mailings.

Several records tell of one mail: one who sent it, another to whom. So a second look asks for the messages themselves,
by the ids that the first one met. A mailing is a line of JSON: what a worker that died left half written is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.investigate.addressees.pointers import SENDERS, Pointers, below, registered
from tocsin.investigate.impact.picks import that
from tocsin.investigate.normal import address, domain, plain
from tocsin.investigate.sought import set_down
from tocsin.model.event import NO_TIME, Events, Longs

DAY_US: Final = 86_400_000_000
# Who was usual before is looked for in the quarter before an incident, and who else was written to until a month after.
BEFORE_US: Final = 90 * DAY_US
AFTER_US: Final = 30 * DAY_US
MOST: Final = 200_000  # mailings in memory, some 500 bytes each
MOST_BYTES: Final = 256 << 20  # of them on disk: whoever writes the evidence chooses how long each is
_MOST_BYTES: Final = 64 << 20  # on disk, of one task
_LONGEST: Final = 64_000
_EVER: Final = int(np.iinfo(np.int64).max)

_RECIPIENTS: Final = (
    *("recipient", "recipients", "to", "cc", "orig_to", "recipient-address", "RecipientAddress", "rcptto"),
    *("smtp.rcpt_to", "RecipientEmailAddress", "recipient_asked"),
)
_CLIENTS: Final = ("client_ip", "client-ip", "original-client-ip", "SenderIPv4", "SenderIPv6", "id.orig_h", "src_ip")
_MACHINES: Final = ("client", "helo", "client_name")
_USERS: Final = ("cs-username",)
_SITES: Final = ("cs-host", "r-dns", "c-uri-host")
_MESSAGES: Final = ("message_id", "message-id", "NetworkMessageId", "InternetMessageId", "network-message-id", "msg_id")
_QUEUE: Final = "queue_id"
_UNQUEUED: Final = "NOQUEUE"
# A general log of a machine may hold lines of its mail server.
KINDS: Final = frozenset("mail m365 defender zeek suricata firewall google_workspace proxy linux".split())
FIELDS: Final = frozenset(
    (*SENDERS, *_RECIPIENTS, *_CLIENTS, *_MACHINES, *_USERS, *_SITES, *_MESSAGES, _QUEUE, "host", "log")
)
NEEDS: Final = frozenset((*_RECIPIENTS, *_USERS))  # what tells of nobody says nothing
_OF_MESSAGES: Final = frozenset("mail m365 defender google_workspace linux".split())
_APART: Final = re.compile(r"[\s,;|<>\"'\[\]()]+")

_Rows = npt.NDArray[np.bool_]


class Mailing(msgspec.Struct, frozen=True, array_like=True):
    """One record: what it was sent or fetched from, or sent to, of what is looked for; `users` are of a proxy."""

    file: str
    path: str
    rec: int
    chunk: int
    ts: int
    sources: list[str]
    targets: list[str]
    recipients: list[str]
    users: list[str]
    messages: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, of which time, and the folder where workers keep what they find, a file for each task.

    Args:
        domains: as they were registered; `sites` are names that something is fetched from.
        messages: ids, each with what it is an id of.
    """

    folder: Path
    since_us: int
    until_us: int
    domains: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    kinds: frozenset[str] = field(default=KINDS)
    fields: frozenset[str] = field(default=FIELDS)
    needs: frozenset[str] = field(default=NEEDS)

    @property
    def windows(self) -> Longs:
        """One row of (since, until)."""
        return np.array([(self.since_us, self.until_us)], np.int64)

    def forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def keep(self, name: str, events: Events) -> None:
        if events.kind not in self.kinds:
            return
        rows = _fetched(self, events) if events.kind == "proxy" else _sent(self, events)
        rows &= ((events.ts >= self.since_us) & (events.ts <= self.until_us)) | (events.ts == NO_TIME)
        found = np.flatnonzero(rows).tolist()
        set_down(self.folder / name, found, lambda row: _mailing(self, events, row), _MOST_BYTES)


def search(every: Iterable[Pointers], folder: Path, messages: Iterable[str] = ()) -> Search | None:
    """For what incidents point at, or for messages that were met; None where nothing is to be looked for."""
    asked = [one for one in every if one.all]
    if not asked:
        return None
    folder.mkdir()
    spans = [span(one) for one in asked]
    limits = min(since for since, _ in spans), max(until for _, until in spans)
    if met := frozenset(messages):
        return Search(folder=folder, since_us=limits[0], until_us=limits[1], messages=met, kinds=_OF_MESSAGES)

    def of(kind: str) -> frozenset[str]:
        return frozenset(each.name for one in asked for each in one.all if each.kind == kind)

    sites = (name for one in asked for each in one.all if each.kind == "domain" for name in each.named)
    return Search(
        folder=folder,
        since_us=limits[0],
        until_us=limits[1],
        domains=of("domain"),
        sites=frozenset(sites),
        senders=of("sender"),
        addresses=of("address"),
    )


def span(one: Pointers) -> tuple[int, int]:
    """From when until when logs are asked for an incident."""
    since = NO_TIME if one.first_us is None else one.first_us - BEFORE_US
    return since, _EVER if one.last_us is None else one.last_us + AFTER_US


def _sent(sought: Search, events: Events) -> _Rows:
    rows = np.zeros(len(events), bool)
    for names, found in (
        ((*SENDERS, *_RECIPIENTS), lambda text: any(_of_mailbox(sought, one) for one in mailboxes(text))),
        (_MACHINES, lambda text: bool(_of_machine(sought, text))),
        (_CLIENTS, lambda text: address(text) in sought.addresses),
        (_MESSAGES, lambda text: _message(text) in sought.messages),
    ):
        for name in names:
            rows |= that(events, name, found)
    queues = {one.rpartition("|")[2] for one in sought.messages if one.startswith("queue|")}
    return rows | that(events, _QUEUE, lambda text: text in queues)


def _fetched(sought: Search, events: Events) -> _Rows:
    rows, who = np.zeros(len(events), bool), np.zeros(len(events), bool)
    for name in _SITES:
        rows |= that(events, name, lambda text: bool(below(text.strip().rstrip(".").lower(), sought.sites)))
    for name in _USERS:
        who |= that(events, name, lambda text: text.strip() not in {"", "-"})
    return rows & who


def _of_mailbox(sought: Search, name: str) -> str:
    """What is looked for that a mailbox is, or is of."""
    if name in sought.senders:
        return name
    whole = registered(name.rpartition("@")[2])
    return whole if whole in sought.domains else ""


def _of_machine(sought: Search, text: str) -> str:
    name = domain(text[:_LONGEST].partition("[")[0].strip("<> "))
    return name if registered(name) in sought.domains else ""


def _mailing(sought: Search, events: Events, row: int) -> Mailing:
    def texts(names: Iterable[str]) -> list[str]:
        columns = (events.columns.get(name) for name in names)
        return [text for column in columns if column is not None and (text := column.text(row))]

    senders = [one for text in texts(SENDERS) for one in mailboxes(text)]
    recipients = list(dict.fromkeys(one for text in texts(_RECIPIENTS) for one in mailboxes(text)))
    web = events.kind == "proxy"
    sites = [text.strip().rstrip(".").lower() for text in texts(_SITES)] if web else []
    sources = [one for one in senders if _of_mailbox(sought, one)]
    sources += [name for text in texts(_MACHINES) if (name := _of_machine(sought, text))] if not web else []
    sources += [one for text in texts(_CLIENTS) if (one := address(text)) in sought.addresses]
    sources += [one for one in sites if below(one, sought.sites)]
    messages = [one for text in texts(_MESSAGES) if (one := _message(text))]
    host = events.hosts()
    machine = ((host.text(row) if host else None) or "").lower()
    messages += [f"queue|{machine}|{text}" for text in texts((_QUEUE,)) if plain(text) and text != _UNQUEUED]
    source = events.sources[events.src[row]]
    return Mailing(
        file=source.file,
        path=source.path,
        rec=int(events.rec[row]),
        chunk=int(events.chunk[row]),
        ts=int(events.ts[row]),
        sources=list(dict.fromkeys(sources)),
        targets=[one for one in recipients if _of_mailbox(sought, one)],
        recipients=recipients,
        users=texts(_USERS) if web else [],
        messages=messages,
    )


def mailboxes(text: str) -> list[str]:
    """The mail addresses in a field, which may be one, several, or a list of JSON."""
    parts = (part.strip(".:").lower() for part in _APART.split(text[:_LONGEST]))
    return [part for part in parts if "@" in part[1:-1]]


def _message(text: str) -> str:
    """What joins records of one mail; '' where it has no id, as many have none."""
    bare = text[:_LONGEST].strip("<> \t")
    return f"message|{bare}" if plain(bare) else ""


class Met(NamedTuple):
    """The mailings, and how many records more were of where pointers point, of which nothing is kept."""

    all: tuple[Mailing, ...] = ()
    cut: int = 0


def read(sought: Search | None) -> Met:
    """Mailings of all tasks, in the order of their names; up to so many, and the rest is counted."""
    decode = msgspec.json.Decoder(Mailing | int).decode
    found, cut, size = list[Mailing](), 0, 0
    for path in sorted(sought.folder.iterdir()) if sought else ():
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                one = decode(line)
                if isinstance(one, int):
                    cut += one
                elif len(found) < MOST and size + len(line) <= MOST_BYTES:
                    found.append(one)
                    size += len(line)
                else:
                    cut += 1
    return Met(tuple(found), cut)
