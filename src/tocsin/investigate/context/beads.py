"""Events in, the records that name one of the things looked for out, on disk; and back as Beads.

Names of fields as Windows documents them event by event, and as the readers in `collect` give them. Each distinct value
is asked once. A bead is a line of JSON: what a worker that died left half written is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.investigate.context.leads import Leads, record, values
from tocsin.investigate.impact.picks import that
from tocsin.investigate.normal import address, guid, is_public
from tocsin.investigate.roles import SERVICES
from tocsin.investigate.sought import set_down
from tocsin.model.context import LeadKind
from tocsin.model.event import NO_TIME, Events, Longs

MOST: Final = 200_000  # beads in memory, some 500 bytes each; what is beyond is counted and told
_MOST_BYTES: Final = 64 << 20  # on disk, of one task
HOUR_US: Final = 3_600_000_000
_LONGEST: Final = 253

_PROCESS: Final = ("ProcessGuid", "SourceProcessGuid", "SourceProcessGUID", "ParentProcessGuid")
_PROGRAM: Final = ("Image", "NewProcessName", "Application")
_WHO: Final = ("SubjectUserName", "TargetUserName")
_ADDRESS: Final = (
    *("id.orig_h", "id.resp_h", "src_ip", "dst_ip", "dest_ip", "SourceIp", "DestinationIp", "IpAddress"),
    *("SourceAddress", "DestAddress", "c-ip", "r-ip", "ClientIP", "ClientIPAddress", "ActorIpAddress"),
    *("callerIpAddress", "ipAddress", "properties.ipAddress", "sourceIPAddress", "client_ip", "client-ip", "rhost"),
)
_DOMAIN: Final = (
    *("query", "QueryName", "server_name", "host", "cs-host", "r-dns", "c-uri-host", "DestinationHostname"),
    *("tls.sni", "http.hostname", "dns.rrname", "sender", "sender-address", "client", "helo"),
)
_ANSWERS: Final = ("QueryResults", "answers")
# Where a cloud says which application something was done to, and which one acts.
_APPLIED: Final = ("properties.targetResources.id", "TargetResources.ModifiedProperties.NewValue", "ObjectId")
_APPLICATION: Final = ("ClientAppId", "AppId", "ApplicationId", "properties.appId", "AppAccessContext.ClientAppId")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SENT: Final = ("orig_bytes", "sentbyte", "flow.bytes_toserver", "cs-bytes")  # of connections and of requests
_PRINCIPAL: Final = ("UserId", "userPrincipalName", "properties.userPrincipalName", "identity")
# Kinds that have such records; of others nothing is read.
KINDS: Final = frozenset(
    """windows sysmon_linux zeek suricata firewall dns proxy webserver mail linux m365 azure aws okta
    google_workspace""".split()
)
FIELDS: Final = frozenset(
    (*_PROCESS, *_PROGRAM, *_WHO, *_ADDRESS, *_DOMAIN, *_ANSWERS, *_PRINCIPAL, *_APPLIED, *_APPLICATION, *_SENT)
)

_Rows = npt.NDArray[np.bool_]
_Values = Mapping[LeadKind, frozenset[str]]


class Bead(msgspec.Struct, frozen=True, array_like=True):
    """One record: the things looked for that it names; `met` are other addresses outside and names in it.

    `sent` are the bytes that whoever asked sent, 0 where the record does not say.
    `who` is the machine of ours, or the person, that had to do with it; `asker` is the address outside that came to us.
    """

    kind: str
    file: str
    path: str
    rec: int
    chunk: int
    ts: int
    who: str
    names: list[tuple[LeadKind, str]]
    met: list[tuple[LeadKind, str]]
    host: str
    person: str
    asker: str
    sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, of which time, and the folder where workers keep what they find, a file for each task."""

    folder: Path
    wanted: _Values
    since_us: int
    until_us: int
    kinds: frozenset[str] = field(default=KINDS)
    fields: frozenset[str] = field(default=FIELDS)
    needs: frozenset[str] = frozenset()

    @property
    def windows(self) -> Longs:
        """One row of (since, until)."""
        return np.array([(self.since_us, self.until_us)], np.int64)

    def forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def keep(self, name: str, events: Events) -> None:
        keep(self, name, events)


def search(leads: Iterable[Leads], folder: Path) -> Search | None:
    """None where nothing is to be looked for."""
    asked = [one for one in leads if one.why]
    if not asked:
        return None
    folder.mkdir()
    return Search(
        folder=folder,
        wanted=values(asked),
        since_us=min(one.since_us for one in asked),
        until_us=max(one.until_us for one in asked),
    )


def keep(sought: Search, name: str, events: Events) -> None:
    """Keep the records of a table that name something that is looked for, of the time in which it is."""
    if events.kind not in KINDS:
        return
    wanted = sought.wanted
    rows = _naming(events, wanted)
    rows &= ((events.ts >= sought.since_us) & (events.ts <= sought.until_us)) | (events.ts == NO_TIME)
    found = np.flatnonzero(rows).tolist()
    set_down(sought.folder / name, found, lambda row: _bead(events, row, wanted), _MOST_BYTES)


