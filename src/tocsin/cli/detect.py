"""`tocsin detect`: logs and rules in, findings and a summary of them out."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin.cli import folders, lake_options, options, progress
from tocsin.errors import EvidenceError, RuleError, SettingsError
from tocsin.model.rule import LEVELS, Level

if TYPE_CHECKING:
    from tocsin.cli.target import Target
    from tocsin.model.attack import Facts
    from tocsin.model.mapping import LogMapping
    from tocsin.model.rule import RuleSet
    from tocsin.model.run import Run


Logs = Annotated[
    list[str],
    typer.Argument(metavar="LOGS", help="Files, folders, patterns, archives, or - for standard input."),
]
MaybeLogs = Annotated[
    list[str] | None,
    typer.Argument(metavar="LOGS", help="Files, folders, patterns, archives, or - for standard input; or --lake."),
]
InLake = Annotated[Path | None, typer.Option("--lake", metavar="DIR", help="What a lake holds, in place of logs.")]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rules",
        "-r",
        metavar="PATH|PACK",
        help="A rule, a folder or zip of rules, or a pack. All that were added if not given; tocsin's own if none was.",
        autocompletion=options.complete_packs,
    ),
]
Lowest = Annotated[
    Level | None, typer.Option(metavar="LEVEL", help=f"Only rules of this level or above: {', '.join(LEVELS)}.")
]
Statuses = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STATUS",
        help=f"Only rules of this status: {', '.join(options.STATUSES)}. May be repeated.",
        autocompletion=options.complete_statuses,
    ),
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only events from then on: ISO 8601, UTC if no zone is told.")
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only events before then; a date alone is meant to its end.")
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Where times in logs that name no zone were written: Europe/Zurich or +01:00. UTC if not given.",
    ),
]
Mappings = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="How to read JSON or CSV that no reader knows; may be repeated. See the manual.",
    ),
]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE|DIR", help="Where to write; a folder gets every kind of result."),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"One of {', '.join(options.FORMATS)}; told by the name of --out if not given.",
        autocompletion=options.complete_formats,
    ),
]
AttackRelease = Annotated[
    str | None,
    typer.Option(
        metavar="RELEASE",
        help="Which release of ATT&CK a Navigator layer is for; the newest that rules are tagged for if not given.",
    ),
]
Indicators = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Look for these too: a STIX bundle, MISP event, CSV, plain list, or a folder of such. May be repeated.",
    ),
]
KnownGood = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="MISP warning lists to compare indicators with; those of pymispwarninglists if it is installed.",
    ),
]
EvenKnownGood = Annotated[bool, typer.Option("--even-known-good", help="Look for what is known to be good as well.")]
AnyTime = Annotated[bool, typer.Option("--any-time", help="Look for indicators outside their validity as well.")]
Observed = Annotated[
    bool, typer.Option("--observed", help="Take observables that stand in STIX bundles for indicators too.")
]
Jobs = Annotated[int, typer.Option(min=0, help="Worker processes; 0 is one for each processor.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in the program an error came from.")]


def detect(
    logs: MaybeLogs = None,
    *,
    lake: InLake = None,
    rules: Rules = None,
    level: Lowest = None,
    status: Statuses = None,
    since: Since = None,
    until: Until = None,
    timezone: Zone = None,
    mapping: Mappings = None,
    out: Out = None,
    form: Form = None,
    attack_release: AttackRelease = None,
    indicators: Indicators = None,
    known_good: KnownGood = None,
    even_known_good: EvenKnownGood = False,
    any_time: AnyTime = False,
    observed: Observed = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Match Sigma rules and indicators with logs: what was found, and what could not have been seen."""
    evidence = lake_options.evidence(logs, lake, read_otherwise=bool(mapping or timezone))
    since_us, until_us = options.window(since, until)
    statuses, zone = options.statuses(status or []), options.zone(timezone)
    mappings = options.mappings(mapping or [])
    from tocsin.cli.intelligence import Intelligence, wanted_of
    from tocsin.cli.target import choose

    attack = attack_facts(attack_release)
    target = choose(out, form, evidence)
    wanted = Intelligence(tuple(indicators or ()), known_good, even_known_good, any_time, observed)
    chosen = wanted_of(wanted, lambda: chosen_rules(rules, level, statuses, mappings, quiet=quiet), rules, quiet=quiet)
    began = time.monotonic()
    with ExitStack() as stack:
        with progress.live(quiet=quiet) as on_progress:
            going = detected(
                evidence,
                lake,
                chosen.rules,
                zone,
                mappings,
                indicators=chosen.indicators,
                ever=any_time,
                jobs=jobs,
                since_us=since_us,
                until_us=until_us,
                attack=attack,
                attack_release=attack_release or "",
                on_progress=on_progress,
            )
            run = stack.enter_context(going)
        _tell(run, target, time.monotonic() - began, quiet=quiet)
        refuse_nothing(run, target)


