"""The mission on one page: logs in, findings out, and what could not have been seen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import TypedDict

import msgspec
import numpy as np

from tocsin import collect
from tocsin.collect.clock import name_of
from tocsin.collect.reader import Reader
from tocsin.detect import Detector, cache, correlate, prepare, sighted, streams
from tocsin.detect.coverage import Account
from tocsin.detect.matcher import Matches
from tocsin.detect.report import findings
from tocsin.detect.subset import subset
from tocsin.detect.watch import Seen, Watch
from tocsin.engine import local
from tocsin.engine.protocol import Engine, Message, Send, Work
from tocsin.learn import attack as attack_facts
from tocsin.ledger import CORRELATED, FOUND, SEEN, Ledger, Progress
from tocsin.model.attack import NO_FACTS, Facts, telltales
from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.event import NO_TIME, Events, Longs
from tocsin.model.kind import ENVELOPE
from tocsin.model.mapping import LogMapping
from tocsin.model.rule import LEVELS, Level, RuleSet, RuleText
from tocsin.model.run import Run

_BUNDLE_BYTES = 128 << 20  # small sources share a task up to this size
_NO_TIME_LIMIT = 1 << 62


def compile_rules(
    texts: Sequence[RuleText], cache_folder: Path | None = None, mappings: Sequence[LogMapping] = ()
) -> RuleSet:
    """Compile rules, or load them if they were compiled before; pySigma is imported only to compile.

    Args:
        mappings: what is read besides what readers know: rules for it are compiled, too.
    """
    served = tuple(one for mapping in mappings for one in mapping.serves)
    digest = cache.digest_of(texts, {}, attack_facts.digest(), served)
    if cache_folder is not None and (known := cache.load(cache_folder, digest)):
        return known
    from tocsin.detect import attack_tags, sigma  # pySigma takes longer to import than compiled rules to load

    rules = sigma.compile_rules(texts, served=served)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Rules and indicators together, and what is known of the indicators before anything is read."""

    rules: RuleSet
    indicators: IndicatorCoverage | None = None


def with_indicators(
    names: Sequence[str],
    rules: RuleSet,
    *,
    known_good: Path | None = None,
    even_known_good: bool = False,
    ever: bool = False,
    observed: bool = False,
) -> Wanted:
    """Read files of indicators, and make them part of the rules.

    Args:
        known_good: lists to compare them with; None for no comparison.
        even_known_good: look also for what stands there.
        ever: at any time, not only while each was valid.
        observed: take observables in STIX bundles for indicators too.

    Raises:
        IndicatorError: a file cannot be read, or is none.
    """
    from tocsin.border import files  # its expressions take an eighth of a warm start, and most runs ask for none
    from tocsin.detect import indicators
    from tocsin.observe import known_good as lists

    with cache.not_collecting():
        intelligence = files.read(names, observed=observed)
        good = lists.load(known_good) if known_good is not None else None
        found = indicators.prepared(intelligence, rules, known_good=good, even_known_good=even_known_good, ever=ever)
    told = IndicatorCoverage(
        left_out=found.left_out, lowered=found.lowered, known_good=str(known_good) if known_good is not None else ""
    )
    return Wanted(rules=found.rules, indicators=told)


class How(TypedDict, total=False):
    """How logs are read and matched: what stories after this one hand on to `detect`, which says what each means."""

    indicators: IndicatorCoverage | None
    ever: bool
    jobs: int
    since_us: int | None
    until_us: int | None
    zone: tzinfo
    mappings: Sequence[LogMapping]
    attack: Facts
    attack_release: str
    engine: Engine


