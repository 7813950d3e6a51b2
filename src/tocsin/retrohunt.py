"""New intelligence in, every year of a lake asked for it: incidents, what was seen when, and what nobody could see.

Indicators that ask for a value are looked up in the lake's index, and only the events it names are read; what they are
found in is decided by the same functions that read logs. Rules, patterns and what no index can hold are matched with
the distinct values of the columns that they look at. Nothing leaves the machine, whatever its marking says.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from tocsin import foreseen, investigate, looking, lookover
from tocsin.border import files
from tocsin.detect import Detector, indicators, tokens
from tocsin.detect.coverage import Account
from tocsin.detect.score import score
from tocsin.detect.watch import Watch
from tocsin.engine import local
from tocsin.engine.protocol import Engine
from tocsin.intake import LOOKS
from tocsin.lake import asking, journal
from tocsin.lake.asking import Held, PartKey, Question
from tocsin.lake.parts import DAY_US, UNDATED, Part, day_text
from tocsin.lake.runs import Run as IndexRun
from tocsin.lake.store import Lake
from tocsin.ledger import FOUND, SEEN, Progress
from tocsin.looking import Look, Tally
from tocsin.model.attack import NO_FACTS, Facts
from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.hunt import Asked, Cell, Told
from tocsin.model.indicator import OBSERVABLE_TYPES, ObservableType
from tocsin.model.kind import KINDS
from tocsin.model.rule import INDICATOR, LEVELS, Level, Rule, RuleSet
from tocsin.observe import known_good as lists
from tocsin.observe.addresses import span
from tocsin.respond import Response, addressed

_PAP: Final = ("red", "amber", "green", "clear", "white")
_MOST_NAMED: Final = 10_000  # indicators in an entry of the journal
_SETTLING: Final = "settling"
MOST_TOLD_HOSTS: Final = 50  # by name, of one indicator


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What is looked for.

    Args:
        revoked: places of rules that stand for indicators which were taken back.
        pap: the strictest of the markings of the Permissible Actions Protocol among their labels; '' for none.
    """

    rules: RuleSet
    told: IndicatorCoverage
    revoked: frozenset[int] = frozenset()
    pap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """What came of it.

    Args:
        told: for each indicator and rule that was found, the most telling first.
        in_full: indicators that no index can hold, for which text was searched.
        absent_kinds: kinds of logs of which the lake has none at all.
        cells: gives the answers, type by type; each time anew.
        undated: records without a time, which no month can be told of.
    """

    response: Response
    told: tuple[Told, ...]
    in_full: int
    parts: int
    parts_read: int
    absent_kinds: tuple[str, ...]
    undated: int
    since: str
    until: str
    cells: Callable[[], Iterator[Cell]]


def prepared(names: Sequence[str], rules: RuleSet, *, known_good: Path | None = None) -> Hunt:
    """Read indicators and make them part of the rules. Of the expired, the revoked and the well-known none is dropped.

    Raises:
        IndicatorError: a file cannot be read, or is none.
    """
    if not names:
        return Hunt(rules=rules, told=IndicatorCoverage())
    intelligence = files.read(names)
    revoked = {one.id for one in intelligence.indicators if one.revoked}
    kept = tuple(replace(one, revoked=False) for one in intelligence.indicators)
    good = lists.load(known_good) if known_good is not None else None
    found = indicators.prepared(
        replace(intelligence, indicators=kept), rules, known_good=good, even_known_good=True, ever=True
    )
    told = IndicatorCoverage(
        left_out=found.left_out, lowered=found.lowered, known_good=str(known_good) if known_good is not None else ""
    )
    places = (at for at, rule in enumerate(found.rules.rules) if rule.indicator and rule.indicator.id in revoked)
    labels = {label.lower() for one in intelligence.indicators for label in one.labels}
    pap = next((colour for colour in _PAP if f"pap:{colour}" in labels), "")
    return Hunt(rules=found.rules, told=told, revoked=frozenset(places), pap=pap)