def _naming(events: Events, wanted: _Values) -> _Rows:
    rows = np.zeros(len(events), bool)
    paths = {name.partition("|")[2] for name in wanted["program"]}
    accounts = {name.partition("|")[0] for name in wanted["arrival"]}
    asked: tuple[tuple[tuple[str, ...], Callable[[str], bool]], ...] = (
        (_PROCESS, lambda text: guid(text) in wanted["process"]),
        (_PROGRAM, lambda text: text.lower() in paths),
        (_WHO, lambda text: _user(text) in accounts),
        (_ADDRESS, lambda text: address(text) in wanted["address"]),
        (_DOMAIN, lambda text: bool(_of(text, wanted["domain"]))),
        (_APPLICATION, lambda text: text.lower() in wanted["application"]),
    )
    for names, fits in asked:
        for name in names:
            if name in events.columns:
                rows |= that(events, name, fits)
    if events.kind in SERVICES and wanted["person"]:
        hours = np.where(events.ts == NO_TIME, -1, events.ts // HOUR_US)
        people = {name.rpartition("|")[0] for name in wanted["person"]}
        whose = np.zeros(len(events), bool)
        for name in _PRINCIPAL:
            whose |= that(events, name, lambda text: text.lower() in people)
        rows |= whose & np.isin(hours, [int(name.rpartition("|")[2]) for name in wanted["person"]])
    return rows | _recorded(events, wanted["record"])


def _recorded(events: Events, wanted: frozenset[str]) -> _Rows:
    """The rows of records that are named themselves."""
    rows = np.zeros(len(events), bool)
    paths = {name.split("|")[0] for name in wanted}
    for number, source in enumerate(events.sources):
        if source.path in paths:
            recs = [int(name.rpartition("|")[2]) for name in wanted if name.startswith(f"{source.path}|")]
            rows |= (events.src == number) & np.isin(events.rec, recs)
    return rows


def _record(events: Events, row: int) -> str:
    return record(events.sources[events.src[row]].path, int(events.chunk[row]), int(events.rec[row]))


def _bead(events: Events, row: int, wanted: _Values) -> Bead | None:
    def texts(names: Iterable[str]) -> list[str]:
        columns = (events.columns.get(name) for name in names)
        return [text for column in columns if column is not None and (text := column.text(row))]

    host = events.hosts()
    machine = ((host.text(row) if host else None) or "").lower()
    addresses = [text for text in map(address, texts(_ADDRESS)) if text]
    domains = [text[:_LONGEST].strip().rstrip(".").lower() for text in texts(_DOMAIN)]
    named: dict[tuple[LeadKind, str], None] = {}
    named |= dict.fromkeys(("process", one) for text in texts(_PROCESS) if (one := guid(text)) in wanted["process"])
    short = machine.partition(".")[0]
    programs = (f"{short}|{text.lower()}" for text in texts(_PROGRAM))
    named |= dict.fromkeys(("program", one) for one in programs if one in wanted["program"])
    pairs = (f"{_user(who)}|{one}" for who in texts(_WHO) for one in addresses)
    named |= dict.fromkeys(("arrival", one) for one in pairs if one in wanted["arrival"])
    named |= dict.fromkeys(("address", one) for one in addresses if one in wanted["address"])
    named |= dict.fromkeys(("domain", one) for text in domains if (one := _of(text, wanted["domain"])))
    named |= dict.fromkeys(
        ("application", one) for text in texts(_APPLICATION) if (one := text.lower()) in wanted["application"]
    )
    own = _record(events, row) in wanted["record"]
    named |= dict.fromkeys([("record", _record(events, row))] if own else ())
    people = [text.lower() for text in texts(_PRINCIPAL)] if events.kind in SERVICES else []
    hour = int(events.ts[row]) // HOUR_US
    named |= dict.fromkeys(("person", one) for who in people if (one := f"{who}|{hour}") in wanted["person"])
    if not named:
        return None
    met: dict[tuple[LeadKind, str], None] = dict.fromkeys(("address", one) for one in addresses if is_public(one))
    answers = (part for text in texts(_ANSWERS) for part in text.replace(",", ";").split(";"))
    met |= dict.fromkeys(("address", one) for part in answers if is_public(one := address(part)))
    met |= dict.fromkeys(("domain", one) for one in texts(("QueryName", "server_name", "DestinationHostname")))
    if own:
        met |= dict.fromkeys(("application", one) for text in texts(_APPLIED) for one in _UUID.findall(text.lower()))
    source = events.sources[events.src[row]]
    inside = [one for one in addresses if not is_public(one)]
    return Bead(
        kind=events.kind,
        file=source.file,
        path=source.path,
        rec=int(events.rec[row]),
        chunk=int(events.chunk[row]),
        ts=int(events.ts[row]),
        who=next(iter((*people, *inside, machine))).lower(),
        names=list(named),
        met=[one for one in met if one not in named],
        host=machine,
        person=people[0] if people else "",
        asker=next(iter(addresses), "") if is_public(next(iter(addresses), "")) else "",
        sent=max(
            (int(text) for text in texts(_SENT) if text.isascii() and text.isdigit() and len(text) < 19), default=0
        ),
    )


def _user(text: str) -> str:
    return text.strip().lower().rpartition("\\")[2].partition("@")[0]


def _of(text: str, domains: frozenset[str]) -> str:
    """Which of these domains a name, a mail address or `name[address]` is of, if of any."""
    name = text[:_LONGEST].strip("<> ").rpartition("@")[2].partition("[")[0].rstrip(".").lower()
    while "." in name:
        if name in domains:
            return name
        name = name.partition(".")[2]
    return ""


class Found(NamedTuple):
    """The beads, and how many records more named something that was looked for, of which nothing is kept."""

    beads: tuple[Bead, ...] = ()
    cut: int = 0


def read(sought: Search | None) -> Found:
    """Beads of all tasks, in the order of their names; up to so many, and the rest is counted."""
    decode = msgspec.json.Decoder(Bead | int).decode
    beads, cut = list[Bead](), 0
    for path in sorted(sought.folder.iterdir()) if sought else ():
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                one = decode(line)
                if isinstance(one, int):
                    cut += one
                elif len(beads) < MOST:
                    beads.append(one)
                else:
                    cut += 1
    return Found(tuple(beads), cut)
