"""The mission on one page: logs in, findings out, and what could not have been seen."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tocsin import collect, investigate
from tocsin.detect import Detector, cache, correlate, prepare, sighted, streams
from tocsin.detect.coverage import Account
from tocsin.detect.matcher import Matches
from tocsin.detect.report import findings
from tocsin.detect.subset import subset
from tocsin.engine import local
from tocsin.learn import attack as attack_facts
from tocsin.model.attack import NO_FACTS, Facts, telltales
from tocsin.model.custody import Custody
from tocsin.model.event import NO_TIME, Events, Longs
from tocsin.model.finding import Finding
from tocsin.model.kind import ENVELOPE
from tocsin.model.rule import LEVELS, Level, RuleSet, RuleText
from tocsin.model.run import Run

_BUNDLE_BYTES = 128 << 20  # small sources share a task up to this size
_NO_TIME_LIMIT = 1 << 62
# Below a run's folder: findings, and events for correlations, a file for each task.
_FOUND, _SEEN = "found", "seen"
_CORRELATED = "correlated"  # sorts behind the names of tasks, which are numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. `bytes_done` was read, decompressed where it was packed; `bytes_total` is an estimate."""

    bytes_done: int
    bytes_total: int
    events: int
    findings: int
    current: str


def compile_rules(texts: Sequence[RuleText], cache_folder: Path | None = None) -> RuleSet:
    """Compile rules, or load them if they were compiled before; pySigma is imported only to compile."""
    digest = cache.digest_of(texts, {}, attack_facts.digest())
    if cache_folder is not None and (known := cache.load(cache_folder, digest)):
        return known
    from tocsin.detect import attack_tags, sigma  # pySigma takes longer to import than compiled rules to load

    rules = sigma.compile_rules(texts)
    dated = attack_tags.dated(rules.rules, telltales(attack_facts.known()))
    rules = replace(rules, rules=dated, digest=digest)
    if cache_folder is not None:
        cache.save(cache_folder, rules)
    return rules


def select(rules: RuleSet, *, level: Level | None = None, statuses: Collection[str] = ()) -> RuleSet:
    """The rules at or above a level, and of these statuses if any are named; with what their correlations refer to."""
    lowest = LEVELS.index(level) if level else 0
    kept = [
        number
        for number, rule in enumerate(rules.rules)
        if LEVELS.index(rule.level) >= lowest and (not statuses or rule.status in statuses)
    ]
    return subset(rules, kept)


@contextmanager
def detect(
    logs: Iterable[str | Path],
    rules: RuleSet,
    *,
    jobs: int = 0,
    since_us: int | None = None,
    until_us: int | None = None,
    zone: tzinfo = UTC,
    attack: Facts = NO_FACTS,
    attack_release: str = "",
    traced: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Run]:
    """Match rules with logs.

    Args:
        jobs: worker processes; 0 is one for each processor.
        since_us: only events at or after this time (UTC microseconds), and those without a readable time.
        until_us: only events before this time, likewise.
        zone: of times in logs that name none.
        attack: what translates techniques, for results that are of one release of ATT&CK.
        attack_release: that release; the newest that rules with findings are tagged for, if none is named.
        traced: an empty folder to keep in what `investigate` joins findings by; None if nobody will.

    Yields:
        The run; its findings are kept on disk until the context ends.
    """
    detector, jobs = prepare(rules), jobs or local.default_jobs()
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        watch = _Watch(Path(folder), detector, on_progress, traced)
        window = (since_us if since_us is not None else NO_TIME, until_us if until_us is not None else _NO_TIME_LIMIT)
        tasks = _bundles(collect.plan(logs, jobs), jobs)
        watch.total = sum(unit.weight for _, units in tasks for unit in units if not unit.digest_only)
        examine = partial(_examine, folder=watch.folder, detector=detector, window=window, zone=zone, traced=traced)
        while tasks:
            tasks = _run(tasks, examine, jobs, watch)
        run = watch.run(rules)
        if rules.correlations:
            run = _correlated(run, watch.folder)
        yield replace(run, attack=attack, attack_release=attack_release)


_Task = tuple[str, tuple[collect.Unit, ...]]  # where its findings are kept, and what it reads