@contextmanager
def retrohunt(
    lake: Lake,
    hunt: Hunt,
    asked: Asked,
    *,
    hosts: Collection[str] = (),
    quieten: bool = True,
    jobs: int = 0,
    attack: Facts = NO_FACTS,
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Hunted]:
    """Ask a lake.

    Args:
        hosts: machines that there are, so that one of which the lake has nothing is named.
        quieten: fold repeats, and lower what happens everywhere every day, as in `respond.respond`.
        jobs: worker processes; 0 is one for each processor.

    Yields:
        The answer; its findings are kept on disk until the context ends.

    Raises:
        LakeError: a part cannot be read, or the journal cannot be written: then nothing is asked.
    """
    entry = journal.add(lake, "asked", _asked(lake, hunt, asked))
    jobs, runs = jobs or engine.default_jobs(), lookover.index(lake)
    parts = asking.window(lake.state.parts.values(), asked.since_us, asked.until_us)
    visible = lookover.visible_in(runs, parts)
    question, slow = _question(hunt.rules)
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        folder = Path(name)
        for kept in (FOUND, SEEN, looking.TRACED, f"{_SETTLING}/{FOUND}", f"{_SETTLING}/{SEEN}"):
            (folder / kept).mkdir(parents=True)
        held = question.held(runs, parts)
        tally, read = _looked(lake, hunt, asked, held, runs, parts, slow, folder, jobs, engine, on_progress)
        rules, told = _told(hunt, asked, tally, len(visible.hosts), journal.records(lake))
        ruled = replace(hunt.rules, rules=rules)
        window = (asked.since_us, asked.until_us)
        run = replace(lookover.run_of(ruled, hunt.told, lake, tally, visible, folder, window), attack=attack)
        traces = _traces(lake, _context(parts, tally), tally, folder / looking.TRACED, jobs, engine)
        waiting = investigate.queued(
            run.findings, run.rules.rules, traces, digests=lake.state.evidence, quieten=quieten
        )
        incidents = addressed(waiting.incidents, rules, lake, jobs=jobs, engine=engine)
        since, until = _days(parts, asked)
        types = _types(hunt.rules)
        _enter(lake, {"asked": entry, "by": asked.by}, rules, told, tally, len(incidents))
        yield Hunted(
            response=Response(run=run, incidents=incidents, background=waiting.background, lake=lake),
            told=told,
            in_full=len(slow),
            parts=len(parts),
            parts_read=read,
            absent_kinds=tuple(kind for kind in KINDS if kind not in lake.state.kinds),
            undated=visible.undated,
            since=since,
            until=until,
            cells=lambda: visible.cells(types, tally.seen(), since, until, hosts) if since else iter(()),
        )


def _looked(  # noqa: PLR0917 - the steps before it in their order
    lake: Lake,
    hunt: Hunt,
    asked: Asked,
    held: Mapping[PartKey, Held],
    runs: Sequence[IndexRun],
    parts: Mapping[PartKey, Part],
    slow: frozenset[int],
    folder: Path,
    jobs: int,
    engine: Engine,
    on_progress: Callable[[Progress], None],
) -> tuple[Tally, int]:
    """Read what the index names, and what rules may match in; findings are kept below the folder.

    Gives how many parts were read, too.
    """
    detector = Detector(hunt.rules)
    fast_watch = Watch(looking.only(hunt.rules, {number for one in held.values() for number in one.asked}), ever=True)
    slow_watch = Watch(looking.only(hunt.rules, slow), ever=True)
    ahead = foreseen.foresee(hunt.rules, runs, parts)
    looks = _looks(parts, held, ahead, slow_watch)
    tally = Tally(hunt.rules, Account(detector))
    work = partial(
        looking.look,
        lake=lake,
        detector=detector,
        fast=fast_watch,
        slow=slow_watch,
        window=(asked.since_us, asked.until_us),
        margin_days=asked.margin_days,
    )
    looking.run(looks, partial(work, folder=folder), jobs, tally, on_progress, engine=engine)
    nothing = partial(work, folder=folder / _SETTLING)
    return tally, len(looks) + foreseen.settle(ahead, looks, parts, nothing, jobs, tally, engine=engine)


def _question(rules: RuleSet) -> tuple[Question, frozenset[int]]:
    """What the index is asked, numbered by rule; and rules that it cannot answer."""
    wanted: list[tuple[tokens.Token, int]] = []
    ranges: list[tuple[asking.Range, int]] = []
    slow: set[int] = set()
    for number, rule in enumerate(rules.rules):
        if rule.logsource != INDICATOR or rule.indicator is None:
            continue
        for one in rule.indicator.observables:
            if one.type == "network" and (limits := span(one.value)):
                ranges.append((limits, number))
            elif some := tokens.wanted(one):
                wanted += [(token, number) for token in some]
            else:
                slow.add(number)
    return Question(wanted, ranges), frozenset(slow)


def _looks(
    parts: Mapping[PartKey, Part], held: Mapping[PartKey, Held], ahead: foreseen.Foreseen, slow: Watch
) -> list[Look]:
    """What to read of which part: the rows that the index names, and all of them where rules may match."""
    found = []
    for key, part in sorted(parts.items(), key=lambda one: (one[1].day, one[0])):
        here = held.get(key)
        full = key in ahead.needed or bool(slow and _may_look(part, slow))
        if here is None and not full:
            continue
        rows = None if here is None or here.rows is None else np.array(sorted(here.rows), np.int64)
        fields = frozenset(here.fields) if here else frozenset()
        if LOOKS.spoken.get(part.kind) in fields:  # it counts where a record has none of the others
            fields |= LOOKS.fields.keys() & looking.fields_of(part)
        found.append(Look(part=part, named=here is not None, rows=rows, fields=fields, full=full))
    return found


def _may_look(part: Part, watch: Watch) -> bool:
    there = looking.fields_of(part)
    spoken = LOOKS.spoken.get(part.kind) in there
    return spoken or part.kind in LOOKS.records or not watch.projection.isdisjoint(there)


