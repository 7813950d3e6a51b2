"""`tocsin lake`: logs are kept for years, looked after, verified, and given out again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from tocsin.cli import lake_options, listing, options, person, progress
from tocsin.cli.case_options import By, Reason
from tocsin.cli.detect import Debug, Jobs, Logs, Mappings, Quiet, Since, Until, Zone
from tocsin.cli.lake_options import Place, opened, place, steps
from tocsin.errors import EvidenceError, LakeError, OutputError, SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.intake import Taken
    from tocsin.lake.store import Lake

app = typer.Typer(help="Logs of years in one place: add, info, compact, verify, export, retire, hold, mend.")

Kind = Annotated[str, typer.Option("--kind", metavar="KIND", help="Only logs of this kind; all if not given.")]
_MOST_TOLD = 20


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def add(
    logs: Logs,
    *,
    lake: Place = None,
    timezone: Zone = None,
    mapping: Mappings = None,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Import logs. What is in already is not imported again, whatever it is called; what was broken off goes on."""
    zone, mappings = options.zone(timezone), options.mappings(mapping or [])

    from tocsin import intake  # heavy: only once it is clear what is wanted

    began = time.monotonic()
    with progress.live(quiet=quiet) as on_progress:
        taken = intake.take_in(logs, place(lake), jobs=jobs, zone=zone, mappings=mappings, on_progress=on_progress)
    _tell_taken(taken, time.monotonic() - began, quiet=quiet)
    if taken.failed:
        path, why = taken.failed[0]
        raise LakeError(
            f"{len(taken.failed):,} pieces of evidence could not be imported: the first is {path}: {why}",
            hint="What was told as added is in the lake; the same command goes on with the others once it can.",
        )
    if not taken.known and not any(source.format for source in taken.custody):
        raise EvidenceError("none of this is a log that tocsin can read", hint="Nothing was added to the lake.")


def _tell_taken(taken: Taken, took_s: float, *, quiet: bool) -> None:
    if quiet:
        return
    typer.echo(
        f"{taken.records:,} records added from {sum(bool(one.format) for one in taken.custody):,} sources"
        f" in {took_s:.1f} s; {taken.known:,} pieces of evidence were in the lake already"
    )
    odd = [(one.path, problem) for one in taken.custody for problem in one.problems]
    odd += [(one.path, f"{count:,} records: {why}") for one in taken.custody for why, count in one.damaged.items()]
    for path, why in (*taken.failed[:_MOST_TOLD], *odd[:_MOST_TOLD]):
        typer.echo(f"  {shown(path, 100)}: {shown(why, 200)}", err=True)
    more = max(len(taken.failed) - _MOST_TOLD, 0) + max(len(odd) - _MOST_TOLD, 0)
    if more:
        typer.echo(f"  and {more:,} more", err=True)


@app.command()
def info(lake: Place = None) -> None:
    """Show what a lake holds: kinds, days, records, sizes, holds, and what is not quite in order."""
    one = opened(lake)
    rows = []
    for kind in one.state.kinds:
        parts = one.state.of_kind(kind)
        days = sorted({part.day for part in parts if part.day})
        rows.append(
            (
                kind,
                f"{sum(part.rows for part in parts):,}",
                lake_options.size(sum(part.size_bytes for part in parts)),
                f"{len(parts):,}",
                days[0] if days else "",
                days[-1] if days else "",
                f"{_missing(days):,}",
            )
        )
    header = ("kind", "records", "size", "files", "first day", "last day", "days without any")
    listing.show(header, rows, "The lake is empty.")
    index = sum(run.size_bytes for run in one.state.runs.values())
    typer.echo(f"index: {lake_options.size(index)} in {len(one.state.runs):,} files")
    for hold in one.state.holds.values():
        kind = hold.kind or "all kinds"
        typer.echo(
            f"hold {shown(hold.name)}: {kind}, {hold.since} to {hold.until}, {shown(hold.reason)} ({shown(hold.by)})"
        )
    _tell_state(one)