def _bundles(units: Sequence[collect.Unit], jobs: int) -> list[_Task]:
    """Neighbouring small units become one task, but there are enough tasks for all workers."""
    limit = min(_BUNDLE_BYTES, max(sum(unit.weight for unit in units) // (3 * jobs), 1 << 20))
    bundles: list[list[collect.Unit]] = []
    room = 0
    for unit in units:
        if not bundles or unit.weight > room:
            bundles.append([])
            room = limit
        bundles[-1].append(unit)
        room -= unit.weight
    return [(f"{number:06}", tuple(bundle)) for number, bundle in enumerate(bundles)]


def _examine(
    task: _Task,
    send: local.Send,
    *,
    folder: Path,
    detector: Detector,
    window: tuple[int, int],
    zone: tzinfo,
    traced: Path | None,
) -> None:
    """In a worker: read, match, keep the findings, tell what was seen."""
    name, units = task
    account = Account(detector)

    def say(kind: str, content: object) -> None:
        send(msgspec.json.encode((kind, content)))

    reading = collect.read_units(
        units,
        detector.projection | ENVELOPE | (investigate.FIELDS if traced else frozenset()),
        lambda custody: say("custody", custody),
        lambda path, size: say("bytes", (path, size)),
        zone,
    )
    with (folder / _FOUND / name).open("wb") as file, (folder / _SEEN / name).open("wb") as seen:
        for events in reading:
            among = _within(events, window)
            matches = detector.scan(events, among)
            account.add(events, matches)
            count = 0
            for finding in findings(detector, events, matches):
                file.write(msgspec.json.encode(finding) + b"\n")
                count += 1
            seen.writelines(streams.frames(detector, events, matches))
            file.flush()
            seen.flush()
            if traced:
                _trace(traced / name, events, matches, among)
            say("events", (len(events), count))
            say("account", account.to_plain())  # so far: should the next table end this process, the last one counts


def _trace(path: Path, events: Events, matches: Matches, among: Longs | None) -> None:
    rows = [rows for _, rows in matches.rows]
    found = np.unique(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
    with path.open("ab") as file:
        file.writelines(investigate.frames(events, found, among))


def _within(events: Events, window: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    if window == (NO_TIME, _NO_TIME_LIMIT):
        return None
    known = events.ts != NO_TIME
    return np.flatnonzero(~known | (events.ts >= window[0]) & (events.ts < window[1]))


def _run(tasks: list[_Task], examine: local.Work[_Task], jobs: int, watch: _Watch) -> list[_Task]:
    """Do the tasks; what a failed one had bundled is given back, each unit as a task of its own.

    Of a file that cannot be read to its end the digest is still taken.
    """
    again: list[_Task] = []
    for answer in local.run(tasks, examine, jobs=jobs):
        name, units = tasks[answer.task]
        if isinstance(answer, local.Message):
            watch.hear(name, answer.content)
        elif answer.failure and len(units) > 1:
            watch.forget(name)
            again += [(f"{name}.{number:06}", (unit,)) for number, unit in enumerate(units)]
        else:
            watch.finish(name, units[0], answer.failure)
            if answer.failure and units[0].is_whole_file:
                again.append((f"{name}.digest", (replace(units[0], digest_only=True),)))
    return again


def _correlated(run: Run, folder: Path) -> Run:
    """The run with the findings of correlations behind all others."""
    sightings = streams.read((folder / _SEEN).iterdir())
    found = correlate.correlate(run.rules.correlations, sightings.streams, sightings.vocabulary)
    with (folder / _FOUND / _CORRELATED).open("wb") as file:
        for finding in sighted.findings(run.rules, found, sightings):
            file.write(msgspec.json.encode(finding) + b"\n")
    return replace(run, coverage=sighted.covered(run.coverage, run.rules, found, sightings))


class _Watch:
    """What the workers say, put together."""

    def __init__(
        self, folder: Path, detector: Detector, on_progress: Callable[[Progress], None], traced: Path | None
    ) -> None:
        self.folder, self.total = folder, 0
        self._kept = (folder / _FOUND, folder / _SEEN, *((traced,) if traced else ()))
        for kept in (_FOUND, _SEEN):
            (folder / kept).mkdir()
        self._detector, self._on_progress = detector, on_progress
        self._account = Account(detector)
        self._heard: dict[str, list[tuple[str, object]]] = {}
        self._custody: dict[str, list[Custody]] = {}
        self._total = (0, 0, 0)  # bytes, events, findings
        self._counts: dict[str, tuple[int, int, int]] = {}  # of each task

    def hear(self, name: str, message: bytes) -> None:
        kind, content = msgspec.json.decode(message)
        if kind == "bytes":
            self._count(name, (content[1], 0, 0))
            size, events, found = self._total
            self._on_progress(
                Progress(bytes_done=size, bytes_total=self.total, events=events, findings=found, current=content[0])
            )
            return
        if kind == "events":
            self._count(name, (0, *content))
        self._heard.setdefault(name, []).append((kind, content))

    def _count(self, name: str, more: tuple[int, int, int]) -> None:
        known = self._counts.get(name, (0, 0, 0))
        self._counts[name] = _sums(known, more)
        self._total = _sums(self._total, more)

    def forget(self, name: str) -> None:
        """A bundle failed: its units are read again one by one."""
        self._heard.pop(name, None)
        size, events, found = self._counts.pop(name, (0, 0, 0))
        self._total = _sums(self._total, (-size, -events, -found))
        for kept in self._kept:
            (kept / name).unlink(missing_ok=True)

    def finish(self, name: str, unit: collect.Unit, failure: str) -> None:
        account: dict[str, Any] = {}
        read = 0
        for kind, content in self._heard.pop(name, []):
            if kind == "custody":
                custody = msgspec.convert(content, Custody)
                self._custody.setdefault(custody.path, []).append(custody)
                read += custody.read
            elif kind == "account":
                account = content  # type: ignore[assignment]  # what to_plain() made
        if failure:
            path = f"{unit.label}!{unit.member}" if unit.member else unit.label
            read = max(self._counts.get(name, (0, 0, 0))[1] - read, 0)
            lost = Custody(path=path, file=unit.label, size_bytes=0, read=read, problems=(failure,))
            self._custody.setdefault(path, []).append(lost)
            # What was found before the end stands, told of or not.
            account["findings"] = list(Counter(finding.rule for finding in _kept(self.folder / _FOUND / name)).items())
        self._account.merge(account)

    def run(self, rules: RuleSet) -> Run:
        custody = tuple(_joined(parts) for _, parts in sorted(self._custody.items()))
        digests = {entry.path: entry.sha256 for entry in custody if entry.path == entry.file}
        return Run(
            rules=rules,
            findings=_Kept(self.folder / _FOUND, digests),
            custody=custody,
            coverage=self._account.coverage(),
            tool_version=version("tocsin"),
        )


def _sums(known: tuple[int, int, int], more: tuple[int, int, int]) -> tuple[int, int, int]:
    return known[0] + more[0], known[1] + more[1], known[2] + more[2]


def _joined(parts: list[Custody]) -> Custody:
    """One account of a source that was read in parts."""
    if len(parts) == 1:
        return parts[0]
    firsts = [part.first_us for part in parts if part.first_us is not None]
    lasts = [part.last_us for part in parts if part.last_us is not None]
    return replace(
        parts[0],
        size_bytes=max(part.size_bytes for part in parts),
        sha256=next((part.sha256 for part in parts if part.sha256), ""),
        format=next((part.format for part in parts if part.format), ""),
        read=sum(part.read for part in parts),
        damaged=_added([part.damaged for part in parts]),
        mended=_added([part.mended for part in parts]),
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
        first_us=min(firsts, default=None),
        last_us=max(lasts, default=None),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


class _Kept:
    """Findings on disk, in the order of the tasks, correlations last; each pass reads them again."""

    def __init__(self, folder: Path, digests: Mapping[str, str]) -> None:
        self._folder, self._digests = folder, digests

    def __iter__(self) -> Iterator[Finding]:
        for path in sorted(self._folder.iterdir()):
            for finding in _kept(path):
                yield replace(finding, src=self._digests.get(finding.src, ""))


def _kept(path: Path) -> Iterator[Finding]:
    decode = msgspec.json.Decoder(Finding).decode
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # a worker that died may have left half a line
                    yield decode(line)
