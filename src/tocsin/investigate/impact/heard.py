"""Events in, what sensors counted and mailbox audit told about the questions of a claim on disk; and back, added up.

A claim is held against what the logs say in all, not only around incidents: so of each table sums are kept, not
records. What is more than may be held is counted, and nothing is concluded from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from tocsin.investigate.impact import flows, mail
from tocsin.investigate.impact.asked import BESIDE_US, Asked, Question
from tocsin.investigate.impact.flows import UNKNOWN
from tocsin.investigate.impact.picks import Pick, kept_fields, that
from tocsin.investigate.impact.scene import is_inside
from tocsin.model.event import NO_TIME, Events, Longs

MOST: Final = 200_000  # addresses, or mailboxes with a reader's address, that are told apart
BUCKET_US: Final = 600_000_000  # by which it is told when a sensor wrote
_DAY_US: Final = 24 * 3_600_000_000
_CITED: Final = 3  # of one table
_COUNTING: Final = frozenset({"zeek", "suricata", "firewall", "proxy"})
_SWITCHES: Final = frozenset(
    {"set-mailboxauditbypassassociation", "set-adminauditlogconfig", "set-organizationconfig", "set-mailbox"}
)

# with the addresses of its machines, put together once for all rows
_Questions: TypeAlias = Sequence[tuple[Question, frozenset[str]]]
# path, chunk, rec, ts, file: a record; and before it what makes one more telling than another
Place: TypeAlias = tuple[int, str, int, int, int, str]


class Sum(msgspec.Struct, array_like=True):
    """Bytes that were counted, the least and the most, and connections of which nobody counted any."""

    least: int = 0
    most: int = 0
    uncounted: int = 0

    def add(self, other: Sum) -> None:
        self.least, self.most = self.least + other.least, self.most + other.most
        self.uncounted += other.uncounted


class Sensor(msgspec.Struct):
    """What one sensor counted; machines by the number of their question, destinations and senders by address.

    `wrote` are the times of all connections; `border` says how many had one side outside. `machines` are addresses of a
    question's machines that appear within its time.
    """

    wrote: list[int] = []
    border: int = 0
    machines: dict[int, list[str]] = {}
    direct: dict[int, Sum] = {}
    inward: dict[int, dict[str, Sum]] = {}
    out: dict[str, Sum] = {}
    cited: dict[int, list[Place]] = {}


class Read(msgspec.Struct):
    """What was read of one mailbox from one address, by its owner or somebody else."""

    mailbox: str
    address: str
    owner: bool
    days: list[int]
    whole: bool  # a folder was copied, or the record does not name what was read
    throttled: bool
    messages: int
    bytes: int
    first: int
    at: Place


class Told(msgspec.Struct):
    """What one table tells. `gaps` are records of the audit being turned off or of mail going out another way."""

    sensors: dict[str, Sensor] = {}
    reads: list[Read] = []
    audit: list[int] = []  # days with records of mailboxes at all
    forwarded: list[str] = []
    gaps: list[tuple[str, Place]] = []


# --------------------------------------------------------------------------------- in a worker


def told(events: Events, asked: Asked) -> Iterator[bytes]:
    """A line, if the table says anything of a claim."""
    content = Told()
    timed = _timed(events.ts, asked)
    if events.kind in _COUNTING:
        content.sensors = _sensors(events, timed, asked)
    elif events.kind == "m365":
        _mail(events, timed, content)
    if content != Told():
        yield msgspec.json.encode(content) + b"\n"


def _timed(ts: Longs, asked: Asked) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    since, until = asked.windows[0].tolist()
    within: np.ndarray[tuple[int], np.dtype[np.bool_]] = (ts == NO_TIME) | ((ts >= since) & (ts <= until))
    return within


def _sensors(events: Events, timed: Any, asked: Asked) -> dict[str, Sensor]:
    at = np.flatnonzero(flows.connections(events) & timed)
    found: dict[str, Sensor] = {}
    if not len(at):
        return found
    ends = flows.ends(events, at)
    home = {
        side: [is_inside(text) or asked.is_ours(text) for text in texts]
        for side, (_, texts) in (("client", ends.client), ("server", ends.server))
    }
    questions = [(one, one.addresses) for one in asked.questions]
    for code, name in enumerate(ends.sensor[1]):
        mine = np.flatnonzero(ends.sensor[0] == code)
        if name and len(mine):
            found[name] = _sensor(events, at[mine], mine, ends, home, questions)
    return found


def _sensor(
    events: Events, at: Longs, mine: Longs, ends: flows.Ends, home: Mapping[str, list[bool]], questions: _Questions
) -> Sensor:
    sensor, ts = Sensor(), events.ts[at]
    times = ts[ts != NO_TIME]
    sensor.wrote = np.unique(times // BUCKET_US).tolist()
    numbers = {name: column[mine].tolist() for name, column in ends.numbers.items()}
    client, server = ends.client[0][mine].tolist(), ends.server[0][mine].tolist()
    for row in range(len(at)):
        # A proxy does not say whom it asks but by name: what it is asked for lies outside.
        ours = home["client"][client[row]] or events.kind == "proxy", home["server"][server[row]] and server[row] > 0
        ends_of = ends.client[1][client[row]], ends.server[1][server[row]]
        for side, (sent, other) in enumerate((("sent", 1), ("came", 0))):
            if not ours[side]:
                continue
            most, least = numbers[f"{sent}_most"][row], numbers[f"{sent}_least"][row]
            counted = Sum(least, max(most, 0), int(most == UNKNOWN))
            if not ours[other]:
                sensor.border += 1
                sensor.out.setdefault(ends_of[side], Sum()).add(counted)
            place = (max(most, 0), *_place(events, int(at[row])))
            _ask(sensor, questions, ends_of[side], "" if not ours[other] else ends_of[other], counted, place)
    return sensor


def _ask(sensor: Sensor, questions: _Questions, mine: str, other: str, counted: Sum, place: Place) -> None:
    """What went from one of our machines counts for the questions that are about it; `other` is '' for the outside."""
    moment = place[4]
    for number, (question, addresses) in enumerate(questions):
        if mine not in addresses or not _near(question, moment):
            continue
        if question.since_us <= moment <= question.until_us:
            known = sensor.machines.setdefault(number, [])
            if mine not in known:
                known.append(mine)
        if not other:
            sensor.direct.setdefault(number, Sum()).add(counted)
            cited = sensor.cited.setdefault(number, [])
            cited.append(place)
            cited.sort(key=lambda one: (-one[0], one[1:]))
            del cited[_CITED:]
        elif other not in addresses:
            sensor.inward.setdefault(number, {}).setdefault(other, Sum()).add(counted)


def _near(question: Question, moment: int) -> bool:
    return moment == NO_TIME or question.since_us - BESIDE_US <= moment <= question.until_us + BESIDE_US


def _place(events: Events, row: int) -> tuple[str, int, int, int, str]:
    source = events.sources[events.src[row]]
    return source.path, int(events.chunk[row]), int(events.rec[row]), int(events.ts[row]), source.file


def _mail(events: Events, timed: Any, content: Told) -> None:
    wanted = {mail.READ} | mail.EXPORTS | mail.FORWARDS | mail.RULES | _SWITCHES
    rows = np.flatnonzero(timed & that(events, "Operation", lambda text: text.lower() in wanted))
    reads: dict[tuple[str, str, bool], Read] = {}
    days, forwarded = set(), set()
    for row in rows.tolist():
        pick = Pick("mail", events.kind, "", "", 0, 0, 0, "", kept_fields(events.all_fields(row)))
        place: Place = (0, *_place(events, row))
        if mail.operation(pick) == mail.READ:
            days.add(place[4] // _DAY_US)
            _read(pick, place, reads)
            continue
        if gap := _gap(pick):
            content.gaps.append((gap, place))
        elif list(mail.targets(pick)):
            forwarded.add(mail.mailbox_of(pick))
    content.reads = list(reads.values())
    content.audit, content.forwarded = sorted(days), sorted(forwarded)
    del content.gaps[100:]


def _gap(pick: Pick) -> str:
    """Why mail may have been read or gone out without a record for its mailbox; '' where nothing says so."""
    operation = mail.operation(pick)
    if operation in mail.EXPORTS:
        return "a search over mailboxes was exported or looked at"
    if "transportrule" in operation or operation == "new-remotedomain":
        return "a rule for all mail was made or changed"
    if operation in _SWITCHES and (operation != "set-mailbox" or "audit" in pick.text("Parameters").lower()):
        return "what is audited was changed"
    return ""


def _read(pick: Pick, place: Place, reads: dict[tuple[str, str, bool], Read]) -> None:
    mailbox, told = mail.mailbox_of(pick), mail.properties(pick)
    owner = pick.text("LogonType") in {"0", "Owner"} and pick.text("UserId", "Userid").lower() == mailbox
    address = next(iter(sorted(pick.addresses)), "")
    names = [name for name in mail.ids(pick) if name]
    known = reads.setdefault(
        (mailbox, address, owner), Read(mailbox, address, owner, [], False, False, 0, 0, place[4], place)
    )
    day = place[4] // _DAY_US
    if day not in known.days and len(known.days) < 2_000:
        known.days.append(day)
    known.throttled |= told.get("isthrottled", "").lower() == "true"
    known.whole |= told.get("mailaccesstype", "").lower() != "bind" or not names
    known.messages += len(names)
    known.bytes += mail.size(pick)
    known.first = min(known.first, place[4])


# --------------------------------------------------------------------------------- and back


@dataclass(slots=True, kw_only=True)
class Heard:
    """All tables together; `beyond` counts what was more than could be held."""

    sensors: dict[str, Sensor] = field(default_factory=dict)
    reads: dict[tuple[str, str, bool], Read] = field(default_factory=dict)
    audit: set[int] = field(default_factory=set)
    forwarded: set[str] = field(default_factory=set)
    gaps: list[tuple[str, Place]] = field(default_factory=list)
    beyond: int = 0


def read(paths: Iterable[Path]) -> Heard:
    heard, decode = Heard(), msgspec.json.Decoder(Told).decode
    for path in sorted(paths):
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                _add(heard, decode(line))
    for sensor in heard.sensors.values():
        sensor.wrote = sorted(set(sensor.wrote))
    heard.gaps.sort()
    return heard


def _add(heard: Heard, one: Told) -> None:
    heard.audit.update(one.audit)
    heard.forwarded.update(one.forwarded)
    heard.gaps += one.gaps
    for read_ in one.reads:
        key = read_.mailbox, read_.address, read_.owner
        known = heard.reads.get(key)
        if known is None:
            if len(heard.reads) >= MOST:
                heard.beyond += 1
            else:
                heard.reads[key] = read_
            continue
        known.days = sorted({*known.days, *read_.days})
        known.whole, known.throttled = known.whole or read_.whole, known.throttled or read_.throttled
        known.messages, known.bytes = known.messages + read_.messages, known.bytes + read_.bytes
        known.first, known.at = min(known.first, read_.first), min(known.at, read_.at, key=_moment)
    for name, sensor in one.sensors.items():
        _join(heard, heard.sensors.setdefault(name, Sensor()), sensor)


def _moment(place: Place) -> tuple[object, ...]:
    return place[4], place


def _join(heard: Heard, into: Sensor, one: Sensor) -> None:
    into.wrote += one.wrote
    into.border += one.border
    for number, names in one.machines.items():
        into.machines[number] = sorted({*into.machines.get(number, ()), *names})
    for number, counted in one.direct.items():
        into.direct.setdefault(number, Sum()).add(counted)
    for number, cited in one.cited.items():
        both = [*into.cited.get(number, ()), *cited]
        into.cited[number] = sorted(both, key=lambda place: (-place[0], place[1:]))[:_CITED]
    _add_all(heard, into.out, one.out)
    for number, peers in one.inward.items():
        _add_all(heard, into.inward.setdefault(number, {}), peers)


def _add_all(heard: Heard, into: dict[str, Sum], some: Mapping[str, Sum]) -> None:
    for name, counted in some.items():
        if name in into or len(into) < MOST:
            into.setdefault(name, Sum()).add(counted)
        else:
            heard.beyond += 1