def detected(
    logs: list[str], lake: Path | None, rules: RuleSet, zone: tzinfo, mappings: Sequence[LogMapping], **how: Any
) -> AbstractContextManager[Run]:
    """Detect in logs, or in a lake, whose logs were read already."""
    if lake is not None:
        from tocsin import lookover

        return lookover.detect(lake_options.opened(lake), rules, **how)
    from tocsin import pipeline  # numpy, orjson and their kind: only once it is clear what is wanted

    return pipeline.detect(logs, rules, zone=zone, mappings=mappings, **how)


def refuse_nothing(run: Run, target: Target) -> None:
    """Evidence of which no reader knows anything is no result."""
    if not any(source.format for source in run.custody):
        raise EvidenceError(
            "none of this is a log that tocsin can read",
            hint=f"What was looked at is in {target.manifest}.",
        )


def attack_facts(wanted: str | None) -> Facts:
    from tocsin.learn import attack

    known = attack.known()
    if wanted is not None and known.release(wanted) is None:
        there = ", ".join(release.name for release in known.releases)
        raise SettingsError(
            f"--attack-release {wanted}: nothing is known of that release of ATT&CK",
            hint=f"There are {there}; `tocsin learn attack FILE` adds others.",
        )
    return known


def chosen_rules(
    names: Sequence[str] | None,
    level: Level | None,
    statuses: Sequence[str],
    mappings: Sequence[LogMapping],
    *,
    quiet: bool,
) -> RuleSet:
    from tocsin import pipeline
    from tocsin.learn import packs

    with progress.word("reading rules (compiled once, then kept)", quiet=quiet):
        every = pipeline.compile_rules(packs.resolve(names or []), folders.cache(), mappings)
    chosen = pipeline.select(every, level=level, statuses=statuses)
    if not every.rules:
        raise RuleError(
            f"none of {len(every.problems)} rules can be used", hint="`tocsin rules check` says why, rule by rule."
        )
    if not chosen.rules:
        raise RuleError(
            f"none of {len(every.rules)} rules is of that level and status",
            hint="Ask for a lower --level, or leave out --status.",
        )
    return chosen


def _tell(run: Run, target: Target, took_s: float, *, quiet: bool) -> None:
    """Write the files, then say what is in them."""
    target.save(run)
    if target.stream:
        target.pour(run)
    if quiet and (target.stream or target.wanted):
        return
    from rich.console import Console  # for the summary alone, when all else is done

    from tocsin.output import terminal
    from tocsin.output.summary import summarise

    summary = summarise(run)
    console = Console(stderr=bool(target.stream), highlight=False, emoji=False, markup=False, soft_wrap=False)
    if quiet:
        print(terminal.one_line(summary), file=sys.stdout)  # noqa: T201 - the one line that was asked for
        return
    rate = summary.evidence.events / took_s if took_s > 0 else 0.0
    plain = sum(one.indicators for one in run.coverage.indicators.observables) if run.coverage.indicators else 0
    asked = f"{len(run.coverage.rules):,} rules" + (f", {plain:,} indicators" if plain else "")
    notes = [f"{took_s:.1f} s, {rate:,.0f} events/s, {asked}"]
    if run.timezone != "UTC":
        notes.append(f"times that name no zone were taken as {run.timezone}")
    notes += [f"written: {path}" for path, _ in target.files]
    terminal.show(console, run, summary, notes)
