"""Parts of a lake in, findings in them out, from workers: what a hunt does with the events that it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, TypeVar

import msgspec
import numpy as np

from tocsin import investigate
from tocsin.detect import Detector, streams
from tocsin.detect.coverage import Account
from tocsin.detect.matcher import Matches
from tocsin.detect.report import findings
from tocsin.detect.score import days_outside, when
from tocsin.detect.watch import Seen, Watch
from tocsin.engine.protocol import Engine, Message, Send, Work
from tocsin.errors import LakeError
from tocsin.lake.names import field_of
from tocsin.lake.parts import Part
from tocsin.lake.reading import Opened
from tocsin.lake.store import Lake
from tocsin.ledger import FOUND, SEEN, Progress, kept
from tocsin.model.event import NO_TIME, Events, Longs
from tocsin.model.finding import Finding
from tocsin.model.indicator import ObservableType
from tocsin.model.kind import ENVELOPE, kind_of
from tocsin.model.rule import INDICATOR, Rule, RuleSet

TRACED: Final = "traced"
MOST_AROUND: Final = 2_000  # parts that are read for what went on around findings

_BUNDLE_BYTES: Final = 16 << 20  # of the files of one task: a second for a rule, ten for all that is known of them
_BUNDLE_PARTS: Final = 400
_BUNDLES_EACH: Final = 4  # that a worker does at least, so that none waits for long at the end

Window: TypeAlias = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A part to look into.

    Args:
        named: whether the index names it, with `rows` (None: all) and the `fields` that hold what was asked for.
        full: whether rules, and what no index holds, are matched with all of it.
    """

    part: Part
    named: bool
    rows: Longs | None
    fields: frozenset[str]
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A part whose events tell what went on around findings: `found` are their rows, other rows are of `hosts`."""

    part: Part
    hosts: frozenset[str] | None  # None: of all
    found: Sequence[int]


T = TypeVar("T")
P = TypeVar("P", Look, Around)


@dataclass(slots=True, kw_only=True)
class SeenOf:
    """What was seen of one rule. `best_us` is the time of the event that goes best with when its indicator held."""

    events: int = 0
    first_us: int | None = None
    last_us: int | None = None
    best_us: int | None = None
    hosts: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    whens: Counter[str] = field(default_factory=Counter)
    months: set[tuple[str, str, str, str]] = field(default_factory=set)  # kind, log, host, month


class SeenPlain(msgspec.Struct):
    events: int
    first_us: int | None
    last_us: int | None
    best_us: int | None
    hosts: list[str]
    kinds: list[str]
    whens: dict[str, int]
    months: list[tuple[str, str, str, str]]


class _Heard(msgspec.Struct, frozen=True):
    """What a worker says of one part."""

    rules: dict[int, SeenPlain]
    account: dict[str, Any]
    hosts: list[str]
    rows: list[int]
    paths: list[str]
    findings: int


@dataclass(slots=True)
class Tally:
    """What all workers said."""

    rules: RuleSet
    account: Account
    by_rule: dict[int, SeenOf] = field(default_factory=dict)
    rows: dict[tuple[str, str], tuple[tuple[str, ...], tuple[int, ...]]] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    findings: int = 0

    def seen(self) -> set[tuple[ObservableType, str, str, str, str]]:
        """In which month of which log of which host each type of observable was seen."""
        return {
            (one.type, *month)
            for number, seen in self.by_rule.items()
            if (indicator := self.rules.rules[number].indicator) is not None
            for one in indicator.observables
            for month in seen.months
        }

    def hear(self, part: Part, heard: _Heard) -> None:
        self.account.merge(heard.account)
        values = {n: one.events for n, one in heard.rules.items() if self.rules.rules[n].logsource == INDICATOR}
        self.account.findings.update(values)  # the others the account has counted itself
        for number, plain in heard.rules.items():
            _join(self.by_rule.setdefault(number, SeenOf()), plain, self.rules.rules[number])
        if heard.rows:
            self.rows[part.kind, part.path] = (tuple(heard.hosts), tuple(heard.rows))
        self.paths.update(heard.paths)
        self.findings += heard.findings


def _join(seen: SeenOf, plain: SeenPlain, rule: Rule) -> None:
    seen.events += plain.events
    for us in (plain.first_us, plain.last_us):
        if us is not None:
            seen.first_us = us if seen.first_us is None else min(seen.first_us, us)
            seen.last_us = us if seen.last_us is None else max(seen.last_us, us)
    seen.best_us = _better(rule, seen.best_us, plain.best_us)
    seen.hosts.update(plain.hosts)
    seen.kinds.update(plain.kinds)
    seen.whens.update(plain.whens)
    seen.months.update(plain.months)


def _better(rule: Rule, one: int | None, other: int | None) -> int | None:
    if one is None or other is None or rule.indicator is None:
        return other if one is None else one
    known = rule.indicator
    return min(one, other, key=lambda us: (abs(days_outside(known, us)), us))


@dataclass(frozen=True, slots=True)
class Kept:
    """Findings on disk, in the order of days and parts; each pass reads them again."""

    folder: Path
    digests: Mapping[str, str]

    def __iter__(self) -> Iterator[Finding]:
        for path in sorted(self.folder.iterdir()):
            for finding in kept(path):
                yield replace(finding, src=self.digests.get(finding.src, ""))


def only(rules: RuleSet, numbers: Collection[int]) -> RuleSet:
    """The same rules, each in its place, without the indicators of others."""
    some = tuple(
        rule if number in numbers or rule.indicator is None else replace(rule, indicator=None)
        for number, rule in enumerate(rules.rules)
    )
    return replace(rules, rules=some)


def fields_of(part: Part) -> frozenset[str]:
    return frozenset(field_of(column) for column in part.columns)


def bundled(whole: Sequence[T], size_of: Callable[[T], int], jobs: int) -> list[tuple[str, tuple[T, ...]]]:
    """Neighbours as tasks of some seconds each, with names in their order; enough of them for all workers."""
    most = min(_BUNDLE_BYTES, sum(map(size_of, whole)) // (jobs * _BUNDLES_EACH))
    bundles: list[list[T]] = []
    room = 0
    for one in whole:
        if not bundles or size_of(one) > room or len(bundles[-1]) >= _BUNDLE_PARTS:
            bundles.append([])
            room = most
        bundles[-1].append(one)
        room -= size_of(one)
    return [(f"{number:07}", tuple(some)) for number, some in enumerate(bundles)]


def run(
    tasks: Sequence[P],
    work: Work[tuple[str, tuple[P, ...]]],
    jobs: int,
    tally: Tally,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    engine: Engine,
) -> None:
    """Look into parts; `work` sends a word for each of those it is given.

    Raises:
        LakeError: a part cannot be read; an answer without it would say no where nobody looked.
    """
    bundles = bundled(tasks, lambda one: one.part.size_bytes, jobs)
    total, done, events = sum(task.part.size_bytes for task in tasks), 0, 0
    heard = [0] * len(bundles)
    for answer in engine.run(bundles, work, jobs=jobs):
        some = bundles[answer.task][1]
        part = some[min(heard[answer.task], len(some) - 1)].part
        if isinstance(answer, Message):
            if answer.content:
                tally.hear(part, msgspec.json.decode(answer.content, type=_Heard))
            heard[answer.task] += 1
            done, events = done + part.size_bytes, events + part.rows
            on_progress(
                Progress(bytes_done=done, bytes_total=total, events=events, findings=tally.findings, current=part.day)
            )
        elif answer.failure:
            raise LakeError(
                f"{part.kind}/{part.path}: {answer.failure}",
                hint="No answer is given without it. `tocsin lake verify` tells what is damaged.",
            )


# --------------------------------------------------------------------------------- in a worker


def look(
    task: tuple[str, tuple[Look, ...]],
    send: Send,
    *,
    folder: Path,
    lake: Lake,
    detector: Detector,
    fast: Watch,
    slow: Watch,
    window: Window,
    margin_days: float,
) -> None:
    """Read parts, match, keep the findings, tell what was seen."""
    name, looks = task
    with (folder / FOUND / name).open("wb") as file, (folder / SEEN / name).open("wb") as sightings:
        for one in looks:
            opened = Opened(one.part, lake.part_path(one.part))
            account = Account(detector)
            doing = _Doing(detector.rules, margin_days)
            if one.named:
                for places, events in opened.events(one.fields | ENVELOPE, one.rows):
                    doing.take(places, events, Matches(), fast.scan(events, _within(events, window)), detector, file)
            if one.full:
                rows = _first_look(opened, detector, slow, window, account)
                wanted = detector.projection | slow.projection | ENVELOPE
                for places, events in opened.events(wanted, rows) if len(rows) else ():
                    matches = detector.scan(events)
                    sightings.writelines(streams.frames(detector, events, matches))
                    doing.take(places, events, matches, slow.scan(events) if slow else None, detector, file)
            send(msgspec.json.encode(doing.heard(account)))


def _first_look(opened: Opened, detector: Detector, watch: Watch, window: Window, account: Account) -> Longs:
    """The rows where something is found; of most parts no more is read than the columns that tell there is nothing."""
    found = [np.zeros(0, np.int64)]
    for first, events in opened.scans():
        inside = _within(events, window)
        matches = detector.scan(events, inside)
        values = watch.scan(events, inside) if watch else None
        account.add_matches(events, matches)
        found += [first + rows for _, rows in matches.rows] + ([first + values.rows] if values is not None else [])
    return np.unique(np.concatenate(found))


@dataclass(slots=True)
class _Doing:
    """What is found in a part, as it grows."""

    rules: RuleSet
    margin_days: float
    seen: dict[int, SeenOf] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    count: int = 0

    def take(
        self, places: Longs, events: Events, matches: Matches, values: Seen | None, detector: Detector, file: BinaryIO
    ) -> None:
        """Take in what was found in one table, and write its findings."""
        found = [*(each for _, each in matches.rows), *([values.rows] if values is not None else [])]
        here = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
        self.rows.update(places[here].tolist())
        self.paths.update(events.sources[at].path for at in np.unique(events.src[here]).tolist())
        for finding in findings(detector, events, matches, values):
            file.write(msgspec.json.encode(finding) + b"\n")
            self.hosts.add(finding.host)
            self.count += 1
        _count(self.rules, events, matches.rows, values, self.seen, self.margin_days)

    def heard(self, account: Account) -> _Heard:
        return _Heard(
            rules={number: _plain(one) for number, one in self.seen.items()},
            account=account.to_plain(),
            hosts=sorted(self.hosts),
            rows=sorted(self.rows),
            paths=sorted(self.paths),
            findings=self.count,
        )


def trace(task: tuple[str, tuple[Around, ...]], send: Send, *, folder: Path, lake: Lake, window: Window) -> None:
    """Keep what findings can be joined by: their events, and what their hosts did on the same day."""
    name, some = task
    with (folder / name).open("wb") as file:
        for one in some:
            found = np.array(one.found, np.int64)
            for places, events in Opened(one.part, lake.part_path(one.part)).events(investigate.FIELDS | ENVELOPE):
                here = np.flatnonzero(np.isin(places, found))
                others = _within(events, window) if one.hosts is None else _of_hosts(events, one.hosts)
                file.writelines(investigate.frames(events, here, others))
            send(b"")


def _of_hosts(events: Events, hosts: Collection[str]) -> Longs:
    column = events.hosts()
    if column is None:
        return np.zeros(0, np.int64)
    fits = np.array([(text or "") in hosts and bool(text) for text in column.values], bool)
    return np.flatnonzero(fits[column.codes])


def _within(events: Events, window: Window) -> Longs | None:
    """The rows of a time, and those without one."""
    since, until = window
    if since is None and until is None:
        return None
    inside = events.ts == NO_TIME
    after = True if since is None else events.ts >= since
    before = True if until is None else events.ts < until
    return np.flatnonzero(inside | (after & before))


def _count(
    rules: RuleSet,
    events: Events,
    matched: Iterable[tuple[int, Longs]],
    values: Seen | None,
    seen: dict[int, SeenOf],
    margin_days: float,
) -> None:
    """Take in what was found in one table."""
    pairs = [(rules.variants[number].rule, rows) for number, rows in matched]
    if values is not None:
        pairs += [(number, values.rows[values.rules == number]) for number in np.unique(values.rules).tolist()]
    log, host = events.columns.get(kind_of(events.kind).log), events.hosts()
    for number, rows in pairs:
        one, known = seen.setdefault(number, SeenOf()), rules.rules[number].indicator
        for row in rows.tolist():
            us = int(events.ts[row])
            ts = None if us == NO_TIME else us
            where = (host.text(row) if host else None) or ""
            one.events += 1
            one.hosts.add(where)
            month = str(np.datetime64(us, "us").astype("M8[M]")) if ts is not None else ""
            one.months.add((events.kind, (log.text(row) if log else None) or "", where, month))
            if known is not None:
                one.whens[when(known, ts, margin_days)] += 1
            if ts is not None:
                one.first_us = ts if one.first_us is None else min(one.first_us, ts)
                one.last_us = ts if one.last_us is None else max(one.last_us, ts)
                one.best_us = _better(rules.rules[number], one.best_us, ts)
        one.kinds.add(events.kind)


def _plain(one: SeenOf) -> SeenPlain:
    return SeenPlain(
        events=one.events,
        first_us=one.first_us,
        last_us=one.last_us,
        best_us=one.best_us,
        hosts=sorted(one.hosts),
        kinds=sorted(one.kinds),
        whens=dict(one.whens),
        months=sorted(one.months),
    )
