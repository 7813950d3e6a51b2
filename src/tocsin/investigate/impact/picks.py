"""Events in, the records that may show what was taken out, on disk; and back as Picks, in order of time.

Most records show nothing of the kind. A Gate says which may, by fields that are read anyway, and only of these the
whole record is decoded. A pick is a line of JSON: what a worker that died left half written is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from tocsin.investigate.impact.scene import Around, Scene, accounts_of, hosts_of
from tocsin.investigate.normal import address
from tocsin.model.event import NO_TIME, Events

# Held in memory for each sort of claim. What is beyond is counted, and nothing is bounded from above any more.
MOST: Final = 100_000
MOST_BYTES: Final = 256 << 20
_LONGEST: Final = 4_000  # of a value
LONGEST_LIST: Final = 1 << 18  # a record of mail that was read names every message
_LISTS: Final = frozenset({"Folders", "Folders.FolderItems.InternetMessageId", "AffectedItems"})

WHO: Final = (
    *("SubjectUserName", "TargetUserName", "User", "SourceUser", "UserId", "Userid", "MailboxOwnerUPN"),
    *("auid", "user", "acct"),
)
WHERE_FROM: Final = ("IpAddress", "ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress", "src_ip")
_WHO_IS_IT: Final = (
    *(("SubjectDomainName", "SubjectUserName"), ("TargetDomainName", "TargetUserName")),
    *(("", name) for name in ("User", "SourceUser", "UserId", "Userid", "MailboxOwnerUPN", "auid", "user", "acct")),
)

_Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Records of a kind whose fields hold, each, one of some texts (small letters), or what an expression finds.

    `found` fields need not all be there: one that fits is enough. A text without any of `words` (small letters) is not
    searched: expressions take a millisecond on a long script.
    """

    kind: str
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    found: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.holds) | frozenset(self.found)


class Pick(msgspec.Struct, frozen=True, array_like=True):
    """One record, for one sort of claim; `host` as the record says it."""

    sort: str
    kind: str
    file: str
    path: str
    rec: int
    chunk: int
    ts: int
    host: str
    fields: dict[str, str]

    @property
    def place(self) -> tuple[str, int, int]:
        return self.path, self.chunk, self.rec

    def text(self, *names: str) -> str:
        """Of the first of these fields that has a value."""
        return next((text for name in names if (text := self.fields.get(name, "")) not in {"", "-"}), "")

    @property
    def account(self) -> str:
        """Who acts, as the record writes it."""
        for domain, name in _WHO_IS_IT:
            if who := self.text(name):
                before = self.text(domain) if domain else ""
                return f"{before}\\{who}" if before else who
        return ""

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset(known for name in WHERE_FROM if (known := _client(self.fields.get(name, ""))))


def _client(text: str) -> str:
    """The address of `192.0.2.1:443` or `[2001:db8::1]:443` too, as Microsoft 365 writes clients."""
    return address(text) or address(text.rpartition(":")[0])


def mask(text: str) -> int:
    """Rights as a number, 0 where there is none."""
    try:
        return int(text, 0)
    except ValueError:
        return 0


# --------------------------------------------------------------------------------- in a worker


def lines(events: Events, gates: Mapping[str, Sequence[Gate]], around: Around) -> Iterator[bytes]:
    """The picks of a table, as lines; `gates` of each sort of claim."""
    wanted = {sort: [gate for gate in of_sort if gate.kind == events.kind] for sort, of_sort in gates.items()}
    if not any(wanted.values()):
        return
    tied = _tied(events, around)
    if not tied.any():
        return
    host = events.hosts()
    for sort, of_sort in wanted.items():
        rows = np.zeros(len(events), bool)
        for gate in of_sort:
            rows |= tied & _through(gate, events)
        for row in np.flatnonzero(rows).tolist():
            source = events.sources[events.src[row]]
            pick = Pick(
                sort=sort,
                kind=events.kind,
                file=source.file,
                path=source.path,
                rec=int(events.rec[row]),
                chunk=int(events.chunk[row]),
                ts=int(events.ts[row]),
                host=(host.text(row) if host else None) or "",
                fields=kept_fields(events.all_fields(row)),
            )
            yield msgspec.json.encode(pick) + b"\n"