def _missing(days: list[str]) -> int:
    if not days:
        return 0
    return (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days + 1 - len(days)


def _tell_state(one: Lake) -> None:
    from tocsin import intake

    left = len(one.unindexed(intake.LOOKS.version))
    if left:
        typer.echo(f"{left:,} files are in no index: the next hunt, or `tocsin lake compact`, puts them in", err=True)


@app.command()
def compact(lake: Place = None, *, quiet: Quiet = False) -> None:
    """Join the small files of each day, and those of the index."""
    from tocsin import intake
    from tocsin.lake import upkeep

    one = opened(lake)
    with steps(quiet=quiet) as told:
        gone = upkeep.compact(one, intake.LOOKS, told)
    typer.echo(f"{gone:,} files joined; the lake has {len(one.state.parts):,}, the index {len(one.state.runs):,}")


@app.command()
def verify(lake: Place = None, *, quiet: Quiet = False) -> None:
    """Look at every byte: log, files, tables, index, and the evidence where it still lies."""
    from tocsin.lake import journal
    from tocsin.lake import verify as looking

    one = opened(lake)
    with steps(quiet=quiet) as told:
        verdict = looking.verify(one, told)
    hunts = len(journal.entries(one))
    for fault in verdict.faults[:_MOST_TOLD]:
        typer.echo(shown(fault, 400))
    if verdict.faults:
        raise LakeError(
            f"{place(lake)}: {len(verdict.faults):,} things are not as they were written",
            hint="docs/lake.md says what each means, and what `tocsin lake mend` makes anew.",
        )
    typer.echo(
        f"{verdict.parts:,} files with {verdict.records:,} records are as they were written; of their evidence"
        f" {verdict.evidence:,} files are unchanged, {verdict.absent:,} no longer where they were."
        f" {hunts:,} entries in the journal of hunts."
    )


@app.command()
def mend(lake: Place = None) -> None:
    """Make anew what can be: tables from the lake's log, the index from its files."""
    from tocsin import intake
    from tocsin.lake import upkeep

    done = upkeep.mend(opened(lake), intake.LOOKS)
    for line in done or ["Nothing was found that could be made anew; `tocsin lake verify` tells what else is damaged."]:
        typer.echo(line)


@app.command()
def export(
    out: Annotated[str, typer.Argument(metavar="FILE", help="Where to write lines of JSON; - is standard output.")],
    *,
    lake: Place = None,
    kind: Kind = "",
    host: Annotated[str, typer.Option(metavar="HOST", help="Only records of this host.")] = "",
    since: Since = None,
    until: Until = None,
    quiet: Quiet = False,
) -> None:
    """Write records as lines of JSON, each with its raw record and where it came from."""
    since_us, until_us = options.window(since, until)
    one = opened(lake)

    from tocsin.lake import export as records

    if kind and kind not in one.state.kinds:
        raise SettingsError(f"--kind {kind}: the lake has none", hint=f"There are {', '.join(one.state.kinds)}.")
    try:
        with steps(quiet=quiet) as told, _target(out) as file:
            count = records.write(one, file, kind=kind, host=host, since_us=since_us, until_us=until_us, told=told)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written: {error.strerror}", hint="Name a file that is not there."
        ) from error
    typer.echo(f"{count:,} records", err=True)


@contextmanager
def _target(out: str) -> Iterator[BinaryIO]:
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(out).open("xb") as file:
        yield file


@app.command()
def retire(
    *,
    before: Annotated[str, typer.Option(metavar="DAY", help="Delete all days before this one: 2024-01-01.")],
    reason: Reason,
    lake: Place = None,
    kind: Kind = "",
    by: By = None,
) -> None:
    """Delete days past their time, from the index too. What a hold keeps stays, and is told."""
    day = _day("--before", before)

    from tocsin.lake import upkeep

    gone, kept = upkeep.retire(opened(lake), day, kind=kind, by=person.whoever(by), reason=reason)
    typer.echo(
        f"{sum(part.rows for part in gone):,} records deleted; {sum(part.rows for part in kept):,} kept by a hold"
    )


@app.command()
def hold(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the hold is called, such as a file number.")],
    *,
    since: Annotated[str, typer.Option(metavar="DAY", help="The first day to keep.")],
    until: Annotated[str, typer.Option(metavar="DAY", help="The last day to keep.")],
    reason: Reason,
    lake: Place = None,
    kind: Kind = "",
    by: By = None,
) -> None:
    """Keep days from being retired until the hold is released."""
    days = _day("--since", since), _day("--until", until)
    if days[0] > days[1]:
        raise SettingsError(f"--since {since} is after --until {until}", hint="Exchange them?")

    from tocsin.lake import store
    from tocsin.lake.state import Hold

    wanted = Hold(name=name, kind=kind, since=str(days[0]), until=str(days[1]), reason=reason, by=person.whoever(by))
    store.hold(opened(lake), wanted)


@app.command()
def release(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the hold.")],
    *,
    reason: Reason,
    lake: Place = None,
    by: By = None,
) -> None:
    """End a hold."""
    from tocsin.lake import store

    store.release(opened(lake), name, by=person.whoever(by), reason=reason)


@app.command()
def judge(
    indicator: Annotated[str, typer.Argument(metavar="ID", help="The id of an indicator that a hunt found.")],
    *,
    right: Annotated[bool, typer.Option("--right/--wrong", help="Whether what it found was what it said.")],
    reason: Reason,
    lake: Place = None,
    by: By = None,
) -> None:
    """Say whether an indicator was right: later hunts weigh what its source tells by this record."""
    from tocsin.lake import journal

    source = journal.judge(opened(lake), indicator, right=right, by=person.whoever(by), reason=reason)
    typer.echo(f"noted; it is from {shown(source, 100) or 'a source that is not named, of which no record is kept'}")


@app.command()
def hunts(lake: Place = None) -> None:
    """List what was asked of the lake: when, by whom, by which authority."""
    from tocsin.lake import journal

    rows = [
        (
            str(one.get("at", "")),
            str(one.get("what", "")),
            str(one.get("by", "")),
            str(one.get("authority", "")),
            _said(one),
        )
        for one in journal.entries(opened(lake))
    ]
    listing.show(("at (UTC)", "what", "by", "authority", "of what"), rows, "Nothing was asked yet.")


def _said(one: object) -> str:
    told = one if isinstance(one, dict) else {}
    if told.get("what") == "asked":
        return ", ".join(map(str, told.get("names", ())))
    if told.get("what") == "judged":
        return f"{told.get('indicator')}: {'right' if told.get('right') else 'wrong'} ({told.get('reason')})"
    return f"{told.get('found', 0):,} found, {told.get('findings', 0):,} findings"


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{option} {text}: not a day", hint="Write it as 2024-01-31.") from error