@contextmanager
def detect(
    logs: Iterable[str | Path],
    rules: RuleSet,
    *,
    indicators: IndicatorCoverage | None = None,
    ever: bool = False,
    jobs: int = 0,
    since_us: int | None = None,
    until_us: int | None = None,
    zone: tzinfo = UTC,
    mappings: Sequence[LogMapping] = (),
    attack: Facts = NO_FACTS,
    attack_release: str = "",
    traced: Path | None = None,
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Run]:
    """Match rules with logs.

    Args:
        indicators: what is known of those among the rules; None where there are none.
        ever: indicators are looked for at any time, not only while each was valid.
        jobs: worker processes; 0 is one for each processor.
        since_us: only events at or after this time (UTC microseconds), and those without a readable time.
        until_us: only events before this time, likewise.
        zone: of times in logs that name none.
        mappings: how logs are read that no reader knows, or that should be read otherwise.
        attack: what translates techniques, for results that are of one release of ATT&CK.
        attack_release: that release; the newest that rules with findings are tagged for, if none is named.
        traced: an empty folder to keep in what `investigate` joins findings by; None if nobody will.
        engine: where the work is done.

    Yields:
        The run; its findings are kept on disk until the context ends.
    """
    with cache.not_collecting():
        detector, watch, jobs = prepare(rules), Watch(rules, ever=ever), jobs or engine.default_jobs()
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        ledger = Ledger(Path(folder), detector, on_progress, traced)
        window = (since_us if since_us is not None else NO_TIME, until_us if until_us is not None else _NO_TIME_LIMIT)
        mapped = tuple(collect.reader(mapping) for mapping in mappings)  # workers are born with them
        tasks = _bundles(collect.plan(logs, jobs, mapped), jobs)
        ledger.total = sum(
            unit.weight for _, units in tasks for unit in units if not unit.digest_only and not unit.same_as
        )
        examine = partial(
            _examine,
            folder=ledger.folder,
            detector=detector,
            watch=watch,
            window=window,
            zone=zone,
            mapped=mapped,
            traced=traced,
        )
        while tasks:
            tasks = _run(tasks, examine, jobs, ledger, engine)
        run = ledger.run(rules, indicators)
        run = correlated(run, ledger.folder) if rules.correlations else run
        yield replace(run, attack=attack, attack_release=attack_release, timezone=name_of(zone))


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
    send: Send,
    *,
    folder: Path,
    detector: Detector,
    watch: Watch,
    window: tuple[int, int],
    zone: tzinfo,
    mapped: Sequence[Reader],
    traced: Path | None,
) -> None:
    """In a worker: read, match, keep the findings, tell what was seen."""
    name, units = task
    account = Account(detector)

    def say(kind: str, content: object) -> None:
        send(msgspec.json.encode((kind, content)))

    reading = collect.read_units(
        units,
        detector.projection | watch.projection | ENVELOPE | (_traced_fields() if traced else frozenset()),
        lambda custody: say("custody", custody),
        lambda path, size: say("bytes", (path, size)),
        zone,
        mapped,
    )
    with (folder / FOUND / name).open("wb") as file, (folder / SEEN / name).open("wb") as seen:
        for events in reading:
            among = _within(events, window)
            matches = detector.scan(events, among)
            values = watch.scan(events, among) if watch else None
            account.add(events, matches, values)
            count = 0
            for finding in findings(detector, events, matches, values):
                file.write(msgspec.json.encode(finding) + b"\n")
                count += 1
            seen.writelines(streams.frames(detector, events, matches))
            file.flush()
            seen.flush()
            if traced:
                _trace(traced / name, events, matches, values, among)
            say("events", (len(events), count))
            say("account", account.to_plain())  # so far: should the next table end this process, the last one counts


def _traced_fields() -> frozenset[str]:
    from tocsin import investigate  # its tables take a sixth of a warm start, and most runs trace nothing

    return investigate.FIELDS


def _trace(path: Path, events: Events, matches: Matches, values: Seen | None, among: Longs | None) -> None:
    from tocsin import investigate  # as above

    rows = [rows for _, rows in matches.rows] + ([values.rows] if values is not None else [])
    found = np.unique(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
    with path.open("ab") as file:
        file.writelines(investigate.frames(events, found, among))


def _within(events: Events, window: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    if window == (NO_TIME, _NO_TIME_LIMIT):
        return None
    known = events.ts != NO_TIME
    return np.flatnonzero(~known | (events.ts >= window[0]) & (events.ts < window[1]))


def _run(tasks: list[_Task], examine: Work[_Task], jobs: int, ledger: Ledger, engine: Engine) -> list[_Task]:
    """Do the tasks; what a failed one had bundled is given back, each unit as a task of its own.

    Of a file that cannot be read to its end the digest is still taken.
    """
    again: list[_Task] = []
    for answer in engine.run(tasks, examine, jobs=jobs):
        name, units = tasks[answer.task]
        if isinstance(answer, Message):
            ledger.hear(name, answer.content)
        elif answer.failure and len(units) > 1:
            ledger.forget(name)
            again += [(f"{name}.{number:06}", (unit,)) for number, unit in enumerate(units)]
        else:
            ledger.finish(name, units[0], answer.failure)
            if answer.failure and units[0].is_whole_file:
                again.append((f"{name}.digest", (replace(units[0], digest_only=True),)))
    return again


def correlated(run: Run, folder: Path) -> Run:
    """The run with the findings of correlations behind all others."""
    sightings = streams.read((folder / SEEN).iterdir())
    found = correlate.correlate(run.rules.correlations, sightings.streams, sightings.vocabulary)
    with (folder / FOUND / CORRELATED).open("wb") as file:
        for finding in sighted.findings(run.rules, found, sightings):
            file.write(msgspec.json.encode(finding) + b"\n")
    return replace(run, coverage=sighted.covered(run.coverage, run.rules, found, sightings))
