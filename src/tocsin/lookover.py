"""A lake in, the same out as from the logs that went into it: findings, what could have been seen, what lies around.

The functions that read logs are the ones that read the lake's files: `looking` matches, `investigate` keeps traces and
what may show what was taken. Neighbouring files are a task for the engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from tocsin import looking
from tocsin.detect import Detector
from tocsin.detect.coverage import Account
from tocsin.detect.observed_fields import FIELDS, OBSERVED
from tocsin.detect.watch import Watch
from tocsin.engine import local
from tocsin.engine.protocol import Engine, Message, Send
from tocsin.errors import LakeError
from tocsin.intake import LOOKS
from tocsin.investigate import impact
from tocsin.investigate.sought import Sought
from tocsin.lake import asking, upkeep
from tocsin.lake.asking import PartKey
from tocsin.lake.parts import DAY_US, Part
from tocsin.lake.reading import Opened
from tocsin.lake.runs import Run as IndexRun
from tocsin.lake.store import Lake
from tocsin.lake.visible import Visible
from tocsin.ledger import FOUND, SEEN, Progress
from tocsin.looking import Look, Tally
from tocsin.model.attack import NO_FACTS, Facts
from tocsin.model.coverage import IndicatorCoverage, SeenLog
from tocsin.model.custody import Custody
from tocsin.model.event import Longs
from tocsin.model.kind import ENVELOPE
from tocsin.model.raw import Place, Raw
from tocsin.model.rule import RuleSet
from tocsin.model.run import Run
from tocsin.pipeline import correlated

LONGEST_RAW: Final = 64 << 10  # bytes of a record in a report, as of one that is read from its log
MOST_RAW: Final = 256 << 20  # bytes of all of them
_MARGIN_DAYS: Final = 14.0
_NOT_THERE: Final = "it was not found in the lake"
_UNREADABLE: Final = "it was not found in the lake, of which a file can no longer be read"


@contextmanager
def detect(
    lake: Lake,
    rules: RuleSet,
    *,
    indicators: IndicatorCoverage | None = None,
    ever: bool = False,
    jobs: int = 0,
    since_us: int | None = None,
    until_us: int | None = None,
    attack: Facts = NO_FACTS,
    attack_release: str = "",
    traced: Path | None = None,
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Run]:
    """Match rules and indicators with all that a lake holds of a time; arguments are those of `pipeline.detect`.

    Yields:
        The run; its findings are kept on disk until the context ends.

    Raises:
        LakeError: a part of it cannot be read.
    """
    jobs = jobs or engine.default_jobs()
    detector, watch = Detector(rules), Watch(rules, ever=ever)
    parts = asking.window(lake.state.parts.values(), since_us, until_us)
    visible = visible_in(index(lake), parts)
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        folder = Path(name)
        for kept in (FOUND, SEEN):
            (folder / kept).mkdir()
        tally = Tally(rules, Account(detector))
        work = partial(
            looking.look,
            folder=folder,
            lake=lake,
            detector=detector,
            fast=Watch(looking.only(rules, ()), ever=True),
            slow=watch,
            window=(since_us, until_us),
            margin_days=_MARGIN_DAYS,
        )
        ordered = sorted(parts.values(), key=lambda part: (part.day, part.kind, part.path))
        looks = [Look(part=part, named=False, rows=None, fields=frozenset(), full=True) for part in ordered]
        looking.run(looks, work, jobs, tally, on_progress, engine=engine)
        if traced is not None:
            around = [
                looking.Around(part=part, hosts=None, found=tally.rows.get((part.kind, part.path), ((), ()))[1])
                for part in ordered
            ]
            trace = partial(looking.trace, folder=traced, lake=lake, window=(since_us, until_us))
            looking.run(around, trace, jobs, tally, engine=engine)
        run = run_of(rules, indicators, lake, tally, visible, folder, (since_us, until_us))
        custody = tuple(one for one in lake.state.custody if _of_time(one, since_us, until_us))
        yield replace(run, custody=custody, attack=attack, attack_release=attack_release)


def _of_time(one: Custody, since_us: int | None, until_us: int | None) -> bool:
    """Whether a source may hold events of a time; one whose events have none may."""
    if one.first_us is None or one.last_us is None:
        return True
    return (until_us is None or one.first_us < until_us) and (since_us is None or one.last_us >= since_us)


def look_back(
    lake: Lake,
    around: impact.Around,
    kept: impact.Kept,
    *,
    asked: impact.Asked | None = None,
    sought: Sequence[Sought] = (),
    jobs: int = 0,
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> tuple[str, ...]:
    """Keep the records around incidents, as `lookback.look_back` does of logs; gives what could not be read."""
    windows = around.windows if asked is None else np.concatenate([around.windows, asked.windows])
    wanted = [(impact.KINDS, windows, frozenset[str]()), *((one.kinds, one.windows, one.needs) for one in sought)]
    parts = [part for part in lake.state.parts.values() if any(_may_hold(part, *one) for one in wanted)]
    if not parts:
        return ()  # and no worker is started
    jobs = jobs or engine.default_jobs()
    tasks = looking.bundled(sorted(parts, key=lambda part: part.path), lambda part: part.size_bytes, jobs)
    heard = [0] * len(tasks)
    total, done, events = sum(part.size_bytes for part in parts), 0, 0
    lost: tuple[str, ...] = ()
    work = partial(_look, lake=lake, around=around, kept=kept, asked=asked, sought=sought)
    for answer in engine.run(tasks, work, jobs=jobs):
        some = tasks[answer.task][1]
        part = some[min(heard[answer.task], len(some) - 1)]
        if isinstance(answer, Message):
            heard[answer.task] += 1
            lost += (answer.content.decode(),) if answer.content else ()
            done, events = done + part.size_bytes, events + part.rows
            current = f"{part.kind} {part.day}, once more"
            on_progress(Progress(bytes_done=done, bytes_total=total, events=events, findings=0, current=current))
        elif answer.failure:
            lost += tuple(f"{one.kind}/{one.path}: {answer.failure}" for one in some[heard[answer.task] :])
    return lost


def _look(
    task: tuple[str, tuple[Part, ...]],
    send: Send,
    *,
    lake: Lake,
    around: impact.Around,
    kept: impact.Kept,
    asked: impact.Asked | None,
    sought: Sequence[Sought],
) -> None:
    """In a worker: read parts, keep what may show what was taken; sends a word for each, and what was lost of it."""
    name, parts = task
    for folder in (kept.picks, kept.flows, kept.heard):
        (folder / name).unlink(missing_ok=True)  # of a worker that died at it
    for one in sought:
        one.forget(name)
    fields = impact.FIELDS.union(*(one.fields for one in sought))
    for part in parts:
        lost = ""
        try:
            for _, events in Opened(part, lake.part_path(part)).events(fields | ENVELOPE):
                impact.keep(kept, name, events, around, asked)
                for one in sought:
                    one.keep(name, events)
        except LakeError as error:  # of the others all is read
            lost = f"{part.kind}/{part.path}: {error.message}"
        send(lost.encode())


def _may_hold(part: Part, kinds: frozenset[str], windows: Longs, needs: frozenset[str]) -> bool:
    fits = part.kind in kinds and (not needs or not needs.isdisjoint(looking.fields_of(part)))
    return fits and _reaches(part, windows)


def _reaches(part: Part, windows: Longs) -> bool:
    if part.first_us is None or part.last_us is None:
        return True
    return bool(((windows[:, 0] <= part.last_us) & (windows[:, 1] >= part.first_us)).any())


def raws(lake: Lake, places: Iterable[Place], spans: Iterable[tuple[int | None, int | None]]) -> dict[Place, Raw]:
    """Records by their places, as the lake keeps them; one that is not there, or no longer, says so.

    Args:
        spans: first and last times (UTC microseconds) about which they are looked for, a day before and behind.
    """
    wanted = dict.fromkeys(places)
    parts: dict[PartKey, Part] = {}
    for first, last in spans:
        since, until = (None, None) if first is None or last is None else (first - DAY_US, last + DAY_US)
        parts |= asking.window(lake.state.parts.values(), since, until)
    found: dict[Place, Raw] = {}
    kept, missing = 0, _NOT_THERE
    for part in parts.values():
        try:
            for place, raw in Opened(part, lake.part_path(part)).placed(wanted.keys()):
                if kept < MOST_RAW:
                    found[place] = Raw(kind=part.kind, content=raw[:LONGEST_RAW], size_bytes=len(raw))
                    kept += min(len(raw), LONGEST_RAW)
        except LakeError:
            missing = _UNREADABLE  # what was found before stands, and the reports say so
    return {place: found.get(place) or Raw(missing=missing) for place in wanted}


def index(lake: Lake) -> list[IndexRun]:
    """The index, every byte of which is as it was written; parts that it does not speak of are indexed first."""
    if lake.unindexed(LOOKS.version):
        upkeep.reindex(lake, LOOKS)
    return lake.index(every_byte=True)


def visible_in(runs: Sequence[IndexRun], parts: Mapping[PartKey, Part]) -> Visible:
    """What these parts hold of which log of which host on which day."""
    visible = Visible(OBSERVED)
    for part, some in asking.census(runs, parts):
        visible.add(part, some)
    return visible


def run_of(  # noqa: PLR0917 - what was asked, where, and what came of it
    rules: RuleSet,
    told: IndicatorCoverage | None,
    lake: Lake,
    tally: Tally,
    visible: Visible,
    folder: Path,
    window: tuple[int | None, int | None],
) -> Run:
    """What was found in a lake, with what could have been seen there; findings are below the folder."""
    account = tally.account
    account.sighted.fields |= {
        (part.kind, name) for part in lake.state.parts.values() for name in looking.fields_of(part) & FIELDS.keys()
    }
    coverage = account.coverage(told)
    run = Run(
        rules=rules,
        findings=looking.Kept(folder / FOUND, lake.state.evidence),
        custody=tuple(one for one in lake.state.custody if one.path in tally.paths),
        coverage=replace(coverage, seen=tuple(_seen_logs(visible, *window))),
        tool_version=version("tocsin"),
    )
    return correlated(run, folder) if rules.correlations else run


def _seen_logs(visible: Visible, since_us: int | None, until_us: int | None) -> Iterator[SeenLog]:
    """From the first day to the last that a log of a host has records on, no further than was asked about."""
    months: dict[tuple[str, str, str], list[str]] = {}
    for kind, log, host, month in visible.days:
        months.setdefault((kind, log, host), []).append(month)
    for (kind, log, host), some in sorted(months.items()):
        first, last = min(some), max(some)
        mask = visible.days[kind, log, host, first]
        first_us = _day_us(first, (mask & -mask).bit_length() - 1)
        last_us = _day_us(last, visible.days[kind, log, host, last].bit_length()) - 1
        yield SeenLog(
            kind=kind,
            channel=log,
            host=host,
            records=visible.rows.get((kind, log, host), 0),
            first_us=first_us if since_us is None else max(first_us, since_us),
            last_us=last_us if until_us is None else min(last_us, until_us - 1),
        )


def _day_us(month: str, day: int) -> int:
    """The beginning of a day of a month, counted from 0."""
    return (int(np.datetime64(month, "M").astype("M8[D]").astype(int)) + day) * DAY_US