def _context(parts: Mapping[PartKey, Part], tally: Tally) -> list[looking.Around]:
    """Parts whose other events tell how one thing led to another: those of the days and hosts of findings."""
    days: dict[str, set[str]] = {}
    for (kind, path), (hosts, _) in tally.rows.items():
        days.setdefault(parts[kind, path].day, set()).update(hosts)
    found = []
    for key, part in sorted(parts.items()):
        rows = tally.rows.get(key)
        if rows is not None or (part.day != UNDATED and part.day in days):
            here = frozenset(days.get(part.day, ()))
            found.append(looking.Around(part=part, hosts=here, found=rows[1] if rows else ()))
    return sorted(found, key=lambda one: not one.found)[: looking.MOST_AROUND]


def _traces(
    lake: Lake, context: Sequence[looking.Around], tally: Tally, folder: Path, jobs: int, engine: Engine
) -> investigate.Traces:
    """What findings can be joined by."""
    work = partial(looking.trace, folder=folder, lake=lake, window=(None, None))
    looking.run(context, work, jobs, tally, engine=engine)
    return investigate.read(folder.iterdir())


def _told(
    hunt: Hunt, asked: Asked, tally: Tally, of_hosts: int, records: Mapping[str, tuple[int, int]]
) -> tuple[tuple[Rule, ...], tuple[Told, ...]]:
    """The rules with the levels that the times of their events leave them, and what is said of each that was found."""
    rules = list(hunt.rules.rules)
    told: list[Told] = []
    for number, seen in sorted(tally.by_rule.items()):
        rule, revoked = rules[number], number in hunt.revoked
        one, scored = rule.indicator, None
        if one is not None:
            scored = score(
                one,
                seen.best_us,
                revoked=revoked,
                hosts=len(seen.hosts),
                of_hosts=of_hosts,
                margin_days=asked.margin_days,
                record=records.get(one.source, (0, 0)),
            )
            rules[number] = replace(
                rule, level=_level(rule, scored.value, revoked=revoked), title=_title(rule, seen, revoked)
            )
        told.append(
            Told(
                rule=number,
                id=rule.id,
                title=rule.title,
                value=" ".join(each.value for each in one.observables) or one.pattern if one else "",
                events=seen.events,
                first_us=seen.first_us,
                last_us=seen.last_us,
                host_count=len(seen.hosts),
                hosts=tuple(sorted(seen.hosts)[:MOST_TOLD_HOSTS]),
                kinds=tuple(sorted(seen.kinds)),
                revoked=revoked,
                whens=dict(seen.whens),
                score=scored.value if scored else None,
                terms=tuple((term.factor, term.because) for term in scored.terms) if scored else (),
            )
        )
    order = sorted(told, key=lambda one: (-(one.score if one.score is not None else 101), one.first_us or 0, one.id))
    return tuple(rules), tuple(order)


def _level(rule: Rule, value: int, *, revoked: bool) -> Level:
    """An indicator keeps its level while it says half of what its source claims; then it is low at most."""
    claimed = rule.indicator.confidence if rule.indicator and rule.indicator.confidence is not None else 50
    if revoked:
        return "informational"
    return rule.level if value * 2 >= claimed else min(rule.level, "low", key=LEVELS.index)


def _title(rule: Rule, seen: looking.SeenOf, revoked: bool) -> str:
    words = ["revoked"] if revoked else []
    if seen.whens and not {"in its time", "near its time", "no time told"} & seen.whens.keys():
        words.append("seen only outside the time in which it held")
    return f"{rule.title} ({', '.join(words)})" if words else rule.title


def _types(rules: RuleSet) -> list[ObservableType]:
    asked = {one.type for rule in rules.rules if rule.indicator for one in rule.indicator.observables}
    return [kind for kind in OBSERVABLE_TYPES if kind in asked]


def _days(parts: Mapping[PartKey, Part], asked: Asked) -> tuple[str, str]:
    """The first and the last day that the answer is about: as asked, or as far as the lake goes."""
    days = [part.day for part in parts.values() if part.day != UNDATED]
    since = day_text(asked.since_us // DAY_US) if asked.since_us is not None else min(days, default="")
    until = day_text((asked.until_us - 1) // DAY_US) if asked.until_us is not None else max(days, default="")
    return (since, until) if since and until and since <= until else ("", "")


def _asked(lake: Lake, hunt: Hunt, asked: Asked) -> dict[str, Any]:
    return {
        "by": asked.by,
        "authority": asked.authority,
        "purpose": asked.purpose,
        "names": list(asked.names)[:1000],
        "since_us": asked.since_us,
        "until_us": asked.until_us,
        "pap": hunt.pap,
        "rules": len(hunt.rules.rules),
        "digest": hunt.rules.digest,
        "lake": lake.head,
    }


def _enter(
    lake: Lake, head: Mapping[str, Any], rules: Sequence[Rule], told: Sequence[Told], tally: Tally, incidents: int
) -> None:
    """Enter the answer into the journal."""
    found = [(one.id, rules[one.rule].indicator) for one in told[:_MOST_NAMED]]
    sources = {key: indicator.source for key, indicator in found if indicator is not None}
    digest = hashlib.sha256(msgspec.json.encode(told)).hexdigest()
    counts = {"found": len(told), "findings": tally.findings, "incidents": incidents}
    journal.add(lake, "answered", {**head, **counts, "digest": digest, "sources": sources})