def kept_fields(values: Mapping[str, str | tuple[str, ...] | None]) -> dict[str, str]:
    kept = {}
    for name, value in values.items():
        if value is not None:
            text = msgspec.json.encode(value).decode() if isinstance(value, tuple) else value
            kept[name] = text[: LONGEST_LIST if name in _LISTS else _LONGEST]
    return kept


def _tied(events: Events, around: Around) -> _Rows:
    """Rows at the time of an incident, of one of its machines, accounts or addresses."""
    timed = around.times(events.ts)
    if not timed.any():
        return timed
    tied = np.zeros(len(events), bool)
    host = events.hosts()
    if host is not None:
        names = [not around.hosts.isdisjoint(hosts_of(text)) if text else False for text in host.values]
        tied |= np.array(names, bool)[host.codes]
    for name in WHO:
        tied |= that(events, name, lambda text: text.rpartition("\\")[2].partition("@")[0].lower() in around.names)
    for name in WHERE_FROM:
        tied |= that(events, name, lambda text: _client(text) in around.addresses)
    return tied & timed


def that(events: Events, name: str, fits: object) -> _Rows:
    """The rows whose value of a field is such a one; each distinct value is asked once."""
    column = events.columns.get(name)
    if column is None or not callable(fits):
        return np.zeros(len(events), bool)
    return np.array([bool(text and fits(text)) for text in column.values], bool)[column.codes]


def _through(gate: Gate, events: Events) -> _Rows:
    rows = np.ones(len(events), bool)
    for name, texts in gate.holds.items():
        rows &= that(events, name, lambda text, texts=texts: text.lower() in texts)
        if not rows.any():
            return rows
    if gate.found:
        some = np.zeros(len(events), bool)
        for name, pattern in gate.found.items():
            some |= that(events, name, lambda text, pattern=pattern: _finds(pattern, gate.words, text[:_LONGEST]))
        rows &= some
    return rows


def _finds(pattern: re.Pattern[str], words: Sequence[str], text: str) -> bool:
    folded = text.lower()
    return (not words or any(word in folded for word in words)) and pattern.search(text) is not None


# --------------------------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """Picks by sort, in order of time and place; `beyond` counts those that were more than could be held."""

    of: Mapping[str, Sequence[Pick]]
    beyond: Mapping[str, int]


def read(paths: Iterable[Path], most: int = MOST, most_bytes: int = MOST_BYTES) -> Picked:
    decode = msgspec.json.Decoder(Pick).decode
    of: dict[str, list[Pick]] = {}
    sizes: dict[str, int] = {}
    beyond: dict[str, int] = {}
    for path in sorted(paths):
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                pick = decode(line)
                known = of.setdefault(pick.sort, [])
                size = sizes.get(pick.sort, 0) + len(line)
                if len(known) < most and size <= most_bytes:
                    sizes[pick.sort] = size
                    known.append(pick)
                else:
                    beyond[pick.sort] = beyond.get(pick.sort, 0) + 1
    for known in of.values():
        known.sort(key=lambda pick: (pick.ts == NO_TIME, pick.ts, pick.path, pick.chunk, pick.rec))
    return Picked(of=of, beyond=beyond)


# How a record belongs to an incident, the least first.
BESIDE: Final = 1  # by its machine alone
WEAK: Final = 2  # by its account alone
STRONG: Final = 3  # by two of machine, account and address; by an address outside that findings name; by a finding
FOUND: Final = 4  # by a finding of level high or above


def tie(pick: Pick, scene: Scene) -> int:
    """0 for a record that has nothing to do with an incident."""
    if pick.place in scene.places:
        return FOUND if pick.place in scene.grave else STRONG
    if pick.ts != NO_TIME and not scene.since_us <= pick.ts <= scene.until_us:
        return 0
    addresses = pick.addresses
    if not addresses.isdisjoint(scene.outside):
        return WEAK if pick.ts == NO_TIME else STRONG
    ties = [
        not scene.hosts.isdisjoint(hosts_of(pick.host)),
        not scene.accounts.isdisjoint(accounts_of(pick.account)),
        not addresses.isdisjoint(scene.own),
    ]
    if pick.ts == NO_TIME:
        return WEAK if ties[1] else BESIDE if any(ties) else 0
    # An address alone is that of a machine, whose user may be anybody.
    return STRONG if sum(ties) >= 2 else WEAK if ties[1] else BESIDE if ties[0] else 0
